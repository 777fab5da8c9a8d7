//! Section 8: `wait`.
//!
//! | case | why it does not apply |
//! |---|---|
//! | `errors` (a bare future, a coroutine, a bad `return_when`) | they are other types, and do not compile |
//! | `duplicate_coroutines` | a task has one handle, and it goes into the set by value |
//! | an empty set is a `ValueError` | decided otherwise: it gives an empty list at once, so that a loop over a set needs no special case |

use runtime::{
    JoinError, Runtime,
    group::{JoinSet, ReturnWhen, wait},
    spawn,
    task::TaskId,
    time::{Instant, sleep},
    yield_now,
};
use std::time::Duration;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(test: impl AsyncFnOnce()) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test());
}

/// Tasks that give the time that they slept.
fn sleepers<const N: usize>(times: [u64; N]) -> JoinSet<u64> {
    let sleeper = |time| async move {
        sleep(millis(time)).await;
        time
    };
    // Any iterator will do: case `wait_with_iterator_of_tasks`.
    times.into_iter().map(|time| spawn(sleeper(time))).collect()
}

fn values<T>(done: Vec<(TaskId, Result<T, JoinError>)>) -> Vec<T> {
    done.into_iter().map(|(_, output)| output.unwrap()).collect()
}

#[test]
fn empty() {
    run(async || assert!(wait(&mut JoinSet::<()>::new(), ReturnWhen::First, None).await.is_empty()));
}

#[test]
fn all_completed() {
    run(async || {
        let (start, mut set) = (Instant::now(), sleepers([100, 150]));
        assert_eq!(values(wait(&mut set, ReturnWhen::All, None).await), [100, 150]);
        assert_eq!((start.elapsed(), set.len()), (millis(150), 0));
        assert!(wait(&mut set, ReturnWhen::All, None).await.is_empty());
        assert_eq!(start.elapsed(), millis(150));
    });
}

#[test]
fn first_completed() {
    run(async || {
        let (start, mut set) = (Instant::now(), sleepers([10_000, 100]));
        assert_eq!(values(wait(&mut set, ReturnWhen::First, None).await), [100]);
        assert_eq!((start.elapsed(), set.len()), (millis(100), 1));
        // The other was not cancelled.
        assert_eq!(values(wait(&mut set, ReturnWhen::All, None).await), [10_000]);
    });
}

#[test]
fn really_done() {
    run(async || {
        let mut set: JoinSet<&str> = JoinSet::new();
        for name in ["a", "b"] {
            set.spawn(async move {
                yield_now().await;
                yield_now().await;
                name
            });
        }
        assert_eq!(values(wait(&mut set, ReturnWhen::First, None).await), ["a", "b"]);
    });
}

async fn fails_after(time: u64) -> Result<u64, &'static str> {
    sleep(millis(time)).await;
    Err("no")
}

async fn succeeds_after(time: u64) -> Result<u64, &'static str> {
    sleep(millis(time)).await;
    Ok(time)
}

#[test]
fn first_exception_exists_already() {
    run(async || {
        let (start, mut set) = (Instant::now(), JoinSet::new());
        set.spawn(succeeds_after(10_000));
        set.spawn(async { Err("no") });
        yield_now().await;
        assert_eq!(values(wait(&mut set, ReturnWhen::first_error(), None).await), [Err("no")]);
        assert_eq!((start.elapsed(), set.len()), (millis(0), 1));
    });
}

#[test]
fn first_exception_in_wait() {
    run(async || {
        let (start, mut set) = (Instant::now(), JoinSet::new());
        set.spawn(succeeds_after(10_000));
        set.spawn(succeeds_after(5));
        set.spawn(fails_after(10));
        assert_eq!(values(wait(&mut set, ReturnWhen::first_error(), None).await), [Ok(5), Err("no")]);
        assert_eq!((start.elapsed(), set.len()), (millis(10), 1));
    });
}

#[test]
fn first_exception_without_one_is_like_all() {
    run(async || {
        let (start, mut set) = (Instant::now(), JoinSet::new());
        set.spawn(succeeds_after(10));
        set.spawn(succeeds_after(20));
        assert_eq!(values(wait(&mut set, ReturnWhen::first_error(), None).await), [Ok(10), Ok(20)]);
        assert_eq!(start.elapsed(), millis(20));
    });
}

#[test]
fn first_exception_of_tasks_without_results_is_a_lost_task() {
    run(async || {
        let mut set = sleepers([10_000]);
        set.spawn(async { panic!("no") });
        let done = wait(&mut set, ReturnWhen::first_without_output(), None).await;
        assert!(done[0].1.as_ref().unwrap_err().is_panic());
        assert_eq!(set.len(), 1);
    });
}

#[test]
fn with_exception() {
    run(async || {
        let (start, mut set) = (Instant::now(), JoinSet::new());
        set.spawn(succeeds_after(100));
        set.spawn(fails_after(150));
        assert_eq!(values(wait(&mut set, ReturnWhen::All, None).await), [Ok(100), Err("no")]);
        assert_eq!(start.elapsed(), millis(150));
    });
}

#[test]
fn timeout() {
    run(async || {
        let (start, mut set) = (Instant::now(), sleepers([100, 150]));
        assert_eq!(values(wait(&mut set, ReturnWhen::All, Some(millis(110))).await), [100]);
        assert_eq!((start.elapsed(), set.len()), (millis(110), 1));
        assert_eq!(values(wait(&mut set, ReturnWhen::All, None).await), [150]);
    });
}

#[test]
fn concurrent_complete() {
    run(async || {
        let mut set = sleepers([100, 150]);
        assert_eq!(values(wait(&mut set, ReturnWhen::All, Some(millis(100))).await), [100]);
        assert_eq!(set.len(), 1);
    });
}

#[test]
fn does_not_shield_cancel() {
    run(async || {
        let mut set = sleepers([10, 20]);
        // The one who waits is given up; those for whom it waited are not.
        let given_up = runtime::time::timeout(millis(5), wait(&mut set, ReturnWhen::All, None)).await;
        assert!(given_up.is_err());
        assert_eq!(values(wait(&mut set, ReturnWhen::All, None).await), [10, 20]);
    });
}
