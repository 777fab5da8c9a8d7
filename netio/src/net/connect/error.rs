//! Why there is no connection.

use crate::net::{Address, LookupError};
use std::{
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
    ops::Deref,
    time::Duration,
};

/// Why there is no connection. The text names what was to be connected to, and each address that failed with its reason.
///
/// ```
/// use netio::net::{ConnectError, Connector, TcpListener};
///
/// runtime::block_on(async {
///     let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
///     let error = Connector::new().connect(nobody).await.unwrap_err();
///     assert!(matches!(&error, ConnectError::Failed { failures, .. } if failures[0].0 == nobody));
///     assert!(error.to_string().starts_with(&format!("cannot connect to {nobody}: Connection refused")));
///     assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::ConnectionRefused);
/// });
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name could not be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// No address could be connected to.
    #[error("cannot connect to {target}: {}", failures.of(target))]
    Failed {
        /// What was to be connected to.
        target: Address,
        /// Each address, and why not, in the order in which they failed.
        failures: Failures,
    },
    /// The time was over.
    #[error("cannot connect to {target} within {limit:?}{}", failures.so_far())]
    Timeout {
        /// What was to be connected to.
        target: Address,
        /// How long was tried.
        limit: Duration,
        /// The addresses that had failed by then. The others had not answered.
        failures: Failures,
    },
}

impl From<ConnectError> for io::Error {
    /// Of the kind of the last failure; `TimedOut` if the time was over.
    fn from(error: ConnectError) -> Self {
        let kind = match &error {
            ConnectError::Lookup(error) => error.kind(),
            ConnectError::Failed { failures, .. } => failures.kind(),
            ConnectError::Timeout { .. } => ErrorKind::TimedOut,
        };
        io::Error::new(kind, error)
    }
}

/// Addresses that could not be connected to, and why: a slice of pairs that can be printed.
#[derive(Debug, Default)]
pub struct Failures(Vec<(SocketAddr, io::Error)>);

impl Failures {
    pub(super) fn push(&mut self, failure: (SocketAddr, io::Error)) {
        self.0.push(failure);
    }

    /// The reasons. Who asked for an address and not for a name need not be told which one it was.
    fn of(&self, target: &Address) -> String {
        match &self[..] {
            [(address, why)] if *target == Address::from(address) => why.to_string(),
            _ => self.to_string(),
        }
    }

    /// That of the last one.
    fn kind(&self) -> ErrorKind {
        self.last().map_or(ErrorKind::NotFound, |(_, why)| why.kind())
    }

    fn so_far(&self) -> String {
        if self.is_empty() { String::new() } else { format!(" ({self})") }
    }
}

impl Deref for Failures {
    type Target = [(SocketAddr, io::Error)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::error::Error for Failures {}

impl From<Failures> for io::Error {
    /// The only one as it is; several as one, of the kind of the last.
    fn from(mut failures: Failures) -> Self {
        match failures.len() {
            1 => failures.0.remove(0).1,
            _ => io::Error::new(failures.kind(), failures),
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("there is no address");
        }
        for (n, (address, why)) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{address}: {why}")?;
        }
        Ok(())
    }
}
