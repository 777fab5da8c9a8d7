//! A value that is made once.
