//! What is shared: between the worker, its tasks, their wakers, and the handles on other threads.
//!
//! ```text
//!   waker ──wake──> the task's state ──push──> on the worker's thread: its Local queue
//!                                              anywhere else: the Injector, then a nudge
//! ```

use super::park::ParkState;
use crate::{
    blocking::Pool,
    current::{self, Slot},
    queue::{Injector, Local, Runnable},
    reactor::{Notify, Reactor, Registry},
    task::{self, AbortHandle, Birth, JoinHandle, Ran, Schedule, Task, TaskId},
    time::{Clock, Time},
    trace::{Cause, Kind, Outcome, Recorder},
};
use slab::Slab;
use std::{
    cell::{Cell, RefCell},
    future::Future,
    panic::Location,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Wake, Waker},
};

/// What a worker shares with its tasks, their wakers and the handles on other threads.
pub(crate) struct Shared {
    pub(super) injector: Injector,
    nudger: Arc<Nudger>,
    pub(crate) time: Arc<Time>,
    pub(crate) reactor: Arc<Reactor>,
    recorder: Option<Recorder>,
    pub(super) tasks: Mutex<Tasks>,
    next_task: AtomicU64,
    pub(crate) pool: Arc<Pool>,
}

/// Every task that is not over. Needed at the end, and when nothing can move any more.
#[derive(Default)]
pub(super) struct Tasks {
    pub(super) live: Slab<AbortHandle>,
    pub(super) phase: Phase,
}

/// What becomes of a new task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// It runs.
    #[default]
    Open,
    /// `block_on` is ending: the worker cancels it with the rest, if it comes from the worker's own thread.
    Closing,
    /// There is no worker any more (or it has no ear for us): it is cancelled where it is spawned.
    Ended,
}

/// Gets the worker out of its sleep.
struct Nudger {
    park: ParkState,
    notify: Notify,
}

impl Wake for Nudger {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.park.nudge() {
            self.notify.notify();
        }
    }
}

/// The part of a worker that only its own thread sees.
pub(super) struct Here {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Local,
    /// What the thread is doing now: the cause of whatever happens next.
    pub(super) doing: Cell<Cause>,
}

thread_local! {
    static CURRENT: Slot<Rc<Here>> = const { RefCell::new(None) };
}

impl Here {
    pub(super) fn new(shared: &Arc<Shared>) -> Rc<Self> {
        Rc::new(Self { shared: shared.clone(), queue: Local::default(), doing: Cell::new(Cause::Runtime) })
    }

    /// Makes this thread the worker's.
    pub(super) fn enter(self: &Rc<Self>) -> current::Entered<Rc<Here>> {
        current::enter(&CURRENT, self.clone())
    }
}

impl Shared {
    /// `pool` makes the pool for blocking jobs, given what gets the worker up.
    pub(super) fn new(
        clock: Clock,
        recorder: Option<Recorder>,
        pool: impl FnOnce(Waker) -> Arc<Pool>,
        registry: Registry,
        notify: Notify,
    ) -> Arc<Self> {
        let nudger = Arc::new(Nudger { park: ParkState::new(), notify });
        let nudge = Waker::from(nudger.clone());
        Arc::new(Self {
            injector: Injector::new(),
            nudger,
            time: Arc::new(Time::new(clock, nudge.clone())),
            reactor: Arc::new(Reactor::new(registry)),
            recorder,
            tasks: Mutex::default(),
            next_task: AtomicU64::new(TaskId::MAIN.0 + 1),
            pool: pool(nudge),
        })
    }

    pub(super) fn park(&self) -> &ParkState {
        &self.nudger.park
    }

    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        name: Option<Arc<str>>,
        place: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = self.next_id();
        self.trace(|| Kind::Spawn { task: id, name: name.clone(), by: self.cause() });
        let (task, handle, phase) = {
            let mut tasks = self.tasks.lock().unwrap();
            // While the worker cancels what is left, only what its own thread spawns is worth a place in its list: others
            // could go on spawning for ever.
            let phase = match tasks.phase {
                Phase::Closing if !self.is_here() => Phase::Ended,
                phase => phase,
            };
            let place_in_list = tasks.live.vacant_entry();
            let birth = Birth { id, name, place, listed_as: place_in_list.key() };
            let (task, handle) = task::new(birth, self.clone(), future);
            if phase != Phase::Ended {
                place_in_list.insert(handle.abort_handle());
            }
            (task, handle, phase)
        };
        if phase != Phase::Open {
            task.abort();
        }
        if phase == Phase::Ended {
            let ran = task.run();
            debug_assert!(matches!(ran, Ran::Done(Outcome::Cancelled | Outcome::Panicked)));
        } else {
            self.schedule(task);
        }
        handle
    }

    /// A number for a new task.
    pub(crate) fn next_id(&self) -> TaskId {
        TaskId(self.next_task.fetch_add(1, Ordering::Relaxed))
    }

    /// Records an event, if anybody wants to know.
    pub(crate) fn trace(&self, kind: impl FnOnce() -> Kind) {
        if let Some(recorder) = &self.recorder {
            recorder.record(self.time.since_start(self.time.clock.now()), kind());
        }
    }

    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// From now on, a new task has another fate. Whatever was spawned before this is in the list.
    pub(super) fn enter_phase(&self, phase: Phase) {
        let mut tasks = self.tasks.lock().unwrap();
        if tasks.phase != Phase::Ended {
            tasks.phase = phase;
        }
    }

    pub(super) fn push(&self, runnable: Runnable) {
        let mut runnable = Some(runnable);
        current::with(&CURRENT, |here| {
            if std::ptr::eq(Arc::as_ptr(&here.shared), self)
                && let Some(runnable) = runnable.take()
            {
                here.queue.push(runnable);
            }
        });
        if let Some(runnable) = runnable {
            // Push, then nudge: the worker that is about to sleep either sees the one or the other.
            self.injector.push(runnable);
            self.nudger.wake_by_ref();
        }
    }

    /// Is this the worker's thread?
    fn is_here(&self) -> bool {
        current::with(&CURRENT, |here| std::ptr::eq(Arc::as_ptr(&here.shared), self)).unwrap_or(false)
    }

    fn cause(&self) -> Cause {
        current::with(&CURRENT, |here| std::ptr::eq(Arc::as_ptr(&here.shared), self).then(|| here.doing.get()))
            .flatten()
            .unwrap_or(Cause::Outside)
    }

    pub(super) fn abort_all(&self) {
        // Aborting pushes on queues, and takes no lock that we hold; still, none is held.
        let live: Vec<AbortHandle> = self.tasks.lock().unwrap().live.iter().map(|(_, task)| task.clone()).collect();
        live.iter().for_each(AbortHandle::abort);
    }
}

impl Schedule for Arc<Shared> {
    fn schedule(&self, task: Task) {
        // The task holds this `Arc`, and may be gone as soon as it is pushed: keep the runtime alive ourselves.
        let shared = self.clone();
        shared.push(Runnable::Task(task));
    }

    fn woken(&self, task: TaskId) {
        self.trace(|| Kind::Wake { task, by: self.cause() });
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
            self.shared.push(Runnable::Main);
        }
    }
}
