//! Spawning on the current runtime, with and without a name.

use super::Handle;
use crate::{
    task::{self, JoinHandle},
    worker::Here,
};
use std::{future::Future, panic::Location, sync::Arc};

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
/// millisecond, more threads come, up to [`Builder::blocking_threads`](crate::Builder::blocking_threads).
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
