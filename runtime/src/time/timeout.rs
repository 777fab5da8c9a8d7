//! A future with a time limit.

use super::{Instant, Sleep, sleep_until};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Gives `future` until `duration` has passed, counted from this call; then reports [`Elapsed`].
///
/// The future is polled first, so one that is ready wins even against a zero timeout. It is dropped with the [`Timeout`], at
/// the end of the `await`.
///
/// # Panics
/// When it would have to wait outside a runtime, in one that has ended, or on a blocking thread for virtual time.
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
    let now = Instant::now();
    Timeout { future, sleep: Sleep::made_at(now, now + duration), duration }
}

/// [`timeout`], up to a moment instead of for a duration.
///
/// # Panics
/// When it would have to wait outside a runtime, in one that has ended, or on a blocking thread for virtual time.
///
/// # Cancel safety
/// As that of `future`, which is dropped with it.
///
/// ```
/// use runtime::time::{Instant, timeout_at};
/// runtime::block_on(async {
///     let late = timeout_at(Instant::now(), std::future::pending::<()>());
///     assert!(late.await.is_err());
/// });
/// ```
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout { future, sleep: sleep_until(deadline), duration: deadline - Instant::now() }
}

pin_project! {
    /// A future with a time limit. From [`timeout`] and [`timeout_at`].
    ///
    /// ```
    /// use runtime::time::{Timeout, timeout};
    /// use std::{future::{Ready, ready}, time::Duration};
    /// let call: Timeout<Ready<u8>> = timeout(Duration::from_secs(1), ready(7)); // the time runs from here
    /// assert_eq!(runtime::block_on(call), Ok(7));
    /// ```
    #[derive(Debug)]
    #[must_use = "a timeout does nothing until it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        sleep: Sleep,
        duration: Duration,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(this.sleep).poll(context).map(|()| Err(Elapsed(*this.duration)))
    }
}

/// The time was up before the future was ready.
///
/// ```
/// use runtime::time::timeout;
/// use std::{future::pending, io, time::Duration};
/// let answer = runtime::block_on(timeout(Duration::from_millis(1), pending::<()>()));
/// let error = io::Error::new(io::ErrorKind::TimedOut, answer.unwrap_err());
/// assert_eq!(error.to_string(), "timed out after 1ms");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {:?}", self.0)
    }
}

impl std::error::Error for Elapsed {}
