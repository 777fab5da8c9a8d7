//! The way back to the runtime: of tasks, of their wakers, and of handles on other threads.
//!
//! ```text
//!   waker ──wake──> the task's state ──push──> on a worker's thread: that worker's queue
//!                                              anywhere else: the injector, and a worker is woken
//! ```

use super::{here::Here, shared::Shared};
use crate::{
    queue::Runnable,
    task::{self, AbortHandle, Birth, JoinHandle, Listed, Observer, Ran, Schedule, Task, TaskId},
    trace::{Cause, Kind},
};
use std::{
    future::Future,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
};

/// Where a task was spawned: its way back to the runtime. One for each worker, so that tasks count references on their own
/// worker's cache line.
pub(crate) struct Home {
    pub(crate) shared: Arc<Shared>,
    pub(super) worker: usize,
}

/// Not a worker's.
const OUTSIDE: usize = usize::MAX;

impl Home {
    /// The way in from threads that are no workers.
    pub(crate) fn outside(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared, worker: OUTSIDE })
    }

    /// Spawns from any thread.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if let Some(here) = Here::current().filter(|here| Arc::ptr_eq(&here.shared, &self.shared)) {
            return here.spawn(name, place, future);
        }
        let birth = Birth { id: self.shared.next_id(), place, name };
        self.shared.trace_spawn(&birth, Cause::Outside);
        let (task, handle) = task::new(birth, self.clone(), future);
        match self.shared.injector.push_new(task) {
            Ok(()) => self.shared.work_came_from_outside(),
            Err(task) => cancel(task),
        }
        handle
    }
}

/// Ends a task that nobody will run.
pub(super) fn cancel(task: Task) {
    task.abort();
    let ran = task.run();
    debug_assert!(matches!(ran, Ran::Done(..)));
}

impl Schedule for Arc<Home> {
    fn schedule(&self, task: Task) {
        let mut task = Some(task);
        self.shared.here(|here| {
            if let Some(task) = task.take() {
                here.push(Runnable::Task(task));
            }
        });
        if let Some(task) = task {
            // The task holds this `Home`, and may be gone as soon as it is pushed: keep the runtime alive ourselves.
            let shared = self.shared.clone();
            shared.injector.push(task);
            shared.work_came_from_outside();
        }
    }

    fn woken(&self, task: TaskId) {
        self.shared.trace(|| Kind::Wake { task, by: self.shared.cause() });
    }

    fn asked(&self, task: AbortHandle) -> bool {
        self.shared.heeding.ask(task)
    }

    fn waits(&self, task: AbortHandle) -> Result<Listed, AbortHandle> {
        let worker = self.shared.here(|here| here.worker).expect("only workers run tasks");
        let place = self.shared.seats[worker].waiting.lock().unwrap().insert(task);
        Ok(Listed { worker: worker as u32, place: u32::try_from(place).expect("fewer than 2³² tasks") })
    }

    fn observer(&self) -> Option<&dyn Observer> {
        self.shared.registry.as_deref().map(|registry| registry as &dyn Observer)
    }
}

/// The scheduler of tasks that stay where they are.
pub(super) struct Bound(pub(super) Arc<Home>);

impl Schedule for Bound {
    const PINNED: bool = true;

    fn schedule(&self, task: Task) {
        let shared = self.0.shared.clone();
        shared.push_bound(self.0.worker, Runnable::Task(task));
    }

    fn woken(&self, task: TaskId) {
        self.0.woken(task);
    }

    fn asked(&self, task: AbortHandle) -> bool {
        self.0.asked(task)
    }

    fn waits(&self, task: AbortHandle) -> Result<Listed, AbortHandle> {
        self.0.waits(task)
    }

    fn observer(&self) -> Option<&dyn Observer> {
        self.0.observer()
    }
}

/// Wakes the future that `block_on` was given.
pub(super) struct MainWaker {
    shared: Arc<Shared>,
    scheduled: AtomicBool,
}

impl MainWaker {
    /// Born scheduled, as a task is.
    pub(super) fn new(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared: shared.clone(), scheduled: AtomicBool::new(true) })
    }

    /// Was it woken since the last poll began?
    pub(super) fn is_scheduled(&self) -> bool {
        self.scheduled.load(Ordering::Relaxed)
    }

    /// The poll begins: a wake from now on counts. `AcqRel`: the poll sees what came with the wakes before.
    pub(super) fn poll_begins(&self) {
        self.scheduled.swap(false, Ordering::AcqRel);
    }
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.scheduled.swap(true, Ordering::AcqRel) {
            self.shared.trace(|| Kind::Wake { task: TaskId::MAIN, by: self.shared.cause() });
            self.shared.push_bound(0, Runnable::Main);
        }
    }
}
