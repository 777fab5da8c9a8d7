//! Another thread aborts a task. Who drops the future, and when? A published runtime had the first answer.
//!
//! ```console
//! cargo run --example 08_abort_where
//! ```

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    thread,
};

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task, and whether it is in the queue.
#[derive(Default)]
struct Task {
    future: Mutex<Option<BoxFuture>>,
    aborted: AtomicBool,
    queued: AtomicBool,
}

impl Task {
    /// What a worker does with it.
    fn run(&self) {
        let Some(mut future) = self.future.lock().unwrap().take() else { return };
        if self.aborted.load(Ordering::Acquire) {
            return;
        }
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            *self.future.lock().unwrap() = Some(future);
        }
    }
}

mod at_once {
    use super::*;

    // ANCHOR: at_once
    pub(crate) fn abort(task: &Task) {
        drop(task.future.lock().unwrap().take());
    }
    // ANCHOR_END: at_once
}

mod asks {
    use super::*;

    // ANCHOR: asks
    pub(crate) fn abort(task: &Task) {
        task.aborted.store(true, Ordering::Release);
        task.queued.store(true, Ordering::Release); // wakes it
    }
    // ANCHOR_END: asks
}

/// Belongs to one thread: think of a handle of a window, or of an `Rc`.
struct Owned;

impl Drop for Owned {
    fn drop(&mut self) {
        println!("    what it owns is dropped by the {}", thread::current().name().unwrap_or("?"));
    }
}

fn on_another_thread(abort: fn(&Task), task: &Arc<Task>) {
    let task = task.clone();
    let stranger = thread::Builder::new().name("stranger".into());
    stranger.spawn(move || abort(&task)).unwrap().join().unwrap();
}

/// Aborted while it waits, and then, another one, while it is polled.
fn try_it(abort: fn(&Task)) {
    println!("  while it waits:");
    let task = Arc::new(Task::default());
    let owned = Owned;
    *task.future.lock().unwrap() = Some(Box::pin(async move {
        let _owned = owned;
        pending::<()>().await;
    }));
    task.run();
    on_another_thread(abort, &task);
    if task.queued.swap(false, Ordering::AcqRel) {
        task.run();
    }

    println!("  while it is polled:");
    let task = Arc::new(Task::default());
    let (owned, itself) = (Owned, Arc::downgrade(&task));
    *task.future.lock().unwrap() = Some(Box::pin(async move {
        let _owned = owned;
        on_another_thread(abort, &itself.upgrade().unwrap());
        pending::<()>().await;
    }));
    task.run();
    if task.queued.swap(false, Ordering::AcqRel) {
        task.run();
    }
    if let Some(future) = task.future.lock().unwrap().take() {
        println!("    the task goes on, as if nobody had aborted it");
        std::mem::forget(future);
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    let worker = thread::Builder::new().name("worker".into());
    let both = || {
        println!("abort drops the future:");
        try_it(at_once::abort);
        println!("abort asks:");
        try_it(asks::abort);
    };
    worker.spawn(both).unwrap().join().unwrap();
}
