//! What can be done with every stream.

use super::{
    BoxStream, Stream,
    buffered::{BufferUnordered, Buffered},
    chunks::Chunks,
    combine::{Chain, Merge, Zip},
    one_by_one::{Each, EachAsync, Fuse, Take, TakeUntil, Verdict},
};
use std::{
    future::{Future, Ready, poll_fn},
    pin::{Pin, pin},
};

/// Adaptors and ends for every [`Stream`].
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// let total = stream::iter(1..=4).map(|n| n * n).fold(0, |sum, square| sum + square);
/// assert_eq!(runtime::block_on(total), 30);
/// ```
pub trait StreamExt: Stream {
    /// Waits for the next value; `None` at the end.
    ///
    /// # Cancel safety
    /// Nothing is lost: what the stream has begun for a value stays in it.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let mut one = stream::once(1);
    /// runtime::block_on(async {
    ///     assert_eq!(one.next().await, Some(1));
    ///     assert_eq!(one.next().await, None);
    /// });
    /// ```
    fn next(&mut self) -> impl Future<Output = Option<Self::Item>>
    where
        Self: Unpin,
    {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context))
    }

    /// Makes something else of each value.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let words = stream::iter([1, 2]).map(|n| format!("number {n}"));
    /// assert_eq!(runtime::block_on(words.collect::<Vec<_>>()), ["number 1", "number 2"]);
    /// ```
    fn map<T>(self, mut make: impl FnMut(Self::Item) -> T) -> impl Stream<Item = T>
    where
        Self: Sized,
    {
        Each::new(self, move |value| Verdict::Give(make(value)))
    }

    /// [`map`](StreamExt::map) with an async function; one value after the other. For several at once, map to futures, and
    /// [buffer](StreamExt::buffered) them.
    ///
    /// # Cancel safety
    /// A value that the function works on when [`next`](StreamExt::next) is given up stays with it; asked again, it goes on.
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, time::sleep};
    /// use std::time::Duration;
    /// let slow = stream::iter([1, 2]).then(async |n: u64| {
    ///     sleep(Duration::from_millis(n)).await;
    ///     n * n
    /// });
    /// assert_eq!(runtime::block_on(slow.collect::<Vec<_>>()), [1, 4]);
    /// ```
    fn then<T, F>(self, make: F) -> impl Stream<Item = T>
    where
        Self: Sized,
        F: AsyncFnMut(Self::Item) -> T,
    {
        EachAsync::new(self, make, async |mut make: F, value| {
            let made = make(value).await;
            (make, Some(made))
        })
    }

    /// Only the values for which `keep` says `true`. It is asked once for each.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let even = stream::iter(0..6).filter(|n| n % 2 == 0);
    /// assert_eq!(runtime::block_on(even.collect::<Vec<_>>()), [0, 2, 4]);
    /// ```
    fn filter(self, mut keep: impl FnMut(&Self::Item) -> bool) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Each::new(self, move |value| if keep(&value) { Verdict::Give(value) } else { Verdict::Skip })
    }

    /// [`filter`](StreamExt::filter) with an async function; one value after the other.
    ///
    /// # Cancel safety
    /// A value that is being looked at when [`next`](StreamExt::next) is given up stays; asked again, it goes on.
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, yield_now};
    /// let even = stream::iter(0..6).filter_async(async |n: &i32| {
    ///     yield_now().await;
    ///     n % 2 == 0
    /// });
    /// assert_eq!(runtime::block_on(even.collect::<Vec<_>>()), [0, 2, 4]);
    /// ```
    fn filter_async<F>(self, keep: F) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
        F: AsyncFnMut(&Self::Item) -> bool,
    {
        EachAsync::new(self, keep, async |mut keep: F, value| {
            let kept = keep(&value).await;
            (keep, kept.then_some(value))
        })
    }

    /// [`map`](StreamExt::map) and [`filter`](StreamExt::filter) in one: what becomes `None` falls.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let numbers = stream::iter(["1", "two", "3"]).filter_map(|word| word.parse::<i32>().ok());
    /// assert_eq!(runtime::block_on(numbers.collect::<Vec<_>>()), [1, 3]);
    /// ```
    fn filter_map<T>(self, mut make: impl FnMut(Self::Item) -> Option<T>) -> impl Stream<Item = T>
    where
        Self: Sized,
    {
        Each::new(self, move |value| make(value).map_or(Verdict::Skip, Verdict::Give))
    }

    /// Ends with the first value for which `go_on` says `false`. That one is dropped.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let small = stream::iter([1, 2, 9, 3]).take_while(|n| *n < 5);
    /// assert_eq!(runtime::block_on(small.collect::<Vec<_>>()), [1, 2]);
    /// ```
    fn take_while(self, mut go_on: impl FnMut(&Self::Item) -> bool) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Each::new(self, move |value| if go_on(&value) { Verdict::Give(value) } else { Verdict::End })
    }

    /// The first `count` values. The stream is dropped with the last of them, and with zero it is not asked at all.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// assert_eq!(runtime::block_on(stream::iter(0..).take(3).collect::<Vec<_>>()), [0, 1, 2]);
    /// ```
    fn take(self, count: usize) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Take::new(self, count)
    }

    /// All but the first `count` values.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// assert_eq!(runtime::block_on(stream::iter(0..5).skip(3).collect::<Vec<_>>()), [3, 4]);
    /// ```
    fn skip(self, mut count: usize) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Each::new(self, move |value| {
            if count == 0 {
                return Verdict::Give(value);
            }
            count -= 1;
            Verdict::Skip
        })
    }

    /// Each value with its number, from zero on.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let numbered = stream::iter(["a", "b"]).enumerate();
    /// assert_eq!(runtime::block_on(numbered.collect::<Vec<_>>()), [(0, "a"), (1, "b")]);
    /// ```
    fn enumerate(self) -> impl Stream<Item = (usize, Self::Item)>
    where
        Self: Sized,
    {
        let mut numbers = 0..;
        self.map(move |value| (numbers.next().expect("a range without an end"), value))
    }

    /// All values until `end` is ready; then the stream is dropped. If a value and the end come at once, the end wins.
    ///
    /// # Cancel safety
    /// What the stream had begun when the end came is lost with it.
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, time::sleep};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// let ticks = stream::repeat("tick").then(async |tick| {
    ///     sleep(Duration::from_secs(1)).await;
    ///     tick
    /// });
    /// assert_eq!(runtime.block_on(async { ticks.take_until(sleep(Duration::from_millis(3500))).count().await }), 3);
    /// ```
    fn take_until(self, end: impl Future) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        TakeUntil::new(self, end)
    }

    /// The values in groups of `size`; the last one may be smaller. None, if there are no values.
    ///
    /// # Panics
    /// When `size` is zero.
    ///
    /// # Cancel safety
    /// The part of a group that is there when [`next`](StreamExt::next) is given up is kept for the next call.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let groups = stream::iter(0..10).chunks(3).map(|group| group.len());
    /// assert_eq!(runtime::block_on(groups.collect::<Vec<_>>()), [3, 3, 3, 1]);
    /// ```
    #[track_caller]
    fn chunks(self, size: usize) -> impl Stream<Item = Vec<Self::Item>>
    where
        Self: Sized,
    {
        Chunks::new(self, size, || None::<Ready<()>>)
    }

    /// [`chunks`](StreamExt::chunks) that do not wait for ever to be full: with the first value of a group, `delay` gives a
    /// future, and when that is ready the group is given as it is. So no group is empty.
    ///
    /// # Panics
    /// When `size` is zero.
    ///
    /// # Cancel safety
    /// As that of [`chunks`](StreamExt::chunks).
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, time::sleep};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// let values = stream::range(0, 4, 1).then(async |n| {
    ///     sleep(Duration::from_secs(if n == 3 { 10 } else { 1 })).await;
    ///     n
    /// });
    /// let groups = values.chunks_timeout(100, || sleep(Duration::from_secs(5)));
    /// assert_eq!(runtime.block_on(groups.collect::<Vec<_>>()), [vec![0, 1, 2], vec![3]]);
    /// ```
    #[track_caller]
    fn chunks_timeout<F>(self, size: usize, mut delay: impl FnMut() -> F) -> impl Stream<Item = Vec<Self::Item>>
    where
        Self: Sized,
        F: Future<Output = ()>,
    {
        Chunks::new(self, size, move || Some(delay()))
    }

    /// Runs the futures of this stream, up to `most` at once, and gives their outputs in the order of the futures.
    ///
    /// A future begins when the stream is asked for values and there is room. A slow one holds up those behind it: their
    /// outputs wait, and count as being under way.
    ///
    /// # Panics
    /// When `most` is zero.
    ///
    /// # Cancel safety
    /// Futures that have begun stay in the stream, and go on when it is asked again; they are dropped with it. A panic of one
    /// comes out here.
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, time::{Instant, sleep}};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// runtime.block_on(async {
    ///     let start = Instant::now();
    ///     let fetch = |n| async move {
    ///         sleep(Duration::from_secs(n)).await;
    ///         n
    ///     };
    ///     let fetched: Vec<_> = stream::iter([3, 1, 2]).map(fetch).buffered(3).collect().await;
    ///     assert_eq!(fetched, [3, 1, 2]);
    ///     assert_eq!(start.elapsed(), Duration::from_secs(3)); // not six
    /// });
    /// ```
    #[track_caller]
    fn buffered(self, most: usize) -> impl Stream<Item = <Self::Item as Future>::Output>
    where
        Self: Sized + Stream<Item: Future>,
    {
        Buffered::new(self, most)
    }

    /// [`buffered`](StreamExt::buffered), but the outputs come as they are ready: a slow future holds up nobody.
    ///
    /// # Panics
    /// When `most` is zero.
    ///
    /// # Cancel safety
    /// As that of [`buffered`](StreamExt::buffered).
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, time::sleep};
    /// use std::time::Duration;
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// let fetch = |n| async move {
    ///     sleep(Duration::from_secs(n)).await;
    ///     n
    /// };
    /// let fetched = stream::iter([3, 1, 2]).map(fetch).buffer_unordered(3);
    /// assert_eq!(runtime.block_on(fetched.collect::<Vec<_>>()), [1, 2, 3]);
    /// ```
    #[track_caller]
    fn buffer_unordered(self, most: usize) -> impl Stream<Item = <Self::Item as Future>::Output>
    where
        Self: Sized + Stream<Item: Future>,
    {
        BufferUnordered::new(self, most)
    }

    /// The values of both, as they come; where both have one, they take turns. Ends when both have ended.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let both = stream::repeat("a").take(3).merge(stream::repeat("b").take(1));
    /// assert_eq!(runtime::block_on(both.collect::<String>()), "abaa");
    /// ```
    fn merge(self, other: impl Stream<Item = Self::Item>) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Merge::new(self, other)
    }

    /// The values of this one, then those of the other.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let all = stream::once(1).chain(stream::iter([2, 3]));
    /// assert_eq!(runtime::block_on(all.collect::<Vec<_>>()), [1, 2, 3]);
    /// ```
    fn chain(self, other: impl Stream<Item = Self::Item>) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Chain::new(self, other)
    }

    /// Pairs of the values of both, until one of them ends. A value without its other half is dropped then.
    ///
    /// # Cancel safety
    /// A half that is there when [`next`](StreamExt::next) is given up is kept.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let pairs = stream::iter(1..).zip(stream::iter(["one", "two"]));
    /// assert_eq!(runtime::block_on(pairs.collect::<Vec<_>>()), [(1, "one"), (2, "two")]);
    /// ```
    fn zip<T>(self, other: impl Stream<Item = T>) -> impl Stream<Item = (Self::Item, T)>
    where
        Self: Sized,
    {
        Zip::new(self, other)
    }

    /// May be asked again after its end: it says `None` for ever. What it was made of is dropped at the end.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let mut fused = stream::once(1).fuse();
    /// runtime::block_on(async {
    ///     assert_eq!((fused.next().await, fused.next().await, fused.next().await), (Some(1), None, None));
    /// });
    /// ```
    fn fuse(self) -> impl Stream<Item = Self::Item>
    where
        Self: Sized,
    {
        Fuse::new(self)
    }

    /// Puts it on the heap: see [`BoxStream`].
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let mut numbers = stream::iter([1, 2, 3]).boxed();
    /// numbers = numbers.filter(|n| n % 2 == 1).boxed(); // another kind of stream, the same type
    /// assert_eq!(runtime::block_on(numbers.collect::<Vec<_>>()), [1, 3]);
    /// ```
    fn boxed<'a>(self) -> BoxStream<'a, Self::Item>
    where
        Self: Sized + Send + 'a,
    {
        Box::pin(self)
    }

    /// Makes one value of all: `step` is given what it made last, beginning with `start`, and the next value.
    ///
    /// # Cancel safety
    /// What was made so far is lost, and so is the stream.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// assert_eq!(runtime::block_on(stream::iter(1..=5).fold(1, |product, n| product * n)), 120);
    /// ```
    fn fold<T>(self, start: T, mut step: impl FnMut(T, Self::Item) -> T) -> impl Future<Output = T>
    where
        Self: Sized,
    {
        async move {
            let mut stream = pin!(self);
            let mut made = start;
            while let Some(value) = stream.next().await {
                made = step(made, value);
            }
            made
        }
    }

    /// Does something with each value, one after the other.
    ///
    /// # Cancel safety
    /// The value that `act` works on is dropped with it, and so is the stream.
    ///
    /// ```
    /// use runtime::{stream::{self, StreamExt}, yield_now};
    /// runtime::block_on(async {
    ///     let mut sum = 0;
    ///     let add = async |n| {
    ///         yield_now().await;
    ///         sum += n;
    ///     };
    ///     stream::iter([1, 2, 3]).for_each(add).await;
    ///     assert_eq!(sum, 6);
    /// });
    /// ```
    fn for_each(self, mut act: impl AsyncFnMut(Self::Item)) -> impl Future<Output = ()>
    where
        Self: Sized,
    {
        async move {
            let mut stream = pin!(self);
            while let Some(value) = stream.next().await {
                act(value).await;
            }
        }
    }

    /// All values, in a collection.
    ///
    /// # Cancel safety
    /// What was collected so far is lost, and so is the stream.
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// assert_eq!(runtime::block_on(stream::iter(["loo", "m"]).collect::<String>()), "loom");
    /// ```
    fn collect<C: Default + Extend<Self::Item>>(self) -> impl Future<Output = C>
    where
        Self: Sized,
    {
        self.fold(C::default(), |mut all, value| {
            all.extend(Some(value));
            all
        })
    }

    /// All values of a stream of results; or the first error, with which it stops and drops the stream.
    ///
    /// # Errors
    /// The first one that came.
    ///
    /// # Cancel safety
    /// As that of [`collect`](StreamExt::collect).
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// let numbers = |words: [&'static str; 3]| stream::iter(words).map(str::parse::<i32>).try_collect::<_, _, Vec<_>>();
    /// assert_eq!(runtime::block_on(numbers(["1", "2", "3"])), Ok(vec![1, 2, 3]));
    /// assert!(runtime::block_on(numbers(["1", "two", "3"])).is_err());
    /// ```
    fn try_collect<T, E, C: Default + Extend<T>>(self) -> impl Future<Output = Result<C, E>>
    where
        Self: Sized + Stream<Item = Result<T, E>>,
    {
        async move {
            let mut stream = pin!(self);
            let mut all = C::default();
            while let Some(value) = stream.next().await {
                all.extend(Some(value?));
            }
            Ok(all)
        }
    }

    /// How many values there are.
    ///
    /// # Cancel safety
    /// As that of [`collect`](StreamExt::collect).
    ///
    /// ```
    /// use runtime::stream::{self, StreamExt};
    /// assert_eq!(runtime::block_on(stream::iter("loom".chars()).count()), 4);
    /// ```
    fn count(self) -> impl Future<Output = usize>
    where
        Self: Sized,
    {
        self.fold(0, |count, _| count + 1)
    }
}

impl<S: Stream + ?Sized> StreamExt for S {}
