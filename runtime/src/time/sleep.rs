//! The future that waits for a moment.

use super::{
    Instant, NotArmed, Time,
    timers::{Found, Timers},
    wheel::Key,
};
use crate::{
    awaits::{self, Note},
    budget,
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Waits for `duration`, counted from this call.
///
/// Zero is ready at the first poll; a duration beyond the end of the clock (584 years) never is.
///
/// # Panics
/// When it would have to wait outside a runtime, in one that has ended, or on a blocking thread for virtual time.
///
/// # Cancel safety
/// Dropping it disarms the timer; nothing is lost.
///
/// ```
/// use std::time::Duration;
/// runtime::block_on(runtime::time::sleep(Duration::from_millis(1)));
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    let now = Instant::now();
    Sleep::made_at(now, now + duration)
}

/// Waits until `deadline`; ready at the first poll if it has passed.
///
/// # Panics
/// When it would have to wait outside a runtime, in one that has ended, or on a blocking thread for virtual time.
///
/// # Cancel safety
/// Dropping it disarms the timer; nothing is lost.
///
/// ```
/// use runtime::time::{Instant, sleep_until};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let soon = Instant::now() + Duration::from_millis(1);
///     sleep_until(soon).await;
///     assert!(Instant::now() >= soon);
///     sleep_until(soon).await; // at once
/// });
/// ```
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, state: State::Unarmed }
}

/// Waits for a moment. From [`sleep`] and [`sleep_until`].
///
/// It arms a timer at its first poll, with the worker on whose thread that is, and may then be polled, moved and dropped on
/// any thread: its timer stays with that worker. In another runtime, or after the end of its own, it arms a new one.
///
/// ```
/// use runtime::time::{Instant, Sleep, sleep};
/// use std::{pin::Pin, task::{Context, Poll}, time::Duration};
/// /// Ready a second after it was made: a future may be built around a sleep, which need not be pinned.
/// struct Second(Sleep);
/// impl Future for Second {
///     type Output = &'static str;
///     fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
///         Pin::new(&mut self.0).poll(context).map(|()| "a second later")
///     }
/// }
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// assert_eq!(runtime.block_on(async { Second(sleep(Duration::from_secs(1))).await }), "a second later");
/// ```
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    deadline: Instant,
    state: State,
}

enum State {
    /// It was made just now, with a deadline to come: to arm it, nobody need look at the clock again.
    Fresh,
    /// Not armed. The deadline may have passed.
    Unarmed,
    /// Its timer was armed, and may have fired meanwhile.
    Armed { time: Arc<Time>, key: Key },
}

impl Sleep {
    /// [`sleep_until`] for those who have just looked at the clock.
    pub(super) fn made_at(now: Instant, deadline: Instant) -> Self {
        Self { deadline, state: if deadline > now { State::Fresh } else { State::Unarmed } }
    }

    /// When it ends.
    ///
    /// ```
    /// use runtime::time::{Instant, sleep_until};
    /// let now = Instant::now();
    /// assert_eq!(sleep_until(now).deadline(), now);
    /// ```
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Moves the deadline, to earlier or to later. Whoever waits need not poll it again: its timer moves at once. A sleep that
    /// was over waits again, if the new deadline is still to come.
    ///
    /// Where somebody else is to move it while it is awaited, use a [`Deadline`](super::Deadline).
    ///
    /// ```
    /// use runtime::time::{Instant, sleep};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let mut sleep = sleep(Duration::from_secs(60));
    ///     sleep.reset(Instant::now());
    ///     sleep.await; // at once
    /// });
    /// ```
    pub fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        match &mut self.state {
            State::Armed { time, key } if deadline != Instant::NEVER => match time.reschedule(*key, deadline) {
                Some(moved) => *key = moved,
                None => self.state = State::Unarmed,
            },
            _ => self.disarm(),
        }
    }

    /// By the clock that it waits for; before that, by the one that is current.
    fn passed(&self) -> bool {
        match &self.state {
            State::Fresh => false,
            State::Unarmed => Instant::now() >= self.deadline,
            State::Armed { time, .. } => time.clock.now() >= self.deadline,
        }
    }

    fn waits(&self) -> Poll<()> {
        awaits::note(|| Note::Until(self.deadline.as_nanos()));
        Poll::Pending
    }

    fn disarm(&mut self) {
        if let State::Armed { time, key } = std::mem::replace(&mut self.state, State::Unarmed) {
            drop(time.timers.cancel(key));
        }
    }

    /// Looks after the timer that it has. `Ready`: it has fired. If there is none to wait for, it is unarmed afterwards.
    fn poll_armed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let State::Armed { time, key } = &self.state else {
            return Poll::Pending;
        };
        if time.is_elsewhere() {
            // It was moved here from another runtime, which may be at rest.
            self.disarm();
            return Poll::Pending;
        }
        let found = look(&time.timers, *key, context.waker());
        if found == Found::Armed {
            return Poll::Pending;
        }
        self.state = State::Unarmed;
        if found == Found::Fired { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// What has become of a timer? If it is still armed, it wakes `waker` from now on.
pub(super) fn look(timers: &Timers, key: Key, waker: &Waker) -> Found {
    match timers.find(key, waker) {
        // Cloned before the lock is taken, dropped after.
        Found::ForAnother => match timers.replace(key, waker.clone()) {
            Ok(_other) => Found::Armed,
            // Meanwhile it has fired, and woken the other one.
            Err(_) => timers.find(key, waker),
        },
        found => found,
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    /// When it would have to wait outside a runtime, or in one that has ended: nobody would wake it. And on a blocking thread
    /// for a virtual clock: that waits for the job.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.poll_armed(context).is_ready() {
            return budget::spend_reserve(context);
        }
        if self.passed() {
            // Its worker was busy, and has not turned its wheel yet.
            self.disarm();
            return budget::spend_reserve(context);
        }
        if self.deadline == Instant::NEVER || matches!(self.state, State::Armed { .. }) {
            return self.waits();
        }
        match Time::arm(self.deadline, context.waker().clone()) {
            Ok((time, key)) => {
                self.state = State::Armed { time, key };
                self.waits()
            }
            Err(NotArmed::Passed) => {
                self.state = State::Unarmed;
                budget::spend_reserve(context)
            }
            Err(NotArmed::Nowhere) => {
                panic!("a sleep was polled outside a runtime, or after the end of one: nobody would wake it")
            }
            Err(NotArmed::StandsStill) => {
                panic!("a blocking job cannot wait for virtual time, which stands still until the job is over")
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let armed = matches!(self.state, State::Armed { .. });
        f.debug_struct("Sleep").field("deadline", &self.deadline).field("armed", &armed).finish()
    }
}
