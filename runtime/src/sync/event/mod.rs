//! Something that happens once, and that any number of tasks can wait for.

use crate::budget;
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
    ///
    /// ```
    /// assert!(!runtime::sync::Event::new().is_set());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it. Setting it again changes nothing.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join_all, sync::Event};
    /// let stop = Event::new();
    /// runtime::block_on(async {
    ///     let everybody = join_all((0..3).map(|_| stop.wait()));
    ///     let ((), heard) = runtime::future::join(async { stop.set() }, everybody).await;
    ///     assert_eq!(heard.len(), 3);
    /// });
    /// ```
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
    ///
    /// ```
    /// let event = runtime::sync::Event::new();
    /// event.set();
    /// assert!(event.is_set()); // for ever
    /// ```
    pub fn is_set(&self) -> bool {
        self.0.lock().unwrap().set
    }

    /// Waits until it is set.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// use runtime::{future::{Either, race}, sync::Event, time::sleep};
    /// use std::time::Duration;
    /// let stop = Event::new();
    /// runtime::block_on(async {
    ///     let work = race(stop.wait(), sleep(Duration::from_millis(1)));
    ///     assert_eq!(work.await, Either::Right(())); // nobody stopped it
    ///     stop.set();
    ///     stop.wait().await; // at once
    /// });
    /// ```
    pub fn wait(&self) -> Wait<'_> {
        Wait { event: self, entry: None }
    }
}

/// Waits for an [`Event`].
///
/// ```
/// use std::{pin::pin, time::Duration};
/// let (event, patience) = (runtime::sync::Event::new(), Duration::from_millis(1));
/// runtime::block_on(async {
///     let mut wait = pin!(event.wait());
///     assert!(runtime::time::timeout(patience, wait.as_mut()).await.is_err()); // it keeps its place in the queue
///     event.set();
///     wait.await;
/// });
/// ```
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
            // The waker may be anybody's code.
            drop(state);
            return budget::spend_reserve(context);
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
