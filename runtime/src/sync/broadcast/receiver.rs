//! The side that sees all that is sent.

use super::{
    Channel, RecvError, State, TryRecvError,
    ring::{Found, Seen},
};
use crate::{
    awaits, budget,
    sync::waiters::{self, Key},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Sees every message that was sent since it was made, in the order in which they were sent; unless it is too slow: then it is
/// told how many it has missed, and goes on with the oldest that is kept.
///
/// Dropping it drops what only it had not seen.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::broadcast::channel(4);
/// sender.send('a').unwrap();
/// assert_eq!(runtime::block_on(receiver.recv()), Ok('a'));
/// ```
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// The position of the message that it sees next.
    position: u64,
}

impl<T> Receiver<T> {
    /// For a channel that counts it already, and whose messages from `position` on are for it.
    pub(super) fn of(channel: Arc<Channel<T>>, position: u64) -> Self {
        Self { channel, position }
    }

    /// Another one, which sees what is sent from now on. (Not what this one has not seen yet: that would be a clone.)
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut late = receiver.resubscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    #[must_use = "it is a receiver, for which messages are kept"]
    pub fn resubscribe(&self) -> Self {
        let mut state = self.channel.lock();
        state.receivers += 1;
        let position = state.ring.next();
        drop(state);
        Self { channel: self.channel.clone(), position }
    }

    /// How many messages it can get without waiting. (Those that it has missed do not count.)
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::broadcast::channel(2);
    /// (1..=3).for_each(|number| drop(sender.send(number)));
    /// assert_eq!(receiver.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.channel.lock().ring.ahead_of(self.position)
    }

    /// Has it seen all?
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::broadcast::channel(2);
    /// assert!(receiver.is_empty());
    /// sender.send(1).unwrap();
    /// assert!(!receiver.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next message.
    ///
    /// # Errors
    /// [`RecvError::Lagged`]: it was too slow, and has missed some. It can go on. [`RecvError::Closed`]: it has seen all, and
    /// no sender is left.
    ///
    /// # Panics
    /// When the message's `clone` does: then the message counts as seen.
    ///
    /// # Cancel safety
    /// Nothing is lost: a message counts as seen only when this returns.
    ///
    /// ```
    /// use runtime::sync::broadcast::{RecvError, channel};
    /// runtime::block_on(async {
    ///     let (sender, mut receiver) = channel(4);
    ///     sender.send(1).unwrap();
    ///     drop(sender);
    ///     assert_eq!(receiver.recv().await, Ok(1));
    ///     assert_eq!(receiver.recv().await, Err(RecvError::Closed));
    /// });
    /// ```
    pub fn recv(&mut self) -> Recv<'_, T> {
        Recv { receiver: self, key: None }
    }

    /// The next message, if it is there.
    ///
    /// # Errors
    /// [`TryRecvError`]: there is none, or there will be none, or it has missed some.
    ///
    /// # Panics
    /// When the message's `clone` does: then the message counts as seen.
    ///
    /// ```
    /// use runtime::sync::broadcast::{TryRecvError, channel};
    /// let (sender, mut receiver) = channel(4);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(1).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let found = self.channel.lock().look(&mut self.position);
        // Without the lock.
        Ok(found.ok_or(TryRecvError::Empty)??.into_message())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.receivers -= 1;
        let end = state.ring.next();
        // What is sent from here on is not for this one.
        while self.position < end {
            let found = state.ring.see(&mut self.position);
            // Without the lock: it may be a message that nobody else has to see.
            drop(state);
            drop(found);
            state = self.channel.lock();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T> State<T> {
    /// What a receiver at `position` gets; `None`: it must wait.
    fn look(&mut self, position: &mut u64) -> Option<Result<Seen<T>, RecvError>> {
        match self.ring.see(position) {
            Found::Message(message) => Some(Ok(message)),
            Found::Missed(missed) => Some(Err(RecvError::Lagged(missed))),
            Found::Nothing => (self.senders == 0).then_some(Err(RecvError::Closed)),
        }
    }
}

/// Waits for a message: see [`Receiver::recv`].
///
/// ```
/// let (sender, mut receiver) = runtime::sync::broadcast::channel(1);
/// let recv = receiver.recv();
/// sender.send(1).unwrap();
/// assert_eq!(runtime::block_on(recv), Ok(1));
/// ```
#[must_use = "waiting does nothing until it is awaited"]
pub struct Recv<'receiver, T> {
    receiver: &'receiver mut Receiver<T>,
    key: Option<Key>,
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { receiver, key } = &mut *self;
        let Receiver { channel, position } = &mut **receiver;
        // Spent before the message counts as seen. With nothing to spend it still gets in line, if it must wait.
        let may_see = budget::spend(context).is_ready();
        let look = |state: &mut State<T>, key: Option<Key>| {
            let ready = state.ring.next() != *position || state.senders == 0;
            if !ready {
                return None;
            }
            // What is there stays there: it owes nobody its turn. (It was chosen, so there is no waker to drop.)
            key.into_iter().for_each(|key| drop(state.waiting.remove(key)));
            Some(may_see.then(|| state.look(position)).flatten())
        };
        match waiters::poll(&channel.0, key, context, look, |state| &mut state.waiting, || ()) {
            Poll::Ready(Some(found)) => Poll::Ready(found.map(Seen::into_message)),
            // It has been woken, to try again with a new budget.
            Poll::Ready(None) => Poll::Pending,
            Poll::Pending => {
                if may_see {
                    budget::give_back();
                }
                awaits::waits_for("broadcast", Arc::as_ptr(channel).addr());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = self.receiver.channel.lock().waiting.remove(key);
            // Its waker is anybody's code, and goes without the lock.
            drop(gone);
        }
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}
