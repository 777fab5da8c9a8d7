//! The newest value, for whoever looks: what lies between two looks is skipped.
//!
//! ```text
//!   Sender ──send──> value, version ──> Receiver (which version did it see?)
//! ```
//!
//! - The value is handed out as an `Arc`: a **snapshot**, which nobody changes and which keeps nobody waiting, however long it
//!   is held. It costs an allocation a send, and a count up and down a look; and no code of the value's (its drop, its clone,
//!   a closure that changes it) ever runs under a lock.
//! - A version is one word, read without the lock: "is there something new?" is one load.
//! - When the last sender goes the last value stays, and is given to each receiver that has not seen it; then they hear that it
//!   was the last:
//!
//! | a receiver | that has not seen the newest value | that has seen it |
//! |---|---|---|
//! | while there is a sender: `has_changed`, `changed` | `Ok(true)`, at once | `Ok(false)`, waits |
//! | when there is none | `Ok(true)`, at once | `Err(Closed)` |
//! | `get`, `get_and_update` | the newest value | the newest value |
//!
//! ```
//! use runtime::{spawn, sync::watch};
//! runtime::block_on(async {
//!     let (limit, mut limits) = watch::channel(10);
//!     let worker = spawn(async move {
//!         let mut seen = vec![*limits.get()];
//!         while limits.changed().await.is_ok() {
//!             seen.push(*limits.get());
//!         }
//!         seen
//!     });
//!     limit.send(20).unwrap();
//!     limit.send(30).unwrap();
//!     drop(limit);
//!     assert_eq!(worker.await.unwrap().last(), Some(&30)); // it may not have seen all, but it has seen the last one
//! });
//! ```

#[cfg(all(test, runtime_loom))]
mod loom_models;
mod receiver;
mod sender;

pub use receiver::{Changed, Receiver};
pub use sender::{Closing, Sender};

use super::waiters::{Waiters, Wakers};
use crate::std_or_loom::{AtomicUsize, Mutex, MutexGuard, Ordering};
use std::{fmt, sync::Arc};

/// Makes a channel with its first value, which the receiver counts as seen.
///
/// ```
/// let (sender, mut receiver) = runtime::sync::watch::channel("first");
/// assert_eq!(*receiver.get(), "first");
/// sender.send("second").unwrap();
/// assert_eq!(*receiver.get_and_update(), "second");
/// ```
pub fn channel<T>(initial: T) -> (Sender<T>, Receiver<T>) {
    let state = State {
        value: Arc::new(initial),
        senders: 1,
        receivers: 1,
        receivers_wait: Waiters::new(),
        senders_wait: Waiters::new(),
    };
    let channel = Arc::new(Channel { version: AtomicUsize::new(0), state: Mutex::new(state) });
    (Sender::of(channel.clone()), Receiver::of(channel, 0))
}

/// There is no sender any more, and the newest value was seen.
///
/// ```
/// use runtime::sync::watch::{Closed, channel};
/// let (sender, mut receiver) = channel(1);
/// drop(sender);
/// assert_eq!(runtime::block_on(receiver.changed()), Err(Closed));
/// assert_eq!(*receiver.get(), 1); // it stays
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// No sender is left. The rest of the word is the version.
const CLOSED: usize = 1;
/// One version.
const VERSION: usize = 2;

struct Channel<T> {
    /// Changed under the lock, after the value; and read without it.
    version: AtomicUsize,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    senders: usize,
    receivers: usize,
    receivers_wait: Waiters<()>,
    /// For the end of all receivers.
    senders_wait: Waiters<()>,
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap()
    }

    /// The version that `seen` is not, or the end; `None`: nothing is new.
    fn news(&self, seen: usize) -> Option<Result<usize, Closed>> {
        // Pairs with the changes under the lock: the value is there before its version.
        let word = self.version.load(Ordering::Acquire);
        match word & !CLOSED {
            version if version != seen => Some(Ok(version)),
            _ => (word & CLOSED != 0).then_some(Err(Closed)),
        }
    }

    /// The newest value and its version.
    fn newest(&self) -> (Arc<T>, usize) {
        let state = self.lock();
        (state.value.clone(), self.version.load(Ordering::Relaxed) & !CLOSED)
    }

    /// Puts `value` in the place of the other one, which is given back, and tells those who wait; or gives `value` back, if
    /// `allow` does not.
    fn replace(&self, value: Arc<T>, allow: impl FnOnce(&State<T>, usize) -> bool) -> Result<Arc<T>, Arc<T>> {
        let mut state = self.lock();
        if !allow(&state, self.version.load(Ordering::Relaxed)) {
            return Err(value);
        }
        let old = std::mem::replace(&mut state.value, value);
        self.version.fetch_add(VERSION, Ordering::Release);
        let mut wakers = Wakers::default();
        state.receivers_wait.choose_all(&mut wakers);
        drop(state);
        wakers.wake();
        Ok(old)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no newer value will come: the senders are gone")
    }
}

impl std::error::Error for Closed {}
