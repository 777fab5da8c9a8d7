//! What can go wrong with a fetch, and in which phase of it.

use std::{fmt, io, time::Duration};

/// Where a fetch stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
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
    /// Time was up.
    #[error("{url}: timed out after {limit:?} while {phase}")]
    Timeout {
        /// The URL.
        url: String,
        /// Where the fetch stood.
        phase: Phase,
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
}

impl Error {
    /// The URL that was to be fetched.
    pub fn url(&self) -> &str {
        match self {
            Error::Url { url, .. }
            | Error::Dns { url, .. }
            | Error::Connect { url, .. }
            | Error::Lost { url, .. }
            | Error::Protocol { url, .. }
            | Error::Timeout { url, .. }
            | Error::TooLarge { url, .. } => url,
        }
    }

    /// Where the fetch stood; `None` if it never began.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Error::Url { .. } => None,
            Error::Dns { .. } => Some(Phase::Resolve),
            Error::Connect { .. } => Some(Phase::Connect),
            Error::Lost { phase, .. }
            | Error::Protocol { phase, .. }
            | Error::Timeout { phase, .. }
            | Error::TooLarge { phase, .. } => Some(*phase),
        }
    }
}
