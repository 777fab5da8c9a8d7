//! Chapter 9: a timer that is cancelled costs one look, and leaves nothing behind for long.

use std::{
    cell::Cell,
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap},
    hash::{Hash, Hasher},
    sync::Arc,
    task::{Wake, Waker},
};

thread_local! {
    /// How often two numbers were compared.
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

/// A deadline, or the name of a timer. Counts how often somebody looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(u64);

// ANCHOR: timers
/// Who is to be woken when.
pub(crate) trait Timers {
    /// Arms a timer, and gives its name.
    fn arm(&mut self, deadline: Number, waker: Waker) -> Number;

    /// Takes it out. One that has fired already is left alone.
    fn cancel(&mut self, name: Number);

    /// The wakers of those that are due, the earliest first.
    fn due(&mut self, now: Number) -> Vec<Waker>;

    /// How many places are in use, also for what was cancelled.
    fn places(&self) -> usize;
}
// ANCHOR_END: timers

mod starter {
    use super::*;

    // ANCHOR: starter
    #[derive(Default)]
    pub(crate) struct Heap {
        heap: BinaryHeap<Reverse<(Number, Number)>>,
        wakers: HashMap<Number, Waker>,
        names: u64,
    }

    impl Timers for Heap {
        fn arm(&mut self, deadline: Number, waker: Waker) -> Number {
            self.names += 1;
            let name = Number(self.names);
            self.heap.push(Reverse((deadline, name)));
            self.wakers.insert(name, waker);
            name
        }

        fn cancel(&mut self, name: Number) {
            // TODO: this looks at all timers.
            self.heap.retain(|Reverse((_, other))| *other != name);
            self.wakers.remove(&name);
        }

        fn due(&mut self, now: Number) -> Vec<Waker> {
            let mut due = Vec::new();
            while self.heap.peek().is_some_and(|Reverse((deadline, _))| *deadline <= now) {
                let Reverse((_, name)) = self.heap.pop().expect("it was there");
                due.extend(self.wakers.remove(&name));
            }
            due
        }

        fn places(&self) -> usize {
            self.heap.len()
        }
    }
    // ANCHOR_END: starter

    pub(crate) fn new() -> Heap {
        Heap::default()
    }
}

mod solution {
    use super::*;

    #[derive(Default)]
    pub(crate) struct Heap {
        heap: BinaryHeap<Reverse<(Number, Number)>>,
        wakers: HashMap<Number, Waker>,
        names: u64,
    }

    impl Timers for Heap {
        fn arm(&mut self, deadline: Number, waker: Waker) -> Number {
            self.names += 1;
            let name = Number(self.names);
            self.heap.push(Reverse((deadline, name)));
            self.wakers.insert(name, waker);
            name
        }

        // ANCHOR: solution
        /// Leaves its entry in the heap, where `due` will find that nobody has that name. When more than half of the heap is dead, all of
        /// the dead go at once: as many as have been cancelled since the last time, so that each pays for itself.
        fn cancel(&mut self, name: Number) {
            self.wakers.remove(&name);
            if self.heap.len() > 2 * self.wakers.len() + 64 {
                self.heap.retain(|Reverse((_, name))| self.wakers.contains_key(name));
            }
        }
        // ANCHOR_END: solution

        fn due(&mut self, now: Number) -> Vec<Waker> {
            let mut due = Vec::new();
            while self.heap.peek().is_some_and(|Reverse((deadline, _))| *deadline <= now) {
                let Reverse((_, name)) = self.heap.pop().expect("it was there");
                due.extend(self.wakers.remove(&name));
            }
            due
        }

        fn places(&self) -> usize {
            self.heap.len()
        }
    }

    pub(crate) fn new() -> Heap {
        Heap::default()
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        LOOKS.set(LOOKS.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

struct Silent;

impl Wake for Silent {
    fn wake(self: Arc<Self>) {}
}

/// How many looks that took.
fn looks(work: impl FnOnce()) -> u64 {
    let before = LOOKS.get();
    work();
    LOOKS.get() - before
}

fn check<T: Timers>(new: fn() -> T) {
    let wakers: Vec<_> = (0..6).map(|_| Arc::new(Silent)).collect();
    let waker = |index: usize| Waker::from(wakers[index].clone());
    let mut timers = new();
    let names: Vec<_> =
        [30, 10, 20, 10, 40].iter().enumerate().map(|(i, at)| timers.arm(Number(*at), waker(i))).collect();
    timers.cancel(names[2]);
    assert_eq!(Arc::strong_count(&wakers[2]), 1, "the waker of a cancelled timer is kept");
    let due = timers.due(Number(30));
    let order: Vec<_> =
        due.iter().map(|due| (0..5).find(|&i| due.will_wake(&waker(i))).expect("one of ours")).collect();
    assert_eq!(order, [1, 3, 0], "the earliest first; of two with the same deadline, the one that was armed first");
    timers.cancel(names[0]);
    assert_eq!(timers.due(Number(100)).len(), 1, "one is left");

    const MANY: u64 = 10_000;
    let mut timers = new();
    let names: Vec<_> = (0..MANY).map(|number| timers.arm(Number(number * 7919 % MANY), waker(5))).collect();
    let cost = looks(|| names[1000..1100].iter().for_each(|name| timers.cancel(*name)));
    assert!(cost < 1000, "{cost} looks to cancel a hundred timers among ten thousand");
    let cost = looks(|| names.iter().for_each(|name| timers.cancel(*name)));
    assert!(cost < 40 * MANY, "{cost} looks to cancel ten thousand timers");
    assert_eq!(timers.due(Number(MANY)).len(), 0, "all were cancelled");

    // A timeout for each request, and each request is in time.
    let mut timers = new();
    for request in 0..MANY {
        let name = timers.arm(Number(1_000_000 + request), waker(5));
        timers.cancel(name);
        assert!(timers.places() < 200, "{} places in use, and no timer is armed", timers.places());
    }
}

crate::judge! { check(new), the starter fails with "looks to cancel a hundred timers" }
