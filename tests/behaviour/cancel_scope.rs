//! Cancel scopes (trio's test_run and test_timeouts): [`CancelScope`].
//!
//! A scope here asks the handlers in it, and then drops what it runs: so nothing in it makes a second call.
//!
//! | case | why it does not apply |
//! |---|---|
//! | level-triggered: two blocking calls both raise | after the first there is no body left that could make a second |
//! | `shield`, also switched off again | a scope ends futures, not tasks: what it must not reach is spawned; a clean-up is shielded |
//! | `cancel_scope_misnesting`, entered twice | `run` nests as blocks do, and may be used again |
//! | `sleep`, `move_on_*`, `fail_*` with negative numbers or NaN | a `Duration` is neither |
//! | mock and autojump clocks | the virtual clock: time.rs of `runtime` |

use runtime::{
    Runtime,
    future::join_all,
    group::{CancelExt, CancelScope, fail_after, move_on_after},
    spawn,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn run(main: impl Future<Output = ()>) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(main);
}

#[test]
fn cancel_is_idempotent() {
    run(async {
        let (scope, cleaned) = (CancelScope::new(), AtomicU32::new(0));
        let ran = scope.run(async {
            scope.cancel();
            scope.cancel();
            pending::<()>()
                .on_cancel(async {
                    cleaned.fetch_add(1, SeqCst);
                    scope.cancel();
                    yield_now().await;
                })
                .await;
        });
        assert!(ran.await.is_err());
        assert_eq!(cleaned.load(SeqCst), 1);
    });
}

#[test]
fn basic_timeout() {
    run(async {
        let (start, scope) = (Instant::now(), CancelScope::new());
        let ran = scope.run(async {
            assert_eq!(scope.deadline(), None);
            scope.set_deadline(Some(start + SECOND));
            sleep(2 * SECOND).await;
        });
        assert!(ran.await.is_err());
        assert!(scope.is_caught());
        assert_eq!(start.elapsed(), SECOND);

        let ready = CancelScope::after(SECOND);
        assert!(ready.run(yield_now()).await.is_ok());
        assert!(!ready.is_called() && !ready.is_caught());
    });
}

/// A deadline that is moved to the past works at the next suspension.
#[test]
fn timekeeping_with_a_deadline_moved_to_the_past() {
    run(async {
        let start = Instant::now();
        sleep(SECOND).await;
        let ran = move_on_after(60 * SECOND, async |scope| {
            scope.set_deadline(Some(start));
            sleep(30 * SECOND).await;
        });
        assert!(ran.await.is_none());
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn cancel_scope_nesting() {
    run(async {
        // Both fire: the outer one catches.
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let ran = outer.run(async {
            let both = inner.run(async {
                inner.cancel();
                outer.cancel();
                yield_now().await;
            });
            both.await.ok();
            panic!("the inner one caught");
        });
        assert!(ran.await.map(|never: ()| never).is_err());
        assert!(outer.is_caught() && !inner.is_caught());

        // The inner one fires: it catches, and the outer one goes on.
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let ran = outer.run(async {
            inner.cancel();
            inner.run(yield_now()).await.is_err()
        });
        assert_eq!(ran.await, Ok(true));
        assert!(inner.is_caught() && !outer.is_called());

        // The outer one fires between two inner ones.
        let outer = CancelScope::new();
        let ran = outer.run(async {
            assert!(CancelScope::new().run(yield_now()).await.is_ok());
            outer.cancel();
            CancelScope::new().run(yield_now()).await.ok();
            panic!("the inner one caught");
        });
        assert!(ran.await.map(|never: ()| never).is_err());
    });
}

#[test]
fn a_scope_left_before_delivery_does_not_deliver() {
    run(async {
        let scope = CancelScope::new();
        let ran = scope.run(async {
            yield_now().await;
            scope.cancel();
            5
        });
        assert_eq!(ran.await, Ok(5));
        yield_now().await;
        assert!(scope.is_called() && !scope.is_caught());
    });
}

#[test]
fn cancel_unbound() {
    run(async {
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.is_called());
        assert!(scope.run(yield_now()).await.is_err());
        assert!(scope.is_caught());
    });
}

#[test]
fn deadline_duplicates() {
    run(async {
        let at = Instant::now() + SECOND;
        let scopes: Vec<_> = (0..10).map(|_| CancelScope::at(at)).collect();
        let ended = join_all(scopes.iter().map(|scope| scope.run(pending::<()>()))).await;
        assert!(ended.iter().all(Result::is_err));
        assert_eq!(Instant::now(), at);
    });
}

#[test]
fn very_deep_cancel_scope_nesting() {
    fn nested(depth: u32, entered: Arc<AtomicU32>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            entered.fetch_add(1, SeqCst);
            if depth == 0 {
                return pending().await;
            }
            CancelScope::new().run(nested(depth - 1, entered)).await.ok();
        })
    }
    run(async {
        let entered = Arc::new(AtomicU32::new(0));
        assert!(move_on_after(SECOND, async |_| nested(100, entered.clone()).await).await.is_none());
        assert_eq!(entered.load(SeqCst), 101);
        let mut task = spawn(nested(100, entered.clone()));
        yield_now().await;
        assert!(task.cancel().await.is_err());
    });
}

#[test]
fn move_on_after_and_fail_after() {
    run(async {
        let start = Instant::now();
        assert_eq!(move_on_after(SECOND, async |_| sleep(5 * SECOND).await).await, None);
        assert!(fail_after(SECOND, async |_| sleep(5 * SECOND).await).await.is_err());
        assert_eq!(start.elapsed(), 2 * SECOND);
        assert_eq!(fail_after(SECOND, async |_| 5).await, Ok(5));
    });
}
