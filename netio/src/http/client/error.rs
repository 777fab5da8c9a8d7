//! What can go wrong with a fetch, and in which phase of it.

use super::{
    redirect::{RedirectFailure, Redirected},
    timeouts::TimeoutKind,
};
use crate::{
    http::{StatusCode, coding::CodingError},
    policy::Refused,
};
use std::{
    fmt,
    io::{self, ErrorKind},
    time::Duration,
};

/// Where a fetch stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All connections were in use.
    Acquire,
    /// The host's name was being looked up.
    Resolve,
    /// The connection was being made.
    Connect,
    /// The request was on its way.
    Send,
    /// Nothing, or not all, of the response's head had come.
    Head,
    /// The head had come, and not all of the body.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Acquire => "waiting for a free connection",
            Phase::Resolve => "looking up the host",
            Phase::Connect => "connecting",
            Phase::Send => "sending the request",
            Phase::Head => "waiting for the head of the response",
            Phase::Body => "reading the body of the response",
        })
    }
}

/// Why there is no response, or not all of it. Every text starts with the URL and says the whole cause on one line.
///
/// ```
/// use netio::http::client::{Client, Error};
/// runtime::block_on(async {
///     let error = Client::new().get("ftp://host/file").await.unwrap_err();
///     assert!(matches!(error, Error::Url { .. }));
///     assert_eq!(error.to_string(), "ftp://host/file: not a URL to fetch: the scheme is not http");
/// });
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be fetched by this client.
    #[error("{url}: not a URL to fetch: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name of the host is not known.
    #[error("{url}: cannot find the host: {cause}")]
    Dns {
        /// The URL.
        url: String,
        /// What the resolver said.
        cause: io::Error,
    },
    /// No connection could be made.
    #[error("{url}: cannot connect: {cause}")]
    Connect {
        /// The URL.
        url: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The connection was lost. `UnexpectedEof`: the server closed it.
    #[error("{url}: the connection was lost while {phase}: {cause}")]
    Lost {
        /// The URL.
        url: String,
        /// Where the fetch stood.
        phase: Phase,
        /// What the system said.
        cause: io::Error,
    },
    /// What the server sent is not HTTP/1.1, or more than one thing could be meant by it.
    #[error("{url}: the server broke the protocol while {phase}: {reason}")]
    Protocol {
        /// The URL.
        url: String,
        /// Where the fetch stood.
        phase: Phase,
        /// What is wrong.
        reason: &'static str,
    },
    /// The body of the request failed, or did not have the length that it had announced. The server did not get the whole of it.
    #[error("{url}: the body of the request failed: {cause}")]
    RequestBody {
        /// The URL.
        url: String,
        /// What the body said.
        cause: io::Error,
    },
    /// The client was closed.
    #[error("{url}: the client is closed")]
    Closed {
        /// The URL.
        url: String,
    },
    /// Time was up.
    #[error("{url}: {} {limit:?} while {phase}", if *kind == TimeoutKind::Read { "nothing moved for" } else { "timed out after" })]
    Timeout {
        /// The URL.
        url: String,
        /// Where the fetch stood.
        phase: Phase,
        /// Which limit it was.
        kind: TimeoutKind,
        /// How much time it had.
        limit: Duration,
    },
    /// The response is larger than allowed.
    #[error("{url}: more than the {limit} bytes allowed while {phase}")]
    TooLarge {
        /// The URL.
        url: String,
        /// [`Phase::Head`] or [`Phase::Body`].
        phase: Phase,
        /// How many bytes it was allowed.
        limit: u64,
    },
    /// The request could not be put together.
    #[error("{url}: no request to send: {reason}")]
    Request {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server sent us elsewhere, and we cannot go there.
    #[error("{url}: cannot follow the redirect to {location}: {reason}")]
    Redirect {
        /// The URL that answered with the redirect.
        url: String,
        /// Where it sent us.
        location: String,
        /// Why we did not go.
        reason: RedirectFailure,
        /// The redirects that were followed before.
        history: Box<[Redirected]>,
    },
    /// The status says that it went wrong: only from [`error_for_status`](super::ClientResponse::error_for_status).
    #[error("{url}: the server answered {status}")]
    Status {
        /// The URL.
        url: String,
        /// Its status: 400 to 599.
        status: StatusCode,
    },
    /// The body is of another type than was asked for.
    #[error("{url}: the body is not {expected}, but {found}")]
    ContentType {
        /// The URL.
        url: String,
        /// What was asked for.
        expected: &'static str,
        /// What the response says of itself.
        found: String,
    },
    /// The body is no JSON, or not that of the type that was asked for.
    #[error("{url}: the body cannot be understood: {cause}")]
    Json {
        /// The URL.
        url: String,
        /// What the parser said.
        cause: serde_json::Error,
    },
    /// The body cannot be decompressed.
    #[error("{url}: {cause}")]
    Coding {
        /// The URL.
        url: String,
        /// What is wrong with it.
        cause: CodingError,
    },
    /// What came could not be written to a file.
    #[error("{url}: cannot save the body to {path}: {cause}", path = path.display())]
    Save {
        /// The URL.
        url: String,
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The server was not asked: a [circuit breaker](super::middleware::breaker) is open.
    #[error("{url}: not asked: {cause}")]
    Refused {
        /// The URL.
        url: String,
        /// What the breaker said.
        cause: Refused,
    },
}

impl Error {
    /// The URL that was to be fetched.
    pub fn url(&self) -> &str {
        match self {
            Error::Url { url, .. }
            | Error::Closed { url }
            | Error::RequestBody { url, .. }
            | Error::Dns { url, .. }
            | Error::Connect { url, .. }
            | Error::Lost { url, .. }
            | Error::Protocol { url, .. }
            | Error::Timeout { url, .. }
            | Error::TooLarge { url, .. }
            | Error::Request { url, .. }
            | Error::Redirect { url, .. }
            | Error::Status { url, .. }
            | Error::ContentType { url, .. }
            | Error::Json { url, .. }
            | Error::Coding { url, .. }
            | Error::Save { url, .. }
            | Error::Refused { url, .. } => url,
        }
    }

    /// Where the fetch stood; `None` if it never began, or its response is there and says no.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Error::Url { .. } | Error::Closed { .. } | Error::Request { .. } | Error::Refused { .. } => None,
            Error::Redirect { .. } | Error::Status { .. } => None,
            Error::RequestBody { .. } => Some(Phase::Send),
            Error::ContentType { .. } | Error::Json { .. } | Error::Coding { .. } | Error::Save { .. } => {
                Some(Phase::Body)
            }
            Error::Dns { .. } => Some(Phase::Resolve),
            Error::Connect { .. } => Some(Phase::Connect),
            Error::Lost { phase, .. }
            | Error::Protocol { phase, .. }
            | Error::Timeout { phase, .. }
            | Error::TooLarge { phase, .. } => Some(*phase),
        }
    }

    /// Whether time was up: one of the four limits.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Timeout { .. })
    }

    /// Whether there was no connection: the host is not known, nobody answered, or not in time. No server has seen the request.
    pub fn is_connect(&self) -> bool {
        matches!(self.phase(), Some(Phase::Resolve | Phase::Connect))
    }

    /// Whether the response has more bytes than allowed.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Error::TooLarge { .. })
    }
}

impl From<Error> for io::Error {
    /// Of the kind of its cause; `TimedOut`, `InvalidData` or `FileTooLarge` if it has none. The error is inside.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Dns { cause, .. }
            | Error::Connect { cause, .. }
            | Error::Lost { cause, .. }
            | Error::RequestBody { cause, .. }
            | Error::Save { cause, .. } => cause.kind(),
            Error::Url { .. } | Error::Request { .. } => ErrorKind::InvalidInput,
            Error::Closed { .. } | Error::Refused { .. } => ErrorKind::NotConnected,
            Error::Protocol { .. } | Error::ContentType { .. } | Error::Json { .. } | Error::Coding { .. } => {
                ErrorKind::InvalidData
            }
            Error::Redirect { .. } | Error::Status { .. } => ErrorKind::Other,
            Error::Timeout { .. } => ErrorKind::TimedOut,
            Error::TooLarge { .. } => ErrorKind::FileTooLarge,
        };
        io::Error::new(kind, error)
    }
}
