//! Why nothing was put or got.

use std::{error::Error, fmt};

/// The queue is closed: here is the value again.
///
/// ```
/// let queue = runtime::sync::queue::Queue::bounded(1);
/// queue.close();
/// assert_eq!(runtime::block_on(queue.put("late")).unwrap_err().0, "late");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T>(pub T);

/// Why [`try_put`](super::WorkQueue::try_put) did not put. The value is in it.
///
/// ```
/// use runtime::sync::queue::{Queue, TryPutError};
/// let queue = Queue::bounded(1);
/// queue.try_put(1).unwrap();
/// assert_eq!(queue.try_put(2), Err(TryPutError::Full(2))); // ask again later
/// queue.close();
/// assert_eq!(queue.try_put(2).unwrap_err().into_inner(), 2); // closed: do not
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryPutError<T> {
    /// No slot is free now.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

/// The queue is closed, and nothing is left in it.
///
/// ```
/// let queue = runtime::sync::queue::Queue::<u8>::bounded(1);
/// queue.close();
/// assert_eq!(runtime::block_on(queue.get()), Err(runtime::sync::queue::Closed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Why [`try_get`](super::WorkQueue::try_get) has no item.
///
/// ```
/// use runtime::sync::queue::{Queue, TryGetError};
/// let queue = Queue::<u8>::bounded(1);
/// assert_eq!(queue.try_get(), Err(TryGetError::Empty)); // ask again later
/// queue.close();
/// assert_eq!(queue.try_get(), Err(TryGetError::Closed)); // do not
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryGetError {
    /// Nothing is there now.
    Empty,
    /// Nothing is there, and nothing will come.
    Closed,
}

impl<T> TryPutError<T> {
    /// The value that was not put.
    ///
    /// ```
    /// assert_eq!(runtime::sync::queue::TryPutError::Full(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            TryPutError::Full(value) | TryPutError::Closed(value) => value,
        }
    }
}

/// Without the value, which need not have a `Debug` of its own.
impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PutError").finish_non_exhaustive()
    }
}

/// Without the value, which need not have a `Debug` of its own.
impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            TryPutError::Full(_) => "Full",
            TryPutError::Closed(_) => "Closed",
        };
        f.debug_tuple(name).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value was not put: the queue is closed")
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => "the value was not put: the queue is full",
            TryPutError::Closed(_) => "the value was not put: the queue is closed",
        })
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no item: the queue is closed, and nothing is left in it")
    }
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryGetError::Empty => f.write_str("there is no item in the queue yet"),
            TryGetError::Closed => Closed.fmt(f),
        }
    }
}

impl<T> Error for PutError<T> {}

impl<T> Error for TryPutError<T> {}

impl Error for Closed {}

impl Error for TryGetError {}
