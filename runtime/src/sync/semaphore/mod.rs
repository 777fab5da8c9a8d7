//! Permits: so many at once, first come first served.
//!
//! - Whoever asks waits behind those who asked before, also if fewer permits would do for it: one who wants many is never
//!   overtaken for ever. Permits that come back go to those who wait, from hand to hand; the releaser that asks again stands in
//!   line like everybody.
//! - A [`Permit`] gives itself back when it is dropped: by a return, a panic, or the abort of its task. So nothing is released
//!   twice, and there is no bounded semaphore that looks for it.
//! - One who waits and is dropped leaves nothing behind: not its place, and not a permit that was given to it already.

#[cfg(all(test, runtime_loom))]
pub(super) mod loom_models;
mod permit;
mod permits;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

pub use permit::{OwnedPermit, Permit};
pub(super) use permits::{MAX, Permits, Refused};

use crate::std_or_loom::const_fn;
use std::{fmt, sync::Arc};

/// So many permits, for as many tasks to do something at once.
///
/// Fair: first come, first served. Whoever waits for several holds back those behind it. It needs no runtime, and can be a
/// `static`.
///
/// ```
/// use runtime::{future::join_all, sync::Semaphore, time::sleep};
/// use std::{cell::Cell, time::Duration};
/// runtime::block_on(async {
///     let (two_at_once, inside) = (Semaphore::new(2), Cell::new(0));
///     let visits = (0..5).map(async |_| {
///         let _permit = two_at_once.acquire().await.unwrap();
///         inside.set(inside.get() + 1);
///         assert!(inside.get() <= 2);
///         sleep(Duration::from_millis(1)).await;
///         inside.set(inside.get() - 1);
///     });
///     join_all(visits).await;
///     assert_eq!(two_at_once.available_permits(), 2);
/// });
/// ```
pub struct Semaphore(Permits);

/// The semaphore was closed: nobody gets a permit any more.
///
/// ```
/// use runtime::sync::{Closed, Semaphore};
/// let semaphore = Semaphore::new(1);
/// semaphore.close();
/// assert_eq!(runtime::block_on(semaphore.acquire()).unwrap_err(), Closed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Why [`Semaphore::try_acquire`] has no permit.
///
/// ```
/// use runtime::sync::{Semaphore, TryAcquireError};
/// let semaphore = Semaphore::new(0);
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits); // ask again later
/// semaphore.close();
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed); // do not
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// There are too few, or those that there are belong to others who asked before.
    NoPermits,
    /// The semaphore was closed.
    Closed,
}

const KIND: &str = "semaphore";

impl Semaphore {
    /// The most permits that a semaphore can have free.
    pub const MAX_PERMITS: usize = MAX;

    const_fn! {
        /// One with so many permits. With none, everybody waits until some are [added](Self::add_permits).
        ///
        /// # Panics
        /// With more than [`MAX_PERMITS`](Self::MAX_PERMITS).
        ///
        /// ```
        /// use runtime::sync::Semaphore;
        /// static CONNECTIONS: Semaphore = Semaphore::new(10);
        /// let _permit = CONNECTIONS.try_acquire().unwrap();
        /// assert_eq!(CONNECTIONS.available_permits(), 9);
        /// ```
        pub fn new(permits: usize) -> Self {
            Self(Permits::new(permits))
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`Closed`]: the semaphore was closed, before or while it waited.
    ///
    /// # Cancel safety
    /// Whoever stops waiting loses its place, and nothing else: a permit that it had been given goes to the next.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// runtime::block_on(async {
    ///     let semaphore = Semaphore::new(1);
    ///     let permit = semaphore.acquire().await.unwrap();
    ///     assert_eq!(semaphore.available_permits(), 0);
    ///     drop(permit);
    ///     assert_eq!(semaphore.available_permits(), 1);
    /// });
    /// ```
    pub async fn acquire(&self) -> Result<Permit<'_>, Closed> {
        self.acquire_many(1).await
    }

    /// Waits for so many permits, all of them together. Those behind wait as long, also if there are enough for them. None of
    /// zero has to be waited for.
    ///
    /// # Errors
    /// [`Closed`]: the semaphore was closed, before or while it waited.
    ///
    /// # Panics
    /// With more than [`MAX_PERMITS`](Self::MAX_PERMITS). (With more than there will ever be, it waits for ever.)
    ///
    /// # Cancel safety
    /// As with [`acquire`](Self::acquire); those that it held back can go on.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// runtime::block_on(async {
    ///     let megabytes = Semaphore::new(100);
    ///     let mine = megabytes.acquire_many(64).await.unwrap();
    ///     assert_eq!((mine.num_permits(), megabytes.available_permits()), (64, 36));
    /// });
    /// ```
    pub async fn acquire_many(&self, permits: usize) -> Result<Permit<'_>, Closed> {
        self.0.acquire(permits, KIND).await.map_err(|_| Closed)?;
        Ok(Permit::new(self, permits))
    }

    /// [`acquire`](Self::acquire), for a permit that borrows nothing: it can go to a task of its own.
    ///
    /// # Errors
    /// [`Closed`]: the semaphore was closed, before or while it waited.
    ///
    /// # Cancel safety
    /// As with [`acquire`](Self::acquire).
    ///
    /// ```
    /// use runtime::{spawn, sync::Semaphore};
    /// use std::sync::Arc;
    /// runtime::block_on(async {
    ///     let ten_at_once = Arc::new(Semaphore::new(10));
    ///     for job in 0..100 {
    ///         let permit = ten_at_once.clone().acquire_owned().await.unwrap();
    ///         drop(spawn(async move {
    ///             let _permit = permit;
    ///             job * job
    ///         }));
    ///     }
    /// });
    /// ```
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedPermit, Closed> {
        self.acquire_many_owned(1).await
    }

    /// [`acquire_many`](Self::acquire_many), for permits that borrow nothing.
    ///
    /// # Errors
    /// [`Closed`]: the semaphore was closed, before or while it waited.
    ///
    /// # Panics
    /// With more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Cancel safety
    /// As with [`acquire_many`](Self::acquire_many).
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// use std::sync::Arc;
    /// runtime::block_on(async {
    ///     let semaphore = Arc::new(Semaphore::new(3));
    ///     let two = semaphore.clone().acquire_many_owned(2).await.unwrap();
    ///     assert_eq!((two.num_permits(), semaphore.available_permits()), (2, 1));
    /// });
    /// ```
    pub async fn acquire_many_owned(self: Arc<Self>, permits: usize) -> Result<OwnedPermit, Closed> {
        self.0.acquire(permits, KIND).await.map_err(|_| Closed)?;
        Ok(OwnedPermit::new(self, permits))
    }

    /// A permit, if there is one and nobody waits. (A permit that was just given back may be another's already.)
    ///
    /// # Errors
    /// [`TryAcquireError`]: there is none, or the semaphore was closed.
    ///
    /// ```
    /// use runtime::sync::{Semaphore, TryAcquireError};
    /// let semaphore = Semaphore::new(1);
    /// let _permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// ```
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// So many permits, if they are there and nobody waits. None of zero are always there.
    ///
    /// # Errors
    /// [`TryAcquireError`]: there are too few, or the semaphore was closed.
    ///
    /// # Panics
    /// With more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(3);
    /// let _two = semaphore.try_acquire_many(2).unwrap();
    /// assert!(semaphore.try_acquire_many(2).is_err());
    /// assert!(semaphore.try_acquire_many(0).is_ok());
    /// ```
    pub fn try_acquire_many(&self, permits: usize) -> Result<Permit<'_>, TryAcquireError> {
        self.0.try_take(permits, KIND)?;
        Ok(Permit::new(self, permits))
    }

    /// [`try_acquire`](Self::try_acquire), for a permit that borrows nothing.
    ///
    /// # Errors
    /// [`TryAcquireError`]: there is none, or the semaphore was closed.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let semaphore = std::sync::Arc::new(Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().unwrap();
    /// assert!(semaphore.try_acquire().is_err());
    /// # drop(permit);
    /// ```
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedPermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// [`try_acquire_many`](Self::try_acquire_many), for permits that borrow nothing.
    ///
    /// # Errors
    /// [`TryAcquireError`]: there are too few, or the semaphore was closed.
    ///
    /// # Panics
    /// With more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let semaphore = std::sync::Arc::new(Semaphore::new(3));
    /// let two = semaphore.clone().try_acquire_many_owned(2).unwrap();
    /// assert_eq!((two.num_permits(), semaphore.available_permits()), (2, 1));
    /// ```
    pub fn try_acquire_many_owned(self: Arc<Self>, permits: usize) -> Result<OwnedPermit, TryAcquireError> {
        self.0.try_take(permits, KIND)?;
        Ok(OwnedPermit::new(self, permits))
    }

    /// So many permits more: they go to those who wait, in their order; what is left is free.
    ///
    /// # Panics
    /// When more than [`MAX_PERMITS`](Self::MAX_PERMITS) would be free; nothing is added then. (A permit that is dropped never
    /// panics for that: what is too much is let go.) Also when a waker panics, but not
    /// before all are woken.
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    pub fn add_permits(&self, permits: usize) {
        self.0.add(permits);
    }

    /// So many permits fewer, or as many as are free, if those are less: how many are gone. Those that others hold are forgotten
    /// by [their holders](Permit::forget).
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(3);
    /// let one = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.forget_permits(10), 2);
    /// one.forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// ```
    pub fn forget_permits(&self, permits: usize) -> usize {
        self.0.remove(permits)
    }

    /// Closes it: all who wait, and all who will ask, are told that it is [`Closed`]. Who has a permit keeps it. There is no way
    /// back; closing it again changes nothing.
    ///
    /// What an open semaphore answers, and a closed one:
    ///
    /// | | open | closed |
    /// |---|---|---|
    /// | `try_acquire`, enough free, nobody in line | a permit | `Closed` |
    /// | `try_acquire` otherwise | `NoPermits` | `Closed` |
    /// | `acquire`, enough free, nobody in line | a permit | `Closed` |
    /// | `acquire` otherwise | waits | `Closed` |
    /// | `acquire_many(0)` | a permit of none, at once | `Closed` |
    /// | one who waited when it was closed | | `Closed` |
    /// | one who had been given its permits when it was closed, and was not polled since | | its permits |
    /// | a permit that is dropped, `add_permits` | go to those in line, or are free | are free: nobody will have them |
    /// | `forget_permits`, `available_permits` | work | work |
    /// | `close` | closes it | changes nothing |
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join, sync::{Closed, Semaphore}};
    /// let semaphore = Semaphore::new(0);
    /// runtime::block_on(async {
    ///     let (acquired, ()) = join(semaphore.acquire(), async { semaphore.close() }).await;
    ///     assert_eq!(acquired.unwrap_err(), Closed);
    /// });
    /// ```
    pub fn close(&self) {
        self.0.close();
    }

    /// Was it closed?
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(1);
    /// semaphore.close();
    /// assert!(semaphore.is_closed()); // for ever
    /// ```
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// How many permits are free. They may be kept for one in line who wants more than these.
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(2);
    /// let _permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.0.free()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl From<Refused> for TryAcquireError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotNow => TryAcquireError::NoPermits,
            Refused::Closed => TryAcquireError::Closed,
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no permit will come: the semaphore was closed")
    }
}

impl std::error::Error for Closed {}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryAcquireError::NoPermits => f.write_str("there are not enough permits now"),
            TryAcquireError::Closed => Closed.fmt(f),
        }
    }
}

impl std::error::Error for TryAcquireError {}
