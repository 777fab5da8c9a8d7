//! Section 15: `run_coroutine_threadsafe`: a thread that is no worker has something done by the runtime, and waits for it.
//!
//! Ours is [`Handle::spawn`](runtime::Handle::spawn); the handle that it gives is a future, which any executor can wait for:
//! here, `futures_lite`'s `block_on`.
//!
//! | case | why it does not apply |
//! |---|---|
//! | `task_factory_exception` | there is none |

use futures_lite::future::block_on as wait_here;
use runtime::{
    Handle, JoinError,
    group::AbortOnDropHandle,
    time::{sleep, timeout},
    yield_now,
};
use std::{future::pending, sync::Arc, thread, time::Duration};

/// Runs `on_thread` on a thread of its own, beside a runtime.
fn beside<T: Send + 'static>(on_thread: impl FnOnce(Handle) -> T + Send + 'static) -> T {
    let runtime = runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (done, result) = runtime::sync::oneshot::channel();
        let handle = Handle::current();
        let thread = thread::spawn(move || drop(done.send(on_thread(handle))));
        let result = result.await;
        thread.join().unwrap();
        result.expect("the thread has panicked")
    })
}

#[test]
fn run_coroutine_threadsafe() {
    let sum = beside(|handle| {
        wait_here(handle.spawn(async {
            runtime::yield_now().await;
            1 + 2
        }))
    });
    assert_eq!(sum.unwrap(), 3);
}

#[test]
fn with_exception() {
    let failed = beside(|handle| wait_here(handle.spawn(async { Err::<u8, _>("Fail!") })));
    assert_eq!(failed.unwrap(), Err("Fail!"));
    let panicked = beside(|handle| {
        wait_here(handle.spawn(async {
            if true {
                panic!("Fail!")
            }
        }))
    });
    assert!(matches!(panicked, Err(JoinError::Panicked(panic)) if panic.message() == Some("Fail!")));
}

#[test]
fn with_timeout() {
    let (late, left) = beside(|handle| {
        let value = Arc::new(());
        let held = value.clone();
        // The limit is part of the task, so the task is over when the thread hears of it.
        let late = wait_here(handle.spawn(timeout(Duration::ZERO, async move {
            sleep(Duration::from_secs(3600)).await;
            drop(held);
        })));
        (late, Arc::strong_count(&value) - 1)
    });
    assert!(late.unwrap().is_err());
    assert_eq!(left, 0, "a task is left");
}

#[test]
fn a_thread_that_gives_up_ends_the_task() {
    beside(|handle| {
        let task = AbortOnDropHandle::new(handle.spawn(pending::<()>()));
        let watch = task.abort_handle();
        drop(task);
        while !watch.is_finished() {
            wait_here(handle.spawn(yield_now())).unwrap();
        }
    });
}

#[test]
fn task_cancelled() {
    let cancelled = beside(|handle| {
        let task = handle.spawn(pending::<()>());
        let stop = task.abort_handle();
        drop(handle.spawn(async move { stop.abort() }));
        wait_here(task)
    });
    assert!(cancelled.unwrap_err().is_cancelled());
}
