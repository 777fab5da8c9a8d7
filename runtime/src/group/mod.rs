//! Structured concurrency: tasks that end with their group, and two ways of ending one.
