//! In which order a queue gives out what it holds.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

/// The order of a [`WorkQueue`](super::WorkQueue): one of [`Fifo`], [`Lifo`] and [`LeastFirst`]. It cannot be implemented
/// elsewhere, for it runs under the queue's lock.
///
/// ```
/// use runtime::sync::queue::{LeastFirst, Order, WorkQueue};
/// fn drain<O: Order>(queue: WorkQueue<O>) -> Vec<O::Value> {
///     queue.close_now()
/// }
/// let queue = WorkQueue::<LeastFirst<u8, &str>>::unbounded();
/// queue.try_put((2, "later")).unwrap();
/// queue.try_put((1, "first")).unwrap();
/// assert_eq!(drain(queue), [(1, "first"), (2, "later")]);
/// ```
pub trait Order: Default + Sealed {
    /// What is put, and what comes out.
    type Value;

    #[doc(hidden)]
    fn push(&mut self, value: Self::Value);

    #[doc(hidden)]
    fn pop(&mut self) -> Option<Self::Value>;

    #[doc(hidden)]
    fn count(&self) -> usize;
}

/// Its name is known here only.
pub trait Sealed {}

/// First in, first out: the order of [`Queue`](super::Queue).
///
/// ```
/// let queue = runtime::sync::queue::WorkQueue::<runtime::sync::queue::Fifo<u8>>::unbounded();
/// (1..=2).for_each(|number| queue.try_put(number).unwrap());
/// assert_eq!(*queue.try_get().unwrap(), 1);
/// ```
pub struct Fifo<T>(VecDeque<T>);

/// Last in, first out: the order of [`Stack`](super::Stack).
///
/// ```
/// let queue = runtime::sync::queue::WorkQueue::<runtime::sync::queue::Lifo<u8>>::unbounded();
/// (1..=2).for_each(|number| queue.try_put(number).unwrap());
/// assert_eq!(*queue.try_get().unwrap(), 2);
/// ```
pub struct Lifo<T>(Vec<T>);

/// The pair with the least priority first, of equals the one that came first: the order of
/// [`PriorityQueue`](super::PriorityQueue).
///
/// Priorities are compared when a pair is put, under the queue's lock, and at no other time. So `Ord` of a priority must not
/// use the queue (it would wait for itself). If it panics, the panic comes out of that `put`, its pair is dropped, and the queue
/// is as it was.
///
/// ```
/// use std::cmp::Reverse;
/// let queue = runtime::sync::queue::PriorityQueue::unbounded();
/// queue.try_put((Reverse(1), "low")).unwrap();
/// queue.try_put((Reverse(9), "high")).unwrap();
/// assert_eq!(queue.try_get().unwrap().1, "high"); // the greatest first
/// ```
pub struct LeastFirst<P, T> {
    /// With its arrival each key is unique, and a pair that is taken out needs no comparison: it is the first.
    pairs: BTreeMap<(P, u64), T>,
    arrivals: u64,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P, T> Default for LeastFirst<P, T> {
    fn default() -> Self {
        Self { pairs: BTreeMap::new(), arrivals: 0 }
    }
}

impl<T> Sealed for Fifo<T> {}

impl<T> Sealed for Lifo<T> {}

impl<P: Ord, T> Sealed for LeastFirst<P, T> {}

impl<T> Order for Fifo<T> {
    type Value = T;

    fn push(&mut self, value: T) {
        self.0.push_back(value);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

impl<T> Order for Lifo<T> {
    type Value = T;

    fn push(&mut self, value: T) {
        self.0.push(value);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

impl<P: Ord, T> Order for LeastFirst<P, T> {
    type Value = (P, T);

    fn push(&mut self, (priority, value): (P, T)) {
        self.arrivals += 1;
        self.pairs.insert((priority, self.arrivals), value);
    }

    fn pop(&mut self) -> Option<(P, T)> {
        self.pairs.pop_first().map(|((priority, _), value)| (priority, value))
    }

    fn count(&self) -> usize {
        self.pairs.len()
    }
}

impl<T> fmt::Debug for Fifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fifo").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Lifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifo").finish_non_exhaustive()
    }
}

impl<P, T> fmt::Debug for LeastFirst<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeastFirst").finish_non_exhaustive()
    }
}
