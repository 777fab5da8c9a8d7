//! Time: a clock that can be real or virtual, the timers of a worker, and the futures that wait for them.
//!
//! - A timer never fires before its deadline; it fires late only by the time that the worker was busy, and by the poller's
//!   rounding (up to a millisecond).
//! - Arm and cancel are O(1), from any thread.
//! - Under a virtual clock, time stands still while anything can run, and jumps to the next deadline when nothing can.
//! - No waker is called, cloned or dropped while the timers are locked.

mod clock;
mod interval;
mod sleep;
mod timers;

pub use clock::{Instant, wall_clock};
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use sleep::{Elapsed, Sleep, Timeout, sleep, sleep_until, timeout, timeout_at};

pub(crate) use clock::Clock;

use crate::current::{self, Slot};
use std::{cell::RefCell, sync::Arc, task::Waker, time::Duration};
pub(crate) use timers::Due;
use timers::Timers;

/// What a runtime knows of time. Shared by its worker and by whoever holds one of its timers.
#[derive(Debug)]
pub(crate) struct Time {
    pub(crate) clock: Arc<Clock>,
    pub(crate) timers: Timers,
    start: Instant,
    /// Interrupts the worker's sleep: for a timer armed from another thread.
    nudge: Waker,
}

/// The time of a thread, and whether the thread is its worker: only that one is awake whenever it arms a timer.
#[derive(Clone, Debug)]
struct Here {
    time: Arc<Time>,
    worker: bool,
}

thread_local! {
    static CURRENT: Slot<Here> = const { RefCell::new(None) };
}

impl Time {
    pub(crate) fn new(clock: Arc<Clock>, start: Instant, nudge: Waker) -> Self {
        Self { clock, timers: Timers::default(), start, nudge }
    }

    /// Makes this the time of the current thread: of the worker, or of a thread that works for it.
    pub(crate) fn enter(self: &Arc<Self>, worker: bool) -> impl Drop + use<> {
        current::enter(&CURRENT, Here { time: self.clone(), worker })
    }

    fn current() -> Option<Arc<Time>> {
        current::with(&CURRENT, |here| here.time.clone())
    }

    fn with_current<R>(look: impl FnOnce(&Time) -> R) -> Option<R> {
        current::with(&CURRENT, |here| look(&here.time))
    }

    /// Is this thread its worker?
    fn is_on_worker(&self) -> bool {
        current::with(&CURRENT, |here| here.worker && std::ptr::eq(Arc::as_ptr(&here.time), self)).unwrap_or(false)
    }

    /// Does this thread belong to another runtime?
    fn is_elsewhere(&self) -> bool {
        Self::with_current(|time| !std::ptr::eq(time, self)).unwrap_or(false)
    }

    /// How long the runtime has existed, as the trace counts.
    pub(crate) fn since_start(&self, instant: Instant) -> Duration {
        instant - self.start
    }
}
