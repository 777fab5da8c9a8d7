//! Threads for work that cannot be made ready: a file, a name to look up, a long computation.
//!
//! A job is a task like any other, with another scheduler: its queue is this pool's, and its one poll is the whole job. So
//! its handle, its panics and its cancellation are the task cell's, written once.
//!
//! - A queued job has a thread coming: one was woken for it, or started, or all are busy and will look.
//! - At most `most` threads; one that finds nothing to do for `idle` ends.

use crate::{
    runtime::Handle,
    task::{self, Birth, JoinHandle, Ran, Schedule, Task},
};
use std::{
    collections::VecDeque,
    future::Future,
    io,
    panic::Location,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    task::{Context, Poll},
    thread,
    time::Duration,
};

/// Runs `job` on a thread where it may block, and gives its result.
///
/// Aborting the handle (or ending the runtime) cancels a job that has not started; one that runs cannot be stopped.
///
/// # Panics
/// Outside a runtime.
///
/// ```
/// runtime::block_on(async {
///     let length = runtime::spawn_blocking(|| std::fs::metadata("/").map(|data| data.len())).await;
///     assert!(length.unwrap().is_ok());
/// });
/// ```
#[track_caller]
pub fn spawn_blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let handle = Handle::current();
    let birth = Birth { id: handle.shared.next_id(), name: None, place: Location::caller() };
    let (task, join) = task::new(birth, OnPool(handle.clone()), Job(Some(job)));
    handle.shared.job_left();
    handle.pool.submit(&handle, task);
    join
}

/// The whole job as one poll.
struct Job<F>(Option<F>);

impl<F> Unpin for Job<F> {}

impl<F: FnOnce() -> T, T> Future for Job<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let job = self.0.take().expect("a job is polled once");
        Poll::Ready(job())
    }
}

/// The pool as a scheduler.
struct OnPool(Handle);

impl Schedule for OnPool {
    fn schedule(&self, task: Task) {
        // The task holds this handle, and may be gone as soon as it is queued.
        let handle = self.0.clone();
        handle.pool.submit(&handle, task);
    }
}

/// The threads of one runtime.
pub(crate) struct Pool {
    state: Mutex<State>,
    /// A job was queued, or the pool is closed.
    work: Condvar,
    /// A thread ended.
    ended: Condvar,
    most: usize,
    idle: Duration,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Task>,
    threads: usize,
    /// Threads that wait for work.
    waiting: usize,
    /// To wait for a thread's very end. Those of threads that ended are cleared away when the next one starts.
    handles: Vec<thread::JoinHandle<()>>,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(most: usize, idle: Duration) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), work: Condvar::new(), ended: Condvar::new(), most, idle })
    }

    fn submit(self: &Arc<Self>, handle: &Handle, task: Task) {
        let mut state = self.state.lock().unwrap();
        if state.closed {
            drop(state);
            return cancel(task, handle);
        }
        state.queue.push_back(task);
        // A waiting thread was woken for each job before this one, even if it has not come yet.
        if state.queue.len() <= state.waiting {
            self.work.notify_one();
        } else if state.threads < self.most {
            state.threads += 1;
            drop(state);
            self.start_thread(handle);
        }
    }

    fn start_thread(self: &Arc<Self>, handle: &Handle) {
        let (pool, its_handle) = (self.clone(), handle.clone());
        let started = thread::Builder::new().name("blocking".into()).spawn(move || pool.serve(&its_handle));
        let mut state = self.state.lock().unwrap();
        match started {
            Ok(thread) => {
                state.handles.retain(|thread| !thread.is_finished());
                state.handles.push(thread);
            }
            Err(error) => self.no_thread(state, &error, handle),
        }
    }

    /// Other threads will come to the job. If there are none, nobody would.
    fn no_thread(&self, mut state: MutexGuard<'_, State>, error: &io::Error, handle: &Handle) {
        state.threads -= 1;
        let stranded = if state.threads == 0 { std::mem::take(&mut state.queue) } else { VecDeque::new() };
        drop(state);
        if !stranded.is_empty() {
            eprintln!("runtime: cannot start a blocking thread ({error}): {} jobs are cancelled", stranded.len());
        }
        stranded.into_iter().for_each(|task| cancel(task, handle));
    }

    /// The life of a thread.
    fn serve(&self, handle: &Handle) {
        let _entered = handle.enter();
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(task) = state.queue.pop_front() {
                drop(state);
                finish(task, handle);
                state = self.state.lock().unwrap();
            } else if state.closed {
                break;
            } else {
                state.waiting += 1;
                let (awake, timeout) = self
                    .work
                    .wait_timeout_while(state, self.idle, |state| state.queue.is_empty() && !state.closed)
                    .unwrap();
                state = awake;
                state.waiting -= 1;
                if timeout.timed_out() {
                    break;
                }
            }
        }
        state.threads -= 1;
        drop(state);
        self.ended.notify_all();
    }

    /// Cancels what is queued, and waits for what runs.
    pub(crate) fn shut_down(&self, handle: &Handle, longest: Duration) {
        let queued = {
            let mut state = self.state.lock().unwrap();
            state.closed = true;
            std::mem::take(&mut state.queue)
        };
        self.work.notify_all();
        queued.into_iter().for_each(|task| cancel(task, handle));
        let state = self.state.lock().unwrap();
        let (mut state, _) = self.ended.wait_timeout_while(state, longest, |state| state.threads > 0).unwrap();
        if state.threads == 0 {
            let handles = std::mem::take(&mut state.handles);
            drop(state);
            // Each is past its last job, and returns without another wait.
            handles.into_iter().for_each(|thread| drop(thread.join()));
        }
    }
}

/// Runs a job, and reports it back: after its handle was woken, lest a virtual clock jump in between.
fn finish(task: Task, handle: &Handle) {
    match task.run() {
        Ran::Done(_) => handle.shared.job_returned(),
        Ran::Idle | Ran::Again(_) => unreachable!("a job is ready at its first poll"),
    }
}

/// Ends a job that did not start: its closure is dropped, its handle told.
fn cancel(task: Task, handle: &Handle) {
    task.abort();
    finish(task, handle);
}
