//! Futures that are not `Send`: bound to the thread on which they were made.
//!
//! The cell asks for a `Send` future, because its tasks go from worker to worker. A future that must not is wrapped so that
//! the rule is kept while the program runs instead of by the compiler: it is polled and dropped on its own thread only. The
//! scheduler sees to it that this is so ([`Schedule::PINNED`](super::Schedule::PINNED)); should it ever not be, the wrapper
//! panics rather than poll, and leaks rather than drop.
#![expect(unsafe_code, reason = "it vouches for what the compiler cannot see: that the thread is always the same")]

use std::{
    future::Future,
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll},
    thread::{self, ThreadId},
};

pub(crate) struct BoundToThread<F> {
    thread: ThreadId,
    future: ManuallyDrop<F>,
}

// SAFETY: the future is reached by `poll` and `drop` alone, and both look at the thread first.
unsafe impl<F> Send for BoundToThread<F> {}

impl<F> BoundToThread<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { thread: thread::current().id(), future: ManuallyDrop::new(future) }
    }

    fn is_at_home(&self) -> bool {
        self.thread == thread::current().id()
    }
}

impl<F: Future> Future for BoundToThread<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        assert!(self.is_at_home(), "a local task was polled away from its thread");
        // SAFETY: the future is pinned with the wrapper: nothing moves it out, and `drop` drops it in place.
        unsafe { self.map_unchecked_mut(|wrapper| &mut *wrapper.future) }.poll(context)
    }
}

impl<F> Drop for BoundToThread<F> {
    fn drop(&mut self) {
        if self.is_at_home() {
            // SAFETY: dropped once, here, and never used again.
            unsafe { ManuallyDrop::drop(&mut self.future) };
        }
    }
}
