//! Work: put in by many, taken by many, waited for.
//!
//! ```text
//!   put ─ slot ─>┌──────────────┐─ item ─> get ──> Item ──> dropped: done
//!   put ─ slot ─>│ Queue, Stack,│─ item ─> get ──> Item        │
//!   put ─ slot ─>│ PriorityQueue│─ item ─> get ──> Item        v
//!                └──────────────┘                join: all that was put is done
//! ```
//!
//! Three orders, and one queue underneath ([`WorkQueue`]):
//!
//! | | gives first | |
//! |---|---|---|
//! | [`Queue<T>`] | the one that was put first | [`Fifo`] |
//! | [`Stack<T>`] | the one that was put last | [`Lifo`] |
//! | [`PriorityQueue<P, T>`] | the least `P` of the pairs in it; of equals the first | [`LeastFirst`] |
//!
//! A queue is a handle: clones are handles of the same queue. What [`get`](WorkQueue::get) gives is an [`Item`], which *is* the
//! value, and counts as done when it is dropped: at the end of its scope, by an early return, by a panic. So
//! [`join`](WorkQueue::join), which waits until all that was put is done, cannot be kept waiting by a forgotten call.
//!
//! - Slots and items are handed on: nobody passes those who wait, neither to get nor to put. A getter in line that has its turn
//!   has *an* item; which one that is, the order says when its task runs.
//! - A getter or a putter that is given up passes its turn on: no item is lost, and no slot.
//! - Wakers and values leave the locks before they are woken, cloned or dropped. The one piece of foreign code under a lock is
//!   the comparison of priorities in a `put` (see [`LeastFirst`]).
//!
//! # How it ends
//!
//! There is no last sender, for every handle may put: a queue ends when it is told to.
//!
//! | | after [`close`](WorkQueue::close) | after [`close_now`](WorkQueue::close_now) |
//! |---|---|---|
//! | [`put`](WorkQueue::put), waiting or new | the value comes back | the value comes back |
//! | [`try_put`](WorkQueue::try_put) | [`Closed`](TryPutError::Closed) | [`Closed`](TryPutError::Closed) |
//! | [`get`](WorkQueue::get), waiting or new | what is there, then [`Closed`] | [`Closed`] |
//! | [`try_get`](WorkQueue::try_get) | what is there, then [`Closed`](TryGetError::Closed) | [`Closed`](TryGetError::Closed) |
//! | [`join`](WorkQueue::join) | until what is there is done | until what was taken before is done |
//!
//! ```
//! use runtime::{spawn, sync::queue::Queue};
//! runtime::block_on(async {
//!     let queue = Queue::bounded(2);
//!     for worker in 0..3 {
//!         let queue = queue.clone();
//!         drop(spawn(async move {
//!             while let Ok(page) = queue.get().await {
//!                 println!("worker {worker} reads page {}", *page);
//!             }
//!         }));
//!     }
//!     for page in 1..=10 {
//!         queue.put(page).await.unwrap();
//!     }
//!     queue.join().await; // all ten are read
//!     queue.close(); // and the workers go
//! });
//! ```

mod error;
mod get;
mod item;
#[cfg(all(test, runtime_loom))]
mod loom_models;
mod order;
mod put;

pub use error::{Closed, PutError, TryGetError, TryPutError};
pub use item::{Item, Unfinished};
pub use order::{Fifo, LeastFirst, Lifo, Order};

use super::{turns::Turns, waiters::Wakers};
use crate::std_or_loom::{Mutex, MutexGuard};
use item::Progress;
use std::{fmt, sync::Arc};

/// What tasks here wait for, in the notes of who waits for what.
const KIND: &str = "queue";

/// Work that is done in the order in which it was put.
///
/// ```
/// use runtime::sync::queue::Queue;
/// runtime::block_on(async {
///     let queue = Queue::unbounded();
///     for number in [1, 3, 2] {
///         queue.put(number).await.unwrap();
///     }
///     assert_eq!(queue.close_now(), [1, 3, 2]);
/// });
/// ```
pub type Queue<T> = WorkQueue<Fifo<T>>;

/// Work of which the newest is done first.
///
/// ```
/// use runtime::sync::queue::Stack;
/// runtime::block_on(async {
///     let stack = Stack::unbounded();
///     for number in [1, 3, 2] {
///         stack.put(number).await.unwrap();
///     }
///     assert_eq!(stack.close_now(), [2, 3, 1]);
/// });
/// ```
pub type Stack<T> = WorkQueue<Lifo<T>>;

/// Work in pairs of a priority and a value, of which the least priority is done first. Values are never compared: of equal
/// priorities the first one that was put comes first.
///
/// ```
/// use runtime::sync::queue::PriorityQueue;
/// runtime::block_on(async {
///     let queue = PriorityQueue::unbounded();
///     for pair in [(2, "medium"), (1, "high"), (3, "low"), (1, "another high")] {
///         queue.put(pair).await.unwrap();
///     }
///     queue.close();
///     let mut order = Vec::new();
///     while let Ok(item) = queue.get().await {
///         let (_priority, name) = *item;
///         order.push(name);
///     }
///     assert_eq!(order, ["high", "another high", "medium", "low"]);
/// });
/// ```
pub type PriorityQueue<P, T> = WorkQueue<LeastFirst<P, T>>;

/// A queue of work in the order `O`: a handle, of which there may be any number. You will want to call it [`Queue`], [`Stack`]
/// or [`PriorityQueue`].
///
/// ```
/// use runtime::sync::queue::{Order, WorkQueue};
/// /// Whatever the order.
/// async fn put_all<O: Order>(queue: &WorkQueue<O>, values: Vec<O::Value>) {
///     for value in values {
///         let Ok(()) = queue.put(value).await else { return };
///     }
/// }
/// let stack = runtime::sync::queue::Stack::unbounded();
/// runtime::block_on(put_all(&stack, vec![1, 2]));
/// assert_eq!(*stack.try_get().unwrap(), 2);
/// ```
pub struct WorkQueue<O> {
    core: Arc<Core<O>>,
    progress: Arc<Progress>,
}

#[derive(Debug)]
struct Core<O> {
    capacity: usize,
    state: Mutex<State<O>>,
}

#[derive(Debug)]
struct State<O> {
    order: O,
    slots: Turns,
    /// As many are free as there are items that nobody was promised.
    items: Turns,
    closed: bool,
}

impl<O: Order> WorkQueue<O> {
    /// A queue that holds so many at most: when it is full, who puts waits.
    ///
    /// # Panics
    /// When `capacity` is zero.
    ///
    /// ```
    /// use runtime::sync::queue::{Queue, TryPutError};
    /// let queue = Queue::bounded(1);
    /// assert_eq!(queue.try_put(1), Ok(()));
    /// assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
    /// ```
    pub fn bounded(capacity: usize) -> Self {
        assert!(capacity > 0, "a queue needs at least one slot: its capacity cannot be 0");
        let state = State { order: O::default(), slots: Turns::new(capacity), items: Turns::new(0), closed: false };
        Self { core: Arc::new(Core { capacity, state: Mutex::new(state) }), progress: Arc::default() }
    }

    /// A queue without a bound: to put never waits, and **memory is the only limit**.
    ///
    /// ```
    /// let queue = runtime::sync::queue::Stack::unbounded();
    /// (0..1000).for_each(|number| queue.try_put(number).unwrap());
    /// assert_eq!((queue.capacity(), queue.len()), (None, 1000));
    /// ```
    pub fn unbounded() -> Self {
        // More slots than memory has room for: none is ever missing.
        Self::bounded(usize::MAX)
    }

    /// Waits until all that was put is done: taken, and its [`Item`] dropped. At once if nothing was put. More may be put
    /// meanwhile, and is waited for too; but a moment in which all was done is enough.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// use runtime::{spawn, sync::queue::Queue};
    /// runtime::block_on(async {
    ///     let queue = Queue::unbounded();
    ///     queue.join().await; // nothing to do
    ///     queue.put("job").await.unwrap();
    ///     let worker = spawn({
    ///         let queue = queue.clone();
    ///         async move { queue.get().await.map(|item| item.len()) }
    ///     });
    ///     queue.join().await;
    ///     assert_eq!(worker.await.unwrap(), Ok(3));
    /// });
    /// ```
    pub async fn join(&self) {
        self.progress.join().await;
    }

    /// How many were put and are not done: those in the queue, and the [`Item`]s that are still held.
    ///
    /// ```
    /// let queue = runtime::sync::queue::Queue::unbounded();
    /// queue.try_put("job").unwrap();
    /// let item = queue.try_get().unwrap();
    /// assert_eq!((queue.len(), queue.unfinished()), (0, 1));
    /// drop(item);
    /// assert_eq!(queue.unfinished(), 0);
    /// ```
    pub fn unfinished(&self) -> usize {
        self.progress.unfinished()
    }

    /// Takes nothing new: values that wait to be put come back, and so do those that come. What is there can still be got;
    /// getters that wait for more hear that none will come. Closing it again changes nothing.
    ///
    /// ```
    /// use runtime::sync::queue::Queue;
    /// let queue = Queue::unbounded();
    /// queue.try_put("early").unwrap();
    /// queue.close();
    /// assert!(queue.try_put("late").is_err());
    /// assert_eq!(*queue.try_get().unwrap(), "early");
    /// ```
    pub fn close(&self) {
        let mut wakers = Wakers::default();
        self.lock().close(&mut wakers);
        wakers.wake();
    }

    /// Closes it, and takes out what nobody has taken, in the queue's order: the work that will not be done.
    /// [`join`](Self::join) waits for it no longer, but still for the [`Item`]s that somebody holds.
    ///
    /// ```
    /// use runtime::sync::queue::Queue;
    /// let queue = Queue::unbounded();
    /// (1..=3).for_each(|number| queue.try_put(number).unwrap());
    /// let in_hand = queue.try_get().unwrap();
    /// assert_eq!(queue.close_now(), [2, 3]);
    /// assert_eq!(queue.unfinished(), 1);
    /// drop(in_hand);
    /// runtime::block_on(queue.join());
    /// ```
    pub fn close_now(&self) -> Vec<O::Value> {
        let mut wakers = Wakers::default();
        let left: Vec<_> = {
            let mut state = self.lock();
            state.close(&mut wakers);
            state.items.clear();
            std::iter::from_fn(|| state.order.pop()).collect()
        };
        self.progress.done(left.len(), &mut wakers);
        wakers.wake();
        left
    }

    /// Is it closed?
    ///
    /// ```
    /// let queue = runtime::sync::queue::Queue::<u8>::unbounded();
    /// queue.clone().close();
    /// assert!(queue.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many it may hold; `None`: it is unbounded.
    ///
    /// ```
    /// use runtime::sync::queue::Queue;
    /// assert_eq!(Queue::<u8>::bounded(5).capacity(), Some(5));
    /// assert_eq!(Queue::<u8>::unbounded().capacity(), None);
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        (self.core.capacity != usize::MAX).then_some(self.core.capacity)
    }

    /// How many are in it.
    ///
    /// ```
    /// let queue = runtime::sync::queue::Queue::bounded(5);
    /// queue.try_put("job").unwrap();
    /// assert_eq!(queue.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.lock().order.count()
    }

    /// Is nothing in it?
    ///
    /// ```
    /// assert!(runtime::sync::queue::Queue::<u8>::bounded(5).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<O: Order> State<O> {
    fn close(&mut self, wakers: &mut Wakers) {
        self.closed = true;
        self.slots.refuse_all(wakers);
        self.items.refuse_all(wakers);
    }
}

impl<O> WorkQueue<O> {
    fn lock(&self) -> MutexGuard<'_, State<O>> {
        self.core.state.lock().unwrap()
    }
}

impl<O> Clone for WorkQueue<O> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), progress: self.progress.clone() }
    }
}

/// Unbounded.
impl<O: Order> Default for WorkQueue<O> {
    fn default() -> Self {
        Self::unbounded()
    }
}

impl<O> fmt::Debug for WorkQueue<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkQueue").finish_non_exhaustive()
    }
}
