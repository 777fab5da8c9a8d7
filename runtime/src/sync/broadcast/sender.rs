//! The side that sends.

use super::{Channel, Receiver};
use crate::sync::waiters::Wakers;
use std::{fmt, sync::Arc};

/// Sends messages to all receivers. It never waits: what is slow is told what it missed. It can be cloned; when the last one
/// goes the channel is closed.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::broadcast::channel(4);
/// sender.clone().send("hello").unwrap();
/// assert_eq!(receiver.try_recv(), Ok("hello"));
/// ```
pub struct Sender<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    /// For a channel that counts it already.
    pub(super) fn of(channel: Arc<Channel<T>>) -> Self {
        Self(channel)
    }

    /// Sends `message`, and says how many receivers there are to see it. (They may go without having looked.)
    ///
    /// If the ring is full, the oldest message goes, and is dropped here.
    ///
    /// # Errors
    /// The message, if there is no receiver.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::broadcast::channel(4);
    /// assert_eq!(sender.send(1), Ok(1));
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(2));
    /// ```
    pub fn send(&self, message: T) -> Result<usize, T> {
        let mut state = self.0.lock();
        let receivers = state.receivers;
        if receivers == 0 {
            return Err(message);
        }
        let replaced = state.ring.push(message, receivers);
        let mut wakers = Wakers::default();
        state.waiting.choose_all(&mut wakers);
        drop(state);
        drop(replaced);
        wakers.wake();
        Ok(receivers)
    }

    /// Another receiver: it sees what is sent from now on. A channel whose receivers were gone has one again.
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut late = sender.subscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = self.0.lock();
        state.receivers += 1;
        let position = state.ring.next();
        drop(state);
        Receiver::of(self.0.clone(), position)
    }

    /// How many receivers there are.
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::broadcast::channel::<u8>(4);
    /// let _other = sender.subscribe();
    /// assert_eq!(sender.receiver_count(), 2);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.0.lock().receivers
    }

    /// How many messages are kept, because somebody has not seen them: never more than the capacity.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// assert_eq!(sender.len(), 2);
    /// receiver.try_recv().unwrap();
    /// assert_eq!(sender.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.0.lock().ring.len()
    }

    /// Has everybody seen all?
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::broadcast::channel(4);
    /// assert!(sender.is_empty());
    /// sender.send(1).unwrap();
    /// assert!(!sender.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        let mut wakers = Wakers::default();
        if state.senders == 0 {
            state.waiting.choose_all(&mut wakers);
        }
        drop(state);
        wakers.wake();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, receivers) = (self.len(), self.receiver_count());
        f.debug_struct("Sender").field("len", &len).field("receivers", &receivers).finish()
    }
}
