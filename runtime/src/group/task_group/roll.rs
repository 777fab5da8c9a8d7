//! Who is in the group: children come and go, the first failure closes it, and the scope waits until nobody is left.

use super::failure::Failure;
use crate::{awaits, budget, task::AbortHandle};
use slab::Slab;
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
};

/// What a scope, its children and its handles share.
pub(super) struct Roll<E>(Mutex<State<E>>);

struct State<E> {
    children: Slab<Present>,
    /// How many have come in all: it tells a child from another that has its place now.
    came: u64,
    /// How many groups inside this one have children left.
    groups_inside: usize,
    /// Nobody comes in any more, and all were told to end.
    closed: bool,
    failures: Vec<Failure<E>>,
    waiting: Option<Waker>,
    /// The body is over: the scope waits for nobody to be left.
    body_is_over: bool,
    /// The scope has its result, or was dropped.
    scope_is_gone: bool,
    /// Until the scope is gone and nobody is left.
    outer: Option<Guest>,
}

struct Present {
    number: u64,
    /// `None`: its spawner has not told us yet.
    abort: Option<AbortHandle>,
}

/// Where a child stands, and which one it is: another may have the place when it has gone.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    place: usize,
    number: u64,
}

/// A child is in, until the drop. Its future must be gone by then.
pub(super) struct Membership<E> {
    pub(super) roll: Arc<Roll<E>>,
    pub(super) entry: Entry,
}

/// A group as those inside it see it: they keep it open.
///
/// A scope that is dropped cannot wait for its children; the group around it does.
pub(super) trait Outer: Send + Sync {
    fn comes(&self);
    fn leaves(&self);
}

/// Keeps the group around open, until the drop.
struct Guest(Arc<dyn Outer>);

impl Guest {
    fn of(outer: Arc<dyn Outer>) -> Self {
        outer.comes();
        Self(outer)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.leaves();
    }
}

impl<E> Default for Roll<E> {
    fn default() -> Self {
        Self(Mutex::new(State {
            children: Slab::new(),
            came: 0,
            groups_inside: 0,
            closed: false,
            failures: Vec::new(),
            waiting: None,
            body_is_over: false,
            scope_is_gone: false,
            outer: None,
        }))
    }
}

impl<E> Roll<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.0.lock().unwrap()
    }

    /// The scope is inside that group, and keeps it open.
    pub(super) fn is_inside(&self, outer: Option<Arc<dyn Outer>>) {
        let outer = outer.map(Guest::of);
        self.lock().outer = outer;
    }

    /// A child comes in, if the group takes any.
    pub(super) fn come(self: &Arc<Self>) -> Option<Membership<E>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.came += 1;
        let number = state.came;
        let place = state.children.insert(Present { number, abort: None });
        drop(state);
        Some(Membership { roll: self.clone(), entry: Entry { place, number } })
    }

    /// The child has become a task, and may have run, or be over, already.
    pub(super) fn runs(&self, Entry { place, number }: Entry, abort: AbortHandle) {
        let mut state = self.lock();
        let (closed, scope_is_gone) = (state.closed, state.scope_is_gone);
        if let Some(child) = state.children.get_mut(place).filter(|child| child.number == number) {
            child.abort = Some(abort.clone());
        }
        drop(state);
        // It came in before the group was closed, and could not be told.
        if scope_is_gone {
            abort.abort();
        } else if closed {
            abort.cancel();
        }
    }

    /// Something failed: everybody else is to end.
    pub(super) fn fail(&self, failure: Failure<E>) {
        self.lock().failures.push(failure);
        self.close();
    }

    /// Nobody comes in any more; those who are in, and the body, are asked to end.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if mem::replace(&mut state.closed, true) {
            return;
        }
        let waiting = state.waiting.take();
        let running = state.running();
        drop(state);
        running.iter().for_each(AbortHandle::cancel);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Those who are in are to end, now.
    pub(super) fn abort_all(&self) {
        let running = self.lock().running();
        running.iter().for_each(AbortHandle::abort);
    }

    /// Is the group closed? If not, the task is woken when it is.
    pub(super) fn poll_closed(&self, context: &Context<'_>) -> Poll<()> {
        self.wait(context, |state| state.closed)
    }

    /// Is nobody left? Then the group is closed, and these are the failures. If not, the task is woken when it is so.
    pub(super) fn poll_over(&self, context: &Context<'_>) -> Poll<Vec<Failure<E>>> {
        ready!(budget::spend(context));
        let over = self.wait(context, |state| {
            state.body_is_over = true;
            state.closed |= state.is_empty();
            state.is_empty()
        });
        if over.is_pending() {
            budget::give_back();
            awaits::waits_for("task group", (self as *const Self).addr());
            return Poll::Pending;
        }
        Poll::Ready(mem::take(&mut self.lock().failures))
    }

    /// The scope goes: at its end, or it is dropped; then nobody waits for clean-ups any more.
    pub(super) fn scope_goes(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.scope_is_gone = true;
        let (waiting, outer, running) = (state.waiting.take(), state.outer_if_over(), state.running());
        drop(state);
        running.iter().for_each(AbortHandle::abort);
        drop((waiting, outer));
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn len(&self) -> usize {
        self.lock().children.len()
    }

    /// Somebody goes.
    fn leave(&self, goes: impl FnOnce(&mut State<E>) -> Option<Present>) {
        let mut state = self.lock();
        let gone = goes(&mut state);
        let waiting = if state.body_is_over && state.is_empty() { state.waiting.take() } else { None };
        let outer = state.outer_if_over();
        drop(state);
        drop(gone);
        waiting.into_iter().for_each(Waker::wake);
        drop(outer);
    }

    /// Waits until `look` says yes.
    fn wait(&self, context: &Context<'_>, look: impl Fn(&mut State<E>) -> bool) -> Poll<()> {
        let mut fresh = None;
        loop {
            let mut state = self.lock();
            if look(&mut state) {
                return Poll::Ready(());
            }
            if state.waiting.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                return Poll::Pending;
            }
            if let Some(waker) = fresh.take() {
                let stale = state.waiting.replace(waker);
                drop(state);
                drop(stale);
                return Poll::Pending;
            }
            // It is cloned without the lock, and then all may be different.
            drop(state);
            fresh = Some(context.waker().clone());
        }
    }
}

impl<E> State<E> {
    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.groups_inside == 0
    }

    fn running(&self) -> Vec<AbortHandle> {
        self.children.iter().filter_map(|(_, child)| child.abort.clone()).collect()
    }

    fn outer_if_over(&mut self) -> Option<Guest> {
        if self.scope_is_gone && self.is_empty() { self.outer.take() } else { None }
    }
}

impl<E: Send> Outer for Roll<E> {
    fn comes(&self) {
        self.lock().groups_inside += 1;
    }

    fn leaves(&self) {
        self.leave(|state| {
            state.groups_inside -= 1;
            None
        });
    }
}

impl<E> Drop for Membership<E> {
    fn drop(&mut self) {
        self.roll.leave(|state| Some(state.children.remove(self.entry.place)));
    }
}

#[cfg(all(test, not(runtime_loom)))]
mod tests {
    use super::*;
    use crate::task::JoinHandle;

    #[test]
    fn a_spawner_that_comes_late_does_not_take_another_child_for_its_own() {
        crate::runtime::block_on(async {
            let roll = Arc::new(Roll::<()>::default());
            let first = roll.come().unwrap();
            let entry = first.entry;
            drop(first);
            let second = roll.come().unwrap();
            assert_eq!(second.entry.place, entry.place);
            let spawn = || crate::runtime::spawn(std::future::pending::<()>());
            let (late, own): (JoinHandle<()>, JoinHandle<()>) = (spawn(), spawn());
            roll.runs(second.entry, own.abort_handle());
            roll.runs(entry, late.abort_handle());
            roll.abort_all();
            crate::task::yield_now().await;
            assert!(own.is_finished() && !late.is_finished());
        });
    }
}
