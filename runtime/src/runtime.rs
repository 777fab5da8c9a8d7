//! The front door: make a runtime, run a future on it, spawn tasks.

use crate::{
    blocking::Pool,
    current::{self, Slot},
    task::{self, Birth, JoinHandle},
    time::Clock,
    trace::{Recorder, Trace},
    worker::{Shared, Worker},
};
use std::{
    cell::RefCell,
    ffi::OsStr,
    fmt,
    future::Future,
    io,
    panic::Location,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// A runtime: a worker at rest until a thread calls [`block_on`](Runtime::block_on) and becomes it.
///
/// Dropping it cancels whatever was spawned meanwhile, and waits for jobs on its blocking threads, for as long as
/// [`Builder::shutdown_time`] says.
///
/// ```
/// let runtime = runtime::Runtime::new().unwrap();
/// assert_eq!(runtime.block_on(async { 1 + 1 }), 2);
/// ```
pub struct Runtime {
    /// Taken by the thread that runs it.
    worker: Mutex<Option<Worker>>,
    handle: Handle,
    /// Where to write the trace at the end of each `block_on`.
    trace_files: Vec<PathBuf>,
    shutdown_time: Duration,
}

/// Reaches a runtime from anywhere. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

thread_local! {
    static CURRENT: Slot<Handle> = const { RefCell::new(None) };
    static RUNNING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `future` on a runtime of its own; cancels the tasks that are left when it is ready.
///
/// # Panics
/// When the system refuses what a runtime needs (a descriptor for epoll and one for waking); inside another `block_on`.
///
/// ```
/// assert_eq!(runtime::block_on(async { "ready" }), "ready");
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap_or_else(|error| panic!("cannot make a runtime: {error}")).block_on(future)
}

/// Spawns `future` as a task of the current runtime. It starts to run when the current task next gives way.
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
    Handle::current().shared.spawn(None, Location::caller(), future)
}

/// Blocking jobs are in their pool's queue, and in no list.
const NOT_LISTED: usize = usize::MAX;

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
    let birth = Birth { id: handle.shared.next_id(), name: None, place: Location::caller(), listed_as: NOT_LISTED };
    let pool = handle.shared.pool.clone();
    // The job belongs to this runtime as a task does: it can spawn, and sees the same clock.
    pool.spawn(birth, move || {
        let _entered = handle.enter(false);
        job()
    })
}

impl task::Builder {
    /// Spawns the task on the current runtime.
    ///
    /// # Panics
    /// Outside a runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle::current().shared.spawn(self.into_name(), Location::caller(), future)
    }
}

impl Runtime {
    /// A runtime on the real clock, without a trace.
    ///
    /// # Errors
    /// When the system refuses the descriptors for epoll and for waking.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// A runtime with choices.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Runs `future` on this thread until it is ready, and every spawned task beside it; then cancels the tasks that are
    /// left. After it returns, no task of this runtime runs; jobs on blocking threads go on until they are done.
    ///
    /// # Panics
    /// Inside another `block_on`, because waiting would stop the outer one; while another thread runs this runtime; and with
    /// whatever `future` panics with. Under a virtual clock also when nothing can ever happen again: the text lists who waits.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _running = Running::start();
        let mut worker = Borrowed::take(&self.worker);
        let _entered = self.handle.enter(true);
        let output = worker.get().run(future);
        drop(worker);
        self.write_trace();
        output
    }

    /// Reaches this runtime from other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What happened so far; empty unless the runtime was built with [`Builder::trace`].
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
        let _entered = self.handle.enter(true);
        drop(self.worker.get_mut().unwrap().take());
        self.handle.shared.pool.shut_down(self.shutdown_time);
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
    #[track_caller]
    pub fn current() -> Handle {
        Self::try_current().expect("not inside a runtime: call this from a future that `block_on` runs")
    }

    /// The runtime that the current thread belongs to, if it does.
    pub fn try_current() -> Option<Handle> {
        current::get(&CURRENT)
    }

    /// Spawns a task, from any thread. On a runtime that has ended, the task is cancelled at once: its future is dropped here,
    /// and its handle gives [`JoinError::Cancelled`](crate::JoinError::Cancelled).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(None, Location::caller(), future)
    }

    /// What happened so far; empty unless the runtime was built with [`Builder::trace`].
    pub fn trace(&self) -> Trace {
        self.shared.recorder().map(Recorder::snapshot).unwrap_or_default()
    }

    /// Makes this the runtime of the current thread: of its worker, or of one of its blocking threads.
    fn enter(&self, worker: bool) -> impl Drop + use<> {
        Entered {
            _handle: current::enter(&CURRENT, self.clone()),
            _time: self.shared.time.enter(worker),
            _reactor: self.shared.reactor.enter(),
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

struct Entered<T> {
    _handle: current::Entered<Handle>,
    _time: T,
    _reactor: current::Entered<Arc<crate::reactor::Reactor>>,
}

impl<T> Drop for Entered<T> {
    /// The three slots are put back by the fields.
    fn drop(&mut self) {}
}

/// This thread is inside `block_on`.
struct Running;

impl Running {
    fn start() -> Self {
        assert!(
            !RUNNING.replace(true),
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

/// The worker, for as long as a thread runs it; put back even if the future panics.
struct Borrowed<'runtime> {
    place: &'runtime Mutex<Option<Worker>>,
    worker: Option<Worker>,
}

impl<'runtime> Borrowed<'runtime> {
    fn take(place: &'runtime Mutex<Option<Worker>>) -> Self {
        let worker = place.lock().unwrap().take();
        assert!(worker.is_some(), "this runtime is being run by another thread already");
        Self { place, worker }
    }

    fn get(&mut self) -> &mut Worker {
        self.worker.as_mut().expect("it is there until the drop")
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        *self.place.lock().unwrap() = self.worker.take();
    }
}

/// Chooses what a [`Runtime`] is made of.
#[derive(Clone, Debug)]
pub struct Builder {
    virtual_clock: bool,
    trace: Option<usize>,
    blocking_threads: usize,
    blocking_idle: Duration,
    shutdown_time: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            virtual_clock: false,
            trace: None,
            blocking_threads: 64,
            blocking_idle: Duration::from_secs(1),
            shutdown_time: Duration::from_secs(10),
        }
    }
}

impl Builder {
    /// Time stands still while anything can run, and jumps to the next deadline when nothing can: waits cost nothing, and
    /// take exactly as long as they say.
    ///
    /// The outside world knows nothing of virtual time. Jobs on blocking threads are waited for; a source that somebody waits
    /// for gets ten real milliseconds before time jumps past it. Loopback sockets are quicker than that; other processes and
    /// other machines are not: use the real clock with them.
    pub fn virtual_clock(mut self) -> Self {
        self.virtual_clock = true;
        self
    }

    /// Records what happens, for [`Runtime::trace`]: the latest 100,000 events.
    pub fn trace(self) -> Self {
        self.trace_capacity(Recorder::DEFAULT_CAPACITY)
    }

    /// Records what happens: the latest `events` of it.
    pub fn trace_capacity(mut self, events: usize) -> Self {
        self.trace = Some(events.max(1));
        self
    }

    /// How many threads [`spawn_blocking`](crate::spawn_blocking) may use at once; 64 by default. More jobs queue.
    pub fn blocking_threads(mut self, most: usize) -> Self {
        self.blocking_threads = most.max(1);
        self
    }

    /// How long a blocking thread waits for another job before it ends; a second by default.
    pub fn blocking_idle(mut self, idle: Duration) -> Self {
        self.blocking_idle = idle;
        self
    }

    /// How long dropping the runtime waits for jobs that run on blocking threads; ten seconds by default. A job cannot be
    /// stopped; one that runs on after that is left to itself.
    pub fn shutdown_time(mut self, longest: Duration) -> Self {
        self.shutdown_time = longest;
        self
    }

    /// Makes the runtime.
    ///
    /// The environment variable `RUNTIME_TRACE=FILE` switches the trace on for the runtime that the program's first thread
    /// builds, and has it written to that file at the end of each `block_on`: drawn if the name ends in `.svg`, for
    /// Chrome's trace viewer if it ends in `.json`, else as text. Several files are separated by colons.
    ///
    /// # Errors
    /// When the system refuses the descriptors for epoll and for waking.
    pub fn build(self) -> io::Result<Runtime> {
        let first_thread = std::thread::current().name() == Some("main");
        let trace_files = std::env::var_os("RUNTIME_TRACE").filter(|_| first_thread).unwrap_or_default();
        let trace_files: Vec<_> = std::env::split_paths(&trace_files).filter(|path| path != Path::new("")).collect();
        let capacity = self.trace.or((!trace_files.is_empty()).then_some(Recorder::DEFAULT_CAPACITY));
        let clock = if self.virtual_clock { Clock::Virtual(0.into()) } else { Clock::Real };
        let pool = |nudge| Pool::new(self.blocking_threads, self.blocking_idle, nudge);
        let (worker, shared) = Worker::new(clock, capacity.map(Recorder::new), pool)?;
        Ok(Runtime {
            worker: Mutex::new(Some(worker)),
            handle: Handle { shared },
            trace_files,
            shutdown_time: self.shutdown_time,
        })
    }
}
