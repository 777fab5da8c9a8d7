//! A task, first version: a mutex around an enum.
//!
//! ```text
//!              wake                 run
//!   Idle ─────────────> Scheduled ──────> Running ──ready──> Complete
//!    ^ ^                    ^               │ │
//!    │ └──────── pending ───┼───────────────┘ │ wake
//!    │                      │                 v
//!    │                      └─── pending ─── Running, woken ──ready──> Complete
//! ```
//!
//! - Each state **owns** what it may touch. While it runs, the future is on the runner's stack and not in the cell: so no lock
//!   is held while it is polled, and nobody else can poll it.
//! - `Scheduled` means: in the queue, once. A wake changes the state first, and pushes only if the change says so.
//! - Nothing of others runs under the lock: no poll, no waker's `wake` or `drop`, no drop of a future or an output. Each leaves
//!   the lock as a value, and is used up outside.
//! - A panic of the future, of its drop or of its output's is contained here.
//!
//! What the real cell does better: one allocation instead of two, and one atomic instruction where this takes a lock. What it
//! does is the same.

use std::{
    any::Any,
    collections::VecDeque,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Wake, Waker},
};

/// Tasks that can run, first in, first out.
#[derive(Clone, Default)]
pub struct Queue(Arc<Mutex<VecDeque<Arc<dyn Run>>>>);

/// Why a task has no output.
#[derive(Debug)]
pub enum JoinError {
    /// It was aborted.
    Cancelled,
    /// It panicked, with this.
    Panicked(Box<dyn Any + Send>),
}

// ANCHOR: state
enum State<F: Future> {
    /// It waits. Only its wakers, and its handle, can reach it.
    Idle(Pin<Box<F>>),
    /// It is in the queue, once.
    Scheduled(Pin<Box<F>>),
    /// The future is with whoever polls it. Woken meanwhile, it must be queued again.
    Running { woken: bool },
    /// The future is gone. The output waits for the handle, until it is taken.
    Complete(Option<Result<F::Output, JoinError>>),
}

struct Task<F: Future> {
    state: State<F>,
    /// The next run drops the future instead of polling it.
    aborted: bool,
    handle: Handle,
}

/// The one who waits for the output.
enum Handle {
    Alive(Option<Waker>),
    Gone,
}

struct Cell<F: Future> {
    task: Mutex<Task<F>>,
    queue: Queue,
}
// ANCHOR_END: state

impl Queue {
    /// Makes a task, and queues it.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let state = State::Scheduled(Box::pin(future));
        let task = Mutex::new(Task { state, aborted: false, handle: Handle::Alive(None) });
        let cell = Arc::new(Cell { task, queue: self.clone() });
        self.push(cell.clone());
        JoinHandle(cell)
    }

    /// Runs one task, once. `false`: there was none.
    pub fn run_one(&self) -> bool {
        let Some(task) = self.pop() else { return false };
        task.run();
        true
    }

    /// How many tasks are queued.
    pub fn queued(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// How many cells there are that were spawned here: each holds its queue.
    pub fn cells(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }

    fn push(&self, task: Arc<dyn Run>) {
        self.0.lock().unwrap().push_back(task);
    }

    /// In a function of its own: in a `match` or an `if let` the lock would be held as long as the body runs.
    fn pop(&self) -> Option<Arc<dyn Run>> {
        self.0.lock().unwrap().pop_front()
    }
}

/// A task of whatever type, as the queue holds it.
trait Run: Send + Sync {
    fn run(self: Arc<Self>);
}

/// A task with an output of type `T`, as its handle holds it.
trait Join<T>: Send + Sync {
    fn poll_output(&self, context: &mut Context<'_>) -> Poll<Result<T, JoinError>>;
    fn detach(&self);
    fn abort(self: Arc<Self>);
    fn is_finished(&self) -> bool;
}

impl<F: Future> Cell<F> {
    fn lock(&self) -> MutexGuard<'_, Task<F>> {
        self.task.lock().expect("nothing that can panic runs under this lock")
    }
}

// ANCHOR: run
impl<F: Future<Output: Send> + Send + 'static> Run for Cell<F> {
    fn run(self: Arc<Self>) {
        let (mut future, aborted) = {
            let mut task = self.lock();
            match mem::replace(&mut task.state, State::Running { woken: false }) {
                State::Scheduled(future) => (future, task.aborted),
                _ => unreachable!("only what is scheduled is in the queue"),
            }
        };
        if aborted {
            return self.complete(future, Err(JoinError::Cancelled));
        }
        let waker = Waker::from(self.clone());
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker)))) {
            Ok(Poll::Pending) => self.suspend(future),
            Ok(Poll::Ready(output)) => self.complete(future, Ok(output)),
            Err(payload) => self.complete(future, Err(JoinError::Panicked(payload))),
        }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Cell<F> {
    /// The poll ended, and the future was not ready.
    fn suspend(self: Arc<Self>, future: Pin<Box<F>>) {
        let mut task = self.lock();
        let woken = matches!(task.state, State::Running { woken: true });
        task.state = if woken { State::Scheduled(future) } else { State::Idle(future) };
        drop(task);
        if woken {
            self.queue.push(self.clone());
        }
    }

    /// The end: the future goes first, then the output comes, then the handle is told.
    fn complete(&self, future: Pin<Box<F>>, mut output: Result<F::Output, JoinError>) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
            let never_seen = mem::replace(&mut output, Err(JoinError::Panicked(payload)));
            contain(|| drop(never_seen));
        }
        let mut task = self.lock();
        let handle = mem::replace(&mut task.handle, Handle::Gone);
        let unwanted = match handle {
            Handle::Alive(_) => {
                task.state = State::Complete(Some(output));
                task.handle = Handle::Alive(None);
                None
            }
            Handle::Gone => {
                task.state = State::Complete(None);
                Some(output)
            }
        };
        drop(task);
        contain(|| drop(unwanted));
        if let Handle::Alive(Some(waker)) = handle {
            contain(|| waker.wake());
        }
    }
}
// ANCHOR_END: run

// ANCHOR: wake
impl<F: Future<Output: Send> + Send + 'static> Wake for Cell<F> {
    fn wake(self: Arc<Self>) {
        let mut task = self.lock();
        match mem::replace(&mut task.state, State::Running { woken: true }) {
            State::Idle(future) => {
                task.state = State::Scheduled(future);
                drop(task);
                self.queue.push(self.clone());
            }
            // Whoever polls it sees this when the poll ends.
            State::Running { .. } => {}
            // It is in the queue already, or there is nothing left to run.
            unchanged @ (State::Scheduled(_) | State::Complete(_)) => task.state = unchanged,
        }
    }
}
// ANCHOR_END: wake

// ANCHOR: join
impl<F: Future<Output: Send> + Send + 'static> Join<F::Output> for Cell<F> {
    fn poll_output(&self, context: &mut Context<'_>) -> Poll<Result<F::Output, JoinError>> {
        // Cloned before the lock, and the old one dropped after it: a waker is anybody's code.
        let fresh = context.waker().clone();
        let mut task = self.lock();
        if let State::Complete(output) = &mut task.state {
            return Poll::Ready(output.take().expect("a JoinHandle was polled after it had given its output"));
        }
        let stale = mem::replace(&mut task.handle, Handle::Alive(Some(fresh)));
        drop(task);
        drop(stale);
        Poll::Pending
    }

    fn detach(&self) {
        let mut task = self.lock();
        // The waker goes too: two tasks that await each other would keep each other alive through theirs.
        let waker = mem::replace(&mut task.handle, Handle::Gone);
        let unwanted = if let State::Complete(output) = &mut task.state { output.take() } else { None };
        drop(task);
        drop(waker);
        contain(|| drop(unwanted));
    }

    /// Only asks: the future is dropped where it would have been polled, by the thread that runs the queue.
    fn abort(self: Arc<Self>) {
        self.lock().aborted = true;
        self.wake();
    }

    fn is_finished(&self) -> bool {
        matches!(self.lock().state, State::Complete(_))
    }
}
// ANCHOR_END: join

/// Waits for the output of a task. Dropping it detaches the task: it runs on, and nobody hears of its output.
pub struct JoinHandle<T>(Arc<dyn Join<T>>);

impl<T> JoinHandle<T> {
    /// Asks the task to end, at its next suspension. One that is over is left alone.
    pub fn abort(&self) {
        self.0.clone().abort();
    }

    /// What aborts the task, to be kept elsewhere.
    pub fn abort_handle(&self) -> impl Fn() + Send + use<T>
    where
        T: 'static,
    {
        let task = self.0.clone();
        move || task.clone().abort()
    }

    /// Is the task over, its future dropped?
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_output(context)
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        self.0.detach();
    }
}

/// Runs foreign code that must not unwind into ours.
fn contain(foreign: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(foreign)) {
        // A payload may panic in its own drop.
        mem::forget(catch_unwind(AssertUnwindSafe(|| drop(payload))));
    }
}
