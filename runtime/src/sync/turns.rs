//! Turns: so many of a thing, and the line of those who wait for one. The slots of a channel are such, and the slots and the
//! items of a work queue.
//!
//! ```text
//!                    ┌─ served ──> it has one, and uses it when its task runs
//!   Ticket ─> line ──┤                or goes: then it is the next one's
//!                    └─ refused ─> there will be none any more
//! ```
//!
//! - While somebody is in line nothing is free: nobody passes those who wait.
//! - The turn that [`give`](Turns::give) hands on has an owner from that moment, though its task has yet to run.
//! - What a turn is good for happens under the same lock in which it is found: taken and not used is no state to be cut in.
//! - The budget is asked first, but one that is refused takes its place all the same (enqueue first, budget after).

use super::waiters::{self, Gone, Key, Waiters, Wakers};
use crate::{awaits, budget, std_or_loom::Mutex};
use std::{
    marker::PhantomData,
    task::{Context, Poll, Waker},
};

/// How many are free, and who waits for one.
#[derive(Debug)]
pub(super) struct Turns {
    free: usize,
    /// Each with whether it was served. One that is chosen and was not is refused.
    line: Waiters<bool>,
}

/// How the waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Served,
    Refused,
}

impl Turns {
    pub(super) fn new(free: usize) -> Self {
        Self { free, line: Waiters::new() }
    }

    /// How many nobody has.
    pub(super) fn free(&self) -> usize {
        self.free
    }

    /// One that is free, if there is one. `true`: it is the caller's.
    pub(super) fn take(&mut self) -> bool {
        let some = self.free > 0;
        self.free -= usize::from(some);
        some
    }

    /// One more: the first in line has it, and its waker is to be woken; or it is free.
    #[must_use = "the one whose turn it is must be woken"]
    pub(super) fn give(&mut self) -> Option<Waker> {
        let Some(served) = self.line.first() else {
            self.free += 1;
            return None;
        };
        *served = true;
        self.line.choose()
    }

    /// None are left, and nobody has those that were free.
    pub(super) fn clear(&mut self) {
        self.free = 0;
    }

    /// Those in line wait in vain.
    pub(super) fn refuse_all(&mut self, wakers: &mut Wakers) {
        self.line.choose_all(wakers);
    }

    fn look(&mut self, key: Option<Key>) -> Option<Turn> {
        let Some(key) = key else { return self.take().then_some(Turn::Served) };
        if !self.line.is_chosen(key) {
            return None;
        }
        let Gone { wants: served, .. } = self.line.remove(key);
        Some(if served { Turn::Served } else { Turn::Refused })
    }
}

/// Which turns of the state `S`, and what to do with one that was not used.
pub(super) trait Line<S> {
    /// What a task that waits here waits for.
    const KIND: &'static str;

    fn turns(state: &mut S) -> &mut Turns;

    /// Is one who is not in line yet refused?
    fn refuses(state: &S) -> bool;

    /// A turn comes back unused. Who is to be woken?
    fn give_back(state: &mut S) -> Option<Waker> {
        Self::turns(state).give()
    }
}

/// One who waits for a turn. If it is dropped with a turn that it has not used, that is given back.
#[derive(Debug)]
pub(super) struct Ticket<'lock, S, L: Line<S>> {
    lock: &'lock Mutex<S>,
    /// Its place in line.
    key: Option<Key>,
    /// It has its turn, but its task had no budget left to use it.
    served: bool,
    line: PhantomData<L>,
}

impl<'lock, S, L: Line<S>> Ticket<'lock, S, L> {
    pub(super) fn new(lock: &'lock Mutex<S>) -> Self {
        Self { lock, key: None, served: false, line: PhantomData }
    }

    /// Waits for the turn, and uses it: `act` runs under the lock, once, and must not panic.
    pub(super) fn poll<R>(&mut self, context: &mut Context<'_>, mut act: impl FnMut(&mut S, Turn) -> R) -> Poll<R> {
        if budget::spend(context).is_pending() {
            self.take_place(context);
            return Poll::Pending;
        }
        let served = self.served;
        let look = |state: &mut S, key: Option<Key>| {
            let turn = match key {
                _ if served => Turn::Served,
                None if L::refuses(state) => Turn::Refused,
                key => L::turns(state).look(key)?,
            };
            Some(act(state, turn))
        };
        let polled =
            waiters::poll(self.lock, &mut self.key, context, look, |state| &mut L::turns(state).line, || false);
        if polled.is_ready() {
            self.served = false;
        } else {
            budget::give_back();
            awaits::waits_for(L::KIND, address(self.lock));
        }
        polled
    }

    /// The task was told to come again later; those who come meanwhile shall not pass it.
    fn take_place(&mut self, context: &Context<'_>) {
        if self.served || self.key.is_some() {
            return;
        }
        // Given to the line, or dropped after the lock is given back.
        let mut waker = Some(context.waker().clone());
        let mut state = self.lock.lock().unwrap();
        if L::refuses(&state) {
            return;
        }
        let turns = L::turns(&mut state);
        self.served = turns.take();
        if !self.served {
            self.key = waker.take().map(|waker| turns.line.push(false, waker));
        }
    }
}

impl<S, L: Line<S>> Drop for Ticket<'_, S, L> {
    fn drop(&mut self) {
        if !self.served && self.key.is_none() {
            return;
        }
        let mut state = self.lock.lock().unwrap();
        let gone = self.key.map(|key| L::turns(&mut state).line.remove(key));
        let served = self.served || gone.as_ref().is_some_and(|gone| gone.chosen && gone.wants);
        let next = if served { L::give_back(&mut state) } else { None };
        drop(state);
        next.into_iter().for_each(Waker::wake);
        drop(gone);
    }
}

/// What those who wait here wait for, for the notes of who waits for what.
pub(super) fn address<S>(lock: &Mutex<S>) -> usize {
    std::ptr::from_ref(lock).addr()
}
