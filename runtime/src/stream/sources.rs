//! Where streams begin, if all is there already.

use super::Stream;
use crate::budget;
use std::{
    iter,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The values of an iterator, as a stream. None: it ends at once.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// let mut words = stream::iter(["poll", "wake"]);
/// runtime::block_on(async {
///     assert_eq!(words.next().await, Some("poll"));
///     assert_eq!(words.next().await, Some("wake"));
///     assert_eq!(words.next().await, None);
/// });
/// ```
pub fn iter<I: IntoIterator>(values: I) -> impl Stream<Item = I::Item> + Unpin + use<I> {
    Iter(values.into_iter().fuse())
}

/// A stream of one value.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// assert_eq!(runtime::block_on(stream::once("only").collect::<Vec<_>>()), ["only"]);
/// ```
pub fn once<T>(value: T) -> impl Stream<Item = T> + Unpin + use<T> {
    iter(iter::once(value))
}

/// A stream that has ended already.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// assert_eq!(runtime::block_on(stream::empty::<u8>().count()), 0);
/// ```
pub fn empty<T>() -> impl Stream<Item = T> + Unpin + use<T> {
    iter(iter::empty())
}

/// The same value again and again. It has no end: [`take`](super::StreamExt::take) some.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// assert_eq!(runtime::block_on(stream::repeat('-').take(3).collect::<String>()), "---");
/// ```
pub fn repeat<T: Clone>(value: T) -> impl Stream<Item = T> + Unpin + use<T> {
    iter(iter::repeat(value))
}

/// The numbers from `start` up to, but without, `stop`, in steps of `step`; downwards, if that is negative. None, if `stop`
/// lies on the other side.
///
/// For Rust's own ranges there is [`iter()`]: `stream::iter(0..5)`.
///
/// # Panics
/// When `step` is zero: it would never come to an end.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// runtime::block_on(async {
///     assert_eq!(stream::range(5, 0, -2).collect::<Vec<_>>().await, [5, 3, 1]);
///     assert_eq!(stream::range(5, 0, 2).count().await, 0);
/// });
/// ```
#[track_caller]
pub fn range(start: i64, stop: i64, step: i64) -> Range {
    assert!(step != 0, "a range with a step of zero never ends");
    Range { next: Some(start), stop, step }
}

/// The stream of [`range`]. A clone goes on by itself, from where this one is.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// let range = stream::range(0, 3, 1);
/// runtime::block_on(async {
///     assert_eq!(range.clone().collect::<Vec<_>>().await, [0, 1, 2]);
///     assert_eq!(range.collect::<Vec<_>>().await, [0, 1, 2]); // once more
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "a stream does nothing until it is asked for its values"]
pub struct Range {
    /// `None`: past the last number that there is.
    next: Option<i64>,
    stop: i64,
    step: i64,
}

impl Stream for Range {
    type Item = i64;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<i64>> {
        ready!(budget::spend(context));
        let stop = self.stop;
        let number = self.next.filter(|&next| if self.step > 0 { next < stop } else { next > stop });
        if let Some(number) = number {
            self.next = number.checked_add(self.step);
        }
        Poll::Ready(number)
    }
}

struct Iter<I>(iter::Fuse<I>);

/// Nothing is ever pinned in it.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<I::Item>> {
        ready!(budget::spend(context));
        Poll::Ready(self.0.next())
    }
}
