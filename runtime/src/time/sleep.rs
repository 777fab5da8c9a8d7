//! The futures that wait for a deadline.

use super::{Instant, Time, timers::Key};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// Waits for `duration`.
///
/// Zero is ready at the first poll; a duration beyond the end of the clock (584 years) never is.
///
/// # Cancel safety
/// Dropping it disarms the timer; nothing is lost.
///
/// ```
/// use std::time::Duration;
/// runtime::block_on(runtime::time::sleep(Duration::from_millis(1)));
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now() + duration)
}

/// Waits until `deadline`; ready at the first poll if it has passed.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, armed: None }
}

/// Waits for a deadline. From [`sleep`] and [`sleep_until`].
#[derive(Debug)]
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    deadline: Instant,
    armed: Option<(Arc<Time>, Key)>,
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Moves the deadline. A sleep that was over waits again, if the new deadline is still to come.
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
        self.disarm();
        self.deadline = deadline;
    }

    /// By the clock that it waits for; before that, by the one that is current.
    fn passed(&self) -> bool {
        let now = self.armed.as_ref().map_or_else(Instant::now, |(time, _)| time.clock.now());
        now >= self.deadline
    }

    fn disarm(&mut self) {
        if let Some((time, key)) = self.armed.take() {
            drop(time.timers.cancel(key));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    /// When it would have to wait outside a runtime.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.armed.as_ref().is_some_and(|(time, _)| time.is_elsewhere()) {
            // It was moved here from another runtime, which may have ended.
            self.disarm();
        }
        if self.passed() {
            self.disarm();
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        match &self.armed {
            Some((time, key)) => match time.timers.replace(*key, waker) {
                Ok(stale) => drop(stale),
                // It fired on the worker's thread, just now, while we looked at the clock on this one.
                Err(_) => {
                    self.armed = None;
                    return Poll::Ready(());
                }
            },
            None if self.deadline == Instant::NEVER => {}
            None => {
                let time = Time::current().expect("a sleep was polled outside a runtime: nobody would wake it");
                let (key, sooner) = time.timers.arm(self.deadline, waker);
                // The worker may be asleep until a later deadline: tell it. On its own thread it is awake.
                if sooner && !time.is_on_worker() {
                    time.nudge.wake_by_ref();
                }
                self.armed = Some((time, key));
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// Gives `future` until `duration` has passed; then drops it and reports [`Elapsed`].
///
/// The future is polled first, so one that is ready wins even against a zero timeout.
///
/// # Cancel safety
/// As that of `future`, which is dropped with it.
///
/// ```
/// use runtime::time::{sleep, timeout};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let second = Duration::from_secs(1);
///     assert_eq!(timeout(second, async { 5 }).await, Ok(5));
///     let error = timeout(Duration::from_millis(1), sleep(second)).await.unwrap_err();
///     assert_eq!(error.to_string(), "timed out after 1ms");
/// });
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout { future: Box::pin(future), sleep: sleep(duration), duration }
}

/// [`timeout`], up to a moment instead of for a duration.
///
/// # Cancel safety
/// As that of `future`, which is dropped with it.
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout { future: Box::pin(future), sleep: sleep_until(deadline), duration: deadline - Instant::now() }
}

/// A future with a time limit. From [`timeout`].
#[derive(Debug)]
#[must_use = "a timeout does nothing until it is awaited"]
pub struct Timeout<F> {
    /// On the heap, so that it can be pinned without unsafe code.
    future: Pin<Box<F>>,
    sleep: Sleep,
    duration: Duration,
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut self.sleep).poll(context).map(|()| Err(Elapsed(self.duration)))
    }
}

/// The time was up before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {:?}", self.0)
    }
}

impl std::error::Error for Elapsed {}
