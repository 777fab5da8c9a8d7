//! Threads for work that cannot be made ready: a file, a name to look up, a long computation.
//!
//! A job is a task like any other, with another scheduler: its queue is this pool's, and its one poll is the whole job. So
//! its handle, its panics and its cancellation are the task cell's, written once.
//!
//! - A queued job has a thread coming: one was woken for it, or started, or all are busy and will look.
//! - At most `most` threads; one that finds nothing to do for `idle` ends.

use crate::task::{self, Birth, JoinHandle, Ran, Schedule, Task};
use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

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

impl Schedule for Arc<Pool> {
    fn schedule(&self, task: Task) {
        // The task holds this pool, and may be gone as soon as it is queued.
        let pool = self.clone();
        pool.submit(task);
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
    /// Gets the worker up: it may wait for the last job to come back.
    nudge: Waker,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Task>,
    /// Jobs that are queued, that run, or whose handles have not been told yet.
    outstanding: usize,
    threads: usize,
    /// Threads that wait for work.
    waiting: usize,
    /// To wait for a thread's very end. Those of threads that ended are cleared away when the next one starts.
    handles: Vec<thread::JoinHandle<()>>,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(most: usize, idle: Duration, nudge: Waker) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), work: Condvar::new(), ended: Condvar::new(), most, idle, nudge })
    }

    /// Runs `job` on a thread of the pool.
    pub(crate) fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        birth: Birth,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let (task, handle) = task::new(birth, self.clone(), Job(Some(job)));
        self.state.lock().unwrap().outstanding += 1;
        self.submit(task);
        handle
    }

    /// Is any job not back yet? If none is, everybody who waited for one has been woken.
    pub(crate) fn is_busy(&self) -> bool {
        self.state.lock().unwrap().outstanding > 0
    }

    fn submit(self: &Arc<Self>, task: Task) {
        let mut state = self.state.lock().unwrap();
        if state.closed {
            drop(state);
            return self.cancel(task);
        }
        state.queue.push_back(task);
        // A waiting thread was woken for each job before this one, even if it has not come yet.
        if state.queue.len() <= state.waiting {
            self.work.notify_one();
        } else if state.threads < self.most {
            state.threads += 1;
            drop(state);
            self.start_thread();
        }
    }

    fn start_thread(self: &Arc<Self>) {
        let pool = self.clone();
        let started = thread::Builder::new().name("blocking".into()).spawn(move || pool.serve());
        let mut state = self.state.lock().unwrap();
        match started {
            Ok(thread) => {
                state.handles.retain(|thread| !thread.is_finished());
                state.handles.push(thread);
            }
            Err(error) => self.no_thread(state, &error),
        }
    }

    /// Other threads will come to the job. If there are none, nobody would.
    fn no_thread(&self, mut state: MutexGuard<'_, State>, error: &io::Error) {
        state.threads -= 1;
        let stranded = if state.threads == 0 { std::mem::take(&mut state.queue) } else { VecDeque::new() };
        drop(state);
        if !stranded.is_empty() {
            eprintln!("runtime: cannot start a blocking thread ({error}): {} jobs are cancelled", stranded.len());
        }
        stranded.into_iter().for_each(|task| self.cancel(task));
    }

    /// The life of a thread.
    fn serve(&self) {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(task) = state.queue.pop_front() {
                drop(state);
                self.finish(task);
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
    pub(crate) fn shut_down(&self, longest: Duration) {
        let queued = {
            let mut state = self.state.lock().unwrap();
            state.closed = true;
            std::mem::take(&mut state.queue)
        };
        self.work.notify_all();
        queued.into_iter().for_each(|task| self.cancel(task));
        let state = self.state.lock().unwrap();
        let (mut state, _) = self.ended.wait_timeout_while(state, longest, |state| state.threads > 0).unwrap();
        if state.threads == 0 {
            let handles = std::mem::take(&mut state.handles);
            drop(state);
            // Each is past its last job, and returns without another wait.
            handles.into_iter().for_each(|thread| drop(thread.join()));
        }
    }

    /// Runs a job, and reports it back: after its handle was woken, lest a virtual clock jump in between.
    fn finish(&self, task: Task) {
        match task.run() {
            Ran::Done(..) => {}
            Ran::Idle | Ran::Again(_) => unreachable!("a job is ready at its first poll"),
        }
        self.state.lock().unwrap().outstanding -= 1;
        self.nudge.wake_by_ref();
    }

    /// Ends a job that did not start: its closure is dropped, its handle told.
    fn cancel(&self, task: Task) {
        task.abort();
        self.finish(task);
    }
}
