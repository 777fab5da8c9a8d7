//! Forms with files, `multipart/form-data`: what browsers send, and what a client sends like one. RFC 7578, RFC 2046 5.1.
//!
//! ```text
//!   Form ──> body ──> … ──> body ──> parser ──> Multipart ──> Part, Part, …
//!    parts that may be streams        lines       one part at a time, as it comes
//! ```
//!
//! - A part is read as it comes: a file of any size needs the memory of a chunk.
//! - Everything has a limit: parts, the head of a part, a part, the whole.
//! - What two readers could understand differently is refused: a line that begins with the boundary and goes on otherwise, a
//!   head with bare line ends, a part without a name. An end that is missing is an error: nothing that was cut off passes for
//!   the whole.

mod disposition;
mod error;
mod form;
mod parser;
mod receive;

pub use error::MultipartError;
pub use form::{Form, FormPart};
pub use receive::{Multipart, Part};

/// What a form may have. What is beyond is an error, and answered with 413.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Parts: 100.
    pub parts: usize,
    /// Bytes of a part's head: 8 KiB.
    pub head_bytes: usize,
    /// Bytes of a part: 16 MiB.
    pub part_bytes: u64,
    /// Bytes of the whole, with heads and boundaries: 64 MiB. The limit that the body has anyway stays.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { parts: 100, head_bytes: 8 << 10, part_bytes: 16 << 20, total_bytes: 64 << 20 }
    }
}
