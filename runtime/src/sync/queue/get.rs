//! To get: an item, and its slot for the next who puts.

use super::{
    super::turns::{Line, Ticket, Turn, Turns},
    Closed, Item, KIND, Order, State, TryGetError, WorkQueue,
};
use std::{future::poll_fn, task::Waker};

impl<O: Order> WorkQueue<O> {
    /// The next item in the queue's order, when there is one. Those who wait are served in the order in which they came.
    ///
    /// # Errors
    /// [`Closed`]: the queue is closed, and there is nothing left for this one.
    ///
    /// # Cancel safety
    /// Nothing is lost: an item is taken in the very poll that gives it, and a turn that is not used goes to the next in line.
    ///
    /// ```
    /// use runtime::sync::queue::Queue;
    /// let queue = Queue::unbounded();
    /// runtime::block_on(async {
    ///     queue.put("job").await.unwrap();
    ///     queue.close();
    ///     assert_eq!(queue.get().await.as_deref(), Ok(&"job"));
    ///     assert!(queue.get().await.is_err());
    /// });
    /// ```
    pub async fn get(&self) -> Result<Item<O::Value>, Closed> {
        let mut ticket = Ticket::<_, Items>::new(&self.core.state);
        let found = poll_fn(|context| {
            ticket.poll(context, |state, turn| match turn {
                Turn::Served => state.take(),
                // What somebody else was promised may have come back.
                Turn::Refused => state.try_take(),
            })
        })
        .await;
        found.map(|found| self.item(found)).ok_or(Closed)
    }

    /// The next item in the queue's order, if there is one now that is not a waiting getter's.
    ///
    /// # Errors
    /// [`TryGetError`]: there is none yet, or there will be none.
    ///
    /// ```
    /// use runtime::sync::queue::{Queue, TryGetError};
    /// let queue = Queue::<u8>::unbounded();
    /// assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    /// queue.close();
    /// assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    /// ```
    pub fn try_get(&self) -> Result<Item<O::Value>, TryGetError> {
        let mut state = self.lock();
        let found = state.try_take();
        let closed = state.closed;
        drop(state);
        match found {
            Some(found) => Ok(self.item(found)),
            None => Err(if closed { TryGetError::Closed } else { TryGetError::Empty }),
        }
    }

    fn item(&self, (value, putter): (O::Value, Option<Waker>)) -> Item<O::Value> {
        let item = Item::new(value, &self.progress);
        putter.into_iter().for_each(Waker::wake);
        item
    }
}

impl<O: Order> State<O> {
    /// What the owner of a turn gets; its slot is the next putter's, who is to be woken. `None`: what it was promised was taken
    /// out by `close_now`.
    fn take(&mut self) -> Option<(O::Value, Option<Waker>)> {
        let value = self.order.pop()?;
        Some((value, self.slots.give()))
    }

    /// An item that nobody was promised.
    fn try_take(&mut self) -> Option<(O::Value, Option<Waker>)> {
        if self.items.take() { self.take() } else { None }
    }
}

/// The line of those who wait for an item.
struct Items;

impl<O: Order> Line<State<O>> for Items {
    const KIND: &'static str = KIND;

    fn turns(state: &mut State<O>) -> &mut Turns {
        &mut state.items
    }

    fn refuses(state: &State<O>) -> bool {
        state.closed && state.items.free() == 0
    }
}
