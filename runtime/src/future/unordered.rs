//! Many futures, each as it comes.

use super::children::Children;
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, poll_fn},
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll},
};

/// The outputs of these futures, each as soon as it is there: a [`Stream`], and a set to which more can be added.
///
/// Nothing runs until the first is asked for; then all do, by turns, whenever the stream is polled.
///
/// # Cancel safety
/// To give up waiting for the next one loses nothing.
///
/// ```
/// use runtime::{future::as_completed, time::sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let mut outputs = as_completed([3, 1, 2].map(|seconds| async move {
///         sleep(Duration::from_secs(seconds)).await;
///         seconds
///     }));
///     while let Some(seconds) = outputs.next().await {
///         println!("{seconds} is there"); // 1, 2, 3
///     }
/// });
/// ```
pub fn as_completed<I: IntoIterator<Item: Future>>(futures: I) -> FuturesUnordered<I::Item> {
    futures.into_iter().collect()
}

/// A set of futures that run by turns in the task that asks for their outputs. An output comes as soon as it is there; of those
/// that woke together, the one that woke first is first.
///
/// - A future that was pushed runs when the next output is asked for. A push wakes a task that waits for one already.
/// - One poll of the set polls no more futures than are in it, also if these wake themselves again and again.
/// - A future that panics is gone, the panic goes on to who asked, and the set can be used as before.
/// - A set that is empty gives `None`; more can be pushed after that.
///
/// To run at most so many at a time, push the next one when one is done:
///
/// ```
/// use runtime::{future::FuturesUnordered, time::{Instant, sleep}};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let (start, second) = (Instant::now(), Duration::from_secs(1));
///     let mut jobs = (1..=10).map(|number| async move {
///         sleep(second).await;
///         number
///     });
///     let mut running: FuturesUnordered<_> = jobs.by_ref().take(5).collect();
///     let mut sum = 0;
///     while let Some(number) = running.next().await {
///         sum += number;
///         running.extend(jobs.next());
///     }
///     assert_eq!((sum, start.elapsed()), (55, 2 * second));
/// });
/// ```
#[must_use = "futures do nothing until their outputs are asked for"]
pub struct FuturesUnordered<F>(Children<F>);

impl<F> FuturesUnordered<F> {
    /// An empty set.
    ///
    /// ```
    /// let mut set = runtime::future::FuturesUnordered::<std::future::Ready<u8>>::new();
    /// assert_eq!(runtime::block_on(set.next()), None);
    /// ```
    pub fn new() -> Self {
        Self(Children::new(0))
    }

    /// Adds one. It is polled when the next output is asked for.
    ///
    /// ```
    /// let mut set = runtime::future::FuturesUnordered::new();
    /// set.push(std::future::ready(5));
    /// assert_eq!(runtime::block_on(set.next()), Some(5));
    /// ```
    pub fn push(&mut self, future: F) {
        self.0.push(future);
    }

    /// How many are not done, or were not asked for their output.
    ///
    /// ```
    /// assert_eq!(runtime::future::as_completed([std::future::pending::<()>()]).len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Are there none?
    ///
    /// ```
    /// assert!(!runtime::future::as_completed([std::future::pending::<()>()]).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all that are in it, where they stand.
    ///
    /// ```
    /// let mut set = runtime::future::as_completed([std::future::pending::<()>()]);
    /// set.clear();
    /// assert_eq!(runtime::block_on(set.next()), None);
    /// ```
    pub fn clear(&mut self) {
        drop(self.0.take());
    }
}

impl<F: Future> FuturesUnordered<F> {
    /// Waits for the next output; `None` when the set is empty.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// use runtime::{future::as_completed, time::timeout};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let (sender, receiver) = runtime::sync::oneshot::channel();
    ///     let mut set = as_completed([receiver]);
    ///     assert!(timeout(Duration::from_secs(1), set.next()).await.is_err()); // not yet
    ///     sender.send(5).unwrap();
    ///     assert_eq!(set.next().await, Some(Ok(5)));
    /// });
    /// ```
    pub async fn next(&mut self) -> Option<F::Output> {
        poll_fn(|context| self.poll_output(context)).await
    }

    fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        self.0.poll(context, |_, output| ControlFlow::Break(output))
    }
}

impl<F: Future> Stream for FuturesUnordered<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        self.poll_output(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<F> Default for FuturesUnordered<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> FromIterator<F> for FuturesUnordered<F> {
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let futures = futures.into_iter();
        let mut set = Self(Children::new(futures.size_hint().0));
        set.extend(futures);
        set
    }
}

impl<F> Extend<F> for FuturesUnordered<F> {
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        futures.into_iter().for_each(|future| self.push(future));
    }
}

/// Those that are not done, as they stand: a task that was waiting for the set does not hear of them any more.
impl<F> IntoIterator for FuturesUnordered<F> {
    type Item = Pin<Box<F>>;
    type IntoIter = std::vec::IntoIter<Pin<Box<F>>>;

    fn into_iter(mut self) -> Self::IntoIter {
        self.0.take().collect::<Vec<_>>().into_iter()
    }
}

impl<F> fmt::Debug for FuturesUnordered<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturesUnordered").field("len", &self.len()).finish_non_exhaustive()
    }
}
