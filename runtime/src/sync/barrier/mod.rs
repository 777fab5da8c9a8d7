//! Waiting until all are there.
