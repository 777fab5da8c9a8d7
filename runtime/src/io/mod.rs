//! The standard input and output.
