//! Time in one's own hands, for tests: stop the clock, move it, let it run.
//!
//! A runtime built with [`Builder::virtual_clock`](crate::Builder::virtual_clock) has a clock of its own. It stands still
//! while anything can run, and **jumps** to the next deadline when nothing can: so a test that only awaits needs nothing from
//! here. To look at what has happened *by a certain moment*:
//!
//! - [`pause`] stops the jumps. What waits for a timer waits until somebody moves the clock.
//! - [`advance`] moves it, by exactly so much, stopping at each deadline on the way.
//! - [`resume`] lets it jump again.
//!
//! ```
//! use runtime::{spawn, time::{Instant, sleep, virtual_clock}};
//! use std::time::Duration;
//!
//! let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
//! runtime.block_on(async {
//!     virtual_clock::pause();
//!     let start = Instant::now();
//!     let task = spawn(async move {
//!         sleep(Duration::from_secs(10)).await;
//!         start.elapsed()
//!     });
//!     virtual_clock::advance(Duration::from_secs(9)).await;
//!     assert!(!task.is_finished());
//!     virtual_clock::advance(Duration::from_secs(6)).await;
//!     assert!(task.is_finished());
//!     assert_eq!(task.await.unwrap(), Duration::from_secs(10)); // not 15: time stood at its deadline as it ran
//!     assert_eq!(start.elapsed(), Duration::from_secs(15));
//! });
//! ```
//!
//! While the clock is paused and nobody advances it, a runtime in which nothing can run, and in which nobody waits for the
//! world outside either, reports a deadlock: its `block_on` panics, and says that the clock is paused.

use super::{CURRENT, Clock, Here, Instant};
use crate::current;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Stops the clock: when nothing can run it no longer jumps to the next deadline. Stopping it twice changes nothing.
///
/// # Panics
/// When the clock of the current runtime is real, and outside a runtime.
///
/// ```
/// use runtime::time::{sleep, virtual_clock};
/// use std::time::Duration;
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     virtual_clock::pause();
///     let second = Duration::from_secs(1);
///     let sleeper = runtime::spawn(sleep(second));
///     virtual_clock::advance(second / 2).await;
///     assert!(!sleeper.is_finished());
///     virtual_clock::resume();
///     sleeper.await.unwrap();
/// });
/// ```
#[track_caller]
pub fn pause() {
    let here = here();
    expect_virtual(&here.time.clock).plan.lock().unwrap().paused = true;
}

/// Lets the clock jump again.
///
/// # Panics
/// When the clock of the current runtime is real, and outside a runtime.
///
/// ```
/// use runtime::time::{sleep, virtual_clock};
/// use std::time::Duration;
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     virtual_clock::pause();
///     virtual_clock::resume();
///     sleep(Duration::from_secs(3600)).await; // at once
/// });
/// ```
#[track_caller]
pub fn resume() {
    let here = here();
    expect_virtual(&here.time.clock).plan.lock().unwrap().paused = false;
    if !here.worker {
        // The worker may have gone to sleep because the clock stood still.
        here.time.nudge.wake_by_ref();
    }
}

/// Moves the clock by exactly `duration`, paused or not.
///
/// Time goes on when nothing can run. It stops at each deadline on the way, in their order: what is due there fires, and
/// whatever that wakes runs, and sees that moment on the clock, until all wait again; timers that it arms are met on the way
/// too. When the end is reached, and all that was due by then has run, this returns: so what should have happened has
/// happened, and what should not has not. (tokio's `advance` jumps to the end first, and then fires.)
///
/// A `duration` of zero lets everybody run until all wait. The clock goes no further for several at once: each is over when
/// its own moment comes.
///
/// # Panics
/// When the clock of the current runtime is real, and outside a runtime. On a blocking thread: the clock stands still until
/// the job there is done.
///
/// # Cancel safety
/// The clock stays where it has come to.
///
/// ```
/// use runtime::time::{Instant, MissedTicks, interval, virtual_clock};
/// use std::{sync::{Arc, atomic::{AtomicU32, Ordering}}, time::Duration};
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     virtual_clock::pause();
///     let count = Arc::new(AtomicU32::new(0));
///     let counter = count.clone();
///     runtime::spawn(async move {
///         let mut ticks = interval(Duration::from_secs(60));
///         loop {
///             ticks.tick().await;
///             counter.fetch_add(1, Ordering::Relaxed);
///         }
///     });
///     virtual_clock::advance(Duration::from_secs(3599)).await;
///     assert_eq!(count.load(Ordering::Relaxed), 60);
///     virtual_clock::advance(Duration::from_secs(1)).await;
///     assert_eq!(count.load(Ordering::Relaxed), 61);
/// });
/// ```
pub async fn advance(duration: Duration) {
    let here = here();
    assert!(
        here.worker,
        "the virtual clock cannot be advanced on a blocking thread: it stands still until the job is done"
    );
    let target = expect_virtual(&here.time.clock).now() + duration;
    Advance { clock: here.time.clock.clone(), target, number: None }.await;
}

#[track_caller]
fn here() -> Here {
    current::get(&CURRENT).expect("not inside a runtime: there is no virtual clock here")
}

#[track_caller]
fn expect_virtual(clock: &Clock) -> &VirtualClock {
    clock.as_virtual().expect("the clock of this runtime is real: build it with `Builder::virtual_clock`")
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct VirtualClock {
    nanos: AtomicU64,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    paused: bool,
    /// Those who advance the clock, in the order in which they came.
    advances: Vec<Goal>,
    number: u64,
}

#[derive(Debug)]
struct Goal {
    target: Instant,
    number: u64,
    waker: Waker,
}

impl Plan {
    fn next_goal(&self) -> Option<&Goal> {
        self.advances.iter().min_by_key(|goal| (goal.target, goal.number))
    }

    /// Whoever advances is told last: when nothing else is due by then.
    fn is_goal_next(&self, deadline: Option<Instant>) -> bool {
        self.next_goal().is_some_and(|goal| deadline.is_none_or(|deadline| goal.target < deadline))
    }
}

impl VirtualClock {
    pub(crate) fn now(&self) -> Instant {
        Instant::from_nanos(self.nanos.load(Ordering::Acquire))
    }

    /// For a runtime in which nothing can run, and whose next timer is due at `deadline`: where the clock would go now. `None`:
    /// nowhere, because no timer is armed, or because it is paused and nobody advances it.
    pub(crate) fn next_stop(&self, deadline: Option<Instant>) -> Option<Instant> {
        let plan = self.plan.lock().unwrap();
        match plan.next_goal() {
            Some(goal) if plan.is_goal_next(deadline) => Some(goal.target),
            Some(_) => deadline,
            None => deadline.filter(|_| !plan.paused),
        }
    }

    /// Goes there. The timers that are due have to be fired next; or somebody who advanced the clock is there, and has to be
    /// woken.
    pub(crate) fn jump(&self, deadline: Option<Instant>) -> Option<Waker> {
        let stop = self.next_stop(deadline)?;
        // A timer may be overdue: time does not go back for it.
        self.nanos.fetch_max(stop.as_nanos(), Ordering::AcqRel);
        let mut plan = self.plan.lock().unwrap();
        let number = plan.next_goal().filter(|_| plan.is_goal_next(deadline))?.number;
        let index = plan.advances.iter().position(|goal| goal.number == number)?;
        Some(plan.advances.remove(index).waker)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.plan.lock().unwrap().paused
    }
}

struct Advance {
    clock: Arc<Clock>,
    target: Instant,
    /// Its goal, once it was polled.
    number: Option<u64>,
}

impl Future for Advance {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Cloned before the lock, dropped after it: a waker may be anybody's code.
        let mut waker = context.waker().clone();
        let Self { clock, target, number } = &mut *self;
        let mut plan = expect_virtual(clock).plan.lock().unwrap();
        match *number {
            None => {
                plan.number += 1;
                *number = Some(plan.number);
                let goal = Goal { target: *target, number: plan.number, waker };
                plan.advances.push(goal);
                Poll::Pending
            }
            Some(number) => {
                let arrived = match plan.advances.iter_mut().find(|goal| goal.number == number) {
                    Some(goal) => {
                        std::mem::swap(&mut goal.waker, &mut waker);
                        Poll::Pending
                    }
                    None => Poll::Ready(()),
                };
                drop(plan);
                arrived
            }
        }
    }
}

impl Drop for Advance {
    fn drop(&mut self) {
        let goal = {
            let mut plan = expect_virtual(&self.clock).plan.lock().unwrap();
            let index = plan.advances.iter().position(|goal| Some(goal.number) == self.number);
            index.map(|index| plan.advances.remove(index))
        };
        drop(goal);
    }
}
