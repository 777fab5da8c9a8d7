//! Timers.

use super::SLEEPERS;
use crate::side_by_side::{
    meter::{Meter, Sample},
    sides::Side,
};
use std::{
    future::{Future, poll_fn},
    iter,
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, Instant},
};

async fn is_pending_at_first(mut future: Pin<&mut impl Future<Output = ()>>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

pub(super) async fn timer_cancel<S: Side>(operations: usize) -> Sample {
    let meter = Meter::start();
    for _ in 0..operations {
        let sleep = pin!(S::sleep(Duration::from_secs(60)));
        assert!(is_pending_at_first(sleep).await);
    }
    meter.spent(operations)
}

/// Durations between `least` and `most`, spread without order, and the same on every side.
fn durations(seed: usize, least: Duration, most: Duration) -> impl Iterator<Item = Duration> {
    let span = (most - least).as_nanos() as u64;
    let mut state = seed as u64 + 1;
    iter::repeat_with(move || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        least + Duration::from_nanos((mixed ^ (mixed >> 31)) % span)
    })
}

pub(super) async fn timers_million<S: Side>(operations: usize) -> Sample {
    let mut sleeps = Vec::with_capacity(operations);
    let arming = Meter::start();
    for duration in durations(0, Duration::from_secs(60), Duration::from_secs(3_600)).take(operations) {
        let mut sleep = Box::pin(S::sleep(duration));
        assert!(is_pending_at_first(sleep.as_mut()).await);
        sleeps.push(sleep);
    }
    let armed = arming.spent(operations);
    let cancelling = Meter::start();
    assert_eq!(sleeps.len(), operations);
    sleeps.clear();
    let cancelled = cancelling.spent(operations);
    // The first two of each are processor and wall; allocations only while they are counted.
    let named = [("arm: CPU ns", armed[0].1), ("cancel: CPU ns", cancelled[0].1)];
    named.into_iter().chain([("arm: wall ns", armed[1].1)]).chain(armed.get(2).copied()).collect()
}

pub(super) async fn timers_firing<S: Side>(operations: usize) -> Sample {
    let each = operations / SLEEPERS;
    let meter = Meter::start();
    let sleeper = |number| {
        S::spawn(async move {
            let mut late = Vec::with_capacity(each);
            for duration in durations(number, Duration::from_millis(1), Duration::from_millis(40)).take(each) {
                let deadline = Instant::now() + duration;
                S::sleep(duration).await;
                late.push(Instant::now().checked_duration_since(deadline).expect("no timer fires early"));
            }
            late
        })
    };
    let tasks: Vec<_> = (0..SLEEPERS).map(sleeper).collect();
    let mut late = Vec::with_capacity(operations);
    for task in tasks {
        late.extend(task.await);
    }
    let mut sample = meter.spent(operations);
    assert_eq!(late.len(), operations);
    late.sort_unstable();
    let microseconds = |at: usize| late[at].as_nanos() as f64 / 1_000.0;
    sample.push(("late p50 µs", microseconds(operations / 2)));
    sample.push(("late p99 µs", microseconds(operations * 99 / 100)));
    sample
}
