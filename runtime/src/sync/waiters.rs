//! Those who wait, first come first served: the queue that every primitive here keeps under its own short lock.
//!
//! ```text
//!   push          choose                     remove
//!  ──────> in line ──────> chosen, not yet told ──────> gone
//!             └──────────────── remove ────────────────^
//! ```
//!
//! A waiter that is **chosen** is out of the line and owns what it waited for, but its task has not run yet. If it goes without
//! having run, whoever removes it must pass its turn on: [`Gone::chosen`] says so.
//!
//! The links are places in a slab, so that a waiter in the middle can go in constant time, no unsafe code is needed, and
//! nothing is allocated once the slab is as long as the line has ever been.
//!
//! Wakers are anybody's code: cloned before the lock is taken, dropped and woken after it is given back, in one batch
//! ([`Wakers`]), in the order in which the waiters came. [`poll`] is that rule, written once.

use crate::std_or_loom::Mutex;
use slab::Slab;
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::{Context, Poll, Waker},
};

/// Names a waiter, from its `push` to its `remove`.
pub(super) type Key = usize;

const NOBODY: Key = usize::MAX;

/// The line. `T` is what each of them wants.
#[derive(Debug)]
pub(super) struct Waiters<T> {
    places: Slab<Waiter<T>>,
    first: Key,
    last: Key,
    in_line: usize,
}

#[derive(Debug)]
struct Waiter<T> {
    wants: T,
    /// `None`: it was chosen.
    waker: Option<Waker>,
    before: Key,
    behind: Key,
}

/// A waiter that was removed.
#[must_use = "a waiter that was chosen passes its turn on"]
pub(super) struct Gone<T> {
    pub(super) wants: T,
    /// It had its turn: what it waited for is its own.
    pub(super) chosen: bool,
    /// To be dropped without the lock.
    pub(super) waker: Option<Waker>,
}

impl<T> Default for Waiters<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Waiters<T> {
    pub(super) const fn new() -> Self {
        Self { places: Slab::new(), first: NOBODY, last: NOBODY, in_line: 0 }
    }

    /// How many are in line.
    pub(super) fn len(&self) -> usize {
        self.in_line
    }

    /// Is nobody in line?
    pub(super) fn is_empty(&self) -> bool {
        self.first == NOBODY
    }

    /// To the end of the line.
    pub(super) fn push(&mut self, wants: T, waker: Waker) -> Key {
        let before = self.last;
        let key = self.places.insert(Waiter { wants, waker: Some(waker), before, behind: NOBODY });
        match before {
            NOBODY => self.first = key,
            before => self.places[before].behind = key,
        }
        self.last = key;
        self.in_line += 1;
        key
    }

    /// What the first in line wants.
    pub(super) fn first(&mut self) -> Option<&mut T> {
        self.places.get_mut(self.first).map(|waiter| &mut waiter.wants)
    }

    /// The first in line has its turn. Its waker, to be woken without the lock.
    pub(super) fn choose(&mut self) -> Option<Waker> {
        let key = self.first;
        let waker = self.places.get_mut(key)?.waker.take();
        self.unlink(key);
        waker
    }

    /// All that are in line have their turn.
    pub(super) fn choose_all(&mut self, wakers: &mut Wakers) {
        while let Some(waker) = self.choose() {
            wakers.push(waker);
        }
    }

    /// Has it had its turn?
    pub(super) fn is_chosen(&self, key: Key) -> bool {
        self.places[key].waker.is_none()
    }

    /// Takes it out, wherever it stands.
    pub(super) fn remove(&mut self, key: Key) -> Gone<T> {
        if self.places[key].waker.is_some() {
            self.unlink(key);
        }
        let Waiter { wants, waker, .. } = self.places.remove(key);
        Gone { wants, chosen: waker.is_none(), waker }
    }

    /// Takes it out of the line. The waiter's links are not read again.
    fn unlink(&mut self, key: Key) {
        let Waiter { before, behind, .. } = self.places[key];
        match before {
            NOBODY => self.first = behind,
            before => self.places[before].behind = behind,
        }
        match behind {
            NOBODY => self.last = before,
            behind => self.places[behind].before = before,
        }
        self.in_line -= 1;
    }
}

/// One poll of a waiter: what `look` finds; or nothing, and it stands in line with the task's waker.
///
/// `look` is asked under the lock, with the key if the waiter has one (if it then finds something, it has removed the waiter
/// and `key` is forgotten). `line` is where to wait, and `wants` what for, if it is not in line yet.
pub(super) fn poll<S, T, R>(
    lock: &Mutex<S>,
    key: &mut Option<Key>,
    context: &Context<'_>,
    look: impl FnMut(&mut S, Option<Key>) -> Option<R>,
    line: impl Fn(&mut S) -> &mut Waiters<T>,
    wants: impl FnOnce() -> T,
) -> Poll<R> {
    poll_with(None, lock, key, context, look, line, wants)
}

/// [`poll`], by one who has looked without the lock, and so expects to wait: it brings its waker along, and need not come twice.
pub(super) fn poll_expecting_to_wait<S, T, R>(
    lock: &Mutex<S>,
    key: &mut Option<Key>,
    context: &Context<'_>,
    look: impl FnMut(&mut S, Option<Key>) -> Option<R>,
    line: impl Fn(&mut S) -> &mut Waiters<T>,
    wants: impl FnOnce() -> T,
) -> Poll<R> {
    let fresh = key.is_none().then(|| context.waker().clone());
    poll_with(fresh, lock, key, context, look, line, wants)
}

fn poll_with<S, T, R>(
    mut fresh: Option<Waker>,
    lock: &Mutex<S>,
    key: &mut Option<Key>,
    context: &Context<'_>,
    mut look: impl FnMut(&mut S, Option<Key>) -> Option<R>,
    line: impl Fn(&mut S) -> &mut Waiters<T>,
    wants: impl FnOnce() -> T,
) -> Poll<R> {
    loop {
        let mut state = lock.lock().unwrap();
        if let Some(found) = look(&mut state, *key) {
            *key = None;
            // Given back before the fresh waker, if there is one, is dropped.
            drop(state);
            return Poll::Ready(found);
        }
        let waiting = (*key).map(|key| &mut line(&mut state).places[key].waker);
        let waiting = waiting.map(|waker| waker.as_mut().expect("`look` sees to those that are chosen"));
        if waiting.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        let Some(waker) = fresh.take() else {
            // It is cloned without the lock, and then all may be different.
            drop(state);
            fresh = Some(context.waker().clone());
            continue;
        };
        let stale = match waiting {
            Some(waiting) => Some(std::mem::replace(waiting, waker)),
            None => {
                *key = Some(line(&mut state).push(wants(), waker));
                None
            }
        };
        drop(state);
        drop(stale);
        return Poll::Pending;
    }
}

/// Wakers on their way out of a lock. One, the usual case, needs no memory of its own.
#[derive(Debug, Default)]
#[must_use = "they wait to be woken"]
pub(super) struct Wakers {
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Wakers {
    pub(super) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.others.push(waker);
        }
    }

    /// Wakes all of them, first come first woken; no lock is held. One that panics does not keep the others from being woken:
    /// the first panic goes on when all are.
    pub(super) fn wake(self) {
        if self.others.is_empty() {
            self.first.into_iter().for_each(Waker::wake);
            return;
        }
        let mut panicked = None;
        for waker in self.first.into_iter().chain(self.others) {
            panicked = panicked.or(catch_unwind(AssertUnwindSafe(|| waker.wake())).err());
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }
}

impl Extend<Waker> for Wakers {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        wakers.into_iter().for_each(|waker| self.push(waker));
    }
}

#[cfg(all(test, not(runtime_loom)))]
mod tests {
    use super::*;

    fn line(waiters: &mut Waiters<u32>) -> Vec<u32> {
        let mut line = Vec::new();
        let mut key = waiters.first;
        while key != NOBODY {
            line.push(waiters.places[key].wants);
            key = waiters.places[key].behind;
        }
        assert_eq!(line.len(), waiters.len());
        line
    }

    #[test]
    fn whoever_goes_leaves_the_others_in_their_order() {
        for going in 0..4 {
            let mut waiters = Waiters::new();
            let keys: Vec<_> = (0..4).map(|number| waiters.push(number, Waker::noop().clone())).collect();
            let gone = waiters.remove(keys[going as usize]);
            assert!(!gone.chosen && gone.wants == going);
            let others: Vec<_> = (0..4).filter(|number| *number != going).collect();
            assert_eq!(line(&mut waiters), others);
            waiters.push(9, Waker::noop().clone());
            assert_eq!(line(&mut waiters), [others, vec![9]].concat());
        }
    }

    #[test]
    fn the_first_is_chosen_and_stays_until_it_goes() {
        let mut waiters = Waiters::new();
        let (one, two) = (waiters.push(1, Waker::noop().clone()), waiters.push(2, Waker::noop().clone()));
        assert_eq!(waiters.first(), Some(&mut 1));
        assert!(waiters.choose().is_some());
        assert!(waiters.is_chosen(one) && !waiters.is_chosen(two));
        assert_eq!(line(&mut waiters), [2]);
        let gone = waiters.remove(one);
        assert!(gone.chosen && gone.waker.is_none());
        assert!(waiters.choose().is_some() && waiters.choose().is_none());
        assert!(waiters.is_empty());
    }
}
