//! What one has who was let in: permits that give themselves back.

use super::{KIND, Semaphore};
use std::{fmt, ptr, sync::Arc};

/// Permits of a [`Semaphore`], given back when it is dropped.
///
/// ```
/// let semaphore = runtime::sync::Semaphore::new(1);
/// {
///     let _permit = semaphore.try_acquire().unwrap();
///     assert!(semaphore.try_acquire().is_err());
/// }
/// assert!(semaphore.try_acquire().is_ok());
/// ```
#[must_use = "a permit that is not kept is given back at once"]
pub struct Permit<'semaphore> {
    semaphore: &'semaphore Semaphore,
    permits: usize,
}

/// A [`Permit`] that borrows nothing: it shares the semaphore.
///
/// ```
/// use runtime::sync::Semaphore;
/// runtime::block_on(async {
///     let semaphore = std::sync::Arc::new(Semaphore::new(1));
///     let permit = semaphore.clone().acquire_owned().await.unwrap();
///     runtime::spawn(async move { drop(permit) }).await.unwrap();
///     assert_eq!(semaphore.available_permits(), 1);
/// });
/// ```
#[must_use = "a permit that is not kept is given back at once"]
pub struct OwnedPermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl<'semaphore> Permit<'semaphore> {
    pub(super) fn new(semaphore: &'semaphore Semaphore, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// How many they are.
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(5);
    /// assert_eq!(semaphore.try_acquire_many(3).unwrap().num_permits(), 3);
    /// ```
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// Does not give them back, ever: the semaphore has fewer from now on.
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Takes another's permits to its own.
    ///
    /// # Panics
    /// When they are of another semaphore.
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(3);
    /// let mut permit = semaphore.try_acquire().unwrap();
    /// permit.merge(semaphore.try_acquire_many(2).unwrap());
    /// assert_eq!(permit.num_permits(), 3);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Permit<'_>) {
        same(self.semaphore, other.semaphore);
        self.permits = self.permits.saturating_add(std::mem::take(&mut other.permits));
    }

    /// Gives so many of its permits to a new one; `None`: it has not so many.
    ///
    /// ```
    /// let semaphore = runtime::sync::Semaphore::new(3);
    /// let mut permit = semaphore.try_acquire_many(3).unwrap();
    /// drop(permit.split(2).unwrap());
    /// assert_eq!((permit.num_permits(), semaphore.available_permits()), (1, 2));
    /// assert!(permit.split(2).is_none());
    /// ```
    pub fn split(&mut self, permits: usize) -> Option<Permit<'semaphore>> {
        self.permits = self.permits.checked_sub(permits)?;
        self.semaphore.0.shared(KIND);
        Some(Permit::new(self.semaphore, permits))
    }
}

impl OwnedPermit {
    pub(super) fn new(semaphore: Arc<Semaphore>, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// How many they are.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let semaphore = std::sync::Arc::new(Semaphore::new(5));
    /// assert_eq!(semaphore.try_acquire_many_owned(3).unwrap().num_permits(), 3);
    /// ```
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that they are of.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let permit = std::sync::Arc::new(Semaphore::new(5)).try_acquire_owned().unwrap();
    /// assert_eq!(permit.semaphore().available_permits(), 4);
    /// ```
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// Does not give them back, ever: the semaphore has fewer from now on.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let semaphore = std::sync::Arc::new(Semaphore::new(2));
    /// semaphore.clone().try_acquire_owned().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Takes another's permits to its own.
    ///
    /// # Panics
    /// When they are of another semaphore.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let semaphore = std::sync::Arc::new(Semaphore::new(3));
    /// let mut permit = semaphore.clone().try_acquire_owned().unwrap();
    /// permit.merge(semaphore.try_acquire_many_owned(2).unwrap());
    /// assert_eq!(permit.num_permits(), 3);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: OwnedPermit) {
        same(&self.semaphore, &other.semaphore);
        self.permits = self.permits.saturating_add(std::mem::take(&mut other.permits));
    }

    /// Gives so many of its permits to a new one; `None`: it has not so many.
    ///
    /// ```
    /// use runtime::sync::Semaphore;
    /// let semaphore = std::sync::Arc::new(Semaphore::new(3));
    /// let mut permit = semaphore.clone().try_acquire_many_owned(3).unwrap();
    /// drop(permit.split(2).unwrap());
    /// assert_eq!((permit.num_permits(), semaphore.available_permits()), (1, 2));
    /// ```
    pub fn split(&mut self, permits: usize) -> Option<OwnedPermit> {
        self.permits = self.permits.checked_sub(permits)?;
        self.semaphore.0.shared(KIND);
        Some(OwnedPermit::new(self.semaphore.clone(), permits))
    }
}

#[track_caller]
fn same(one: &Semaphore, other: &Semaphore) {
    assert!(ptr::eq(one, other), "permits of two semaphores cannot be merged");
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.semaphore.0.give_back(self.permits);
    }
}

impl Drop for OwnedPermit {
    fn drop(&mut self) {
        self.semaphore.0.give_back(self.permits);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("permits", &self.permits).finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").field("permits", &self.permits).finish_non_exhaustive()
    }
}
