//! Handlers: in which order they act, what shields them, and that no request is lost between them.

use crate::{Log, PanicsWhenDropped, SECOND, run, seconds};
use runtime::{
    JoinError, JoinHandle, Runtime,
    future::{Either, join, race},
    group::{CancelExt, cancelled},
    spawn,
    sync::Event,
    time::{Instant, timeout},
    yield_now,
};
use std::{
    future::{Future, pending, poll_fn, ready},
    pin::pin,
    sync::Arc,
    task::Poll,
};

/// Spawns what `make` makes of the log.
fn spawned<F: Future<Output: Send + 'static> + Send + 'static>(
    make: impl FnOnce(Log) -> F,
) -> (Log, JoinHandle<F::Output>) {
    let log = Log::default();
    (log.clone(), spawn(make(log)))
}

/// Says `what`, a second after.
async fn says(log: &Log, what: &'static str) {
    seconds(1.0).await;
    log.say(what);
}

#[test]
fn the_innermost_acts_first_and_then_the_one_around_it() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let inner = async {
                let _drop = log.when_dropped("inner body dropped");
                pending::<()>().await;
            };
            let middle = async {
                let _drop = log.when_dropped("middle body dropped");
                inner.on_cancel(says(&log, "inner")).await;
                log.say("never");
            };
            let outer = async {
                middle.on_cancel(says(&log, "middle")).await;
                log.say("never");
            };
            outer.on_cancel(says(&log, "outer")).await;
            log.say("never");
        });
        yield_now().await;
        let start = Instant::now();
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["inner body dropped", "inner", "middle body dropped", "middle", "outer"]);
        assert_eq!(start.elapsed(), 3 * SECOND);
    });
}

#[test]
fn side_by_side_both_clean_up_and_only_then_the_one_around_them() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let slow = pending::<()>().on_cancel(async {
                seconds(2.0).await;
                log.say("slow");
            });
            let quick = pending::<()>().on_cancel(says(&log, "quick"));
            join(slow, quick).on_cancel(says(&log, "outer")).await;
        });
        yield_now().await;
        let start = Instant::now();
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["quick", "slow", "outer"]);
        assert_eq!(start.elapsed(), 3 * SECOND);
    });
}

#[test]
fn side_by_side_and_nothing_around_them() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            join(pending::<()>().on_cancel(says(&log, "left")), pending::<()>().on_cancel(says(&log, "right"))).await;
        });
        yield_now().await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["left", "right"]);
    });
}

#[test]
fn a_handler_that_is_over_is_not_asked() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            ready(()).on_cancel(says(&log, "never")).await;
            yield_now().on_cancel(says(&log, "never")).await;
            pending::<()>().on_cancel(says(&log, "the last one")).await;
        });
        yield_now().await;
        yield_now().await;
        yield_now().await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["the last one"]);
    });
}

#[test]
fn a_request_is_told_once_and_the_next_one_again() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let mut asked = pin!(cancelled());
            for _ in 0..2 {
                asked.as_mut().await;
                log.say("asked");
            }
            5
        });
        yield_now().await;
        task.cancel();
        seconds(1.0).await;
        assert_eq!(log.said(), ["asked"]);
        assert_eq!(task.cancel().await.unwrap(), 5);
    });
}

#[test]
fn one_who_swallows_it_keeps_it_from_those_around() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let body = async {
                cancelled().await;
                seconds(1.0).await;
                5
            };
            body.on_cancel(says(&log, "never")).await
        });
        yield_now().await;
        assert_eq!(task.cancel().await.unwrap(), 5);
        assert!(log.said().is_empty());
    });
}

#[test]
fn when_it_has_swallowed_one_and_listens_no_more_the_next_one_aborts() {
    run(async {
        let (_, mut task) = spawned(async |_| {
            cancelled().await;
            seconds(60.0).await;
        });
        yield_now().await;
        task.cancel();
        seconds(1.0).await;
        let start = Instant::now();
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert!(start.elapsed() < SECOND);
    });
}

#[test]
fn the_clean_up_is_shielded_from_requests_and_all_that_it_runs_is() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let cleanup = async {
                let nested = seconds(1.0).on_cancel(says(&log, "never"));
                assert_eq!(race(cancelled(), nested).await, Either::Right(()));
                log.say("cleaned");
            };
            pending::<()>().on_cancel(cleanup).await;
        });
        yield_now().await;
        let start = Instant::now();
        task.cancel();
        seconds(0.5).await;
        task.cancel();
        assert!(task.cancel().await.is_err());
        assert_eq!((log.said(), start.elapsed()), (vec!["cleaned".to_owned()], SECOND));
    });
}

#[test]
fn the_clean_up_is_not_shielded_from_an_abort() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            pending::<()>().on_cancel(says(&log, "never")).await;
        });
        yield_now().await;
        let start = Instant::now();
        task.cancel();
        seconds(0.5).await;
        task.abort();
        assert!(task.await.is_err());
        assert!(log.said().is_empty() && start.elapsed() < SECOND);
    });
}

/// Ready when the event is, and asks its own task to end in that very poll.
async fn asks_and_is_ready(task: &runtime::AbortHandle, go: &Event) {
    go.wait().await;
    task.cancel();
}

/// What is asked in the poll in which the body is ready has come too late for it, but not for the task.
#[test]
fn a_request_that_comes_as_the_body_is_ready_goes_on_outward() {
    run(async {
        let (go, own) = (Arc::new(Event::new()), Arc::new(std::sync::OnceLock::new()));
        let (log, task) = spawned({
            let (go, own) = (go.clone(), own.clone());
            async move |log: Log| {
                let outer = async {
                    let inner = asks_and_is_ready(own.get().unwrap(), &go);
                    inner.on_cancel(says(&log, "never: it was ready")).await;
                    log.say("inner is ready");
                    pending::<()>().await;
                };
                outer.on_cancel(says(&log, "outer")).await;
            }
        });
        own.set(task.abort_handle()).unwrap();
        yield_now().await;
        go.set();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["inner is ready", "outer"]);
    });
}

/// Told in the middle of a poll, a handler is not the innermost any more when that poll is over.
#[test]
fn a_handler_that_comes_after_the_request_in_the_same_poll_still_comes_first() {
    run(async {
        let own = Arc::new(std::sync::OnceLock::<runtime::AbortHandle>::new());
        let (log, task) = spawned({
            let own = own.clone();
            async move |log: Log| {
                let body = async {
                    own.get().unwrap().cancel();
                    let inner = async { log.say("never: it was asked before") };
                    inner.on_cancel(says(&log, "inner")).await;
                    log.say("never");
                };
                body.on_cancel(says(&log, "outer")).await;
            }
        });
        own.set(task.abort_handle()).unwrap();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["inner", "outer"]);
    });
}

#[test]
fn a_request_that_nobody_saw_aborts() {
    run(async {
        let (go, own) = (Arc::new(Event::new()), Arc::new(std::sync::OnceLock::new()));
        let (log, task) = spawned({
            let (go, own) = (go.clone(), own.clone());
            async move |log: Log| {
                // The one that was told is dropped as the other one is ready.
                let both = race(asks_and_is_ready(own.get().unwrap(), &go), cancelled()).await;
                assert_eq!(both, Either::Left(()));
                log.say("not seen");
                pending::<()>().await;
            }
        });
        own.set(task.abort_handle()).unwrap();
        yield_now().await;
        go.set();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["not seen"]);
    });
}

#[test]
fn one_that_is_kept_sees_what_came_while_the_other_was_ready() {
    run(async {
        let (go, own) = (Arc::new(Event::new()), Arc::new(std::sync::OnceLock::new()));
        let (_, task) = spawned({
            let (go, own) = (go.clone(), own.clone());
            async move |_| {
                let mut asked = pin!(cancelled());
                let first = race(asks_and_is_ready(own.get().unwrap(), &go), asked.as_mut()).await;
                assert_eq!(first, Either::Left(()));
                asked.await;
                5
            }
        });
        own.set(task.abort_handle()).unwrap();
        yield_now().await;
        go.set();
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn a_clean_up_that_is_dropped_in_the_middle_passes_the_request_on() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let outer = async {
                let slow = pending::<()>().on_cancel(says(&log, "never"));
                assert!(timeout(SECOND / 2, slow).await.is_err());
                log.say("given up");
                pending::<()>().await;
            };
            outer.on_cancel(says(&log, "outer")).await;
        });
        yield_now().await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["given up", "outer"]);
    });
}

/// One branch cleans up; the other one swallows, again and again: the one around them does not wait for it for ever.
#[test]
fn a_branch_that_goes_on_is_dropped_when_the_other_one_has_cleaned_up() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let stubborn = async {
                loop {
                    cancelled().await;
                    log.say("swallowed");
                }
            };
            let cleans = pending::<()>().on_cancel(says(&log, "cleaned"));
            let both = join(stubborn, cleans);
            both.on_cancel(says(&log, "outer")).await;
        });
        yield_now().await;
        assert!(task.cancel().await.is_err());
        let said = log.said();
        assert_eq!(said[0], "swallowed");
        assert_eq!(said.iter().filter(|word| *word != "swallowed").collect::<Vec<_>>(), ["cleaned", "outer"]);
    });
}

#[test]
fn a_handler_goes_to_another_task_with_its_future() {
    run(async {
        let (log, inner) = (Log::default(), Log::default());
        let mut wandering = Box::pin({
            let inner = inner.clone();
            async move { pending::<()>().on_cancel(async { inner.say("cleaned") }).await }
        });
        let mut first = spawn({
            let log = log.clone();
            async move {
                // One poll here.
                let waits = poll_fn(|context| Poll::Ready(wandering.as_mut().poll(context).is_pending())).await;
                assert!(waits);
                log.say("handed over");
                seconds(60.0).await;
                Some(wandering)
            }
        });
        yield_now().await;
        // It is still in the first one, which heeds for it: but who polls it there?
        let waits = first.cancel();
        assert!(timeout(SECOND, waits).await.is_err());
        let wandering = first.await.unwrap().unwrap();
        let mut second = spawn(wandering);
        yield_now().await;
        assert!(second.cancel().await.is_err());
        assert_eq!((log.said(), inner.said()), (vec!["handed over".to_owned()], vec!["cleaned".to_owned()]));
    });
}

#[test]
fn a_body_that_outlives_its_handler_is_inside_the_next_one() {
    run(async {
        let (log, mut task) = spawned(async |log| {
            let outer = async {
                let mut inner = pin!(pending::<()>().on_cancel(says(&log, "inner")));
                let between = inner.as_mut().on_cancel(says(&log, "never: it is gone"));
                assert!(timeout(SECOND, between).await.is_err());
                inner.await;
            };
            outer.on_cancel(says(&log, "outer")).await;
        });
        seconds(2.0).await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["inner", "outer"]);
    });
}

#[test]
fn in_the_main_future_it_is_never_asked() {
    run(async {
        assert!(timeout(SECOND, cancelled()).await.is_err());
        assert_eq!(ready(5).on_cancel(async { unreachable!() }).await, 5);
    });
}

#[test]
fn on_a_foreign_executor_it_is_never_asked() {
    use crate::support::{by_hand, poll};
    assert_eq!(by_hand(async { 5 }.on_cancel(async { unreachable!() })), 5);
    assert!(poll(pin!(cancelled())).is_pending());
}

/// As a join that polls a child only when it is woken itself, with a waker of its own.
#[test]
fn the_handlers_own_waker_is_woken() {
    use futures_util::stream::{FuturesUnordered, StreamExt};
    run(async {
        let (log, mut task) = spawned(async |log| {
            let mut children: FuturesUnordered<_> =
                (0..3).map(|_| pending::<()>().on_cancel(says(&log, "cleaned"))).collect();
            children.next().await;
        });
        yield_now().await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["cleaned"; 3]);
    });
}

#[test]
fn a_request_from_another_thread_wakes_the_handler() {
    for workers in [1, 2] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        runtime.block_on(async {
            let there = Arc::new(Event::new());
            let task = spawn({
                let there = there.clone();
                async move {
                    join(cancelled(), async { there.set() }).await;
                    5
                }
            });
            there.wait().await;
            let stop = task.abort_handle();
            std::thread::spawn(move || stop.cancel()).join().unwrap();
            assert_eq!(task.await.unwrap(), 5);
        });
    }
}

#[test]
fn the_clean_up_runs_though_the_drop_of_the_body_panics() {
    run(async {
        let log = Log::default();
        let mut task = spawn({
            let log = log.clone();
            let bad = PanicsWhenDropped;
            async move {
                let _bad = bad;
                pending::<()>().await;
            }
            .on_cancel(async move {
                yield_now().await;
                log.say("cleaned up");
            })
        });
        yield_now().await;
        let Err(JoinError::Panicked(panic)) = task.cancel().await else { panic!("it did not panic") };
        assert_eq!(panic.message(), Some("dropped badly"));
        assert_eq!(log.said(), ["cleaned up"]);
    });
}
