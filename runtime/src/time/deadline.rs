//! A limit that can be moved while it is waited for.

use super::{CURRENT, Clock, Elapsed, Instant, Sleep, sleep_until};
use crate::{current, task::contain};
use pin_project_lite::pin_project;
use slab::Slab;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

/// A moment by which something must be over, shared by all who keep to it, and moved by any of them.
///
/// Give a clone to whoever should be able to move it: clones are the same deadline. Those who [`wait`](Deadline::wait) for it,
/// or run something under its [`limit`](Deadline::limit), follow: to a later moment, to an earlier one, from any thread.
///
/// It is a level, not an event: it has passed when the clock is past it; moved to a later moment, it has not. To move it to
/// later is cheap, however many wait: nobody is woken. So one deadline can be pushed on with every byte that arrives.
///
/// It goes by the clock of the runtime in which it was made.
///
/// | elsewhere | here |
/// |---|---|
/// | `asyncio.timeout`, `reschedule(when)`, `when()`, `expired()` | `limit`, `set(at)`, `when()`, `passed()` |
/// | trio's `cancel_scope.deadline = at` | `set(at)` |
/// | Go's `SetDeadline(time.Now().Add(d))`, `SetDeadline(time.Time{})` | `set_after(d)`, `clear()` |
///
/// ```
/// use runtime::time::{Deadline, Instant, sleep};
/// use std::time::Duration;
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let second = Duration::from_secs(1);
///     let (start, idle) = (Instant::now(), Deadline::after(10 * second));
///     let progress = idle.clone();
///     let download = idle.limit(async move {
///         for _ in 0..3 {
///             sleep(8 * second).await; // a piece arrives…
///             progress.set_after(10 * second); // …and the deadline moves
///         }
///         sleep(60 * second).await; // now the peer is silent
///     });
///     assert!(download.await.is_err());
///     assert_eq!(start.elapsed(), (3 * 8 + 10) * second);
/// });
/// ```
#[derive(Clone)]
pub struct Deadline(Arc<Shared>);

struct Shared {
    /// That of the runtime in which it was made; `None`: it was made outside one.
    clock: Option<Arc<Clock>>,
    state: Mutex<State>,
}

struct State {
    at: Instant,
    /// Those who have to hear of it when it moves to an earlier moment.
    waiting: Slab<Waiting>,
    arrivals: u64,
}

struct Waiting {
    arrival: u64,
    waker: Waker,
}

impl Deadline {
    /// `duration` from now. Zero has passed already; one beyond the end of the clock (584 years) is [`never`](Deadline::never).
    ///
    /// ```
    /// use runtime::time::Deadline;
    /// use std::time::Duration;
    /// assert!(Deadline::after(Duration::ZERO).passed());
    /// assert!(!Deadline::after(Duration::MAX).passed());
    /// ```
    pub fn after(duration: Duration) -> Self {
        Self::at(Instant::now() + duration)
    }

    /// At that moment.
    ///
    /// ```
    /// use runtime::time::{Deadline, Instant};
    /// let now = Instant::now();
    /// assert_eq!(Deadline::at(now).when(), Some(now));
    /// ```
    pub fn at(at: Instant) -> Self {
        let clock = current::with(&CURRENT, |here| here.time.clock.clone());
        Self(Arc::new(Shared { clock, state: Mutex::new(State { at, waiting: Slab::new(), arrivals: 0 }) }))
    }

    /// No deadline, until it is set.
    ///
    /// ```
    /// assert_eq!(runtime::time::Deadline::never().when(), None);
    /// ```
    pub fn never() -> Self {
        Self::at(Instant::NEVER)
    }

    /// When it is; `None`: never.
    ///
    /// ```
    /// use runtime::time::{Deadline, Instant};
    /// let (deadline, now) = (Deadline::never(), Instant::now());
    /// deadline.set(now);
    /// assert_eq!(deadline.when(), Some(now));
    /// ```
    pub fn when(&self) -> Option<Instant> {
        Some(self.0.state.lock().unwrap().at).filter(|at| *at != Instant::NEVER)
    }

    /// Moves it to `at`, to later or to earlier: a moment that has passed ends all the waiting.
    ///
    /// ```
    /// use runtime::time::{Deadline, Instant};
    /// let deadline = Deadline::never();
    /// deadline.set(Instant::now());
    /// assert!(deadline.passed());
    /// ```
    #[doc(alias = "reschedule")]
    #[doc(alias = "reset")]
    pub fn set(&self, at: Instant) {
        self.change(|_| at);
    }

    /// Moves it to `duration` from now.
    ///
    /// ```
    /// use runtime::time::Deadline;
    /// use std::time::Duration;
    /// let deadline = Deadline::after(Duration::ZERO);
    /// deadline.set_after(Duration::from_secs(1000));
    /// assert!(deadline.remaining() > Duration::from_secs(900));
    /// ```
    #[doc(alias = "SetDeadline")]
    pub fn set_after(&self, duration: Duration) {
        self.set(self.now() + duration);
    }

    /// Moves it `duration` further away from where it is, also if that has passed. Two who extend it at once both count.
    ///
    /// ```
    /// use runtime::time::{Deadline, Instant};
    /// use std::time::Duration;
    /// let (now, second) = (Instant::now(), Duration::from_secs(1));
    /// let deadline = Deadline::at(now + second);
    /// deadline.extend(second);
    /// assert_eq!(deadline.when(), Some(now + 2 * second));
    /// ```
    #[doc(alias = "postpone")]
    pub fn extend(&self, duration: Duration) {
        self.change(|at| at + duration);
    }

    /// Takes it away: now it is never.
    ///
    /// ```
    /// use runtime::time::Deadline;
    /// use std::time::Duration;
    /// let deadline = Deadline::after(Duration::ZERO);
    /// deadline.clear();
    /// assert!(!deadline.passed());
    /// ```
    pub fn clear(&self) {
        self.set(Instant::NEVER);
    }

    /// Is it over?
    ///
    /// ```
    /// use runtime::time::{Deadline, sleep};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let deadline = Deadline::after(Duration::from_millis(1));
    ///     sleep(Duration::from_millis(2)).await;
    ///     assert!(deadline.passed());
    /// });
    /// ```
    #[doc(alias = "expired")]
    pub fn passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// How long until then: zero if it has passed, [`Duration::MAX`] if it is never.
    ///
    /// ```
    /// use runtime::time::Deadline;
    /// use std::time::Duration;
    /// assert_eq!(Deadline::never().remaining(), Duration::MAX);
    /// assert!(Deadline::after(Duration::from_secs(9)).remaining() <= Duration::from_secs(9));
    /// ```
    pub fn remaining(&self) -> Duration {
        self.when().map_or(Duration::MAX, |at| at - self.now())
    }

    /// Waits until it has passed, wherever it is moved meanwhile. At once, if it has.
    ///
    /// # Panics
    /// When it would have to wait outside a runtime.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// use runtime::time::{Deadline, Instant};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let deadline = Deadline::after(Duration::from_secs(3600));
    ///     let mover = deadline.clone();
    ///     runtime::spawn(async move { mover.set(Instant::now()) });
    ///     deadline.wait().await; // no hour
    /// });
    /// ```
    pub fn wait(&self) -> Wait {
        Wait { deadline: self.clone(), sleep: sleep_until(Instant::NEVER), entry: None }
    }

    /// Runs `future` until then; reports [`Elapsed`] if it was not ready. The future is polled first, so one that is ready wins
    /// even when the deadline has passed.
    ///
    /// # Panics
    /// When it would have to wait outside a runtime.
    ///
    /// # Cancel safety
    /// As that of `future`, which is dropped with it.
    ///
    /// ```
    /// use runtime::time::Deadline;
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let deadline = Deadline::after(Duration::from_millis(1));
    ///     assert_eq!(deadline.limit(async { 5 }).await, Ok(5));
    ///     assert!(deadline.limit(std::future::pending::<()>()).await.is_err());
    /// });
    /// ```
    #[doc(alias = "timeout")]
    pub fn limit<F: Future>(&self, future: F) -> Limit<F> {
        Limit { future, wait: self.wait(), start: self.now() }
    }

    fn now(&self) -> Instant {
        self.0.clock.as_ref().map_or_else(Instant::now, |clock| clock.now())
    }

    fn change(&self, to: impl FnOnce(Instant) -> Instant) {
        let mut sooner = {
            let mut state = self.0.state.lock().unwrap();
            let before = state.at;
            state.at = to(before);
            // Those who wait for an earlier moment look again by themselves when it comes.
            if state.at >= before {
                return;
            }
            std::mem::take(&mut state.waiting).into_iter().map(|(_, waiting)| waiting).collect::<Vec<_>>()
        };
        sooner.sort_by_key(|waiting| waiting.arrival);
        sooner.into_iter().for_each(|waiting| contain(|| waiting.waker.wake()));
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Deadline").field(&self.when()).finish()
    }
}

/// Waits for a [`Deadline`]. From [`Deadline::wait`].
///
/// ```
/// use runtime::time::{Deadline, Wait};
/// use std::time::Duration;
/// let deadline = Deadline::after(Duration::from_secs(3600));
/// let wait: Wait = deadline.wait(); // it needs no reference, and may go into another task
/// deadline.set_after(Duration::ZERO);
/// runtime::block_on(async { runtime::spawn(wait).await.unwrap() });
/// ```
#[must_use = "waiting does nothing until it is awaited"]
pub struct Wait {
    deadline: Deadline,
    /// Ends at the deadline, or before it if it was moved to later.
    sleep: Sleep,
    /// Its arrival, and its place among those who wait, unless somebody has taken it out to wake it.
    entry: Option<(u64, usize)>,
}

impl Wait {
    /// Sees to it that a move to an earlier moment wakes the task. Gives the deadline as it stood then.
    fn listen(&mut self, waker: &Waker) -> Instant {
        // Cloned before the lock is taken, and dropped after.
        let mut cloned = None;
        loop {
            let mut state = self.deadline.0.state.lock().unwrap();
            let at = state.at;
            let entry = self
                .entry
                .and_then(|(arrival, key)| state.waiting.get_mut(key).filter(|waiting| waiting.arrival == arrival));
            match (entry, cloned.take()) {
                (Some(entry), _unused) if entry.waker.will_wake(waker) => return at,
                (Some(entry), Some(waker)) => {
                    let other = std::mem::replace(&mut entry.waker, waker);
                    drop(state);
                    drop(other);
                    return at;
                }
                (None, Some(waker)) => {
                    state.arrivals += 1;
                    let arrival = state.arrivals;
                    self.entry = Some((arrival, state.waiting.insert(Waiting { arrival, waker })));
                    return at;
                }
                (_, None) => {
                    drop(state);
                    cloned = Some(waker.clone());
                }
            }
        }
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let at = self.listen(context.waker());
            // Moved to later, it may stay armed as it is: when it ends, we see how far.
            if at < self.sleep.deadline() {
                self.sleep.reset(at);
            }
            if Pin::new(&mut self.sleep).poll(context).is_pending() {
                return Poll::Pending;
            }
            // It may have been moved while the sleep had its turn.
            let at = self.deadline.0.state.lock().unwrap().at;
            if at <= self.sleep.deadline() {
                return Poll::Ready(());
            }
            self.sleep.reset(at);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some((arrival, key)) = self.entry else {
            return;
        };
        let gone = {
            let waiting = &mut self.deadline.0.state.lock().unwrap().waiting;
            waiting.get(key).is_some_and(|waiting| waiting.arrival == arrival).then(|| waiting.remove(key))
        };
        drop(gone);
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

pin_project! {
    /// A future with a limit that can be moved. From [`Deadline::limit`].
    ///
    /// ```
    /// use runtime::{future::join_all, time::{Deadline, Limit}};
    /// use std::{future::{Ready, ready}, time::Duration};
    /// let deadline = Deadline::after(Duration::from_secs(60));
    /// let calls: Vec<Limit<Ready<u8>>> = (1..=3).map(|number| deadline.limit(ready(number))).collect();
    /// assert_eq!(runtime::block_on(join_all(calls)), [Ok(1), Ok(2), Ok(3)]);
    /// ```
    #[derive(Debug)]
    #[must_use = "a limit does nothing until it is awaited"]
    pub struct Limit<F> {
        #[pin]
        future: F,
        wait: Wait,
        start: Instant,
    }
}

impl<F: Future> Future for Limit<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Ok(output));
        }
        ready!(Pin::new(&mut *this.wait).poll(context));
        Poll::Ready(Err(Elapsed(this.wait.sleep.deadline() - *this.start)))
    }
}
