//! What is known of one source: for each direction, whether it may be ready, and who waits.
//!
//! A tick counts the events of a direction. An operation that saw `WouldBlock` clears the readiness *that it started from*:
//! if an event came in between, the tick has moved on, and the clear does nothing. So no edge is ever lost.

use super::poller::PollEvent;
use std::{
    io,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

/// A direction of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read = 0,
    Write = 1,
}

/// The readiness that an operation starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick(u32);

#[derive(Debug, Default)]
pub(super) struct Source(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    directions: [OneWay; 2],
    /// The reactor is gone: no event will come any more.
    closed: bool,
}

#[derive(Debug, Default)]
struct OneWay {
    ready: bool,
    /// The other side is done: from now on this direction answers at once, for ever.
    ended: bool,
    tick: u32,
    waker: Option<Waker>,
}

pub(super) fn closed() -> io::Error {
    io::Error::other("the runtime that this source was registered with has ended")
}

impl Source {
    /// Ready with the tick to clear, or pending with the waker stored.
    pub(super) fn poll_ready(&self, direction: Direction, context: &mut Context<'_>) -> Poll<io::Result<Tick>> {
        let mut fresh = None;
        loop {
            let mut state = self.0.lock().unwrap();
            if state.closed {
                return Poll::Ready(Err(closed()));
            }
            let way = &mut state.directions[direction as usize];
            if way.ready || way.ended {
                return Poll::Ready(Ok(Tick(way.tick)));
            }
            if way.waker.as_ref().is_some_and(|stored| stored.will_wake(context.waker())) {
                return Poll::Pending;
            }
            if let Some(fresh) = fresh.take() {
                let stale = way.waker.replace(fresh);
                drop(state);
                drop(stale);
                return Poll::Pending;
            }
            // Cloning a waker is foreign code: not under the lock. Then look again, for an event may have come.
            drop(state);
            fresh = Some(context.waker().clone());
        }
    }

    /// An operation that started from `tick` took all there was.
    pub(super) fn drained(&self, direction: Direction, Tick(tick): Tick) {
        let way = &mut self.0.lock().unwrap().directions[direction as usize];
        if way.tick == tick {
            way.ready = false;
        }
    }

    /// An operation that started from `tick` would have blocked. So the direction has not ended either, whatever the event
    /// said: an error that was reported once is over, or a pipe has a new writer.
    pub(super) fn blocked(&self, direction: Direction, Tick(tick): Tick) {
        let way = &mut self.0.lock().unwrap().directions[direction as usize];
        if way.tick == tick {
            (way.ready, way.ended) = (false, false);
        }
    }

    /// An event came in.
    pub(super) fn ready(&self, event: &PollEvent, wakers: &mut Vec<Waker>) {
        let mut state = self.0.lock().unwrap();
        let [read, write] = &mut state.directions;
        for (way, ready, ended) in [(read, event.read, event.read_closed), (write, event.write, event.write_closed)] {
            if ready {
                way.ready = true;
                way.ended |= ended;
                way.tick = way.tick.wrapping_add(1);
                wakers.extend(way.waker.take());
            }
        }
    }

    pub(super) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut state = self.0.lock().unwrap();
        state.closed = true;
        state.directions.iter_mut().for_each(|way| wakers.extend(way.waker.take()));
    }

    pub(super) fn has_waiter(&self) -> bool {
        self.waiters().contains(&true)
    }

    /// Whether anybody waits to read, and to write.
    pub(super) fn waiters(&self) -> [bool; 2] {
        self.0.lock().unwrap().directions.each_ref().map(|way| way.waker.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::poller::Token;

    fn event(read: bool, write: bool) -> PollEvent {
        let token = Token { slot: 0, generation: 0 };
        PollEvent { token, read, write, read_closed: false, write_closed: false }
    }

    fn poll(source: &Source, direction: Direction) -> Option<Tick> {
        match source.poll_ready(direction, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(tick) => Some(tick.unwrap()),
            Poll::Pending => None,
        }
    }

    /// An edge that comes while an operation runs is not erased by that operation's `WouldBlock`, however many edges come
    /// (tokio #6133: a truncated tick came round to the same value).
    #[test]
    fn a_stale_clear_erases_nothing() {
        for edges in [1, 2, 255, 256, 257, if cfg!(miri) { 512 } else { 65_536 }] {
            let source = Source::default();
            source.ready(&event(true, false), &mut Vec::new());
            let tick = poll(&source, Direction::Read).unwrap();
            for _ in 0..edges {
                source.ready(&event(true, false), &mut Vec::new());
            }
            source.blocked(Direction::Read, tick);
            assert!(poll(&source, Direction::Read).is_some(), "{edges} edges");
        }
    }

    /// tokio #8054: one tick for both directions, and a stream of write events made every read clear void.
    #[test]
    fn directions_do_not_disturb_each_other() {
        let source = Source::default();
        source.ready(&event(true, true), &mut Vec::new());
        let tick = poll(&source, Direction::Read).unwrap();
        source.ready(&event(false, true), &mut Vec::new());
        source.blocked(Direction::Read, tick);
        assert!(poll(&source, Direction::Read).is_none());
        assert!(poll(&source, Direction::Write).is_some());
    }

    #[test]
    fn a_closed_source_fails_and_stays_so() {
        let source = Source::default();
        let mut wakers = Vec::new();
        assert!(poll(&source, Direction::Read).is_none());
        source.ready(&event(false, true), &mut wakers);
        let trying = poll(&source, Direction::Write).unwrap();
        source.close(&mut wakers);
        assert_eq!(wakers.len(), 1);
        source.ready(&event(true, true), &mut wakers);
        // An attempt that began before the end comes back, and clears what it started from (tokio #8435: that as well).
        source.blocked(Direction::Write, trying);
        source.drained(Direction::Write, trying);
        assert!(matches!(
            source.poll_ready(Direction::Read, &mut Context::from_waker(Waker::noop())),
            Poll::Ready(Err(_))
        ));
    }
}
