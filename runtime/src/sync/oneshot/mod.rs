//! One value, once, from one task to another.
//!
//! ```text
//!   Sender ──send──> value ──> Receiver (a future of the value)
//!     ^                            │
//!     └────────── closed ──────────┘  (closed, or dropped)
//! ```
//!
//! - A value that [`Sender::send`] took is received, or dropped with the receiver; one that it did not take comes back.
//! - Either side that goes tells the other: a receiver does not wait for a sender that is gone.
//! - All is under one short lock. Wakers and values leave it before they are woken, cloned or dropped: they are anybody's code.
//! - A receiver that is dropped takes its waker with it, and so does a sender.
//!
//! ```
//! use runtime::{spawn, sync::oneshot};
//! /// A task that answers questions.
//! async fn square(number: u64, answer: oneshot::Sender<u64>) {
//!     let _ = answer.send(number * number); // nobody may want to know any more
//! }
//! runtime::block_on(async {
//!     let (answer, receiver) = oneshot::channel();
//!     drop(spawn(square(7, answer)));
//!     assert_eq!(receiver.await, Ok(49));
//! });
//! ```

#[cfg(all(test, runtime_loom))]
mod loom_models;

use crate::{
    budget,
    std_or_loom::{Mutex, MutexGuard},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

/// Makes the two ends.
///
/// ```
/// use runtime::sync::oneshot;
/// runtime::block_on(async {
///     let (sender, receiver) = oneshot::channel();
///     runtime::spawn(async move { sender.send("done") }).await.unwrap().unwrap();
///     assert_eq!(receiver.await, Ok("done"));
/// });
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { value: None, sender_is_gone: false, closed: false, receiver_waits: None, sender_waits: None };
    let channel = Arc::new(Channel(Mutex::new(state)));
    (Sender(Some(channel.clone())), Receiver(Some(channel)))
}

/// Sends the one value. Dropping it without sending tells the receiver that none will come.
///
/// ```
/// use runtime::sync::oneshot::{Closed, channel};
/// let (sender, receiver) = channel::<u8>();
/// drop(sender);
/// assert_eq!(runtime::block_on(receiver), Err(Closed));
/// ```
#[must_use = "dropping it tells the receiver that no value will come"]
pub struct Sender<T>(
    /// Until the value is sent.
    Option<Arc<Channel<T>>>,
);

/// A future of the value: [`Closed`] if the sender was dropped without sending, or the channel was [closed](Receiver::close)
/// before it did. Once it gave the value, it gives [`Closed`].
///
/// # Cancel safety
/// Awaiting through `&mut receiver` can be given up and taken up again; nothing is lost. Dropping the receiver drops a value
/// that is there already, and gives the sender its value back if it comes later.
///
/// ```
/// use runtime::{sync::oneshot, time::timeout};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let (sender, mut receiver) = oneshot::channel();
///     assert!(timeout(Duration::from_millis(1), &mut receiver).await.is_err()); // not yet
///     sender.send("now").unwrap();
///     assert_eq!(receiver.await, Ok("now"));
/// });
/// ```
#[must_use = "a receiver does nothing until it is awaited"]
pub struct Receiver<T>(
    /// Until the value is received: then the sender is gone, and there is nobody to tell.
    Option<Arc<Channel<T>>>,
);

struct Channel<T>(Mutex<State<T>>);

struct State<T> {
    value: Option<T>,
    /// It sent its value, or was dropped.
    sender_is_gone: bool,
    /// By the receiver, or because it was dropped: no value is taken any more.
    closed: bool,
    receiver_waits: Option<Waker>,
    sender_waits: Option<Waker>,
}

/// No value will come: the sender was dropped without sending, or the channel was closed.
///
/// ```
/// use runtime::sync::oneshot::{Closed, channel};
/// runtime::block_on(async {
///     let (sender, receiver) = channel::<u8>();
///     let worker = runtime::spawn(async move {
///         let _sender = sender;
///         panic!("the worker is gone");
///     });
///     assert_eq!(receiver.await, Err(Closed));
///     assert!(worker.await.is_err_and(|error: runtime::JoinError| error.is_panic()));
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Why [`Receiver::try_recv`] has no value.
///
/// ```
/// use runtime::sync::oneshot::{TryRecvError, channel};
/// let (sender, mut receiver) = channel::<u8>();
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty)); // ask again later
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed)); // do not
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// It may still come.
    Empty,
    /// It will not come.
    Closed,
}

impl<T> Sender<T> {
    /// Sends the value. It waits for nobody.
    ///
    /// # Errors
    /// The value, if the receiver was dropped or the channel closed. (`Ok` does not say that the receiver will look: it may be
    /// dropped with the value.)
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::oneshot::channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(5), Err(5));
    /// ```
    pub fn send(mut self, value: T) -> Result<(), T> {
        let Some(channel) = self.0.take() else { unreachable!("sending takes the sender") };
        let mut state = channel.lock();
        state.sender_is_gone = true;
        let sender_waited = state.sender_waits.take();
        let receiver_waits = state.receiver_waits.take();
        let closed = state.closed;
        let mut value = Some(value);
        if !closed {
            state.value = value.take();
        }
        drop(state);
        drop(sender_waited);
        receiver_waits.into_iter().for_each(Waker::wake);
        value.map_or(Ok(()), Err)
    }

    /// Is nobody there to receive the value? It may be so from one moment to the next, but never ends.
    ///
    /// ```
    /// let (sender, receiver) = runtime::sync::oneshot::channel::<Vec<u8>>();
    /// assert!(!sender.is_closed());
    /// drop(receiver);
    /// assert!(sender.is_closed()); // no need to compute it
    /// ```
    pub fn is_closed(&self) -> bool {
        self.channel().lock().closed
    }

    /// Waits until nobody is there to receive the value: a reason to stop working on it.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let (mut sender, receiver) = runtime::sync::oneshot::channel::<u32>();
    ///     let stopped = runtime::spawn(async move { sender.closed().await });
    ///     drop(receiver);
    ///     stopped.await.unwrap();
    /// });
    /// ```
    pub async fn closed(&mut self) {
        poll_fn(|context| self.poll_closed(context)).await;
    }

    /// [`closed`](Self::closed), to be polled by hand. The task that polled last is woken.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// let (mut sender, mut receiver) = runtime::sync::oneshot::channel::<u8>();
    /// receiver.close();
    /// runtime::block_on(poll_fn(|context| sender.poll_closed(context)));
    /// ```
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.channel().wait(context, |state| state.closed.then_some(()), |state| &mut state.sender_waits)
    }

    fn channel(&self) -> &Channel<T> {
        self.0.as_ref().expect("it is there until the value is sent")
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Some(channel) = self.0.take() else { return };
        let mut state = channel.lock();
        state.sender_is_gone = true;
        let (sender_waited, receiver_waits) = (state.sender_waits.take(), state.receiver_waits.take());
        drop(state);
        drop(sender_waited);
        receiver_waits.into_iter().for_each(Waker::wake);
    }
}

impl<T> Receiver<T> {
    /// The value, if it is there.
    ///
    /// # Errors
    /// [`TryRecvError`]: it is not there yet, or will not come.
    ///
    /// ```
    /// use runtime::sync::oneshot::{TryRecvError, channel};
    /// let (sender, mut receiver) = channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(5).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(5));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(channel) = &self.0 else { return Err(TryRecvError::Closed) };
        let found = channel.lock().look();
        match found {
            Some(Ok(value)) => {
                self.0 = None;
                Ok(value)
            }
            Some(Err(Closed)) => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Takes no value any more: [`Sender::send`] gives it back from now on. One that was sent before can still be received.
    ///
    /// ```
    /// let (sender, mut receiver) = runtime::sync::oneshot::channel();
    /// receiver.close();
    /// assert_eq!(sender.send("late"), Err("late"));
    /// ```
    pub fn close(&mut self) {
        let Some(channel) = &self.0 else { return };
        let mut state = channel.lock();
        state.closed = true;
        let sender_waits = state.sender_waits.take();
        drop(state);
        sender_waits.into_iter().for_each(Waker::wake);
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(channel) = &self.0 else { return Poll::Ready(Err(Closed)) };
        // Before the look, for that takes the value.
        ready!(budget::spend(context));
        let polled = channel.wait(context, State::look, |state| &mut state.receiver_waits);
        match polled {
            Poll::Ready(Ok(_)) => self.0 = None,
            Poll::Ready(Err(Closed)) => {}
            Poll::Pending => budget::give_back(),
        }
        polled
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let Some(channel) = self.0.take() else { return };
        let mut state = channel.lock();
        state.closed = true;
        let unwanted = (state.value.take(), state.receiver_waits.take());
        let sender_waits = state.sender_waits.take();
        drop(state);
        sender_waits.into_iter().for_each(Waker::wake);
        drop(unwanted);
    }
}

impl<T> State<T> {
    /// What the receiver gets; `None`: it must wait.
    fn look(&mut self) -> Option<Result<T, Closed>> {
        match self.value.take() {
            Some(value) => Some(Ok(value)),
            None => (self.sender_is_gone || self.closed).then_some(Err(Closed)),
        }
    }
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap()
    }

    /// What `look` finds; or nothing, with the task's waker in `place`.
    fn wait<R>(
        &self,
        context: &Context<'_>,
        look: impl Fn(&mut State<T>) -> Option<R>,
        place: impl Fn(&mut State<T>) -> &mut Option<Waker>,
    ) -> Poll<R> {
        let mut fresh = None;
        loop {
            let mut state = self.lock();
            if let Some(found) = look(&mut state) {
                // Given back before the waker, if there is one, is dropped.
                drop(state);
                return Poll::Ready(found);
            }
            let place = place(&mut state);
            if place.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                return Poll::Pending;
            }
            if let Some(waker) = fresh.take() {
                let stale = place.replace(waker);
                drop(state);
                drop(stale);
                return Poll::Pending;
            }
            // It is cloned without the lock, and then all may be different.
            drop(state);
            fresh = Some(context.waker().clone());
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value will come: the sender is gone, or the channel was closed")
    }
}

impl std::error::Error for Closed {}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => f.write_str("the value has not come yet"),
            TryRecvError::Closed => Closed.fmt(f),
        }
    }
}

impl std::error::Error for TryRecvError {}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
