//! Mistakes about whose turn it is.

use crate::{Boxed, Executor, Ours, must_fail, noted, runtimes, runtimes_with_several_workers, teaching::Toy, within};
use runtime::{AsyncFd, spawn, time::sleep};
use std::{
    cell::Cell,
    collections::VecDeque,
    future::poll_fn,
    io::{Read, Write},
    mem,
    os::unix::net::UnixStream,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

// R2 -------------------------------------------------------------------------------------------------------------------

/// R1 and R2, tokio #1768 and #4383, from outside: spawn and join, over and over, until a worker sleeps on work. (The models that
/// show it at once, broken twins included, stand beside `worker` and `queue`.)
#[test]
fn nobody_sleeps_on_work() {
    let rounds = if cfg!(miri) { 50 } else { 50_000 };
    for runtime in runtimes() {
        within(PATIENCE, move || {
            runtime.block_on(async {
                for round in 0..rounds {
                    assert_eq!(spawn(async move { round }).await.unwrap(), round);
                }
            });
        });
    }
}

// R32 ------------------------------------------------------------------------------------------------------------------

/// Two tasks that wake each other for ever, and one that wants ten turns.
fn a_pair_that_plays_leaves_room_for_others(executor: &dyn Executor) {
    let wakers: Arc<[Mutex<Option<Waker>>; 2]> = Arc::default();
    let player = |own: usize| -> Boxed {
        let wakers = wakers.clone();
        Box::pin(poll_fn(move |context| {
            *wakers[own].lock().unwrap() = Some(context.waker().clone());
            let other = wakers[1 - own].lock().unwrap().clone();
            other.into_iter().for_each(Waker::wake);
            Poll::Pending
        }))
    };
    let done = Arc::new(AtomicBool::new(false));
    let counter = noted(
        async {
            for _ in 0..10 {
                runtime::yield_now().await;
            }
        },
        &done,
    );
    executor.run(vec![counter, player(0), player(1)], &|| done.load(Ordering::Acquire));
    // They hold each other's wakers.
    wakers.iter().for_each(|waker| drop(waker.lock().unwrap().take()));
    assert!(done.load(Ordering::Acquire), "starved");
}

/// R32, tokio #2349, #5686 and #5712: the task woken last runs next, and so two that wake each other keep all others out.
#[test]
fn a_next_task_slot_without_a_limit() {
    // The newest is in the slot; the rest of the queue comes after it.
    let slot_first = Toy::new(VecDeque::pop_back);
    must_fail("starved", || a_pair_that_plays_leaves_room_for_others(&slot_first));

    // The same slot, with a limit to how often in a row.
    let in_a_row = Cell::new(0);
    a_pair_that_plays_leaves_room_for_others(&Toy::new(|queue| {
        in_a_row.set((in_a_row.get() + 1) % 4);
        if in_a_row.get() == 0 { queue.pop_front() } else { queue.pop_back() }
    }));

    runtimes().into_iter().for_each(|runtime| a_pair_that_plays_leaves_room_for_others(&Ours(runtime)));
}

// R35 ------------------------------------------------------------------------------------------------------------------

/// A socket that has something to read, and a task that only gives way.
fn a_socket_is_served_beside_one_who_only_yields(executor: &dyn Executor, socket: Boxed) {
    let done = Arc::new(AtomicBool::new(false));
    let yields = Box::pin(async {
        loop {
            runtime::yield_now().await;
        }
    });
    executor.run(vec![yields, noted(socket, &done)], &|| done.load(Ordering::Acquire));
    assert!(done.load(Ordering::Acquire), "the socket was never served");
}

/// R35, tokio #5209, #5223, #5251, #7835, #7879 and #8222: who yields is polled again before the driver had its turn.
#[test]
fn a_driver_that_waits_until_all_is_idle() {
    /// The toy's driver: it wakes whoever waits for the socket, when it is turned.
    #[derive(Clone, Default)]
    struct Driver(Arc<Mutex<(bool, Option<Waker>)>>);

    impl Driver {
        fn turn(&self) {
            let waker = {
                let mut state = self.0.lock().unwrap();
                state.0 = true;
                state.1.take()
            };
            waker.into_iter().for_each(Waker::wake);
        }

        fn socket(&self) -> Boxed {
            let driver = self.clone();
            Box::pin(poll_fn(move |context| {
                let mut state = driver.0.lock().unwrap();
                if state.0 {
                    return Poll::Ready(());
                }
                state.1 = Some(context.waker().clone());
                Poll::Pending
            }))
        }
    }

    let first_in_first_out = |queue: &mut VecDeque<_>| queue.pop_front();
    let driver = Driver::default();
    must_fail("never served", || {
        a_socket_is_served_beside_one_who_only_yields(&Toy::new(first_in_first_out), driver.socket());
    });
    // The socket and the driver hold each other.
    driver.turn();

    let driver = Driver::default();
    let socket = driver.socket();
    let turned_now_and_then = Toy::new(first_in_first_out).turning(61, move || driver.turn());
    a_socket_is_served_beside_one_who_only_yields(&turned_now_and_then, socket);

    for runtime in runtimes() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = AsyncFd::new(ours);
        let socket = Box::pin(async move {
            let mut byte = [0];
            let mut read = Box::pin(ours.read_with(|mut io| io.read(&mut byte)));
            assert!(futures_lite::future::poll_once(&mut read).await.is_none());
            (&theirs).write_all(b"x").unwrap();
            read.await.unwrap();
        });
        a_socket_is_served_beside_one_who_only_yields(&Ours(runtime), socket);
    }
}

// R33, R34 -------------------------------------------------------------------------------------------------------------

/// A task wakes another, and then holds its thread until that one has run.
fn a_woken_task_runs_although_its_waker_blocks(executor: &dyn Executor, patience: Duration) {
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let (give, ran) = mpsc::channel();
    let stored = waker.clone();
    let mut waited = false;
    let woken = poll_fn(move |context| {
        if mem::replace(&mut waited, true) {
            let _ = give.send(());
            return Poll::Ready(());
        }
        *stored.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    });
    let [done, in_time] = [0; 2].map(|_| Arc::new(AtomicBool::new(false)));
    let noted_in_time = in_time.clone();
    let blocks = noted(
        async move {
            let other = loop {
                if let Some(waker) = waker.lock().unwrap().take() {
                    break waker;
                }
                runtime::yield_now().await;
            };
            other.wake();
            noted_in_time.store(ran.recv_timeout(patience).is_ok(), Ordering::Release);
        },
        &done,
    );
    executor.run(vec![Box::pin(woken), blocks], &|| done.load(Ordering::Acquire));
    assert!(in_time.load(Ordering::Acquire), "stuck behind the one who woke it");
}

/// A task holds its thread (the first one, if it shall be that, and before the other begins to wait) until a timer has ticked for
/// another task.
fn a_timer_ticks_although_a_worker_is_stuck(executor: &dyn Executor, tick: Boxed, on_first: bool, patience: Duration) {
    let first = thread::current().id();
    let (give, ticked) = mpsc::channel();
    let [done, in_time, stuck] = [0; 3].map(|_| Arc::new(AtomicBool::new(false)));
    let (noted_in_time, noted_stuck) = (in_time.clone(), stuck.clone());
    let ticks = Box::pin(async move {
        while on_first && !stuck.load(Ordering::Acquire) {
            runtime::yield_now().await;
        }
        tick.await;
        let _ = give.send(());
    });
    let blocks = noted(
        async move {
            while on_first && thread::current().id() != first {
                runtime::yield_now().await;
            }
            noted_stuck.store(true, Ordering::Release);
            noted_in_time.store(ticked.recv_timeout(patience).is_ok(), Ordering::Release);
        },
        &done,
    );
    executor.run(vec![ticks, blocks], &|| done.load(Ordering::Acquire));
    assert!(in_time.load(Ordering::Acquire), "nobody turns the timers");
}

#[derive(Clone, Copy, PartialEq)]
enum Mistake {
    None,
    SlotIsNotStolen,
    DriverStaysWithItsWorker,
}

/// Two workers: each has a slot for the task that it woke last, both share a queue and a driver.
struct TwoWorkers(Arc<Shared>);

struct Shared {
    mistake: Mistake,
    state: Mutex<Queues>,
    changed: Condvar,
}

#[derive(Default)]
struct Queues {
    slots: [Option<Arc<Task>>; 2],
    shared: VecDeque<Arc<Task>>,
    /// The driver: who is to be woken when it is turned.
    timers: Vec<Waker>,
    over: bool,
}

struct Task {
    future: Mutex<Option<Boxed>>,
    scheduled: AtomicBool,
    workers: Arc<Shared>,
}

thread_local! {
    /// Which of the two workers this thread is.
    static WORKER: Cell<usize> = const { Cell::new(0) };
    /// The task that it runs.
    static RUNNING: Cell<*const Task> = const { Cell::new(std::ptr::null()) };
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut queues = self.workers.state.lock().unwrap();
        // Who wakes itself goes to the back; whom it wakes comes next.
        let to_the_back = match RUNNING.get() == Arc::as_ptr(&self) {
            true => Some(self.clone()),
            false => queues.slots[WORKER.get()].replace(self.clone()),
        };
        queues.shared.extend(to_the_back);
        self.workers.changed.notify_all();
    }
}

impl TwoWorkers {
    fn new(mistake: Mistake) -> Self {
        Self(Arc::new(Shared { mistake, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Ready when the driver was turned after its first poll.
    fn tick(&self) -> Boxed {
        let (workers, mut waits) = (self.0.clone(), false);
        Box::pin(poll_fn(move |context| {
            if mem::replace(&mut waits, true) {
                return Poll::Ready(());
            }
            workers.state.lock().unwrap().timers.push(context.waker().clone());
            Poll::Pending
        }))
    }
}

impl Shared {
    fn next(&self, worker: usize) -> Option<Arc<Task>> {
        let mut queues = self.state.lock().unwrap();
        let next = queues.slots[worker].take().or_else(|| queues.shared.pop_front());
        if self.mistake == Mistake::SlotIsNotStolen { next } else { next.or_else(|| queues.slots[1 - worker].take()) }
    }

    fn serve(&self, worker: usize, done: &dyn Fn() -> bool) {
        WORKER.set(worker);
        while !done() {
            if let Some(task) = self.next(worker) {
                task.scheduled.store(false, Ordering::Release);
                let waker = Waker::from(task.clone());
                let mut future = task.future.lock().unwrap();
                RUNNING.set(Arc::as_ptr(&task));
                let mut context = Context::from_waker(&waker);
                if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut context).is_ready()) {
                    *future = None;
                }
                RUNNING.set(std::ptr::null());
                continue;
            }
            let mut queues = self.state.lock().unwrap();
            // Idle: turn the driver, if it is ours to turn.
            if self.mistake != Mistake::DriverStaysWithItsWorker || worker == 0 {
                let timers = mem::take(&mut queues.timers);
                drop(queues);
                timers.into_iter().for_each(Waker::wake);
                queues = self.state.lock().unwrap();
            }
            drop(self.changed.wait_timeout(queues, Duration::from_millis(1)).unwrap());
        }
    }
}

impl Executor for TwoWorkers {
    fn run(&self, tasks: Vec<Boxed>, done: &dyn Fn() -> bool) {
        for task in tasks {
            let scheduled = AtomicBool::new(true);
            let task = Arc::new(Task { future: Mutex::new(Some(task)), scheduled, workers: self.0.clone() });
            self.0.state.lock().unwrap().shared.push_back(task);
        }
        thread::scope(|scope| {
            scope.spawn(|| self.0.serve(1, &|| self.0.state.lock().unwrap().over));
            self.0.serve(0, done);
            self.0.state.lock().unwrap().over = true;
        });
        // Tasks that are left hold the queue that holds them.
        let left = mem::take(&mut *self.0.state.lock().unwrap());
        drop(left);
    }
}

/// How long to wait before a twin is believed to hang.
const IMPATIENCE: Duration = Duration::from_millis(100);

/// R33, tokio #4941: the slot for the next task cannot be stolen, and its owner is stuck. (#8065: a slot that can be stolen must
/// not make others get up for it each time; the figures of the benchmarks show that.)
#[test]
fn a_next_task_slot_that_nobody_can_steal() {
    must_fail("stuck behind the one who woke it", || {
        a_woken_task_runs_although_its_waker_blocks(&TwoWorkers::new(Mistake::SlotIsNotStolen), IMPATIENCE);
    });
    a_woken_task_runs_although_its_waker_blocks(&TwoWorkers::new(Mistake::None), PATIENCE);
    for runtime in runtimes_with_several_workers() {
        a_woken_task_runs_although_its_waker_blocks(&Ours(runtime), PATIENCE);
    }
}

/// R34, tokio #4730, #6315, #8010 and #8342: the worker that has the driver is stuck in a task, and nobody turns the driver.
#[test]
fn a_driver_that_is_stuck_with_its_worker() {
    let twin = TwoWorkers::new(Mistake::DriverStaysWithItsWorker);
    must_fail("nobody turns the timers", || {
        a_timer_ticks_although_a_worker_is_stuck(&twin, twin.tick(), true, IMPATIENCE);
    });
    let right = TwoWorkers::new(Mistake::None);
    a_timer_ticks_although_a_worker_is_stuck(&right, right.tick(), true, PATIENCE);

    for runtime in runtimes_with_several_workers() {
        let ours = Ours(runtime);
        for _ in 0..20 {
            let tick = Box::pin(sleep(Duration::from_millis(1)));
            a_timer_ticks_although_a_worker_is_stuck(&ours, tick, false, PATIENCE);
        }
    }
}
