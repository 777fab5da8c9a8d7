//! Many who read, or one who writes.
//!
//! A reader takes one permit, a writer all of them; the line of `semaphore::permits` does the rest, and `guarded` lends the value.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::{
    guarded::{Exclusive, Guarded, READERS, Shared, guard},
    mutex::TryLockError,
};
use crate::std_or_loom::const_fn;
use std::{fmt, sync::Arc};

/// A value that many tasks read at once, or one writes.
///
/// It is worth its price when reading takes long or awaits something. There is no poisoning: after a panic the next finds the
/// value as it was left.
///
/// Fair, first come first served: readers that stand one behind the other go in together; a writer waits until those before it
/// are out, and readers that come after it wait until it has been. So neither writers nor readers starve. One consequence: a task
/// that reads and asks to read again waits behind a writer that came in between, and the writer waits for that task's first
/// guard, for ever. Ask once.
///
/// ```
/// use runtime::sync::RwLock;
/// runtime::block_on(async {
///     let settings = RwLock::new(String::from("a"));
///     {
///         let (one, other) = (settings.read().await, settings.read().await);
///         assert_eq!(*one, *other);
///     }
///     settings.write().await.push('b');
///     assert_eq!(*settings.read().await, "ab");
/// });
/// ```
pub struct RwLock<T: ?Sized>(
    /// `guarded` lends it out.
    pub(super) Guarded<T>,
);

/// The value of an [`RwLock`], with others who read it, until it is dropped.
///
/// ```
/// let lock = runtime::sync::RwLock::new(1);
/// let (one, other) = (lock.try_read().unwrap(), lock.try_read().unwrap());
/// assert_eq!(*one + *other, 2);
/// ```
#[must_use = "a lock that is not kept is given back at once"]
pub struct RwLockReadGuard<'lock, T: ?Sized> {
    lent: Shared<&'lock RwLock<T>, T>,
}

/// The value of an [`RwLock`], alone, until it is dropped.
///
/// ```
/// let lock = runtime::sync::RwLock::new(1);
/// *lock.try_write().unwrap() += 1;
/// assert_eq!(lock.into_inner(), 2);
/// ```
#[must_use = "a lock that is not kept is given back at once"]
pub struct RwLockWriteGuard<'lock, T: ?Sized> {
    lent: Exclusive<&'lock RwLock<T>, T>,
}

/// An [`RwLockReadGuard`] that borrows nothing: it shares the lock.
///
/// ```
/// use runtime::sync::RwLock;
/// runtime::block_on(async {
///     let lock = std::sync::Arc::new(RwLock::new(1));
///     let guard = lock.read_owned().await;
///     assert_eq!(runtime::spawn(async move { *guard }).await.unwrap(), 1);
/// });
/// ```
#[must_use = "a lock that is not kept is given back at once"]
pub struct OwnedRwLockReadGuard<T: ?Sized> {
    lent: Shared<Arc<RwLock<T>>, T>,
}

/// An [`RwLockWriteGuard`] that borrows nothing: it shares the lock.
///
/// ```
/// use runtime::sync::RwLock;
/// runtime::block_on(async {
///     let lock = std::sync::Arc::new(RwLock::new(1));
///     let mut guard = lock.clone().write_owned().await;
///     runtime::spawn(async move { *guard += 1 }).await.unwrap();
///     assert_eq!(*lock.read().await, 2);
/// });
/// ```
#[must_use = "a lock that is not kept is given back at once"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    lent: Exclusive<Arc<RwLock<T>>, T>,
}

impl<T> RwLock<T> {
    const_fn! {
        /// One that nobody has.
        ///
        /// ```
        /// use runtime::sync::RwLock;
        /// static LEVEL: RwLock<u8> = RwLock::new(3);
        /// assert_eq!(*LEVEL.try_read().unwrap(), 3);
        /// ```
        pub fn new(value: T) -> Self {
            Self(Guarded::new(value, READERS))
        }
    }

    /// The value.
    ///
    /// ```
    /// assert_eq!(runtime::sync::RwLock::new(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, and nobody who wants to was there before.
    ///
    /// # Cancel safety
    /// Whoever stops waiting loses its place, and nothing else.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let lock = runtime::sync::RwLock::new(1);
    ///     assert_eq!(*lock.read().await, 1);
    /// });
    /// ```
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard { lent: Shared::lock(self).await }
    }

    /// Waits until nobody else has it.
    ///
    /// # Cancel safety
    /// Whoever stops waiting loses its place, and nothing else: readers that it held back go in.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let lock = runtime::sync::RwLock::new(1);
    ///     *lock.write().await += 1;
    ///     assert_eq!(*lock.read().await, 2);
    /// });
    /// ```
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard { lent: Exclusive::lock(self).await }
    }

    /// To read, if nobody writes and nobody waits.
    ///
    /// # Errors
    /// [`TryLockError`]: somebody writes, or was there before.
    ///
    /// ```
    /// let lock = runtime::sync::RwLock::new(1);
    /// let _guard = lock.try_write().unwrap();
    /// assert!(lock.try_read().is_err());
    /// ```
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        Shared::try_lock(self).map(|lent| RwLockReadGuard { lent }).ok_or(TryLockError)
    }

    /// To write, if nobody has it and nobody waits.
    ///
    /// # Errors
    /// [`TryLockError`]: somebody has it, or was there before.
    ///
    /// ```
    /// let lock = runtime::sync::RwLock::new(1);
    /// let _guard = lock.try_read().unwrap();
    /// assert!(lock.try_write().is_err());
    /// ```
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        Exclusive::try_lock(self).map(|lent| RwLockWriteGuard { lent }).ok_or(TryLockError)
    }

    /// [`read`](Self::read), for a guard that borrows nothing.
    ///
    /// # Cancel safety
    /// As with [`read`](Self::read).
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let lock = std::sync::Arc::new(runtime::sync::RwLock::new(1));
    ///     assert_eq!(*lock.read_owned().await, 1);
    /// });
    /// ```
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { lent: Shared::lock(self).await }
    }

    /// [`write`](Self::write), for a guard that borrows nothing.
    ///
    /// # Cancel safety
    /// As with [`write`](Self::write).
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let lock = std::sync::Arc::new(runtime::sync::RwLock::new(1));
    ///     *lock.clone().write_owned().await += 1;
    ///     assert_eq!(*lock.read().await, 2);
    /// });
    /// ```
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        OwnedRwLockWriteGuard { lent: Exclusive::lock(self).await }
    }

    /// [`try_read`](Self::try_read), for a guard that borrows nothing.
    ///
    /// # Errors
    /// [`TryLockError`]: somebody writes, or was there before.
    ///
    /// ```
    /// let lock = std::sync::Arc::new(runtime::sync::RwLock::new(1));
    /// assert_eq!(*lock.try_read_owned().unwrap(), 1);
    /// ```
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        Shared::try_lock(self).map(|lent| OwnedRwLockReadGuard { lent }).ok_or(TryLockError)
    }

    /// [`try_write`](Self::try_write), for a guard that borrows nothing.
    ///
    /// # Errors
    /// [`TryLockError`]: somebody has it, or was there before.
    ///
    /// ```
    /// let lock = std::sync::Arc::new(runtime::sync::RwLock::new(1));
    /// *lock.clone().try_write_owned().unwrap() += 1;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
    /// ```
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        Exclusive::try_lock(self).map(|lent| OwnedRwLockWriteGuard { lent }).ok_or(TryLockError)
    }

    /// The value, without a lock: whoever has it for itself alone needs none.
    ///
    /// ```
    /// let mut lock = runtime::sync::RwLock::new(1);
    /// *lock.get_mut() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<'lock, T: ?Sized> RwLockWriteGuard<'lock, T> {
    /// Writes no more, and reads on: no other writer comes in between. Readers at the front of the line come in too; a writer
    /// that was there before them keeps them waiting.
    ///
    /// ```
    /// use runtime::sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let mut guard = lock.try_write().unwrap();
    /// *guard += 1;
    /// let guard = RwLockWriteGuard::downgrade(guard);
    /// assert_eq!((*guard, *lock.try_read().unwrap()), (2, 2));
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'lock, T> {
        RwLockReadGuard { lent: guard.lent.downgrade() }
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// Writes no more, and reads on: as [`RwLockWriteGuard::downgrade`].
    ///
    /// ```
    /// use runtime::sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let guard = OwnedRwLockWriteGuard::downgrade(lock.clone().try_write_owned().unwrap());
    /// assert_eq!((*guard, *lock.try_read().unwrap()), (1, 1));
    /// ```
    pub fn downgrade(guard: Self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { lent: guard.lent.downgrade() }
    }
}

guard!(['lock, T: ?Sized] RwLockReadGuard<'lock, T>);
guard!(['lock, T: ?Sized] mut RwLockWriteGuard<'lock, T>);
guard!([T: ?Sized] OwnedRwLockReadGuard<T>);
guard!([T: ?Sized] mut OwnedRwLockWriteGuard<T>);

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_read() {
            Ok(guard) => f.debug_tuple("RwLock").field(&&*guard).finish(),
            Err(TryLockError) => f.debug_tuple("RwLock").field(&format_args!("<locked>")).finish(),
        }
    }
}
