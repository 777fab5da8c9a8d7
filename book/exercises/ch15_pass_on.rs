//! Chapter 15: a waiter that was chosen and goes away must pass it on.

use std::{
    collections::VecDeque,
    future::Future,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// The number, and the line of those who wait. While somebody is in line, nothing is free.
#[derive(Default)]
pub(crate) struct State {
    free: usize,
    line: VecDeque<(u64, Waker)>,
    came: u64,
}

pub(crate) type Permits = Arc<Mutex<State>>;

/// One comes back: it is the first in line's, who leaves the line.
fn give(permits: &Permits) {
    let mut state = permits.lock().unwrap();
    let first = state.line.pop_front();
    if first.is_none() {
        state.free += 1;
    }
    drop(state);
    first.into_iter().for_each(|(_, waker)| waker.wake());
}

/// Ready when it has one.
pub(crate) struct Taking {
    permits: Permits,
    /// While it waits, and until it knows that it had its turn.
    name: Option<u64>,
    leave: fn(&Permits, u64),
}

impl Future for Taking {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let permits = self.permits.clone();
        let mut state = permits.lock().unwrap();
        let Some(name) = self.name else {
            if state.free > 0 {
                state.free -= 1;
                return Poll::Ready(());
            }
            state.came += 1;
            let name = state.came;
            state.line.push_back((name, waker));
            drop(state);
            self.name = Some(name);
            return Poll::Pending;
        };
        let Some((_, waiting)) = state.line.iter_mut().find(|(other, _)| *other == name) else {
            drop(state);
            self.name = None;
            return Poll::Ready(());
        };
        let stale = mem::replace(waiting, waker);
        drop(state);
        drop(stale);
        Poll::Pending
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            (self.leave)(&self.permits, name);
        }
    }
}

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Called when a `Taking` is dropped that had come into the line under this name.
    pub(crate) fn leave(permits: &Permits, name: u64) {
        let mut state = permits.lock().unwrap();
        let place = state.line.iter().position(|(other, _)| *other == name);
        let waiting = place.and_then(|place| state.line.remove(place));
        if waiting.is_none() {
            // TODO: it had its turn, and its permit goes back to the number. But who is in line?
            state.free += 1;
        }
        drop(state);
        // Here the waker is dropped, without the lock.
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// Called when a `Taking` is dropped that had come into the line under this name.
    pub(crate) fn leave(permits: &Permits, name: u64) {
        let mut state = permits.lock().unwrap();
        let place = state.line.iter().position(|(other, _)| *other == name);
        let waiting = place.and_then(|place| state.line.remove(place));
        drop(state);
        if waiting.is_none() {
            // It had its turn, and goes without having heard of it: the permit is the next one's.
            give(permits);
        }
        // Here the waker is dropped, without the lock.
    }
    // ANCHOR_END: solution
}

/// What was done with the waker of one task.
#[derive(Default)]
struct Seen {
    wakes: AtomicUsize,
    under_the_lock: AtomicBool,
}

/// The waker of that task. It is anybody's code, and wants the lock when it is woken and when it is dropped.
struct Task {
    permits: Permits,
    seen: Arc<Seen>,
}

impl Task {
    fn look(&self) {
        if self.permits.try_lock().is_err() {
            self.seen.under_the_lock.store(true, Ordering::SeqCst);
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.look();
        self.seen.wakes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.look();
    }
}

fn once(taking: &mut Taking, waker: &Waker) -> Poll<()> {
    Pin::new(taking).poll(&mut Context::from_waker(waker))
}

fn check(leave: fn(&Permits, u64)) {
    // Who goes: the first or the second of three; and when: while it waits, or after its turn.
    for (goes, turn_has_come) in [(0, false), (1, false), (0, true)] {
        let permits = Permits::default();
        let tasks: [_; 3] = std::array::from_fn(|_| Arc::new(Seen::default()));
        let mut line = tasks.clone().map(|seen| {
            let mut taking = Taking { permits: permits.clone(), name: None, leave };
            // It moves from one task to another while it waits.
            for waker in [Waker::noop().clone(), Arc::new(Task { permits: permits.clone(), seen }).into()] {
                assert!(once(&mut taking, &waker).is_pending(), "nothing is free yet");
            }
            Some(taking)
        });
        let what =
            format!("number {} of three goes, {}", goes + 1, if turn_has_come { "after its turn" } else { "waiting" });
        if turn_has_come {
            give(&permits);
        }
        line[goes] = None;
        if !turn_has_come {
            give(&permits);
        }
        let left = || (0..3).filter(|number| *number != goes);
        let wakes: Vec<_> = left().map(|number| tasks[number].wakes.load(Ordering::SeqCst)).collect();
        assert_eq!(wakes, [1, 0], "{what}: of the two that are left, the first must be woken, and only that one");
        let ready: Vec<_> = line.iter_mut().flatten().map(|taking| once(taking, Waker::noop()).is_ready()).collect();
        assert_eq!(ready, [true, false], "{what}: of the two that are left, the first must have it, and only that one");
        assert_eq!(permits.lock().unwrap().free, 0, "{what}: it has been given out twice");
        let under_the_lock = tasks.iter().any(|seen| seen.under_the_lock.load(Ordering::SeqCst));
        assert!(!under_the_lock, "{what}: a waker was woken or dropped under the lock");
    }
}

crate::judge! { check(leave), the starter fails with "number 1 of three goes, after its turn" }
