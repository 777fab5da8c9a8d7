//! As many at once as the other side bears. (Inventory: D11.)

use crate::{
    MILLISECOND, SECOND,
    support::{Wakes, at_every_poll, cut_after, poll},
    timed,
};
use netio::policy::{AdaptiveLimit, AdaptivePermit, Goal};
use runtime::{
    Runtime,
    future::{join, join_all},
    random::Generator,
    spawn,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    cell::Cell,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

const GOAL: Goal = Goal::Speed(100_000.0);

/// A round of samples at this speed.
fn round(limit: &AdaptiveLimit, bytes_per_second: u64) {
    (0..limit.limit()).for_each(|_| limit.record(bytes_per_second, SECOND));
}

/// Nobody has a permit, and as many can be had as the limit says.
fn all_is_there(limit: &AdaptiveLimit) {
    assert_eq!(limit.in_use(), 0);
    let now = || match poll(pin!(limit.acquire())) {
        Poll::Ready(permit) => Some(permit),
        Poll::Pending => None,
    };
    let permits: Vec<AdaptivePermit> = std::iter::from_fn(now).take(1_000).collect();
    assert_eq!(permits.len(), limit.limit(), "a permit is lost, or there is one too many");
}

#[test]
fn a_server_that_is_throttled_has_it_fall_from_ten_to_five_and_climb_back_after() {
    timed(async {
        let (limit, throttled, running) = (AdaptiveLimit::new(5..=10, GOAL), Cell::new(true), Cell::new(0));
        let heights = Cell::new(Vec::new());
        let download = async |_: u32| {
            let _permit = limit.acquire().await;
            running.set(running.get() + 1);
            let start = Instant::now();
            sleep(if throttled.get() { 2 * SECOND } else { SECOND / 2 }).await;
            limit.record(100_000, start.elapsed());
            running.set(running.get() - 1);
            let mut seen = heights.take();
            seen.push(limit.limit());
            seen.dedup();
            heights.set(seen);
        };
        join_all((0..40).map(&download)).await;
        assert_eq!(heights.take(), [10, 8, 6, 5]);
        throttled.set(false);
        join_all((0..60).map(&download)).await;
        assert_eq!(heights.take(), [5, 6, 7, 8, 9, 10]);
        assert_eq!(running.get(), 0);
        all_is_there(&limit);
    });
}

#[test]
fn one_slow_sample_is_no_verdict_and_ten_failures_are_one() {
    let limit = AdaptiveLimit::new(1..=10, GOAL);
    limit.record(1_000, SECOND);
    assert_eq!(limit.limit(), 10);
    (0..9).for_each(|_| limit.record(900_000, SECOND));
    assert_eq!(limit.limit(), 10, "the average is good");
    (0..10).for_each(|_| limit.record_failure());
    assert_eq!(limit.limit(), 8);
    limit.record_failure();
    (0..7).for_each(|_| limit.record(900_000, SECOND));
    assert_eq!(limit.limit(), 6, "a failure is no speed that others can make up for");
}

#[test]
fn a_goal_of_latency_looks_at_the_time_alone() {
    let limit = AdaptiveLimit::new(1..=4, Goal::Latency(200 * MILLISECOND)).starting_at(2);
    [150, 250].iter().for_each(|time| limit.record(0, *time * MILLISECOND));
    assert_eq!(limit.limit(), 3, "just good enough");
    [200, 200, 201].iter().for_each(|time| limit.record(1 << 40, *time * MILLISECOND));
    assert_eq!(limit.limit(), 1);
    // No time at all is quick, also for a speed.
    limit.record(0, Duration::ZERO);
    assert_eq!(limit.limit(), 2);
    let speed = AdaptiveLimit::new(1..=2, GOAL).starting_at(1);
    speed.record(0, Duration::ZERO);
    assert_eq!(speed.limit(), 2);
    speed.record(u64::MAX, SECOND);
    speed.record(u64::MAX, Duration::MAX);
    assert_eq!(speed.limit(), 1);
}

#[test]
fn what_runs_above_the_limit_is_worked_off_as_it_ends() {
    timed(async {
        let limit = AdaptiveLimit::new(1..=4, GOAL);
        let mut permits: Vec<_> = join_all((0..4).map(async |_| limit.acquire().await)).await;
        round(&limit, 1);
        assert_eq!((limit.limit(), limit.in_use()), (2, 4));
        let mut waits = pin!(limit.acquire());
        for left in [3, 2] {
            permits.pop();
            assert!(poll(waits.as_mut()).is_pending());
            assert_eq!(limit.in_use(), left);
        }
        permits.pop();
        assert!(poll(waits.as_mut()).is_ready(), "below the limit the permit goes to the next");
    });
}

#[test]
fn a_limit_that_rises_pays_what_is_owed_first_and_then_wakes_the_first_who_waits() {
    timed(async {
        let limit = AdaptiveLimit::new(1..=4, GOAL).starting_at(3);
        let permits: Vec<_> = join_all((0..3).map(async |_| limit.acquire().await)).await;
        round(&limit, 1);
        let (wakes, waker) = Wakes::waker();
        let (mut first, mut second) = (pin!(limit.acquire()), pin!(limit.acquire()));
        assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        for (height, woken) in [(2, 0), (3, 0), (4, 1)] {
            round(&limit, 1_000_000);
            assert_eq!((limit.limit(), wakes.count()), (height, woken));
        }
        let fourth = poll(first.as_mut());
        assert!(fourth.is_ready() && poll(second.as_mut()).is_pending());
        assert_eq!(limit.in_use(), 4);
        drop(permits);
    });
}

#[test]
fn a_waiter_that_is_dropped_at_any_poll_loses_no_permit() {
    at_every_poll(|polls| {
        timed(async {
            let limit = AdaptiveLimit::new(1..=3, GOAL).starting_at(1);
            let holds = async {
                let _permit = limit.acquire().await;
                yield_now().await;
                round(&limit, 1_000_000);
                yield_now().await;
            };
            let cut = cut_after(polls, async {
                let _permit = limit.acquire().await;
                yield_now().await;
            });
            let ((), ended) = join(holds, cut).await;
            all_is_there(&limit);
            ended.is_none()
        })
    });
}

#[test]
fn whatever_happens_no_more_run_than_the_limit_allows_and_none_is_lost() {
    for seed in 0..2_000 {
        timed(async {
            let mut chance = Generator::new(seed);
            let most = 2 + chance.below(8) as usize;
            let limit =
                AdaptiveLimit::new(1..=most, GOAL).steps(1 + chance.below(3) as usize, chance.below(4) as usize);
            let mut permits = Vec::new();
            for _ in 0..60 {
                let before = limit.in_use();
                match chance.below(4) {
                    0 | 1 => match poll(pin!(limit.acquire())) {
                        Poll::Ready(permit) => permits.push(permit),
                        Poll::Pending => assert!(limit.in_use() >= limit.limit(), "seed {seed}: there was room"),
                    },
                    2 => drop(
                        (!permits.is_empty()).then(|| permits.swap_remove(chance.below(permits.len() as u64) as usize)),
                    ),
                    _ => round(&limit, if chance.chance(0.5) { 1 } else { 1_000_000 }),
                }
                assert!((1..=most).contains(&limit.limit()), "seed {seed}");
                assert_eq!(limit.in_use(), permits.len(), "seed {seed}");
                assert!(permits.len() <= limit.limit().max(before), "seed {seed}: one too many");
            }
            drop(permits);
            all_is_there(&limit);
        });
    }
}

#[test]
fn on_several_workers_none_is_lost_and_none_is_made() {
    let runtime = Runtime::builder().workers(4).build().unwrap();
    runtime.block_on(async {
        let limit = AdaptiveLimit::new(1..=6, GOAL);
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let limit = limit.clone();
                spawn(async move {
                    let mut chance = Generator::new(number);
                    for _ in 0..300 {
                        let Some(permit) = cut_after(chance.below(4) as usize, limit.acquire()).await else { continue };
                        yield_now().await;
                        drop(permit);
                        limit.record(if chance.chance(0.5) { 1 } else { 1_000_000 }, SECOND);
                    }
                })
            })
            .collect();
        join_all(tasks).await.into_iter().for_each(Result::unwrap);
        all_is_there(&limit);
    });
}

/// The moment between the look at what is owed and the return is short. (With a pause put there, and without the second look
/// after it, this fails at once.)
#[test]
fn a_permit_that_comes_back_while_the_limit_is_lowered_is_not_one_too_many() {
    let limit = AdaptiveLimit::new(1..=2, Goal::Speed(1.0)).steps(1, 1);
    let (permits, received) = std::sync::mpsc::sync_channel::<AdaptivePermit>(0);
    let (done, is_done) = std::sync::mpsc::sync_channel(0);
    // A thread that drops what it is given, at once.
    let thread = std::thread::spawn(move || {
        for permit in received {
            drop(permit);
            done.send(()).unwrap();
        }
    });
    for turn in 0..400 {
        let now = || match poll(pin!(limit.acquire())) {
            Poll::Ready(permit) => Some(permit),
            Poll::Pending => None,
        };
        let (kept, other) = (now().unwrap(), now().unwrap());
        permits.send(other).unwrap();
        // A little later each time: once it falls in between.
        (0..turn * 40).for_each(|_| std::hint::spin_loop());
        round(&limit, 0);
        is_done.recv().unwrap();
        assert_eq!((limit.limit(), now().is_none()), (1, true), "two run, and one may");
        drop(kept);
        all_is_there(&limit);
        round(&limit, 2);
    }
    drop(permits);
    thread.join().unwrap();
}
