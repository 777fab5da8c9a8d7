//! Waiting for a task, but not for ever (asyncio's test_waitfor): [`JoinHandle::timeout`](runtime::JoinHandle::timeout).
//!
//! | case | why it does not apply |
//! |---|---|
//! | `wait_for_none_timeout` | `None` is to await the handle; below it is `Duration::MAX` |
//! | `wait_for` of a coroutine | that is `time::timeout`, which drops it: section 14. Below it is spawned |
//! | with `shield` | shield.rs |

use runtime::{
    JoinError, Runtime,
    group::{CancelExt, cancelled},
    spawn,
    sync::oneshot,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn run(main: impl Future<Output = ()>) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(main);
}

#[test]
fn wait_for() {
    run(async {
        assert_eq!(spawn(async { 5 }).timeout(SECOND).await.unwrap().unwrap(), 5);
        let start = Instant::now();
        let task = spawn(async {
            sleep(SECOND).await;
            5
        });
        assert_eq!(task.timeout(Duration::MAX).await.unwrap().unwrap(), 5);
        assert_eq!(start.elapsed(), SECOND);
        let error = spawn(pending::<()>()).timeout(SECOND).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 1s");
    });
}

#[test]
fn wait_for_waits_for_task_cancellation() {
    for limit in [Duration::from_millis(100), Duration::ZERO] {
        run(async {
            let (start, cleaned) = (Instant::now(), Arc::new(AtomicBool::new(false)));
            let task = spawn({
                let cleaned = cleaned.clone();
                async move {
                    let cleanup = async {
                        sleep(Duration::from_millis(300)).await;
                        cleaned.store(true, SeqCst);
                    };
                    pending::<()>().on_cancel(cleanup).await;
                }
            });
            yield_now().await;
            assert!(task.timeout(limit).await.is_err());
            assert!(cleaned.load(SeqCst));
            assert_eq!(start.elapsed(), limit + Duration::from_millis(300));
        });
    }
}

#[test]
fn wait_for_a_task_that_ignores_it() {
    run(async {
        let exited = Arc::new(AtomicBool::new(false));
        let task = spawn({
            let exited = exited.clone();
            async move {
                cancelled().await;
                sleep(SECOND).await;
                exited.store(true, SeqCst);
            }
        });
        yield_now().await;
        assert!(task.timeout(SECOND).await.is_ok());
        assert!(exited.load(SeqCst));
    });
}

#[test]
fn wait_for_timeout_less_then_0_or_0_future_done() {
    run(async {
        let task = spawn(async { "done" });
        yield_now().await;
        assert_eq!(task.timeout(Duration::ZERO).await.unwrap().unwrap(), "done");
    });
}

#[test]
fn wait_for_timeout_less_then_0_or_0_coroutine_do_not_started() {
    run(async {
        let started = Arc::new(AtomicBool::new(false));
        let task = spawn({
            let started = started.clone();
            async move { started.store(true, SeqCst) }
        });
        assert!(task.timeout(Duration::ZERO).await.is_err());
        assert!(!started.load(SeqCst));
    });
}

#[test]
fn wait_for_timeout_less_then_0_or_0() {
    run(async {
        let task = spawn(sleep(10 * SECOND));
        let watch = task.abort_handle();
        yield_now().await;
        let start = Instant::now();
        assert!(task.timeout(Duration::ZERO).await.is_err());
        assert!(watch.is_finished());
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

/// The task has its result in the turn in which the time is up: the result wins.
#[test]
fn wait_for_race_condition() {
    run(async {
        let ready = spawn(async {
            sleep(SECOND).await;
            5
        });
        yield_now().await;
        assert_eq!(ready.timeout(SECOND).await.unwrap().unwrap(), 5);
    });
}

#[test]
fn wait_for_cancellation_race_condition() {
    for value in [1, 42] {
        run(async {
            let task = spawn(async move {
                cancelled().await;
                value
            });
            yield_now().await;
            assert_eq!(task.timeout(SECOND).await.unwrap().unwrap(), value);
        });
    }
}

#[test]
fn wait_for_reraises_exception_during_cancellation() {
    run(async {
        let task = spawn(pending::<()>().on_cancel(async { panic!("the inner error") }));
        yield_now().await;
        let Ok(Err(JoinError::Panicked(panic))) = task.timeout(SECOND).await else { panic!("no such end") };
        assert_eq!(panic.message(), Some("the inner error"));
    });
}

#[test]
fn cancel_wait_for() {
    for limit in [Duration::MAX, 60 * SECOND] {
        run(async {
            let (start, cleaned) = (Instant::now(), Arc::new(AtomicBool::new(false)));
            let inner = spawn({
                let cleaned = cleaned.clone();
                async move {
                    let cleanup = async {
                        sleep(SECOND).await;
                        cleaned.store(true, SeqCst);
                    };
                    pending::<()>().on_cancel(cleanup).await;
                }
            });
            let mut outer = spawn(inner.timeout(limit));
            yield_now().await;
            yield_now().await;
            assert!(outer.cancel().await.unwrap_err().is_cancelled());
            assert!(cleaned.load(SeqCst));
            assert_eq!(start.elapsed(), SECOND);
        });
    }
}

/// The inner one is done, and the outer one is asked before it has its turn: the outer one is cancelled.
#[test]
fn wait_for_issue86296() {
    run(async {
        let (sender, receiver) = oneshot::channel();
        let inner = spawn(receiver);
        let watch = inner.abort_handle();
        let mut outer = spawn(inner.timeout(10 * SECOND));
        yield_now().await;
        sender.send("done").unwrap();
        yield_now().await;
        assert!(watch.is_finished() && !outer.is_finished());
        assert!(outer.cancel().await.unwrap_err().is_cancelled());
    });
}
