//! The outputs of tasks as they come, each with the place that its task had among the arguments.

use super::arrivals::Arrivals;
use crate::task::{JoinError, JoinHandle};
use futures_core::Stream;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// The outputs of `tasks` in the order of their ends, each with its task's place among the arguments, from 0.
///
/// Dropping it **detaches** the tasks that have not ended. (A set that aborts them: [`JoinSet`](super::JoinSet).) A time limit is put around
/// [`next`](AsCompleted::next), for each or for all, with [`timeout_at`](crate::time::timeout_at); one that passes takes nothing away.
///
/// ```
/// use runtime::{group::as_completed, time::{Instant, sleep, timeout_at}};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let slept = |millis| runtime::spawn(sleep(Duration::from_millis(millis)));
///     let mut tasks = as_completed([slept(150), slept(100)]);
///     let limit = Instant::now() + Duration::from_millis(120);
///     assert_eq!(timeout_at(limit, tasks.next()).await.unwrap().unwrap().0, 1);
///     assert!(timeout_at(limit, tasks.next()).await.is_err());
///     assert_eq!(tasks.next().await.unwrap().0, 0); // it ran on
///     assert!(tasks.next().await.is_none());
/// });
/// ```
pub fn as_completed<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> AsCompleted<T> {
    let mut arrivals = Arrivals::default();
    tasks.into_iter().enumerate().for_each(|(place, task)| arrivals.insert(place, task));
    AsCompleted(arrivals)
}

/// The outputs of tasks as they come: a [`Stream`]. From [`as_completed`].
///
/// ```
/// use runtime::{group::{AsCompleted, as_completed}, spawn};
/// runtime::block_on(async {
///     let mut tasks: AsCompleted<u8> = as_completed([spawn(async { 1 }), spawn(async { 2 })]);
///     assert_eq!(tasks.len(), 2);
///     while let Some((place, number)) = tasks.next().await {
///         assert_eq!(place + 1, usize::from(number.unwrap()));
///     }
///     assert!(tasks.is_empty());
/// });
/// ```
#[must_use = "dropping it detaches the tasks"]
pub struct AsCompleted<T>(Arrivals<usize, T>);

impl<T> AsCompleted<T> {
    /// Waits for the next task that ends: its place among the arguments, and its output. `None`: all were given.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let mut tasks = runtime::group::as_completed([runtime::spawn(async { "only" })]);
    ///     assert!(matches!(tasks.next().await, Some((0, Ok("only")))));
    ///     assert!(tasks.next().await.is_none());
    /// });
    /// ```
    pub async fn next(&mut self) -> Option<(usize, Result<T, JoinError>)> {
        poll_fn(|context| self.0.poll_next(context)).await
    }

    /// How many were not given yet.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Were all given?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for AsCompleted<T> {}

impl<T> Stream for AsCompleted<T> {
    type Item = (usize, Result<T, JoinError>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("len", &self.len()).finish_non_exhaustive()
    }
}
