//! Errors that nobody waits for.

use super::say;
use crate::{awaits, budget, task::JoinHandle};
use pin_project_lite::pin_project;
use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker, ready},
};

/// The whole future of a task whose output is a [`Result`]: an `Err` is put into the task's record, and the
/// [`Summary`](super::Summary) counts it as failed. If nobody waits for the task, debug reports it on standard error. Without
/// debug it does nothing.
///
/// # Cancel safety
/// As that of `future`.
///
/// ```
/// use runtime::{Handle, Runtime, debug::{Outcome, fallible}, spawn};
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let task = spawn(fallible(async { "twelve".parse::<u8>() }));
///     assert!(task.await.unwrap().is_err());
///     let summary = Handle::current().summary();
///     assert_eq!(summary.ended()[0].outcome, Outcome::Failed("invalid digit found in string".into()));
/// });
/// ```
pub fn fallible<T, E: Display, F: Future<Output = Result<T, E>>>(future: F) -> Fallible<F> {
    Fallible { future }
}

pin_project! {
    /// A future whose error is noted. From [`fallible`].
    ///
    /// ```
    /// use runtime::debug::{Fallible, fallible};
    /// use std::future::{Ready, ready};
    /// let parse: Fallible<Ready<Result<u8, _>>> = fallible(ready("12".parse()));
    /// assert_eq!(runtime::block_on(parse), Ok(12));
    /// ```
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct Fallible<F> {
        #[pin]
        future: F,
    }
}

impl<T, E: Display, F: Future<Output = Result<T, E>>> Future for Fallible<F> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(self.project().future.poll(context));
        if let Err(error) = &output {
            awaits::failed(|| error.to_string());
        }
        Poll::Ready(output)
    }
}

impl<T: Send + 'static, E: Display + Send + 'static> JoinHandle<Result<T, E>> {
    /// Detaches the task, and reports on standard error if it returns an error or panics: with its number, its name and the
    /// line that spawned it. (Dropping the handle would drop the error unseen.) That it is cancelled is no error.
    ///
    /// No second task waits for it: the task itself reports, when it ends.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(async { "twelve".parse::<u8>() });
    ///     let watch = task.abort_handle();
    ///     task.log_error();
    ///     while !watch.is_finished() {
    ///         runtime::yield_now().await;
    ///     }
    ///     // runtime: task #1 (spawned at src/main.rs:2:16) failed: invalid digit found in string
    /// });
    /// ```
    pub fn log_error(self) {
        let log = Arc::new(Log(Mutex::new(Some(self))));
        Waker::from(log).wake();
    }
}

/// What a task wakes that nobody waits for. It holds the handle, and lies in the task's own slot for whoever waits: the end of
/// the task takes it out.
struct Log<T, E>(Mutex<Option<JoinHandle<Result<T, E>>>>);

impl<T: Send + 'static, E: Display + Send + 'static> Wake for Log<T, E> {
    fn wake(self: Arc<Self>) {
        // Out of the lock: the output may be anything, and is dropped here.
        let Some(mut handle) = self.0.lock().unwrap().take() else { return };
        let who = format!("{:?}", handle.abort_handle());
        let waker = Waker::from(self.clone());
        // Its own budget: that of the poll in which we may be must not send us away.
        let polled = budget::with_full(|| Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)));
        let report = match polled {
            Poll::Pending => {
                // The end may come between the poll and this: then it found nothing here to look at, and we look again.
                let over = handle.abort_handle();
                *self.0.lock().unwrap() = Some(handle);
                if over.is_finished() {
                    self.wake();
                }
                return;
            }
            Poll::Ready(Ok(Err(error))) => format!("failed: {error}"),
            Poll::Ready(Err(error)) if error.is_panic() => format!("failed: {error}"),
            Poll::Ready(_) => return,
        };
        say(&format!("runtime: task {who} {report}\n"));
    }
}
