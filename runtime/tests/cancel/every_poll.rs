//! A request at every poll of a task, on many schedules and with several workers: whatever was begun is cleaned up, once, from
//! the inside outward; and the task ends.

use crate::{Log, run};
use runtime::{AbortHandle, JoinHandle, Runtime, future::join, group::CancelExt, spawn, yield_now};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

const SEEDS: u64 = if cfg!(miri) { 2 } else { 40 };

/// Asks its own task to end, before or after its poll number `at`.
struct AsksAt<F> {
    future: Pin<Box<F>>,
    task: Arc<OnceLock<AbortHandle>>,
    at: usize,
    polls: usize,
    before: bool,
}

impl<F: Future> Future for AsksAt<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let now = self.polls == self.at;
        self.polls += 1;
        if now && self.before {
            self.task.get().unwrap().cancel();
        }
        let polled = self.future.as_mut().poll(context);
        if now && !self.before {
            self.task.get().unwrap().cancel();
        }
        polled
    }
}

/// Steps in a handler that stands in another one; two of them side by side.
async fn program(log: Log) {
    let step = async |name: &'static str| {
        let body = async {
            log.say(format!("begin {name}"));
            yield_now().await;
            yield_now().await;
            log.say(format!("end {name}"));
        };
        let cleanup = async {
            yield_now().await;
            log.say(format!("clean {name}"));
        };
        body.on_cancel(cleanup).await;
    };
    let all = async {
        log.say("begin all");
        step("one").await;
        join(step("left"), step("right")).await;
        yield_now().await;
        step("two").await;
        log.say("end all");
    };
    let cleanup = async {
        yield_now().await;
        log.say("clean all");
    };
    all.on_cancel(cleanup).await;
}

/// What must be true of the log when the task has ended.
fn check(said: &[String], cancelled: bool, what: &str) {
    let place = |word: &str, name: &str| {
        let line = format!("{word} {name}");
        assert!(said.iter().filter(|said| **said == line).count() <= 1, "{what}: {line} twice: {said:?}");
        said.iter().position(|said| *said == line)
    };
    for name in ["one", "left", "right", "two", "all"] {
        let (begin, end, clean) = (place("begin", name), place("end", name), place("clean", name));
        assert!(end.is_none() || clean.is_none(), "{what}: {name} ended, and was cleaned up: {said:?}");
        assert!(begin.is_none() || end.is_some() || clean.is_some(), "{what}: {name} was left: {said:?}");
        assert!(clean.is_none() || cancelled, "{what}: cleaned up for nothing: {said:?}");
        if let (Some(clean), Some(all)) = (clean, place("clean", "all")) {
            assert!(clean <= all, "{what}: the outer one before {name}: {said:?}");
        }
    }
}

async fn ended(task: &mut JoinHandle<()>, log: &Log, what: &str) -> bool {
    let ended = task.await;
    let cancelled = ended.is_err_and(|error| error.is_cancelled());
    check(&log.said(), cancelled, what);
    cancelled
}

#[test]
fn asked_by_itself_at_any_poll_it_cleans_up_what_it_began() {
    for seed in 0..SEEDS {
        for before in [true, false] {
            // Before its first poll is done it has no handler yet, and an abort would be right.
            for at in usize::from(before).. {
                let cancelled = Runtime::simulated(seed).block_on(async {
                    let (log, own) = (Log::default(), Arc::new(OnceLock::new()));
                    let future = Box::pin(program(log.clone()));
                    let mut task = spawn(AsksAt { future, task: own.clone(), at, polls: 0, before });
                    own.set(task.abort_handle()).unwrap();
                    ended(&mut task, &log, &format!("seed {seed}, poll {at}, before: {before}")).await
                });
                if !cancelled {
                    assert!(at > 5, "it had no time to begin");
                    break;
                }
            }
        }
    }
}

#[test]
fn asked_from_outside_after_any_number_of_turns_it_cleans_up_what_it_began() {
    for seed in 0..SEEDS {
        for turns in 0.. {
            let cancelled = Runtime::simulated(seed).block_on(async {
                let log = Log::default();
                let mut task = spawn(program(log.clone()));
                for _ in 0..turns {
                    yield_now().await;
                }
                task.cancel();
                ended(&mut task, &log, &format!("seed {seed}, {turns} turns")).await
            });
            if !cancelled {
                break;
            }
        }
    }
}

#[test]
fn asked_twice_it_cleans_up_once() {
    for first in 0..12 {
        for second in 0..12 {
            run(async {
                let log = Log::default();
                let mut task = spawn(program(log.clone()));
                for turn in 0..12 {
                    if turn == first || turn == second {
                        task.cancel();
                    }
                    yield_now().await;
                }
                ended(&mut task, &log, &format!("asked at {first} and {second}")).await;
            });
        }
    }
}

/// Here the request meets the task wherever it just is: in a poll, in a queue, or asleep. The outer handler has its place before
/// anything begins, so that nothing that begins is left.
#[test]
fn with_several_workers_it_cleans_up_what_it_began() {
    for workers in [1, 2, 4] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        runtime.block_on(async {
            for round in 0..if cfg!(miri) { 3 } else { 500 } {
                let log = Log::default();
                let there = Arc::new(runtime::sync::Event::new());
                let mut task = spawn({
                    let (log, there) = (log.clone(), there.clone());
                    let all = async move {
                        there.set();
                        program(log).await;
                    };
                    all.on_cancel(async {})
                });
                there.wait().await;
                for _ in 0..round % 12 {
                    yield_now().await;
                }
                task.cancel();
                ended(&mut task, &log, &format!("{workers} workers, round {round}")).await;
            }
        });
    }
}
