//! Waiting, under a lock, until something holds.
