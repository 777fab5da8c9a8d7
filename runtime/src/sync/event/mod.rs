//! Something that has happened, and that any number of tasks can wait for.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::waiters::{self, Key, Waiters, Wakers};
use crate::{
    awaits, budget,
    std_or_loom::{AtomicU8, Mutex, Ordering, const_fn},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

const UNSET: u8 = 0;
const SET: u8 = 1;

/// Not set; then set, until somebody [clears](Self::clear) it, which most never do. Setting it wakes everybody who waits, in
/// the order in which they came; whoever waited then passes, also if it is cleared before they run.
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
pub struct Event {
    /// Changed under the lock; read without it by those who only want to know.
    state: AtomicU8,
    /// Nobody is in line while it is set.
    waiting: Mutex<Waiters<()>>,
}

impl Event {
    const_fn! {
        /// One that is not set.
        ///
        /// ```
        /// static STOP: runtime::sync::Event = runtime::sync::Event::new();
        /// assert!(!STOP.is_set());
        /// ```
        pub fn new() -> Self {
            Self { state: AtomicU8::new(UNSET), waiting: Mutex::new(Waiters::new()) }
        }
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
        let mut wakers = Wakers::default();
        // The lock, also when it looks set: a look orders nothing, and whoever is clearing it must find what this call announces.
        let mut waiting = self.waiting.lock().unwrap();
        // Pairs with the loads in `is_set`.
        self.state.store(SET, Ordering::Release);
        waiting.choose_all(&mut wakers);
        drop(waiting);
        wakers.wake();
    }

    /// Makes it unset again, and says whether it was set. Whoever waited when it was set still passes.
    ///
    /// To take up work that others announce, clear first and look for the work then: what is announced in between sets the
    /// event again.
    ///
    /// ```
    /// let event = runtime::sync::Event::new();
    /// event.set();
    /// assert!(event.clear());
    /// assert!(!event.is_set());
    /// assert!(!event.clear());
    /// ```
    pub fn clear(&self) -> bool {
        let _waiting = self.waiting.lock().unwrap();
        self.state.swap(UNSET, Ordering::Relaxed) == SET
    }

    /// Is it set? One load.
    ///
    /// ```
    /// let event = runtime::sync::Event::new();
    /// event.set();
    /// assert!(event.is_set()); // until it is cleared
    /// ```
    pub fn is_set(&self) -> bool {
        // Pairs with the store in `set`: what came before the event is seen.
        self.state.load(Ordering::Acquire) == SET
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
        Wait { event: self, key: None, passes: false }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).finish_non_exhaustive()
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
    key: Option<Key>,
    /// It was set while this one waited. A poll without a budget does not forget that, whatever happens to the event.
    passes: bool,
}

impl Wait<'_> {
    fn poll_set(&mut self, context: &Context<'_>) -> Poll<()> {
        let event = self.event;
        // Whoever is in line looks under the lock: what it may find is its own place.
        if self.key.is_none() && event.is_set() {
            return Poll::Ready(());
        }
        waiters::poll_expecting_to_wait(
            &event.waiting,
            &mut self.key,
            context,
            |waiting, key| match key {
                Some(key) => waiting.is_chosen(key).then(|| waiting.remove(key).wants),
                None => event.is_set().then_some(()),
            },
            |waiting| waiting,
            || (),
        )
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.passes {
            if self.poll_set(context).is_pending() {
                awaits::waits_for("event", std::ptr::from_ref(self.event).addr());
                return Poll::Pending;
            }
            self.passes = true;
        }
        ready!(budget::spend_reserve(context));
        Poll::Ready(())
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = self.event.waiting.lock().unwrap().remove(key);
            // Its waker is anybody's code, and goes without the lock.
            drop(gone);
        }
    }
}
