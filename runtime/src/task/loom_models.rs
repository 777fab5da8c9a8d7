//! The cell under loom: every interleaving of two threads, as far as a preemption bound of two reaches.
//!
//! Each model states its claim, prints how many executions it took, and was seen to fail when the line named with it is
//! broken: a model that explores nothing would stay green too.

use super::*;
use crate::std_or_loom::{AtomicUsize, Mutex, Ordering, model};
use loom::{sync::Arc as LoomArc, thread};
use std::collections::VecDeque;

/// A queue as the scheduler; one for each model.
#[derive(Clone)]
struct Queue(LoomArc<Mutex<VecDeque<Task>>>);

impl Schedule for Queue {
    fn schedule(&self, task: Task) {
        // As the runtime does: the queue must not live in the task that is pushed.
        let queue = self.0.clone();
        queue.lock().unwrap().push_back(task);
    }
}

impl Queue {
    fn new() -> Self {
        Self(LoomArc::new(Mutex::new(VecDeque::new())))
    }

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let birth = Birth { id: TaskId(1), name: None, place: std::panic::Location::caller() };
        let (task, handle) = new(birth, self.clone(), future);
        self.schedule(task);
        handle
    }

    fn pop(&self) -> Option<Task> {
        self.0.lock().unwrap().pop_front()
    }

    fn run(&self) {
        while let Some(task) = self.pop() {
            if let Ran::Again(again) = task.run() {
                self.schedule(again);
            }
        }
    }
}

/// What a waker wrote before it woke is seen by the poll that follows, even if the task was scheduled already.
/// Broken by: `State::wake` returning early on a load that sees SCHEDULED (tokio #7622).
#[test]
fn a_wake_hands_over_what_was_written_before_it() {
    model("a_wake_hands_over", 3, || {
        let queue = Queue::new();
        let data = LoomArc::new(AtomicUsize::new(0));
        let waker = LoomArc::new(Mutex::new(None));
        let (seen, stored) = (data.clone(), waker.clone());
        let handle = queue.spawn(std::future::poll_fn(move |context| {
            if seen.load(Ordering::Relaxed) == 2 {
                return Poll::Ready(());
            }
            *stored.lock().unwrap() = Some(context.waker().clone());
            Poll::Pending
        }));
        queue.run();
        let woken = waker.lock().unwrap().take().unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (data, woken) = (data.clone(), woken.clone());
                thread::spawn(move || {
                    data.fetch_add(1, Ordering::Relaxed);
                    woken.wake();
                })
            })
            .collect();
        drop(woken);
        queue.run();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        queue.run();
        assert!(handle.is_finished(), "the last wake was lost");
        drop(waker.lock().unwrap().take());
    });
}

/// A handle that is polled while the task completes either gets the output or is woken for it.
/// Broken by: `State::publish_join_waker` ignoring COMPLETE.
#[test]
fn the_output_is_given_or_announced() {
    model("the_output_is_given_or_announced", 3, || {
        let queue = Queue::new();
        let mut handle = queue.spawn(async { 7 });
        let runner = queue.clone();
        let thread = thread::spawn(move || runner.run());
        let woken = std::sync::Arc::new(Flag(std::sync::atomic::AtomicBool::new(false)));
        let waker = std::task::Waker::from(woken.clone());
        let mut polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            // Once more with another waker: the slot is taken back and changed.
            let other = std::task::Waker::from(woken.clone());
            polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&other));
        }
        thread.join().unwrap();
        match polled {
            Poll::Ready(output) => assert_eq!(output.unwrap(), 7),
            Poll::Pending => {
                assert!(woken.0.load(std::sync::atomic::Ordering::SeqCst), "complete, and nobody was told");
                assert!(matches!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(7))));
            }
        }
    });
}

struct Flag(std::sync::atomic::AtomicBool);

impl std::task::Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// A handle that is dropped while the task completes: the output is dropped once, by one of the two.
/// Broken by: `State::complete` never seeing the handle.
#[test]
fn a_dropped_handle_and_a_completing_task_drop_the_output_once() {
    model("a_dropped_handle", 3, || {
        let queue = Queue::new();
        let output = std::sync::Arc::new(());
        let kept = output.clone();
        let mut handle = queue.spawn(async move { kept });
        let runner = queue.clone();
        let thread = thread::spawn(move || runner.run());
        let _ = Pin::new(&mut handle).poll(&mut Context::from_waker(std::task::Waker::noop()));
        drop(handle);
        thread.join().unwrap();
        queue.run();
        assert_eq!(std::sync::Arc::strong_count(&output), 1, "the output was leaked");
    });
}

/// An abort and a wake at once: the future is dropped once, and the handle learns how it ended.
/// Broken by: `State::end` ignoring SCHEDULED.
#[test]
fn an_abort_ends_a_task_that_is_being_woken() {
    model("an_abort_ends", 3, || {
        let queue = Queue::new();
        let held = std::sync::Arc::new(());
        let kept = held.clone();
        let mut handle = queue.spawn(async move {
            let _kept = kept;
            yield_now().await;
            std::future::pending::<()>().await;
        });
        let aborting = handle.abort_handle();
        let thread = thread::spawn(move || aborting.abort());
        queue.run();
        thread.join().unwrap();
        queue.run();
        assert_eq!(std::sync::Arc::strong_count(&held), 1, "the future was not dropped");
        let ended = Pin::new(&mut handle).poll(&mut Context::from_waker(std::task::Waker::noop()));
        assert!(matches!(ended, Poll::Ready(Err(JoinError::Cancelled))));
    });
}
