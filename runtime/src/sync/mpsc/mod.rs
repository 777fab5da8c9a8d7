//! From many tasks to one, in order.
//!
//! ```text
//!   Sender ─┐          ┌──────────────────┐
//!   Sender ─┼─ slot ──>│ 3 │ 2 │ 1 │      │──> Receiver
//!   Sender ─┘   ^      └──────────────────┘      │
//!               └───────── slot, again ──────────┘
//! ```
//!
//! A [`bounded`] channel has so many slots. To send is to have a slot and to put a value into it; a receiver that takes the
//! value gives the slot to the sender that has waited longest. So a consumer that is slow slows its producers down, and what lies
//! between them never grows: that is backpressure. An [`unbounded`] channel never makes a sender wait, and has to be asked for
//! by that name: it grows as long as its receiver is slower than its senders.
//!
//! - Every slot is free, or has an owner (a [`Permit`], or a sender whose turn it is), or holds a value. Slots are handed on:
//!   while a sender is in line none is free, and nobody passes it.
//! - A value is received, or comes back to who wanted to send it, or is dropped with the receiver.
//! - All is under one short lock. Wakers and values leave it before they are woken, cloned or dropped: they are anybody's code.
//! - A message costs its sender the lock once, and its receiver once; a task is woken only if it waits.
//! - An end that goes takes its wakers with it.
//!
//! # How it ends
//!
//! | | the senders are gone | [`close`](Receiver::close) was called | the receiver is gone |
//! |---|---|---|---|
//! | [`send`](Sender::send), waiting or new | – | the value comes back | the value comes back |
//! | [`try_send`](Sender::try_send) | – | [`Closed`](TrySendError::Closed) | [`Closed`](TrySendError::Closed) |
//! | [`reserve`](Sender::reserve), waiting or new | – | [`Closed`] | [`Closed`] |
//! | [`Permit::send`], and a sender that had its turn | – | sent: a slot is a promise | the value comes back |
//! | [`closed`](Sender::closed) | – | ready | ready |
//! | [`recv`](Receiver::recv) | what is there, then `None` | what is there and what has a slot, then `None` | – |
//! | [`try_recv`](Receiver::try_recv) | what is there, then [`Closed`](TryRecvError::Closed) | the same; [`Empty`](TryRecvError::Empty) while a slot has an owner | – |
//!
//! ```
//! use runtime::{spawn, sync::mpsc};
//! runtime::block_on(async {
//!     let (sender, mut receiver) = mpsc::bounded(2);
//!     for worker in 0..3 {
//!         let sender = sender.clone();
//!         drop(spawn(async move { sender.send(worker).await }));
//!     }
//!     drop(sender); // the workers have theirs; when the last of them is done, it ends
//!     let mut sum = 0;
//!     while let Some(number) = receiver.recv().await {
//!         sum += number;
//!     }
//!     assert_eq!(sum, 0 + 1 + 2);
//! });
//! ```

mod error;
#[cfg(all(test, runtime_loom))]
mod loom_models;
mod permit;
mod receiver;
mod sender;

pub use error::{Closed, SendError, TryRecvError, TrySendError};
pub use permit::Permit;
pub use receiver::Receiver;
pub use sender::{Sender, WeakSender};

use super::{
    turns::{Line, Turns},
    waiters::{Waiters, Wakers},
};
use crate::std_or_loom::{Mutex, MutexGuard};
use std::{collections::VecDeque, sync::Arc, task::Waker};

/// What tasks here wait for, in the notes of who waits for what.
const KIND: &str = "channel";

/// A channel with so many slots: when all are full, who sends waits.
///
/// # Panics
/// When `capacity` is zero. A rendezvous, where sender and receiver meet, is another thing: send a
/// [`oneshot`](crate::sync::oneshot) along, and wait for the answer.
///
/// ```
/// use runtime::sync::mpsc::{TrySendError, bounded};
/// let (sender, mut receiver) = bounded(1);
/// assert_eq!(sender.try_send(1), Ok(()));
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// assert_eq!(receiver.try_recv(), Ok(1));
/// assert_eq!(sender.try_send(3), Ok(()));
/// ```
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel needs at least one slot: its capacity cannot be 0");
    make(capacity)
}

/// [`bounded`], under the name that it has elsewhere.
///
/// # Panics
/// When `capacity` is zero.
///
/// ```
/// let (sender, receiver) = runtime::sync::mpsc::channel::<u8>(100);
/// assert_eq!((sender.capacity(), receiver.len()), (Some(100), 0));
/// ```
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    bounded(capacity)
}

/// A channel without a bound: to send never waits, and **memory is the only limit**. For where something else bounds what is
/// under way (one answer a request, say); where nothing does, [`bounded`] is what you want.
///
/// ```
/// let (sender, receiver) = runtime::sync::mpsc::unbounded();
/// (0..1000).for_each(|number| sender.try_send(number).unwrap());
/// assert_eq!((sender.capacity(), receiver.len()), (None, 1000));
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    // More slots than memory has room for: none is ever missing.
    make(usize::MAX)
}

fn make<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel(Mutex::new(State {
        items: VecDeque::new(),
        capacity,
        slots: Turns::new(capacity),
        senders: 1,
        closed: false,
        receiver_is_gone: false,
        receiver_waits: None,
        closing: Waiters::new(),
    })));
    (Sender::new(channel.clone()), Receiver::new(channel))
}

#[derive(Debug)]
struct Channel<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    capacity: usize,
    slots: Turns,
    senders: usize,
    /// By the receiver, or because it was dropped: no slot is given out any more.
    closed: bool,
    receiver_is_gone: bool,
    receiver_waits: Option<Waker>,
    /// Senders that wait until it is closed.
    closing: Waiters<()>,
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap()
    }
}

impl<T> State<T> {
    /// The owner of a slot fills it. The receiver is to be woken, if it waits; if it is gone, the value comes back.
    fn push(&mut self, value: T) -> Result<Option<Waker>, SendError<T>> {
        if self.receiver_is_gone {
            return Err(SendError(value));
        }
        self.items.push_back(value);
        Ok(self.receiver_waits.take())
    }

    /// The oldest value; its slot is the next sender's, who is to be woken.
    fn pop(&mut self) -> Option<(T, Option<Waker>)> {
        let value = self.items.pop_front()?;
        Some((value, self.slots.give()))
    }

    /// A slot comes back unused: for the next in line, or else it may be what the receiver of a closed channel waited for.
    fn give_back(&mut self) -> Option<Waker> {
        self.slots.give().or_else(|| if self.no_more_come() { self.receiver_waits.take() } else { None })
    }

    /// Beside what is there, nothing will come: nobody is left to send, or it is closed and no slot has an owner.
    fn no_more_come(&self) -> bool {
        // A permit borrows its sender: when the senders are gone, so are the permits, or they were forgotten.
        self.senders == 0 || self.closed && self.capacity - self.slots.free() == self.items.len()
    }

    /// Takes no new ones. The wakers of all who hear of it.
    fn close(&mut self) -> Wakers {
        let mut wakers = Wakers::default();
        self.closed = true;
        self.slots.refuse_all(&mut wakers);
        self.closing.choose_all(&mut wakers);
        wakers
    }
}

/// The line of those who wait for a slot.
struct Slots;

impl<T> Line<State<T>> for Slots {
    const KIND: &'static str = KIND;

    fn turns(state: &mut State<T>) -> &mut Turns {
        &mut state.slots
    }

    fn refuses(state: &State<T>) -> bool {
        state.closed
    }

    fn give_back(state: &mut State<T>) -> Option<Waker> {
        state.give_back()
    }
}
