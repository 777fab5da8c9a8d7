//! So many a second, and no more. (Inventory: A48.)

use crate::{
    MILLISECOND, SECOND,
    support::{at_every_poll, cut_after},
    timed,
};
use netio::policy::{RateError, RateLimiter};
use runtime::{
    Runtime,
    future::{join, join_all},
    random::Generator,
    spawn,
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};
use std::{cell::Cell, sync::Arc, time::Duration};

/// Twenty requests, ten at a time, each after `ready`: when they went, in milliseconds.
async fn twenty(ready: impl AsyncFn()) -> Vec<u128> {
    let (ten_at_once, start) = (Semaphore::new(10), Instant::now());
    join_all((0..20).map(async |_| {
        let _permit = ten_at_once.acquire().await.unwrap();
        ready().await;
        let went = start.elapsed().as_millis();
        sleep(5 * MILLISECOND).await;
        went
    }))
    .await
}

#[test]
fn twenty_at_ten_a_second_take_one_point_nine() {
    let limiter = RateLimiter::new(10.0).unwrap();
    let went = timed(twenty(async || limiter.until_ready().await));
    assert_eq!(went, (0..20).map(|number| 100 * number).collect::<Vec<_>>());
}

/// The mistake: each looks when the last one went, waits, and only then writes down that it goes.
#[test]
fn look_wait_and_write_lets_all_through_together() {
    let last = Cell::new(None::<Instant>);
    let went = timed(twenty(async || {
        let since = last.get().map_or(SECOND, Instant::elapsed);
        if since < 100 * MILLISECOND {
            sleep(100 * MILLISECOND - since).await;
        }
        last.set(Some(Instant::now()));
    }));
    assert!(*went.last().unwrap() <= 200, "{went:?}");
}

#[test]
fn a_rate_that_is_none_is_refused() {
    for rate in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-10, 1e10, f64::MIN_POSITIVE] {
        let Err(RateError::Rate(refused)) = RateLimiter::new(rate) else { panic!("{rate} was taken") };
        assert_eq!(refused.to_bits(), rate.to_bits());
    }
    assert_eq!(RateLimiter::with_burst(1.0, 0).unwrap_err(), RateError::Burst);
    // Rounded so that it is rather too slow.
    assert_eq!(RateLimiter::new(3.0).unwrap().interval().as_nanos(), 333_333_334);
    // The bounds themselves, and the largest burst: nothing overflows.
    for rate in [1e-9, 1e9] {
        assert_eq!(RateLimiter::with_burst(rate, u32::MAX).unwrap().try_acquire(), Ok(()));
    }
}

#[test]
fn who_does_not_wait_never_overtakes_who_does() {
    timed(async {
        let (limiter, start) = (RateLimiter::with_burst(10.0, 2).unwrap(), Instant::now());
        limiter.until_ready().await;
        limiter.until_ready().await;
        let waits = async {
            limiter.until_ready().await;
            start.elapsed()
        };
        let hurries = async {
            assert_eq!(limiter.waiting(), 1);
            assert_eq!(limiter.try_acquire(), Err(200 * MILLISECOND));
            sleep_until(start + 150 * MILLISECOND).await;
            assert_eq!(limiter.try_acquire(), Err(50 * MILLISECOND));
            sleep(50 * MILLISECOND).await;
            assert_eq!(limiter.try_acquire(), Ok(()));
        };
        assert_eq!(join(waits, hurries).await.0, 100 * MILLISECOND);
    });
}

#[test]
fn a_waiter_that_is_dropped_at_any_poll_gives_its_slot_to_those_behind() {
    at_every_poll(|polls| {
        timed(async {
            let (limiter, start) = (RateLimiter::new(1.0).unwrap(), Instant::now());
            let goes = async || {
                limiter.until_ready().await;
                start.elapsed()
            };
            let ((first, cut), (second, third)) =
                join(join(goes(), cut_after(polls, goes())), join(goes(), goes())).await;
            assert_eq!(first, Duration::ZERO);
            let ended = cut.is_some();
            assert!(cut.is_none_or(|moment| moment == SECOND));
            assert_eq!((second, third), if ended { (2 * SECOND, 3 * SECOND) } else { (SECOND, 2 * SECOND) });
            assert_eq!(limiter.waiting(), 0);
            assert_eq!(limiter.try_acquire(), Err(SECOND));
            !ended
        })
    });
}

#[test]
fn a_wait_that_is_dropped_before_its_first_poll_stands_in_no_line() {
    let limiter = RateLimiter::new(1.0).unwrap();
    let wait = limiter.until_ready();
    assert_eq!(limiter.waiting(), 0);
    drop(wait);
    assert_eq!(limiter.try_acquire(), Ok(()));
}

/// The token bucket as in the textbook, in whole nanoseconds: it holds `burst` intervals, and each one that goes costs one.
struct Bucket {
    interval: u128,
    size: u128,
    level: u128,
    at: u128,
}

impl Bucket {
    fn goes(&mut self, now: u128) -> bool {
        self.level = (self.level + now - self.at).min(self.size);
        self.at = now;
        let goes = self.level >= self.interval;
        self.level -= if goes { self.interval } else { 0 };
        goes
    }
}

#[test]
fn it_lets_through_what_a_token_bucket_lets_through() {
    for seed in 0..500 {
        timed(async {
            let mut chance = Generator::new(seed);
            let (rate, burst) = ((1 + chance.below(50)) as f64, 1 + chance.below(5) as u32);
            let limiter = RateLimiter::with_burst(rate, burst).unwrap();
            let interval = limiter.interval().as_nanos();
            let size = interval * u128::from(burst);
            let (mut bucket, start) = (Bucket { interval, size, level: size, at: 0 }, Instant::now());
            for _ in 0..200 {
                let goes = limiter.try_acquire();
                assert_eq!(goes.is_ok(), bucket.goes(start.elapsed().as_nanos()), "seed {seed}");
                // Often exactly so long as it says, when both must say yes.
                let wait = goes.err().filter(|_| chance.chance(0.5));
                sleep(wait.unwrap_or(Duration::from_nanos(chance.below(2 * interval as u64)))).await;
            }
        });
    }
}

/// One who comes at a moment, and gives up at another, in nanoseconds.
struct Visit {
    comes: u64,
    gives_up: u64,
}

/// When each of them goes, if it does: one after the other, in the order in which they come.
fn expected(visits: &[Visit], interval: u64, burst: u32) -> Vec<Option<u64>> {
    let mut went: Vec<u64> = Vec::new();
    let visit = |visit: &Visit| {
        // The rule itself, for every stretch of time that begins with one who went and ends with this one.
        let earliest = (0..went.len()).map(|first| {
            let many = (went.len() - first + 1) as u64;
            went[first] + many.saturating_sub(burst.into()) * interval
        });
        let at = earliest.max().unwrap_or(0).max(visit.comes);
        let goes = at < visit.gives_up;
        if goes {
            went.push(at);
        }
        goes.then_some(at)
    };
    visits.iter().map(visit).collect()
}

#[test]
fn in_no_time_more_than_burst_and_rate_allow_whoever_gives_up() {
    for seed in 0..2_000 {
        Runtime::simulated(seed).block_on(async {
            let mut chance = Generator::new(seed);
            let (rate, burst) = ((1 + chance.below(20)) as f64, 1 + chance.below(4) as u32);
            let limiter = Arc::new(RateLimiter::with_burst(rate, burst).unwrap());
            let interval = limiter.interval().as_nanos() as u64;
            let mut now = 0;
            let visits: Vec<_> = (0..25)
                .map(|_| {
                    // No two at the same moment: the order would be the scheduler's choice.
                    now += 1 + chance.below(interval * 3 / 2);
                    let patience = if chance.chance(0.4) { 1 + chance.below(4 * interval) } else { u64::MAX / 2 };
                    Visit { comes: now, gives_up: now + patience }
                })
                .collect();
            let start = Instant::now();
            // A task each: then the seed chooses, of those that can run, which one does.
            let tasks = visits.iter().map(|visit| {
                let (comes, patience) = (visit.comes, Duration::from_nanos(visit.gives_up - visit.comes));
                let limiter = limiter.clone();
                spawn(async move {
                    sleep_until(start + Duration::from_nanos(comes)).await;
                    let goes = timeout(patience, limiter.until_ready()).await.is_ok();
                    goes.then(|| start.elapsed().as_nanos() as u64)
                })
            });
            let went: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
            let through: Vec<_> = went.iter().flatten().copied().collect();
            for (first, begin) in through.iter().enumerate() {
                for (last, end) in through.iter().enumerate().skip(first) {
                    let (many, time) = ((last - first + 1) as u64, end - begin);
                    assert!(many.saturating_sub(burst.into()) * interval <= time, "seed {seed}: {many} in {time} ns");
                }
            }
            assert_eq!(went, expected(&visits, interval, burst), "seed {seed}, {rate} a second, burst {burst}");
            assert_eq!(limiter.waiting(), 0);
        });
    }
}

#[test]
fn several_workers_together_are_no_quicker() {
    let runtime = Runtime::builder().workers(4).build().unwrap();
    let took = runtime.block_on(async {
        let (limiter, start) = (Arc::new(RateLimiter::with_burst(4_000.0, 4).unwrap()), Instant::now());
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let limiter = limiter.clone();
                spawn(async move {
                    for number in 0..50 {
                        // Some give up on the way.
                        let _ = timeout(Duration::from_micros(300), limiter.until_ready()).await;
                        if number % 2 == 0 {
                            limiter.until_ready().await;
                        }
                    }
                })
            })
            .collect();
        join_all(tasks).await.into_iter().for_each(Result::unwrap);
        assert_eq!(limiter.waiting(), 0);
        start.elapsed()
    });
    // Eight times twenty-five went for certain, four of them at once.
    assert!(took >= Duration::from_micros(250) * (8 * 25 - 4), "{took:?}");
}
