//! The task of stage 18: other words for where it is queued, and nothing else.

// ANCHOR: imports
use super::Shared;
use std::{
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Wake, Waker},
};
// ANCHOR_END: imports

// ANCHOR: task
pub(super) type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Task {
    pub(super) id: u64,
    pub(super) stage: Mutex<Stage>,
    pub(super) shared: Arc<Shared>,
}

/// Where a task stands. The future is in here, or in the hands of the one worker that has taken it out: never with two.
pub(super) enum Stage {
    /// Nobody has woken it.
    Waiting(BoxFuture),
    /// It is in the queue, once.
    Queued(BoxFuture),
    /// A worker polls it.
    Running,
    /// A worker polls it, and it was woken meanwhile: that worker will queue it again.
    Woken,
    Over,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut stage = self.lock();
        match mem::replace(&mut *stage, Stage::Over) {
            Stage::Waiting(future) => *stage = Stage::Queued(future),
            Stage::Running => return *stage = Stage::Woken,
            as_it_was => return *stage = as_it_was,
        }
        drop(stage);
        self.shared.clone().wake(self);
    }
}

impl Task {
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().expect("nothing that can panic runs under this lock")
    }

    pub(super) fn run(self: Arc<Self>) {
        let mut stage = self.lock();
        let mut future = match mem::replace(&mut *stage, Stage::Running) {
            Stage::Queued(future) => future,
            // A guard: tasks are cancelled when nobody runs them any more.
            as_it_was => return *stage = as_it_was,
        };
        drop(stage);
        let waker = Waker::from(self.clone());
        let poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
        // A panic is the end of this task, and of nothing else. (One with a handle has caught it already: chapter 8.)
        let pending = matches!(catch_unwind(AssertUnwindSafe(poll)), Ok(Poll::Pending));
        let mut stage = self.lock();
        match (pending, &*stage) {
            (false, _) => {
                *stage = Stage::Over;
                drop(stage);
                self.shared.tasks().all.remove(&self.id);
                let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
            }
            (true, Stage::Woken) => {
                *stage = Stage::Queued(future);
                drop(stage);
                self.shared.clone().give_way(self);
            }
            (true, _) => *stage = Stage::Waiting(future),
        }
    }

    /// The end of a task that nobody polls.
    pub(super) fn cancel(&self) {
        let stage = mem::replace(&mut *self.lock(), Stage::Over);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(stage)));
    }
}
// ANCHOR_END: task
