//! A value that is made once, when it is first asked for.
//!
//! One permit says who makes it. Whoever gets it finds the cell empty, for the permits are closed before the maker of the value
//! gives its permit back; who is refused finds the value. Whoever fails, panics or is dropped gives the permit back, and the next
//! in line makes the value with its own function.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::semaphore::{Permits, Refused};
use crate::std_or_loom::const_fn;
use std::{convert::Infallible, fmt, sync::OnceLock};

/// A place for one value, which is made once, by whoever asks first.
///
/// ```
/// use runtime::{future::join, sync::OnceCell};
/// static CONNECTION: OnceCell<String> = OnceCell::new();
/// async fn connection() -> &'static str {
///     CONNECTION.get_or_init(async || String::from("made once")).await
/// }
/// runtime::block_on(async {
///     let (one, other) = join(connection(), connection()).await;
///     assert!(std::ptr::eq(one, other));
/// });
/// ```
pub struct OnceCell<T> {
    /// Written by whoever has the permit, so nobody ever waits for it as `std` would: with the thread.
    value: OnceLock<T>,
    /// One, until the value is there; then it is closed.
    making: Permits,
}

/// Why [`OnceCell::set`] did not take the value: here it is again.
///
/// ```
/// use runtime::sync::{OnceCell, SetError};
/// let cell = OnceCell::new();
/// cell.set(1).unwrap();
/// assert_eq!(cell.set(2), Err(SetError::Initialized(2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// There is a value.
    Initialized(T),
    /// Somebody is making one. It may fail.
    Initializing(T),
}

const KIND: &str = "once cell";

/// The permit to make the value.
struct Making<'cell>(&'cell Permits);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.give_back(1);
    }
}

impl<T> OnceCell<T> {
    const_fn! {
        /// An empty one.
        ///
        /// ```
        /// static NAME: runtime::sync::OnceCell<String> = runtime::sync::OnceCell::new();
        /// assert_eq!(NAME.get(), None);
        /// ```
        pub fn new() -> Self {
            Self { value: OnceLock::new(), making: Permits::new(1) }
        }
    }

    /// The value, if it is there.
    ///
    /// ```
    /// let cell = runtime::sync::OnceCell::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set(1).unwrap();
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it is there, to be changed by one who has the cell alone.
    ///
    /// ```
    /// let mut cell = runtime::sync::OnceCell::from(1);
    /// *cell.get_mut().unwrap() += 1;
    /// assert_eq!(cell.get(), Some(&2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value, if it is there.
    ///
    /// ```
    /// assert_eq!(runtime::sync::OnceCell::from(1).into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Sets the value.
    ///
    /// # Errors
    /// [`SetError`] with the value: there is one, or somebody is making one.
    ///
    /// ```
    /// let cell = runtime::sync::OnceCell::new();
    /// assert!(cell.set(1).is_ok());
    /// assert!(cell.set(2).is_err());
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        match self.making.try_take(1, KIND) {
            Ok(()) => {
                self.fill(Making(&self.making), value);
                Ok(())
            }
            Err(Refused::Closed) => Err(SetError::Initialized(value)),
            Err(Refused::NotNow) => Err(SetError::Initializing(value)),
        }
    }

    /// The value: the one that is there, or the one that `make` makes. Others who ask meanwhile wait for it.
    ///
    /// # Cancel safety
    /// If it is dropped while it waits, nothing is lost. If it is dropped while it makes the value (or `make` panics), `make` ends
    /// there, and the next who waits makes the value with its own function.
    ///
    /// A `make` that asks the same cell waits for itself, for ever.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let cell = runtime::sync::OnceCell::new();
    ///     assert_eq!(cell.get_or_init(async || 1).await, &1);
    ///     assert_eq!(cell.get_or_init(async || unreachable!()).await, &1);
    /// });
    /// ```
    pub async fn get_or_init<F: Future<Output = T>>(&self, make: impl FnOnce() -> F) -> &T {
        let made = self.get_or_try_init(|| async { Ok::<T, Infallible>(make().await) }).await;
        made.unwrap_or_else(|never| match never {})
    }

    /// The value: the one that is there, or the one that `make` makes, if it does.
    ///
    /// # Errors
    /// Those of `make`. Then the next who waits makes the value, with its own function.
    ///
    /// # Cancel safety
    /// As with [`get_or_init`](Self::get_or_init).
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let cell = runtime::sync::OnceCell::new();
    ///     assert_eq!(cell.get_or_try_init(async || Err("no luck")).await, Err("no luck"));
    ///     assert_eq!(cell.get_or_try_init(async || Ok::<_, ()>(2)).await, Ok(&2));
    /// });
    /// ```
    pub async fn get_or_try_init<E, F: Future<Output = Result<T, E>>>(
        &self,
        make: impl FnOnce() -> F,
    ) -> Result<&T, E> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        match self.making.acquire(1, KIND).await {
            Ok(()) => {
                let making = Making(&self.making);
                let value = make().await?;
                Ok(self.fill(making, value))
            }
            Err(_) => Ok(self.get().expect("it is closed when the value is there")),
        }
    }

    fn fill(&self, making: Making<'_>, value: T) -> &T {
        let value = self.value.get_or_init(|| value);
        // Not until the value is there: those who are refused look for it. And before the permit goes back.
        self.making.close();
        drop(making);
        value
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A cell with its value.
impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        let cell = Self::new();
        assert!(cell.set(value).is_ok(), "nobody else knows it");
        cell
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(value) => f.debug_tuple("OnceCell").field(value).finish(),
            None => f.debug_tuple("OnceCell").field(&format_args!("<empty>")).finish(),
        }
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetError::Initialized(_) => "the cell has a value already",
            SetError::Initializing(_) => "somebody is making the cell's value",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for SetError<T> {}
