//! The clock, real or virtual. The only file that reads the system's.

use super::Time;
use std::{
    fmt,
    ops::{Add, AddAssign, Sub},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
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
    /// The end of time, 584 years after the start of the process: a deadline here never comes.
    pub(crate) const NEVER: Instant = Instant(u64::MAX);

    pub(super) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(super) fn as_nanos(self) -> u64 {
        self.0
    }

    /// Now.
    pub fn now() -> Self {
        Time::with_current(|time| time.clock.now()).unwrap_or_else(real_now)
    }

    /// The time since this moment; zero if it is still to come.
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
pub fn wall_clock() -> SystemTime {
    let elapsed = Time::with_current(|time| time.clock.is_virtual().then(|| time.since_start(time.clock.now())));
    match elapsed.flatten() {
        Some(elapsed) => SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + elapsed,
        None => SystemTime::now(),
    }
}

/// Nanoseconds since the process first asked.
fn real_now() -> Instant {
    static EPOCH: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    Instant(u64::try_from(EPOCH.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

/// What a runtime takes for time.
#[derive(Debug)]
pub(crate) enum Clock {
    Real,
    /// Stands still until it is advanced. Starts at zero.
    Virtual(AtomicU64),
}

impl Clock {
    pub(crate) fn now(&self) -> Instant {
        match self {
            Clock::Real => real_now(),
            Clock::Virtual(nanos) => Instant(nanos.load(Ordering::Acquire)),
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self, Clock::Virtual(_))
    }

    /// Jumps to `deadline`. Only the worker does this, when nothing can run.
    pub(crate) fn advance_to(&self, deadline: Instant) {
        if let Clock::Virtual(nanos) = self {
            nanos.fetch_max(deadline.0, Ordering::AcqRel);
        }
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
