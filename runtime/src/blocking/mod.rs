//! Threads for work that cannot be made ready: a file, a name to look up, a long computation.
//!
//! ```text
//!   spawn_blocking ──> queue ──> a thread of the pool runs the job ──> its handle is woken
//!                        │
//!                        └── is somebody coming for it? ([`crew`] says who, and calls one thread at most)
//! ```
//!
//! A job is a task like any other: its queue is this pool's, and its one poll is the whole job. So its handle, its panics and
//! its cancellation are the task cell's, written once.
//!
//! - A job that waits in the queue has a thread coming: one was called, or one watches, or every thread that there may be is
//!   at work and looks when it comes back. If no thread can be started and there is none, the job is cancelled.
//! - Threads come one after the other: whoever takes a job and leaves others behind calls the next.
//! - At most `most` threads; one that finds nothing to do for `idle` ends.
//! - No lock is held while a job runs or is dropped. A thread is started under the lock, so that each is known from its first
//!   instant: whoever shuts the pool down waits for it, or reports it.

mod crew;
#[cfg(all(test, runtime_loom))]
mod loom_models;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

use crate::{
    std_or_loom::{Mutex, MutexGuard, thread},
    task::{self, Birth, JoinHandle, Ran, Schedule, Task},
};
use crew::{Came, Crew};
use std::{
    any::Any,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, LazyLock, OnceLock},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// How long all threads may be stuck, each in one job, until there is one more than the machine has cores.
const PATIENCE: Duration = Duration::from_millis(1);

/// What the blocking threads of a runtime do, at one moment. From [`Handle::blocking_stats`](crate::Handle::blocking_stats).
///
/// ```
/// let runtime = runtime::Runtime::builder().blocking_threads(8).build().unwrap();
/// runtime.block_on(async { runtime::spawn_blocking(|| ()).await.unwrap() });
/// let stats = runtime.handle().blocking_stats();
/// assert_eq!((stats.queued, stats.most), (0, 8));
/// assert!(stats.running <= stats.threads);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockingStats {
    /// Jobs that wait for a thread. One that was aborted counts until a thread comes past it.
    pub queued: usize,
    /// Threads that run a job.
    pub running: usize,
    /// Threads that there are; those that do not run a job wait for one.
    pub threads: usize,
    /// How many threads there may be.
    pub most: usize,
}

// ANCHOR: job
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
// ANCHOR_END: job

/// The scheduler of a job: it has nothing to do. (So a job holds no pool, and the pool's count of references is not passed
/// back and forth between the cores with each job.)
struct BornScheduled;

impl Schedule for BornScheduled {
    fn schedule(&self, _: Task) {
        unreachable!("a job is scheduled at its birth, and its first poll is its last");
    }
}

/// What a pool is made of.
pub(crate) struct Settings {
    /// How many threads there may be.
    pub(crate) most: usize,
    /// How long a thread waits for another job before it ends.
    pub(crate) idle: Duration,
    /// Under a virtual clock, what gets the worker up: it may wait for the last job to come back.
    pub(crate) nudge: Option<Waker>,
}

/// Starts a thread that lives the given life.
type Start = Box<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<thread::JoinHandle<()>> + Send + Sync>;

/// Makes a new thread of the pool one of the runtime's, until what it returns is dropped.
type Enter = Box<dyn Fn() -> Box<dyn Any> + Send + Sync>;

/// The threads of one runtime.
pub(crate) struct Pool {
    crew: Mutex<Crew>,
    settings: Settings,
    start: Start,
    enter: OnceLock<Enter>,
}

impl Pool {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        static CORES: LazyLock<usize> =
            LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
        Self::with(settings, *CORES, Box::new(|life| thread::start("blocking", life)))
    }

    /// `at_once` threads take jobs without hesitation; `start` starts one.
    fn with(settings: Settings, at_once: usize, start: Start) -> Arc<Self> {
        let crew = Mutex::new(Crew::new(at_once));
        Arc::new(Self { crew, settings, start, enter: OnceLock::new() })
    }

    /// What each thread does first. Said once, before the first job.
    pub(crate) fn enter_with(&self, enter: impl Fn() -> Box<dyn Any> + Send + Sync + 'static) {
        let first = self.enter.set(Box::new(enter));
        debug_assert!(first.is_ok(), "said twice");
    }

    /// Runs `job` on a thread of the pool. On a pool that was shut down, the job is dropped here, and its handle told.
    pub(crate) fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        birth: Birth,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let (task, handle) = task::new(birth, BornScheduled, Job(Some(job)));
        let mut crew = self.lock();
        if self.settings.nudge.is_some() {
            crew.outstanding += 1;
        }
        if crew.closed {
            drop(crew);
            self.cancel(task);
        } else {
            crew.queue.push_back(task);
            self.call_next(crew);
        }
        handle
    }

    pub(crate) fn stats(&self) -> BlockingStats {
        let crew = self.lock();
        BlockingStats {
            queued: crew.queue.len(),
            running: crew.running(),
            threads: crew.threads(),
            most: self.settings.most,
        }
    }

    /// Is any job not back yet? If none is, everybody who waited for one has been woken. Only known under a virtual clock.
    pub(crate) fn is_busy(&self) -> bool {
        self.lock().outstanding > 0
    }

    /// Cancels what is queued, waits for what runs, and returns the jobs that run on after `longest`. Their threads end with
    /// them. A job that shuts its own pool down does not wait for itself, and is among those.
    #[must_use = "the jobs that are left must be reported"]
    pub(crate) fn shut_down(&self, longest: Duration) -> Vec<Birth> {
        // Beyond the end of the clock: for ever.
        let deadline = Instant::now().checked_add(longest);
        let mut crew = self.lock();
        crew.closed = true;
        let queued = std::mem::take(&mut crew.queue);
        let idle = crew.call_all();
        drop(crew);
        idle.into_iter().for_each(|thread| thread.unpark());
        queued.into_iter().for_each(|task| self.cancel(task));

        let mut crew = self.lock();
        while crew.others_than(thread::current().id()) > 0 {
            let rest = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if rest.is_zero() {
                break;
            }
            crew.waits_for_the_end = Some(thread::current());
            drop(crew);
            thread::park_timeout(rest);
            crew = self.lock();
        }
        crew.waits_for_the_end = None;
        let left = crew.jobs();
        let ended = crew.last_to_end.take();
        drop(crew);
        // It is past its last job, and so is the one before it, for which it waits.
        ended.into_iter().for_each(|thread| drop(thread.join()));
        left
    }

    fn lock(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().unwrap()
    }

    /// Sees to it that somebody comes for the first job in the queue, if there is one.
    fn call_next(self: &Arc<Self>, mut crew: MutexGuard<'_, Crew>) {
        if crew.is_somebody_coming() {
            return;
        }
        if let Some(thread) = crew.call_idle() {
            drop(crew);
            return thread.unpark();
        }
        // If all are at work, each looks when it comes back.
        if crew.may_grow(self.settings.most)
            && let Err(error) = self.start_thread(&mut crew)
            && crew.threads() == 0
        {
            let stranded = std::mem::take(&mut crew.queue);
            drop(crew);
            eprintln!("runtime: cannot start a blocking thread ({error}): {} jobs are cancelled", stranded.len());
            stranded.into_iter().for_each(|task| self.cancel(task));
        }
    }

    fn start_thread(self: &Arc<Self>, crew: &mut Crew) -> io::Result<()> {
        let pool = self.clone();
        let seat = crew.next_seat();
        let thread = (self.start)(Box::new(move || pool.live(seat)))?;
        crew.seat_called(thread);
        Ok(())
    }

    /// The life of a thread.
    fn live(self: &Arc<Self>, seat: usize) {
        let entered = self.enter.get().map(|enter| enter());
        let mut came = Came::Called;
        let mut crew = self.lock();
        crew.arrive_first();
        loop {
            if let Some(task) = crew.take_job(seat, came) {
                self.call_next(crew);
                self.finish(task);
                crew = self.lock();
                crew.put_job_back(seat);
                came = Came::Back;
            } else if crew.closed || (came == Came::Tired && crew.queue.is_empty()) {
                break;
            } else {
                (crew, came) = self.wait(crew, seat);
            }
        }
        // Under the lock under which it found nothing to do: a job that comes after this does not count on it.
        let before = crew.leave(seat);
        drop(crew);
        drop(entered);
        // Each thread waits for the one that ended before it, so that there is only one to wait for in the end.
        before.into_iter().for_each(|thread| drop(thread.join()));
    }

    /// Waits to be called: for a short time, if a job is queued that others may come back for; else until it is tired.
    fn wait<'pool>(&'pool self, mut crew: MutexGuard<'pool, Crew>, seat: usize) -> (MutexGuard<'pool, Crew>, Came) {
        let returned = crew.returned;
        let watches = crew.sit_down(seat);
        let longest = if watches { crew.patience(PATIENCE) } else { self.settings.idle };
        loop {
            drop(crew);
            let time_is_up = thread::park_timeout(longest);
            crew = self.lock();
            // Asked before the time: whoever was called must come, even if it got up by itself.
            if !crew.is_seated(seat) {
                crew.arrive();
                return (crew, Came::Called);
            }
            if time_is_up {
                crew.get_up(seat);
                let came = match watches {
                    false => Came::Tired,
                    true if crew.returned == returned => Came::Impatient,
                    true => Came::Called,
                };
                return (crew, came);
            }
        }
    }

    /// Runs a job, and reports it back: after its handle was woken, lest a virtual clock jump in between.
    fn finish(&self, task: Task) {
        match task.run() {
            Ran::Done(..) => {}
            Ran::Idle | Ran::Again(_) => unreachable!("a job is ready at its first poll"),
        }
        if let Some(nudge) = &self.settings.nudge {
            self.lock().outstanding -= 1;
            nudge.wake_by_ref();
        }
    }

    /// Ends a job that did not start: its closure is dropped, its handle told.
    fn cancel(&self, task: Task) {
        task.abort();
        self.finish(task);
    }
}
