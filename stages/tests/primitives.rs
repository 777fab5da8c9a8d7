//! The cases of chapters 13 to 15 on their stages, which stand here as they do in a reader's crate: as modules of its own.
//!
//! The chapters show parts of this file as what a reader's `check.rs` gains.

#[path = "../src/s14_channels.rs"]
#[allow(unreachable_pub, reason = "public where it comes from")]
mod channels;
#[path = "../src/s13_join_select.rs"]
#[allow(unreachable_pub, reason = "public where it comes from")]
mod join_select;
#[path = "../src/s15_permits.rs"]
#[allow(unreachable_pub, reason = "public where it comes from")]
mod permits;

use stages::{
    cases::{
        Ended, Handle, Mutex, Notify, Outcome, Receiver, Runtime, Semaphore, Sender, attempt, only_one_if_asked, up_to,
    },
    s08_join, s09_timers,
};
use std::{
    future::Future,
    pin::Pin,
    process::ExitCode,
    task::{Context, Poll},
    time::Duration,
};

struct Mine;

impl Runtime for Mine {
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

    // ANCHOR: select
    fn join<A, B>(a: A, b: B) -> impl Future<Output = (A::Output, B::Output)> + Send
    where
        A: Future<Output: Send> + Send,
        B: Future<Output: Send> + Send,
    {
        join_select::join(a, b)
    }

    fn race<T, A, B>(a: A, b: B) -> impl Future<Output = T> + Send
    where
        T: Send,
        A: Future<Output = T> + Send,
        B: Future<Output = T> + Send,
    {
        join_select::race(a, b)
    }

    fn join_all<F: Future<Output: Send> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> + Send {
        join_select::join_all(futures)
    }
    // ANCHOR_END: select

    // ANCHOR: channels
    fn oneshot<T: Send + 'static>()
    -> (impl FnOnce(T) -> Result<(), T> + Send + 'static, impl Future<Output = Option<T>> + Send + 'static) {
        let (sender, receiver) = channels::oneshot();
        (|value| sender.send(value), receiver)
    }

    fn channel<T: Send + 'static>(capacity: usize) -> (impl Sender<T>, impl Receiver<T>) {
        channels::channel(capacity)
    }
    // ANCHOR_END: channels

    // ANCHOR: permits
    fn semaphore(permits: usize) -> impl Semaphore {
        permits::Semaphore::new(permits)
    }

    fn mutex<T: Send + 'static>(value: T) -> impl Mutex<T> {
        permits::Mutex::new(value)
    }

    fn notify() -> impl Notify {
        permits::Notify::new()
    }
    // ANCHOR_END: permits
}

// ANCHOR: channel_traits
impl<T: Send + 'static> Sender<T> for channels::Sender<T> {
    fn send(&self, value: T) -> impl Future<Output = Result<(), T>> + Send {
        channels::Sender::send(self, value)
    }
}

impl<T: Send + 'static> Receiver<T> for channels::Receiver<T> {
    fn recv(&mut self) -> impl Future<Output = Option<T>> + Send {
        channels::Receiver::recv(self)
    }
}
// ANCHOR_END: channel_traits

// ANCHOR: permit_traits
impl Semaphore for permits::Semaphore {
    type Permit = permits::Permit;

    fn acquire(&self) -> impl Future<Output = permits::Permit> + Send {
        permits::Semaphore::acquire(self)
    }
}

impl<T: Send + 'static> Mutex<T> for permits::Mutex<T> {
    type Guard = permits::Guard<T>;

    fn lock(&self) -> impl Future<Output = permits::Guard<T>> + Send {
        permits::Mutex::lock(self)
    }
}

impl Notify for permits::Notify {
    fn notify_one(&self) {
        permits::Notify::notify_one(self);
    }

    fn notified(&self) -> impl Future<Output = ()> + Send {
        permits::Notify::notified(self)
    }
}
// ANCHOR_END: permit_traits

/// The handle of stage 8.
struct Joined<T>(s08_join::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|error| match error {
            s08_join::JoinError::Cancelled => Ended::Cancelled,
            s08_join::JoinError::Panicked(panic) => {
                Ended::Panicked(panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()))
            }
        })
    }
}

impl<T: Send + 'static> Handle<T> for Joined<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

/// Only these chapters: the stages that reach sockets are judged by the others.
fn main() -> ExitCode {
    only_one_if_asked::<Mine>("stages 13 to 15");
    let cases = up_to::<Mine>(15).into_iter().filter(|case| case.chapter >= 13);
    let mut failed = false;
    for case in cases {
        let outcome = attempt("stages 13 to 15", &case);
        if outcome != Outcome::Passed {
            println!("    {}: {outcome}", case.name);
            failed = true;
        }
    }
    println!("stages 13 to 15: {}", if failed { "FAILED" } else { "ok" });
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
