//! The side that looks.

use super::{Channel, Closed, State};
use crate::{
    awaits, budget,
    sync::waiters::{self, Key, Wakers},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Sees the newest value, and waits for a newer one than it has seen. A clone has seen what the original has.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::watch::channel(1);
/// sender.send(2).unwrap();
/// let mut clone = receiver.clone();
/// assert_eq!(runtime::block_on(receiver.changed()), Ok(()));
/// assert_eq!(receiver.has_changed(), Ok(false));
/// assert_eq!(clone.has_changed(), Ok(true));
/// ```
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// The version that it saw last.
    seen: usize,
}

impl<T> Receiver<T> {
    /// For a channel that counts it already.
    pub(super) fn of(channel: Arc<Channel<T>>, seen: usize) -> Self {
        Self { channel, seen }
    }

    /// The newest value, as a snapshot: hold it as long as you like, it keeps nobody waiting. It does not count as seen: it
    /// may be newer than what [`changed`](Self::changed) told of, and `changed` tells of it then.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// let two = receiver.get();
    /// sender.send(3).unwrap();
    /// assert_eq!((*two, *receiver.get()), (2, 3));
    /// assert_eq!(receiver.has_changed(), Ok(true));
    /// ```
    pub fn get(&self) -> Arc<T> {
        self.channel.newest().0
    }

    /// [The newest value](Self::get), which counts as seen from now on.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// assert_eq!(*receiver.get_and_update(), 2);
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// ```
    pub fn get_and_update(&mut self) -> Arc<T> {
        let (value, version) = self.channel.newest();
        self.seen = version;
        value
    }

    /// Is there a value that it has not seen? One load.
    ///
    /// # Errors
    /// [`Closed`]: there is none, and none will come.
    ///
    /// ```
    /// use runtime::sync::watch::{Closed, channel};
    /// let (sender, mut receiver) = channel(1);
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// sender.send(2).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.has_changed(), Ok(true));
    /// receiver.get_and_update();
    /// assert_eq!(receiver.has_changed(), Err(Closed));
    /// ```
    pub fn has_changed(&self) -> Result<bool, Closed> {
        self.channel.news(self.seen).map_or(Ok(false), |news| news.map(|_| true))
    }

    /// Waits for a value that it has not seen, which counts as seen then. At once, if there is one already.
    ///
    /// # Errors
    /// [`Closed`]: the newest value was seen, and no sender is left.
    ///
    /// # Cancel safety
    /// Nothing is lost: a value counts as seen only when this returns.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// drop(sender);
    /// runtime::block_on(async {
    ///     assert!(receiver.changed().await.is_ok());
    ///     assert!(receiver.changed().await.is_err());
    /// });
    /// ```
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed { receiver: self, key: None }
    }

    /// Waits for a value that `wanted` is true of, which counts as seen then. The newest one is asked first, seen or not; of
    /// those that come, some may be skipped. No lock is held while `wanted` runs.
    ///
    /// # Errors
    /// [`Closed`]: it is not true of the last value, and no sender is left.
    ///
    /// # Cancel safety
    /// Nothing is lost, but what `wanted` has refused counts as seen.
    ///
    /// ```
    /// use runtime::{future::join, sync::watch};
    /// let (sender, mut receiver) = watch::channel("starting");
    /// runtime::block_on(async {
    ///     let ready = receiver.wait_for(|state| *state == "ready");
    ///     let (ready, ()) = join(ready, async { sender.send("ready").unwrap() }).await;
    ///     assert_eq!(*ready.unwrap(), "ready");
    ///     drop(sender);
    ///     assert!(receiver.wait_for(|state| *state == "done").await.is_err());
    /// });
    /// ```
    pub async fn wait_for(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Result<Arc<T>, Closed> {
        loop {
            let value = self.get_and_update();
            if wanted(&value) {
                return Ok(value);
            }
            // Not held while it waits.
            drop(value);
            self.changed().await?;
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.channel.lock().receivers += 1;
        Self { channel: self.channel.clone(), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.receivers -= 1;
        let mut wakers = Wakers::default();
        if state.receivers == 0 {
            state.senders_wait.choose_all(&mut wakers);
        }
        drop(state);
        wakers.wake();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("has_changed", &self.has_changed()).finish_non_exhaustive()
    }
}

/// Waits for a newer value: see [`Receiver::changed`].
///
/// ```
/// let (sender, mut receiver) = runtime::sync::watch::channel(1);
/// sender.send(2).unwrap();
/// let changed = receiver.changed();
/// assert_eq!(runtime::block_on(changed), Ok(()));
/// ```
#[must_use = "waiting does nothing until it is awaited"]
pub struct Changed<'receiver, T> {
    receiver: &'receiver mut Receiver<T>,
    key: Option<Key>,
}

impl<T> Changed<'_, T> {
    fn poll_news(&mut self, context: &Context<'_>) -> Poll<Result<usize, Closed>> {
        let Receiver { channel, seen } = &*self.receiver;
        // Whoever is in line looks under the lock, to leave it.
        if let (None, Some(news)) = (self.key, channel.news(*seen)) {
            return Poll::Ready(news);
        }
        let look = |state: &mut State<T>, key: Option<Key>| {
            let news = channel.news(*seen)?;
            // What is new stays new: it owes nobody its turn. (It was chosen, so there is no waker to drop.)
            key.into_iter().for_each(|key| drop(state.receivers_wait.remove(key)));
            Some(news)
        };
        waiters::poll_expecting_to_wait(
            &channel.state,
            &mut self.key,
            context,
            look,
            |state| &mut state.receivers_wait,
            || (),
        )
    }
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Poll::Ready(news) = self.poll_news(context) else {
            awaits::waits_for("watch", Arc::as_ptr(&self.receiver.channel).addr());
            return Poll::Pending;
        };
        // Before it counts as seen.
        ready!(budget::spend(context));
        Poll::Ready(news.map(|version| self.receiver.seen = version))
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = self.receiver.channel.lock().receivers_wait.remove(key);
            // Its waker is anybody's code, and goes without the lock.
            drop(gone);
        }
    }
}

impl<T> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed").finish_non_exhaustive()
    }
}
