//! Two workers and one task: what becomes of a wake that comes while the task is polled.
//!
//! ```console
//! cargo run --example 18_two_at_once
//! ```

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Barrier, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread,
};

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The one queue of all workers.
type Queue<Task> = Arc<Mutex<VecDeque<Arc<Task>>>>;

mod loses {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    // ANCHOR: loses
    /// The task of chapter 6.
    pub(crate) struct Task {
        pub(crate) queue: Queue<Task>,
        pub(crate) future: Mutex<Option<BoxFuture>>,
        pub(crate) queued: AtomicBool,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            if !self.queued.swap(true, Ordering::AcqRel) {
                self.queue.clone().lock().unwrap().push_back(self);
            }
        }
    }

    impl Task {
        pub(crate) fn run(self: Arc<Self>) -> &'static str {
            self.queued.swap(false, Ordering::AcqRel);
            let future = self.future.lock().unwrap().take();
            let Some(mut future) = future else { return "finds no future, and lets the task go" };
            let waker = Waker::from(self.clone());
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                return "polls: ready";
            }
            *self.future.lock().unwrap() = Some(future);
            "polls: pending"
        }
    }
    // ANCHOR_END: loses
}

mod keeps {
    use super::*;
    use std::mem;

    // ANCHOR: keeps
    /// The task of this chapter.
    pub(crate) struct Task {
        pub(crate) queue: Queue<Task>,
        pub(crate) stage: Mutex<Stage>,
    }

    pub(crate) enum Stage {
        Waiting(BoxFuture),
        Queued(BoxFuture),
        Running,
        Woken,
        Over,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            let mut stage = self.stage.lock().unwrap();
            match mem::replace(&mut *stage, Stage::Over) {
                Stage::Waiting(future) => *stage = Stage::Queued(future),
                Stage::Running => return *stage = Stage::Woken,
                as_it_was => return *stage = as_it_was,
            }
            drop(stage);
            self.queue.clone().lock().unwrap().push_back(self);
        }
    }

    impl Task {
        pub(crate) fn run(self: Arc<Self>) -> &'static str {
            let stage = mem::replace(&mut *self.stage.lock().unwrap(), Stage::Running);
            let Stage::Queued(mut future) = stage else { unreachable!("it was in the queue") };
            let waker = Waker::from(self.clone());
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *self.stage.lock().unwrap() = Stage::Over;
                return "polls: ready";
            }
            let mut stage = self.stage.lock().unwrap();
            if let Stage::Woken = *stage {
                *stage = Stage::Queued(future);
                self.queue.lock().unwrap().push_back(self.clone());
                return "polls: pending, but woken meanwhile: queues it again";
            }
            *stage = Stage::Waiting(future);
            "polls: pending"
        }
    }
    // ANCHOR_END: keeps
}

// ANCHOR: poll
/// Wakes itself in its first poll, and does not return before worker 1 has looked into the queue.
fn wakes_and_lingers(meeting: Arc<Barrier>) -> BoxFuture {
    let mut woken = false;
    Box::pin(poll_fn(move |context| {
        if woken {
            return Poll::Ready(());
        }
        woken = true;
        context.waker().wake_by_ref();
        meeting.wait(); // from here on worker 1 looks
        meeting.wait(); // it has looked
        Poll::Pending
    }))
}
// ANCHOR_END: poll

fn two_workers<T: Send + Sync>(meeting: &Barrier, queue: &Queue<T>, run: fn(Arc<T>) -> &'static str) {
    let work = |worker: usize| match queue.lock().unwrap().pop_front() {
        Some(task) => Box::new(move || println!("  worker {worker} {}", run(task))) as Box<dyn FnOnce() + Send>,
        None => Box::new(move || println!("  worker {worker} finds nothing in the queue")),
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            meeting.wait();
            work(1)();
            meeting.wait();
        });
        work(0)();
    });
    work(0)();
}

fn main() {
    examples::Arguments::parse(&[]);
    let meeting = Arc::new(Barrier::new(2));

    println!("the task of chapter 6:");
    let (queue, future) = (Queue::<loses::Task>::default(), wakes_and_lingers(meeting.clone()));
    let (queued, future) = (true.into(), Mutex::new(Some(future)));
    queue.lock().unwrap().push_back(Arc::new(loses::Task { queue: queue.clone(), future, queued }));
    two_workers(&meeting, &queue, loses::Task::run);

    println!("the task of this chapter:");
    let (queue, future) = (Queue::<keeps::Task>::default(), wakes_and_lingers(meeting.clone()));
    let stage = Mutex::new(keeps::Stage::Queued(future));
    queue.lock().unwrap().push_back(Arc::new(keeps::Task { queue: queue.clone(), stage }));
    two_workers(&meeting, &queue, keeps::Task::run);
}
