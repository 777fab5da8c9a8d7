//! Time: a clock that can be real or virtual, the timers of a worker, and the futures that wait for them.
//!
//! | to | use |
//! |---|---|
//! | wait for a while, or until a moment | [`sleep`], [`sleep_until`] |
//! | wait for a future, but not for ever | [`timeout`], [`timeout_at`] |
//! | give several operations one limit, and move it while they run | [`Deadline`] |
//! | do something every so often | [`interval`], [`interval_at`] |
//! | measure | [`Instant`] |
//! | take the time in one's own hands, in a test | [`virtual_clock`] |
//!
//! - A timer never fires before its deadline; it fires late only by the time that the worker was busy, and by the poller's
//!   rounding (up to a millisecond).
//! - Arm, move and cancel are O(1), from any thread.
//! - A timer belongs to the worker on whose thread it was armed, and stays there, wherever its future goes.
//! - Under a virtual clock, time stands still while anything can run, and jumps to the next deadline when nothing can.
//! - No waker is called, cloned or dropped while the timers are locked.
//!
//! ```
//! use runtime::time::{Instant, interval, timeout};
//! use std::time::Duration;
//! let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
//! runtime.block_on(async {
//!     let (start, second) = (Instant::now(), Duration::from_secs(1));
//!     let mut ticks = interval(10 * second);
//!     ticks.tick().await; // the first one comes at once
//!     assert!(timeout(4 * second, ticks.tick()).await.is_err());
//!     assert_eq!(start.elapsed(), 4 * second);
//!     ticks.tick().await; // nothing was lost
//!     assert_eq!(start.elapsed(), 10 * second);
//! });
//! ```

mod clock;
mod deadline;
mod interval;
mod sleep;
mod timeout;
mod timers;
pub mod virtual_clock;
mod wheel;

#[cfg(all(test, runtime_loom))]
mod loom_models;

pub use clock::{Instant, wall_clock};
pub use deadline::{Deadline, Limit, Wait};
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};

pub(crate) use clock::{Clock, real_now};
pub(crate) use virtual_clock::VirtualClock;
pub(crate) use wheel::Due;

use crate::current::{self, Slot};
use std::{cell::RefCell, sync::Arc, task::Waker, time::Duration};
use timers::{Armed, Timers};
use wheel::Key;

/// What a worker knows of time: its runtime's clock and its own timers. Shared with whoever holds one of them.
#[derive(Debug)]
pub(crate) struct Time {
    pub(crate) clock: Arc<Clock>,
    pub(crate) timers: Timers,
    /// Interrupts the worker's sleep: for a timer armed from another thread.
    nudge: Waker,
}

/// The time of a thread, and whether the thread is its worker: only that one is awake whenever it arms a timer.
#[derive(Clone, Debug)]
struct Here {
    time: Arc<Time>,
    worker: bool,
}

/// Why a timer was not armed.
enum NotArmed {
    /// Its deadline has passed.
    Passed,
    /// This thread belongs to no runtime, or to one that has ended.
    Nowhere,
    /// This thread is no worker, and the clock is a virtual one, which waits for this thread.
    StandsStill,
}

thread_local! {
    static CURRENT: Slot<Here> = const { RefCell::new(None) };
}

impl Time {
    /// For a worker that `nudge` gets up. All workers of a runtime have the same clock.
    pub(crate) fn new(clock: Arc<Clock>, nudge: Waker) -> Self {
        Self { clock, timers: Timers::new(), nudge }
    }

    /// Makes this the time of the current thread: of the worker, or of a thread that works for it.
    pub(crate) fn enter(self: &Arc<Self>, worker: bool) -> impl Drop + use<> {
        current::enter(&CURRENT, Here { time: self.clone(), worker })
    }

    /// The worker is gone. What is still armed here will not fire: gives out the wakers, so that whoever waits looks again
    /// (and arms a timer where it is polled then, or panics if that is nowhere). Nothing is armed here any more.
    pub(crate) fn close(&self) -> Vec<Waker> {
        self.timers.close()
    }

    #[inline]
    fn with_current<R>(look: impl FnOnce(&Time) -> R) -> Option<R> {
        current::with(&CURRENT, |here| look(&here.time))
    }

    /// Arms a timer of this thread. A waker that is not armed is dropped when nothing is borrowed or locked.
    fn arm(deadline: Instant, waker: Waker) -> Result<(Arc<Time>, Key), NotArmed> {
        let mut waker = Some(waker);
        let armed = current::with(&CURRENT, |here| {
            if !here.worker && here.time.clock.as_virtual().is_some() {
                return Err(NotArmed::StandsStill);
            }
            match here.time.timers.arm(deadline, &mut waker) {
                Armed::Yes { key, nudge } => {
                    // The worker may be asleep until a later deadline. On its own thread it is awake.
                    if nudge && !here.worker {
                        here.time.nudge.wake_by_ref();
                    }
                    Ok((here.time.clone(), key))
                }
                Armed::Passed => Err(NotArmed::Passed),
                Armed::Closed => Err(NotArmed::Nowhere),
            }
        });
        armed.unwrap_or(Err(NotArmed::Nowhere))
    }

    /// Moves an armed timer, from any thread.
    fn reschedule(&self, key: Key, deadline: Instant) -> Option<Key> {
        let (key, nudge) = self.timers.reschedule(key, deadline)?;
        if nudge && !self.is_on_worker() {
            self.nudge.wake_by_ref();
        }
        Some(key)
    }

    /// Is this thread its worker?
    fn is_on_worker(&self) -> bool {
        current::with(&CURRENT, |here| here.worker && std::ptr::eq(&*here.time, self)).unwrap_or(false)
    }

    /// Does this thread belong to another runtime?
    fn is_elsewhere(&self) -> bool {
        Self::with_current(|time| !Arc::ptr_eq(&time.clock, &self.clock)).unwrap_or(false)
    }

    /// How long the runtime has existed, as the trace counts.
    pub(crate) fn since_start(&self, instant: Instant) -> Duration {
        self.clock.since_start(instant)
    }
}
