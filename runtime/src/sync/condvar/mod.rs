//! Waiting, under a lock, until something holds.
//!
//! Whoever waits stands in line before it gives the lock back: so what is changed under the lock after its look is announced
//! after it stands there, and a notification is never missed. To take the lock again is a wait of its own, in the lock's line.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::{
    MutexGuard,
    waiters::{self, Key, Waiters, Wakers},
};
use crate::{
    awaits,
    std_or_loom::{self, const_fn},
};
use std::{
    fmt,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

/// Lets tasks wait for a change of what a [`Mutex`](super::Mutex) guards.
///
/// The task that looked, and did not find what it needs, gives its guard to [`wait`](Self::wait) and gets it back when
/// another one has notified it. Look again then: it is notified that something changed, not that it is what it needs
/// ([`wait_while`](Self::wait_while) looks by itself). One `Condvar` goes with one mutex.
///
/// ```
/// use runtime::{spawn, sync::{Condvar, Mutex}};
/// use std::sync::Arc;
/// runtime::block_on(async {
///     let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
///     let consumer = spawn({
///         let shared = shared.clone();
///         async move {
///             let items = shared.0.lock().await;
///             let mut items = shared.1.wait_while(items, |items| items.is_empty()).await;
///             items.pop()
///         }
///     });
///     shared.0.lock().await.push(7);
///     shared.1.notify_one();
///     assert_eq!(consumer.await.unwrap(), Some(7));
/// });
/// ```
pub struct Condvar(std_or_loom::Mutex<Waiters<By>>);

/// Who notified a waiter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// It alone was notified: if it goes before it has the lock, the next one must look.
    One,
    /// All were.
    All,
}

impl Condvar {
    const_fn! {
        /// One that nobody waits for.
        ///
        /// ```
        /// static CHANGED: runtime::sync::Condvar = runtime::sync::Condvar::new();
        /// CHANGED.notify_all();
        /// ```
        pub fn new() -> Self {
            Self(std_or_loom::Mutex::new(Waiters::new()))
        }
    }

    /// Gives the lock back, waits until it is notified, and takes the lock again.
    ///
    /// # Cancel safety
    /// A waiter that is dropped does **not** hold the lock, wherever it was: a dropped future holds nothing. (Python's and
    /// Trio's conditions take the lock again before the cancellation surfaces. What follows a `timeout` around this call must
    /// lock again if it needs to.) No notification is lost: one by [`notify_one`](Self::notify_one) that it had got goes to
    /// the next in line, also if it was already waiting for the lock.
    ///
    /// ```
    /// use runtime::{sync::{Condvar, Mutex}, time::timeout};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let (mutex, changed) = (Mutex::new(0), Condvar::new());
    ///     let guard = mutex.lock().await;
    ///     assert!(timeout(Duration::from_millis(1), changed.wait(guard)).await.is_err());
    ///     assert!(mutex.try_lock().is_ok()); // it went without the lock
    /// });
    /// ```
    pub async fn wait<'mutex, T: ?Sized>(&self, guard: MutexGuard<'mutex, T>) -> MutexGuard<'mutex, T> {
        let mutex = MutexGuard::mutex(&guard);
        let mut waiting = Waiting { condvar: self, key: None, notified: None };
        let mut guard = Some(guard);
        poll_fn(|context| {
            let polled = waiting.poll_notified(context);
            // In line first; then the lock, without our own.
            drop(guard.take());
            polled
        })
        .await;
        let guard = mutex.lock().await;
        waiting.notified = None;
        guard
    }

    /// [Waits](Self::wait) while `condition` holds of what the mutex guards. If it does not hold now, it does not wait.
    ///
    /// # Cancel safety
    /// As with [`wait`](Self::wait): nothing is lost, and the lock is not held.
    ///
    /// ```
    /// use runtime::{future::join, sync::{Condvar, Mutex}};
    /// runtime::block_on(async {
    ///     let (free, changed) = (Mutex::new(0), Condvar::new());
    ///     let take = async {
    ///         let mut free = changed.wait_while(free.lock().await, |free| *free == 0).await;
    ///         *free -= 1;
    ///     };
    ///     let give = async {
    ///         *free.lock().await += 1;
    ///         changed.notify_one();
    ///     };
    ///     join(take, give).await;
    ///     assert_eq!(*free.lock().await, 0);
    /// });
    /// ```
    pub async fn wait_while<'mutex, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'mutex, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'mutex, T> {
        while condition(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// Notifies the one who waits longest. If nobody waits, nothing is kept.
    ///
    /// Change what the mutex guards before you call it, under the lock; call it with the lock held or after it, as you like.
    /// If it is held, whoever is woken waits for it.
    ///
    /// # Panics
    /// When the waker panics.
    ///
    /// ```
    /// use runtime::{future::join, sync::{Condvar, Mutex}};
    /// runtime::block_on(async {
    ///     let (mutex, changed) = (Mutex::new(()), Condvar::new());
    ///     let wait = async { drop(changed.wait(mutex.lock().await).await) };
    ///     join(wait, async { changed.notify_one() }).await;
    /// });
    /// ```
    pub fn notify_one(&self) {
        let waker = self.0.lock().unwrap().choose();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Notifies the `count` who wait longest, or all if they are fewer; with 0, nobody.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join_all, sync::{Condvar, Mutex}};
    /// runtime::block_on(async {
    ///     let (mutex, changed) = (Mutex::new(()), Condvar::new());
    ///     let wait = async || drop(changed.wait(mutex.lock().await).await);
    ///     let both = join_all([wait(), wait()]);
    ///     runtime::future::join(both, async { changed.notify_many(2) }).await;
    /// });
    /// ```
    pub fn notify_many(&self, count: usize) {
        let mut wakers = Wakers::default();
        let mut waiting = self.0.lock().unwrap();
        wakers.extend((0..count).map_while(|_| waiting.choose()));
        drop(waiting);
        wakers.wake();
    }

    /// Notifies all who wait, in the order in which they came.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join_all, sync::{Condvar, Mutex}};
    /// runtime::block_on(async {
    ///     let (open, changed) = (Mutex::new(false), Condvar::new());
    ///     let enter = async || drop(changed.wait_while(open.lock().await, |open| !*open).await);
    ///     let opens = async {
    ///         *open.lock().await = true;
    ///         changed.notify_all();
    ///     };
    ///     runtime::future::join(join_all([enter(), enter()]), opens).await;
    /// });
    /// ```
    pub fn notify_all(&self) {
        let mut wakers = Wakers::default();
        let mut waiting = self.0.lock().unwrap();
        while let Some(by) = waiting.first() {
            *by = By::All;
            wakers.extend(waiting.choose());
        }
        drop(waiting);
        wakers.wake();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").field("waiting", &self.0.lock().unwrap().len()).finish()
    }
}

/// One who waits, until it has the lock again.
struct Waiting<'condvar> {
    condvar: &'condvar Condvar,
    key: Option<Key>,
    /// By whom, from then on until it has the lock.
    notified: Option<By>,
}

impl Waiting<'_> {
    fn poll_notified(&mut self, context: &Context<'_>) -> Poll<()> {
        let look = |waiting: &mut Waiters<By>, key: Option<Key>| {
            let key = key.filter(|key| waiting.is_chosen(*key))?;
            Some(waiting.remove(key).wants)
        };
        match waiters::poll_expecting_to_wait(
            &self.condvar.0,
            &mut self.key,
            context,
            look,
            |waiting| waiting,
            || By::One,
        ) {
            Poll::Ready(by) => {
                // No budget: to take the lock again costs one.
                self.notified = Some(by);
                Poll::Ready(())
            }
            Poll::Pending => {
                awaits::waits_for("condvar", std::ptr::from_ref(self.condvar).addr());
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut notified = self.notified;
        if let Some(key) = self.key {
            let gone = self.condvar.0.lock().unwrap().remove(key);
            if gone.chosen {
                notified = Some(gone.wants);
            }
            drop(gone.waker);
        }
        if notified == Some(By::One) {
            self.condvar.notify_one();
        }
    }
}
