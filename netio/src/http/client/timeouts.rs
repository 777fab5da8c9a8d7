//! For how long a client waits, and what for.

use std::{fmt, time::Duration};

/// How long a fetch may wait: four limits, each with an error of its own ([`TimeoutKind`]).
///
/// ```text
///   acquire ─────────>│connect ──────────────>│
///   a free place      │ name, call, tunnel    │ request ─> head ─> body
///   in the pool       │                       │   read: as long as nothing moves
///   total ────────────┴───────────────────────┴──────────────────────────────>│ the last byte of the body
/// ```
///
/// What is not set stays as it is elsewhere: a request's are those of its client, a client's are the defaults below.
/// [`Duration::MAX`] is no limit.
///
/// ```
/// use netio::http::client::{Client, Timeouts};
/// use std::time::Duration;
///
/// let client = Client::builder().timeouts(Timeouts::new().connect(Duration::from_secs(2))).build();
/// // A download may take as long as it takes, but not stand still.
/// let request = http::Request::get("http://127.0.0.1/large")
///     .extension(Timeouts::new().total(Duration::MAX).read(Duration::from_secs(10)))
///     .body(netio::http::Body::empty());
/// # drop((client, request));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    total: Option<Duration>,
    acquire: Option<Duration>,
    connect: Option<Duration>,
    read: Option<Duration>,
}

/// Which of the [`Timeouts`] was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// The whole fetch.
    Total,
    /// Waiting for a free place in the pool.
    Acquire,
    /// Looking up the name and connecting.
    Connect,
    /// Nothing moved.
    Read,
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeoutKind::Total => "total",
            TimeoutKind::Acquire => "acquire",
            TimeoutKind::Connect => "connect",
            TimeoutKind::Read => "read",
        })
    }
}

impl Timeouts {
    /// None is set.
    pub fn new() -> Self {
        Timeouts::default()
    }

    /// From the beginning to the last byte of the body, redirects included: 30 s.
    pub fn total(self, longest: Duration) -> Self {
        Self { total: Some(longest), ..self }
    }

    /// Until there is a free place in the pool: 30 s.
    pub fn acquire(self, longest: Duration) -> Self {
        Self { acquire: Some(longest), ..self }
    }

    /// To look up the name and connect, through a proxy if there is one: 10 s.
    pub fn connect(self, longest: Duration) -> Self {
        Self { connect: Some(longest), ..self }
    }

    /// Without a byte that comes or goes: 30 s. While the client waits for its own body to go on, this clock stands still.
    pub fn read(self, longest: Duration) -> Self {
        Self { read: Some(longest), ..self }
    }

    /// These; where they say nothing, those.
    pub(super) fn or(self, others: Timeouts) -> Self {
        Self {
            total: self.total.or(others.total),
            acquire: self.acquire.or(others.acquire),
            connect: self.connect.or(others.connect),
            read: self.read.or(others.read),
        }
    }

    // ANCHOR: defaults
    pub(super) fn longest(&self, kind: TimeoutKind) -> Duration {
        let (set, default) = match kind {
            TimeoutKind::Total => (self.total, 30),
            TimeoutKind::Acquire => (self.acquire, 30),
            TimeoutKind::Connect => (self.connect, 10),
            TimeoutKind::Read => (self.read, 30),
        };
        set.unwrap_or(Duration::from_secs(default))
    }
    // ANCHOR_END: defaults
}
