//! The clock, real or virtual. The only file that reads the system's.

use super::{Time, virtual_clock::VirtualClock};
use rustix::time::{ClockId, clock_gettime};
use std::{
    fmt,
    ops::{Add, AddAssign, Sub},
    time::{Duration, SystemTime},
};

/// A moment on the clock of the current runtime, to the nanosecond.
///
/// Like [`std::time::Instant`], but under a virtual clock it shows virtual time. Outside a runtime it shows real time.
/// Moments of different clocks have nothing to do with each other.
///
/// ```
/// use runtime::time::{Instant, sleep};
/// use std::time::Duration;
///
/// // A virtual clock: the hour passes at once.
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// let waited = runtime.block_on(async {
///     let start = Instant::now();
///     sleep(Duration::from_secs(3600)).await;
///     start.elapsed()
/// });
/// assert_eq!(waited, Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The end of time, 584 years after the clock's zero (the machine's start): a deadline here never comes.
    pub(crate) const NEVER: Instant = Instant(u64::MAX);

    /// The clock's zero: before everything.
    pub(super) const BEGINNING: Instant = Instant(0);

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(super) fn as_nanos(self) -> u64 {
        self.0
    }

    /// Now.
    ///
    /// ```
    /// use runtime::time::Instant;
    /// let before = Instant::now();
    /// assert!(Instant::now() >= before);
    /// ```
    #[inline]
    pub fn now() -> Self {
        Time::with_current(|time| time.clock.now()).unwrap_or_else(real_now)
    }

    /// The time since this moment; zero if it is still to come.
    ///
    /// ```
    /// use runtime::time::Instant;
    /// use std::time::Duration;
    /// assert_eq!((Instant::now() + Duration::from_secs(5)).elapsed(), Duration::ZERO);
    /// ```
    pub fn elapsed(self) -> Duration {
        Self::now() - self
    }
}

/// Saturates: what is too far away never comes.
impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(u64::try_from(duration.as_nanos()).map_or(u64::MAX, |nanos| self.0.saturating_add(nanos)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// The time from the right moment to the left one; zero if the right one is later.
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({:?})", Duration::from_nanos(self.0))
    }
}

/// The time of day, for timestamps that people read. Never for measuring: it can jump.
///
/// Under a virtual clock it starts at 2001-09-09 01:46:40 UTC (the billionth second) and moves with that clock.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// let start = runtime.block_on(async { runtime::time::wall_clock() });
/// assert_eq!(start, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
/// ```
pub fn wall_clock() -> SystemTime {
    let elapsed = Time::with_current(|time| time.clock.as_virtual().map(|_| time.since_start(time.clock.now())));
    match elapsed.flatten() {
        Some(elapsed) => SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + elapsed,
        None => SystemTime::now(),
    }
}

/// The system's clock that never jumps and never goes back, in nanoseconds since the machine started.
pub(crate) fn real_now() -> Instant {
    let now = clock_gettime(ClockId::Monotonic);
    Instant(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
}

/// What a runtime takes for time. All its workers share one.
#[derive(Debug)]
pub(crate) struct Clock {
    source: Source,
    /// When the runtime was made.
    start: Instant,
}

#[derive(Debug)]
enum Source {
    Real,
    Virtual(VirtualClock),
}

impl Clock {
    /// The system's.
    pub(crate) fn real() -> Self {
        Self { source: Source::Real, start: real_now() }
    }

    /// One of its own. It starts at zero, and stands still until it is moved.
    pub(crate) fn of_its_own() -> Self {
        Self { source: Source::Virtual(VirtualClock::default()), start: Instant::BEGINNING }
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match &self.source {
            Source::Real => real_now(),
            Source::Virtual(clock) => clock.now(),
        }
    }

    pub(crate) fn as_virtual(&self) -> Option<&VirtualClock> {
        match &self.source {
            Source::Real => None,
            Source::Virtual(clock) => Some(clock),
        }
    }

    /// How long the runtime has existed, as the trace counts.
    pub(crate) fn since_start(&self, instant: Instant) -> Duration {
        instant - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let now = Instant(10);
        assert_eq!(now + Duration::MAX, Instant::NEVER);
        assert_eq!(now + Duration::from_nanos(5), Instant(15));
        assert_eq!(now - Instant(15), Duration::ZERO);
    }
}
