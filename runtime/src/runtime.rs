//! The front door: make a runtime, run a future on it, spawn tasks.

use crate::{
    blocking::{self, BlockingStats, Pool},
    current::{self, Slot},
    network::{Conditions, Network},
    random::{self, Generator, Pick},
    reactor::Backend,
    task::{self, Birth, JoinHandle, TaskId},
    time::{Clock, sleep},
    trace::{Recorder, Trace},
    worker::{self, Here, Home, Left, Simulation},
};
use std::{
    cell::RefCell,
    ffi::OsStr,
    fmt,
    future::Future,
    io,
    panic::Location,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A runtime: one worker or several, each a thread with its own queue, reactor and timers.
///
/// The first worker is whichever thread calls [`block_on`](Runtime::block_on); [`Builder::workers`] adds others, on threads of
/// their own. Dropping it is [`shutdown`](Runtime::shutdown) with the patience of [`Builder::shutdown_time`]; what did not end
/// is named on the error output.
///
/// ```
/// let runtime = runtime::Runtime::new().unwrap();
/// assert_eq!(runtime.block_on(async { 1 + 1 }), 2);
/// ```
pub struct Runtime {
    /// A thread is in `block_on`: it is worker 0.
    has_first_worker: AtomicBool,
    handle: Handle,
    /// Where to write the trace at the end of each `block_on`.
    trace_files: Vec<PathBuf>,
    /// `None`: it was shut down.
    shutdown_time: Option<Duration>,
}

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
    home: Arc<Home>,
}

thread_local! {
    /// Of threads that work for a runtime and are no workers of it: the blocking ones.
    static CURRENT: Slot<Handle> = const { RefCell::new(None) };
    static RUNNING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `future` on a runtime of its own; cancels the tasks that are left when it is ready.
///
/// # Panics
/// When the system refuses what a runtime needs (a descriptor for epoll and one for waking); inside another `block_on`; and
/// with whatever `future` panics with.
///
/// ```
/// assert_eq!(runtime::block_on(async { "ready" }), "ready");
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap_or_else(|error| panic!("cannot make a runtime: {error}")).block_on(future)
}

/// Spawns `future` as a task of the current runtime. It starts to run when the current task next gives way; where there are
/// several workers, another one may start it at once.
///
/// # Panics
/// Outside a runtime.
///
/// ```
/// runtime::block_on(async {
///     let task = runtime::spawn(async { 3 });
///     assert_eq!(task.await.unwrap(), 3);
/// });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_named(None, Location::caller(), future)
}

#[track_caller]
fn spawn_named<F>(name: Option<Box<Arc<str>>>, place: &'static Location<'static>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Here::current() {
        Some(here) => here.spawn(name, place, future),
        None => Handle::current().home.spawn(name, place, future),
    }
}

/// Spawns a future that need not be `Send`. The task stays on this thread: it is polled, and dropped, here.
///
/// # Panics
/// Where no worker is: outside a runtime, and on a blocking thread.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// runtime::block_on(async {
///     let count = Rc::new(Cell::new(0));
///     let counting = count.clone();
///     runtime::spawn_local(async move { counting.set(1) }).await.unwrap();
///     assert_eq!(count.get(), 1);
/// });
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_named(None, Location::caller(), future)
}

#[track_caller]
fn spawn_local_named<F>(
    name: Option<Box<Arc<str>>>,
    place: &'static Location<'static>,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let here = Here::current().expect("no worker here: a local task must be spawned by the worker that is to run it");
    here.spawn_local(name, place, future)
}

/// Runs `job` on a thread where it may block, and gives its result.
///
/// Aborting the handle (or ending the runtime) cancels a job that has not started; one that runs cannot be stopped.
///
/// Jobs start in the order in which they came. As many run at once as the machine has cores; if all of them are stuck for a
/// millisecond, more threads come, up to [`Builder::blocking_threads`].
///
/// Under a virtual clock, time stands still while a job is out. A job that waits for a [`sleep`](crate::time::sleep) would wait
/// for ever: there, the sleep panics. A simulated runtime has no threads: the job waits for up to two milliseconds of its
/// time, and then happens all at once.
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
    Handle::current().spawn_blocking(job)
}

const LONGEST_SIMULATED_JOB: Duration = Duration::from_millis(2);

impl task::Builder {
    /// Spawns the task on the current runtime.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// use runtime::task::Builder;
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { Builder::new().name("greet").spawn(async {}).await.unwrap() });
    /// assert!(runtime.trace().to_string().contains(r#""greet" by main"#));
    /// ```
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_named(self.into_name(), Location::caller(), future)
    }

    /// Spawns a task that stays on this thread: see [`spawn_local`].
    ///
    /// # Panics
    /// Where no worker is.
    ///
    /// ```
    /// use std::rc::Rc;
    /// runtime::block_on(async {
    ///     let shared = Rc::new(5);
    ///     let task = runtime::task::Builder::new().name("reader").spawn_local(async move { *shared });
    ///     assert_eq!(task.name(), Some("reader"));
    ///     assert_eq!(task.await.unwrap(), 5);
    /// });
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_local_named(self.into_name(), Location::caller(), future)
    }

    /// Runs `job` on a thread where it may block, as [`spawn_blocking`] does. The name tells which job it was that would not
    /// end, when the runtime is shut down.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let job = runtime::task::Builder::new().name("add up").spawn_blocking(|| (1..=4).sum::<u32>());
    ///     assert_eq!(job.name(), Some("add up"));
    ///     assert_eq!(job.await.unwrap(), 10);
    /// });
    /// ```
    #[track_caller]
    pub fn spawn_blocking<T: Send + 'static>(self, job: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        Handle::current().spawn_job(self.into_name(), Location::caller(), job)
    }
}

impl Runtime {
    /// A runtime with one worker, on the real clock, without a trace.
    ///
    /// # Errors
    /// When the system refuses the descriptors for epoll and for waking.
    ///
    /// ```
    /// let runtime = runtime::Runtime::new()?;
    /// let task = runtime.handle().spawn(async { 4 }); // it runs as soon as somebody runs the runtime
    /// assert_eq!(runtime.block_on(task).unwrap(), 4);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// A runtime in a world of its own, in which everything follows from `seed`: the same seed, the same run, and the same
    /// [`trace`](Runtime::trace) byte for byte. See [`world`](crate::world) for what there is in it.
    ///
    /// The environment has no say here: the seed is the one given. [`world::for_seeds`](crate::world::for_seeds) runs a test
    /// with many of them.
    ///
    /// ```
    /// use runtime::{Runtime, random};
    /// let roll = |seed| Runtime::simulated(seed).block_on(async { random::below(1_000_000) });
    /// assert_eq!(roll(1), roll(1));
    /// assert_ne!(roll(1), roll(2));
    /// ```
    pub fn simulated(seed: u64) -> Self {
        Self::builder().simulated(seed).build().expect("nothing is asked of the system")
    }

    /// A runtime with choices.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().workers(2).trace().build().unwrap();
    /// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
    /// assert!(!runtime.trace().events().is_empty());
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Runs `future` on this thread until it is ready, and every spawned task beside it; then cancels the tasks that are
    /// left. After it returns, none of them runs; jobs on blocking threads go on until they are done.
    ///
    /// A task that is stuck in a poll on another worker is waited for, for as long as [`Builder::shutdown_time`] says; then
    /// it is named on the error output, and cancelled when that poll returns.
    ///
    /// # Panics
    /// Inside another `block_on`, because waiting would stop the outer one; while another thread runs this runtime; and with
    /// whatever `future` panics with. Under a virtual clock also when nothing can ever happen again: the text lists who waits.
    ///
    /// ```
    /// let runtime = runtime::Runtime::new().unwrap();
    /// let left = runtime.block_on(async { runtime::spawn(std::future::pending::<()>()) });
    /// assert!(left.is_finished()); // cancelled
    /// assert!(runtime.block_on(left).unwrap_err().is_cancelled()); // it can be run again
    /// ```
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _running = Running::start();
        let first = FirstWorker::take(&self.has_first_worker);
        let output = worker::run(&self.handle.home.shared, future, self.shutdown_time.unwrap_or_default());
        drop(first);
        self.write_trace();
        output
    }

    /// Ends the runtime: cancels its tasks, drops their futures, ends its threads, and waits for all that for `patience`
    /// at most.
    ///
    /// The report names what did not end: tasks on a worker that is stuck in a poll, and jobs on blocking threads. They are left
    /// to themselves; a poll that does return finds its task cancelled.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().workers(2).build().unwrap();
    /// let task = runtime.handle().spawn(std::future::pending::<()>());
    /// let report = runtime.shutdown(Duration::from_secs(5));
    /// assert!(report.is_clean());
    /// assert!(task.is_finished());
    /// ```
    pub fn shutdown(mut self, patience: Duration) -> ShutdownReport {
        self.shutdown_time = None;
        self.end(patience)
    }

    fn end(&self, patience: Duration) -> ShutdownReport {
        let shared = &self.handle.home.shared;
        let since = std::time::Instant::now();
        let tasks = worker::end(shared, patience);
        let jobs = shared.pool.shut_down(patience.saturating_sub(since.elapsed()));
        ShutdownReport {
            tasks: tasks.iter().map(LeftTask::from).collect(),
            jobs: jobs.iter().map(LeftTask::from).collect(),
        }
    }

    /// Reaches this runtime from other threads.
    ///
    /// ```
    /// let runtime = runtime::Runtime::new().unwrap();
    /// let job = runtime.handle().spawn_blocking(|| "no worker is needed for this");
    /// assert!(runtime.block_on(job).is_ok());
    /// ```
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What happened so far; empty unless the runtime was built with [`Builder::trace`].
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().trace().build().unwrap();
    /// runtime.block_on(async { runtime::time::sleep(Duration::from_secs(2)).await });
    /// assert!(runtime.trace().to_string().contains("park     until 2000.000 ms"));
    /// ```
    pub fn trace(&self) -> Trace {
        self.handle.trace()
    }

    fn write_trace(&self) {
        if self.trace_files.is_empty() {
            return;
        }
        let trace = self.trace();
        for path in &self.trace_files {
            let text = match path.extension().and_then(OsStr::to_str) {
                Some("svg") => trace.timeline_svg(),
                Some("json") => trace.chrome_json(),
                _ => trace.to_string(),
            };
            if let Err(error) = std::fs::write(path, text) {
                eprintln!("runtime: RUNTIME_TRACE: cannot write {}: {error}", path.display());
            }
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(patience) = self.shutdown_time {
            let report = self.end(patience);
            if !report.is_clean() {
                eprint!("runtime: dropped, but not everything would end:\n{report}");
            }
        }
    }
}

/// What [`Runtime::shutdown`] could not end.
///
/// ```
/// use std::{sync::mpsc, time::Duration};
/// let runtime = runtime::Runtime::new().unwrap();
/// let ((started, has_started), (stop, told_to_stop)) = (mpsc::channel(), mpsc::channel::<()>());
/// let job = runtime.handle().spawn_blocking(move || {
///     started.send(()).unwrap();
///     told_to_stop.recv()
/// });
/// has_started.recv().unwrap();
/// let report = runtime.shutdown(Duration::from_millis(1));
/// assert_eq!(report.jobs[0].id, job.id());
/// assert!(report.to_string().ends_with("does not return\n"));
/// drop(stop);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Tasks that would not end, because their worker is stuck in a poll.
    pub tasks: Vec<LeftTask>,
    /// Jobs that still run on blocking threads.
    pub jobs: Vec<LeftTask>,
}

impl ShutdownReport {
    /// Did everything end?
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::new().unwrap();
    /// runtime.block_on(async { runtime::spawn_blocking(|| ()).await.unwrap() });
    /// let report = runtime.shutdown(Duration::from_secs(5));
    /// assert!(report.is_clean(), "{report}");
    /// ```
    pub fn is_clean(&self) -> bool {
        self.tasks.is_empty() && self.jobs.is_empty()
    }
}

/// One line for each thing that did not end; nothing if all did.
impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tasks.iter().chain(&self.jobs).try_for_each(|left| writeln!(f, "{left}"))
    }
}

/// A task, or a blocking job, that outlived its runtime's patience.
///
/// ```
/// use std::{sync::mpsc, time::Duration};
/// let runtime = runtime::Runtime::new().unwrap();
/// let ((started, has_started), (stop, told_to_stop)) = (mpsc::channel(), mpsc::channel::<()>());
/// runtime.block_on(async {
///     drop(runtime::task::Builder::new().name("add up").spawn_blocking(move || {
///         started.send(()).unwrap();
///         told_to_stop.recv()
///     }));
/// });
/// has_started.recv().unwrap();
/// let left = &runtime.shutdown(Duration::from_millis(1)).jobs[0];
/// assert!(left.stuck);
/// assert!(left.description.contains("add up"), "{left}");
/// drop(stop);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LeftTask {
    /// The task.
    pub id: TaskId,
    /// Does it run and not return? If not, it only waits for the worker on which another does.
    pub stuck: bool,
    /// Its number and, as far as they are known, its name and the line that spawned it.
    pub description: String,
}

impl From<&Left> for LeftTask {
    fn from(Left { id, stuck, task }: &Left) -> Self {
        let description = task.as_ref().map_or_else(|| id.to_string(), |task| format!("{task:?}"));
        Self { id: *id, stuck: *stuck, description }
    }
}

impl From<&Birth> for LeftTask {
    fn from(job: &Birth) -> Self {
        Self { id: job.id, stuck: true, description: job.to_string() }
    }
}

impl fmt::Display for LeftTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.stuck { "does not return" } else { "waits for its worker to cancel it" };
        write!(f, "{} {what}", self.description)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
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

    /// As [`spawn_blocking`], from any thread. On a runtime that has ended, the job is cancelled at once: it is dropped here,
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

    fn spawn_job<T: Send + 'static>(
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

    /// What happened so far; empty unless the runtime was built with [`Builder::trace`].
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

    /// Makes this the runtime of the current thread, which is no worker.
    fn enter(&self) -> impl Drop + use<> {
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

/// This thread is inside `block_on`.
struct Running;

impl Running {
    fn start() -> Self {
        assert!(
            Here::current().is_none() && !RUNNING.replace(true),
            "block_on inside block_on: it would stop the worker that runs the outer one. `.await` the future, or `spawn` it"
        );
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(false);
    }
}

/// This thread is the runtime's first worker; until the drop, also if the future panics.
struct FirstWorker<'runtime>(&'runtime AtomicBool);

impl<'runtime> FirstWorker<'runtime> {
    fn take(taken: &'runtime AtomicBool) -> Self {
        assert!(!taken.swap(true, Ordering::AcqRel), "this runtime is being run by another thread already");
        Self(taken)
    }
}

impl Drop for FirstWorker<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Chooses what a [`Runtime`] is made of.
///
/// ```
/// use std::time::Duration;
/// let builder = runtime::Runtime::builder().workers(2).blocking_threads(4).shutdown_time(Duration::from_secs(1));
/// let runtime = builder.build().unwrap();
/// let squares = runtime.block_on(async {
///     let tasks: Vec<_> = (1..4).map(|n| runtime::spawn(async move { n * n })).collect();
///     runtime::future::join_all(tasks).await
/// });
/// assert_eq!(squares.into_iter().map(Result::unwrap).sum::<u32>(), 14);
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    workers: usize,
    virtual_clock: bool,
    simulated: Option<u64>,
    conditions: Conditions,
    poller: Backend,
    timer_slack: Duration,
    trace: Option<usize>,
    blocking_threads: usize,
    blocking_idle: Duration,
    shutdown_time: Duration,
    slow_poll: Option<Duration>,
    /// `None`: as the environment says.
    debug: Option<bool>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: 1,
            virtual_clock: false,
            simulated: None,
            conditions: Conditions::default(),
            poller: Backend::default(),
            timer_slack: Duration::ZERO,
            trace: None,
            blocking_threads: 64,
            blocking_idle: Duration::from_secs(1),
            shutdown_time: Duration::from_secs(10),
            slow_poll: None,
            debug: None,
        }
    }
}

impl Builder {
    /// How many workers: one by default, which is the thread that calls `block_on`. Each worker more is a thread more.
    ///
    /// With several, tasks run at the same time, and go from one worker to another; and tasks spawned from outside run between
    /// two `block_on`s too. A virtual clock has but one worker: it must know that nothing runs.
    ///
    /// Between two `block_on`s the first worker is not there. What its reactor and its timers have to tell the tasks on other
    /// workers comes some milliseconds late then; what it would have to tell an executor that is not ours does not come.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().workers(2).build().unwrap();
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// runtime.handle().spawn(async move { sender.send("the second worker ran it") });
    /// assert_eq!(receiver.recv(), Ok("the second worker ran it")); // and nobody called `block_on`
    /// ```
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Time stands still while anything can run, and jumps to the next deadline when nothing can: waits cost nothing, and
    /// take exactly as long as they say.
    ///
    /// The outside world knows nothing of virtual time. Jobs on blocking threads are waited for; a source that somebody waits
    /// for gets ten real milliseconds before time jumps past it. Loopback sockets are quicker than that; other processes and
    /// other machines are not: use the real clock with them.
    ///
    /// ```
    /// use runtime::time::{Instant, sleep};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let (start, day) = (Instant::now(), Duration::from_secs(24 * 3600));
    ///     sleep(day).await;
    ///     assert_eq!(start.elapsed(), day); // and you have not waited
    /// });
    /// ```
    pub fn virtual_clock(mut self) -> Self {
        self.virtual_clock = true;
        self
    }

    /// Puts the runtime into a world of its own, in which everything follows from `seed`; see [`Runtime::simulated`]. Its clock
    /// is virtual, and nothing outside is waited for: no descriptor, no thread.
    ///
    /// ```
    /// let run = |seed| {
    ///     let runtime = runtime::Runtime::builder().simulated(seed).trace().build().unwrap();
    ///     runtime.block_on(async { runtime::spawn_blocking(|| ()).await.unwrap() });
    ///     runtime.trace().to_string()
    /// };
    /// assert_eq!(run(1), run(1));
    /// assert_ne!(run(1), run(2)); // a simulated job takes as long as the seed says
    /// ```
    pub fn simulated(mut self, seed: u64) -> Self {
        self.simulated = Some(seed);
        self
    }

    /// What the network of a [simulated](Builder::simulated) runtime is like.
    ///
    /// ```
    /// use runtime::{time::Instant, world::{Conditions, TcpStream}};
    /// use std::time::Duration;
    /// let far = Conditions::default().latency(Duration::from_secs(1)..Duration::from_secs(2));
    /// let runtime = runtime::Runtime::builder().simulated(1).conditions(far).build().unwrap();
    /// runtime.block_on(async {
    ///     let start = Instant::now();
    ///     assert!(TcpStream::connect(([10, 0, 0, 1], 80).into()).await.is_err()); // nobody listens
    ///     assert!(start.elapsed() >= Duration::from_secs(2)); // there and back
    /// });
    /// ```
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.conditions = conditions;
        self
    }

    /// How much later than its deadline a timer may fire, if its worker would have to get up for it; zero by default.
    ///
    /// Getting up costs some ten microseconds of processor time. With many timers and little else to do, a slack of a
    /// millisecond lets one getting up serve all that fall due in it. A virtual clock has no use for it.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().timer_slack(Duration::from_millis(1)).build().unwrap();
    /// runtime.block_on(runtime::time::sleep(Duration::from_millis(1)));
    /// ```
    pub fn timer_slack(mut self, slack: Duration) -> Self {
        self.timer_slack = slack;
        self
    }

    /// What the runtime asks the system through; [`Backend::Mio`] by default.
    ///
    /// ```
    /// use runtime::{Backend, Runtime};
    /// let runtime = Runtime::builder().poller(Backend::Mio).build().unwrap();
    /// assert_eq!(runtime.block_on(async { 2 }), 2);
    /// ```
    pub fn poller(mut self, backend: Backend) -> Self {
        self.poller = backend;
        self
    }

    /// Records what happens, for [`Runtime::trace`]: the latest 100,000 events.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
    /// print!("{}", runtime.trace());
    /// assert!(!runtime.trace().events().is_empty());
    /// ```
    pub fn trace(self) -> Self {
        self.trace_capacity(Recorder::DEFAULT_CAPACITY)
    }

    /// Records what happens: the latest `events` of it, at least one.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace_capacity(3).build().unwrap();
    /// runtime.block_on(async { runtime::yield_now().await });
    /// assert_eq!(runtime.trace().events().len(), 3);
    /// assert!(runtime.trace().lost() > 0);
    /// ```
    pub fn trace_capacity(mut self, events: usize) -> Self {
        self.trace = Some(events.max(1));
        self
    }

    /// How many threads [`spawn_blocking`](crate::spawn_blocking) may use at once: 64 by default, at least one. More jobs
    /// queue.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().blocking_threads(2).build().unwrap();
    /// let jobs: Vec<_> = (0..10).map(|number| runtime.handle().spawn_blocking(move || number)).collect();
    /// assert!(runtime.handle().blocking_stats().threads <= 2);
    /// assert_eq!(runtime.block_on(runtime::future::join_all(jobs)).len(), 10);
    /// ```
    pub fn blocking_threads(mut self, most: usize) -> Self {
        self.blocking_threads = most.max(1);
        self
    }

    /// How long a blocking thread waits for another job before it ends; a second by default.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().blocking_idle(Duration::from_millis(1)).build().unwrap();
    /// runtime.block_on(async { runtime::spawn_blocking(|| ()).await.unwrap() });
    /// while runtime.handle().blocking_stats().threads > 0 {
    ///     std::thread::yield_now(); // soon there is none
    /// }
    /// ```
    pub fn blocking_idle(mut self, idle: Duration) -> Self {
        self.blocking_idle = idle;
        self
    }

    /// How long dropping the runtime waits for what cannot be stopped: jobs that run on blocking threads, and polls that do
    /// not return on other workers (for these the end of a [`block_on`](Runtime::block_on) waits as long). Ten seconds by
    /// default. What runs on after that is left to itself.
    ///
    /// ```
    /// use std::{sync::mpsc, time::Duration};
    /// let runtime = runtime::Runtime::builder().shutdown_time(Duration::from_millis(1)).build().unwrap();
    /// let ((started, has_started), (stop, told_to_stop)) = (mpsc::channel(), mpsc::channel::<()>());
    /// let job = runtime.handle().spawn_blocking(move || {
    ///     started.send(()).unwrap();
    ///     told_to_stop.recv()
    /// });
    /// has_started.recv().unwrap();
    /// drop(runtime); // after a millisecond it says that the job does not return
    /// assert!(!job.is_finished());
    /// drop(stop);
    /// ```
    pub fn shutdown_time(mut self, longest: Duration) -> Self {
        self.shutdown_time = longest;
        self
    }

    /// Reports on standard error each poll that takes longer than `limit`: the task's number, its name, the line that spawned
    /// it, and how long it took. Such a task keeps its worker from everything else: it should
    /// [give way](crate::yield_now), or do its work with [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// Off by default, and then it costs a branch a poll. The time is real time, also under a virtual clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().slow_poll(Duration::from_millis(20)).build().unwrap();
    /// runtime.block_on(async { std::thread::sleep(Duration::from_millis(25)) });
    /// // runtime: slow poll: the main future was polled for 25.1 ms, and its worker did nothing else meanwhile
    /// ```
    pub fn slow_poll(mut self, limit: Duration) -> Self {
        self.slow_poll = Some(limit);
        self
    }

    /// Switches the runtime's warnings on or off, whatever the environment says. On: polls of more than 100 ms are reported
    /// as [`slow_poll`](Builder::slow_poll) says, unless that was given a limit of its own.
    ///
    /// Without this, the environment variable `RUNTIME_DEBUG` decides, for any program: set, and neither empty nor `0`, it
    /// switches them on.
    pub fn debug(mut self, on: bool) -> Self {
        self.debug = Some(on);
        self
    }

    /// Makes the runtime.
    ///
    /// The environment variable `RUNTIME_TRACE=FILE` switches the trace on for the runtime that the program's first thread
    /// builds, and has it written to that file at the end of each `block_on`: drawn if the name ends in `.svg`, for
    /// Chrome's trace viewer if it ends in `.json`, else as text. Several files are separated by colons.
    ///
    /// # Errors
    /// When there is to be no worker, more than one on a virtual clock, or more than 65,535; and when the system refuses a
    /// thread, or the descriptors for epoll and for waking.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// assert!(runtime::Runtime::builder().build().is_ok());
    /// let error = runtime::Runtime::builder().virtual_clock().workers(2).build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput);
    /// assert_eq!(error.to_string(), "a virtual clock has one worker, not several");
    /// ```
    pub fn build(self) -> io::Result<Runtime> {
        let is_virtual = self.virtual_clock || self.simulated.is_some();
        match self.workers {
            0 => return Err(invalid("a runtime needs at least one worker")),
            2.. if is_virtual => return Err(invalid("a virtual clock has one worker, not several")),
            TOO_MANY_WORKERS.. => return Err(invalid("a runtime has 65,535 workers at most")),
            _ => {}
        }
        let first_thread = std::thread::current().name() == Some("main");
        let trace_files = std::env::var_os("RUNTIME_TRACE").filter(|_| first_thread).unwrap_or_default();
        let trace_files: Vec<_> = std::env::split_paths(&trace_files).filter(|path| path != Path::new("")).collect();
        let capacity = self.trace.or((!trace_files.is_empty()).then_some(Recorder::DEFAULT_CAPACITY));
        let clock = if is_virtual { Clock::of_its_own() } else { Clock::real() };
        let (most, idle) = (self.blocking_threads, self.blocking_idle);
        let pool = |nudge| Pool::new(blocking::Settings { most, idle, nudge: is_virtual.then_some(nudge) });
        let simulation = self.simulated.map(|seed| {
            // One seed, and three generators that know nothing of each other: another draw in one changes nothing in the others.
            let mut random = Generator::new(seed);
            let network = Network::new(seed, self.conditions, clock.now(), &mut random);
            Simulation { network, pick: Arc::new(Pick::new(random.split())) }
        });
        let debug = self.debug.unwrap_or_else(|| {
            std::env::var_os("RUNTIME_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
        });
        let plan = worker::Plan {
            workers: self.workers,
            backend: self.poller,
            clock,
            timer_slack: self.timer_slack,
            slow_poll: self.slow_poll.or(debug.then_some(SLOW_POLL)),
            recorder: capacity.map(Recorder::new),
            simulation,
        };
        let shared = worker::start(plan, pool)?;
        // A job belongs to this runtime as a task does: it can spawn, and sees the same clock. (`Weak`: the pool is a part of
        // what is shared.)
        let weak = Arc::downgrade(&shared);
        let handle = move || weak.upgrade().map(|shared| Handle { home: Home::outside(shared) });
        shared.pool.enter_with(move || Box::new(handle().map(|handle| handle.enter())));
        Ok(Runtime {
            has_first_worker: AtomicBool::new(false),
            handle: Handle { home: Home::outside(shared) },
            trace_files,
            shutdown_time: Some(self.shutdown_time),
        })
    }
}

/// What is too long for a poll, if nobody says anything else.
const SLOW_POLL: Duration = Duration::from_millis(100);

const TOO_MANY_WORKERS: usize = 1 << 16;

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
