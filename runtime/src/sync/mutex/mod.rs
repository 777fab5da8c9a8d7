//! One at a time, and its guard may be held across an `await`.
//!
//! All that it takes is one permit, and a cell that only its owner can look into: see `semaphore::permits` and `guarded`.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::guarded::{Exclusive, Guarded, ONE, guard};
use crate::std_or_loom::const_fn;
use std::{fmt, sync::Arc};

/// A value that one task has at a time.
///
/// For what is only looked at and put back between two awaits, [`std::sync::Mutex`] is the better lock: cheaper, and nobody can
/// have it for long. This one is for what must not change while its owner awaits: a connection, a file, a check and the act that
/// relies on it.
///
/// Fair: who asks first is first, and the lock goes from hand to hand. So it belongs, from the moment when it is given, to a task
/// that may not have run yet; and if the future that waited is never polled again (a branch of a `select!` that is kept while
/// another branch is awaited to its end), nobody gets past it. Drop what you do not poll: the lock goes on.
///
/// There is no poisoning: a panic while the guard is held gives the lock back, and the next finds the value as it was left.
///
/// ```
/// use runtime::{future::join_all, sync::Mutex, yield_now};
/// runtime::block_on(async {
///     let counter = Mutex::new(0);
///     let adding = (0..3).map(async |_| {
///         let mut counter = counter.lock().await;
///         let seen = *counter;
///         yield_now().await; // with a lock that is given back before this, the others' work would be lost
///         *counter = seen + 1;
///     });
///     join_all(adding).await;
///     assert_eq!(counter.into_inner(), 3);
/// });
/// ```
pub struct Mutex<T: ?Sized>(
    /// `guarded` lends it out.
    pub(super) Guarded<T>,
);

/// The value of a [`Mutex`], until it is dropped.
///
/// ```
/// runtime::block_on(async {
///     let list = runtime::sync::Mutex::new(vec![1]);
///     list.lock().await.push(2);
///     assert_eq!(*list.lock().await, [1, 2]);
/// });
/// ```
#[must_use = "a lock that is not kept is given back at once"]
pub struct MutexGuard<'mutex, T: ?Sized> {
    lent: Exclusive<&'mutex Mutex<T>, T>,
}

/// A [`MutexGuard`] that borrows nothing: it shares the mutex.
///
/// ```
/// use runtime::sync::Mutex;
/// runtime::block_on(async {
///     let list = std::sync::Arc::new(Mutex::new(vec![1]));
///     let mut guard = list.clone().lock_owned().await;
///     runtime::spawn(async move { guard.push(2) }).await.unwrap();
///     assert_eq!(*list.lock().await, [1, 2]);
/// });
/// ```
#[must_use = "a lock that is not kept is given back at once"]
pub struct OwnedMutexGuard<T: ?Sized> {
    lent: Exclusive<Arc<Mutex<T>>, T>,
}

/// Somebody has the lock, or was there before.
///
/// ```
/// use runtime::sync::{Mutex, TryLockError};
/// let mutex = Mutex::new(1);
/// let _guard = mutex.try_lock().unwrap();
/// assert_eq!(mutex.try_lock().unwrap_err(), TryLockError);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryLockError;

impl<T> Mutex<T> {
    const_fn! {
        /// One that nobody has.
        ///
        /// ```
        /// use runtime::sync::Mutex;
        /// static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());
        /// runtime::block_on(async { NAMES.lock().await.push("Ada".to_owned()) });
        /// ```
        pub fn new(value: T) -> Self {
            Self(Guarded::new(value, ONE))
        }
    }

    /// The value.
    ///
    /// ```
    /// let mutex = runtime::sync::Mutex::new(1);
    /// *mutex.try_lock().unwrap() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// A task that has it and asks again waits for itself, for ever.
    ///
    /// # Cancel safety
    /// Whoever stops waiting loses its place, and nothing else: a lock that it had been given goes to the next.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mutex = runtime::sync::Mutex::new(1);
    ///     *mutex.lock().await += 1;
    ///     assert_eq!(*mutex.lock().await, 2);
    /// });
    /// ```
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { lent: Exclusive::lock(self).await }
    }

    /// The lock, if nobody has it and nobody waits for it.
    ///
    /// # Errors
    /// [`TryLockError`]: somebody has it, or was there before.
    ///
    /// ```
    /// let mutex = runtime::sync::Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_ok());
    /// ```
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        Exclusive::try_lock(self).map(|lent| MutexGuard { lent }).ok_or(TryLockError)
    }

    /// [`lock`](Self::lock), for a guard that borrows nothing: it can go to a task of its own.
    ///
    /// # Cancel safety
    /// As with [`lock`](Self::lock).
    ///
    /// ```
    /// use runtime::sync::Mutex;
    /// runtime::block_on(async {
    ///     let mutex = std::sync::Arc::new(Mutex::new(1));
    ///     let guard = mutex.clone().lock_owned().await;
    ///     let reading = runtime::spawn(async move { *guard });
    ///     assert_eq!(reading.await.unwrap(), 1);
    /// });
    /// ```
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        OwnedMutexGuard { lent: Exclusive::lock(self).await }
    }

    /// [`try_lock`](Self::try_lock), for a guard that borrows nothing.
    ///
    /// # Errors
    /// [`TryLockError`]: somebody has it, or was there before.
    ///
    /// ```
    /// let mutex = std::sync::Arc::new(runtime::sync::Mutex::new(1));
    /// let _guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(mutex.try_lock_owned().is_err());
    /// ```
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        Exclusive::try_lock(self).map(|lent| OwnedMutexGuard { lent }).ok_or(TryLockError)
    }

    /// The value, without a lock: whoever has the mutex for itself alone needs none.
    ///
    /// ```
    /// let mut mutex = runtime::sync::Mutex::new(1);
    /// *mutex.get_mut() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<'mutex, T: ?Sized> MutexGuard<'mutex, T> {
    /// The mutex that it is of. (A function, not a method: the value may have one of that name.)
    ///
    /// ```
    /// use runtime::sync::{Mutex, MutexGuard};
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    /// ```
    pub fn mutex(guard: &Self) -> &'mutex Mutex<T> {
        guard.lent.hold()
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The mutex that it is of. (A function, not a method: the value may have one of that name.)
    ///
    /// ```
    /// use runtime::sync::{Mutex, OwnedMutexGuard};
    /// let guard = std::sync::Arc::new(Mutex::new(1)).try_lock_owned().unwrap();
    /// let mutex = OwnedMutexGuard::mutex(&guard).clone();
    /// drop(guard);
    /// assert_eq!(*mutex.try_lock().unwrap(), 1);
    /// ```
    pub fn mutex(guard: &Self) -> &Arc<Mutex<T>> {
        guard.lent.hold()
    }
}

guard!(['mutex, T: ?Sized] mut MutexGuard<'mutex, T>);
guard!([T: ?Sized] mut OwnedMutexGuard<T>);

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Ok(guard) => f.debug_tuple("Mutex").field(&&*guard).finish(),
            Err(TryLockError) => f.debug_tuple("Mutex").field(&format_args!("<locked>")).finish(),
        }
    }
}

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("somebody has the lock, or was there before")
    }
}

impl std::error::Error for TryLockError {}
