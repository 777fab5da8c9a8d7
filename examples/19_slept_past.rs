//! A worker falls asleep while another thread pushes a task: can the task be slept past? Loom tries every way that the two can meet.
//!
//! ```console
//! cargo run --example 19_slept_past
//! ```

use loom::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering, fence},
    },
    thread,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::atomic::AtomicUsize as Count,
};

// ANCHOR: protocol
/// How many tasks lie in the queues, and how many workers sleep.
#[derive(Clone)]
struct Shared {
    tasks: Arc<AtomicUsize>,
    sleeping: Arc<AtomicUsize>,
}

/// Does the pusher see somebody to wake?
fn push(shared: &Shared, between: fn()) -> bool {
    shared.tasks.store(1, Ordering::Release);
    between();
    shared.sleeping.load(Ordering::Acquire) > 0
}

/// Does the worker see the task in its last look?
fn fall_asleep(shared: &Shared, between: fn()) -> bool {
    shared.sleeping.store(1, Ordering::Release);
    between();
    shared.tasks.load(Ordering::Acquire) > 0
}
// ANCHOR_END: protocol

/// The wrong order: it looks, and then says that it sleeps.
fn looks_first(shared: &Shared, between: fn()) -> bool {
    let found = shared.tasks.load(Ordering::Acquire) > 0;
    between();
    shared.sleeping.store(1, Ordering::Release);
    found
}

fn model(name: &str, sleep: fn(&Shared, fn()) -> bool, between: fn()) {
    static EXECUTIONS: Count = Count::new(0);
    EXECUTIONS.store(0, Ordering::Relaxed);
    let all = catch_unwind(AssertUnwindSafe(|| {
        // ANCHOR: model
        loom::model(move || {
            EXECUTIONS.fetch_add(1, Ordering::Relaxed);
            let tasks = Arc::new(AtomicUsize::new(0));
            let sleeping = Arc::new(AtomicUsize::new(0));
            let shared = Shared { tasks, sleeping };
            let pusher = {
                let shared = shared.clone();
                thread::spawn(move || push(&shared, between))
            };
            let found = sleep(&shared, between);
            let woken = pusher.join().unwrap();
            assert!(found || woken, "the task is slept past");
        });
        // ANCHOR_END: model
    }));
    let executions = EXECUTIONS.load(Ordering::Relaxed);
    match all {
        Ok(()) => println!("{name:34} all {executions} executions hold"),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().copied().unwrap_or("a panic without words");
            println!("{name:34} execution {executions}: {said}");
        }
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    // Loom tells of each panic on the way out, more than once.
    set_hook(Box::new(|_| ()));
    model("looks, then says that it sleeps", looks_first, || fence(Ordering::SeqCst));
    model("says it, looks; no fence", fall_asleep, || ());
    model("says it, looks; fences between", fall_asleep, || fence(Ordering::SeqCst));
}
