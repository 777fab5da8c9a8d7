//! Stage 9: the executor of stage 6 sleeps exactly until the nearest deadline.
//!
//! A task is a future in a cell, and the cell is its own waker: to wake it is to put it into the queue, once. The main future
//! waits in the same queue for its turn.

// ANCHOR: imports
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};
// ANCHOR_END: imports

// ANCHOR: task
struct Task {
    id: u64,
    /// Gone when it is over. Nobody but the executor's thread looks in here, so this lock is always free.
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    /// It is in the queue, once.
    queued: AtomicBool,
    executor: Arc<Executor>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.executor.clone().push(Turn::Task(self));
        }
    }
}

impl Task {
    fn run(self: Arc<Self>) {
        // Before the poll: a wake that comes during the poll must queue the task again.
        self.queued.swap(false, Ordering::AcqRel);
        // Over: from here on it counts as queued, so that no waker queues it any more.
        let Some(mut future) = self.take() else { return self.queued.store(true, Ordering::Release) };
        let waker = Waker::from(self.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.future.lock().unwrap() = Some(future);
        } else {
            self.queued.store(true, Ordering::Release);
            self.executor.lock().tasks.remove(&self.id);
        }
    }

    fn take(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.future.lock().unwrap().take()
    }
}
// ANCHOR_END: task

// ANCHOR: executor
/// What the thread and all wakers share.
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
}

/// Whose turn it is.
enum Turn {
    Main,
    Task(Arc<Task>),
}

impl Executor {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing that can panic runs under this lock")
    }

    fn push(&self, turn: Turn) {
        self.lock().queue.push_back(turn);
        self.told.notify_one();
    }

    // ANCHOR: next
    /// Sleeps until it is somebody's turn, or until a deadline has passed.
    fn next(&self) -> Turn {
        loop {
            self.fire(Instant::now());
            let mut state = self.lock();
            if let Some(turn) = state.queue.pop_front() {
                return turn;
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

    /// Wakes everybody whose deadline has passed. No waker is called under the lock.
    fn fire(&self, now: Instant) {
        let mut state = self.lock();
        let later = state.timers.split_off(&(now, u64::MAX));
        let due = mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }
    // ANCHOR_END: next
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
    /// The executor of the `block_on` that runs on this thread.
    static CURRENT: RefCell<Option<Arc<Executor>>> = const { RefCell::new(None) };
}

// ANCHOR: block_on
/// Runs a future to its end on this thread, and meanwhile the tasks that are spawned. Those that are not over then are dropped.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let executor = Arc::new(Executor::default());
    let _entered = Entered::new(executor.clone());
    let mut future = pin!(future);
    let main = Arc::new(Main { queued: AtomicBool::new(true), executor: executor.clone() });
    let waker = Waker::from(main.clone());
    executor.push(Turn::Main);
    loop {
        match executor.next() {
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

/// While it lives, its executor is the current one of its thread. Its end is the end of all tasks.
struct Entered {
    executor: Arc<Executor>,
    before: Option<Arc<Executor>>,
}

impl Entered {
    fn new(executor: Arc<Executor>) -> Self {
        let before = CURRENT.replace(Some(executor.clone()));
        Entered { executor, before }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // A task that is dropped may spawn another: until there are none.
        loop {
            let mut state = self.executor.lock();
            let left = (mem::take(&mut state.tasks), mem::take(&mut state.queue));
            drop(state);
            if left.0.is_empty() {
                break;
            }
            // The future, not only the task: a future that keeps its own waker keeps its task.
            for task in left.0.values() {
                // A waker that comes later finds it queued, and leaves the queue of this executor empty.
                task.queued.store(true, Ordering::Release);
                drop(task.take());
            }
        }
        CURRENT.set(self.before.take());
    }
}

// ANCHOR: spawn
/// Makes a task of the `block_on` that runs on this thread.
///
/// # Panics
/// Outside of one.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let executor = CURRENT.with_borrow(Clone::clone).expect("spawn is called inside block_on");
    let future = Mutex::new(Some(Box::pin(future) as _));
    let mut state = executor.lock();
    state.spawned += 1;
    let id = state.spawned;
    let task = Arc::new(Task { id, future, queued: AtomicBool::new(true), executor: executor.clone() });
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

/// Ready when so much time has passed since the call. To be called inside [`block_on`].
///
/// # Panics
/// Outside of one.
pub fn sleep(time: Duration) -> Sleep {
    let executor = CURRENT.with_borrow(Clone::clone).expect("sleep is called inside block_on");
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
        let nearest = state.timers.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(state);
        drop(stale);
        if nearest {
            // Armed by another thread, perhaps, while this one sleeps until a later deadline.
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
