//! Several futures in one task: who is polled when, in which order, and what is dropped when.

#[path = "../sync/support.rs"]
#[allow(dead_code)] // It is shared, and not all of it is needed here.
mod support;

mod fairness;
mod join;
mod select;
mod unordered;

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

/// A future that is ready when it is told to, with a number; and what was seen of it.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    open: Option<u32>,
    waker: Option<Waker>,
    polls: usize,
}

struct Through(Gate);

impl Gate {
    fn many(count: usize) -> Vec<Gate> {
        (0..count).map(|_| Gate::default()).collect()
    }

    fn wait(&self) -> Through {
        Through(self.clone())
    }

    fn open(&self, number: u32) {
        self.0.lock().unwrap().open = Some(number);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker();
        waker.wake();
    }

    /// That of the last poll.
    fn waker(&self) -> Waker {
        self.0.lock().unwrap().waker.clone().unwrap_or(Waker::noop().clone())
    }

    fn polls(&self) -> usize {
        self.0.lock().unwrap().polls
    }

    /// Futures and handles that are left.
    fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl Future for Through {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let mut seen = self.0.0.lock().unwrap();
        seen.polls += 1;
        seen.waker = Some(context.waker().clone());
        seen.open.map_or(Poll::Pending, Poll::Ready)
    }
}

fn polls(gates: &[Gate]) -> Vec<usize> {
    gates.iter().map(Gate::polls).collect()
}

/// Runs a test on a broken twin: it must fail, and with these words, lest it fail for another reason.
#[track_caller]
fn must_fail(words: &str, test: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(test)).expect_err("the broken twin passes: the test proves nothing");
    let said = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    assert!(said.is_some_and(|said| said.contains(words)), "it fails with {said:?}");
}

fn virtual_clock() -> runtime::Runtime {
    runtime::Runtime::builder().virtual_clock().build().unwrap()
}
