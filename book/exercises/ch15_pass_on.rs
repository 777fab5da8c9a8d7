//! Chapter 15: a waiter that was chosen and goes away must pass it on.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
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
        match self.name {
            None if state.free > 0 => {
                state.free -= 1;
                Poll::Ready(())
            }
            None => {
                state.came += 1;
                let name = state.came;
                state.line.push_back((name, waker));
                self.name = Some(name);
                Poll::Pending
            }
            Some(name) if state.line.iter().any(|(other, _)| *other == name) => Poll::Pending,
            Some(_) => {
                self.name = None;
                Poll::Ready(())
            }
        }
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
        // TODO: what if it is not in the line any more?
        let mut state = permits.lock().unwrap();
        state.line.retain(|(other, _)| *other != name);
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

fn check(leave: fn(&Permits, u64)) {
    let once = |taking: &mut Taking| Pin::new(taking).poll(&mut Context::from_waker(Waker::noop()));
    // Who goes: the first or the second of three; and when: while it waits, or after its turn.
    for (goes, turn_has_come) in [(0, false), (1, false), (0, true)] {
        let permits = Permits::default();
        let taking = || Taking { permits: permits.clone(), name: None, leave };
        let mut line = [taking(), taking(), taking()].map(Some);
        for taking in line.iter_mut().flatten() {
            assert!(once(taking).is_pending(), "nothing is free yet");
        }
        let what =
            format!("number {} of three goes, {}", goes + 1, if turn_has_come { "after its turn" } else { "waiting" });
        if turn_has_come {
            give(&permits);
        }
        line[goes] = None;
        if !turn_has_come {
            give(&permits);
        }
        let ready: Vec<_> = line.iter_mut().flatten().map(|taking| once(taking).is_ready()).collect();
        assert_eq!(ready, [true, false], "{what}: of the two that are left, the first must have it, and only that one");
        assert_eq!(permits.lock().unwrap().free, 0, "{what}: it has been given out twice");
    }
}

crate::judge! { check(leave), the starter fails with "number 1 of three goes, after its turn" }
