//! Something that happens once, and that any number of tasks can wait for.

use slab::Slab;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

/// Not set; then, for ever, set. Setting it wakes everybody who waits, in the order in which they came.
///
/// ```
/// use std::sync::Arc;
/// runtime::block_on(async {
///     let stop = Arc::new(runtime::sync::Event::new());
///     let task = runtime::spawn({
///         let stop = stop.clone();
///         async move { stop.wait().await }
///     });
///     stop.set();
///     task.await.unwrap();
///     stop.wait().await; // at once
/// });
/// ```
#[derive(Debug, Default)]
pub struct Event(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    set: bool,
    waiting: Slab<Waiter>,
    arrivals: u64,
}

#[derive(Debug)]
struct Waiter {
    arrival: u64,
    waker: Waker,
}

impl Event {
    /// One that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it. Setting it again changes nothing.
    pub fn set(&self) {
        let mut waiting = {
            let mut state = self.0.lock().unwrap();
            state.set = true;
            // Each waiter removes its own entry later; it finds none.
            std::mem::take(&mut state.waiting).into_iter().map(|(_, waiter)| waiter).collect::<Vec<_>>()
        };
        waiting.sort_by_key(|waiter| waiter.arrival);
        // A waker that panics must not keep the others from being woken; the first panic goes on when all are.
        let mut panicked = None;
        for waiter in waiting {
            panicked = panicked.or(catch_unwind(AssertUnwindSafe(|| waiter.waker.wake())).err());
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }

    /// Is it set?
    pub fn is_set(&self) -> bool {
        self.0.lock().unwrap().set
    }

    /// Waits until it is set.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn wait(&self) -> Wait<'_> {
        Wait { event: self, entry: None }
    }
}

/// Waits for an [`Event`].
#[derive(Debug)]
#[must_use = "waiting does nothing until it is awaited"]
pub struct Wait<'event> {
    event: &'event Event,
    entry: Option<usize>,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Cloned before the lock, dropped after it: a waker may be anybody's code.
        let waker = context.waker().clone();
        let mut state = self.event.0.lock().unwrap();
        if state.set {
            return Poll::Ready(());
        }
        let stale = match self.entry {
            Some(entry) => Some(std::mem::replace(&mut state.waiting[entry].waker, waker)),
            None => {
                let arrival = state.arrivals;
                state.arrivals += 1;
                let entry = state.waiting.insert(Waiter { arrival, waker });
                drop(state);
                self.entry = Some(entry);
                return Poll::Pending;
            }
        };
        drop(state);
        drop(stale);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            let removed = {
                let mut state = self.event.0.lock().unwrap();
                // Once it is set the entries are gone, and none is made any more.
                if state.set { None } else { state.waiting.try_remove(entry) }
            };
            drop(removed);
        }
    }
}
