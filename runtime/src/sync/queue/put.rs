//! To put: a slot, and a value in it.

use super::{
    super::turns::{Line, Ticket, Turn, Turns},
    KIND, Order, PutError, State, TryPutError, WorkQueue,
    item::Progress,
};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::Waker,
    thread,
};

impl<O: Order> WorkQueue<O> {
    /// Puts the value in when there is a slot for it. Those who wait have theirs in the order in which they came.
    ///
    /// # Errors
    /// The value comes back in a [`PutError`] if the queue is closed, or is while it waits.
    ///
    /// # Panics
    /// In a [`PriorityQueue`](super::PriorityQueue), when a comparison of priorities does. The value is gone then,
    /// and the queue as it was.
    ///
    /// # Cancel safety
    /// A put that is given up has put nothing: its value is dropped, and its place or its slot goes to the next in line.
    ///
    /// ```
    /// use runtime::sync::queue::Queue;
    /// let queue = Queue::bounded(1);
    /// runtime::block_on(async {
    ///     queue.put("one").await.unwrap();
    ///     // The second waits until the first is taken.
    ///     let (put, got) = runtime::future::join(queue.put("two"), queue.get()).await;
    ///     assert_eq!((put, *got.unwrap()), (Ok(()), "one"));
    ///     queue.close();
    ///     assert_eq!(queue.put("three").await.unwrap_err().0, "three");
    /// });
    /// ```
    pub async fn put(&self, value: O::Value) -> Result<(), PutError<O::Value>> {
        let mut ticket = Ticket::<_, Slots>::new(&self.core.state);
        let mut value = Some(value);
        let put = poll_fn(|context| {
            ticket.poll(context, |state, turn| {
                let value = value.take().expect("it is put once");
                match turn {
                    Turn::Served if !state.closed => Put::Tried(state.put(value, &self.progress)),
                    _ => Put::Closed(value),
                }
            })
        })
        .await;
        match put {
            Put::Tried(wake) => wake.finish(),
            Put::Closed(value) => return Err(PutError(value)),
        }
        Ok(())
    }

    /// Puts the value in if there is a slot for it now: one that is free, and not a waiting putter's.
    ///
    /// # Errors
    /// [`TryPutError`], with the value: full, or closed.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    ///
    /// ```
    /// use runtime::sync::queue::{Queue, TryPutError};
    /// let queue = Queue::bounded(1);
    /// queue.try_put(1).unwrap();
    /// assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
    /// queue.close();
    /// assert_eq!(queue.try_put(2), Err(TryPutError::Closed(2)));
    /// ```
    pub fn try_put(&self, value: O::Value) -> Result<(), TryPutError<O::Value>> {
        let mut state = self.lock();
        if state.closed {
            return Err(TryPutError::Closed(value));
        }
        if !state.slots.take() {
            return Err(TryPutError::Full(value));
        }
        let wake = state.put(value, &self.progress);
        drop(state);
        wake.finish();
        Ok(())
    }
}

/// What came of a put.
enum Put<T> {
    Tried(Wake),
    Closed(T),
}

/// What is left to be done when the lock is given back.
struct Wake {
    waker: Option<Waker>,
    /// Of a comparison.
    panicked: thread::Result<()>,
}

impl Wake {
    fn finish(self) {
        self.waker.into_iter().for_each(Waker::wake);
        self.panicked.unwrap_or_else(|payload| resume_unwind(payload));
    }
}

impl<O: Order> State<O> {
    /// The owner of a slot fills it; a getter is to be woken, if one waits. If the order panics, the slot is the next putter's.
    fn put(&mut self, value: O::Value, progress: &Progress) -> Wake {
        let panicked = catch_unwind(AssertUnwindSafe(|| self.order.push(value)));
        if panicked.is_err() {
            return Wake { waker: self.slots.give(), panicked };
        }
        // Before anybody can have it, and be done with it.
        progress.add();
        Wake { waker: self.items.give(), panicked }
    }
}

/// The line of those who wait for a slot.
struct Slots;

impl<O: Order> Line<State<O>> for Slots {
    const KIND: &'static str = KIND;

    fn turns(state: &mut State<O>) -> &mut Turns {
        &mut state.slots
    }

    fn refuses(state: &State<O>) -> bool {
        state.closed
    }
}
