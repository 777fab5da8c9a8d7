//! A runtime, built along the book, a chapter at a time.
//!
//! Write each part in a file of its own, as the chapters do, and tell `check.rs` about it.

mod check;

pub use check::Mine;
