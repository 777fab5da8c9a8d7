//! What one is told who asks a breaker: that it may go, or why it may not.

use super::CircuitBreaker;
use std::{fmt, time::Duration};

/// A call that was not made: the breaker is open, or its one probe is on the way.
///
/// ```
/// use netio::policy::{CircuitBreaker, Refused};
/// let breaker = CircuitBreaker::new().minimum(1);
/// breaker.permit().unwrap().failure();
/// let Refused { retry_in } = breaker.permit().unwrap_err();
/// assert!(retry_in.unwrap().as_secs() >= 29);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When the cool-down is over. `None`: it is, and a probe is on the way.
    pub retry_in: Option<Duration>,
}

/// Why [`CircuitBreaker::call`] has no value.
///
/// ```
/// use netio::policy::{BreakerError, Refused};
/// let error: BreakerError<String> = Refused { retry_in: None }.into();
/// assert!(error.is_refused());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakerError<E> {
    /// The call was not made.
    Refused(Refused),
    /// The call was made, and failed.
    Failed(E),
}

/// The breaker's word that one may go, and a promise to tell how it went. Dropped without a word, it counts as neither success
/// nor failure; a probe leaves its place to the next.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once tells the breaker nothing"]
pub struct BreakerPermit<'breaker> {
    breaker: &'breaker CircuitBreaker,
    era: u64,
    told: bool,
}

impl<'breaker> BreakerPermit<'breaker> {
    pub(super) fn new(breaker: &'breaker CircuitBreaker, era: u64) -> Self {
        BreakerPermit { breaker, era, told: false }
    }

    /// It went well.
    pub fn success(self) {
        self.tell(false);
    }

    /// It failed.
    pub fn failure(self) {
        self.tell(true);
    }

    pub(super) fn tell(mut self, failed: bool) {
        self.told = true;
        self.breaker.told(self.era, failed);
    }
}

impl Drop for BreakerPermit<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.abandoned(self.era);
        }
    }
}

impl<E> BreakerError<E> {
    /// Was the call not even made?
    pub fn is_refused(&self) -> bool {
        matches!(self, BreakerError::Refused(_))
    }
}

impl<E> From<Refused> for BreakerError<E> {
    fn from(refused: Refused) -> Self {
        BreakerError::Refused(refused)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_in {
            Some(left) => write!(f, "the circuit breaker is open: try again in {left:?}"),
            None => f.write_str("the circuit breaker is half-open: another call is the probe"),
        }
    }
}

impl std::error::Error for Refused {}

impl<E: fmt::Display> fmt::Display for BreakerError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BreakerError::Refused(refused) => refused.fmt(f),
            BreakerError::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error> std::error::Error for BreakerError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BreakerError::Refused(_) => None,
            BreakerError::Failed(error) => error.source(),
        }
    }
}
