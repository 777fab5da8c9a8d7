//! Section 16, trio's nursery: a [`TaskGroup`](runtime::group::TaskGroup) here. What it has in common with Python's is in `task_group`.
//!
//! | case | why it does not apply |
//! |---|---|
//! | a second `started()` is an error | [`Started::send`](runtime::group::Started::send) takes it: a second one does not compile |
//! | `precancelled_task` starts, and fails at its first checkpoint | a group that was cancelled takes no child, and drops it: `closure` |

use runtime::{
    Runtime,
    group::{Failure, GroupError, StartError, Started, TaskGroup, scope},
    sync::oneshot,
    time::{Instant, sleep},
    yield_now,
};
use std::{future::pending, sync::Arc, time::Duration};

type Fault = &'static str;
type Done = Result<(), Fault>;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(test: impl AsyncFnOnce()) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test());
}

fn errors<T>(ended: Result<T, GroupError<Fault>>) -> Vec<Fault> {
    let error = ended.err().expect("the group was to fail");
    error.iter().map(|failure| *failure.error().expect("no panic")).collect()
}

#[test]
fn main_and_task_both_crash() {
    run(async || {
        // Both are ready in the same turn, and neither is asked before it has failed.
        let ended = runtime::spawn(scope(async |group| {
            group.spawn(async {
                runtime::group::cancelled().await;
                Err::<(), _>("the child")
            });
            yield_now().await;
            Err::<(), _>("the body")
        }));
        assert_eq!(errors(ended.await.unwrap()), ["the body", "the child"]);
    });
}

#[test]
fn two_child_crashes() {
    run(async || {
        let ended = scope(async |group| {
            group.spawn(async {
                yield_now().await;
                Err::<(), _>("the first")
            });
            group.spawn(async {
                runtime::group::cancelled().await;
                Err::<(), _>("the second")
            });
            pending::<Done>().await
        });
        assert_eq!(errors(ended.await), ["the first", "the second"]);
    });
}

#[test]
fn child_crash_wakes_parent() {
    run(async || {
        let ended = scope(async |group| {
            group.spawn(async { Err::<(), _>("the child") });
            // Nothing else would ever wake it.
            pending::<Done>().await
        });
        assert_eq!(errors(ended.await), ["the child"]);
    });
}

#[test]
fn closure() {
    run(async || {
        let mut kept = None;
        let ended = scope(async |group| {
            kept = Some(group.clone());
            group.spawn(async { Err::<(), _>("the child") });
            pending::<Done>().await
        });
        assert_eq!(errors(ended.await), ["the child"]);
        let (group, value) = (kept.unwrap(), Arc::new(()));
        let held = value.clone();
        let refused = group.spawn(async move {
            drop(held);
            Ok(())
        });
        assert_eq!(Arc::strong_count(&value), 1);
        assert!(refused.await.unwrap_err().is_cancelled());
    });
}

async fn sleeps_and_starts(started: Started<u8>) -> Done {
    sleep(millis(10)).await;
    started.send(5);
    sleep(millis(10)).await;
    Ok(())
}

#[test]
fn start_waits_for_started_and_gives_its_value() {
    run(async || {
        let start = Instant::now();
        let ended = scope(async |group| {
            assert_eq!(group.start(sleeps_and_starts).await.unwrap(), 5);
            assert_eq!(start.elapsed(), millis(10));
            Ok::<_, Fault>(())
        });
        ended.await.unwrap();
        assert_eq!(start.elapsed(), millis(20));
    });
}

#[test]
fn start_fails_before_started() {
    run(async || {
        let value = scope(async |group| {
            let failed = group.start::<u8, _>(|_started| async { Err("no") }).await;
            assert!(matches!(failed, Err(StartError::Failed(Failure::Error("no")))));
            let panicked = group.start::<u8, _>(|_started| async { panic!("oh") }).await;
            assert!(matches!(panicked, Err(StartError::Failed(Failure::Lost(error))) if error.is_panic()));
            // That was the caller's affair: the group goes on.
            group.spawn(async { Ok(7) }).await.map_err(|_| "the group has failed")
        });
        assert_eq!(value.await.unwrap(), 7);
    });
}

#[test]
fn start_fails_after_started() {
    run(async || {
        let ended = scope(async |group| {
            let failing = async |started: Started<()>| {
                started.send(());
                yield_now().await;
                Err("no")
            };
            group.start(failing).await.unwrap();
            pending::<Done>().await
        });
        assert_eq!(errors(ended.await), ["no"]);
    });
}

#[test]
fn start_exits_without_started() {
    run(async || {
        let ended = scope(async |group: TaskGroup<Fault>| {
            let ended = group
                .start::<u8, _>(|started| async move {
                    drop(started);
                    Ok(())
                })
                .await;
            assert!(matches!(ended, Err(StartError::NotStarted)));
            Ok(())
        });
        ended.await.unwrap();
    });
}

#[test]
fn start_in_a_closed_nursery() {
    run(async || {
        let group = scope(async |group: TaskGroup<Fault>| Ok(group)).await.unwrap();
        let start = Instant::now();
        assert!(matches!(group.start(sleeps_and_starts).await, Err(StartError::Cancelled)));
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn start_keeps_nursery_open() {
    run(async || {
        let start = Instant::now();
        let ended = scope(async |group: TaskGroup<Fault>| {
            let inside = group.clone();
            // The body ends at once; a child is still starting another.
            group.spawn(async move {
                assert_eq!(inside.start(sleeps_and_starts).await.unwrap(), 5);
                Ok(())
            });
            Ok(())
        });
        ended.await.unwrap();
        assert_eq!(start.elapsed(), millis(20));
    });
}

#[test]
fn nursery_cancelled_before_and_after_started() {
    for after in [false, true] {
        run(async || {
            let (value, begun) = (Arc::new(()), Instant::now());
            let ended = scope(async |group| {
                let (held, (up, is_up)) = (value.clone(), oneshot::channel());
                let start = group.start(|started: Started<()>| async move {
                    if after {
                        started.send(());
                        up.send(()).unwrap();
                        pending::<()>().await;
                    } else {
                        up.send(()).unwrap();
                        pending::<()>().await;
                        started.send(());
                    }
                    drop(held);
                    Ok(())
                });
                if after {
                    start.await.unwrap();
                } else {
                    is_up.await.unwrap();
                    assert_eq!(Arc::strong_count(&value), 2);
                    group.spawn(async { Err::<(), _>("before") });
                    return start.await.map_err(|_| "not started");
                }
                Err("after")
            });
            assert_eq!(errors(ended.await), [if after { "after" } else { "before" }]);
            assert_eq!((Arc::strong_count(&value), begun.elapsed()), (1, Duration::ZERO));
        });
    }
}
