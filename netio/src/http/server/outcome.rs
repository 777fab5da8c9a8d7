//! How serving ended.

use super::hooks::HookError;
use std::{error::Error, fmt, io, time::Duration};

/// How a server stopped that was asked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// From the request to stop until everything was done.
    pub took: Duration,
    /// Connections whose requests were not done within [`Limits::shutdown_grace`](super::Limits::shutdown_grace): what ran in
    /// them was dropped.
    pub cancelled: usize,
    /// Tasks in the background that had not ended by themselves: they were dropped.
    pub background: usize,
}

/// Why a server did not start, did not go on, or was not cleaned up after well.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ServeError {
    /// Why it ended, if it was not asked to.
    pub failure: Option<Failure>,
    /// The hooks that failed when it stopped, and in its cleanup. All others were done all the same.
    pub hooks: Vec<HookError>,
}

/// Why a server ended without being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It did not start.
    #[error(transparent)]
    Startup(HookError),
    /// A listener is broken. No peer can do that.
    #[error("cannot accept connections: {0}")]
    Listener(#[source] io::Error),
    /// There is no listener.
    #[error("the server listens nowhere")]
    NoListener,
    /// Signals cannot be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
    /// It was told to stop, and then to stop at once.
    #[error("the server was interrupted while it stopped")]
    Interrupted,
}

impl ServeError {
    pub(super) fn new(failure: Failure) -> ServeError {
        ServeError { failure: Some(failure), hooks: Vec::new() }
    }

    /// All that went wrong, if anything did.
    pub(super) fn or(self, report: Report) -> Result<Report, ServeError> {
        if self.failure.is_none() && self.hooks.is_empty() { Ok(report) } else { Err(self) }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = self.failure.iter().map(|failure| failure as &dyn fmt::Display);
        let mut before = "";
        failure.chain(self.hooks.iter().map(|hook| hook as &dyn fmt::Display)).try_for_each(|what| {
            write!(f, "{before}{what}")?;
            before = "; ";
            Ok(())
        })
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match (&self.failure, &self.hooks[..]) {
            (Some(failure), _) => failure.source(),
            (None, [first, ..]) => first.source(),
            (None, []) => None,
        }
    }
}

impl From<ServeError> for io::Error {
    fn from(error: ServeError) -> Self {
        let kind = match &error.failure {
            Some(Failure::Listener(error) | Failure::Signals(error)) => error.kind(),
            Some(Failure::Interrupted) => io::ErrorKind::Interrupted,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
