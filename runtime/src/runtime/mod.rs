//! The front door: make a runtime ([`builder`]), run a future on it, spawn tasks ([`spawn`]) from anywhere ([`handle`]), and end
//! it, with a [`report`] of what would not end.

mod builder;
mod handle;
mod report;
mod spawn;

pub use builder::Builder;
pub use handle::Handle;
pub use report::{LeftTask, ShutdownReport};
pub use spawn::{spawn, spawn_blocking, spawn_local};

use crate::{
    debug::Metrics,
    trace::Trace,
    worker::{self, Here},
};
use std::{
    cell::Cell,
    ffi::OsStr,
    fmt,
    future::Future,
    io,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
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
        self.handle.home.shared.print_profile();
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

    /// As [`Handle::metrics`].
    ///
    /// ```
    /// let runtime = runtime::Runtime::new().unwrap();
    /// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
    /// assert_eq!(runtime.metrics().completed, 1);
    /// ```
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
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

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
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
