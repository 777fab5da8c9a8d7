//! Chapter 20: five mistakes that shipped, small enough for this page.

use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
};

// ANCHOR: given
/// What a task's word says.
pub(crate) const IDLE: usize = 0;
pub(crate) const SCHEDULED: usize = 1;

/// A semaphore, as seen under its lock.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) permits: usize,
    /// First come, first served.
    pub(crate) waiting: VecDeque<&'static str>,
    /// Was given a permit, and has not used it yet.
    pub(crate) chosen: Vec<&'static str>,
}

impl Line {
    /// A permit comes back: it goes to the first in line.
    pub(crate) fn release(&mut self) {
        match self.waiting.pop_front() {
            Some(first) => self.chosen.push(first),
            None => self.permits += 1,
        }
    }
}
// ANCHOR_END: given

mod starter {
    use super::*;

    // ANCHOR: starter
    // TODO: each of these five is wrong. Find out by what, and mend it.

    /// `true`: the task was idle, and the caller has to queue it. What the caller wrote before, the coming poll must see.
    pub(crate) fn wake(state: &AtomicUsize) -> bool {
        if state.load(Ordering::Acquire) == SCHEDULED {
            return false;
        }
        state.swap(SCHEDULED, Ordering::AcqRel) == IDLE
    }

    /// A thief takes the item at `head`, if there is one, and moves on.
    pub(crate) fn claim(head: &AtomicUsize, tail: usize) -> Option<usize> {
        let place = head.load(Ordering::Acquire);
        if place == tail {
            return None;
        }
        head.store(place + 1, Ordering::Release);
        Some(place)
    }

    /// `true`: that was the last reference, and the caller frees the cell.
    pub(crate) fn let_go(references: &AtomicUsize) -> bool {
        references.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// Has no event come since the operation that was seen to block?
    pub(crate) fn still_blocked(events_then: u64, events_now: u64) -> bool {
        events_then as u8 == events_now as u8
    }

    /// One who waits gives up, or one who was chosen does.
    pub(crate) fn give_up(line: &mut Line, who: &'static str) {
        line.waiting.retain(|waiting| *waiting != who);
        if line.chosen.contains(&who) {
            line.chosen.retain(|chosen| *chosen != who);
            line.permits += 1;
        }
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// Always a read-modify-write: a load publishes nothing, so the poll need not see what was written before it (crossfire, #7622).
    pub(crate) fn wake(state: &AtomicUsize) -> bool {
        state.swap(SCHEDULED, Ordering::AcqRel) == IDLE
    }

    /// A load and a store are two steps, and two thieves fit between them (RUSTSEC-2021-0093).
    pub(crate) fn claim(head: &AtomicUsize, tail: usize) -> Option<usize> {
        let mut place = head.load(Ordering::Acquire);
        while place != tail {
            match head.compare_exchange(place, place + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(place),
                Err(now) => place = now,
            }
        }
        None
    }

    /// Whoever frees must come after all that the others did: they release, and the last one acquires (#2044).
    pub(crate) fn let_go(references: &AtomicUsize) -> bool {
        references.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// All the bits: 256 events look like none otherwise (#6133).
    pub(crate) fn still_blocked(events_then: u64, events_now: u64) -> bool {
        events_then == events_now
    }

    /// One who was chosen passes the permit on: it may be somebody's turn (#904).
    pub(crate) fn give_up(line: &mut Line, who: &'static str) {
        line.waiting.retain(|waiting| *waiting != who);
        if line.chosen.contains(&who) {
            line.chosen.retain(|chosen| *chosen != who);
            line.release();
        }
    }
    // ANCHOR_END: solution
}

/// One judge for each, and all of them are asked.
fn check(
    wake: fn(&AtomicUsize) -> bool,
    claim: fn(&AtomicUsize, usize) -> Option<usize>,
    let_go: fn(&AtomicUsize) -> bool,
    still_blocked: fn(u64, u64) -> bool,
    give_up: fn(&mut Line, &'static str),
) {
    let judges: [(&str, &dyn Fn()); 5] = [
        ("wake", &|| a_wake_brings_its_data(wake)),
        ("claim", &|| two_thieves_take_different_items(claim)),
        ("let_go", &|| the_last_one_comes_after_all_others(let_go)),
        ("still_blocked", &|| {
            (1..1_000).for_each(|events| assert!(!still_blocked(0, events)));
            assert!(still_blocked(7, 7));
        }),
        ("give_up", &|| {
            let mut line = Line { waiting: ["first", "second"].into(), ..Line::default() };
            line.release();
            give_up(&mut line, "first");
            assert_eq!(line.chosen, ["second"]);
        }),
    ];
    let fails = |judge: &dyn Fn()| catch_unwind(AssertUnwindSafe(judge)).is_err();
    let wrong: Vec<_> = judges.iter().filter(|(_, judge)| fails(judge)).map(|(name, _)| *name).collect();
    assert!(wrong.is_empty(), "still wrong: {}", wrong.join(", "));
}

fn a_wake_brings_its_data(wake: fn(&AtomicUsize) -> bool) {
    loom::model(move || {
        let task = Arc::new((AtomicUsize::new(SCHEDULED), AtomicUsize::new(0)));
        let waking = {
            let task = task.clone();
            thread::spawn(move || {
                task.1.store(7, Ordering::Relaxed);
                wake(&task.0)
            })
        };
        // The poll that the task is queued for.
        task.0.swap(IDLE, Ordering::AcqRel);
        let seen = task.1.load(Ordering::Relaxed);
        let queues_again = waking.join().unwrap();
        assert!(queues_again || seen == 7, "nobody will poll it again, and it has not seen the data");
    });
}

fn two_thieves_take_different_items(claim: fn(&AtomicUsize, usize) -> Option<usize>) {
    loom::model(move || {
        let head = Arc::new(AtomicUsize::new(0));
        let other = {
            let head = head.clone();
            thread::spawn(move || claim(&head, 2))
        };
        let mine = claim(&head, 2);
        assert_ne!(mine, other.join().unwrap(), "two thieves have the same item");
    });
}

fn the_last_one_comes_after_all_others(let_go: fn(&AtomicUsize) -> bool) {
    loom::model(move || {
        // Loom's cell reports two accesses that nothing orders.
        let cell = Arc::new((AtomicUsize::new(2), UnsafeCell::new(())));
        let use_and_go = move |cell: &(AtomicUsize, UnsafeCell<()>)| {
            cell.1.with(|_used| ());
            if let_go(&cell.0) {
                cell.1.with_mut(|_freed| ());
            }
        };
        let other = {
            let cell = cell.clone();
            thread::spawn(move || use_and_go(&cell))
        };
        use_and_go(&cell);
        other.join().unwrap();
    });
}

crate::judge! {
    check(wake, claim, let_go, still_blocked, give_up),
    the starter fails with "still wrong: wake, claim, let_go, still_blocked, give_up"
}
