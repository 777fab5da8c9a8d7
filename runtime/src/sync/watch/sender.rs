//! The side that has the values.

use super::{CLOSED, Channel, Receiver, State, VERSION};
use crate::{
    awaits, budget,
    std_or_loom::Ordering,
    sync::waiters::{self, Key, Wakers},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Sends values, each in the place of the one before. It can be cloned; when the last one goes the channel is closed.
///
/// ```
/// use runtime::sync::watch;
/// let (sender, receiver) = watch::channel(1);
/// let other = sender.clone();
/// drop(sender);
/// other.send(2).unwrap();
/// assert_eq!(receiver.has_changed(), Ok(true));
/// ```
pub struct Sender<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    /// For a channel that counts it already.
    pub(super) fn of(channel: Arc<Channel<T>>) -> Self {
        Self(channel)
    }

    /// Sends `value`, if anybody is there to see it. The one before it is dropped here, unless somebody still holds it.
    ///
    /// # Errors
    /// The value, if there is no receiver. (To put it there all the same, for those to come: [`send_replace`](Self::send_replace).)
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(1);
    /// assert_eq!(sender.send(2), Ok(()));
    /// drop(receiver);
    /// assert_eq!(sender.send(3), Err(3));
    /// assert_eq!(*sender.get(), 2);
    /// ```
    pub fn send(&self, value: T) -> Result<(), T> {
        match self.0.replace(Arc::new(value), |state, _| state.receivers > 0) {
            Ok(_old) => Ok(()),
            Err(value) => Err(Arc::into_inner(value).expect("nobody else has seen it")),
        }
    }

    /// Sends `value`, also if nobody is there to see it, and gives back the one that was there.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// let (sender, _) = runtime::sync::watch::channel("one");
    /// assert_eq!(*sender.send_replace("two"), "one");
    /// assert_eq!(*sender.subscribe().get(), "two");
    /// ```
    pub fn send_replace(&self, value: T) -> Arc<T> {
        self.0.replace(Arc::new(value), |_, _| true).unwrap_or_else(|_| unreachable!("it is always allowed"))
    }

    /// Sends what `modify` makes of a copy of the newest value.
    ///
    /// No lock is held while it runs. If another sender was faster it **runs again**, on a copy of that one's value: nothing is
    /// overwritten that it has not seen. (So it must not send to the same channel: it would run for ever.)
    ///
    /// # Panics
    /// When `modify` does: then nothing is sent. When a waker does.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(vec![1]);
    /// sender.send_modify(|list| list.push(2));
    /// assert_eq!(*receiver.get(), [1, 2]);
    /// ```
    pub fn send_modify(&self, mut modify: impl FnMut(&mut T))
    where
        T: Clone,
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// [`send_modify`](Self::send_modify), if `modify` says `true`; else what it made is dropped, nothing is sent, and nobody is
    /// woken. Says what it said.
    ///
    /// # Panics
    /// When `modify` does: then nothing is sent. When a waker does.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(3);
    /// let raise = |to: u32| {
    ///     sender.send_if_modified(|limit| {
    ///         let higher = to > *limit;
    ///         *limit = to;
    ///         higher
    ///     })
    /// };
    /// assert!(!raise(2) && receiver.has_changed() == Ok(false));
    /// assert!(raise(4) && *receiver.get() == 4);
    /// ```
    pub fn send_if_modified(&self, mut modify: impl FnMut(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        loop {
            let (old, seen) = self.0.newest();
            let mut value = T::clone(&old);
            if !modify(&mut value) {
                return false;
            }
            if self.0.replace(Arc::new(value), |_, version| version & !CLOSED == seen).is_ok() {
                return true;
            }
        }
    }

    /// The newest value.
    ///
    /// ```
    /// let (sender, _receiver) = runtime::sync::watch::channel(5);
    /// assert_eq!(*sender.get(), 5);
    /// ```
    pub fn get(&self) -> Arc<T> {
        self.0.newest().0
    }

    /// Another receiver, which counts the newest value as seen. A channel whose receivers were gone has one again.
    ///
    /// ```
    /// let (sender, _) = runtime::sync::watch::channel(1);
    /// let receiver = sender.subscribe();
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// sender.send(2).unwrap();
    /// assert_eq!(receiver.has_changed(), Ok(true));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = self.0.lock();
        state.receivers += 1;
        let seen = self.0.version.load(Ordering::Relaxed) & !CLOSED;
        drop(state);
        Receiver::of(self.0.clone(), seen)
    }

    /// How many receivers there are.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(1);
    /// let other = receiver.clone();
    /// assert_eq!(sender.receiver_count(), 2);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.0.lock().receivers
    }

    /// Is there no receiver? It may be otherwise from one moment to the next: see [`subscribe`](Self::subscribe).
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(1);
    /// drop(receiver);
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver: at once, if there is none. (A new one may have come before this returns.)
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(1);
    /// runtime::block_on(async {
    ///     let unwatched = runtime::spawn(async move { sender.closed().await });
    ///     drop(receiver);
    ///     unwatched.await.unwrap();
    /// });
    /// ```
    pub fn closed(&self) -> Closing<'_, T> {
        Closing { channel: &self.0, key: None, closed: false }
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
            self.0.version.fetch_or(CLOSED, Ordering::Release);
            state.receivers_wait.choose_all(&mut wakers);
        }
        drop(state);
        wakers.wake();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.0.version.load(Ordering::Relaxed) / VERSION;
        f.debug_struct("Sender").field("version", &version).finish_non_exhaustive()
    }
}

/// Waits until a channel has no receiver: see [`Sender::closed`].
///
/// ```
/// let (sender, receiver) = runtime::sync::watch::channel(1);
/// let closing = sender.closed();
/// drop(receiver);
/// runtime::block_on(closing);
/// ```
#[must_use = "waiting does nothing until it is awaited"]
pub struct Closing<'sender, T> {
    channel: &'sender Arc<Channel<T>>,
    key: Option<Key>,
    /// It was closed while this one waited. A poll without a budget does not forget that, whoever subscribes.
    closed: bool,
}

impl<T> Closing<'_, T> {
    fn poll_closed(&mut self, context: &Context<'_>) -> Poll<()> {
        let look = |state: &mut State<T>, key: Option<Key>| match key {
            Some(key) => state.senders_wait.is_chosen(key).then(|| state.senders_wait.remove(key).wants),
            None => (state.receivers == 0).then_some(()),
        };
        waiters::poll(&self.channel.state, &mut self.key, context, look, |state| &mut state.senders_wait, || ())
    }
}

impl<T> Future for Closing<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.closed {
            if self.poll_closed(context).is_pending() {
                awaits::waits_for("watch", Arc::as_ptr(self.channel).addr());
                return Poll::Pending;
            }
            self.closed = true;
        }
        ready!(budget::spend(context));
        Poll::Ready(())
    }
}

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = self.channel.lock().senders_wait.remove(key);
            // Its waker is anybody's code, and goes without the lock.
            drop(gone);
        }
    }
}

impl<T> fmt::Debug for Closing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closing").field("closed", &self.closed).finish_non_exhaustive()
    }
}
