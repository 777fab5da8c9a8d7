//! Stage 18: the executor of stage 9, run by several threads.
//!
//! One queue, and a lock around it. The thread that calls `block_on_workers` is worker 0; it alone polls the main future, which need
//! not be `Send`. The tasks are everybody's.

// ANCHOR: imports
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: imports

// ANCHOR: task
type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    id: u64,
    stage: Mutex<Stage>,
    executor: Arc<Executor>,
}

/// Where a task stands. The future is in here, or in the hands of the one worker that has taken it out: never with two.
enum Stage {
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
        self.executor.clone().push(Turn::Task(self));
    }
}

impl Task {
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().expect("nothing that can panic runs under this lock")
    }

    fn run(self: Arc<Self>) {
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
                self.executor.lock().tasks.remove(&self.id);
                let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
            }
            (true, Stage::Woken) => {
                *stage = Stage::Queued(future);
                drop(stage);
                self.executor.clone().push(Turn::Task(self));
            }
            (true, _) => *stage = Stage::Waiting(future),
        }
    }

    /// The end of a task that nobody polls.
    fn cancel(&self) {
        let stage = mem::replace(&mut *self.lock(), Stage::Over);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(stage)));
    }
}
// ANCHOR_END: task

// ANCHOR: executor
/// What the workers and all wakers share.
#[derive(Default)]
struct Executor {
    state: Mutex<State>,
    told: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Turn>,
    /// Every task that is not over, so that none is left behind.
    tasks: BTreeMap<u64, Arc<Task>>,
    spawned: u64,
    /// Who is to be woken when, the earliest first. Equal deadlines are told apart by a number.
    timers: BTreeMap<(Instant, u64), Waker>,
    armed: u64,
    /// The main future is ready: the workers are to go.
    closed: bool,
}

/// Whose turn it is.
enum Turn {
    /// The main future's. In the queue at most once, and for worker 0 alone.
    Main,
    Task(Arc<Task>),
}

impl State {
    /// The first in line that this worker may run.
    fn take(&mut self, worker: usize) -> Option<Turn> {
        let for_all = |turn: &Turn| worker == 0 || matches!(turn, Turn::Task(_));
        // The first, or the second: the main future stands in line once.
        let place = self.queue.iter().position(for_all)?;
        self.queue.remove(place)
    }
}

impl Executor {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing that can panic runs under this lock")
    }

    fn push(&self, turn: Turn) {
        let for_one = matches!(turn, Turn::Main);
        self.lock().queue.push_back(turn);
        // A task is for any worker. The main future is for one of them, and the one that notify_one picks may be another.
        if for_one { self.told.notify_all() } else { self.told.notify_one() }
    }

    // ANCHOR: next
    /// Sleeps until there is something for this worker, or until a deadline has passed. `None`: it is over.
    fn next(&self, worker: usize) -> Option<Turn> {
        loop {
            self.fire(Instant::now());
            let mut state = self.lock();
            if state.closed {
                return None;
            }
            if let Some(turn) = state.take(worker) {
                return Some(turn);
            }
            let nearest = state.timers.first_key_value().map(|(&(deadline, _), _)| deadline);
            match nearest {
                None => drop(self.told.wait(state).unwrap()),
                Some(deadline) => {
                    let time = deadline.saturating_duration_since(Instant::now());
                    drop(self.told.wait_timeout(state, time).unwrap());
                }
            }
        }
    }
    // ANCHOR_END: next

    /// Wakes everybody whose deadline has passed. No waker is called under the lock.
    fn fire(&self, now: Instant) {
        let mut state = self.lock();
        let later = state.timers.split_off(&(now, u64::MAX));
        let due = mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }
}

/// Wakes the main future.
struct Main {
    queued: AtomicBool,
    executor: Arc<Executor>,
}

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.executor.push(Turn::Main);
        }
    }
}
// ANCHOR_END: executor

thread_local! {
    /// The executor that this thread works for.
    static CURRENT: RefCell<Option<Arc<Executor>>> = const { RefCell::new(None) };
}

// ANCHOR: block_on
/// Runs a future to its end on this thread, and meanwhile, on this and `workers - 1` other threads, the tasks that are spawned.
/// Those that are not over then are dropped.
pub fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
    let executor = Arc::new(Executor::default());
    let mut entered = Entered::new(executor.clone());
    for worker in 1..workers {
        let executor = executor.clone();
        entered.threads.push(thread::spawn(move || {
            CURRENT.set(Some(executor.clone()));
            while let Some(Turn::Task(task)) = executor.next(worker) {
                task.run();
            }
        }));
    }
    let mut future = pin!(future);
    let main = Arc::new(Main { queued: AtomicBool::new(true), executor: executor.clone() });
    let waker = Waker::from(main.clone());
    executor.push(Turn::Main);
    loop {
        match executor.next(0).expect("only the end of this function closes it") {
            Turn::Task(task) => task.run(),
            Turn::Main => {
                main.queued.swap(false, Ordering::AcqRel);
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
            }
        }
    }
}
// ANCHOR_END: block_on

// ANCHOR: is_current
/// Whether the calling thread works for one.
pub fn is_current() -> bool {
    CURRENT.with_borrow(Option::is_some)
}
// ANCHOR_END: is_current

/// As [`block_on_workers`], with the thread that calls it alone.
pub fn block_on<F: Future>(future: F) -> F::Output {
    block_on_workers(1, future)
}

// ANCHOR: entered
/// While it lives, its executor is the current one of its thread. Its end is the end of all workers, and then of all tasks.
struct Entered {
    executor: Arc<Executor>,
    before: Option<Arc<Executor>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Entered {
    fn new(executor: Arc<Executor>) -> Self {
        let before = CURRENT.replace(Some(executor.clone()));
        Entered { executor, before, threads: Vec::new() }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.executor.lock().closed = true;
        self.executor.told.notify_all();
        // Each ends its present poll first. From here on nobody polls a task.
        self.threads.drain(..).for_each(|thread| thread.join().expect("a worker catches what its tasks throw"));
        // A task that is dropped may spawn another: until there are none.
        loop {
            let mut state = self.executor.lock();
            let left = (mem::take(&mut state.tasks), mem::take(&mut state.queue));
            drop(state);
            if left.0.is_empty() {
                break;
            }
            left.0.values().for_each(|task| task.cancel());
        }
        CURRENT.set(self.before.take());
    }
}
// ANCHOR_END: entered

// ANCHOR: spawn
/// Makes a task of the `block_on_workers` that this thread works for. It may be polled by one worker now and by another one later:
/// hence `Send`.
///
/// # Panics
/// Outside of one.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let executor = CURRENT.with_borrow(Clone::clone).expect("spawn is called by a task or inside block_on_workers");
    let stage = Mutex::new(Stage::Queued(Box::pin(future)));
    let mut state = executor.lock();
    state.spawned += 1;
    let id = state.spawned;
    let task = Arc::new(Task { id, stage, executor: executor.clone() });
    state.tasks.insert(id, task.clone());
    drop(state);
    executor.push(Turn::Task(task));
}

/// Lets every other task that can run have a turn.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
// ANCHOR_END: spawn

// ANCHOR: sleep
/// Ready when its deadline has passed. From [`sleep`].
pub struct Sleep {
    /// `None`: never.
    deadline: Option<Instant>,
    executor: Arc<Executor>,
    /// Its key among the timers, while it is armed.
    key: Option<(Instant, u64)>,
}

/// Ready when so much time has passed since the call. To be called by a task or inside [`block_on_workers`].
///
/// # Panics
/// Outside of one.
pub fn sleep(time: Duration) -> Sleep {
    let executor = CURRENT.with_borrow(Clone::clone).expect("sleep is called by a task or inside block_on_workers");
    Sleep { deadline: Instant::now().checked_add(time), executor, key: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let executor = self.executor.clone();
        let mut state = executor.lock();
        let key = *self.key.get_or_insert_with(|| {
            state.armed += 1;
            (deadline, state.armed)
        });
        // At each poll: the one who polls now is the one who waits.
        let stale = state.timers.insert(key, waker);
        let is_nearest = state.timers.first_key_value().is_some_and(|(nearest, _)| *nearest == key);
        drop(state);
        drop(stale);
        if is_nearest {
            // This worker may be busy when the time comes. One who sleeps until a later one must sleep shorter.
            executor.told.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.executor.lock().timers.remove(&key);
            drop(waker);
        }
    }
}

/// The output of `future`, or `None` if it takes longer than that, counted from this call; then it is dropped.
pub fn timeout<F: Future>(time: Duration, future: F) -> impl Future<Output = Option<F::Output>> {
    // Not in the block: what stands there runs at the first poll, and not before.
    let mut sleep = sleep(time);
    async move {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            Pin::new(&mut sleep).poll(context).map(|()| None)
        })
        .await
    }
}
// ANCHOR_END: sleep
