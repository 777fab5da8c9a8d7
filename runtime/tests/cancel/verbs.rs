//! The two verbs, and waiting with an end.

use crate::{Log, SECOND, run, seconds};
use runtime::{
    JoinError, TaskState,
    future::join,
    group::{CancelExt, cancelled},
    spawn, spawn_blocking, spawn_local,
    sync::Event,
    time::{Instant, sleep},
    yield_now,
};
use std::{future::pending, sync::Arc, time::Duration};

/// Inventory C72: a worker that takes 0.1 s to clean up, cancelled after 2.5 s.
async fn worker(log: Log) {
    let _drop = log.when_dropped("dropped");
    let work = async {
        for step in 1..=5 {
            seconds(1.0).await;
            log.say(format!("Working... {step}/5"));
        }
        log.say("done");
    };
    let cleanup = async {
        log.say("Task was cancelled, cleaning up...");
        seconds(0.1).await;
        log.say("Cleanup done");
    };
    work.on_cancel(cleanup).await;
    log.say("behind it");
}

#[test]
fn a_cancelled_task_cleans_up_before_its_end_is_told() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut task = spawn(worker(log.clone()));
        seconds(2.5).await;
        if task.cancel().await.is_err_and(|error| error.is_cancelled()) {
            log.say("Task was successfully cancelled");
        }
        assert_eq!(
            log.said(),
            [
                "Working... 1/5",
                "Working... 2/5",
                "Task was cancelled, cleaning up...",
                "Cleanup done",
                "dropped",
                "Task was successfully cancelled"
            ]
        );
        assert_eq!(start.elapsed(), Duration::from_millis(2600));
    });
}

#[test]
fn an_aborted_task_only_drops() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let task = spawn(worker(log.clone()));
        seconds(2.5).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["Working... 1/5", "Working... 2/5", "dropped"]);
        assert_eq!(start.elapsed(), Duration::from_millis(2500));
    });
}

/// Inventory C11: ten steps, cut between two.
#[test]
fn ten_steps_are_cut_after_two_and_a_half() {
    run(async {
        let log = Log::default();
        let mut task = spawn({
            let log = log.clone();
            async move {
                let steps = async {
                    for step in 0..10 {
                        log.say(format!("Step {step}"));
                        seconds(1.0).await;
                    }
                };
                steps.on_cancel(async { log.say("Long task was cancelled") }).await;
            }
        });
        seconds(2.5).await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        log.say("Task was cancelled");
        assert_eq!(log.said(), ["Step 0", "Step 1", "Step 2", "Long task was cancelled", "Task was cancelled"]);
    });
}

#[test]
fn a_task_without_a_handler_is_dropped() {
    run(async {
        let log = Log::default();
        let mut task = spawn({
            let drops = log.when_dropped("dropped");
            async move {
                pending::<()>().await;
                drop(drops);
            }
        });
        yield_now().await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["dropped"]);
    });
}

#[test]
fn a_task_that_was_asked_before_its_first_poll_never_runs() {
    run(async {
        let log = Log::default();
        let mut task = spawn(worker(log.clone()));
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(log.said().is_empty());
    });
}

#[test]
fn the_request_is_made_at_the_call() {
    run(async {
        let asked = Arc::new(Event::new());
        let mut task = spawn({
            let asked = asked.clone();
            async move {
                cancelled().await;
                asked.set();
                5
            }
        });
        yield_now().await;
        task.cancel();
        asked.wait().await;
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn a_task_that_is_over_keeps_its_output() {
    run(async {
        let mut task = spawn(async { 5 });
        yield_now().await;
        assert_eq!(task.state(), TaskState::Completed);
        assert_eq!(task.cancel().await.unwrap(), 5);
    });
}

#[test]
fn a_local_task_cleans_up_too() {
    run(async {
        let log = Log::default();
        let local = std::rc::Rc::new(log.clone());
        let mut task = spawn_local(async move { pending::<()>().on_cancel(async { local.say("cleaned") }).await });
        yield_now().await;
        assert!(task.cancel().await.is_err());
        assert_eq!(log.said(), ["cleaned"]);
    });
}

#[test]
fn a_blocking_job_that_has_not_begun_is_cancelled() {
    let runtime = runtime::Runtime::builder().blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let busy = spawn_blocking(move || receiver.recv());
        let mut queued = spawn_blocking(|| 5);
        queued.cancel();
        sender.send(()).unwrap();
        busy.await.unwrap().unwrap();
        assert!(queued.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn an_abort_handle_asks_too() {
    run(async {
        let task = spawn(async {
            cancelled().await;
            5
        });
        yield_now().await;
        task.abort_handle().cancel();
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn patience_ends_with_an_abort() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let stubborn = {
            let log = log.clone();
            async move {
                let _drop = log.when_dropped("dropped");
                pending::<()>().on_cancel(async { seconds(60.0).await }).await;
            }
        };
        let task = spawn(stubborn);
        yield_now().await;
        assert!(task.cancel_within(5 * SECOND).await.unwrap_err().is_cancelled());
        assert_eq!((log.said(), start.elapsed()), (vec!["dropped".to_owned()], 5 * SECOND));

        let quick = spawn(pending::<()>().on_cancel(seconds(1.0)));
        yield_now().await;
        assert!(quick.cancel_within(5 * SECOND).await.is_err());
        assert_eq!(start.elapsed(), 6 * SECOND);

        let heeds = spawn(async {
            cancelled().await;
            7
        });
        yield_now().await;
        assert_eq!(heeds.cancel_within(Duration::ZERO).await.unwrap_err().to_string(), "the task was cancelled");
    });
}

#[test]
fn a_timeout_waits_for_the_clean_up() {
    run(async {
        let start = Instant::now();
        let slow = spawn(pending::<()>().on_cancel(seconds(0.3)));
        let error = slow.timeout(Duration::from_millis(100)).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 100ms");
        assert_eq!(start.elapsed(), Duration::from_millis(400));
    });
}

#[test]
fn a_timeout_that_is_dropped_asks() {
    run(async {
        let log = Log::default();
        let slow = spawn({
            let log = log.clone();
            async move { pending::<()>().on_cancel(async { log.say("asked") }).await }
        });
        let waits = slow.timeout(60 * SECOND);
        assert!(runtime::time::timeout(SECOND, waits).await.is_err());
        yield_now().await;
        assert_eq!(log.said(), ["asked"]);
    });
}

#[test]
fn whoever_waits_with_a_timeout_passes_the_request_on_and_waits() {
    run(async {
        let (log, start) = (Log::default(), Instant::now());
        let mut outer = spawn({
            let log = log.clone();
            async move {
                let inner = spawn(async move {
                    pending::<()>()
                        .on_cancel(async {
                            seconds(2.0).await;
                            log.say("inner")
                        })
                        .await;
                });
                inner.timeout(60 * SECOND).await
            }
        });
        seconds(1.0).await;
        assert!(outer.cancel().await.is_err());
        assert_eq!((log.said(), start.elapsed()), (vec!["inner".to_owned()], 3 * SECOND));
    });
}

#[test]
fn a_task_asks_itself() {
    run(async {
        let log = Log::default();
        let stop = Arc::new(std::sync::OnceLock::<runtime::AbortHandle>::new());
        let task = spawn({
            let (log, stop) = (log.clone(), stop.clone());
            async move {
                let suicide = async {
                    stop.get().unwrap().cancel();
                    log.say("not cut before the next await");
                    yield_now().await;
                    log.say("never");
                };
                suicide.on_cancel(async { log.say("cleaned") }).await;
            }
        });
        stop.set(task.abort_handle()).unwrap();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(log.said(), ["not cut before the next await", "cleaned"]);
    });
}

#[test]
fn the_end_of_block_on_only_drops() {
    let log = Log::default();
    run(async {
        drop(spawn(worker(log.clone())));
        seconds(1.5).await;
    });
    assert_eq!(log.said(), ["Working... 1/5", "dropped"]);
}

#[test]
fn a_panic_in_the_clean_up_is_how_the_task_ends() {
    run(async {
        let mut task = spawn(pending::<()>().on_cancel(async { panic!("it would not close") }));
        yield_now().await;
        let Err(JoinError::Panicked(panic)) = task.cancel().await else { panic!("it did not panic") };
        assert_eq!(panic.message(), Some("it would not close"));
    });
}

#[test]
fn two_who_cancel_at_once_both_see_the_end() {
    run(async {
        let mut task = spawn(pending::<()>().on_cancel(seconds(1.0)));
        let other = task.abort_handle();
        yield_now().await;
        let (ended, ()) = join(task.cancel(), async { other.cancel() }).await;
        assert!(ended.is_err());
        sleep(Duration::ZERO).await;
        assert!(other.is_finished());
    });
}
