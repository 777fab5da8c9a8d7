//! From many tasks to many, each of which sees every message that was sent since it subscribed.
//!
//! ```text
//!                 front                      next
//!   ring:  …  ·  │ 7 │ 8 │ 9 │ 10 │ 11 │  …
//!                  ^       ^            ^
//!        the slowest   another one   one who has seen all
//! ```
//!
//! - A position is a message's number; its place in the ring is the position modulo the capacity. Each receiver has a
//!   position: that of the message it sees next.
//! - A message knows how many have not seen it. All whom it concerns have seen what is before `front`, or have missed it: a
//!   send into a full ring drops the message at the front, and whoever had not seen it is told how many it has missed.
//! - The last one who sees a message gets the message itself, the others clones. A message is cloned and dropped without the
//!   lock, and by several threads at once: so handles go to another thread only if `T` is `Send` **and** `Sync`.
//! - A message lives in an `Arc` that stays in its place in the ring for the next one: with the ring filled once, a send or a
//!   receive allocates nothing (but where receivers clone the very message that is about to be replaced).
//!
//! | | there is a sender, and a receiver | no sender | no receiver |
//! |---|---|---|---|
//! | `send` | the number of receivers | – | the message back |
//! | `recv`, messages unseen | the next message; `Lagged` once, if some are gone | the same | – |
//! | `recv`, all seen | waits | `Closed` | – |
//! | `try_recv`, all seen | `Empty` | `Closed` | – |
//!
//! ```
//! use runtime::{spawn, sync::broadcast};
//! runtime::block_on(async {
//!     let (sender, mut receiver) = broadcast::channel(16);
//!     let mut other = sender.subscribe();
//!     let sum = spawn(async move {
//!         let mut sum = 0;
//!         while let Ok(number) = other.recv().await {
//!             sum += number;
//!         }
//!         sum
//!     });
//!     for number in [1, 2, 3] {
//!         assert_eq!(sender.send(number), Ok(2));
//!     }
//!     drop(sender);
//!     assert_eq!(receiver.recv().await, Ok(1));
//!     assert_eq!(sum.await.unwrap(), 6);
//! });
//! ```

#[cfg(all(test, runtime_loom))]
mod loom_models;
mod receiver;
mod ring;
mod sender;

pub use receiver::{Receiver, Recv};
pub use sender::Sender;

use self::ring::Ring;
use super::waiters::Waiters;
use crate::std_or_loom::{Mutex, MutexGuard};
use std::{fmt, sync::Arc};

/// Makes a channel that keeps `capacity` messages for receivers that are slow.
///
/// # Panics
/// With no capacity: nobody would ever see anything.
///
/// ```
/// use runtime::sync::broadcast::{TryRecvError, channel};
/// let (sender, mut receiver) = channel(2);
/// for number in 1..=3 {
///     sender.send(number).unwrap();
/// }
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1))); // 1 is gone
/// assert_eq!(receiver.try_recv(), Ok(2));
/// ```
///
/// ```should_panic
/// runtime::sync::broadcast::channel::<u8>(0);
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a broadcast channel keeps one message at least");
    let state = State { ring: Ring::new(capacity), senders: 1, receivers: 1, waiting: Waiters::new() };
    let channel = Arc::new(Channel(Mutex::new(state)));
    (Sender::of(channel.clone()), Receiver::of(channel, 0))
}

struct Channel<T>(Mutex<State<T>>);

struct State<T> {
    ring: Ring<T>,
    senders: usize,
    receivers: usize,
    waiting: Waiters<()>,
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap()
    }
}

/// Why [`Receiver::recv`] has no message.
///
/// ```
/// use runtime::sync::broadcast::{RecvError, channel};
/// let (sender, mut receiver) = channel(1);
/// sender.send("old").unwrap();
/// sender.send("new").unwrap();
/// drop(sender);
/// runtime::block_on(async {
///     assert_eq!(receiver.recv().await, Err(RecvError::Lagged(1)));
///     assert_eq!(receiver.recv().await, Ok("new"));
///     assert_eq!(receiver.recv().await, Err(RecvError::Closed));
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// So many messages are gone that this receiver has not seen: it was too slow. The next one it gets is the oldest kept.
    Lagged(u64),
    /// All was seen, and no sender is left.
    Closed,
}

/// Why [`Receiver::try_recv`] has no message.
///
/// ```
/// use runtime::sync::broadcast::{TryRecvError, channel};
/// let (sender, mut receiver) = channel::<u8>(1);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty)); // ask again later
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed)); // do not
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// All was seen; more may come.
    Empty,
    /// So many messages are gone that this receiver has not seen: it was too slow. The next one it gets is the oldest kept.
    Lagged(u64),
    /// All was seen, and no sender is left.
    Closed,
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Lagged(missed) => write!(f, "the receiver was too slow: {missed} messages are gone"),
            RecvError::Closed => f.write_str("no message will come: the senders are gone"),
        }
    }
}

impl std::error::Error for RecvError {}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
            RecvError::Closed => TryRecvError::Closed,
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => f.write_str("the next message has not come yet"),
            TryRecvError::Lagged(missed) => RecvError::Lagged(*missed).fmt(f),
            TryRecvError::Closed => RecvError::Closed.fmt(f),
        }
    }
}

impl std::error::Error for TryRecvError {}
