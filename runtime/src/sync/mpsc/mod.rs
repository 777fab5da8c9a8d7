//! From many tasks to one, in order.
