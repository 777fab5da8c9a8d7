//! What stages 6 to 18 do with the flag of a task, in every interleaving: the way that they do it is quiet, and its broken twin is found.

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use std::{panic::catch_unwind, sync::Arc};

/// A task that stands in the queue, and that somebody wakes while the executor takes it out.
#[derive(Default)]
struct Task {
    /// Stands, or is about to stand, in the queue.
    queued: AtomicBool,
    pushed: AtomicBool,
    /// What the wake is about: a plain flag, without a lock that would order anything.
    news: AtomicBool,
}

/// The poll sees the news, or there will be another poll.
fn nothing_is_lost(begin_poll: fn(&AtomicBool)) -> bool {
    let model = move || {
        loom::model(move || {
            let task = Arc::new(Task { queued: AtomicBool::new(true), ..Task::default() });
            let woken = task.clone();
            let waker = thread::spawn(move || {
                woken.news.store(true, Ordering::Release);
                if !woken.queued.swap(true, Ordering::AcqRel) {
                    woken.pushed.store(true, Ordering::Release);
                }
            });
            begin_poll(&task.queued);
            let seen = task.news.load(Ordering::Acquire);
            waker.join().unwrap();
            assert!(seen || task.pushed.load(Ordering::Acquire), "a wake was lost");
        });
    };
    catch_unwind(model).is_ok()
}

#[test]
fn a_poll_that_begins_with_a_swap_sees_what_a_wake_without_a_push_was_about() {
    assert!(nothing_is_lost(|queued| {
        queued.swap(false, Ordering::AcqRel);
    }));
}

/// A store hands over, and takes nothing: so the stages had it until somebody read them closely.
#[test]
fn a_poll_that_begins_with_a_store_may_miss_it() {
    assert!(!nothing_is_lost(|queued| queued.store(false, Ordering::Release)));
}
