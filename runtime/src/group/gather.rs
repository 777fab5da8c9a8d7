//! The outputs of several tasks, in the order of the tasks.

use super::{AbortOnDropHandle, Failure, arrivals::Arrivals};
use crate::task::{JoinError, JoinHandle};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Waits until all `tasks` have ended, and gives what became of each, in the order of the arguments: a failure of one disturbs no
/// other, and is found in its place. No tasks: an empty list, at once.
///
/// (`gather(..., return_exceptions=True)` of Python. [`try_gather`] is the one without.)
///
/// # Cancel safety
/// Dropping it **aborts** the tasks that have not ended, also if it was never polled; outputs that were there are lost. Where they
/// should run on, [join](crate::future::join_all) their [shields](super::shield()), or [`wait`](super::wait()), which takes nothing.
///
/// ```
/// use runtime::{group::gather, spawn};
/// runtime::block_on(async {
///     let fetch = |number: u32| spawn(async move { if number == 2 { Err("no such page") } else { Ok(number * 10) } });
///     let pages = gather((1..=3).map(fetch)).await;
///     let pages: Vec<_> = pages.into_iter().map(|page| page.expect("nobody aborts them")).collect();
///     assert_eq!(pages, [Ok(10), Err("no such page"), Ok(30)]);
/// });
/// ```
pub fn gather<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Gather<T> {
    let tasks: Vec<_> = tasks.into_iter().map(AbortOnDropHandle::new).collect();
    Gather { outputs: Vec::with_capacity(tasks.len()), tasks }
}

/// Waits for several tasks. From [`gather`].
///
/// ```
/// use runtime::{group::{Gather, gather}, spawn};
/// runtime::block_on(async {
///     let both: Gather<u8> = gather([spawn(async { 1 }), spawn(async { 2 })]);
///     assert_eq!(both.await.len(), 2);
/// });
/// ```
#[must_use = "dropping it aborts the tasks"]
pub struct Gather<T> {
    tasks: Vec<AbortOnDropHandle<T>>,
    /// Of the first tasks. They run by themselves: to wait for one after the other takes no longer than to wait for all at once.
    outputs: Vec<Result<T, JoinError>>,
}

/// Nothing in it is pinned.
impl<T> Unpin for Gather<T> {}

impl<T> Future for Gather<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Gather { tasks, outputs } = &mut *self;
        while let Some(task) = tasks.get_mut(outputs.len()) {
            outputs.push(ready!(Pin::new(task).poll(context)));
        }
        tasks.clear();
        Poll::Ready(std::mem::take(outputs))
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}

/// Waits until all `tasks` have succeeded, and gives their values in the order of the arguments; or until the first fails.
///
/// The others then **run on**, without anybody who waits for them. (As with `gather` in Python. Where the first failure should end
/// the others, use a [group](super::scope).)
///
/// # Errors
/// That of the first task to fail, as soon as it has: its `Err`, or why it has no output.
///
/// # Cancel safety
/// Dropping it before it is ready **aborts** the tasks that have not ended.
///
/// ```
/// use runtime::{group::{Failure, try_gather}, spawn};
/// runtime::block_on(async {
///     let halved = |number: u32| spawn(async move { if number % 2 == 0 { Ok(number / 2) } else { Err(number) } });
///     assert_eq!(try_gather([4, 8].map(halved)).await.unwrap(), [2, 4]);
///     assert!(matches!(try_gather([4, 5, 8].map(halved)).await, Err(Failure::Error(5))));
/// });
/// ```
pub fn try_gather<T, E>(tasks: impl IntoIterator<Item = JoinHandle<Result<T, E>>>) -> TryGather<T, E> {
    let mut waiting = Arrivals::default();
    let mut values = Vec::new();
    for (place, task) in tasks.into_iter().enumerate() {
        values.push(None);
        waiting.insert(place, task);
    }
    TryGather { tasks: waiting, values }
}

/// Waits for several tasks, or the first failure. From [`try_gather`].
///
/// ```
/// use runtime::{group::{TryGather, try_gather}, spawn};
/// runtime::block_on(async {
///     let both: TryGather<u8, ()> = try_gather([spawn(async { Ok(1) }), spawn(async { Err(()) })]);
///     assert!(both.await.is_err());
/// });
/// ```
#[must_use = "dropping it aborts the tasks"]
pub struct TryGather<T, E> {
    tasks: Arrivals<usize, Result<T, E>>,
    values: Vec<Option<T>>,
}

/// Nothing in it is pinned.
impl<T, E> Unpin for TryGather<T, E> {}

impl<T, E> Future for TryGather<T, E> {
    type Output = Result<Vec<T>, Failure<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let TryGather { tasks, values } = &mut *self;
        while let Some((place, output)) = ready!(tasks.poll_next(context)) {
            match output.map_err(Failure::Lost).and_then(|output| output.map_err(Failure::Error)) {
                Ok(value) => values[place] = Some(value),
                Err(failure) => {
                    tasks.clear();
                    return Poll::Ready(Err(failure));
                }
            }
        }
        Poll::Ready(Ok(values.drain(..).map(|value| value.expect("all have succeeded")).collect()))
    }
}

impl<T, E> Drop for TryGather<T, E> {
    fn drop(&mut self) {
        self.tasks.running().for_each(JoinHandle::abort);
    }
}

impl<T, E> fmt::Debug for TryGather<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryGather").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}
