//! An item in hand, and how much of what was put is not done.

use super::{
    super::{
        turns::address,
        waiters::{self, Key, Waiters, Wakers},
    },
    KIND,
};
use crate::{
    awaits, budget,
    std_or_loom::{AtomicUsize, Mutex, Ordering},
};
use std::{
    fmt,
    future::Future,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// What was taken from a queue: the value, and the duty to do it. Dropping it is to be done: the value is dropped, and then it
/// counts.
///
/// ```
/// use runtime::sync::queue::{Item, Queue};
/// async fn visit(mut page: Item<String>) {
///     page.push_str(".html"); // it is a `String`
///     assert_eq!(*page, "index.html");
/// } // done
/// let queue = Queue::unbounded();
/// queue.try_put("index".to_owned()).unwrap();
/// runtime::block_on(async {
///     visit(queue.get().await.unwrap()).await;
///     queue.join().await;
/// });
/// ```
#[must_use = "dropping it says that it is done"]
#[derive(Debug)]
pub struct Item<T> {
    value: T,
    // The field after the value: it is dropped after it.
    unfinished: Unfinished,
}

/// The duty without the value, of [`Item::into_parts`]: while it is held the item is not done, and dropping it says that it is.
///
/// ```
/// let queue = runtime::sync::queue::Queue::unbounded();
/// queue.try_put("job").unwrap();
/// let (job, unfinished) = queue.try_get().unwrap().into_parts();
/// assert_eq!((job, queue.unfinished()), ("job", 1));
/// drop(unfinished);
/// assert_eq!(queue.unfinished(), 0);
/// ```
#[must_use = "dropping it says that the item is done"]
pub struct Unfinished(Arc<Progress>);

/// How much was put and is not done, and who waits until nothing is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    unfinished: AtomicUsize,
    joining: Mutex<Waiters<()>>,
}

impl<T> Item<T> {
    pub(super) fn new(value: T, progress: &Arc<Progress>) -> Self {
        awaits::taken(KIND, address(&progress.joining));
        Self { value, unfinished: Unfinished(progress.clone()) }
    }

    /// The value by itself, and what says that it is not done yet: for a value that has to be consumed, or goes elsewhere.
    ///
    /// ```
    /// use runtime::{spawn, sync::queue::Queue};
    /// runtime::block_on(async {
    ///     let jobs = Queue::unbounded();
    ///     jobs.put(async { 2 + 2 }).await.unwrap();
    ///     let (job, unfinished) = jobs.get().await.unwrap().into_parts();
    ///     let sum = spawn(async move {
    ///         let _unfinished = unfinished; // until the end of the task
    ///         job.await
    ///     });
    ///     jobs.join().await;
    ///     assert_eq!(sum.await.unwrap(), 4);
    /// });
    /// ```
    pub fn into_parts(self) -> (T, Unfinished) {
        (self.value, self.unfinished)
    }
}

impl<T> Deref for Item<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Item<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: PartialEq> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut wakers = Wakers::default();
        awaits::given_back(address(&self.0.joining));
        self.0.done(1, &mut wakers);
        wakers.wake();
    }
}

impl fmt::Debug for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unfinished").finish_non_exhaustive()
    }
}

impl Progress {
    /// One more was put.
    pub(super) fn add(&self) {
        // The queue's lock orders it before the taking, and so before the `done`.
        self.unfinished.fetch_add(1, Ordering::Relaxed);
    }

    /// So many are done. Those who wait for the last of them are to be woken.
    pub(super) fn done(&self, count: usize, wakers: &mut Wakers) {
        // Release: what was done is seen by those who hear that it is done.
        if count > 0 && self.unfinished.fetch_sub(count, Ordering::AcqRel) == count {
            self.joining.lock().unwrap().choose_all(wakers);
        }
    }

    pub(super) fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Acquire)
    }

    pub(super) fn join(&self) -> Join<'_> {
        Join { progress: self, key: None, over: false }
    }
}

/// Waits until nothing is unfinished.
pub(super) struct Join<'queue> {
    progress: &'queue Progress,
    key: Option<Key>,
    /// It was, when there was no budget left to say so.
    over: bool,
}

impl Future for Join<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.over {
            // Looked at under the lock that the last `done` takes: it sees the entry, or the entry's maker sees that it was.
            let look = |joining: &mut Waiters<()>, key: Option<Key>| match key {
                Some(key) => joining.is_chosen(key).then(|| drop(joining.remove(key))),
                None => (this.progress.unfinished() == 0).then_some(()),
            };
            let polled = waiters::poll(&this.progress.joining, &mut this.key, context, look, |joining| joining, || ());
            if polled.is_pending() {
                awaits::waits_for(KIND, address(&this.progress.joining));
            }
            ready!(polled);
            this.over = true;
        }
        budget::spend(context)
    }
}

impl Drop for Join<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let gone = self.progress.joining.lock().unwrap().remove(key);
        drop(gone.waker);
    }
}
