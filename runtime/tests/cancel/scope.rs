//! Cancel scopes.

use crate::{Log, SECOND, run, seconds, support::poll};
use runtime::{
    future::join,
    group::{CancelExt, CancelScope, cancelled, fail_after, move_on_after},
    spawn,
    time::Instant,
    yield_now,
};
use std::{
    future::{Future, pending},
    pin::pin,
    time::Duration,
};

/// In the main future, and in a task: scopes are the same there.
fn in_both(mut test: impl FnMut(Log) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
    run(test(Log::default()));
    run(async { spawn(test(Log::default())).await.unwrap() });
}

#[test]
fn what_is_inside_cleans_up_before_it_is_dropped_and_the_task_goes_on() {
    in_both(|log| {
        Box::pin(async move {
            let start = Instant::now();
            let body = async {
                let work = pending::<()>().on_cancel(async {
                    seconds(0.5).await;
                    log.say("inner");
                });
                work.on_cancel(async { log.say("outer") }).await;
                log.say("never");
            };
            let scope = CancelScope::after(SECOND);
            assert!(scope.run(body).await.is_err());
            log.say("behind it");
            assert_eq!(log.said(), ["inner", "outer", "behind it"]);
            assert_eq!(start.elapsed(), Duration::from_millis(1500));
            assert!(scope.is_called() && scope.is_caught());
        })
    });
}

#[test]
fn a_body_that_gives_its_output_although_it_was_asked_has_won() {
    in_both(|_| {
        Box::pin(async {
            let scope = CancelScope::after(SECOND);
            let body = async {
                cancelled().await;
                seconds(1.0).await;
                5
            };
            assert_eq!(scope.run(body).await, Ok(5));
            assert!(scope.is_called() && !scope.is_caught());
        })
    });
}

#[test]
fn one_around_a_scope_that_stops_is_not_asked() {
    run(async {
        let task = spawn(async {
            let stopped = move_on_after(SECOND, async |_| pending::<()>().on_cancel(seconds(1.0)).await);
            let around = async {
                assert!(stopped.await.is_none());
                5
            };
            around.on_cancel(async { unreachable!() }).await
        });
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn a_request_to_the_task_goes_through_its_scopes() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut task = spawn({
            let log = log.clone();
            async move {
                let inside = CancelScope::new().run(pending::<()>().on_cancel(async { log.say("inside") })).await;
                log.say("never");
                inside.unwrap();
            }
        });
        seconds(1.0).await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert_eq!((log.said(), start.elapsed()), (vec!["inside".to_owned()], SECOND));
    });
}

/// The scope has asked, and those inside clean up; then the whole task is asked. The scope does not keep that to itself.
#[test]
fn a_request_to_the_task_while_a_scope_stops_is_not_swallowed() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut task = spawn({
            let log = log.clone();
            async move {
                let inside = pending::<()>().on_cancel(async {
                    seconds(2.0).await;
                    log.say("inside");
                });
                let around = async {
                    CancelScope::after(SECOND).run(inside).await.ok();
                    log.say("never");
                };
                around.on_cancel(async { log.say("around") }).await;
            }
        });
        seconds(2.0).await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert_eq!((log.said(), start.elapsed()), (vec!["inside".to_owned(), "around".to_owned()], 3 * SECOND));
    });
}

#[test]
fn an_outer_scope_that_stops_while_an_inner_one_stops_catches() {
    in_both(|log| {
        Box::pin(async move {
            let body = async |_| {
                let slow = pending::<()>().on_cancel(seconds(5.0));
                CancelScope::after(SECOND).run(slow).await.ok();
                log.say("never");
            };
            let start = Instant::now();
            assert!(move_on_after(2 * SECOND, body).await.is_none());
            assert!(log.said().is_empty());
            assert_eq!(start.elapsed(), 6 * SECOND);
        })
    });
}

#[test]
fn of_two_that_are_due_at_once_the_outer_one_catches() {
    in_both(|log| {
        Box::pin(async move {
            let (outer, inner) = (CancelScope::after(SECOND), CancelScope::after(SECOND));
            let ran = outer.run(async {
                inner.run(pending::<()>()).await.ok();
                log.say("never");
            });
            assert!(ran.await.is_err());
            assert!(log.said().is_empty() && outer.is_caught() && inner.is_called() && !inner.is_caught());
        })
    });
}

#[test]
fn its_body_moves_the_deadline() {
    in_both(|_| {
        Box::pin(async {
            let start = Instant::now();
            let moved = async |scope: CancelScope| {
                scope.set_deadline(Some(Instant::now() + 3 * SECOND));
                seconds(2.0).await;
                scope.set_deadline(None);
                seconds(60.0).await;
                scope.set_deadline(Some(Instant::now()));
                pending::<()>().await;
            };
            assert!(move_on_after(SECOND, moved).await.is_none());
            assert_eq!(start.elapsed(), 62 * SECOND);
        })
    });
}

#[test]
fn another_task_cancels_it_and_then_no_deadline_brings_it_back() {
    run(async {
        let scope = CancelScope::new();
        let stops = {
            let scope = scope.clone();
            spawn(async move {
                seconds(1.0).await;
                scope.cancel();
                scope.set_deadline(None);
            })
        };
        let start = Instant::now();
        assert!(scope.run(pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), SECOND);
        assert!(scope.run(yield_now()).await.is_err(), "it stays stopped");
        stops.await.unwrap();
    });
}

#[test]
fn the_error_says_how_long_it_was() {
    run(async {
        let late = fail_after(SECOND, async |scope| {
            scope.set_deadline(Some(Instant::now() + 3 * SECOND));
            pending::<()>().await;
        });
        assert_eq!(late.await.unwrap_err().to_string(), "timed out after 3s");
        let cancelled = fail_after(SECOND, async |scope| {
            seconds(0.25).await;
            scope.cancel();
            pending::<()>().await;
        });
        assert_eq!(cancelled.await.unwrap_err().to_string(), "timed out after 250ms");
    });
}

#[test]
fn it_is_left_behind_by_an_abort() {
    run(async {
        let scope = CancelScope::after(SECOND);
        let task = spawn({
            let scope = scope.clone();
            async move { scope.run(pending::<()>().on_cancel(async { unreachable!() })).await }
        });
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
        seconds(2.0).await;
        assert!(!scope.is_called(), "there was nobody to stop");
    });
}

#[test]
fn side_by_side_each_stops_by_itself() {
    in_both(|log| {
        Box::pin(async move {
            let branch = async |name: &str, length: u32| {
                let body = pending::<()>().on_cancel(async { log.say(name) });
                CancelScope::after(length * SECOND).run(body).await.ok();
                log.say(format!("behind {name}"));
            };
            join(branch("slow", 2), branch("quick", 1)).await;
            assert_eq!(log.said(), ["quick", "behind quick", "slow", "behind slow"]);
        })
    });
}

#[test]
fn a_panic_in_its_body_leaves_the_scopes_around_in_order() {
    run(async {
        let panics = spawn(async {
            let body = async { panic!("inside") };
            CancelScope::new().run(CancelScope::new().run(body)).await.unwrap().unwrap();
        });
        assert!(panics.await.unwrap_err().is_panic());
        // A scope that was left in the slot of the thread would be due for ever.
        assert!(move_on_after(SECOND, async |_| seconds(2.0).await).await.is_none());
    });
}

/// In the poll of a scope that is due an executor of its own asks a scope inside it: that one cannot wait for the other.
#[test]
fn in_an_executor_inside_one_that_is_due_it_ends_by_itself() {
    run(async {
        let outer = CancelScope::new();
        let ran = outer.run(async {
            outer.cancel();
            let inner = CancelScope::after(Duration::ZERO);
            let mut stops = pin!(inner.run(pending::<()>()));
            let ended = (0..10_000).any(|_| poll(stops.as_mut()).is_ready());
            assert!(ended && inner.is_caught(), "it would be asked for ever");
        });
        assert_eq!(ran.await, Ok(()));
    });
}
