//! Section 9: `gather`.
//!
//! | case | why it does not apply |
//! |---|---|
//! | `duplicate_coroutines` | a task has one handle, and it goes in by value |
//! | `heterogenous_futures`, a non-awaitable | types: they do not compile; a task of another runtime is welcome |
//! | "marked retrieved" | an output that nobody wants is dropped; nobody is told |
//! | `cancellation_broadcast`: a second cancel gives `false` | what was dropped cannot be dropped again |
//! | `cancel_gather_1` | whoever drops a gather has no use for its outputs; by `&mut` it can be awaited again |
//! | `cancel_gather_2` | a task that is aborted does not run on: nothing there could swallow it |

use runtime::{
    JoinHandle, Runtime,
    group::{Failure, gather, try_gather},
    spawn,
    sync::oneshot,
    time::{Instant, sleep, timeout},
    yield_now,
};
use std::{future::pending, time::Duration};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(test: impl AsyncFnOnce()) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test());
}

fn after<T: Send + 'static>(time: u64, value: T) -> JoinHandle<T> {
    spawn(async move {
        sleep(millis(time)).await;
        value
    })
}

#[test]
fn results_are_in_the_order_of_the_arguments() {
    run(async || {
        let start = Instant::now();
        let values: Vec<_> =
            gather([after(30, 2), after(10, 1), after(20, 3)]).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, [2, 1, 3]);
        assert_eq!(start.elapsed(), millis(30));
        let values = try_gather([after(30, Ok::<_, ()>(2)), after(10, Ok(1)), after(20, Ok(3))]).await;
        assert_eq!(values.unwrap(), [2, 1, 3]);
    });
}

#[test]
fn it_completes_only_when_all_are_done() {
    run(async || {
        let (first, one) = oneshot::channel();
        let (second, two) = oneshot::channel();
        let mut gathered = spawn(gather([spawn(one), spawn(two)]));
        second.send("two").unwrap();
        for _ in 0..5 {
            yield_now().await;
        }
        assert!(!gathered.is_finished());
        first.send("one").unwrap();
        let values: Vec<_> = (&mut gathered).await.unwrap().into_iter().map(|value| value.unwrap().unwrap()).collect();
        assert_eq!(values, ["one", "two"]);
    });
}

#[test]
fn empty() {
    run(async || {
        assert!(gather(Vec::<JoinHandle<()>>::new()).await.is_empty());
        assert!(try_gather(Vec::<JoinHandle<Result<(), ()>>>::new()).await.unwrap().is_empty());
    });
}

#[test]
fn one_exception() {
    run(async || {
        let start = Instant::now();
        let (done, ran_on) = oneshot::channel();
        let slow = spawn(async move {
            sleep(millis(50)).await;
            done.send("it ran on").unwrap();
            Err("nobody sees this one")
        });
        let error = try_gather([after(30, Ok(1)), slow, after(10, Err("no"))]).await.unwrap_err();
        assert!(matches!(error, Failure::Error("no")));
        assert_eq!(start.elapsed(), millis(10));
        assert_eq!(ran_on.await, Ok("it ran on"));
    });
}

#[test]
fn return_exceptions() {
    run(async || {
        let tasks = [after(30, Ok(1)), after(10, Err("no")), after(20, Ok(3)), spawn(async { panic!("oh") })];
        let mut values = gather(tasks).await.into_iter();
        assert_eq!(values.next().unwrap().unwrap(), Ok(1));
        assert_eq!(values.next().unwrap().unwrap(), Err("no"));
        assert_eq!(values.next().unwrap().unwrap(), Ok(3));
        assert!(values.next().unwrap().unwrap_err().is_panic());
    });
}

#[test]
fn one_cancellation() {
    run(async || {
        let stopped = || {
            let task = spawn(pending::<Result<u8, &str>>());
            task.abort();
            task
        };
        let error = try_gather([after(10, Ok(1)), stopped()]).await.unwrap_err();
        assert!(matches!(error, Failure::Lost(error) if error.is_cancelled()));
        let values = gather([after(10, Ok(1)), stopped()]).await;
        assert_eq!(*values[0].as_ref().unwrap(), Ok(1));
        assert!(values[1].as_ref().unwrap_err().is_cancelled());
    });
}

#[test]
fn cancellation_broadcast() {
    run(async || {
        for with_failures in [false, true] {
            let tasks = [after(10, Ok::<_, ()>(1)), after(20, Ok(2))];
            let handles = [tasks[0].abort_handle(), tasks[1].abort_handle()];
            let gathered = if with_failures {
                spawn(async { drop(try_gather(tasks).await) })
            } else {
                spawn(async { drop(gather(tasks).await) })
            };
            sleep(millis(5)).await;
            gathered.abort();
            assert!(gathered.await.unwrap_err().is_cancelled());
            yield_now().await;
            assert!(handles.iter().all(|task| task.is_finished()));
        }
    });
}

#[test]
fn a_limit_may_pass_without_an_end_of_the_tasks() {
    run(async || {
        let mut gathered = gather([after(10, 1), after(20, 2)]);
        assert!(timeout(millis(15), &mut gathered).await.is_err());
        assert_eq!(gathered.await.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    });
}
