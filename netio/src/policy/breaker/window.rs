//! What came out lately: the part of the breaker that forgets.

use runtime::time::Instant;
use std::{collections::VecDeque, time::Duration};

/// Which outcomes a [`CircuitBreaker`](super::CircuitBreaker) looks at.
///
/// ```
/// use netio::policy::{CircuitBreaker, Window};
/// use std::time::Duration;
/// let lately = CircuitBreaker::new().window(Window::Time(Duration::from_secs(10)));
/// # drop(lately);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many, however old they are. Zero is taken for one.
    Count(usize),
    /// All of this time, to a tenth of it.
    Time(Duration),
}

/// So many steps has a window of time: old outcomes go a tenth at a time, and memory does not grow with the traffic.
const STEPS: u32 = 10;

/// The outcomes in the window, and their sum.
#[derive(Debug)]
pub(super) struct Outcomes {
    window: Window,
    /// Oldest first. One a call, or one a step of time.
    slots: VecDeque<Slot>,
    total: Counts,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    began: Instant,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
}

impl Outcomes {
    pub(super) fn new(window: Window) -> Self {
        Outcomes { window, slots: VecDeque::new(), total: Counts::default() }
    }

    pub(super) fn record(&mut self, failed: bool) {
        let now = Instant::now();
        let counts = Counts { calls: 1, failures: failed.into() };
        self.total.add(counts);
        match (self.window, self.slots.back_mut()) {
            (Window::Time(time), Some(last)) if now - last.began < time / STEPS => last.counts.add(counts),
            _ => self.slots.push_back(Slot { began: now, counts }),
        }
        self.forget(now);
    }

    pub(super) fn counts(&mut self) -> Counts {
        self.forget(Instant::now());
        self.total
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.total = Counts::default();
    }

    /// Drops what is out of the window.
    fn forget(&mut self, now: Instant) {
        while self.slots.front().is_some_and(|slot| match self.window {
            Window::Count(count) => self.slots.len() > count.max(1),
            Window::Time(time) => now - slot.began >= time,
        }) {
            let Counts { calls, failures } = self.slots.pop_front().expect("there is a first").counts;
            self.total.calls -= calls;
            self.total.failures -= failures;
        }
    }
}

impl Counts {
    fn add(&mut self, more: Counts) {
        self.calls += more.calls;
        self.failures += more.failures;
    }
}
