//! The standard streams, and lines.
//!
//! Everything here speaks the traits of `futures-io`; the extension traits of `futures-lite` add `read_to_string`, `write_all`
//! and their like.
//!
//! ```
//! use futures_lite::AsyncWriteExt;
//! runtime::block_on(async {
//!     runtime::io::stdout().write_all(b"hello\n").await
//! }).unwrap();
//! ```

mod lines;
mod on_pool;
mod output;
mod stdin;

pub use lines::{Lines, lines};
pub(crate) use on_pool::{OnPool, run};
pub use output::{Stderr, Stdout, stderr, stdout};
pub use stdin::{Stdin, stdin};
