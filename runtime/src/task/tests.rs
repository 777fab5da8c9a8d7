//! The cell on a queue of its own, under the cases that every task cell must pass: they are written once, in `stages`, beside
//! the first version of this cell.

use super::*;
use stages::cases::task_cell::{self, Ended};
use std::{collections::VecDeque, task::Waker};

/// A scheduler that only collects.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Task>>>);

impl Schedule for Queue {
    fn schedule(&self, task: Task) {
        self.0.lock().unwrap().push_back(task);
    }
}

impl Queue {
    fn pop(&self) -> Option<Task> {
        self.0.lock().unwrap().pop_front()
    }
}

impl task_cell::Tasks for Queue {
    type Handle<T: Send + 'static> = JoinHandle<T>;

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

    fn run(&self, most: usize) -> usize {
        for polls in 0..most {
            let Some(task) = self.pop() else { return polls };
            if let Ran::Again(again) = task.run() {
                self.schedule(again);
            }
        }
        most
    }

    fn queued(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn cells(&self) -> usize {
        // Each cell holds its scheduler.
        Arc::strong_count(&self.0) - 1
    }
}

impl<T: Send + 'static> task_cell::Handle<T> for JoinHandle<T> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<T, Ended>> {
        Pin::new(self).poll(&mut Context::from_waker(waker)).map_err(|error| match error {
            JoinError::Cancelled => Ended::Cancelled,
            JoinError::Panicked(panic) => Ended::Panicked(panic.message().unwrap_or_default().to_owned()),
        })
    }

    fn is_finished(&self) -> bool {
        JoinHandle::is_finished(self)
    }

    fn abort_handle(&self) -> Box<dyn Fn() + Send> {
        let task = JoinHandle::abort_handle(self);
        Box::new(move || task.abort())
    }
}

task_cell::test_all!(Queue::default);

/// What frees itself while it is being pushed: the queue runs the task on the spot, which ends, and takes with it the last
/// that anybody but the waker knew of it. The scheduler lives in that cell, and still looks at itself afterwards. (Judged by
/// the address sanitizer and Miri: smol-rs/async-task#11, smol-rs/async-executor#163.)
#[test]
fn a_scheduler_outlives_the_push_of_its_last_task() {
    #[derive(Clone)]
    struct RunsAtOnce(Arc<Mutex<Vec<u8>>>);

    impl Schedule for RunsAtOnce {
        fn schedule(&self, task: Task) {
            let Ran::Done(..) = task.run() else { panic!("it is ready at its second poll") };
            self.0.lock().unwrap().push(1);
        }
    }

    let seen = Arc::new(Mutex::new(Vec::new()));
    let stored = Arc::new(Mutex::new(None::<Waker>));
    let task_stored = stored.clone();
    let birth = Birth { id: TaskId(1), name: None, place: std::panic::Location::caller() };
    let mut waited = false;
    let future = std::future::poll_fn(move |context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        *task_stored.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    });
    let (task, handle) = new(birth, RunsAtOnce(seen.clone()), future);
    drop(handle);
    assert!(matches!(task.run(), Ran::Idle));
    let last = stored.lock().unwrap().take().unwrap();
    last.wake();
    assert_eq!(*seen.lock().unwrap(), [1]);
    assert_eq!(Arc::strong_count(&seen), 1, "the cell was leaked");
}
