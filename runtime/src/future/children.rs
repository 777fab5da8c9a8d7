//! Many futures of one type, of which only those that woke are polled.
//!
//! ```text
//!   push ──> due ──> polled ──ready──> gone
//!             ^        │ pending
//!             └──wake──┘
//! ```
//!
//! `due` is in the order of pushes and wakes, so whoever woke first is polled first. It is worked off in rounds: those that wake
//! during a round are in the next one, behind those that were pushed meanwhile, so neither can keep the other out.

use super::child_wakers::{ChildWaker, Parent};
use crate::{awaits::Kept, budget};
use slab::Slab;
use std::{
    collections::VecDeque,
    future::Future,
    mem,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll},
};

pub(super) struct Children<F> {
    places: Slab<Place<F>>,
    /// The places of those to be polled. An entry counts only while the child there is due: it may be gone, or polled already.
    due: VecDeque<usize>,
    /// How many of them are left of this round.
    round: usize,
    /// Empty; kept for its memory.
    woken: Vec<usize>,
    parent: Parent,
    /// The last poll left its waker, and nothing was pushed since.
    parent_waits: bool,
    /// Of children that are over.
    spare: Vec<ChildWaker>,
    kept: Kept,
}

struct Place<F> {
    future: Pin<Box<F>>,
    /// From its first poll on. A child that is ready in its first poll hands it on to the next one.
    waker: Option<ChildWaker>,
}

impl<F> Children<F> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            places: Slab::with_capacity(capacity),
            due: VecDeque::with_capacity(capacity),
            round: 0,
            woken: Vec::new(),
            parent: Parent::new(),
            parent_waits: false,
            spare: Vec::new(),
            kept: Kept::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The place of the child. In a set from which nothing was removed they are `0, 1, 2, …`.
    pub(super) fn push(&mut self, future: F) -> usize {
        let place = self.places.insert(Place { future: Box::pin(future), waker: None });
        self.due.push_back(place);
        if mem::take(&mut self.parent_waits) {
            self.parent.wake();
        }
        place
    }

    /// Those that are left.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Pin<Box<F>>> + use<F> {
        self.due.clear();
        self.round = 0;
        self.kept = Kept::default();
        mem::take(&mut self.places).into_iter().map(|(_, place)| {
            place.waker.iter().for_each(ChildWaker::retire);
            place.future
        })
    }

    /// Is there something for an entry of `due` in this place?
    fn is_due(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|child| child.waker.as_ref().is_none_or(ChildWaker::is_woken))
    }

    /// The next to be polled. If there is none, the parent will be woken when there is.
    fn next_due(&mut self, context: &Context<'_>) -> Option<usize> {
        loop {
            if self.round == 0 {
                self.parent.take_woken(&mut self.woken, self.due.is_empty(), context);
                self.due.extend(self.woken.drain(..));
                self.round = self.due.len();
            }
            let place = self.due.pop_front()?;
            self.round -= 1;
            if self.is_due(place) {
                return Some(place);
            }
        }
    }
}

impl<F: Future> Children<F> {
    /// Polls those that are due, until `done` has enough of their outputs (it is given each with its place), or no child is left
    /// (`None`). Polls no more children than there are.
    pub(super) fn poll<B>(
        &mut self,
        context: &mut Context<'_>,
        mut done: impl FnMut(usize, F::Output) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        self.parent_waits = false;
        let mut polls = self.len();
        while self.len() > 0 {
            let Some(place) = self.next_due(context) else {
                self.parent_waits = true;
                self.kept.all_wait();
                return Poll::Pending;
            };
            if polls == 0 {
                // The others of this task, and other tasks, have their turn first.
                self.due.push_front(place);
                self.round += 1;
                context.waker().wake_by_ref();
                self.kept.all_wait();
                return Poll::Pending;
            }
            if let Poll::Ready(output) = self.poll_child(place)
                && let ControlFlow::Break(enough) = done(place, output)
            {
                return Poll::Ready(Some(enough));
            }
            polls = if budget::is_spent() { 0 } else { polls - 1 };
        }
        Poll::Ready(None)
    }

    fn poll_child(&mut self, place: usize) -> Poll<F::Output> {
        let child = &mut self.places[place];
        if child.waker.is_none() {
            let spare = self.spare.pop().inspect(|spare| spare.move_to(place));
            child.waker = Some(spare.unwrap_or_else(|| self.parent.child(place)));
        }
        let turn = Turn { children: self, place };
        let child = &mut turn.children.places[place];
        let waker = child.waker.as_ref().expect("it was given one");
        waker.take_woken();
        let before = Kept::child_begins();
        let polled = child.future.as_mut().poll(&mut Context::from_waker(waker.waker()));
        turn.children.kept.child_waits(place, before);
        if polled.is_pending() {
            mem::forget(turn);
        }
        polled
    }
}

/// A child's turn. One that ends with an output, or with a panic, is its last.
struct Turn<'children, F> {
    children: &'children mut Children<F>,
    place: usize,
}

impl<F> Drop for Turn<'_, F> {
    fn drop(&mut self) {
        self.children.kept.child_is_gone(self.place);
        let Place { future, waker } = self.children.places.remove(self.place);
        waker.iter().for_each(ChildWaker::retire);
        // Anybody's code; and it gives up what the future has of the waker.
        drop(future);
        self.children.spare.extend(waker.filter(ChildWaker::is_free));
    }
}
