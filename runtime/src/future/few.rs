//! A few futures of any types, of which only those that woke are polled: what the macros are made of.

use super::child_wakers::{ChildWaker, Parent};
use crate::{awaits::Kept, budget, random};
use std::{
    mem,
    ops::ControlFlow,
    task::{Context, Poll},
};

/// So many polls are done with the task's own waker, of every child: most of what is awaited in a select or a join is there by
/// then, and nothing was allocated for it. From then on each child has its own.
const FIRST_POLLS: u8 = 2;

/// Whose turn it is. The children are where the macro put them, and known here by their numbers.
#[derive(Debug)]
pub struct Few {
    count: usize,
    /// Where a poll starts.
    start: usize,
    /// Where the next one does: elsewhere, if the budget cut the last one short.
    next: usize,
    polls: u8,
    own: Option<(Parent, Vec<ChildWaker>)>,
    kept: Kept,
}

impl Few {
    /// Polls start with the first.
    pub fn biased(count: usize) -> Self {
        Self::new(count, 0)
    }

    /// Polls start with any of them.
    pub fn fair(count: usize) -> Self {
        // The upper half of a product. With so few, what is unfair in that is less than one draw in 2⁵⁰.
        Self::new(count, ((u128::from(random::next_u64()) * count as u128) >> 64) as usize)
    }

    fn new(count: usize, start: usize) -> Self {
        Self { count, start, next: start, polls: 0, own: None, kept: Kept::default() }
    }

    /// Polls those that may be ready, each through `child`, until it has enough.
    pub fn poll<B>(
        &mut self,
        context: &mut Context<'_>,
        mut child: impl FnMut(usize, &mut Context<'_>) -> ControlFlow<B>,
    ) -> Poll<B> {
        if self.polls == FIRST_POLLS {
            let (parent, _) = self.own.get_or_insert_with(|| {
                let parent = Parent::new();
                let wakers = (0..self.count).map(|place| parent.child(place)).collect();
                (parent, wakers)
            });
            // Before the marks are looked at: a wake is seen here, or heard.
            parent.listen(context);
        } else {
            self.polls += 1;
        }
        let mut next = mem::replace(&mut self.next, self.start);
        for left in (0..self.count).rev() {
            let place = next;
            next = if place + 1 == self.count { 0 } else { place + 1 };
            let woken = |waker: &ChildWaker| waker.is_woken() && waker.take_woken();
            if self.own.as_ref().is_some_and(|(_, wakers)| !woken(&wakers[place])) {
                continue;
            }
            let before = Kept::child_begins();
            let polled = match &self.own {
                None => child(place, context),
                Some((_, wakers)) => child(place, &mut Context::from_waker(wakers[place].waker())),
            };
            self.kept.child_waits(place, before);
            if let ControlFlow::Break(enough) = polled {
                return Poll::Ready(enough);
            }
            if left > 0 && budget::is_spent() {
                // Those behind would be refused whatever they want. The next poll begins with them.
                self.next = next;
                context.waker().wake_by_ref();
                break;
            }
        }
        self.kept.all_wait();
        Poll::Pending
    }
}

impl Drop for Few {
    fn drop(&mut self) {
        if let Some((_, wakers)) = &self.own {
            wakers.iter().for_each(ChildWaker::retire);
        }
    }
}
