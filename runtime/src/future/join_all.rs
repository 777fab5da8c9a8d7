//! All of many, or the first error.

use super::children::Children;
use std::{
    fmt,
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Waits for all, and gives their outputs in the order of the futures, whatever the order in which they came. None: at once.
///
/// # Cancel safety
/// As that of the futures, which are dropped with it; outputs that were already there are lost.
///
/// ```
/// let squares = runtime::future::join_all((1..4).map(|n| async move { n * n }));
/// assert_eq!(runtime::block_on(squares), [1, 4, 9]);
/// ```
pub fn join_all<I: IntoIterator<Item: Future>>(futures: I) -> JoinAll<I::Item> {
    JoinAll(All::new(futures))
}

/// Waits for all, each a future of a `Result`, and gives their values in the order of the futures. None: at once.
///
/// # Errors
/// The first that comes. The other futures are dropped where they stand: what they had done half stays half done.
///
/// # Cancel safety
/// As that of the futures, which are dropped with it; outputs that were already there are lost.
///
/// ```
/// use runtime::future::try_join_all;
/// let number = async |text: &str| text.parse::<u8>();
/// assert_eq!(runtime::block_on(try_join_all(["1", "2"].map(number))), Ok(vec![1, 2]));
/// assert!(runtime::block_on(try_join_all(["1", "many"].map(number))).is_err());
/// ```
pub fn try_join_all<T, E, I: IntoIterator<Item: Future<Output = Result<T, E>>>>(futures: I) -> TryJoinAll<I::Item, T> {
    TryJoinAll(All::new(futures))
}

/// Waits for all: [`join_all`].
///
/// ```
/// use runtime::future::{JoinAll, join_all};
/// let all: JoinAll<std::future::Ready<u8>> = join_all([std::future::ready(1)]);
/// assert_eq!(runtime::block_on(all), [1]);
/// ```
#[must_use = "futures do nothing until they are awaited"]
pub struct JoinAll<F: Future>(All<F, F::Output>);

/// Waits for all, or for the first error: [`try_join_all`].
///
/// ```
/// use runtime::future::{TryJoinAll, try_join_all};
/// type Ready = std::future::Ready<Result<u8, ()>>;
/// let all: TryJoinAll<Ready, u8> = try_join_all([std::future::ready(Err(()))]);
/// assert_eq!(runtime::block_on(all), Err(()));
/// ```
#[must_use = "futures do nothing until they are awaited"]
pub struct TryJoinAll<F, T>(All<F, T>);

/// Those that are not done, and a place for the output of each.
struct All<F, T> {
    children: Children<F>,
    outputs: Vec<Option<T>>,
}

impl<F, T> All<F, T> {
    fn new(futures: impl IntoIterator<Item = F>) -> Self {
        let futures = futures.into_iter();
        let mut children = Children::new(futures.size_hint().0);
        for (number, future) in futures.enumerate() {
            let place = children.push(future);
            debug_assert_eq!(place, number);
        }
        let outputs = std::iter::repeat_with(|| None).take(children.len()).collect();
        Self { children, outputs }
    }

    fn take(&mut self) -> Vec<T> {
        let outputs = std::mem::take(&mut self.outputs).into_iter();
        outputs.map(|output| output.expect("polled after it was ready")).collect()
    }
}

impl<F: Future> Future for JoinAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let All { children, outputs } = &mut self.0;
        ready!(children.poll(context, |place, output| -> ControlFlow<()> {
            outputs[place] = Some(output);
            ControlFlow::Continue(())
        }));
        Poll::Ready(self.0.take())
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Future for TryJoinAll<F, T> {
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let All { children, outputs } = &mut self.0;
        let failed = ready!(children.poll(context, |place, output| match output {
            Ok(value) => {
                outputs[place] = Some(value);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }));
        let Some(error) = failed else { return Poll::Ready(Ok(self.0.take())) };
        drop(children.take());
        outputs.clear();
        Poll::Ready(Err(error))
    }
}

/// The futures are boxed, and the outputs are never pinned.
impl<F: Future> Unpin for JoinAll<F> {}
impl<F, T> Unpin for TryJoinAll<F, T> {}

impl<F: Future> fmt::Debug for JoinAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinAll").field("waiting", &self.0.children.len()).finish_non_exhaustive()
    }
}

impl<F, T> fmt::Debug for TryJoinAll<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryJoinAll").field("waiting", &self.0.children.len()).finish_non_exhaustive()
    }
}
