//! Several futures in one task: all of them, or the first.
//!
//! They run on any executor: nothing here knows the runtime. A child is polled whenever the parent is; [`join`] and
//! [`join_all`] keep theirs on the heap, so that they can be pinned without unsafe code.
//!
//! ```
//! use runtime::{future::{Either, join, join_all, race}, time::sleep};
//! use std::time::Duration;
//! let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
//! runtime.block_on(async {
//!     let after = |seconds| async move {
//!         sleep(Duration::from_secs(seconds)).await;
//!         seconds
//!     };
//!     assert_eq!(join(after(2), after(1)).await, (2, 1));
//!     assert_eq!(join_all([3, 1, 2].map(after)).await, [3, 1, 2]);
//!     assert_eq!(race(after(2), after(1)).await, Either::Right(1));
//! });
//! ```

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

/// Waits for both.
///
/// # Cancel safety
/// As that of the two futures, which are dropped with it; an output that was already there is lost.
///
/// ```
/// assert_eq!(runtime::block_on(runtime::future::join(async { 1 }, async { "two" })), (1, "two"));
/// ```
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (MaybeDone::new(a), MaybeDone::new(b));
    poll_fn(|context| {
        let both = a.poll(context) & b.poll(context);
        if both { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (a.take(), b.take())
}

/// Waits for all, and gives their outputs in the order of the futures, whatever the order in which they came. None: at once.
///
/// # Cancel safety
/// As that of the futures, which are dropped with it; outputs that were already there are lost.
///
/// ```
/// let squares = runtime::future::join_all((1..4).map(|n| async move { n * n }));
/// assert_eq!(runtime::block_on(squares), [1, 4, 9]);
/// ```
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut children: Vec<_> = futures.into_iter().map(MaybeDone::new).collect();
    poll_fn(|context| {
        // `fold`, not `all`: every child is polled, also behind one that waits.
        let all = children.iter_mut().fold(true, |all, child| child.poll(context) & all);
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    children.iter_mut().map(MaybeDone::take).collect()
}

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

/// Waits for the first to be ready, and drops the other. If both are, the first one wins.
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
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Either::Left(output)),
        Poll::Pending => b.as_mut().poll(context).map(Either::Right),
    })
    .await
}

/// A future, then its output.
enum MaybeDone<F: Future> {
    Waiting(Pin<Box<F>>),
    Done(Option<F::Output>),
}

impl<F: Future> MaybeDone<F> {
    fn new(future: F) -> Self {
        Self::Waiting(Box::pin(future))
    }

    /// Is it done? Polls it if not.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        if let Self::Waiting(future) = self {
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *self = Self::Done(Some(output)),
                Poll::Pending => return false,
            }
        }
        true
    }

    fn take(&mut self) -> F::Output {
        match self {
            Self::Done(output) => output.take().expect("taken once"),
            Self::Waiting(_) => unreachable!("taken only when all are done"),
        }
    }
}
