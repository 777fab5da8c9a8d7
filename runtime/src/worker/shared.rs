//! What is shared: between the workers, their tasks, the tasks' wakers, and the handles on other threads.
//!
//! ```text
//!   waker ──wake──> the task's state ──push──> on a worker's thread: that worker's queue
//!                                              anywhere else: the injector, and a worker is woken
//! ```
//!
//! A worker's thread reaches its own things through [`Here`], without a lock; everything else is in [`Shared`], most of it
//! in the [`Seat`] of one worker, so that workers do not write each other's cache lines.

use super::{Plan, idle::Idle, park::ParkState};
use crate::{
    blocking::Pool,
    current::{self, Slot},
    network::{self, Network},
    queue::{Injector, Local, Runnable, Shelf},
    random::Pick,
    reactor::{Backend, Notify, Poller, Reactor, RuntimeId},
    task::{self, AbortHandle, Birth, BoundToThread, JoinHandle, Listed, Ran, Schedule, Task, TaskId},
    time::{Clock, Instant, Time},
    trace::{Cause, Kind, Recorder},
};
use crossbeam_queue::SegQueue;
use slab::Slab;
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    ops::Range,
    panic::Location,
    rc::Rc,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
    thread,
    time::Duration,
};

/// What the workers of a runtime share with each other, with their tasks and with the handles on other threads.
pub(crate) struct Shared {
    pub(super) seats: Box<[Seat]>,
    pub(super) injector: Injector,
    pub(super) idle: Idle,
    /// How many sleep with one eye open: they look after the others every so often.
    pub(super) watchers: AtomicUsize,
    pub(crate) clock: Arc<Clock>,
    /// How much later than its deadline a timer may fire, so that one getting up serves several.
    pub(super) timer_slack: Duration,
    recorder: Option<Recorder>,
    pub(crate) pool: Arc<Pool>,
    next_task: AtomicU64,
    phase: AtomicU8,
    /// How often it was said that all tasks must end.
    pub(super) round: AtomicU64,
    threads: Mutex<Threads>,
    thread_ended: Condvar,
    /// What a simulated runtime has instead of the world outside, and instead of first come, first served.
    pub(crate) simulation: Option<Simulation>,
}

/// What makes a runtime simulated.
pub(crate) struct Simulation {
    pub(crate) network: Arc<Network>,
    pub(crate) pick: Arc<Pick>,
}

/// The threads of the workers but the first.
#[derive(Default)]
struct Threads {
    handles: Vec<thread::JoinHandle<()>>,
    ended: usize,
}

/// What others see of one worker.
pub(super) struct Seat {
    pub(super) shelf: Arc<Shelf>,
    /// What only this worker may run, from elsewhere.
    pub(super) inbox: SegQueue<Runnable>,
    /// The tasks that this worker was the first to see waiting, and that are not over. No queue need hold them.
    pub(super) waiting: Mutex<Slab<AbortHandle>>,
    pub(super) nudger: Arc<Nudger>,
    pub(super) time: Arc<Time>,
    pub(super) reactor: Arc<Reactor>,
    /// Locked by the worker while it waits, so that a neighbour can turn the reactor of one who is stuck elsewhere.
    pub(super) poller: Mutex<Poller>,
    /// Counts turns and polls: a neighbour sees whether the worker gets on. Written by the worker alone.
    pub(super) progress: AtomicU64,
    /// The task that is being polled: for the report of those that would not end.
    pub(super) polling: AtomicU64,
    /// A thread works here.
    pub(super) staffed: AtomicBool,
    /// The last round of ending that this worker has done its part of.
    pub(super) swept: AtomicU64,
}

/// What becomes of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// They run.
    Open,
    /// A `block_on` is over: whatever is left or comes is cancelled.
    Closing,
    /// There are no workers any more: what is spawned is cancelled on the spot.
    Ended,
}

/// Gets a worker out of its sleep.
pub(super) struct Nudger {
    park: ParkState,
    notify: Notify,
}

impl Nudger {
    pub(super) fn park(&self) -> &ParkState {
        &self.park
    }

    pub(super) fn nudge(&self) {
        if self.park.nudge() {
            self.notify.notify();
        }
    }
}

impl Wake for Nudger {
    fn wake(self: Arc<Self>) {
        self.nudge();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.nudge();
    }
}

/// Where a task was spawned: its way back to the runtime. One for each worker, so that tasks count references on their own
/// worker's cache line.
pub(crate) struct Home {
    pub(crate) shared: Arc<Shared>,
    worker: usize,
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

/// The part of a worker that only its own thread sees.
pub(crate) struct Here {
    pub(super) shared: Arc<Shared>,
    pub(super) worker: usize,
    pub(super) local: Local,
    home: Arc<Home>,
    /// What the thread is doing now: the cause of whatever happens next.
    pub(super) doing: Cell<Cause>,
    /// Numbers for tasks, taken from the common counter a few at a time.
    ids: RefCell<Range<u64>>,
}

thread_local! {
    static CURRENT: Slot<Rc<Here>> = const { RefCell::new(None) };
}

/// The current thread's slots; they are put back when this is dropped.
struct Entered<H, T> {
    _here: H,
    _time: T,
    _reactor: current::Entered<Arc<Reactor>>,
    _network: network::Entered,
}

impl<H, T> Drop for Entered<H, T> {
    fn drop(&mut self) {}
}

/// How many task numbers a worker takes at once.
const IDS: u64 = 64;

impl Here {
    pub(super) fn new(shared: &Arc<Shared>, worker: usize) -> Rc<Self> {
        let pick = shared.simulation.as_ref().map(|simulation| simulation.pick.clone());
        Rc::new(Self {
            shared: shared.clone(),
            worker,
            local: Local::new(shared.seats[worker].shelf.clone(), shared.is_single(), pick),
            home: Arc::new(Home { shared: shared.clone(), worker }),
            doing: Cell::new(Cause::Runtime),
            ids: RefCell::new(0..0),
        })
    }

    /// The worker that the current thread is.
    pub(crate) fn current() -> Option<Rc<Here>> {
        current::get(&CURRENT)
    }

    /// Makes this thread the worker's.
    pub(super) fn enter(self: &Rc<Self>) -> impl Drop + use<> {
        let seat = self.seat();
        self.shared.enter_seat(seat, current::enter(&CURRENT, self.clone()), true)
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(super) fn seat(&self) -> &Seat {
        &self.shared.seats[self.worker]
    }

    /// A number for a new task.
    pub(crate) fn next_id(&self) -> TaskId {
        let mut ids = self.ids.borrow_mut();
        if ids.is_empty() {
            // Where somebody reads the numbers they stand in the order of spawning, whoever spawns.
            let block = if self.shared.recorder.is_some() { 1 } else { IDS };
            let first = self.shared.next_task.fetch_add(block, Ordering::Relaxed);
            *ids = first..first + block;
        }
        TaskId(ids.next().expect("it was filled just now"))
    }

    pub(crate) fn spawn<F>(
        &self,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let birth = self.birth(name, place);
        let (task, handle) = task::new(birth, self.home.clone(), future);
        self.push(Runnable::Task(task));
        handle
    }

    /// Spawns a task that stays on this thread.
    pub(crate) fn spawn_local<F>(
        &self,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let birth = self.birth(name, place);
        let (task, handle) = task::new(birth, Bound(self.home.clone()), BoundToThread::new(future));
        self.push(Runnable::Task(task));
        handle
    }

    fn birth(&self, name: Option<Box<Arc<str>>>, place: &'static Location<'static>) -> Birth {
        let birth = Birth { id: self.next_id(), place, name };
        self.shared.trace_spawn(&birth, self.doing.get());
        birth
    }

    pub(super) fn push(&self, runnable: Runnable) {
        self.local.push(runnable, &self.shared.injector);
    }

    /// After something that may have made tasks runnable: if siblings could run any of them, one is woken.
    pub(super) fn share(&self) {
        if self.local.take_note() {
            self.shared.wake_one();
        }
    }
}

impl Shared {
    /// `pool` makes the pool for blocking jobs, given what gets the worker up.
    pub(super) fn new(plan: Plan, pool: impl FnOnce(Waker) -> Arc<Pool>) -> io::Result<Arc<Self>> {
        let Plan { workers, backend, clock, timer_slack, recorder, simulation } = plan;
        let clock = Arc::new(clock);
        let id = RuntimeId::fresh();
        let seat = |_| Seat::new(id, backend, &clock, simulation.as_ref());
        let seats: Box<[Seat]> = (0..workers).map(seat).collect::<io::Result<_>>()?;
        let nudge = Waker::from(seats[0].nudger.clone());
        Ok(Arc::new(Self {
            seats,
            injector: Injector::default(),
            idle: Idle::new(workers),
            watchers: AtomicUsize::new(0),
            clock,
            timer_slack,
            recorder,
            pool: pool(nudge),
            next_task: AtomicU64::new(TaskId::MAIN.0 + 1),
            phase: AtomicU8::new(Phase::Open as u8),
            round: AtomicU64::new(0),
            threads: Mutex::default(),
            thread_ended: Condvar::new(),
            simulation,
        }))
    }

    /// Is there but one worker? Then nobody steals, and nobody is woken but that one.
    pub(super) fn is_single(&self) -> bool {
        self.seats.len() == 1
    }

    /// Gives the current thread, which is no worker, time and reactor: those of the last worker, which is there even between
    /// two `block_on`s, if it is not the only one.
    pub(crate) fn enter_from_outside(&self) -> impl Drop + use<> {
        self.enter_seat(self.seats.last().expect("a runtime has a worker"), (), false)
    }

    /// Puts what is at a seat into the current thread's slots. (`here`: the slot that is only a worker's, filled already.)
    fn enter_seat<H>(&self, seat: &Seat, here: H, worker: bool) -> impl Drop + use<H> {
        Entered {
            _here: here,
            _time: seat.time.enter(worker),
            _reactor: seat.reactor.enter(),
            _network: network::enter(self.simulation.as_ref().map(|simulation| &simulation.network)),
        }
    }

    /// A number for a new task.
    pub(crate) fn next_id(&self) -> TaskId {
        TaskId(self.next_task.fetch_add(1, Ordering::Relaxed))
    }

    fn trace_spawn(&self, birth: &Birth, by: Cause) {
        self.trace(|| Kind::Spawn { task: birth.id, name: birth.name.as_deref().cloned(), by });
    }

    /// Records an event, if anybody wants to know.
    #[inline]
    pub(crate) fn trace(&self, kind: impl FnOnce() -> Kind) {
        if let Some(recorder) = &self.recorder {
            self.record(recorder, kind());
        }
    }

    #[cold]
    fn record(&self, recorder: &Recorder, kind: Kind) {
        let worker = self.here(|here| here.worker);
        recorder.record(self.since_start(self.clock.now()), worker, kind);
    }

    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    pub(super) fn since_start(&self, instant: Instant) -> Duration {
        self.clock.since_start(instant)
    }

    /// Looks at the current thread's worker, if it is one of ours.
    fn here<R>(&self, look: impl FnOnce(&Here) -> R) -> Option<R> {
        current::with(&CURRENT, |here| std::ptr::eq(Arc::as_ptr(&here.shared), self).then(|| look(here))).flatten()
    }

    fn cause(&self) -> Cause {
        self.here(|here| here.doing.get()).unwrap_or(Cause::Outside)
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Open,
            1 => Phase::Closing,
            _ => Phase::Ended,
        }
    }

    /// From now on tasks have another fate. Whatever was spawned before this is in a queue or in a list.
    pub(super) fn enter_phase(&self, phase: Phase) {
        if self.phase() == Phase::Ended {
            return;
        }
        self.injector.set_open(phase == Phase::Open);
        self.phase.store(phase as u8, Ordering::Release);
        if phase != Phase::Open {
            self.round.fetch_add(1, Ordering::SeqCst);
            self.seats.iter().for_each(|seat| seat.nudger.nudge());
        }
    }

    /// A worker is woken, if there is one asleep and none that searches.
    pub(super) fn wake_one(&self) {
        if let Some(worker) = self.idle.wake_one() {
            self.seats[worker].nudger.nudge();
        }
    }

    /// Some sleep so deep that they do not look after anybody: one of them is to sleep lighter.
    pub(super) fn wake_a_watcher(&self) {
        if let Some(worker) = self.idle.a_sleeper() {
            self.seats[worker].nudger.nudge();
        }
    }

    fn work_came_from_outside(&self) {
        // While all ends, nobody searches; worker 0 sees to what still comes.
        if self.is_single() || self.phase() != Phase::Open {
            self.seats[0].nudger.nudge();
        } else {
            self.wake_one();
        }
    }

    pub(super) fn a_thread_started(&self, thread: thread::JoinHandle<()>) {
        self.threads.lock().unwrap().handles.push(thread);
    }

    pub(super) fn a_thread_ended(&self) {
        self.threads.lock().unwrap().ended += 1;
        self.thread_ended.notify_all();
    }

    /// Waits until every thread but the caller's own is gone, for `patience` at most.
    pub(super) fn join_threads(&self, patience: Duration) {
        let threads = self.threads.lock().unwrap();
        let own = usize::from(threads.handles.iter().any(|thread| thread.thread().id() == thread::current().id()));
        let all_but_own = |threads: &mut Threads| threads.ended + own < threads.handles.len();
        let (mut threads, timeout) = self.thread_ended.wait_timeout_while(threads, patience, all_but_own).unwrap();
        if !timeout.timed_out() && own == 0 {
            let handles = std::mem::take(&mut threads.handles);
            drop(threads);
            // Each is past its last task, and returns without another wait.
            handles.into_iter().for_each(|thread| drop(thread.join()));
        }
    }

    /// Could a worker that looks for work find any?
    pub(super) fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.seats.iter().any(|seat| !seat.shelf.has_nothing_to_steal())
    }

    /// Puts something on the queue of the worker that alone may run it.
    fn push_bound(&self, worker: usize, runnable: Runnable) {
        let mut runnable = Some(runnable);
        self.here(|here| {
            if here.worker == worker
                && let Some(runnable) = runnable.take()
            {
                here.push(runnable);
            }
        });
        if let Some(runnable) = runnable {
            // Push, then nudge: the worker that is about to sleep either sees the one or the other.
            self.seats[worker].inbox.push(runnable);
            self.seats[worker].nudger.nudge();
        }
    }

    /// A task that waited is over.
    pub(super) fn unlist(&self, listed: Listed) {
        let seat = &self.seats[listed.worker as usize];
        let over = seat.waiting.lock().unwrap().remove(listed.place as usize);
        drop(over);
        // Its worker may be asleep until its list is empty.
        if self.phase() != Phase::Open {
            seat.nudger.nudge();
        }
    }
}

/// Ends a task that nobody will run.
pub(super) fn cancel(task: Task) {
    task.abort();
    let ran = task.run();
    debug_assert!(matches!(ran, Ran::Done(..)));
}

impl Seat {
    fn new(
        runtime: RuntimeId,
        backend: Backend,
        clock: &Arc<Clock>,
        simulation: Option<&Simulation>,
    ) -> io::Result<Self> {
        let (poller, registry, notify) = match simulation {
            Some(simulation) => Poller::simulated(&simulation.network),
            None => Poller::new(backend)?,
        };
        let nudger = Arc::new(Nudger { park: ParkState::new(), notify });
        Ok(Self {
            shelf: Arc::default(),
            inbox: SegQueue::new(),
            waiting: Mutex::default(),
            time: Arc::new(Time::new(clock.clone(), Waker::from(nudger.clone()))),
            nudger,
            reactor: Arc::new(Reactor::new(registry, runtime)),
            poller: Mutex::new(poller),
            progress: AtomicU64::new(0),
            polling: AtomicU64::new(TaskId::MAIN.0),
            staffed: AtomicBool::new(false),
            swept: AtomicU64::new(0),
        })
    }
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

    fn waits(&self, task: AbortHandle) -> Result<Listed, AbortHandle> {
        let worker = self.shared.here(|here| here.worker).expect("only workers run tasks");
        let place = self.shared.seats[worker].waiting.lock().unwrap().insert(task);
        Ok(Listed { worker: worker as u32, place: u32::try_from(place).expect("fewer than 2³² tasks") })
    }
}

/// The scheduler of tasks that stay where they are.
struct Bound(Arc<Home>);

impl Schedule for Bound {
    const PINNED: bool = true;

    fn schedule(&self, task: Task) {
        let shared = self.0.shared.clone();
        shared.push_bound(self.0.worker, Runnable::Task(task));
    }

    fn woken(&self, task: TaskId) {
        self.0.woken(task);
    }

    fn waits(&self, task: AbortHandle) -> Result<Listed, AbortHandle> {
        self.0.waits(task)
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
            self.shared.push_bound(0, Runnable::Main);
        }
    }
}
