//! Something that comes round again and again.

use super::{Instant, Sleep, sleep_until};
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// What an [`Interval`] does after ticks that nobody took in time.
///
/// With a period of 10 and a pause until 35, the ticks of 10, 20 and 30 come late:
///
/// | policy | then come at |
/// |---|---|
/// | `Burst` | 35, 35, 35, 40, 50 |
/// | `Delay` | 35, 45, 55, 65 |
/// | `Skip` | 35, 40, 50, 60 |
///
/// ```
/// use runtime::time::{Instant, MissedTicks, interval, sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// let taken = |policy| runtime.block_on(async {
///     let (start, mut ticks) = (Instant::now(), interval(Duration::from_secs(10)).missed_ticks(policy));
///     ticks.tick().await;
///     sleep(Duration::from_secs(35)).await;
///     let mut seconds = Vec::new();
///     for _ in 0..4 {
///         ticks.tick().await;
///         seconds.push(start.elapsed().as_secs());
///     }
///     seconds
/// });
/// assert_eq!(taken(MissedTicks::Burst), [35, 35, 35, 40]);
/// assert_eq!(taken(MissedTicks::Delay), [35, 45, 55, 65]);
/// assert_eq!(taken(MissedTicks::Skip), [35, 40, 50, 60]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTicks {
    /// All of them at once; then on time again. Their number is right in the end.
    #[default]
    Burst,
    /// One; and the next a whole period after it. Two ticks are never closer than the period.
    Delay,
    /// One; and the next at the next whole period since the start. They stay in step with the clock.
    Skip,
}

/// Ticks now, and then every `period`.
///
/// # Panics
/// When `period` is zero.
///
/// ```
/// use runtime::time::{Instant, interval};
/// use std::time::Duration;
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let (start, mut ticks) = (Instant::now(), interval(Duration::from_secs(10)));
///     for second in [0, 10, 20] {
///         ticks.tick().await;
///         assert_eq!(start.elapsed().as_secs(), second);
///     }
/// });
/// ```
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start`, and then every `period`. A start that has passed ticks at once, and counts what was missed since.
///
/// # Panics
/// When `period` is zero.
///
/// ```
/// use runtime::time::{Instant, interval_at};
/// use std::time::Duration;
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let (start, minute) = (Instant::now(), Duration::from_secs(60));
///     let mut ticks = interval_at(start + minute, minute);
///     ticks.tick().await;
///     assert_eq!(start.elapsed(), minute);
/// });
/// ```
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval needs a period longer than zero");
    Interval { sleep: sleep_until(start), period, missed: MissedTicks::default() }
}

/// Comes round every so often. From [`interval`].
///
/// ```
/// use runtime::time::{Instant, interval};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let (start, mut heartbeat) = (Instant::now(), interval(Duration::from_secs(30)));
///     for _ in 0..4 {
///         heartbeat.tick().await;
///     }
///     assert_eq!(start.elapsed().as_secs(), 90);
/// });
/// ```
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
    missed: MissedTicks,
}

impl Interval {
    /// Chooses what happens to ticks that nobody took in time; [`MissedTicks::Burst`] if nobody chooses.
    ///
    /// ```
    /// use runtime::time::{Instant, MissedTicks, interval, sleep};
    /// use std::time::Duration;
    ///
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let (start, second) = (Instant::now(), Duration::from_secs(1));
    ///     let mut ticks = interval(10 * second).missed_ticks(MissedTicks::Skip);
    ///     ticks.tick().await;
    ///     sleep(35 * second).await;
    ///     ticks.tick().await; // that of second 10; those of 20 and 30 are skipped
    ///     ticks.tick().await;
    ///     assert_eq!(start.elapsed(), 40 * second);
    /// });
    /// ```
    pub fn missed_ticks(mut self, policy: MissedTicks) -> Self {
        self.missed = policy;
        self
    }

    /// Waits for the next tick, and says for when it was due.
    ///
    /// # Panics
    /// When it would have to wait outside a runtime, or in one that has ended.
    ///
    /// # Cancel safety
    /// A tick that was not given out is kept.
    ///
    /// ```
    /// use runtime::time::{Instant, interval};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let start = Instant::now();
    ///     let due = interval(Duration::from_secs(1)).tick().await;
    ///     assert!(due >= start); // the first one comes at once
    /// });
    /// ```
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|context| self.poll_tick(context)).await
    }

    /// [`tick`](Interval::tick), for those who write `poll` functions.
    ///
    /// # Panics
    /// As [`tick`](Interval::tick).
    ///
    /// ```
    /// use std::{future::poll_fn, time::Duration};
    /// runtime::block_on(async {
    ///     let mut ticks = runtime::time::interval(Duration::from_millis(1));
    ///     poll_fn(|context| ticks.poll_tick(context)).await;
    /// });
    /// ```
    pub fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(context));
        let (due, now) = (self.sleep.deadline(), Instant::now());
        self.sleep = Sleep::made_at(now, self.after(due, now));
        Poll::Ready(due)
    }

    /// The tick after the one that was due at `due` and is taken at `now`.
    fn after(&self, due: Instant, now: Instant) -> Instant {
        let next = due + self.period;
        match self.missed {
            MissedTicks::Burst => next,
            _ if next > now => next,
            MissedTicks::Delay => now + self.period,
            MissedTicks::Skip => {
                let periods = (now - due).as_nanos() / self.period.as_nanos() + 1;
                let nanos = periods.saturating_mul(self.period.as_nanos());
                due + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
        }
    }
}
