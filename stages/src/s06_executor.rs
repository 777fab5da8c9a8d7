//! Stage 6: a queue and a loop.
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
        let Some(mut future) = self.take() else { return };
        let waker = Waker::from(self.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.future.lock().unwrap() = Some(future);
        } else {
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
    /// Sleeps until it is somebody's turn.
    fn next(&self) -> Turn {
        let mut state = self.lock();
        loop {
            match state.queue.pop_front() {
                Some(turn) => return turn,
                None => state = self.told.wait(state).unwrap(),
            }
        }
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

// ANCHOR: run
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
            left.0.values().for_each(|task| drop(task.take()));
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
// ANCHOR_END: run
