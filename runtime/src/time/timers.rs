//! The deadlines of one worker, in order.
//!
//! Equal deadlines fire in the order in which they were armed.

use super::Instant;
use std::{collections::BTreeMap, sync::Mutex, task::Waker};

#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<Armed>);

#[derive(Debug, Default)]
struct Armed {
    by_deadline: BTreeMap<Key, Waker>,
    next_number: u64,
}

/// Names an armed timer: its deadline, and a number that makes equal deadlines distinct and orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    deadline: Instant,
    number: u64,
}

impl Timers {
    /// Arms a timer. The flag: it is now the earliest of all.
    pub(crate) fn arm(&self, deadline: Instant, waker: Waker) -> (Key, bool) {
        let mut armed = self.0.lock().unwrap();
        let key = Key { deadline, number: armed.next_number };
        armed.next_number += 1;
        armed.by_deadline.insert(key, waker);
        let earliest = armed.by_deadline.first_key_value().is_some_and(|(first, _)| *first == key);
        (key, earliest)
    }

    /// Puts another waker in an armed timer; gives back the one that must be dropped. `Err`: the timer has fired.
    pub(crate) fn replace(&self, key: Key, waker: Waker) -> Result<Waker, Waker> {
        match self.0.lock().unwrap().by_deadline.get_mut(&key) {
            Some(stored) => Ok(std::mem::replace(stored, waker)),
            None => Err(waker),
        }
    }

    /// Takes a timer out, if it has not fired.
    pub(crate) fn cancel(&self, key: Key) -> Option<Waker> {
        self.0.lock().unwrap().by_deadline.remove(&key)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.lock().unwrap().by_deadline.first_key_value().map(|(key, _)| key.deadline)
    }

    /// Takes out the next timer that is due at `now`. One at a time: what its waker arms or cancels is seen by the next call.
    pub(crate) fn pop_due(&self, now: Instant) -> Option<(Instant, Waker)> {
        let mut armed = self.0.lock().unwrap();
        let first = armed.by_deadline.first_entry()?;
        if first.key().deadline > now {
            return None;
        }
        let (key, waker) = first.remove_entry();
        Some((key.deadline, waker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(millis: u64) -> Instant {
        crate::time::Clock::Virtual(0.into()).now() + Duration::from_millis(millis)
    }

    #[test]
    fn fires_in_order_and_never_early() {
        let timers = Timers::default();
        let (_, first) = timers.arm(at(20), Waker::noop().clone());
        let (_, earlier) = timers.arm(at(10), Waker::noop().clone());
        let (cancelled, later) = timers.arm(at(10), Waker::noop().clone());
        assert_eq!((first, earlier, later), (true, true, false));
        assert!(timers.pop_due(at(9)).is_none());
        assert!(timers.cancel(cancelled).is_some());
        assert_eq!(timers.pop_due(at(30)).map(|(due, _)| due), Some(at(10)));
        assert_eq!(timers.next_deadline(), Some(at(20)));
        assert_eq!(timers.pop_due(at(30)).map(|(due, _)| due), Some(at(20)));
        assert!(timers.cancel(cancelled).is_none());
    }
}
