//! A runtime reached from anywhere, and found again by the threads that belong to it.

use crate::{
    blocking::BlockingStats,
    current::{self, Slot},
    debug::{Dump, Metrics, Summary},
    random,
    task::{Birth, JoinHandle},
    time::sleep,
    trace::{Recorder, Trace},
    worker::{Here, Home},
};
use std::{cell::RefCell, fmt, future::Future, panic::Location, sync::Arc, time::Duration};

/// Reaches a runtime from anywhere. Cheap to clone.
///
/// ```
/// let runtime = runtime::Runtime::new().unwrap();
/// let handle = runtime.handle().clone();
/// let thread = std::thread::spawn(move || handle.spawn(async { "from another thread" }));
/// let task = thread.join().unwrap();
/// assert_eq!(runtime.block_on(task).unwrap(), "from another thread");
/// ```
#[derive(Clone)]
pub struct Handle {
    pub(super) home: Arc<Home>,
}

thread_local! {
    /// Of threads that work for a runtime and are no workers of it: the blocking ones.
    static CURRENT: Slot<Handle> = const { RefCell::new(None) };
}

impl Handle {
    /// The runtime that the current thread belongs to: as its worker, or as one of its blocking threads.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// use runtime::Handle;
    /// runtime::block_on(async {
    ///     let handle = Handle::current();
    ///     let thread = std::thread::spawn(move || handle.spawn(async { 3 }));
    ///     assert_eq!(thread.join().unwrap().await.unwrap(), 3);
    /// });
    /// ```
    #[track_caller]
    pub fn current() -> Handle {
        Self::try_current().expect("not inside a runtime: call this from a future that `block_on` runs")
    }

    /// The runtime that the current thread belongs to, if it does.
    ///
    /// ```
    /// use runtime::Handle;
    /// assert!(Handle::try_current().is_none());
    /// runtime::block_on(async { assert!(Handle::try_current().is_some()) });
    /// ```
    pub fn try_current() -> Option<Handle> {
        Here::current().map(|here| Handle { home: here.home().clone() }).or_else(|| current::get(&CURRENT))
    }

    /// Spawns a task, from any thread. On a runtime that has ended, the task is cancelled at once: its future is dropped here,
    /// and its handle gives [`JoinError::Cancelled`](crate::JoinError::Cancelled).
    ///
    /// ```
    /// let runtime = runtime::Runtime::new().unwrap();
    /// let handle = runtime.handle().clone();
    /// assert_eq!(runtime.block_on(handle.spawn(async { 2 })).unwrap(), 2);
    /// drop(runtime);
    /// assert!(handle.spawn(async { 2 }).is_finished()); // cancelled
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.home.spawn(None, Location::caller(), future)
    }

    /// As [`spawn_blocking`](crate::spawn_blocking), from any thread. On a runtime that has ended, the job is cancelled at once: it is dropped here,
    /// and its handle gives [`JoinError::Cancelled`](crate::JoinError::Cancelled).
    ///
    /// ```
    /// let runtime = runtime::Runtime::new().unwrap();
    /// let sum = runtime.handle().spawn_blocking(|| (1..=100u64).sum::<u64>());
    /// assert_eq!(runtime.block_on(sum).unwrap(), 5050);
    /// ```
    #[track_caller]
    pub fn spawn_blocking<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.spawn_job(None, Location::caller(), job)
    }

    pub(super) fn spawn_job<T: Send + 'static>(
        &self,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        if self.home.shared.simulation.is_some() {
            return self.spawn_simulated_job(name, place, job);
        }
        let id = Here::current().map_or_else(|| self.home.shared.next_id(), |here| here.next_id());
        self.home.shared.pool.spawn(Birth { id, name, place }, job)
    }

    /// In a simulated runtime there are no threads: a job takes some time, and then happens all at once, as a task does.
    fn spawn_simulated_job<T: Send + 'static>(
        &self,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let takes = Duration::from_nanos(random::below(LONGEST_SIMULATED_JOB.as_nanos() as u64));
        let name = name.unwrap_or_else(|| Box::new("blocking job".into()));
        self.home.spawn(Some(name), place, async move {
            sleep(takes).await;
            job()
        })
    }

    /// What the blocking threads do now, and how many jobs wait for one.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let stats = runtime::Handle::current().blocking_stats();
    ///     assert_eq!((stats.threads, stats.queued, stats.most), (0, 0, 64));
    /// });
    /// ```
    pub fn blocking_stats(&self) -> BlockingStats {
        self.home.shared.pool.stats()
    }

    /// What happened so far; empty unless the runtime was built with [`Builder::trace`](crate::Builder::trace).
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// let so_far = runtime.block_on(async {
    ///     runtime::yield_now().await;
    ///     runtime::Handle::current().trace()
    /// });
    /// assert!(so_far.events().len() < runtime.trace().events().len());
    /// ```
    pub fn trace(&self) -> Trace {
        self.home.shared.recorder().map(Recorder::snapshot).unwrap_or_default()
    }

    /// The tasks that live, and what they wait for.
    ///
    /// Without [debug](crate::Builder::debug) these are the tasks that have waited once, with number, name, place and state;
    /// and debug adds all others, the main future among them, what each waits for and who has that, and what it has cost. No
    /// task is polled or stopped for it: on several workers it is a look at a moving thing.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     drop(runtime::task::Builder::new().name("waits").spawn(std::future::pending::<()>()));
    ///     runtime::yield_now().await;
    ///     let dump = runtime::Handle::current().tasks();
    ///     assert_eq!(dump.tasks()[0].name.as_deref(), Some("waits"));
    ///     assert_eq!(dump.tasks()[0].state, runtime::TaskState::Idle);
    /// });
    /// ```
    pub fn tasks(&self) -> Dump {
        self.home.shared.tasks()
    }

    /// What has run so far: counts, costs by name or place, and the latest that ended. A task that was joined is in it. Empty
    /// without [debug](crate::Builder::debug) or [profile](crate::Builder::profile).
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async {
    ///     runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap();
    ///     let summary = runtime::Handle::current().summary();
    ///     assert_eq!(summary.counts().to_string(), "Total 1, Completed 1");
    ///     print!("{summary}");
    /// });
    /// ```
    pub fn summary(&self) -> Summary {
        self.home.shared.summary()
    }

    /// How much of everything: tasks, polls, steals, lengths of queues.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().workers(2).build().unwrap();
    /// runtime.block_on(async {
    ///     let tasks = (0..10).map(|_| runtime::spawn(runtime::yield_now()));
    ///     runtime::future::join_all(tasks).await;
    /// });
    /// let metrics = runtime.handle().metrics();
    /// assert_eq!((metrics.spawned, metrics.completed, metrics.workers.len()), (10, 10, 2));
    /// ```
    pub fn metrics(&self) -> Metrics {
        self.home.shared.metrics()
    }

    /// Makes this the runtime of the current thread, which is no worker.
    pub(super) fn enter(&self) -> impl Drop + use<> {
        Entered { _handle: current::enter(&CURRENT, self.clone()), _rest: self.home.shared.enter_from_outside() }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// The current thread's slots; they are put back by the fields.
struct Entered<T> {
    _handle: current::Entered<Handle>,
    _rest: T,
}

impl<T> Drop for Entered<T> {
    fn drop(&mut self) {}
}

const LONGEST_SIMULATED_JOB: Duration = Duration::from_millis(2);
