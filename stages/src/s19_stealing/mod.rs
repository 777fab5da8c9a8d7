//! Stage 19: a queue for each worker; whoever has nothing to do takes from the others.
//!
//! ```text
//!   woken on a worker's thread ──> its queue ── next, then the rest ──> it runs
//!                                     │ the older half: whoever is idle steals it
//!   woken on any other thread ───> the injector ── each worker takes a share
//! ```
//!
//! The task is that of stage 18, line by line. What is new: where it is queued ([`queue`]), and how workers fall asleep ([`idle`]).

// ANCHOR: imports
mod idle;
mod queue;
mod reactor;
mod task;
mod time;

pub use reactor::{Direction, Watched};
pub use time::{Sleep, sleep, timeout, yield_now};

use idle::Idle;
use queue::Queue;
use reactor::Reactor;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::Future,
    mem,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};
use task::{Stage, Task};
// ANCHOR_END: imports

// ANCHOR: shared
/// What the workers and all wakers share.
struct Shared {
    seats: Vec<Seat>,
    /// What was woken where no worker is.
    injector: Mutex<VecDeque<Arc<Task>>>,
    idle: Idle,
    tasks: Mutex<Tasks>,
    timers: Mutex<Timers>,
    /// The main future was woken. Only worker 0 asks.
    main_woken: AtomicBool,
    /// The main future is ready: the workers are to go.
    closed: AtomicBool,
}

/// A worker's part, as the others see it.
struct Seat {
    queue: Queue,
    /// Where it sleeps.
    reactor: Reactor,
}

/// Every task that is not over, so that none is left behind.
#[derive(Default)]
struct Tasks {
    all: BTreeMap<u64, Arc<Task>>,
    spawned: u64,
}

/// Who is to be woken when, the earliest first. Equal deadlines are told apart by a number.
#[derive(Default)]
struct Timers {
    armed: BTreeMap<(Instant, u64), Waker>,
    count: u64,
}
// ANCHOR_END: shared

// ANCHOR: seats
thread_local! {
    /// The runtime that this thread works for, and as which worker.
    static CURRENT: RefCell<Option<(Arc<Shared>, usize)>> = const { RefCell::new(None) };
}

/// How many polls may pass between two looks at the injector, the timers and the main future.
const BATCH: usize = 64;

impl Shared {
    fn new(workers: usize) -> Arc<Self> {
        let seat =
            || Seat { queue: Queue::default(), reactor: Reactor::new().expect("the system has a poller for us") };
        Arc::new(Shared {
            seats: (0..workers.max(1)).map(|_| seat()).collect(),
            injector: Mutex::default(),
            idle: Idle::new(),
            tasks: Mutex::default(),
            timers: Mutex::default(),
            main_woken: AtomicBool::new(true),
            closed: AtomicBool::new(false),
        })
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("nothing that can panic runs under this lock")
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().expect("nothing that can panic runs under this lock")
    }

    fn injector(&self) -> MutexGuard<'_, VecDeque<Arc<Task>>> {
        self.injector.lock().expect("nothing that can panic runs under this lock")
    }

    /// The seat of the thread that asks, if it works here.
    fn my_seat(&self) -> Option<&Seat> {
        CURRENT.with_borrow(|current| {
            let (shared, worker) = current.as_ref()?;
            std::ptr::eq(&**shared, self).then(|| &self.seats[*worker])
        })
    }
    // ANCHOR_END: seats

    // ANCHOR: push
    /// The task can run: here if this is a worker's thread, and otherwise wherever.
    fn wake(&self, task: Arc<Task>) {
        match self.my_seat() {
            Some(seat) => seat.queue.push_next(task),
            None => self.injector().push_back(task),
        }
        self.wake_one();
    }

    /// The task can run on, and lets all others go first.
    fn give_way(&self, task: Arc<Task>) {
        self.my_seat().expect("a task is run by a worker").queue.push_last(task);
        self.wake_one();
    }

    /// There is something to steal. If a worker must be woken for it, it is.
    fn wake_one(&self) {
        if let Some(worker) = self.idle.wake_one() {
            self.seats[worker].reactor.call();
        }
    }
    // ANCHOR_END: push

    // ANCHOR: work
    /// A worker's life. `main` polls the main future, if it was woken and this is worker 0, and gives its output.
    fn work<T>(&self, worker: usize, mut main: impl FnMut() -> Option<T>) -> Option<T> {
        while !self.closed.load(Ordering::Acquire) {
            if let Some(output) = main() {
                return Some(output);
            }
            self.turn(worker, Some(Duration::ZERO));
            self.fire(Instant::now());
            // What came from outside has no claim to run next: first come, first served.
            self.seats[worker].queue.settle();
            self.take_share(worker);
            if !self.run_batch(worker)
                && let Some(task) = self.search_or_sleep(worker)
            {
                task.run();
            }
        }
        None
    }

    /// Did it run anything?
    fn run_batch(&self, worker: usize) -> bool {
        for polls in 0..BATCH {
            match self.seats[worker].queue.pop() {
                Some(task) => task.run(),
                None => return polls > 0,
            }
        }
        true
    }

    /// The queue is empty. A task from elsewhere, or a sleep until there may be something to do.
    fn search_or_sleep(&self, worker: usize) -> Option<Arc<Task>> {
        self.idle.begin_search();
        let mut found = self.steal(worker);
        if found.is_none() {
            self.idle.fall_asleep(worker);
            // Said first, and looked at afterwards: whoever pushes does it the other way round.
            let timeout = if self.may_sleep(worker) { self.nearest() } else { Some(Duration::ZERO) };
            self.turn(worker, timeout);
            self.idle.get_up(worker);
            found = self.steal(worker);
        }
        // While it searched, nobody else was woken. Now somebody may have to be.
        if self.idle.end_search() && self.has_work() {
            self.wake_one();
        }
        if found.is_some() {
            self.leave_the_clock();
        }
        found
    }

    /// One task out of the injector, or half of what another worker has: the first to run now, the rest into the own queue.
    fn steal(&self, worker: usize) -> Option<Arc<Task>> {
        if let Some(task) = self.injector().pop_front() {
            return Some(task);
        }
        // Each worker begins with another victim.
        let workers = self.seats.len();
        (1..workers).map(|distance| (worker + distance) % workers).find_map(|victim| {
            let mut stolen = self.seats[victim].queue.steal();
            let first = stolen.pop_front();
            self.seats[worker].queue.extend(stolen);
            first
        })
    }
    // ANCHOR_END: work

    // ANCHOR: look
    /// The last look. A call may have been met by an earlier turn of the reactor, so what it was for is looked at here.
    fn may_sleep(&self, worker: usize) -> bool {
        let main = worker == 0 && self.main_woken.load(Ordering::Acquire);
        !(main || self.closed.load(Ordering::Acquire) || self.has_work())
    }

    fn has_work(&self) -> bool {
        !self.injector().is_empty() || self.seats.iter().any(|seat| !seat.queue.is_empty())
    }

    /// A worker that is never without work of its own takes its part of the injector too.
    fn take_share(&self, worker: usize) {
        let mut injector = self.injector();
        let share = injector.len().div_ceil(self.seats.len());
        let taken = injector.drain(..share).collect();
        drop(injector);
        self.seats[worker].queue.extend(taken);
    }

    /// Wakes everybody whose deadline has passed. No waker is called under the lock.
    fn fire(&self, now: Instant) {
        let mut timers = self.timers();
        let later = timers.armed.split_off(&(now, u64::MAX));
        let due = mem::replace(&mut timers.armed, later);
        drop(timers);
        due.into_values().for_each(Waker::wake);
    }

    /// How long until the nearest deadline.
    fn nearest(&self) -> Option<Duration> {
        let timers = self.timers();
        let (&(deadline, _), _) = timers.armed.first_key_value()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// This worker is going to compute, and perhaps it alone knew the nearest deadline: so another is woken, and looks before it sleeps.
    fn leave_the_clock(&self) {
        if self.nearest().is_some() {
            self.wake_one();
        }
    }

    /// A look at the worker's own sockets, or a sleep there.
    fn turn(&self, worker: usize, timeout: Option<Duration>) {
        self.seats[worker].reactor.turn(timeout).expect("the system's poller works");
    }
}

// ANCHOR_END: look

// ANCHOR: block_on
/// Wakes the main future.
struct Main(Arc<Shared>);

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        self.0.main_woken.store(true, Ordering::Release);
        self.0.seats[0].reactor.call();
    }
}

/// Runs a future to its end on this thread, and meanwhile, on this and `workers - 1` other threads, the tasks that are spawned.
/// Those that are not over then are dropped.
pub fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
    let shared = Shared::new(workers);
    let mut entered = Entered::new(shared.clone());
    for worker in 1..workers {
        let shared = shared.clone();
        entered.threads.push(thread::spawn(move || {
            CURRENT.set(Some((shared.clone(), worker)));
            shared.work(worker, || None::<()>);
            // Not with the thread's other locals: what goes with it may use them.
            CURRENT.set(None);
        }));
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Main(shared.clone())));
    let output = shared.work(0, || {
        if !shared.main_woken.swap(false, Ordering::AcqRel) {
            return None;
        }
        shared.leave_the_clock();
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    });
    output.expect("only the end of this function closes it")
}

/// As [`block_on_workers`], with the thread that calls it alone.
pub fn block_on<F: Future>(future: F) -> F::Output {
    block_on_workers(1, future)
}

/// While it lives, its runtime is the current one of its thread. Its end is the end of all workers, and then of all tasks.
struct Entered {
    shared: Arc<Shared>,
    before: Option<(Arc<Shared>, usize)>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Entered {
    fn new(shared: Arc<Shared>) -> Self {
        let before = CURRENT.replace(Some((shared.clone(), 0)));
        Entered { shared, before, threads: Vec::new() }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.seats.iter().for_each(|seat| seat.reactor.call());
        // Each ends its present batch first. From here on nobody polls a task.
        self.threads.drain(..).for_each(|thread| thread.join().expect("a worker catches what its tasks throw"));
        // A task that is dropped may spawn another: until there are none.
        loop {
            let left = mem::take(&mut self.shared.tasks().all);
            if left.is_empty() {
                break;
            }
            left.values().for_each(|task| task.cancel());
        }
        self.shared.seats.iter().for_each(|seat| seat.queue.clear());
        let left = mem::take(&mut *self.shared.injector());
        drop(left);
        CURRENT.set(self.before.take());
    }
}
// ANCHOR_END: block_on

// ANCHOR: spawn
/// Makes a task of the `block_on_workers` that this thread works for. It may be polled by one worker now and by another one later:
/// hence `Send`.
///
/// # Panics
/// Outside of one.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let (shared, _) = current("spawn");
    let stage = Mutex::new(Stage::Queued(Box::pin(future)));
    let mut tasks = shared.tasks();
    tasks.spawned += 1;
    let id = tasks.spawned;
    let task = Arc::new(Task { id, stage, shared: shared.clone() });
    tasks.all.insert(id, task.clone());
    drop(tasks);
    shared.wake(task);
}

fn current(asked: &str) -> (Arc<Shared>, usize) {
    let current = CURRENT.with_borrow(Clone::clone);
    current.unwrap_or_else(|| panic!("{asked} belongs into a task, or inside block_on_workers"))
}
// ANCHOR_END: spawn
