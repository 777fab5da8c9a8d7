//! A runtime as the chapters' cases see it: one small trait, which a reader implements bit by bit.
//!
//! What a chapter has not yet taught has a default body that says so, and the cases that need it are told apart from those that
//! fail: see [`run`](super::run).

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Implemented for a type that stands for a runtime, usually an empty struct. Each function belongs to a chapter of the book; until
/// you have written it, leave it out.
///
/// ```
/// use stages::{cases::Runtime, s05_block_on};
/// use std::future::Future;
///
/// struct Mine;
///
/// impl Runtime for Mine {
///     fn block_on<F: Future>(future: F) -> F::Output {
///         s05_block_on::block_on(future)
///     }
/// }
///
/// assert_eq!(Mine::block_on(async { 7 }), 7);
/// ```
pub trait Runtime: Sized + 'static {
    /// Chapter 5. Runs a future to its end on this thread, and gives its output. From chapter 6 on it also runs the tasks that are
    /// spawned meanwhile; those that are not over when it returns are dropped.
    fn block_on<F: Future>(future: F) -> F::Output {
        drop(future);
        not_yet(5, "block_on")
    }

    /// Chapter 6. Makes a task, to be run by the [`block_on`](Runtime::block_on) inside which it is called. Nobody hears of its end.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(task);
        not_yet(6, "spawn")
    }

    /// Chapter 6. Lets every other task that can run have a turn.
    fn yield_now() -> impl Future<Output = ()> + Send {
        not_yet::<NotYet<()>>(6, "yield_now")
    }

    /// Chapter 8. As [`spawn`](Runtime::spawn), with a handle for the output.
    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        drop(task);
        not_yet::<NotYet<Result<F::Output, Ended>>>(8, "spawn_with_handle")
    }

    /// Chapter 9. Ready when so much time has passed since the call.
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        let _ = time;
        not_yet::<NotYet<()>>(9, "sleep")
    }

    /// Chapter 9. The output of `future`, or `None` if it takes longer than that; then it is dropped.
    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        let _ = time;
        drop(future);
        not_yet::<NotYet<Option<F::Output>>>(9, "timeout")
    }
}

/// The spawner's side of a task: a future of its output. Dropping it detaches the task.
pub trait Handle<T>: Future<Output = Result<T, Ended>> + Send + Unpin + 'static {
    /// Asks the task to end at its next suspension. One that is over is left alone.
    fn abort(&self);
}

/// Why a task has no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was aborted.
    Cancelled,
    /// It panicked, with this text.
    Panicked(String),
}

/// What a function panics with that was not written yet. [`run`](super::run) knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The chapter that teaches it.
    pub chapter: u8,
    /// Its name in [`Runtime`].
    pub function: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`Runtime::{}` is not there yet: chapter {} builds it", self.function, self.chapter)
    }
}

fn not_yet<T>(chapter: u8, function: &'static str) -> T {
    std::panic::panic_any(Missing { chapter, function })
}

/// Stands where a type is needed for what is not there. There is no value of it.
struct NotYet<T>(Infallible, std::marker::PhantomData<fn() -> T>);

impl<T> Future for NotYet<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        match self.0 {}
    }
}

impl<T: 'static> Handle<T> for NotYet<Result<T, Ended>> {
    fn abort(&self) {
        match self.0 {}
    }
}
