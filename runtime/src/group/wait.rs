//! Waiting for some of a set of tasks, without taking anything from the others.

use super::JoinSet;
use crate::{
    budget,
    task::{JoinError, TaskId},
    time::sleep,
};
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

/// When [`wait`] has waited long enough.
///
/// ```
/// use runtime::group::ReturnWhen;
/// // Only where the outputs are results is there an error to be the first:
/// let when: ReturnWhen<Result<u8, &str>> = ReturnWhen::first_error();
/// assert!(matches!(when, ReturnWhen::FirstThat(is) if is(&Ok(Err("no"))) && !is(&Ok(Ok(1)))));
/// ```
pub enum ReturnWhen<T> {
    /// All have ended.
    All,
    /// One has ended, in whatever way.
    First,
    /// One has ended of which this is true, or all have.
    FirstThat(fn(&Result<T, JoinError>) -> bool),
}

impl<T> ReturnWhen<T> {
    /// One was aborted or has panicked, or all have ended.
    ///
    /// ```
    /// use runtime::group::{JoinSet, ReturnWhen, wait};
    /// runtime::block_on(async {
    ///     let mut set = JoinSet::new();
    ///     set.spawn(std::future::pending());
    ///     set.spawn(async { panic!("no") });
    ///     let done: Vec<(_, Result<(), _>)> = wait(&mut set, ReturnWhen::first_without_output(), None).await;
    ///     assert!(done[0].1.is_err() && set.len() == 1);
    /// });
    /// ```
    pub fn first_without_output() -> Self {
        Self::FirstThat(Result::is_err)
    }
}

impl<T, E> ReturnWhen<Result<T, E>> {
    /// One has failed (with an `Err`, aborted, or by a panic), or all have ended.
    ///
    /// ```
    /// use runtime::group::{JoinSet, ReturnWhen, wait};
    /// runtime::block_on(async {
    ///     let mut set = JoinSet::new();
    ///     set.spawn(std::future::pending::<Result<u8, &str>>());
    ///     set.spawn(async { Err("no") });
    ///     let done = wait(&mut set, ReturnWhen::first_error(), None).await;
    ///     assert!(matches!(done[..], [(_, Ok(Err("no")))]));
    /// });
    /// ```
    pub fn first_error() -> Self {
        Self::FirstThat(|output| !matches!(output, Ok(Ok(_))))
    }
}

impl<T> Clone for ReturnWhen<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ReturnWhen<T> {}

impl<T> fmt::Debug for ReturnWhen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReturnWhen::All => "All",
            ReturnWhen::First => "First",
            ReturnWhen::FirstThat(_) => "FirstThat(..)",
        })
    }
}

/// Waits until enough tasks of `set` have ended, or for `timeout` at most, and gives the outputs of **all** that have ended by
/// then, in the order of their ends. The others stay in the set and run on: this aborts nothing, and never fails.
///
/// An empty set gives an empty list at once. Outputs that came before the call count: a task that has failed already ends a wait
/// for the [first error](ReturnWhen::first_error) at once. With a timeout of zero it only looks.
///
/// # Panics
/// With a timeout outside a runtime.
///
/// # Cancel safety
/// Nothing is lost: the tasks run on, and outputs stay in the set until they are given.
///
/// ```
/// use runtime::{group::{JoinSet, ReturnWhen, wait}, time::sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let mut set: JoinSet<()> = (1..=3).map(|n| runtime::spawn(sleep(Duration::from_secs(n)))).collect();
///     assert_eq!(wait(&mut set, ReturnWhen::First, None).await.len(), 1);
///     assert_eq!(wait(&mut set, ReturnWhen::All, Some(Duration::from_millis(500))).await.len(), 0); // after 1.5 s
///     assert_eq!(set.len(), 2); // they run on
///     assert_eq!(wait(&mut set, ReturnWhen::All, None).await.len(), 2);
/// });
/// ```
pub async fn wait<T>(
    set: &mut JoinSet<T>,
    when: ReturnWhen<T>,
    timeout: Option<Duration>,
) -> Vec<(TaskId, Result<T, JoinError>)> {
    let tasks = &mut set.tasks;
    let mut limit = timeout.map(sleep);
    let (mut looked_at, mut last_look) = (0, false);
    tasks.look();
    poll_fn(|context| {
        loop {
            let all = tasks.running().next().is_none();
            let arrived = tasks.arrived();
            let enough = match when {
                ReturnWhen::All => false,
                ReturnWhen::First => !arrived.is_empty(),
                ReturnWhen::FirstThat(is) => arrived.range(looked_at..).any(|(_, output)| is(output)),
            };
            if all || enough {
                return budget::spend(context);
            }
            looked_at = arrived.len();
            if tasks.poll_look(context).is_pending() {
                break;
            }
        }
        if !last_look && let Some(limit) = &mut limit {
            ready!(Pin::new(limit).poll(context));
            // What falls due at the very moment of the limit is in time: it may be behind us in the queue.
            context.waker().wake_by_ref();
            last_look = true;
            return Poll::Pending;
        }
        if last_look { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    tasks.arrived().drain(..).collect()
}
