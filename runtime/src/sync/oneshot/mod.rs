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
//! - A value that is there before anybody waits for it costs no lock: one word says whose it is (see `slot`).
//! - Wakers stand under a short lock, and leave it before they are woken or dropped: they are anybody's code.
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
mod slot;

use self::slot::{CLOSED, Emptying, Filled, Filling, GONE, RECEIVER_WAITS, SENDER_WAITS, Slot, slot};
use crate::{awaits, budget};
use std::{
    fmt,
    future::{Future, poll_fn},
    ops::Deref,
    pin::Pin,
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
    let (filling, emptying) = slot();
    (Sender(Some(filling)), Receiver(Some(emptying)))
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
    Option<Filling<T>>,
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
    Option<Emptying<T>>,
);

const UNTIL_SENT: &str = "it is there until the value is sent";

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
        let Some(end) = self.0.take() else { unreachable!("sending takes the sender") };
        match end.fill(value) {
            Filled::Done => Ok(()),
            Filled::Announce(end, word) => {
                let sender_waited = end.waker(SENDER_WAITS, word);
                end.waker(RECEIVER_WAITS, word).into_iter().for_each(Waker::wake);
                drop(sender_waited);
                Ok(())
            }
            // Who closed it has woken this end, and so has its waker.
            Filled::Refused(value) => Err(value),
        }
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
        self.0.as_ref().expect(UNTIL_SENT).has(CLOSED)
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
        let end = self.0.as_mut().expect(UNTIL_SENT);
        wait(end, SENDER_WAITS, context, |end| end.has(CLOSED).then_some(()))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Some(end) = self.0.take() else { return };
        let word = end.set(GONE);
        let sender_waited = end.waker(SENDER_WAITS, word);
        end.waker(RECEIVER_WAITS, word).into_iter().for_each(Waker::wake);
        drop(sender_waited);
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
        let Some(end) = &mut self.0 else { return Err(TryRecvError::Closed) };
        match look(end) {
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
        let Some(end) = &self.0 else { return };
        let word = end.set(CLOSED);
        let waited = end.waker(RECEIVER_WAITS, word);
        end.waker(SENDER_WAITS, word).into_iter().for_each(Waker::wake);
        drop(waited);
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(end) = &mut self.0 else { return Poll::Ready(Err(Closed)) };
        // Before the look, for that takes the value.
        ready!(budget::spend(context));
        let polled = wait(end, RECEIVER_WAITS, context, look);
        match polled {
            Poll::Ready(Ok(_)) => self.0 = None,
            Poll::Ready(Err(Closed)) => {}
            Poll::Pending => {
                budget::give_back();
                awaits::waits_for("oneshot", std::ptr::from_ref::<Slot<T>>(end).addr());
            }
        }
        polled
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let Some(mut end) = self.0.take() else { return };
        let word = end.set(CLOSED);
        let unwanted = (end.take(), end.waker(RECEIVER_WAITS, word));
        end.waker(SENDER_WAITS, word).into_iter().for_each(Waker::wake);
        drop(unwanted);
    }
}

/// What the receiver gets; `None`: it must wait.
fn look<T>(end: &mut Emptying<T>) -> Option<Result<T, Closed>> {
    end.take().map(Ok).or_else(|| end.has(GONE | CLOSED).then_some(Err(Closed)))
}

/// What `look` finds; or nothing, with the task's waker in its place.
fn wait<T, R, E: Deref<Target = Slot<T>>>(
    end: &mut E,
    who: u8,
    context: &Context<'_>,
    mut look: impl FnMut(&mut E) -> Option<R>,
) -> Poll<R> {
    if let Some(found) = look(end) {
        return Poll::Ready(found);
    }
    end.wait(who, context);
    match look(end) {
        Some(found) => {
            // It came meanwhile, and who brought it may not have seen the waker.
            drop(end.waker(who, who));
            Poll::Ready(found)
        }
        None => Poll::Pending,
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
