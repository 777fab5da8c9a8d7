//! Chapter 19: who says what first, when one falls asleep and another pushes.

use loom::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering, fence},
    },
    thread,
};

// ANCHOR: shared
/// How many tasks lie in the queue, and how many workers sleep.
pub(crate) struct Shared {
    tasks: AtomicUsize,
    sleeping: AtomicUsize,
}

/// The other side, and it is right. `true`: there is somebody to be woken.
fn push(shared: &Shared) -> bool {
    shared.tasks.fetch_add(1, Ordering::Release);
    fence(Ordering::SeqCst);
    shared.sleeping.load(Ordering::Relaxed) > 0
}
// ANCHOR_END: shared

mod starter {
    use super::*;

    // ANCHOR: starter
    /// `true`: there is something to do after all. `false`: the worker sleeps from now on.
    pub(crate) fn fall_asleep(shared: &Shared) -> bool {
        // TODO: a task that is pushed between these two lines is slept past. In which order does it hold, and what must stand between?
        let work = shared.tasks.load(Ordering::Acquire) > 0;
        shared.sleeping.fetch_add(1, Ordering::Release);
        work
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// `true`: there is something to do after all. `false`: the worker sleeps from now on.
    pub(crate) fn fall_asleep(shared: &Shared) -> bool {
        shared.sleeping.fetch_add(1, Ordering::Release);
        // Pairs with the fence in `push`: at least one of the two sees the other.
        fence(Ordering::SeqCst);
        shared.tasks.load(Ordering::Acquire) > 0
    }
    // ANCHOR_END: solution
}

/// Whatever the order: the worker sees the task, or the pusher sees the worker.
fn check(fall_asleep: fn(&Shared) -> bool) {
    loom::model(move || {
        let shared = Arc::new(Shared { tasks: AtomicUsize::new(0), sleeping: AtomicUsize::new(0) });
        let pusher = {
            let shared = shared.clone();
            thread::spawn(move || push(&shared))
        };
        let finds = fall_asleep(&shared);
        let wakes = pusher.join().unwrap();
        assert!(finds || wakes, "the task is slept past");
    });
}

crate::judge! { check(fall_asleep), the starter fails with "the task is slept past" }
