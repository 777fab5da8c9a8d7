//! What the server refuses by itself, told to whoever wants to know.

use crate::http::StatusCode;
use std::{fmt, net::SocketAddr, sync::Arc};

/// A message that was no request, or not in time: it was answered by the server itself, passed no layer, and its connection is
/// closed. A handler that panicked outside a [`Router`](super::Router) is told too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Who sent it, if it came by TCP.
    pub peer: Option<SocketAddr>,
    /// What it was answered with.
    pub status: StatusCode,
    /// Why. The peer is told this too.
    pub reason: &'static str,
}

/// Displayed, it is a line of a log: `127.0.0.1:40312 - 400 no Host field`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{peer}")?,
            None => f.write_str("-")?,
        }
        write!(f, " - {} {}", self.status.as_str(), self.reason)
    }
}

/// Who is told.
#[derive(Clone)]
pub(super) struct OnRefusal(pub(super) Arc<dyn Fn(&Refusal) + Send + Sync>);

impl fmt::Debug for OnRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRefusal")
    }
}
