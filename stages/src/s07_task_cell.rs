//! Stage 7: the executor of stage 6, whose tasks know in one word where they stand.
//!
//! The flag of stage 6 says that a task is in the queue. It does not say that the task is being polled, or that it is over. This word does:
//!
//! ```text
//!          wake: push it            start                  ready
//!   Idle ────────────────> Scheduled ─────> Running ────────────────> Complete
//!    ^                         ^            │  │ wake                    ^
//!    └──────── pending ────────┼────────────┘  v                  ready  │
//!                              └─ pending ── Woken ──────────────────────┘
//! ```

// ANCHOR: imports
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};
// ANCHOR_END: imports

// ANCHOR: word
/// A poll is due.
const SCHEDULED: u8 = 1;
/// A poll is under way.
const RUNNING: u8 = 1 << 1;
/// There will be no more polls.
const COMPLETE: u8 = 1 << 2;

/// Where a task stands. Each transition is one read-modify-write: so all of them stand in one order, and each sees what was written
/// before those that stand before it.
pub struct Word(AtomicU8);

impl Word {
    /// A new task is in the queue.
    #[expect(clippy::new_without_default, reason = "there is nothing empty about it")]
    pub fn new() -> Word {
        Word(AtomicU8::new(SCHEDULED))
    }

    /// `true`: it was idle, and whoever woke it must put it into the queue.
    pub fn wake(&self) -> bool {
        self.0.fetch_or(SCHEDULED, Ordering::AcqRel) == 0
    }

    /// It was taken from the queue: a poll begins.
    pub fn start(&self) {
        let before = self.0.swap(RUNNING, Ordering::AcqRel);
        assert_eq!(before, SCHEDULED, "only what is scheduled, and nothing else, is in the queue");
    }

    /// The poll is over, and the future was not ready. `true`: woken meanwhile, and whoever polled it must put it into the queue.
    pub fn suspend(&self) -> bool {
        self.0.fetch_and(!RUNNING, Ordering::AcqRel) & SCHEDULED != 0
    }

    /// The future is gone.
    pub fn complete(&self) {
        self.0.swap(COMPLETE, Ordering::AcqRel);
    }

    /// What it is called, for those who look.
    pub fn name(&self) -> &'static str {
        match self.0.load(Ordering::Acquire) {
            0 => "Idle",
            SCHEDULED => "Scheduled",
            RUNNING => "Running",
            word if word & COMPLETE == 0 => "Woken",
            _ => "Complete",
        }
    }
}
// ANCHOR_END: word

// ANCHOR: task
struct Task {
    id: u64,
    word: Word,
    /// Gone when it is over. Only whoever runs the task looks in here, so this lock is always free.
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    executor: Arc<Executor>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.word.wake() {
            self.executor.clone().push(Turn::Task(self));
        }
    }
}

impl Task {
    fn run(self: Arc<Self>) {
        self.word.start();
        let mut future = self.take().expect("a task that can run has its future");
        let waker = Waker::from(self.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.future.lock().unwrap() = Some(future);
            if self.word.suspend() {
                self.executor.clone().push(Turn::Task(self));
            }
        } else {
            // Before it is complete: whoever sees that it is may rely on it that the future is gone.
            drop(future);
            self.word.complete();
            self.executor.lock().tasks.remove(&self.id);
        }
    }

    /// The executor has ended before it.
    fn end(&self) {
        drop(self.take());
        self.word.complete();
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
            left.0.values().for_each(|task| task.end());
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
    let task = Arc::new(Task { id, word: Word::new(), future, executor: executor.clone() });
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An executor that is over is freed, although somebody wakes one of its tasks later.
    #[test]
    fn a_wake_after_the_end_keeps_nothing() {
        let mut kept = None;
        let executor = block_on(async {
            let (sender, receiver) = std::sync::mpsc::channel();
            spawn(poll_fn(move |context| {
                sender.send(context.waker().clone()).unwrap();
                Poll::Pending
            }));
            yield_now().await;
            kept = receiver.recv().ok();
            CURRENT.with_borrow(|executor| Arc::downgrade(executor.as_ref().unwrap()))
        });
        kept.expect("it was polled").wake();
        assert!(executor.upgrade().is_none(), "the task is in the queue of its executor, and each holds the other");
    }
}
