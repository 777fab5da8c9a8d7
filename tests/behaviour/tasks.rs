//! Tasks, and how they are cancelled (asyncio's test_tasks).
//!
//! asyncio throws an error into the task; here a request wakes the handlers of a task ([`on_cancel`](CancelExt::on_cancel),
//! [`cancelled`]), and one without a handler is dropped. `cancel` is [`JoinHandle::cancel`](runtime::JoinHandle::cancel).
//!
//! | case | why it does not apply |
//! |---|---|
//! | `cancel_with_message_*` | a request carries no message |
//! | `cancelling`, `uncancel` as counts, `uncancel_resets_must_cancel` | requests are told once each, and not counted; one that is made cannot be taken back |
//! | `step_*`, `task_repr`, `task_set_name`, contexts, eager tasks | of Python's own |
//! | `task_set_result`, `task_set_exception`, `result` before it is done | no such methods: the types say so |
//! | `sleep(NaN)`, futures of another loop | a `Duration` is no NaN; any future may be awaited anywhere |
//! | awaiting itself | no error of its own: the virtual clock reports the deadlock |
//! | `sleep_cancel` leaves no timer | tests/bug_bank/timers.rs of `runtime` |

use runtime::{
    AbortHandle, JoinError, Runtime,
    future::join,
    group::{CancelExt, CancelScope, cancelled},
    spawn,
    sync::Event,
    time::{Instant, sleep},
    yield_now,
};
use std::{
    future::{Future, pending},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn run(main: impl Future<Output = ()>) {
    Runtime::builder().virtual_clock().build().unwrap().block_on(main);
}

#[test]
fn cancel() {
    run(async {
        let start = Instant::now();
        let mut task = spawn(async {
            sleep(10 * SECOND).await;
            12
        });
        yield_now().await;
        assert!(task.cancel_and_wait().await);
        assert!(task.is_finished());
        assert_eq!(start.elapsed(), Duration::ZERO);
        // A further one finds nobody.
        task.abort_handle().cancel();
    });
}

/// `cancel` and whether it ended so.
trait CancelAndWait {
    async fn cancel_and_wait(&mut self) -> bool;
}

impl<T> CancelAndWait for runtime::JoinHandle<T> {
    async fn cancel_and_wait(&mut self) -> bool {
        self.cancel().await.is_err_and(|error| error.is_cancelled())
    }
}

#[test]
fn cancel_yield() {
    run(async {
        let mut task = spawn(async {
            yield_now().await;
            yield_now().await;
            12
        });
        yield_now().await;
        assert!(task.cancel_and_wait().await);
    });
}

#[test]
fn cancel_task_before_starting() {
    run(async {
        let mut task = spawn(async { assert!(std::hint::black_box(false), "it was to have no turn") });
        assert!(task.cancel_and_wait().await);
    });
}

/// The end of what is awaited is a value here: the one who awaits it decides.
#[test]
fn cancel_inner_future() {
    run(async {
        let inner = spawn(pending::<()>());
        let stop = inner.abort_handle();
        let outer = spawn(async { inner.await.map(|()| 12) });
        yield_now().await;
        stop.cancel();
        assert!(matches!(outer.await, Ok(Err(JoinError::Cancelled))));
    });
}

#[test]
fn cancel_both_task_and_inner_future() {
    run(async {
        let inner = spawn(pending::<()>());
        let stop = inner.abort_handle();
        let mut outer = spawn(async { inner.await.map(|()| 12) });
        yield_now().await;
        stop.cancel();
        outer.cancel();
        assert!(outer.await.is_err());
        assert!(stop.is_finished());
    });
}

/// The innermost thing that is awaited hears of it first, and all that are around it after it.
#[test]
fn yield_future_passes_cancel() {
    run(async {
        let proof = Arc::new(AtomicU32::new(0));
        let mut task = spawn({
            let proof = proof.clone();
            async move {
                let inner = pending::<()>().on_cancel(async {
                    proof.fetch_add(1, SeqCst);
                });
                inner
                    .on_cancel(async {
                        proof.fetch_add(100, SeqCst);
                    })
                    .await;
            }
        });
        yield_now().await;
        assert!(task.cancel_and_wait().await);
        assert_eq!(proof.load(SeqCst), 101);
    });
}

#[test]
fn cancel_task_catching() {
    run(async {
        let mut task = spawn(async {
            cancelled().await;
            42
        });
        yield_now().await;
        assert_eq!(task.cancel().await.unwrap(), 42);
    });
}

#[test]
fn cancel_task_ignoring() {
    run(async {
        let event = Arc::new(Event::new());
        let mut task = spawn({
            let event = event.clone();
            async move {
                cancelled().await;
                event.wait().await;
                10
            }
        });
        yield_now().await;
        task.cancel();
        sleep(SECOND).await;
        assert!(!task.is_finished());
        event.set();
        assert_eq!(task.await.unwrap(), 10);
    });
}

/// A task that can reach itself.
fn with_itself<F: Future<Output: Send + 'static> + Send + 'static>(
    make: impl FnOnce(Arc<OnceLock<AbortHandle>>) -> F,
) -> runtime::JoinHandle<F::Output> {
    let own = Arc::new(OnceLock::new());
    let task = spawn(make(own.clone()));
    own.set(task.abort_handle()).unwrap();
    task
}

#[test]
fn cancel_current_task() {
    run(async {
        let start = Instant::now();
        let task = with_itself(async |own| {
            own.get().unwrap().cancel();
            sleep(100 * SECOND).await;
            12
        });
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

/// Different here: it came too late. What a task has given is not taken away.
#[test]
fn cancel_at_end() {
    run(async {
        let task = with_itself(async |own| {
            own.get().unwrap().cancel();
            12
        });
        assert_eq!(task.await.unwrap(), 12);
    });
}

/// bpo-34872. (Who just awaits a handle lets the subtask run on; `timeout` is how one owns it.)
#[test]
fn cancel_awaited_task() {
    run(async {
        let subtask = spawn(pending::<()>());
        let watch = subtask.abort_handle();
        let task = with_itself(async move |own| {
            own.get().unwrap().cancel();
            subtask.timeout(Duration::MAX).await
        });
        assert!(task.await.unwrap_err().is_cancelled());
        yield_now().await;
        assert!(watch.is_finished());
    });
}

#[test]
fn baseexception_during_cancel() {
    run(async {
        let mut task = spawn(sleep(10 * SECOND).on_cancel(async { panic!("another error") }));
        yield_now().await;
        assert!(task.cancel().await.unwrap_err().is_panic());
    });
}

/// What was swallowed leaves the task alive, and it can be cancelled again.
#[test]
fn uncancel_basic() {
    run(async {
        let mut task = spawn(async {
            cancelled().await;
            sleep(10 * SECOND).await;
        });
        yield_now().await;
        task.cancel();
        sleep(SECOND).await;
        assert!(!task.is_finished());
        assert!(task.cancel_and_wait().await);
    });
}

/// A timeout by hand: something cancels the block after a while, and what stands behind it runs.
#[test]
fn uncancel_structured_blocks() {
    run(async {
        for (limit, stopped) in [(SECOND, true), (60 * SECOND, false)] {
            let task = spawn(async move {
                let block = CancelScope::new();
                let timer = async {
                    sleep(limit).await;
                    block.cancel();
                };
                let work = block.run(sleep(10 * SECOND));
                let (ended, ()) = join(work, timer).await;
                sleep(SECOND).await;
                ended.is_err()
            });
            assert_eq!(task.await.unwrap(), stopped);
        }
    });
}
