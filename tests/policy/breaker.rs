//! Closed, open, half-open. (Inventory: D21.)

use crate::{
    MILLISECOND, SECOND,
    support::{at_every_poll, cut_after},
    timed,
};
use netio::policy::{BreakerError, BreakerState, CircuitBreaker, Refused, Window};
use runtime::{Runtime, future::join_all, random::Generator, spawn, sync::Barrier, time::sleep, yield_now};
use std::{
    cell::Cell,
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new().minimum(10).cool_down(5 * SECOND)
}

/// Ten failures: it is open.
fn open(breaker: &CircuitBreaker) {
    (0..10).for_each(|_| breaker.permit().unwrap().failure());
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// A server that is up or down, and counts who reaches it.
#[derive(Default)]
struct Server {
    up: Cell<bool>,
    reached: Cell<u32>,
}

impl Server {
    async fn answer(&self) -> Result<(), &'static str> {
        self.reached.set(self.reached.get() + 1);
        yield_now().await;
        if self.up.get() { Ok(()) } else { Err("down") }
    }
}

#[test]
fn ten_failures_open_it_and_a_probe_that_succeeds_closes_it() {
    timed(async {
        let (breaker, server) = (breaker(), Server::default());
        for _ in 0..10 {
            assert_eq!(breaker.call(server.answer()).await, Err(BreakerError::Failed("down")));
        }
        sleep(2 * SECOND).await;
        let refused = breaker.call(server.answer()).await.unwrap_err();
        assert_eq!(refused, BreakerError::Refused(Refused { retry_in: Some(3 * SECOND) }));
        assert_eq!(server.reached.get(), 10);

        sleep(3 * SECOND).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert_eq!(breaker.call(server.answer()).await, Err(BreakerError::Failed("down")));
        assert_eq!((breaker.state(), server.reached.get()), (BreakerState::Open, 11));
        assert!(breaker.call(server.answer()).await.unwrap_err().is_refused());

        server.up.set(true);
        sleep(5 * SECOND).await;
        assert_eq!(breaker.call(server.answer()).await, Ok(()));
        assert_eq!((breaker.state(), server.reached.get()), (BreakerState::Closed, 12));
        let stats = breaker.stats();
        assert_eq!((stats.failures, stats.successes, stats.refused, stats.opened), (11, 1, 2, 2));
    });
}

#[test]
fn what_was_before_it_opened_is_forgotten_when_it_closes() {
    timed(async {
        let breaker = breaker();
        open(&breaker);
        sleep(5 * SECOND).await;
        breaker.permit().unwrap().success();
        (0..9).for_each(|_| breaker.permit().unwrap().failure());
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.permit().unwrap().failure();
        assert_eq!(breaker.state(), BreakerState::Open);
    });
}

#[test]
fn a_call_that_is_refused_is_not_polled() {
    timed(async {
        let breaker = breaker();
        open(&breaker);
        let polled = async { panic!("it was polled") as Result<(), ()> };
        assert!(breaker.call(polled).await.unwrap_err().is_refused());
    });
}

#[test]
fn a_probe_that_is_dropped_at_any_poll_leaves_its_place_to_the_next() {
    at_every_poll(|polls| {
        timed(async {
            let (breaker, server) = (breaker(), Server::default());
            open(&breaker);
            sleep(5 * SECOND).await;
            server.up.set(true);
            let cut = cut_after(polls, breaker.call(server.answer())).await.is_none();
            if cut {
                assert_eq!(breaker.state(), BreakerState::HalfOpen);
                assert_eq!(breaker.call(server.answer()).await, Ok(()), "the place of the probe is lost");
            }
            assert_eq!(breaker.state(), BreakerState::Closed);
            cut
        })
    });
}

#[test]
fn there_is_one_probe_at_a_time() {
    timed(async {
        let breaker = breaker();
        open(&breaker);
        sleep(5 * SECOND).await;
        let probe = breaker.permit().unwrap();
        assert_eq!(breaker.permit().unwrap_err(), Refused { retry_in: None });
        drop(probe);
        let probe = breaker.permit().unwrap();
        assert!(breaker.permit().is_err());
        probe.success();
        assert!(breaker.permit().is_ok());
    });
}

#[test]
fn an_outcome_from_before_a_change_changes_nothing() {
    timed(async {
        let breaker = breaker();
        let old: Vec<_> = (0..20).map(|_| breaker.permit().unwrap()).collect();
        open(&breaker);
        let mut old = old.into_iter();
        old.next().unwrap().success();
        assert_eq!(breaker.state(), BreakerState::Open, "a success from before closed it");
        sleep(5 * SECOND).await;
        let probe = breaker.permit().unwrap();
        old.next().unwrap().success();
        drop(old.next());
        assert!(breaker.permit().is_err(), "one from before ended the probe");
        probe.success();
        old.for_each(|permit| permit.failure());
        assert_eq!(breaker.state(), BreakerState::Closed, "failures from before opened it");
    });
}

#[test]
fn a_panic_is_no_outcome_and_frees_the_place() {
    timed(async {
        let breaker = Arc::new(breaker());
        open(&breaker);
        sleep(5 * SECOND).await;
        let panics = breaker.clone();
        let probe = spawn(async move { panics.call(async { panic!("a test") as Result<(), ()> }).await });
        assert!(probe.await.unwrap_err().is_panic());
        assert_eq!((breaker.state(), breaker.stats().abandoned), (BreakerState::HalfOpen, 1));
        breaker.permit().unwrap().success();
    });
}

#[test]
fn a_window_of_time_forgets_what_is_older() {
    timed(async {
        let breaker = breaker().window(Window::Time(10 * SECOND)).failure_ratio(0.1);
        (0..9).for_each(|_| breaker.permit().unwrap().failure());
        sleep(10 * SECOND).await;
        (0..9).for_each(|_| breaker.permit().unwrap().success());
        assert_eq!(breaker.state(), BreakerState::Closed);
        sleep(9 * SECOND).await;
        breaker.permit().unwrap().failure();
        assert_eq!(breaker.state(), BreakerState::Open, "nine successes are not that old");
    });
}

/// All that it is told, and nothing clever.
struct Plain {
    last: VecDeque<bool>,
    count: usize,
    minimum: usize,
    ratio: f64,
}

impl Plain {
    fn opens(&mut self, failed: bool) -> bool {
        self.last.push_back(failed);
        if self.last.len() > self.count {
            self.last.pop_front();
        }
        let failures = self.last.iter().filter(|failed| **failed).count();
        self.last.len() >= self.minimum && failures as f64 >= self.ratio * self.last.len() as f64
    }
}

#[test]
fn it_opens_when_a_plain_list_of_outcomes_says_so() {
    let mut opened = 0;
    for seed in 0..2_000 {
        let mut chance = Generator::new(seed);
        let (count, minimum) = (1 + chance.below(20) as usize, chance.below(12) as usize);
        let ratio = chance.below(11) as f64 / 10.0;
        let breaker = CircuitBreaker::new().window(Window::Count(count)).minimum(minimum as u64).failure_ratio(ratio);
        let mut plain = Plain { last: VecDeque::new(), count, minimum, ratio };
        for _ in 0..100 {
            let failed = chance.chance(0.4);
            let permit = breaker.permit().unwrap();
            if failed {
                permit.failure()
            } else {
                permit.success()
            }
            if plain.opens(failed) {
                assert_eq!(breaker.state(), BreakerState::Open, "seed {seed}");
                opened += 1;
                break;
            }
            assert_eq!(breaker.state(), BreakerState::Closed, "seed {seed}");
        }
    }
    assert!((200..1_900).contains(&opened), "both are to happen: {opened}");
}

#[test]
fn of_many_who_ask_at_once_on_several_workers_one_is_the_probe() {
    let runtime = Runtime::builder().workers(4).build().unwrap();
    runtime.block_on(async {
        for _ in 0..50 {
            let breaker = Arc::new(CircuitBreaker::new().minimum(1).cool_down(Duration::ZERO));
            breaker.permit().unwrap().failure();
            let (reached, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(8)));
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let (breaker, reached, all) = (breaker.clone(), reached.clone(), all.clone());
                    spawn(async move {
                        all.wait().await.unwrap();
                        let permit = breaker.permit();
                        reached.fetch_add(permit.is_ok().into(), Ordering::Relaxed);
                        // Nobody tells before all have asked.
                        all.wait().await.unwrap();
                        drop(permit);
                    })
                })
                .collect();
            join_all(tasks).await.into_iter().for_each(Result::unwrap);
            assert_eq!(reached.load(Ordering::Relaxed), 1);
        }
    });
}

#[test]
fn no_cool_down_and_no_window_are_too_small() {
    timed(async {
        let breaker = CircuitBreaker::new().window(Window::Count(0)).minimum(0).cool_down(Duration::ZERO);
        breaker.permit().unwrap().success();
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.permit().unwrap().failure();
        breaker.permit().expect("the cool-down is over at once").success();
        let breaker = CircuitBreaker::new().window(Window::Time(Duration::ZERO)).minimum(1);
        breaker.permit().unwrap().failure();
        sleep(MILLISECOND).await;
        assert_eq!(breaker.state(), BreakerState::Closed, "no time holds no outcomes");
        let longest = CircuitBreaker::new().minimum(1).cool_down(Duration::MAX);
        longest.permit().unwrap().failure();
        assert_eq!(longest.state(), BreakerState::Open);
    });
}
