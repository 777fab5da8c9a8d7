//! A task is woken 101 times between two of its polls: in a queue that takes each wake, and in one that takes each task once.
//!
//! ```console
//! cargo run --example 06_many_wakes
//! ```

use std::{
    collections::VecDeque,
    panic::{catch_unwind, set_hook},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

/// With room for a hundred, like that of a published kernel.
#[derive(Default)]
struct Queue(Mutex<VecDeque<u64>>);

impl Queue {
    fn push(&self, task: u64) {
        let mut tasks = self.0.lock().unwrap();
        // Let go of the lock before the panic: it would be poisoned.
        if tasks.len() == 100 {
            drop(tasks);
            panic!("task_queue full");
        }
        tasks.push_back(task);
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

mod each_wake {
    use super::*;

    // ANCHOR: each_wake
    pub(crate) struct Task {
        pub(crate) id: u64,
        pub(crate) queue: Arc<Queue>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.queue.push(self.id);
        }
    }
    // ANCHOR_END: each_wake
}

mod each_task {
    use super::*;

    // ANCHOR: each_task
    pub(crate) struct Task {
        pub(crate) id: u64,
        pub(crate) queued: AtomicBool,
        pub(crate) queue: Arc<Queue>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            if !self.queued.swap(true, Ordering::AcqRel) {
                self.queue.push(self.id);
            }
        }
    }
    // ANCHOR_END: each_task
}

fn wake_often(waker: &Waker, queue: &Queue) {
    for wake in 1..=101 {
        if catch_unwind(|| waker.wake_by_ref()).is_err() {
            println!("  at wake {wake}");
        }
    }
    println!("  in the queue: {}", queue.len());
}

fn main() {
    examples::Arguments::parse(&[]);
    set_hook(Box::new(|panic| println!("  panic: {}", panic.payload_as_str().unwrap_or("?"))));
    println!("a place in the queue for each wake:");
    let queue = Arc::new(Queue::default());
    let task = Arc::new(each_wake::Task { id: 7, queue: queue.clone() });
    wake_often(&Waker::from(task), &queue);

    println!("a place in the queue for each task:");
    let queue = Arc::new(Queue::default());
    let task = Arc::new(each_task::Task { id: 7, queued: AtomicBool::new(false), queue: queue.clone() });
    wake_often(&Waker::from(task), &queue);
}
