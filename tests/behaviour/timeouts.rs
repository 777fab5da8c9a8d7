//! A part of a task with a deadline that moves (asyncio's test_timeouts): [`CancelScope`], [`fail_after`], [`move_on_after`].
//!
//! | case | why it does not apply |
//! |---|---|
//! | `reschedule` before entry; `enter twice`; used without a task | allowed: a scope is a value, entered by `run`, as often as wanted |
//! | `repr_*` | Python's |
//! | `timeout_exception_context`, `_cause` | errors have no context of that kind |
//! | `timeout_taskgroup` | task_group.rs |

use runtime::{
    Runtime,
    group::{CancelExt, CancelScope, cancelled, fail_after, move_on_after},
    spawn,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    future::{Future, pending},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn run(main: impl Future<Output = ()>) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(main);
}

#[test]
fn timeout_basic() {
    run(async {
        let (start, scope) = (Instant::now(), CancelScope::after(SECOND));
        assert!(scope.run(sleep(10 * SECOND)).await.is_err());
        assert!(scope.is_called());
        assert_eq!(scope.deadline(), Some(start + SECOND));
        let error = fail_after(SECOND, async |_| sleep(10 * SECOND).await).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 1s");
    });
}

#[test]
fn timeout_at_basic() {
    run(async {
        let at = Instant::now() + SECOND;
        let scope = CancelScope::at(at);
        assert!(scope.run(sleep(10 * SECOND)).await.is_err());
        assert!(scope.is_called());
        assert_eq!((scope.deadline(), Instant::now()), (Some(at), at));
    });
}

#[test]
fn timeout_not_called() {
    run(async {
        let scope = CancelScope::after(10 * SECOND);
        assert!(scope.run(sleep(SECOND)).await.is_ok());
        assert!(!scope.is_called());
        assert!(scope.deadline().unwrap() > Instant::now());
    });
}

#[test]
fn timeout_disabled() {
    run(async {
        let scope = CancelScope::new();
        assert!(scope.run(sleep(10_000 * SECOND)).await.is_ok());
        assert!(!scope.is_called());
        assert_eq!(scope.deadline(), None);
    });
}

#[test]
fn timeout_zero() {
    run(async {
        let start = Instant::now();
        for scope in [CancelScope::after(Duration::ZERO), CancelScope::at(Instant::now())] {
            assert!(scope.run(sleep(10 * SECOND)).await.is_err());
            assert!(scope.is_called());
        }
        assert!(move_on_after(Duration::ZERO, async |_| yield_now().await).await.is_none(), "zero, with `sleep(0)`");
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

/// A deadline that has passed long before it is entered.
#[test]
fn timeout_in_the_past_expired() {
    run(async {
        let at = Instant::now();
        sleep(11 * SECOND).await;
        let scope = CancelScope::at(at);
        assert!(scope.run(sleep(10 * SECOND)).await.is_err());
        assert_eq!((scope.is_called(), at.elapsed()), (true, 11 * SECOND));
    });
}

#[test]
fn nested_timeouts() {
    run(async {
        let at = Instant::now() + SECOND;
        let (outer, inner) = (CancelScope::at(at), CancelScope::at(at));
        let ran = outer.run(async {
            inner.run(sleep(10 * SECOND)).await.ok();
            panic!("the outer one was to catch");
        });
        assert!(ran.await.map(|never: ()| never).is_err());
        assert!(outer.is_called() && inner.is_called());
        assert!(outer.is_caught() && !inner.is_caught());
    });
}

#[test]
fn nested_timeouts_concurrent() {
    run(async {
        // Neither is around the other: each catches its own.
        let one = spawn(move_on_after(SECOND, async |_| pending::<()>().await));
        let other = spawn(move_on_after(SECOND, async |_| pending::<()>().await));
        assert!(one.await.unwrap().is_none() && other.await.unwrap().is_none());
    });
}

/// A blocked thread makes both due at once: the outer one ends it, at once.
#[test]
fn nested_timeouts_loop_busy() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let millisecond = Duration::from_millis(1);
        let (outer, inner) = (CancelScope::after(2 * millisecond), CancelScope::after(millisecond));
        let start = Instant::now();
        let ran = outer.run(async {
            let busy = async {
                yield_now().await;
                while start.elapsed() < 5 * millisecond {
                    std::hint::spin_loop();
                }
                sleep(10 * SECOND).await;
            };
            inner.run(busy).await.ok();
            sleep(10 * SECOND).await;
        });
        assert!(ran.await.is_err());
        assert!(outer.is_caught() && start.elapsed() < SECOND);
    });
}

#[test]
fn foreign_exception_passed() {
    run(async {
        let scope = CancelScope::after(SECOND);
        let ran = scope.run(async { Err::<(), _>("foreign") }).await;
        assert_eq!(ran.unwrap(), Err("foreign"));
        assert!(!scope.is_called());
    });
}

#[test]
fn foreign_exception_on_timeout() {
    run(async {
        let scope = CancelScope::after(SECOND);
        let ran = scope.run(async {
            cancelled().await;
            Err::<(), _>("an error of the clean-up")
        });
        assert_eq!(ran.await.unwrap(), Err("an error of the clean-up"));
        assert!(scope.is_called() && !scope.is_caught());
    });
}

#[test]
fn foreign_cancel_doesnt_timeout_if_not_expired() {
    run(async {
        let scope = CancelScope::after(10 * SECOND);
        let mut task = spawn({
            let scope = scope.clone();
            async move { scope.run(sleep(10 * SECOND)).await }
        });
        yield_now().await;
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert!(!scope.is_called() && !scope.is_caught());
    });
}

#[test]
fn outer_task_is_not_cancelled() {
    run(async {
        let task = spawn(async {
            let stopped = move_on_after(SECOND, async |_| sleep(10 * SECOND).await).await;
            yield_now().await;
            stopped.is_none()
        });
        assert!(task.await.unwrap());
    });
}

#[test]
fn reschedule() {
    run(async {
        let start = Instant::now();
        let scope = CancelScope::after(SECOND);
        let ran = scope.run(async {
            scope.set_deadline(Some(start + 3 * SECOND));
            sleep(10 * SECOND).await;
        });
        assert!(ran.await.is_err());
        assert_eq!((start.elapsed(), scope.deadline()), (3 * SECOND, Some(start + 3 * SECOND)));
        // Expired, it moves no more.
        scope.set_deadline(None);
        assert_eq!(scope.deadline(), Some(start + 3 * SECOND));
    });
}

#[test]
fn reschedule_to_none() {
    run(async {
        let ran = move_on_after(SECOND, async |scope| {
            scope.set_deadline(None);
            sleep(10 * SECOND).await;
            scope.deadline()
        });
        assert_eq!(ran.await, Some(None));
    });
}

/// A clean-up with a limit of its own, while the outer limit is being handled.
#[test]
fn nested_timeout_in_finally() {
    run(async {
        let start = Instant::now();
        let scope = CancelScope::after(SECOND);
        let cleanup = async {
            assert!(move_on_after(SECOND, async |_| sleep(10 * SECOND).await).await.is_none());
        };
        assert!(scope.run(sleep(10 * SECOND).on_cancel(cleanup)).await.is_err());
        assert_eq!(start.elapsed(), 2 * SECOND);
    });
}

/// The same where the body heard of it itself, and a third limit, around both, passes meanwhile.
#[test]
fn nested_timeout_in_what_goes_on() {
    run(async {
        let start = Instant::now();
        let body = async |_| {
            let goes_on = async |_| {
                cancelled().await;
                move_on_after(2 * SECOND, async |_| sleep(10 * SECOND).await).await.is_none()
            };
            move_on_after(SECOND, goes_on).await
        };
        assert_eq!(move_on_after(5 * SECOND, body).await, Some(Some(true)));
        assert_eq!(start.elapsed(), 3 * SECOND);
        assert_eq!(move_on_after(2 * SECOND, body).await, None);
        assert_eq!(start.elapsed(), 5 * SECOND);
    });
}

#[test]
fn timeout_after_cancellation() {
    run(async {
        let mut task = spawn(async {
            cancelled().await;
            // Swallowed: and timeouts are of use behind it.
            let stopped = move_on_after(SECOND, async |_| sleep(10 * SECOND).await).await;
            stopped.is_none()
        });
        yield_now().await;
        assert!(task.cancel().await.unwrap());
    });
}

#[test]
fn cancel_in_timeout_after_cancellation() {
    run(async {
        let mut task = spawn(async {
            cancelled().await;
            move_on_after(10 * SECOND, async |_| pending::<()>().await).await
        });
        yield_now().await;
        task.cancel();
        sleep(SECOND).await;
        let start = Instant::now();
        assert!(task.cancel().await.unwrap_err().is_cancelled());
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}
