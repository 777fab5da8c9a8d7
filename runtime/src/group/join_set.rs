//! Tasks of one kind, taken in the order in which they end.

use super::arrivals::Arrivals;
use crate::{
    runtime::{self, Handle},
    task::{AbortHandle, JoinError, JoinHandle, TaskId},
};
use futures_core::Stream;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// A set of tasks whose outputs are taken in the order in which they come. It is also a [`Stream`] of them.
///
/// Dropping the set **aborts** its tasks (it cannot wait for them: [`shutdown`](Self::shutdown) does); to let them run on, there is
/// [`detach_all`](Self::detach_all). To take the next output costs the same however many tasks are in the set.
///
/// Outputs stay in the set until they are taken. For many short tasks of which nobody wants the output there is
/// [`TaskGroup`](super::TaskGroup), which keeps nothing of a task that is over.
///
/// ```
/// use runtime::{group::JoinSet, time::sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let mut set = JoinSet::new();
///     for seconds in [3, 1, 2] {
///         set.spawn(async move {
///             sleep(Duration::from_secs(seconds)).await;
///             seconds
///         });
///     }
///     let mut order = Vec::new();
///     while let Some(seconds) = set.join_next().await {
///         order.push(seconds.unwrap());
///     }
///     assert_eq!(order, [1, 2, 3]);
/// });
/// ```
#[must_use = "dropping the set aborts its tasks"]
pub struct JoinSet<T> {
    pub(super) tasks: Arrivals<TaskId, T>,
}

impl<T> JoinSet<T> {
    /// A set without tasks.
    ///
    /// ```
    /// let mut set = runtime::group::JoinSet::<u8>::new();
    /// assert!(set.is_empty());
    /// assert!(runtime::block_on(set.join_next()).is_none());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Spawns a task of the set on the current runtime.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     let stop = set.spawn(std::future::pending::<()>());
    ///     stop.abort();
    ///     assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// });
    /// ```
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = T> + Send + 'static) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.insert(runtime::spawn(future))
    }

    /// Spawns a task that stays on this thread.
    ///
    /// # Panics
    /// Where no worker is: see [`spawn_local`](crate::spawn_local).
    ///
    /// ```
    /// use std::rc::Rc;
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     set.spawn_local(async { Rc::new(5) });
    ///     assert_eq!(*set.join_next().await.unwrap().unwrap(), 5);
    /// });
    /// ```
    #[track_caller]
    pub fn spawn_local(&mut self, future: impl Future<Output = T> + 'static) -> AbortHandle
    where
        T: 'static,
    {
        self.insert(runtime::spawn_local(future))
    }

    /// Runs `job` on a thread where it may block. One that has begun cannot be aborted.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     set.spawn_blocking(|| std::fs::metadata("/").is_ok());
    ///     assert!(set.join_next().await.unwrap().unwrap());
    /// });
    /// ```
    #[track_caller]
    pub fn spawn_blocking(&mut self, job: impl FnOnce() -> T + Send + 'static) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.insert(runtime::spawn_blocking(job))
    }

    /// Spawns a task of the set on that runtime, from any thread. If the runtime has ended, the task is cancelled at once.
    ///
    /// ```
    /// let elsewhere = runtime::Runtime::builder().workers(2).build().unwrap();
    /// let mut set = runtime::group::JoinSet::new();
    /// set.spawn_on(async { 5 }, elsewhere.handle());
    /// assert_eq!(elsewhere.block_on(set.join_next()).unwrap().unwrap(), 5);
    /// ```
    #[track_caller]
    pub fn spawn_on(&mut self, future: impl Future<Output = T> + Send + 'static, runtime: &Handle) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.insert(runtime.spawn(future))
    }

    /// Takes a task in that was spawned before: with a name, say.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     let task = set.insert(runtime::task::Builder::new().name("fetch").spawn(async { 5 }));
    ///     assert_eq!(task.name(), Some("fetch"));
    ///     assert_eq!(set.join_next().await.unwrap().unwrap(), 5);
    /// });
    /// ```
    pub fn insert(&mut self, task: JoinHandle<T>) -> AbortHandle {
        let handle = task.abort_handle();
        self.tasks.insert(task.id(), task);
        handle
    }

    /// Waits for the next task that ends: its output, or why it has none. `None`: there is no task left.
    ///
    /// # Cancel safety
    /// Nothing is lost: an output stays in the set until it is given.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     set.spawn(async { panic!("no") });
    ///     assert!(set.join_next().await.unwrap().is_err_and(|error: runtime::JoinError| error.is_panic()));
    ///     assert_eq!(set.join_next().await.map(|output: Result<(), _>| output.is_ok()), None);
    /// });
    /// ```
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.join_next_with_id().await.map(|(_, output)| output)
    }

    /// [`join_next`](Self::join_next), and which task it was.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     let task = set.spawn(async {});
    ///     assert_eq!(set.join_next_with_id().await.unwrap().0, task.id());
    /// });
    /// ```
    pub async fn join_next_with_id(&mut self) -> Option<(TaskId, Result<T, JoinError>)> {
        poll_fn(|context| self.tasks.poll_next(context)).await
    }

    /// The output of the next task that has ended, if one has.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     set.spawn(async { 5 });
    ///     assert!(set.try_join_next().is_none());
    ///     runtime::yield_now().await;
    ///     assert_eq!(set.try_join_next().unwrap().unwrap(), 5);
    /// });
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.tasks.look();
        self.tasks.arrived().pop_front().map(|(_, output)| output)
    }

    /// Waits for all tasks, and gives their outputs in the order of their ends. (In the order of the tasks:
    /// [`gather`](super::gather()).)
    ///
    /// # Cancel safety
    /// The set goes with the wait: its tasks are aborted.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     (1..4).for_each(|number| _ = set.spawn(async move { number }));
    ///     let outputs = set.join_all().await;
    ///     assert_eq!(outputs.into_iter().map(Result::unwrap).sum::<i32>(), 6);
    /// });
    /// ```
    pub async fn join_all(mut self) -> Vec<Result<T, JoinError>> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(output) = self.join_next().await {
            outputs.push(output);
        }
        outputs
    }

    /// Asks all tasks to end: see [`JoinHandle::abort`]. They stay in the set until they are joined.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     set.spawn(std::future::pending::<()>());
    ///     set.abort_all();
    ///     assert_eq!(set.len(), 1);
    ///     assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort_all(&self) {
        self.tasks.running().for_each(JoinHandle::abort);
    }

    /// Asks all tasks to end, clean-ups and all: see [`JoinHandle::cancel`]. They stay in the set until they are joined.
    ///
    /// ```
    /// use runtime::{group::{CancelExt, JoinSet}, yield_now};
    /// runtime::block_on(async {
    ///     let mut set = JoinSet::new();
    ///     let cleaned = runtime::spawn(async {}); // stands for what is to be cleaned
    ///     set.spawn(std::future::pending::<()>().on_cancel(async move { cleaned.await.unwrap() }));
    ///     yield_now().await;
    ///     set.cancel_all();
    ///     assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn cancel_all(&self) {
        self.tasks.running().for_each(JoinHandle::ask);
    }

    /// Aborts all tasks and waits until they have ended. Outputs that were there are dropped.
    ///
    /// # Cancel safety
    /// All are aborted at the first poll; those that have not ended by then stay in the set.
    ///
    /// ```
    /// use std::sync::Arc;
    /// runtime::block_on(async {
    ///     let (mut set, file) = (runtime::group::JoinSet::new(), Arc::new("open"));
    ///     let held = file.clone();
    ///     set.spawn(async move { std::future::pending::<()>().await; drop(held) });
    ///     set.shutdown().await;
    ///     assert_eq!(Arc::strong_count(&file), 1);
    /// });
    /// ```
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Lets all tasks go: they run on, and their outputs are dropped when they come.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     let task = set.spawn(runtime::yield_now());
    ///     set.detach_all();
    ///     assert!(set.is_empty() && !task.is_finished());
    /// });
    /// ```
    pub fn detach_all(&mut self) {
        self.tasks.clear();
    }

    /// How many tasks there are that were not joined yet.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut set = runtime::group::JoinSet::new();
    ///     set.spawn(async {});
    ///     runtime::yield_now().await;
    ///     assert_eq!(set.len(), 1); // it is over, but not joined
    /// });
    /// ```
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Is there no task left to join?
    ///
    /// ```
    /// assert!(runtime::group::JoinSet::<()>::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self { tasks: Arrivals::default() }
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for JoinSet<T> {}

impl<T> Stream for JoinSet<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.tasks.poll_next(context).map(|next| next.map(|(_, output)| output))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T> Extend<JoinHandle<T>> for JoinSet<T> {
    fn extend<I: IntoIterator<Item = JoinHandle<T>>>(&mut self, tasks: I) {
        tasks.into_iter().for_each(|task| _ = self.insert(task));
    }
}

impl<T> FromIterator<JoinHandle<T>> for JoinSet<T> {
    fn from_iter<I: IntoIterator<Item = JoinHandle<T>>>(tasks: I) -> Self {
        let mut set = Self::new();
        set.extend(tasks);
        set
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish_non_exhaustive()
    }
}
