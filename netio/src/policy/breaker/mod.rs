//! When the other side is down, it does not help to ask: it makes everybody wait, and keeps the other side down.
//!
//! ```text
//!              too many failures                  the cool-down is over, and somebody asks
//!   CLOSED ────────────────────────> OPEN ────────────────────────────────> HALF-OPEN
//!   all may go  ^                  nobody goes  ^                            one goes: the probe
//!               │                               └──────── it fails ─────────────┤
//!               └──────────────────────────────────────── it succeeds ──────────┘
//! ```
//!
//! - A call that is refused costs one short lock, whoever else is on the way. Its future is not polled.
//! - There is one probe at a time, and its place is free again when its permit is dropped without an outcome.
//! - An outcome counts only if the breaker has not changed since the call began: a call from before the breaker opened says
//!   nothing of how things are after the cool-down.

mod permit;
mod window;

pub use permit::{BreakerError, BreakerPermit, Refused};
pub use window::Window;

use runtime::time::Instant;
use std::{
    future::Future,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use window::{Counts, Outcomes};

/// Lets nobody through while too much fails.
///
/// | | unless told otherwise |
/// |---|---|
/// | what it looks at | the last 20 outcomes |
/// | how many there must be, before it judges | 10 |
/// | how many of them may fail | less than a half |
/// | how long nobody goes then | 30 s |
///
/// ```
/// use netio::policy::{BreakerError, CircuitBreaker, BreakerState};
/// use runtime::{Runtime, time::sleep};
/// use std::time::Duration;
/// Runtime::builder().virtual_clock().build().unwrap().block_on(async {
///     let breaker = CircuitBreaker::new().minimum(3).cool_down(Duration::from_secs(5));
///     for _ in 0..3 {
///         assert_eq!(breaker.call(async { Err::<(), _>("down") }).await, Err(BreakerError::Failed("down")));
///     }
///     assert_eq!(breaker.state(), BreakerState::Open);
///     let refused = breaker.call(async { panic!("this is not polled") as Result<(), &str> }).await;
///     assert_eq!(refused.unwrap_err().to_string(), "the circuit breaker is open: try again in 5s");
///
///     sleep(Duration::from_secs(5)).await;
///     assert_eq!(breaker.call(async { Ok::<_, &str>("up again") }).await, Ok("up again"));
///     assert_eq!(breaker.state(), BreakerState::Closed);
/// });
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    minimum: u64,
    ratio: f64,
    cool_down: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Counts the changes of phase: a permit is of one of them.
    era: u64,
    outcomes: Outcomes,
    stats: BreakerStats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { probing: bool },
}

/// Who may go.
///
/// ```
/// use netio::policy::{CircuitBreaker, BreakerState};
/// assert_eq!(CircuitBreaker::new().state(), BreakerState::Closed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// All.
    Closed,
    /// Nobody.
    Open,
    /// One, to see how things are. (The cool-down is over; nobody need have gone yet.)
    HalfOpen,
}

/// What a breaker has seen since it was made.
///
/// ```
/// let stats = netio::policy::CircuitBreaker::new().stats();
/// assert_eq!((stats.successes, stats.failures, stats.refused, stats.opened), (0, 0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// Calls that succeeded.
    pub successes: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that were dropped, or panicked, and so are neither.
    pub abandoned: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// How often it opened; also when a probe failed.
    pub opened: u64,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl CircuitBreaker {
    /// A closed one, with the settings in the table above.
    pub fn new() -> Self {
        CircuitBreaker {
            minimum: 10,
            ratio: 0.5,
            cool_down: Duration::from_secs(30),
            inner: Mutex::new(Inner {
                phase: Phase::Closed,
                era: 0,
                outcomes: Outcomes::new(Window::Count(20)),
                stats: BreakerStats::default(),
            }),
        }
    }

    /// Which outcomes it looks at. What it has seen before is forgotten.
    pub fn window(self, window: Window) -> Self {
        self.inner().outcomes = Outcomes::new(window);
        self
    }

    /// With fewer outcomes than this in its window, it stays closed, whatever they are. (More than a window of a count holds
    /// are never there.)
    pub fn minimum(mut self, calls: u64) -> Self {
        self.minimum = calls;
        self
    }

    /// It opens when this part of the outcomes, or more, are failures. With zero, the first outcome after the
    /// [minimum](Self::minimum) opens it.
    ///
    /// # Panics
    /// When it is not between 0 and 1.
    pub fn failure_ratio(mut self, ratio: f64) -> Self {
        assert!((0.0..=1.0).contains(&ratio), "a part of all is from 0 to 1, and {ratio} is not");
        self.ratio = ratio;
        self
    }

    /// How long nobody goes, before one may try.
    pub fn cool_down(mut self, time: Duration) -> Self {
        self.cool_down = time;
        self
    }

    /// Runs a future, if the breaker lets it. An `Err` is a failure.
    ///
    /// # Errors
    /// [`BreakerError::Refused`]: the future was dropped without a poll. [`BreakerError::Failed`]: its own error.
    ///
    /// # Cancel safety
    /// Dropped, it drops the future, which counts as neither success nor failure; a probe leaves its place to the next.
    /// (One that never ends keeps it: give it a [`timeout`](runtime::time::timeout).)
    pub async fn call<T, E>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T, BreakerError<E>> {
        self.call_if(future, Result::is_err).await
    }

    /// [`call`](Self::call), where `is_failure` tells what is a failure of the other side: an answer that says "I am overloaded"
    /// may be, and an error that is the caller's own mistake is none.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    /// As [`call`](Self::call).
    ///
    /// ```
    /// use netio::policy::{CircuitBreaker, BreakerState};
    /// let breaker = CircuitBreaker::new().minimum(1);
    /// runtime::block_on(async {
    ///     let ask = |status: u16| breaker.call_if(async move { Ok::<_, &str>(status) }, |answer| *answer >= Ok(500));
    ///     assert_eq!(ask(404).await, Ok(404));
    ///     assert_eq!(breaker.state(), BreakerState::Closed);
    ///     assert_eq!(ask(503).await, Ok(503));
    ///     assert_eq!(breaker.state(), BreakerState::Open);
    /// });
    /// ```
    pub async fn call_if<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
        is_failure: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, BreakerError<E>> {
        let permit = self.permit()?;
        let outcome = future.await;
        permit.tell(is_failure(&outcome));
        outcome.map_err(BreakerError::Failed)
    }

    /// For what is no future, or not one: leave to go, if the breaker gives it.
    ///
    /// # Errors
    /// [`Refused`].
    ///
    /// ```
    /// use netio::policy::CircuitBreaker;
    /// let breaker = CircuitBreaker::new();
    /// if let Ok(permit) = breaker.permit() {
    ///     // … ask …
    ///     permit.success();
    /// }
    /// assert_eq!(breaker.stats().successes, 1);
    /// ```
    pub fn permit(&self) -> Result<BreakerPermit<'_>, Refused> {
        let mut inner = self.inner();
        let refused = match inner.phase {
            Phase::Closed | Phase::HalfOpen { probing: false } => None,
            Phase::HalfOpen { probing: true } => Some(Refused { retry_in: None }),
            Phase::Open { until } => match until - Instant::now() {
                Duration::ZERO => None,
                left => Some(Refused { retry_in: Some(left) }),
            },
        };
        if let Some(refused) = refused {
            inner.stats.refused += 1;
            return Err(refused);
        }
        if inner.phase != Phase::Closed {
            inner.change(Phase::HalfOpen { probing: true });
        }
        Ok(BreakerPermit::new(self, inner.era))
    }

    /// Who may go now.
    pub fn state(&self) -> BreakerState {
        let phase = self.inner().phase;
        match phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until } if Instant::now() < until => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// What it has seen.
    pub fn stats(&self) -> BreakerStats {
        self.inner().stats
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no code that could panic runs under this lock")
    }

    /// How a call of this era went.
    fn told(&self, era: u64, failed: bool) {
        let mut inner = self.inner();
        *(if failed { &mut inner.stats.failures } else { &mut inner.stats.successes }) += 1;
        if era != inner.era {
            return;
        }
        match (inner.phase, failed) {
            (Phase::Closed, _) => {
                inner.outcomes.record(failed);
                let Counts { calls, failures } = inner.outcomes.counts();
                if calls >= self.minimum && failures as f64 >= self.ratio * calls as f64 {
                    inner.open(self.cool_down);
                }
            }
            (_, true) => inner.open(self.cool_down),
            (_, false) => inner.change(Phase::Closed),
        }
    }

    /// A call of this era will not be told of.
    fn abandoned(&self, era: u64) {
        let mut inner = self.inner();
        inner.stats.abandoned += 1;
        if era == inner.era && inner.phase != Phase::Closed {
            inner.change(Phase::HalfOpen { probing: false });
        }
    }
}

impl Inner {
    fn open(&mut self, cool_down: Duration) {
        self.stats.opened += 1;
        self.change(Phase::Open { until: Instant::now() + cool_down });
    }

    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.era += 1;
        self.outcomes.clear();
    }
}
