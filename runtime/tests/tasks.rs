//! Tasks on a runtime, seen from outside.

use runtime::{JoinError, JoinHandle, Runtime, block_on, future::join_all, spawn, sync::Event, time::sleep, yield_now};
use std::{
    future::{pending, poll_fn},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::Duration,
};

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_spawned() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    runtime::block_on(async move {
        let handles: Vec<_> = (0..5)
            .map(|number| {
                let seen = seen.clone();
                spawn(async move {
                    seen.lock().unwrap().push(number);
                    yield_now().await;
                    seen.lock().unwrap().push(number + 10);
                })
            })
            .collect();
        join_all(handles).await;
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
}

#[test]
fn a_panic_becomes_the_tasks_error_and_touches_nothing_else() {
    runtime::block_on(async {
        let panicking = spawn(async { panic!("the {} one", "first") });
        let other = spawn(async {
            yield_now().await;
            5
        });
        let error: Box<dyn std::error::Error + Send + Sync> = panicking.await.unwrap_err().into();
        let error = error.downcast::<JoinError>().unwrap();
        assert!(error.is_panic());
        assert_eq!(error.to_string(), "the task panicked: the first one");
        let JoinError::Panicked(panic) = *error else { unreachable!() };
        let payload = panic.into_payload();
        assert!(payload.is::<String>() || payload.is::<&str>());
        assert_eq!(other.await.unwrap(), 5);
    });
}

#[test]
fn a_panic_of_the_main_future_reaches_the_caller_and_leaves_the_runtime_usable() {
    let runtime = Runtime::new().unwrap();
    let dropped = Arc::new(AtomicBool::new(false));
    let on_drop = dropped.clone();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async move {
            drop(spawn(async move {
                let _guard = OnDrop(|| on_drop.store(true, Ordering::Relaxed));
                pending::<()>().await;
            }));
            yield_now().await;
            panic!("main");
        })
    }));
    assert!(result.is_err());
    assert!(dropped.load(Ordering::Relaxed), "the task outlived its block_on");
    assert_eq!(runtime.block_on(async { 1 }), 1);
}

#[test]
fn an_aborted_task_is_dropped_before_its_handle_resolves() {
    runtime::block_on(async {
        let dropped = Arc::new(AtomicBool::new(false));
        let on_drop = dropped.clone();
        let task = spawn(async move {
            let _guard = OnDrop(|| on_drop.store(true, Ordering::Relaxed));
            pending::<()>().await;
        });
        yield_now().await;
        task.abort();
        let error = task.await.unwrap_err();
        assert!(error.is_cancelled());
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn aborting_a_task_that_is_over_changes_nothing() {
    runtime::block_on(async {
        let task = spawn(async { "value" });
        yield_now().await;
        assert!(task.is_finished());
        task.abort();
        assert_eq!(task.await.unwrap(), "value");
    });
}

#[test]
fn dropping_the_handle_detaches_the_task() {
    virtual_clock().block_on(async {
        let done = Arc::new(Event::new());
        let set = done.clone();
        drop(spawn(async move {
            sleep(Duration::from_secs(1)).await;
            set.set();
        }));
        done.wait().await;
    });
}

#[test]
fn what_is_left_at_the_end_is_cancelled_and_what_it_spawns_then_too() {
    let ended = Arc::new(AtomicUsize::new(0));
    let count = ended.clone();
    runtime::block_on(async move {
        drop(spawn(async move {
            let inner = count.clone();
            let _guard = OnDrop(move || {
                count.fetch_add(1, Ordering::Relaxed);
                let count = inner.clone();
                drop(spawn(async move {
                    let _guard = OnDrop(|| {
                        count.fetch_add(10, Ordering::Relaxed);
                    });
                    pending::<()>().await;
                }));
            });
            pending::<()>().await;
        }));
        yield_now().await;
    });
    // The second task never ran, so its guard was never made: but its future was dropped, and block_on returned.
    assert_eq!(ended.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::strong_count(&ended), 1, "a future was leaked");
}

#[test]
fn a_task_that_always_yields_starves_neither_timers_nor_others() {
    runtime::block_on(async {
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = turns.clone();
        let busy = spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        });
        sleep(Duration::from_millis(2)).await;
        assert!(turns.load(Ordering::Relaxed) > 10);
        busy.abort();
    });
}

#[test]
fn a_wake_from_another_thread_gets_the_worker_up() {
    let (give, take) = mpsc::channel::<Waker>();
    let woken = Arc::new(AtomicBool::new(false));
    let set = woken.clone();
    let thread = thread::spawn(move || {
        let waker = take.recv().unwrap();
        set.store(true, Ordering::Release);
        waker.wake();
    });
    runtime::block_on(poll_fn(|context| {
        if woken.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let _ = give.send(context.waker().clone());
        Poll::Pending
    }));
    thread.join().unwrap();
}

#[test]
fn tasks_can_be_spawned_from_another_thread() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let before = handle.spawn(async { "before" });
    let during = runtime.block_on(async move {
        let (give, take) = mpsc::channel();
        let thread = thread::spawn(move || give.send(handle.spawn(async { "during" })).unwrap());
        let task = runtime::spawn_blocking(move || take.recv().unwrap()).await.unwrap();
        thread.join().unwrap();
        (before.await.unwrap(), task.await.unwrap())
    });
    assert_eq!(during, ("before", "during"));
}

#[test]
fn a_task_of_an_ended_runtime_is_cancelled() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let waiting = handle.spawn(pending::<()>());
    drop(runtime);
    assert!(waiting.is_finished());
    assert!(runtime::block_on(waiting).unwrap_err().is_cancelled());
}

#[test]
fn a_task_spawned_on_an_ended_runtime_is_cancelled_at_once() {
    let handle = Runtime::new().unwrap().handle().clone();
    let held = Arc::new(());
    let kept = held.clone();
    let late = handle.spawn(async move { drop(kept) });
    assert!(late.is_finished());
    assert_eq!(Arc::strong_count(&held), 1, "its future was kept");
    assert!(runtime::block_on(late).unwrap_err().is_cancelled());
}

#[test]
fn a_waker_may_outlive_its_runtime() {
    let stored = Arc::new(Mutex::new(None));
    let keep = stored.clone();
    runtime::block_on(async move {
        drop(spawn(poll_fn(move |context| {
            *keep.lock().unwrap() = Some(context.waker().clone());
            Poll::<()>::Pending
        })));
        yield_now().await;
    });
    stored.lock().unwrap().take().unwrap().wake();
}

#[test]
#[should_panic(expected = "block_on inside block_on")]
fn a_nested_block_on_is_refused() {
    runtime::block_on(async { runtime::block_on(async {}) });
}

#[test]
#[should_panic(expected = "not inside a runtime")]
fn spawning_outside_a_runtime_is_refused() {
    drop(spawn(async {}));
}

/// Runtimes come and go without leaving threads or descriptors behind.
#[test]
fn nothing_remains_of_a_hundred_runtimes() {
    fn count(folder: &str) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }
    // In a process of its own: other tests come and go in this one.
    if std::env::var_os("COUNT_WHAT_REMAINS").is_none() {
        let test = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["nothing_remains_of_a_hundred_runtimes", "--exact", "--nocapture", "--test-threads=1"])
            .env("COUNT_WHAT_REMAINS", "1")
            .output()
            .unwrap();
        assert!(test.status.success(), "{}", String::from_utf8_lossy(&test.stderr));
        return;
    }
    let round = || {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            drop(spawn(pending::<()>()));
            runtime::spawn_blocking(|| ()).await.unwrap();
            let (left, _right) = std::os::unix::net::UnixStream::pair().unwrap();
            left.set_nonblocking(true).unwrap();
            let left = runtime::AsyncFd::new(left);
            let waiting = runtime::time::timeout(Duration::ZERO, left.readable()).await;
            assert!(waiting.is_err());
        });
    };
    round();
    let before = (count("/proc/self/fd"), count("/proc/self/task"));
    (0..100).for_each(|_| round());
    assert_eq!((count("/proc/self/fd"), count("/proc/self/task")), before);
}

/// Threads that go on spawning cannot keep a `block_on` from ending.
#[test]
fn spawns_from_outside_do_not_hold_the_end_up() {
    let runtime = Runtime::new().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let spawning: Vec<_> = (0..2)
        .map(|_| {
            let (handle, stop) = (runtime.handle().clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    drop(handle.spawn(async {}));
                }
            })
        })
        .collect();
    runtime.block_on(sleep(Duration::from_millis(5)));
    stop.store(true, Ordering::Relaxed);
    spawning.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Computes for 2 ms at a time until the task is over, and gives way in between; says how often.
async fn compute_until_over(task: JoinHandle<()>) -> u32 {
    let mut turns = 0;
    while !task.is_finished() {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        turns += 1;
        yield_now().await;
    }
    turns
}

/// One turn until the timer fires, and one that was before the task that it wakes in the queue.
#[test]
fn who_gives_way_gives_way_to_timers_too() {
    let a_wait = || spawn(sleep(Duration::from_millis(1)));
    block_on(async {
        let turns = compute_until_over(a_wait()).await;
        assert!(turns <= 3, "the main future held up a timer for {turns} turns");
        let turns = spawn(compute_until_over(a_wait())).await.unwrap();
        assert!(turns <= 3, "a task held up a timer for {turns} turns");
    });
}
