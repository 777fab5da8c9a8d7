//! The end that sends: it may be cloned.

use super::{
    super::{
        turns::{Ticket, Turn, address},
        waiters::{self, Key},
    },
    Channel, KIND, SendError, Slots, TrySendError,
};
use crate::{awaits, budget};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

/// Sends into a channel. Clones send into the same one; when the last is gone, the receiver takes what is there and hears of
/// the end.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::mpsc::bounded(1);
/// runtime::block_on(async {
///     let other = sender.clone();
///     let both = runtime::spawn(async move {
///         sender.send("one").await?;
///         other.send("two").await
///     });
///     assert_eq!(receiver.recv().await, Some("one"));
///     assert_eq!(receiver.recv().await, Some("two"));
///     assert_eq!(receiver.recv().await, None);
///     both.await.unwrap().unwrap();
/// });
/// ```
pub struct Sender<T>(pub(super) Arc<Channel<T>>);

/// A sender that does not keep the channel open: [`Sender::downgrade`].
///
/// ```
/// let (sender, mut receiver) = runtime::sync::mpsc::unbounded();
/// let weak = sender.downgrade();
/// weak.upgrade().unwrap().try_send(1).unwrap();
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// assert_eq!(runtime::block_on(async { [receiver.recv().await, receiver.recv().await] }), [Some(1), None]);
/// ```
pub struct WeakSender<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    pub(super) fn new(channel: Arc<Channel<T>>) -> Self {
        Self(channel)
    }

    /// Sends the value when there is a slot for it. Senders that wait have theirs in the order in which they came.
    ///
    /// # Errors
    /// The value comes back in a [`SendError`] if the channel is closed or the receiver gone, or is while it waits. (`Ok` does
    /// not say that the receiver will look: it may be dropped with the value.)
    ///
    /// # Cancel safety
    /// A send that is given up has not sent: its value is dropped, and its place or its slot goes to the next in line. To keep
    /// the value, [`reserve`](Self::reserve) first.
    ///
    /// ```
    /// use runtime::sync::mpsc::bounded;
    /// let (sender, mut receiver) = bounded(1);
    /// runtime::block_on(async {
    ///     sender.send(1).await.unwrap();
    ///     // The second waits until the first is taken.
    ///     let (sent, received) = runtime::future::join(sender.send(2), receiver.recv()).await;
    ///     assert_eq!((sent.is_ok(), received), (true, Some(1)));
    ///     drop(receiver);
    ///     assert_eq!(sender.send(3).await.unwrap_err().0, 3);
    /// });
    /// ```
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut ticket = Ticket::<_, Slots>::new(&self.0.0);
        let mut value = Some(value);
        let sent = poll_fn(|context| {
            ticket.poll(context, |state, turn| {
                let value = value.take().expect("it is sent once");
                match turn {
                    Turn::Served => state.push(value),
                    Turn::Refused => Err(SendError(value)),
                }
            })
        })
        .await;
        sent.map(|receiver| receiver.into_iter().for_each(Waker::wake))
    }

    /// Sends the value if there is a slot for it now: one that is free, and not a waiting sender's.
    ///
    /// # Errors
    /// [`TrySendError`], with the value: full, or closed.
    ///
    /// ```
    /// use runtime::sync::mpsc::{TrySendError, bounded};
    /// let (sender, _receiver) = bounded(1);
    /// assert_eq!(sender.try_send("one"), Ok(()));
    /// assert_eq!(sender.try_send("two"), Err(TrySendError::Full("two")));
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(TrySendError::Closed(value));
        }
        if !state.slots.take() {
            return Err(TrySendError::Full(value));
        }
        let Ok(receiver) = state.push(value) else { unreachable!("a channel whose receiver is gone is closed") };
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Waits until the receiver is gone or has [closed](super::Receiver::close) the channel: a reason to stop working for it.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let (sender, receiver) = runtime::sync::mpsc::bounded::<u32>(1);
    ///     let stopped = runtime::spawn(async move { sender.closed().await });
    ///     drop(receiver);
    ///     stopped.await.unwrap();
    /// });
    /// ```
    pub async fn closed(&self) {
        Closing { channel: &self.0, key: None }.await;
    }

    /// Is nobody there to receive any more? It may be so from one moment to the next, but never ends.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::mpsc::bounded::<u8>(1);
    /// assert!(!sender.is_closed());
    /// receiver.close();
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// How many slots the channel has; `None`: it is unbounded.
    ///
    /// ```
    /// use runtime::sync::mpsc::{bounded, unbounded};
    /// assert_eq!(bounded::<u8>(5).0.capacity(), Some(5));
    /// assert_eq!(unbounded::<u8>().0.capacity(), None);
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        let capacity = self.0.lock().capacity;
        (capacity != usize::MAX).then_some(capacity)
    }

    /// How many values are in the channel, sent and not yet received.
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::mpsc::bounded(5);
    /// sender.try_send("one").unwrap();
    /// assert_eq!(sender.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.0.lock().items.len()
    }

    /// Is nothing in the channel?
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::mpsc::bounded::<u8>(5);
    /// assert!(sender.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A handle that does not keep the channel open.
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::mpsc::bounded::<u8>(5);
    /// assert!(sender.downgrade().upgrade().is_some());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender(self.0.clone())
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
        let receiver = if state.senders == 0 { state.receiver_waits.take() } else { None };
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
    }
}

impl<T> WeakSender<T> {
    /// A sender, if there still is one.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::mpsc::bounded::<u8>(5);
    /// let weak = sender.downgrade();
    /// drop(receiver);
    /// assert!(weak.upgrade().unwrap().is_closed()); // closed, but there is a sender
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let mut state = self.0.lock();
        if state.senders == 0 {
            return None;
        }
        state.senders += 1;
        drop(state);
        Some(Sender(self.0.clone()))
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Waits until the channel is closed.
struct Closing<'sender, T> {
    channel: &'sender Channel<T>,
    key: Option<Key>,
}

impl<T> Future for Closing<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let look = |state: &mut super::State<T>, key: Option<Key>| {
            state.closed.then(|| key.map(|key| state.closing.remove(key).waker))
        };
        let polled = waiters::poll(&this.channel.0, &mut this.key, context, look, |state| &mut state.closing, || ());
        if polled.is_pending() {
            awaits::waits_for(KIND, address(&this.channel.0));
        }
        ready!(polled);
        // It stays closed: nothing is lost by asking for the budget now.
        budget::spend_reserve(context)
    }
}

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let gone = self.channel.lock().closing.remove(key);
        drop(gone.waker);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}
