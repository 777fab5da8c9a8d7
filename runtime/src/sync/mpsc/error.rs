//! Why nothing was sent or received.

use std::{error::Error, fmt};

/// The channel is closed, or its receiver is gone: here is the value again.
///
/// ```
/// let (sender, receiver) = runtime::sync::mpsc::bounded(1);
/// drop(receiver);
/// let error = runtime::block_on(sender.send("late")).unwrap_err();
/// assert_eq!(error.0, "late");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why [`try_send`](super::Sender::try_send) did not send. The value is in it.
///
/// ```
/// use runtime::sync::mpsc::{TrySendError, bounded};
/// let (sender, receiver) = bounded(1);
/// sender.try_send(1).unwrap();
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2))); // ask again later
/// drop(receiver);
/// assert_eq!(sender.try_send(2).unwrap_err().into_inner(), 2); // closed: do not
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// No slot is free now.
    Full(T),
    /// The channel is closed, or its receiver is gone.
    Closed(T),
}

/// The channel is closed, or its receiver is gone: there is no slot to be had any more.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::mpsc::bounded::<u8>(1);
/// receiver.close();
/// assert_eq!(runtime::block_on(sender.reserve()).unwrap_err(), runtime::sync::mpsc::Closed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Why [`try_recv`](super::Receiver::try_recv) has no value.
///
/// ```
/// use runtime::sync::mpsc::{TryRecvError, bounded};
/// let (sender, mut receiver) = bounded::<u8>(1);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty)); // ask again later
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed)); // do not
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is there now.
    Empty,
    /// Nothing is there, and nothing will come.
    Closed,
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    ///
    /// ```
    /// assert_eq!(runtime::sync::mpsc::TrySendError::Full(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(value) | TrySendError::Closed(value) => value,
        }
    }
}

/// Without the value, which need not have a `Debug` of its own.
impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendError").finish_non_exhaustive()
    }
}

/// Without the value, which need not have a `Debug` of its own.
impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            TrySendError::Full(_) => "Full",
            TrySendError::Closed(_) => "Closed",
        };
        f.debug_tuple(name).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value was not sent: the channel is closed, or its receiver is gone")
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "the value was not sent: the channel is full",
            TrySendError::Closed(_) => "the value was not sent: the channel is closed, or its receiver is gone",
        })
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no slot to be had: the channel is closed, or its receiver is gone")
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty => "no value has come yet",
            TryRecvError::Closed => "no value will come: the senders are gone, or the channel is closed",
        })
    }
}

impl<T> Error for SendError<T> {}

impl<T> Error for TrySendError<T> {}

impl Error for Closed {}

impl Error for TryRecvError {}
