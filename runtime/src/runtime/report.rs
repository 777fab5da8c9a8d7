//! What a shutdown could not end.

use crate::{
    task::{Birth, TaskId},
    worker::Left,
};
use std::fmt;

/// What [`Runtime::shutdown`](crate::Runtime::shutdown) could not end.
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
