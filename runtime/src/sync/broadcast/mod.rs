//! From many tasks to many, each of which sees all.
