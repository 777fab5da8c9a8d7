//! The end that receives: there is one.

use super::{
    super::{turns::address, waiters::Wakers},
    Channel, KIND, State, TryRecvError,
};
use crate::{awaits, budget};
use futures_core::Stream;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

/// Receives from a channel, in the order in which it was sent. Also a [`Stream`] of the values.
///
/// Dropping it closes the channel: waiting senders have their values back, and what was in it is dropped.
///
/// ```
/// use futures_lite::StreamExt;
/// let (sender, receiver) = runtime::sync::mpsc::unbounded();
/// (1..=3).for_each(|number| sender.try_send(number).unwrap());
/// drop(sender);
/// let squares: Vec<_> = runtime::block_on(receiver.map(|number| number * number).collect());
/// assert_eq!(squares, [1, 4, 9]);
/// ```
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// The last look took all that there was: the next one will find nothing, most likely.
    drained: bool,
}

impl<T> Receiver<T> {
    pub(super) fn new(channel: Arc<Channel<T>>) -> Self {
        Self { channel, drained: false }
    }

    /// The next value; `None` when nothing is there and nothing will come: the senders are gone, or the channel is
    /// [closed](Self::close) and no slot has an owner.
    ///
    /// # Cancel safety
    /// Nothing is lost: a value is taken in the very poll that gives it.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::mpsc::bounded(1);
    /// runtime::block_on(async {
    ///     sender.send("hello").await.unwrap();
    ///     drop(sender);
    ///     assert_eq!(receiver.recv().await, Some("hello"));
    ///     assert_eq!(receiver.recv().await, None); // and for ever
    /// });
    /// ```
    pub async fn recv(&mut self) -> Option<T> {
        self.wait(Self::poll_recv).await
    }

    /// [`recv`](Self::recv), to be polled by hand. The task that polled last is woken.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// let (sender, mut receiver) = runtime::sync::mpsc::bounded(1);
    /// sender.try_send(5).unwrap();
    /// assert_eq!(runtime::block_on(poll_fn(|context| receiver.poll_recv(context))), Some(5));
    /// ```
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let polled = ready!(self.poll(context, State::pop));
        Poll::Ready(polled.map(|(value, sender)| {
            sender.into_iter().for_each(Waker::wake);
            value
        }))
    }

    /// Waits for values and puts those that are there, `limit` at most, at the end of `values`: one lock for many. How many
    /// they are; zero only when nothing will come any more, or `limit` is zero (and then it does not wait).
    ///
    /// # Cancel safety
    /// Nothing is lost: values are taken in the very poll that ends it.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::mpsc::unbounded();
    /// (0..5).for_each(|number| sender.try_send(number).unwrap());
    /// drop(sender);
    /// let mut batch = Vec::new();
    /// runtime::block_on(async {
    ///     assert_eq!(receiver.recv_many(&mut batch, 3).await, 3);
    ///     assert_eq!(receiver.recv_many(&mut batch, 3).await, 2);
    ///     assert_eq!(receiver.recv_many(&mut batch, 3).await, 0);
    /// });
    /// assert_eq!(batch, [0, 1, 2, 3, 4]);
    /// ```
    pub async fn recv_many(&mut self, values: &mut Vec<T>, limit: usize) -> usize {
        self.wait(|receiver, context| receiver.poll_recv_many(context, values, limit)).await
    }

    /// [`recv_many`](Self::recv_many), to be polled by hand. The task that polled last is woken.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// let (sender, mut receiver) = runtime::sync::mpsc::bounded(2);
    /// sender.try_send(5).unwrap();
    /// let mut values = Vec::new();
    /// assert_eq!(runtime::block_on(poll_fn(|context| receiver.poll_recv_many(context, &mut values, 10))), 1);
    /// ```
    pub fn poll_recv_many(&mut self, context: &mut Context<'_>, values: &mut Vec<T>, limit: usize) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        let polled = ready!(self.poll(context, |state| {
            let count = state.items.len().min(limit);
            values.extend(state.items.drain(..count));
            let mut senders = Wakers::default();
            senders.extend((0..count).filter_map(|_| state.slots.give()));
            (count > 0).then_some((count, senders))
        }));
        Poll::Ready(polled.map_or(0, |(count, senders)| {
            senders.wake();
            count
        }))
    }

    /// The next value, if it is there.
    ///
    /// # Errors
    /// [`TryRecvError`]: it is not there yet, or will not come.
    ///
    /// ```
    /// use runtime::sync::mpsc::{TryRecvError, bounded};
    /// let (sender, mut receiver) = bounded(1);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.try_send(5).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok(5));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let mut state = self.channel.lock();
        let Some((value, sender)) = state.pop() else {
            return Err(if state.no_more_come() { TryRecvError::Closed } else { TryRecvError::Empty });
        };
        drop(state);
        sender.into_iter().for_each(Waker::wake);
        Ok(value)
    }

    /// Takes nothing new: senders that wait have their values back, and so have those that come. What is there can still be
    /// received, and what comes from those who have a slot already.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::mpsc::bounded(2);
    /// sender.try_send("early").unwrap();
    /// receiver.close();
    /// assert!(sender.try_send("late").is_err());
    /// assert_eq!(runtime::block_on(async { [receiver.recv().await, receiver.recv().await] }), [Some("early"), None]);
    /// ```
    pub fn close(&mut self) {
        let mut state = self.channel.lock();
        let mut wakers = state.close();
        if state.no_more_come() {
            // A task that polled by hand waits for nothing.
            wakers.extend(state.receiver_waits.take());
        }
        drop(state);
        wakers.wake();
    }

    /// How many values are in the channel.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::mpsc::bounded(5);
    /// sender.try_send("one").unwrap();
    /// assert_eq!(receiver.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.channel.lock().items.len()
    }

    /// Is nothing in the channel?
    ///
    /// ```
    /// assert!(runtime::sync::mpsc::bounded::<u8>(5).1.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What `take` finds; `None` if that is nothing and nothing will come; or nothing yet, with the task's waker in its place.
    fn poll<R>(&mut self, context: &Context<'_>, mut take: impl FnMut(&mut State<T>) -> Option<R>) -> Poll<Option<R>> {
        // Before the look, for that takes the values.
        ready!(budget::spend(context));
        // One who will have to wait clones its waker now, and needs the lock but once.
        let mut fresh = self.drained.then(|| context.waker().clone());
        loop {
            let mut state = self.channel.lock();
            if let Some(found) = take(&mut state) {
                self.drained = state.items.is_empty();
                // Given back before the waker, if there is one, is dropped.
                drop(state);
                return Poll::Ready(Some(found));
            }
            if state.no_more_come() {
                drop(state);
                return Poll::Ready(None);
            }
            let mut stale = None;
            if !state.receiver_waits.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                let Some(waker) = fresh.take() else {
                    // It is cloned without the lock, and then all may be different.
                    drop(state);
                    fresh = Some(context.waker().clone());
                    continue;
                };
                stale = state.receiver_waits.replace(waker);
            }
            drop(state);
            drop(stale);
            self.drained = false;
            budget::give_back();
            awaits::waits_for(KIND, address(&self.channel.0));
            return Poll::Pending;
        }
    }

    /// Waits with `poll`. If the wait is given up, it takes its waker with it.
    async fn wait<R>(&mut self, mut poll: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<R>) -> R {
        let mut wait = Wait { receiver: self, waits: false };
        poll_fn(|context| {
            let polled = poll(wait.receiver, context);
            wait.waits = polled.is_pending();
            polled
        })
        .await
    }
}

struct Wait<'receiver, T> {
    receiver: &'receiver mut Receiver<T>,
    waits: bool,
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        if self.waits {
            let stale = self.receiver.channel.lock().receiver_waits.take();
            drop(stale);
        }
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(context)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        let wakers = state.close();
        state.receiver_is_gone = true;
        let unwanted = (std::mem::take(&mut state.items), state.receiver_waits.take());
        drop(state);
        wakers.wake();
        drop(unwanted);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
