//! A slot without a value.

use super::{
    super::turns::{Ticket, Turn, address},
    Channel, Closed, KIND, SendError, Sender, Slots, TrySendError,
};
use crate::awaits;
use std::{fmt, future::poll_fn, task::Waker};

/// A slot that is held for a value that is still to come: [`Sender::reserve`].
///
/// It holds also when the channel is closed meanwhile, and the receiver waits for it. Dropping it gives the slot to the next
/// sender.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::mpsc::bounded(1);
/// runtime::block_on(async {
///     let permit = sender.reserve().await.unwrap();
///     receiver.close();
///     let page = "costly"; // computed only now that there is room for it
///     permit.send(page).unwrap();
///     assert_eq!(receiver.recv().await, Some(page));
///     assert_eq!(receiver.recv().await, None);
/// });
/// ```
#[must_use = "dropping it gives the slot back"]
pub struct Permit<'sender, T>(
    /// Until it is used.
    Option<&'sender Channel<T>>,
);

impl<T> Sender<T> {
    /// A slot, for a value that comes later. It waits in line with those who [`send`](Self::send).
    ///
    /// # Errors
    /// [`Closed`], if the channel is closed or the receiver gone, or is while it waits.
    ///
    /// # Cancel safety
    /// Nothing is lost: its place, or the slot, goes to the next in line.
    ///
    /// ```
    /// use runtime::sync::mpsc::{TrySendError, bounded};
    /// let (sender, mut receiver) = bounded(1);
    /// runtime::block_on(async {
    ///     let permit = sender.reserve().await.unwrap();
    ///     assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    ///     permit.send(2).unwrap();
    ///     assert_eq!(receiver.recv().await, Some(2));
    /// });
    /// ```
    pub async fn reserve(&self) -> Result<Permit<'_, T>, Closed> {
        let mut ticket = Ticket::<_, Slots>::new(&self.0.0);
        match poll_fn(|context| ticket.poll(context, |_, turn| turn)).await {
            Turn::Served => Ok(Permit::new(&self.0)),
            Turn::Refused => Err(Closed),
        }
    }

    /// A slot, if one is free now.
    ///
    /// # Errors
    /// [`TrySendError`]: full, or closed.
    ///
    /// ```
    /// use runtime::sync::mpsc::bounded;
    /// let (sender, _receiver) = bounded::<u8>(1);
    /// let permit = sender.try_reserve().unwrap();
    /// assert!(sender.try_reserve().is_err());
    /// drop(permit);
    /// assert!(sender.try_reserve().is_ok());
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(TrySendError::Closed(()));
        }
        if !state.slots.take() {
            return Err(TrySendError::Full(()));
        }
        drop(state);
        Ok(Permit::new(&self.0))
    }
}

impl<'sender, T> Permit<'sender, T> {
    fn new(channel: &'sender Channel<T>) -> Self {
        awaits::taken(KIND, address(&channel.0));
        Self(Some(channel))
    }

    /// Sends the value into the slot. It does not wait.
    ///
    /// # Errors
    /// The value comes back if the receiver is gone. (One that only closed the channel waits for it.)
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::mpsc::bounded(1);
    /// let permit = sender.try_reserve().unwrap();
    /// drop(receiver);
    /// assert_eq!(permit.send("late").unwrap_err().0, "late");
    /// ```
    pub fn send(mut self, value: T) -> Result<(), SendError<T>> {
        let channel = self.0.take().expect("it is used once");
        awaits::given_back(address(&channel.0));
        let sent = channel.lock().push(value);
        sent.map(|receiver| receiver.into_iter().for_each(Waker::wake))
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        let Some(channel) = self.0.take() else { return };
        awaits::given_back(address(&channel.0));
        let next = channel.lock().give_back();
        next.into_iter().for_each(Waker::wake);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
