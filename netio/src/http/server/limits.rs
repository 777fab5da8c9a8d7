//! What one peer may cost.

use crate::http::{framing, head::MOST_FIELDS};
use std::time::Duration;

/// What a server allows. Every bound has a reason: without it, one peer could take memory, a descriptor or a place for as
/// long as it likes.
///
/// ```
/// use netio::http::server::Limits;
/// use std::time::Duration;
/// let patient = Limits { head_time: Duration::from_secs(60), ..Limits::default() };
/// assert_eq!(patient.head_bytes, 16 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in the head of a request: 16 KiB. Beyond: 414 if the first line alone is longer, else 431.
    pub head_bytes: usize,
    /// Header fields in a request: 100. Beyond: 431. No more than 128 count, whatever is set.
    pub header_count: usize,
    /// Bytes in the body of a request: 1 MiB. Beyond, whoever reads it is told so, which an extractor answers with 413.
    /// [`body_limit`](super::middleware::body_limit) sets another bound for some requests.
    pub body_bytes: u64,
    /// Bytes of chunk extensions in the body of a request, which mean nothing: 4 KiB. Beyond: 400.
    pub chunk_extension_bytes: usize,
    /// Bytes of trailer fields behind the body of a request: 8 KiB, in at most `header_count` fields. Beyond: 400.
    pub trailer_bytes: usize,
    /// From the first byte of a head (or from accepting) to its end: 10 s. Then 408, or nothing if nothing came.
    pub head_time: Duration,
    /// How long whoever reads the body of a request waits for its next bytes: 30 s. Then it is told so, which an extractor
    /// answers with 408, and the connection is closed.
    pub body_time: Duration,
    /// How long whoever reads the body of a request waits for its bytes in all: 5 min. Then as for `body_time`. Without it, one
    /// byte every 29 seconds would keep a handler for ever. The time in which the handler does not read does not count.
    pub body_total_time: Duration,
    /// Bytes of a body that its handler did not read, and that are thrown away to keep the connection: 64 KiB. Beyond, it is
    /// closed after the answer.
    pub unread_bytes: u64,
    /// How long a connection may be kept between two requests: 60 s.
    pub keep_alive_time: Duration,
    /// How long a peer may take nothing of what is sent to it: 30 s. Then the connection is closed.
    pub write_time: Duration,
    /// Requests on one connection: 100 000. The last answer says `connection: close`.
    pub requests_per_connection: u64,
    /// Connections at a time: 10 000. Others wait in the system's backlog, not yet accepted.
    pub connections: usize,
    /// After a call to stop, how long requests that run may take to finish: 10 s. Then they are dropped.
    pub shutdown_grace: Duration,
}

impl Limits {
    pub(super) fn fields(&self) -> usize {
        self.header_count.min(MOST_FIELDS)
    }

    pub(super) fn framing(&self) -> framing::Limits {
        framing::Limits {
            extension_bytes: self.chunk_extension_bytes,
            trailer_bytes: self.trailer_bytes,
            trailer_count: self.header_count,
        }
    }
}

// ANCHOR: defaults
impl Default for Limits {
    fn default() -> Self {
        Limits {
            head_bytes: 16 * 1024,
            header_count: 100,
            body_bytes: 1024 * 1024,
            chunk_extension_bytes: 4 * 1024,
            trailer_bytes: 8 * 1024,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            body_total_time: Duration::from_secs(300),
            unread_bytes: 64 * 1024,
            keep_alive_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            requests_per_connection: 100_000,
            connections: 10_000,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
// ANCHOR_END: defaults
