//! Chapter 7: a machine that has no arrow for the end, and looks before it leaps.

use loom::{
    model,
    model::Builder,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

// ANCHOR: states
const IDLE: usize = 0;
const SCHEDULED: usize = 1;
const RUNNING: usize = 2;
const WOKEN: usize = 3;
const COMPLETE: usize = 4;

/// It was taken from the queue: a poll begins.
fn start(state: &AtomicUsize) {
    let before = state.swap(RUNNING, Ordering::AcqRel);
    assert_eq!(before, SCHEDULED, "only what is scheduled is in the queue");
}
// ANCHOR_END: states

mod starter {
    use super::*;

    // ANCHOR: starter
    /// `true`: push it. TODO: between the look and the store, another thread may have changed the state.
    pub(crate) fn wake(state: &AtomicUsize) -> bool {
        match state.load(Ordering::Acquire) {
            IDLE => {
                state.store(SCHEDULED, Ordering::Release);
                true
            }
            RUNNING => {
                state.store(WOKEN, Ordering::Release);
                false
            }
            _ => false,
        }
    }

    /// The poll is over. `true`: push it. TODO: which states can it find?
    pub(crate) fn end(state: &AtomicUsize, ready: bool) -> bool {
        if ready {
            state.store(COMPLETE, Ordering::Release);
        }
        match state.compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => false,
            Err(WOKEN) => {
                state.store(SCHEDULED, Ordering::Release);
                true
            }
            Err(other) => unreachable!("a poll has ended in state {other}"),
        }
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// What is left as it is, is written all the same: so this wake, too, hands over what its thread has done.
    pub(crate) fn wake(state: &AtomicUsize) -> bool {
        let change = |state| match state {
            IDLE => Some(SCHEDULED),
            RUNNING => Some(WOKEN),
            same => Some(same),
        };
        state.fetch_update(Ordering::AcqRel, Ordering::Acquire, change) == Ok(IDLE)
    }

    /// A task that is ready is complete, whatever was noted meanwhile.
    pub(crate) fn end(state: &AtomicUsize, ready: bool) -> bool {
        if ready {
            state.swap(COMPLETE, Ordering::AcqRel);
            return false;
        }
        let change = |state| Some(if state == WOKEN { SCHEDULED } else { IDLE });
        state.fetch_update(Ordering::AcqRel, Ordering::Acquire, change) == Ok(WOKEN)
    }
    // ANCHOR_END: solution
}

// ANCHOR: model
/// A task that notes at each poll how much has been brought to it.
#[derive(Default)]
struct Task {
    state: AtomicUsize,
    /// How often it is in the queue.
    queue: AtomicUsize,
    brought: AtomicUsize,
    seen: AtomicUsize,
}

type Wake = fn(&AtomicUsize) -> bool;
type End = fn(&AtomicUsize, bool) -> bool;

impl Task {
    fn bring(&self, wake: Wake) {
        self.brought.fetch_add(1, Ordering::Relaxed);
        if wake(&self.state) {
            self.queue.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn run(&self, end: End) {
        while self.queue.load(Ordering::Acquire) > 0 {
            self.queue.fetch_sub(1, Ordering::AcqRel);
            start(&self.state);
            self.seen.store(self.brought.load(Ordering::Relaxed), Ordering::Relaxed);
            if end(&self.state, false) {
                self.queue.fetch_add(1, Ordering::AcqRel);
            }
        }
    }
}

/// Two threads bring something and wake, while this one runs the task: in every order in which the threads are interrupted twice at most.
fn nothing_is_lost(wake: Wake, end: End) {
    let mut model = Builder::new();
    model.preemption_bound = Some(2);
    model.check(move || {
        let task = Arc::new(Task::default());
        let threads = [(), ()].map(|()| {
            let task = task.clone();
            thread::spawn(move || task.bring(wake))
        });
        task.run(end);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        task.run(end);
        assert_eq!(
            task.seen.load(Ordering::Relaxed),
            2,
            "a wake was lost: the task has seen so much of what was brought"
        );
    });
}
// ANCHOR_END: model

fn check(wake: Wake, end: End) {
    model(move || {
        for before in [RUNNING, WOKEN] {
            let state = AtomicUsize::new(before);
            assert!(!end(&state, true), "a task that is over is not pushed");
            assert_eq!(state.load(Ordering::Relaxed), COMPLETE, "it was ready, and was in state {before}");
            assert!(!wake(&state), "a late wake pushes nothing");
            assert_eq!(state.load(Ordering::Relaxed), COMPLETE, "a late wake changes nothing");
        }
    });
    nothing_is_lost(wake, end);
}

crate::judge! { check(wake, end), the starter fails with "a poll has ended in state 4" }

/// A reader who has mended the starter's `wake` has nothing left to be found.
#[test]
fn a_wake_that_looks_and_then_stores_is_found() {
    crate::must_fail(|| check(starter::wake, solution::end), "only what is scheduled is in the queue");
}

/// It changes nothing when there is nothing to change, and so hands nothing over.
#[test]
#[should_panic(expected = "a wake was lost")]
fn a_wake_that_only_looks_is_found() {
    fn wake(state: &AtomicUsize) -> bool {
        let change = |state| match state {
            IDLE => Some(SCHEDULED),
            RUNNING => Some(WOKEN),
            _ => None,
        };
        state.fetch_update(Ordering::AcqRel, Ordering::Acquire, change) == Ok(IDLE)
    }
    check(wake, solution::end);
}
