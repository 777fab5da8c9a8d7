//! The first of several.

use super::children::Children;
use std::{
    fmt,
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The output of whichever came first.
///
/// ```
/// use runtime::future::{Either, race};
/// let answer = match runtime::block_on(race(std::future::pending::<u8>(), async { "no number" })) {
///     Either::Left(number) => number.to_string(),
///     Either::Right(text) => text.to_string(),
/// };
/// assert_eq!(answer, "no number");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first future was ready.
    Left(A),
    /// The second one was.
    Right(B),
}

impl<T> Either<T, T> {
    /// What came, where it does not matter from which of the two.
    ///
    /// ```
    /// use runtime::future::race;
    /// let mirrors = race(std::future::pending(), async { "the page" });
    /// assert_eq!(runtime::block_on(mirrors).into_inner(), "the page");
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Either::Left(output) | Either::Right(output) => output,
        }
    }
}

/// Waits for the first to be ready, and drops the other. If both are, the first one wins: put there what ends the other.
/// (Where either should have its chance, use [`select!`](crate::select).)
///
/// # Cancel safety
/// The loser is dropped where it stands, so it should be one from which that takes nothing.
///
/// ```
/// use runtime::future::{Either, race};
/// let first = race(async { 1 }, std::future::pending::<()>());
/// assert_eq!(runtime::block_on(first), Either::Left(1));
/// ```
pub async fn race<A: Future, B: Future>(a: A, b: B) -> Either<A::Output, B::Output> {
    select! {
        biased;
        output = a => Either::Left(output),
        output = b => Either::Right(output),
    }
}

/// Waits for the first to be ready, and gives back the other, to go on with. If both are ready, the first one wins.
///
/// Futures move here, so they are such as may: what is not gets pinned before ([`pin!`](std::pin::pin), [`Box::pin`]).
///
/// # Cancel safety
/// As that of the two futures, which are dropped with it; pass `&mut future` to keep them.
///
/// ```
/// use runtime::{future::{Either, select}, time::sleep};
/// use std::{pin::pin, time::Duration};
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let work = pin!(async {
///         sleep(Duration::from_secs(3)).await;
///         "done"
///     });
///     match select(work, pin!(sleep(Duration::from_secs(1)))).await {
///         Either::Left(_) => unreachable!("it takes longer"),
///         Either::Right(((), work)) => assert_eq!(work.await, "done"), // late, but not lost
///     }
/// });
/// ```
pub async fn select<A, B>(mut a: A, mut b: B) -> Either<(A::Output, B), (B::Output, A)>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    match race(&mut a, &mut b).await {
        Either::Left(output) => Either::Left((output, b)),
        Either::Right(output) => Either::Right((output, a)),
    }
}

/// Waits for the first of many to be ready, and drops the others: which it was, and its output. They are first polled in their
/// order, then in that in which they wake.
///
/// To keep the others, use a [`FuturesUnordered`](super::FuturesUnordered).
///
/// # Panics
/// When there are none: that would wait for ever.
///
/// # Cancel safety
/// The losers are dropped where they stand, so they should be such as lose nothing by it.
///
/// ```
/// use runtime::{future::race_all, time::sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let mirrors = [3, 1, 2].map(|seconds| async move {
///         sleep(Duration::from_secs(seconds)).await;
///         format!("the page, after {seconds} s")
///     });
///     assert_eq!(race_all(mirrors).await, (1, "the page, after 1 s".to_owned()));
/// });
/// ```
pub fn race_all<I: IntoIterator<Item: Future>>(futures: I) -> RaceAll<I::Item> {
    let futures = futures.into_iter();
    let mut children = Children::new(futures.size_hint().0);
    futures.for_each(|future| _ = children.push(future));
    assert!(children.len() > 0, "a race of no futures has no winner");
    RaceAll(children)
}

/// Waits for the first of many: [`race_all`].
///
/// ```
/// use runtime::future::{RaceAll, race_all};
/// let race: RaceAll<std::future::Ready<u8>> = race_all([std::future::ready(1)]);
/// assert_eq!(runtime::block_on(race), (0, 1));
/// ```
#[must_use = "futures do nothing until they are awaited"]
pub struct RaceAll<F>(Children<F>);

impl<F: Future> Future for RaceAll<F> {
    type Output = (usize, F::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let first = ready!(self.0.poll(context, |place, output| ControlFlow::Break((place, output))));
        drop(self.0.take());
        Poll::Ready(first.expect("polled after it was ready"))
    }
}

impl<F> fmt::Debug for RaceAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RaceAll").field("waiting", &self.0.len()).finish_non_exhaustive()
    }
}
