//! Asking a task to end, and waiting until it has.

use super::{CancelExt, finally::Lease};
use crate::{
    task::{AbortHandle, JoinError, JoinHandle},
    time::{Elapsed, timeout},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
    time::Duration,
};

impl<T> JoinHandle<T> {
    /// Asks the task to end: at once, whether or not the result is awaited. Awaited, it gives what came of it when the task has
    /// really ended.
    ///
    /// A task with a handler ([`cancelled`](super::cancelled), [`on_cancel`](CancelExt::on_cancel), [`with`](super::with)) acts as that
    /// says, and may take its time, or give a value after all. Any other is aborted: its future is dropped at its next suspension;
    /// before its first poll, that means never to be run. A request that comes in the middle of a poll (from another thread, or from
    /// the task itself) finds the handlers of that moment: where it finds none, before the first one or between two, the task is
    /// aborted, and a handler that it enters on the way to its next suspension is only dropped. A task that is over is
    /// left alone, and its output is given.
    ///
    /// | elsewhere | here |
    /// |---|---|
    /// | asyncio's `task.cancel()`, then `await task` | `cancel().await` |
    /// | tokio's `abort()` | [`abort`](JoinHandle::abort) |
    ///
    /// # Cancel safety
    /// The request is made already; the handle is only borrowed, and can be awaited again.
    ///
    /// # Panics
    /// Awaiting it panics after the handle gave its output.
    ///
    /// ```
    /// use runtime::{group::CancelExt, spawn, yield_now};
    /// runtime::block_on(async {
    ///     let mut task = spawn(async {
    ///         let work = std::future::pending::<()>();
    ///         work.on_cancel(async { yield_now().await; println!("cleaned up") }).await;
    ///     });
    ///     yield_now().await;
    ///     task.cancel(); // the request, and no wait
    ///     assert!(!task.is_finished());
    ///     assert!(task.cancel().await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn cancel(&mut self) -> Cancelling<'_, T> {
        self.ask();
        Cancelling { handle: self }
    }

    /// [`cancel`](JoinHandle::cancel), but a task that has not ended after `patience` is aborted. The request is made at once, and
    /// the time runs from the first poll.
    ///
    /// (A task that never comes to a suspension ends after that, as with an abort.)
    ///
    /// # Cancel safety
    /// Dropped, the request stands; but nobody watches the time, and the task is detached.
    ///
    /// # Panics
    /// When it would have to wait outside a runtime.
    ///
    /// ```
    /// use runtime::{group::CancelExt, spawn, time::{Instant, sleep}, yield_now};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let (start, second) = (Instant::now(), Duration::from_secs(1));
    ///     let slow = spawn(sleep(second).on_cancel(sleep(3600 * second)));
    ///     yield_now().await;
    ///     assert!(slow.cancel_within(5 * second).await.is_err());
    ///     assert_eq!(start.elapsed(), 5 * second);
    /// });
    /// ```
    pub fn cancel_within(mut self, patience: Duration) -> impl Future<Output = Result<T, JoinError>> {
        self.ask();
        async move {
            if let Ok(ended) = timeout(patience, &mut self).await {
                return ended;
            }
            self.abort();
            self.await
        }
    }

    /// Waits for the task, but not longer than `duration`, counted from the first poll: then the task is asked to end, and its
    /// end is waited for. (Whereas [`time::timeout`](timeout) drops the handle, and the task runs on.)
    ///
    /// A result that is there when the time is up wins, also against zero. So does one that the task gives although it was
    /// asked: a value, or a panic in its clean-up. How long the clean-up takes is the task's affair.
    ///
    /// When the task that waits is itself asked to end, it asks this one in turn, and waits for its end.
    ///
    /// | elsewhere | here |
    /// |---|---|
    /// | `asyncio.wait_for(task, seconds)` | `task.timeout(duration)` |
    /// | `asyncio.wait_for(coroutine, seconds)` | `time::timeout(duration, future)`, or `spawn(future).timeout(duration)` |
    ///
    /// # Errors
    /// [`Elapsed`] when the time was up and the task ended as cancelled.
    ///
    /// # Cancel safety
    /// Dropped, it asks the task to end, and nobody waits for that.
    ///
    /// # Panics
    /// When it would have to wait outside a runtime.
    ///
    /// ```
    /// use runtime::{group::CancelExt, spawn, time::{Instant, sleep}};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let (start, second) = (Instant::now(), Duration::from_secs(1));
    ///     assert_eq!(spawn(async { 5 }).timeout(second).await.unwrap().unwrap(), 5);
    ///     let slow = spawn(sleep(60 * second).on_cancel(async move { sleep(3 * second).await }));
    ///     assert!(slow.timeout(second).await.is_err());
    ///     assert_eq!(start.elapsed(), 4 * second); // its clean-up is over
    /// });
    /// ```
    pub async fn timeout(self, duration: Duration) -> Result<Result<T, JoinError>, Elapsed> {
        let task = AskWhenDropped(self.abort_handle());
        let handle = Mutex::new(Some(self));
        let waits = async {
            let mut handle = Lease::take(&handle);
            let error = match timeout(duration, handle.get()).await {
                Ok(ended) => return Ok(ended),
                Err(error) => error,
            };
            task.0.ask();
            match handle.get().await {
                Err(JoinError::Cancelled) => Err(error),
                ended => Ok(ended),
            }
        };
        let gives_up = async {
            task.0.ask();
            drop(Lease::take(&handle).get().await);
        };
        waits.on_cancel(gives_up).await
    }
}

/// (An end that was told already is none the worse for it.)
struct AskWhenDropped(AbortHandle);

impl Drop for AskWhenDropped {
    fn drop(&mut self) {
        self.0.ask();
    }
}

impl AbortHandle {
    /// Asks the task to end, as [`JoinHandle::cancel`] does; nobody waits for it.
    ///
    /// ```
    /// use runtime::{group::cancelled, spawn, yield_now};
    /// runtime::block_on(async {
    ///     let task = spawn(async { cancelled().await; "as you wish" });
    ///     yield_now().await;
    ///     task.abort_handle().cancel();
    ///     assert_eq!(task.await.unwrap(), "as you wish");
    /// });
    /// ```
    pub fn cancel(&self) {
        self.ask();
    }
}

/// Waits for the end of a task that was asked. From [`JoinHandle::cancel`]. To drop it is no mistake: the request is made.
///
/// ```
/// use runtime::{group::Cancelling, spawn};
/// runtime::block_on(async {
///     let mut task = spawn(std::future::pending::<()>());
///     let ends: Cancelling<'_, ()> = task.cancel();
///     assert!(ends.await.is_err());
/// });
/// ```
pub struct Cancelling<'handle, T> {
    handle: &'handle mut JoinHandle<T>,
}

impl<T> Future for Cancelling<'_, T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.handle).poll(context)
    }
}

impl<T> fmt::Debug for Cancelling<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelling").field(&self.handle).finish()
    }
}
