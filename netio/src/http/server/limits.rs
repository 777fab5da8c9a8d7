//! What one peer may cost.

use crate::http::head::MOST_FIELDS;
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
    /// Bytes in the body of a request: 1 MiB. Beyond: 413.
    pub body_bytes: u64,
    /// From the first byte of a head (or from accepting) to its end: 10 s. Then 408, or nothing if nothing came.
    pub head_time: Duration,
    /// From the end of a head to the end of its body: 30 s. Then 408.
    pub body_time: Duration,
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
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head_bytes: 16 * 1024,
            header_count: 100,
            body_bytes: 1024 * 1024,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            keep_alive_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            requests_per_connection: 100_000,
            connections: 10_000,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
