//! Section 10: `shield`.
//!
//! | case | why it does not apply |
//! |---|---|
//! | "no callbacks left" | what a dropped wait leaves of its waker is the task cell's affair: `runtime/src/task/tests.rs` |
//! | `gather(shield, shield)` | `gather` takes tasks; shields are futures, and are joined (`shields_joined`) |

use runtime::{
    Runtime,
    future::join_all,
    group::{AbortOnDropHandle, gather, shield},
    spawn,
    sync::oneshot,
    time::{sleep, timeout},
    yield_now,
};
use std::{future::pending, time::Duration};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(test: impl AsyncFnOnce()) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test());
}

#[test]
fn shield_result() {
    run(async || assert_eq!(shield(spawn(async { 42 })).await.unwrap(), 42));
}

#[test]
fn shield_exception() {
    run(async || {
        assert_eq!(shield(spawn(async { Err::<(), _>("no") })).await.unwrap(), Err("no"));
        assert!(shield(spawn(async { panic!("no") })).await.is_err_and(|error: runtime::JoinError| error.is_panic()));
    });
}

#[test]
fn shield_shortcut() {
    run(async || {
        let inner = spawn(async { 1 });
        yield_now().await;
        assert!(inner.is_finished());
        // Ready at the first poll.
        assert_eq!(timeout(Duration::ZERO, shield(inner)).await.unwrap().unwrap(), 1);
    });
}

#[test]
fn shield_cancel_inner() {
    run(async || {
        let inner = spawn(pending::<()>());
        let stop = inner.abort_handle();
        let outer = spawn(shield(inner));
        stop.abort();
        assert!(outer.await.unwrap().unwrap_err().is_cancelled());
    });
}

#[test]
fn shield_cancel_outer() {
    run(async || {
        let (go, wait) = oneshot::channel::<()>();
        let inner = spawn(wait);
        let watch = inner.abort_handle();
        let outer = spawn(shield(inner));
        yield_now().await;
        outer.abort();
        assert!(outer.await.unwrap_err().is_cancelled());
        assert!(!watch.is_finished());
        go.send(()).unwrap();
        yield_now().await;
        assert!(watch.is_finished());
    });
}

#[test]
fn shield_effect() {
    run(async || {
        let (done, proof) = oneshot::channel();
        let outer = spawn(async {
            let inner = spawn(async move {
                sleep(millis(10)).await;
                done.send("it ran to its end").unwrap();
            });
            shield(inner).await
        });
        sleep(millis(5)).await;
        outer.abort();
        assert!(outer.await.unwrap_err().is_cancelled());
        assert_eq!(proof.await, Ok("it ran to its end"));
    });
}

#[test]
fn shield_gather() {
    run(async || {
        let (one, two) = (oneshot::channel(), oneshot::channel());
        let parent = spawn(gather([spawn(one.1), spawn(two.1)]));
        let watch = parent.abort_handle();
        let outer = spawn(shield(parent));
        yield_now().await;
        outer.abort();
        drop(outer.await);
        assert!(!watch.is_finished());
        one.0.send(1).unwrap();
        two.0.send(2).unwrap();
        for _ in 0..3 {
            yield_now().await;
        }
        assert!(watch.is_finished());
    });
}

#[test]
fn shields_joined() {
    run(async || {
        let (one, two) = (oneshot::channel::<u8>(), oneshot::channel::<u8>());
        let children = [spawn(one.1), spawn(two.1)];
        let watches = children.each_ref().map(|child| child.abort_handle());
        let parent = spawn(join_all(children.map(shield)));
        yield_now().await;
        parent.abort();
        drop(parent.await);
        assert!(watches.iter().all(|child| !child.is_finished()));
        drop((one.0, two.0));
        yield_now().await;
        assert!(watches.iter().all(|child| child.is_finished()));
    });
}

#[test]
fn the_contrary_of_a_shield() {
    run(async || {
        let task = spawn(pending::<()>());
        let watch = task.abort_handle();
        assert!(timeout(millis(5), AbortOnDropHandle::new(task)).await.is_err());
        yield_now().await;
        assert!(watch.is_finished());
    });
}
