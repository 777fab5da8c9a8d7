//! So many a second, first come first served.
//!
//! GCRA, the virtual scheduling form of the token bucket: all that is kept is one moment, at which everything that was let
//! through will have been paid for, at one interval each. Whoever comes before it owes what lies between, and may owe up to
//! `burst - 1` intervals. Source: ITU-T I.371, annex A.
//!
//! ```text
//!            ├── backlog ──────────────┤
//!   ─────────┼────────────────┼────────┼──────────> time
//!           now               │   `paid_until`      (rate 10 a second: each one moves it by 100 ms)
//!            ├─ wait ─────────┼─ (burst - 1) intervals ─┤
//! ```
//!
//! - Looking and taking is one step under one lock: two who look at the same time do not both go. (To look, wait, and take
//!   afterwards is the usual mistake: all who wait have looked at the same moment, and go together.)
//! - Those who wait stand in the line of a fair mutex, and only the first in it waits for time to pass. It takes its slot when
//!   it goes, not when it comes: so one who gives up leaves no hole, and those behind it move up.

use runtime::{
    sync::Mutex as FairMutex,
    time::{Instant, sleep},
};
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// Lets so many through a second, and at most `burst` at once.
///
/// In any time `t`, no more than `burst + rate × t` go through: not on average, but wherever one begins to count. So what a late
/// timer loses is lost with a burst of one, and made up for with a larger one: for hundreds a second, allow a burst of a few.
///
/// Fair: first come, first served. As with every fair line, whoever waits must be polled: one that is kept and not polled holds
/// up those behind it. Drop it, and they move up.
///
/// ```
/// use netio::policy::RateLimiter;
/// use runtime::{Runtime, future::join_all, time::Instant};
/// Runtime::builder().virtual_clock().build().unwrap().block_on(async {
///     let (limiter, start) = (RateLimiter::new(10.0).unwrap(), Instant::now());
///     let went = join_all((0..20).map(async |_| {
///         limiter.until_ready().await;
///         start.elapsed().as_millis()
///     }))
///     .await;
///     assert_eq!(went, (0..20).map(|number| 100 * number).collect::<Vec<_>>());
/// });
/// ```
#[derive(Debug)]
pub struct RateLimiter {
    interval: Duration,
    burst: u32,
    state: Mutex<State>,
    /// Who has it is first in line. Nothing is in it: it is the line.
    turn: FairMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// `None`: nobody has been let through.
    paid_until: Option<Instant>,
    /// How many wait. A slot is theirs before it is anybody else's.
    waiting: u32,
}

/// Why there is no such limiter.
///
/// ```
/// use netio::policy::{RateError, RateLimiter};
/// assert_eq!(RateLimiter::new(-1.0).unwrap_err(), RateError::Rate(-1.0));
/// assert_eq!(
///     RateLimiter::new(0.0).unwrap_err().to_string(),
///     "a rate limiter needs a rate from 1e-9 to 1e9 a second, and 0 is not"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RateError {
    /// The rate is zero, negative, infinite, no number, or out of all proportion.
    #[error("a rate limiter needs a rate from 1e-9 to 1e9 a second, and {0} is not")]
    Rate(f64),
    /// With a burst of zero nobody ever goes.
    #[error("a rate limiter needs a burst of at least one")]
    Burst,
}

impl RateLimiter {
    /// So many a second, one at a time, evenly spaced.
    ///
    /// # Errors
    /// [`RateError::Rate`].
    ///
    /// ```
    /// use netio::policy::RateLimiter;
    /// assert!(RateLimiter::new(10.0).is_ok());
    /// assert!([0.0, -1.0, f64::NAN, f64::INFINITY].iter().all(|rate| RateLimiter::new(*rate).is_err()));
    /// ```
    pub fn new(per_second: f64) -> Result<Self, RateError> {
        Self::with_burst(per_second, 1)
    }

    /// So many a second, and up to `burst` at once after a quiet time.
    ///
    /// # Errors
    /// [`RateError`].
    ///
    /// ```
    /// use netio::policy::RateLimiter;
    /// use std::time::Duration;
    /// let limiter = RateLimiter::with_burst(0.1, 2).unwrap();
    /// assert!(limiter.try_acquire().is_ok() && limiter.try_acquire().is_ok());
    /// assert!(limiter.try_acquire().unwrap_err() > Duration::from_secs(9));
    /// ```
    pub fn with_burst(per_second: f64, burst: u32) -> Result<Self, RateError> {
        // No number is in no range.
        if !(1e-9..=1e9).contains(&per_second) {
            return Err(RateError::Rate(per_second));
        }
        if burst == 0 {
            return Err(RateError::Burst);
        }
        // Rounded up: rather a nanosecond too late than one too many.
        let interval = Duration::from_nanos((1e9 / per_second).ceil() as u64);
        Ok(RateLimiter { interval, burst, state: Mutex::default(), turn: FairMutex::new(()) })
    }

    /// Waits until it may go.
    ///
    /// # Cancel safety
    /// Whoever stops waiting takes no slot: those behind move up, and go as if it had never come.
    ///
    /// ```
    /// use netio::policy::RateLimiter;
    /// use runtime::{Runtime, time::{Instant, timeout}};
    /// use std::time::Duration;
    /// Runtime::builder().virtual_clock().build().unwrap().block_on(async {
    ///     let (limiter, start) = (RateLimiter::new(1.0).unwrap(), Instant::now());
    ///     limiter.until_ready().await;
    ///     assert!(timeout(Duration::from_millis(500), limiter.until_ready()).await.is_err());
    ///     limiter.until_ready().await;
    ///     assert_eq!(start.elapsed(), Duration::from_secs(1)); // not two
    /// });
    /// ```
    pub async fn until_ready(&self) {
        let mut place = Place::new(self);
        let _first = self.turn.lock().await;
        while let Err(wait) = place.leave() {
            sleep(wait).await;
        }
    }

    /// Goes now, or not at all.
    ///
    /// # Errors
    /// How long to wait, if nobody comes in between: all who wait go first.
    ///
    /// ```
    /// use netio::policy::RateLimiter;
    /// use std::time::Duration;
    /// runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
    ///     let limiter = RateLimiter::new(10.0).unwrap();
    ///     assert_eq!(limiter.try_acquire(), Ok(()));
    ///     assert_eq!(limiter.try_acquire(), Err(Duration::from_millis(100)));
    /// });
    /// ```
    pub fn try_acquire(&self) -> Result<(), Duration> {
        let mut state = self.state();
        let those_before = state.waiting;
        self.take(&mut state, those_before)
    }

    /// How many wait.
    ///
    /// ```
    /// let limiter = netio::policy::RateLimiter::new(10.0).unwrap();
    /// assert_eq!(limiter.waiting(), 0);
    /// ```
    pub fn waiting(&self) -> usize {
        self.state().waiting as usize
    }

    /// The time from one to the next, when many come.
    ///
    /// ```
    /// let limiter = netio::policy::RateLimiter::new(3.0).unwrap();
    /// assert_eq!(limiter.interval().as_nanos(), 333_333_334); // rounded up
    /// ```
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// How many go at once after a quiet time.
    ///
    /// ```
    /// let limiter = netio::policy::RateLimiter::with_burst(3.0, 5).unwrap();
    /// assert_eq!(limiter.burst(), 5);
    /// ```
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// A slot, behind so many others who have not taken theirs; or how long it is until there is one.
    fn take(&self, state: &mut State, those_before: u32) -> Result<(), Duration> {
        let now = Instant::now();
        let paid_until = state.paid_until.map_or(now, |moment| moment.max(now));
        let backlog = (paid_until - now).saturating_add(self.interval.saturating_mul(those_before));
        let wait = backlog.saturating_sub(self.interval.saturating_mul(self.burst - 1));
        if wait.is_zero() {
            state.paid_until = Some(paid_until + self.interval);
            return Ok(());
        }
        Err(wait)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code that could panic runs under this lock")
    }
}

/// A place in line, from coming to going. Dropped, it is left without a slot.
struct Place<'limiter> {
    limiter: &'limiter RateLimiter,
    in_line: bool,
}

impl<'limiter> Place<'limiter> {
    fn new(limiter: &'limiter RateLimiter) -> Self {
        limiter.state().waiting += 1;
        Place { limiter, in_line: true }
    }

    /// The first in line goes, if it may: it takes its slot and leaves its place in one step.
    fn leave(&mut self) -> Result<(), Duration> {
        let mut state = self.limiter.state();
        self.limiter.take(&mut state, 0)?;
        state.waiting -= 1;
        self.in_line = false;
        Ok(())
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.in_line {
            self.limiter.state().waiting -= 1;
        }
    }
}
