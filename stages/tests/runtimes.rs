//! The cases of the chapters, on every runtime that there is: each stage up to its own chapter, and the finished one, tokio and smol
//! in all, to show that what is asked is fair.
//!
//! A test program that runs itself: each case is a process of its own, so this one has no harness.

use stages::{
    cases::{Ended, Handle, Runtime},
    s05_block_on, s06_executor, s08_join, s09_timers,
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

struct BlockOn;

impl Runtime for BlockOn {
    fn block_on<F: Future>(future: F) -> F::Output {
        s05_block_on::block_on(future)
    }
}

struct Executor;

impl Runtime for Executor {
    fn block_on<F: Future>(future: F) -> F::Output {
        s06_executor::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s06_executor::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        s06_executor::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (task, handle) = s08_join::joinable(task);
        s06_executor::spawn(task);
        Joined(handle)
    }
}

struct Timers;

impl Runtime for Timers {
    fn block_on<F: Future>(future: F) -> F::Output {
        s09_timers::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s09_timers::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        s09_timers::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (task, handle) = s08_join::joinable(task);
        s09_timers::spawn(task);
        Joined(handle)
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        s09_timers::sleep(time)
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        s09_timers::timeout(time, future)
    }
}

/// The handle of stage 8.
struct Joined<T>(s08_join::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|error| match error {
            s08_join::JoinError::Cancelled => Ended::Cancelled,
            s08_join::JoinError::Panicked(panic) => Ended::Panicked(text(&*panic)),
        })
    }
}

impl<T: Send + 'static> Handle<T> for Joined<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<&str>().map_or_else(|| "?".to_owned(), |text| (*text).to_owned())
}

stages::judge! {
    "stage 5", 5: BlockOn;
    "stages 6 and 8", 8: Executor;
    "stage 9", 9: Timers;
}
