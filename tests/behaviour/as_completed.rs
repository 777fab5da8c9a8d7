//! Section 11: `as_completed`.
//!
//! | case | why it does not apply |
//! |---|---|
//! | `duplicate_coroutines` | a task has one handle, and it goes in by value |
//! | `invalid_args`, `coroutine_without_loop` | types: they do not compile |
//! | several yielded awaitables awaited at once, or in reverse | outputs are given, not something to await |
//! | the task objects that went in | the place among the arguments says which task it was |

use runtime::{
    JoinHandle, Runtime,
    group::as_completed,
    spawn,
    time::{Instant, sleep, timeout, timeout_at},
};
use std::time::Duration;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(test: impl AsyncFnOnce()) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test());
}

fn after(time: u64, value: &'static str) -> JoinHandle<&'static str> {
    spawn(async move {
        sleep(millis(time)).await;
        value
    })
}

#[test]
fn in_the_order_of_completion() {
    run(async || {
        let start = Instant::now();
        let mut tasks = as_completed([after(10, "b"), after(5, "a"), after(15, "c")]);
        let mut values = Vec::new();
        while let Some((place, value)) = tasks.next().await {
            values.push((place, value.unwrap()));
        }
        assert_eq!(values, [(1, "a"), (0, "b"), (2, "c")]);
        assert_eq!(start.elapsed(), millis(15));
    });
}

#[test]
fn with_timeout() {
    run(async || {
        let limit = Instant::now() + millis(120);
        let mut tasks = as_completed([after(100, "a"), after(150, "b")]);
        assert_eq!(timeout_at(limit, tasks.next()).await.unwrap().unwrap().1.unwrap(), "a");
        assert!(timeout_at(limit, tasks.next()).await.is_err());
        assert_eq!(Instant::now(), limit);
        // It was not cancelled.
        assert_eq!(tasks.next().await.unwrap().1.unwrap(), "b");
    });
}

#[test]
fn with_unused_timeout() {
    run(async || {
        let mut tasks = as_completed([after(10, "a")]);
        let value = timeout(Duration::from_secs(100), tasks.next()).await;
        assert_eq!(value.unwrap().unwrap().1.unwrap(), "a");
        let start = Instant::now();
        assert!(tasks.next().await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn resume_after_a_break() {
    run(async || {
        let mut tasks = as_completed([after(5, "a"), after(10, "b"), after(15, "c")]);
        let mut values = Vec::new();
        // A loop that is left after the first.
        values.push(tasks.next().await.unwrap().1.unwrap());
        while let Some((_, value)) = tasks.next().await {
            values.push(value.unwrap());
        }
        assert_eq!(values, ["a", "b", "c"]);
    });
}

#[test]
fn concurrent() {
    run(async || {
        let mut tasks = as_completed([after(10, "a"), after(10, "b")]);
        let mut values: Vec<_> = [tasks.next().await, tasks.next().await].map(|next| next.unwrap().1.unwrap()).into();
        values.sort_unstable();
        assert_eq!(values, ["a", "b"]);
    });
}
