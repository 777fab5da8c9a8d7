//! A cell that knows whether it is queued, and not whether it runs, between two workers: a wake is lost. And one that knows.
//!
//! ```console
//! cargo run --example 07_two_workers
//! ```

use stages::s07_task_cell::Word;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Shared by the workers.
type Queue<T> = Mutex<VecDeque<Arc<T>>>;

/// Runs all that is in the queue.
fn worker<T>(number: u32, queue: &Queue<T>, run: fn(Arc<T>, u32)) {
    let next = || queue.lock().unwrap().pop_front();
    while let Some(task) = next() {
        run(task, number);
    }
    println!("  worker {number}: nothing in the queue");
}

mod flag {
    use super::*;

    // ANCHOR: flag
    pub(crate) struct Task {
        pub(crate) queued: AtomicBool,
        pub(crate) future: Mutex<Option<BoxFuture>>,
        pub(crate) queue: Arc<Queue<Task>>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            if !self.queued.swap(true, Ordering::AcqRel) {
                self.queue.clone().lock().unwrap().push_back(self);
            }
        }
    }

    pub(crate) fn run(task: Arc<Task>, worker: u32) {
        task.queued.swap(false, Ordering::AcqRel);
        let Some(mut future) = task.future.lock().unwrap().take() else {
            return println!("  worker {worker}: there is no future in it");
        };
        println!("  worker {worker}: polls it");
        let waker = Waker::from(task.clone());
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        println!("  worker {worker}: {polled:?}");
        if polled.is_pending() {
            *task.future.lock().unwrap() = Some(future);
        }
    }
    // ANCHOR_END: flag
}

mod word {
    use super::*;

    // ANCHOR: word
    pub(crate) struct Task {
        pub(crate) word: Word,
        pub(crate) future: Mutex<Option<BoxFuture>>,
        pub(crate) queue: Arc<Queue<Task>>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            if self.word.wake() {
                self.queue.clone().lock().unwrap().push_back(self);
            }
        }
    }

    pub(crate) fn run(task: Arc<Task>, worker: u32) {
        task.word.start();
        let mut future = task.future.lock().unwrap().take().expect("a task that can run has its future");
        println!("  worker {worker}: polls it");
        let waker = Waker::from(task.clone());
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        println!("  worker {worker}: {polled:?}");
        if polled.is_ready() {
            return task.word.complete();
        }
        *task.future.lock().unwrap() = Some(future);
        if task.word.suspend() {
            task.queue.clone().lock().unwrap().push_back(task);
        }
    }
    // ANCHOR_END: word
}

/// Ready at its second poll. In its first one it is woken, and the second worker is quicker than the first.
fn woken_while_it_runs(second_worker: impl FnOnce() + Send + 'static) -> BoxFuture {
    let mut second_worker = Some(second_worker);
    Box::pin(std::future::poll_fn(move |context| {
        let Some(second_worker) = second_worker.take() else { return Poll::Ready(()) };
        let waker = context.waker().clone();
        thread::spawn(move || {
            waker.wake();
            println!("  woken, while worker 1 polls it");
            second_worker();
        })
        .join()
        .unwrap();
        Poll::Pending
    }))
}

fn try_it<T: Send + Sync + 'static>(make: fn(Mutex<Option<BoxFuture>>, Arc<Queue<T>>) -> T, run: fn(Arc<T>, u32)) {
    let queue = Arc::<Queue<T>>::default();
    let second = queue.clone();
    let future = woken_while_it_runs(move || worker(2, &second, run));
    let task = Arc::new(make(Mutex::new(Some(future)), queue.clone()));
    queue.lock().unwrap().push_back(task);
    worker(1, &queue, run);
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("a flag, as in stage 6:");
    try_it(|future, queue| flag::Task { queued: true.into(), future, queue }, flag::run);
    println!("a word, as in stage 7:");
    try_it(|future, queue| word::Task { word: Word::new(), future, queue }, word::run);
}
