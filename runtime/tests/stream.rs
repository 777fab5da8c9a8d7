//! Streams: what they give, when, and what is not lost.

#[path = "sync/support.rs"]
#[allow(dead_code, reason = "the tests of the primitives share more than these need")]
mod support;

use runtime::{
    Runtime,
    future::join,
    stream::{self, BoxStream, Stream, StreamExt},
    time::{Instant, sleep},
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};
use support::{at_every_poll, by_hand, cut_after};

/// Runs `test` on the virtual clock, and tells how many seconds it took there.
fn in_seconds<T>(test: impl AsyncFnOnce() -> T) -> (T, f64) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(async {
        let start = Instant::now();
        let output = test().await;
        (output, start.elapsed().as_secs_f64())
    })
}

async fn seconds(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds)).await;
}

/// One that must be waited for before each value.
fn slow(numbers: std::ops::Range<u32>) -> impl Stream<Item = u32> + Unpin {
    stream::generate(async move |out| {
        for number in numbers {
            yield_now().await;
            out.emit(number).await;
        }
    })
}

fn all<T>(values: impl Stream<Item = T>) -> Vec<T> {
    by_hand(values.collect())
}

/// Bug ⚠21: a filter that asks its predicate once to see what it answers, and once more for the answer.
#[test]
fn a_function_is_called_once_for_each_value() {
    let calls = Cell::new(0);
    let called = || calls.set(calls.get() + 1);
    let counted = |name: &str, values: BoxStreamHere<'_, u32>| {
        calls.set(0);
        all(values);
        assert_eq!(calls.get(), 10, "{name}");
    };
    counted("map", Box::pin(slow(0..10).map(|n| (called(), n).1)));
    counted("then", Box::pin(slow(0..10).then(async |n| (called(), yield_now().await, n).2)));
    counted("filter", Box::pin(slow(0..10).filter(|n| (called(), n % 2 == 0).1)));
    counted(
        "filter_async",
        Box::pin(slow(0..10).filter_async(async |n: &u32| (called(), yield_now().await, n.is_multiple_of(2)).2)),
    );
    counted("filter_map", Box::pin(slow(0..10).filter_map(|n| (called(), (n > 3).then_some(n)).1)));
    counted("take_while", Box::pin(slow(0..20).take_while(|n| (called(), *n < 9).1)));
    calls.set(0);
    by_hand(slow(0..10).fold(0, |sum, n| (called(), sum + n).1));
    by_hand(slow(0..10).for_each(async |_| called()));
    assert_eq!(calls.get(), 20, "fold and for_each");
}

type BoxStreamHere<'a, T> = Pin<Box<dyn Stream<Item = T> + 'a>>;

#[test]
fn giving_up_next_at_any_poll_loses_no_value_and_calls_nothing_twice() {
    /// Everything that may hold something between two polls.
    fn pipeline(calls: &Cell<u32>) -> impl Stream<Item = Vec<u32>> {
        slow(0..10)
            .then(async move |n| {
                calls.set(calls.get() + 1);
                yield_now().await;
                n
            })
            .filter_async(async |n: &u32| {
                yield_now().await;
                n % 5 != 4
            })
            .merge(slow(100..102))
            .zip(slow(0..100))
            .map(|(n, _)| async move {
                yield_now().await;
                n
            })
            .buffered(3)
            .chunks(4)
    }
    at_every_poll(|polls| {
        let calls = Cell::new(0);
        let mut values = pin!(pipeline(&calls));
        let (first, rest) = by_hand(async {
            let first = cut_after(polls, values.next()).await;
            (first, values.collect::<Vec<_>>().await)
        });
        let cut = first.is_none();
        let mut all: Vec<u32> = first.flatten().into_iter().chain(rest).flatten().collect();
        all.sort();
        assert_eq!(all, [0, 1, 2, 3, 5, 6, 7, 8, 100, 101], "cut after {polls} polls");
        assert_eq!(calls.get(), 10);
        cut
    });
}

#[test]
fn a_range_goes_up_and_down_and_ends_where_numbers_end() {
    for (start, stop, step, numbers) in [
        (0, 5, 1, &[0, 1, 2, 3, 4][..]),
        (5, 0, -2, &[5, 3, 1]),
        (0, 0, 1, &[]),
        (0, 5, -1, &[]),
        (5, 0, 1, &[]),
        (i64::MAX - 1, i64::MAX, 3, &[i64::MAX - 1]),
        (i64::MIN + 1, i64::MIN, -3, &[i64::MIN + 1]),
    ] {
        let range = stream::range(start, stop, step);
        assert_eq!(all(range.clone()), numbers);
        assert_eq!(all(range), numbers, "a second time");
    }
}

#[test]
#[should_panic(expected = "a range with a step of zero never ends")]
fn a_range_that_would_never_end_is_refused() {
    let _ = stream::range(0, 5, 0);
}

#[test]
fn a_generator_runs_no_further_than_it_is_asked() {
    let said = RefCell::new(Vec::new());
    let mut values = stream::generate(async |out| {
        said.borrow_mut().push("begins");
        out.emit(1).await;
        said.borrow_mut().push("goes on");
        out.emit(2).await;
        said.borrow_mut().push("ends");
    });
    by_hand(async {
        assert!(said.borrow().is_empty());
        assert_eq!(values.next().await, Some(1));
        assert_eq!(said.borrow().as_slice(), ["begins"]);
        assert_eq!(values.next().await, Some(2));
        assert_eq!(said.borrow().as_slice(), ["begins", "goes on"]);
        assert_eq!(values.next().await, None);
        assert_eq!(said.borrow().as_slice(), ["begins", "goes on", "ends"]);
        assert_eq!(values.next().await, None, "and for ever");
    });
}

#[test]
fn a_dropped_stream_drops_its_generator_where_it_stands() {
    let held = Rc::new(());
    let mine = held.clone();
    let mut values = stream::generate(async move |out| {
        for n in 0.. {
            out.emit((n, Rc::strong_count(&mine))).await;
        }
    });
    assert_eq!(by_hand(values.next()), Some((0, 2)));
    drop(values);
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn side_by_side_every_value_is_given_in_the_order_in_which_it_was_emitted() {
    let values = stream::generate(async |out| {
        join(
            async {
                for n in [1, 3, 5] {
                    out.emit(n).await;
                }
            },
            async {
                for n in [2, 4, 6] {
                    out.emit(n).await;
                }
            },
        )
        .await;
    });
    assert_eq!(all(values), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_value_that_was_handed_over_is_given_also_if_its_emit_is_dropped() {
    let values = stream::generate(async |out| {
        assert!(support::poll(pin!(out.emit(1))).is_pending());
        assert!(support::poll(pin!(out.emit(2))).is_pending());
    });
    assert_eq!(all(values), [1, 2]);
}

/// Polls its future only if that was woken, with a waker of its own: what a set of futures does.
struct OnlyIfWoken<F>(Pin<Box<F>>, Arc<Woken>);

#[derive(Default)]
struct Woken(AtomicBool, std::sync::Mutex<Option<Waker>>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        if let Some(parent) = self.1.lock().unwrap().take() {
            parent.wake();
        }
    }
}

impl<F: Future> Future for OnlyIfWoken<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        *self.1.1.lock().unwrap() = Some(context.waker().clone());
        if !self.1.0.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        let waker = Waker::from(self.1.clone());
        self.0.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[test]
fn a_part_of_a_generator_that_is_polled_only_when_woken_goes_on() {
    let values = stream::generate(async |out| {
        let part = Box::pin(async {
            for n in 0..4 {
                out.emit(n).await;
            }
        });
        let woken = Woken::default();
        woken.0.store(true, Ordering::SeqCst);
        OnlyIfWoken(part, Arc::new(woken)).await;
    });
    assert_eq!(all(values), [0, 1, 2, 3]);
}

#[test]
fn take_lets_the_stream_go_with_the_last_value() {
    let source = Rc::new(());
    let held = source.clone();
    let mut two = pin!(stream::repeat(1).map(move |n| (&held, n).1).take(2));
    by_hand(async {
        assert_eq!(two.next().await, Some(1));
        assert_eq!(Rc::strong_count(&source), 2);
        assert_eq!(two.next().await, Some(1));
        assert_eq!(Rc::strong_count(&source), 1);
        assert_eq!(two.next().await, None);
    });
    let never = stream::once(()).map(|()| panic!("it was asked"));
    assert_eq!(by_hand(never.take(0).count()), 0);
}

#[test]
fn take_until_ends_with_its_future_and_lets_the_stream_go() {
    let (values, took) = in_seconds(async || {
        let ticks = stream::iter(1..).then(async |n| (seconds(1.0).await, n).1);
        ticks.take_until(seconds(2.5)).collect::<Vec<_>>().await
    });
    assert_eq!((values, took), (vec![1, 2], 2.5));
    // The end wins, also over a value that is there.
    assert_eq!(by_hand(stream::once(1).take_until(std::future::ready(())).count()), 0);
}

#[test]
fn chunks_are_full_but_the_last() {
    let sizes = |count, size| all(slow(0..count).chunks(size).map(|chunk| chunk.len()));
    assert_eq!(sizes(10, 3), [3, 3, 3, 1]);
    assert_eq!(sizes(9, 3), [3, 3, 3]);
    assert_eq!(sizes(2, usize::MAX), [2]);
    assert_eq!(sizes(0, 3), [0; 0]);
    assert_eq!(all(slow(0..10).chunks(3)).concat(), (0..10).collect::<Vec<_>>());
}

#[test]
#[should_panic(expected = "a chunk of no values would never be full")]
fn chunks_of_nothing_are_refused() {
    let _ = stream::once(1).chunks(0);
}

#[test]
fn a_chunk_waits_for_its_last_values_no_longer_than_the_delay() {
    let begun = Cell::new(0);
    let (chunks, took) = in_seconds(async || {
        // At 1, 2, 3, 4 and 14 seconds.
        let values = stream::iter([1.0, 1.0, 1.0, 1.0, 10.0]).then(async |pause| (seconds(pause).await, pause).1);
        let delay = || {
            begun.set(begun.get() + 1);
            seconds(2.5)
        };
        let mut chunks = pin!(values.chunks_timeout(3, delay));
        let start = Instant::now();
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().await {
            all.push((chunk.len(), start.elapsed().as_secs_f64()));
        }
        all
    });
    // The first is full before its time; the second's begins with its first value; the last ends with the stream.
    assert_eq!(chunks, [(3, 3.0), (1, 6.5), (1, 14.0)]);
    assert_eq!((took, begun.get()), (14.0, 3));
}

/// Futures that take so many seconds; and how many are under way, and were at most.
struct UnderWay {
    now: Cell<usize>,
    most: Cell<usize>,
    begun: Cell<usize>,
}

impl UnderWay {
    fn new() -> Self {
        Self { now: Cell::new(0), most: Cell::new(0), begun: Cell::new(0) }
    }

    async fn take(&self, time: f64) -> f64 {
        struct Leave<'a>(&'a Cell<usize>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        self.now.set(self.now.get() + 1);
        self.begun.set(self.begun.get() + 1);
        self.most.set(self.most.get().max(self.now.get()));
        let _leave = Leave(&self.now);
        seconds(time).await;
        time
    }
}

#[test]
fn buffered_keeps_the_order_and_the_bound() {
    let times = [3.0, 1.0, 2.0, 1.0, 1.0];
    let under_way = UnderWay::new();
    let (given, took) =
        in_seconds(async || stream::iter(times).map(|time| under_way.take(time)).buffered(2).collect::<Vec<_>>().await);
    assert_eq!(given, times);
    // What is done keeps its place until those before it are given: the third begins only at three seconds.
    assert_eq!((took, under_way.most.get()), (6.0, 2));
    // However often it is asked, a first one that is stuck lets no outputs pile up behind it.
    let begun = Cell::new(0);
    let first_stuck = |number| {
        begun.set(begun.get() + 1);
        async move {
            if number == 0 {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut stuck = stream::iter(0..).map(first_stuck).buffered(3);
    for _ in 0..10 {
        assert!(support::poll(pin!(stuck.next())).is_pending());
    }
    assert_eq!(begun.get(), 3);
}

#[test]
fn buffer_unordered_gives_what_is_ready_and_keeps_the_bound() {
    let under_way = UnderWay::new();
    let (given, took) = in_seconds(async || {
        let times = stream::iter([3.0, 1.0, 1.5, 1.0]);
        times.map(|time| under_way.take(time)).buffer_unordered(2).collect::<Vec<_>>().await
    });
    assert_eq!(given, [1.0, 1.5, 3.0, 1.0]);
    assert_eq!((took, under_way.most.get()), (3.5, 2));
}

#[test]
fn buffers_begin_nothing_before_they_are_asked_and_drop_what_they_began() {
    let under_way = UnderWay::new();
    in_seconds(async || {
        let mut unordered = Box::pin(stream::repeat(1.0).map(|time| under_way.take(time)).buffer_unordered(3));
        assert_eq!(under_way.begun.get(), 0);
        unordered.next().await;
        drop(unordered);
        assert_eq!((under_way.now.get(), under_way.most.get()), (0, 3));
        let mut ordered = Box::pin(stream::repeat(1.0).map(|time| under_way.take(time)).buffered(3));
        ordered.next().await;
        drop(ordered);
        assert_eq!((under_way.now.get(), under_way.most.get()), (0, 3));
    });
}

#[test]
fn buffers_poll_only_what_was_woken() {
    let polls = Arc::new(AtomicUsize::new(0));
    let waiting = || {
        let polls = polls.clone();
        stream::iter(0..100).map(move |n| {
            let polls = polls.clone();
            let mut sleep = Box::pin(seconds(f64::from(n)));
            poll_fn(move |context| {
                polls.fetch_add(1, Ordering::SeqCst);
                sleep.as_mut().poll(context)
            })
        })
    };
    in_seconds(async || waiting().buffered(100).count().await);
    let ordered = polls.swap(0, Ordering::SeqCst);
    in_seconds(async || waiting().buffer_unordered(100).count().await);
    let unordered = polls.load(Ordering::SeqCst);
    // Twice each: when it begins, and when it is woken. Polled with each other, that were thousands.
    assert!(ordered <= 200 && unordered <= 200, "{ordered} and {unordered} polls for a hundred futures");
}

#[test]
fn merge_takes_turns_and_ends_with_the_last() {
    let both = stream::repeat("a").take(4).merge(stream::repeat("b").take(2));
    assert_eq!(by_hand(both.collect::<String>()), "ababaa");
    let (both, took) = in_seconds(async || {
        let every = |pause: f64, name: &'static str| {
            stream::repeat(name).take(3).then(async move |name| (seconds(pause).await, name).1)
        };
        every(1.0, "a").merge(every(1.6, "b")).collect::<String>().await
    });
    assert_eq!((both.as_str(), took), ("abaabb", 4.8));
}

#[test]
fn the_small_adaptors_do_what_iterators_do() {
    assert_eq!(all(slow(0..3).chain(slow(7..9))), [0, 1, 2, 7, 8]);
    assert_eq!(all(slow(0..9).zip(slow(4..6))), [(0, 4), (1, 5)]);
    assert_eq!(all(slow(4..6).zip(slow(0..9))), [(4, 0), (5, 1)]);
    assert_eq!(all(slow(0..5).skip(3)), [3, 4]);
    assert_eq!(all(slow(0..2).skip(3)), [0; 0]);
    assert_eq!(all(slow(4..6).enumerate()), [(0, 4), (1, 5)]);
    assert_eq!(by_hand(slow(0..5).count()), 5);
    assert_eq!(by_hand(slow(1..5).fold(1, |product, n| product * n)), 24);
    let words = |words: &'static str| stream::iter(words.split(' ')).map(str::parse::<u8>);
    assert_eq!(by_hand(words("1 2").try_collect::<_, _, Vec<_>>()), Ok(vec![1, 2]));
    assert!(by_hand(words("1 x 2").try_collect::<_, _, Vec<_>>()).is_err());
}

/// A stream that panics when it is asked after its end, as any may.
struct Brittle(bool);

impl Stream for Brittle {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
        assert!(!std::mem::replace(&mut self.0, true), "asked after its end");
        Poll::Ready(None)
    }
}

#[test]
fn no_adaptor_asks_a_stream_after_its_end() {
    let brittle = || Brittle(false);
    let futures = || Brittle(false).map(std::future::ready);
    let twice = |name: &str, mut values: BoxStream<'static, ()>| {
        assert_eq!(by_hand(async { (values.next().await, values.next().await) }), (None, None), "{name}");
    };
    twice("fuse", brittle().fuse().boxed());
    twice("map", brittle().map(|()| ()).boxed());
    twice("filter", brittle().filter(|()| true).boxed());
    twice("take", brittle().take(2).boxed());
    twice("take_until", brittle().take_until(std::future::pending::<()>()).boxed());
    twice("chunks", brittle().chunks(2).map(drop).boxed());
    twice("buffered", futures().buffered(2).boxed());
    twice("buffer_unordered", futures().buffer_unordered(2).boxed());
    twice("merge", brittle().merge(brittle()).boxed());
    twice("chain", brittle().chain(brittle()).boxed());
    twice("zip", brittle().zip(brittle()).map(drop).boxed());
    twice("then", brittle().then(async |()| ()).boxed());
    twice("filter_async", brittle().filter_async(async |()| true).boxed());
}

/// A source that always has a value must not hold up the rest of its runtime.
#[test]
fn a_loop_over_a_stream_that_is_always_ready_gives_way() {
    runtime::block_on(async {
        for endless in [
            stream::repeat(0).boxed(),
            stream::range(0, i64::MAX, 1).boxed(),
            stream::generate(async |out| {
                loop {
                    out.emit(0).await
                }
            })
            .boxed(),
            stream::unfold(0, async |n: i64| Some((n, n + 1))).boxed(),
        ] {
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = stop.clone();
            let counting = runtime::spawn(endless.take_while(move |_| !stopped.load(Ordering::SeqCst)).count());
            yield_now().await;
            stop.store(true, Ordering::SeqCst);
            counting.await.unwrap();
        }
    });
}

/// Inventory C46, C47, C52: what the articles' generators take, and what they give.
#[test]
fn generators_take_the_sum_of_their_waits_and_buffered_ones_less() {
    let (count, took) = in_seconds(async || {
        let counter = stream::unfold(0, async |n| (seconds(0.2).await, (n < 5).then_some((n, n + 1))).1);
        // The wait before the end is one more.
        counter.take(5).collect::<Vec<_>>().await
    });
    assert_eq!((count, took), (vec![0, 1, 2, 3, 4], 1.0));

    let source = || {
        stream::generate(async |out| {
            for n in 0..10 {
                seconds(0.1).await;
                out.emit(n).await;
            }
        })
    };
    let squares = vec![0, 4, 16, 36, 64];
    let sequential = in_seconds(async || {
        let even = source().filter_async(async |n: &u32| (seconds(0.05).await, n.is_multiple_of(2)).1);
        even.then(async |n| (seconds(0.05).await, n * n).1).collect::<Vec<_>>().await
    });
    assert_eq!(sequential, (squares.clone(), 1.75));
    let together = in_seconds(async || {
        let even = source().map(|n| async move { (seconds(0.05).await, (n % 2 == 0).then_some(n)).1 });
        let even = even.buffered(3).filter_map(|n| n);
        even.map(|n| async move { (seconds(0.05).await, n * n).1 }).buffered(3).collect::<Vec<_>>().await
    });
    assert_eq!(together, (squares, 1.05));
}

#[test]
fn no_stream_has_to_be_pinned_if_its_sources_need_not_be() {
    fn unpinned(mut values: impl Stream + Unpin) {
        assert!(by_hand(async { values.next().await.is_some() }));
    }
    let numbers = || stream::unfold(0, async |n: u32| Some((n, n + 1)));
    let wait = async |n: u32| (yield_now().await, n).1;
    unpinned(numbers().then(wait).filter_async(async |n: &u32| (yield_now().await, *n > 3).1));
    unpinned(numbers().map(wait).buffered(2).merge(numbers().map(wait).buffer_unordered(2)));
    unpinned(numbers().take(3).zip(numbers()).chain(stream::empty()).chunks_timeout(2, async || yield_now().await));
    unpinned(numbers().take_until(async { std::future::pending::<()>().await }).skip(1).enumerate().fuse());
}

#[test]
fn streams_can_be_sent_where_their_values_can() {
    fn sent(values: impl Stream<Item = u32> + Send + 'static) -> u32 {
        runtime::block_on(async { runtime::spawn(values.fold(0, |sum, n| sum + n)).await.unwrap() })
    }
    let bound = 10;
    assert_eq!(sent(stream::generate(async move |out| out.emit(bound).await).then(async |n| n + 1)), 11);
    assert_eq!(sent(stream::iter(0..5).map(|n| async move { n }).buffered(2).chunks(2).map(|two| two.len() as u32)), 5);
    assert_eq!(sent(stream::iter(0..5).filter_async(async |n: &u32| *n > 2).merge(stream::once(1))), 8);
}

/// The body may keep what it emits with: then the stream's end ends the wait.
#[test]
fn what_is_emitted_outside_of_the_body_waits_for_nobody_who_is_gone() {
    let (keep, kept) = std::sync::mpsc::channel();
    let numbers = stream::generate(|out: stream::Yielder<u8>| {
        keep.send(out).unwrap();
        async {}
    });
    let kept = kept.recv().unwrap();
    runtime::block_on(async {
        let mut late = pin!(kept.emit(1));
        assert!(futures_lite::future::poll_once(late.as_mut()).await.is_none());
        drop(numbers);
        late.await;
        kept.emit(2).await;
    });
}

#[test]
fn a_generator_runs_in_a_task_of_its_own() {
    let sum = runtime::block_on(async {
        runtime::spawn(async {
            let numbers = stream::generate(async |out| {
                for number in 0..5 {
                    runtime::yield_now().await;
                    out.emit(number).await;
                }
            });
            numbers.filter_async(async |number| number % 2 == 0).fold(0, |sum, number| sum + number).await
        })
        .await
        .unwrap()
    });
    assert_eq!(sum, 6);
}
