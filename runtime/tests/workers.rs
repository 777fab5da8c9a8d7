//! Several workers: what one worker does, all together do too.

use runtime::{
    AsyncFd, Handle, JoinError, Runtime,
    future::race,
    spawn, spawn_blocking, spawn_local,
    sync::{Event, oneshot},
    time::{sleep, timeout},
    trace::{self, Kind},
    yield_now,
};
use std::{
    cell::Cell,
    collections::HashSet,
    fs::File,
    future::{Future, pending, poll_fn},
    marker::PhantomData,
    rc::Rc,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Wake, Waker},
    thread::{self, ThreadId},
    time::Duration,
};

/// As many as make sense: Miri takes a thousand times as long, and without optimisation it is ten.
const fn times(release: usize) -> usize {
    if cfg!(miri) {
        release / 1000 + 1
    } else if cfg!(debug_assertions) {
        release / 20 + 1
    } else {
        release
    }
}

fn workers(number: usize) -> Runtime {
    Runtime::builder().workers(number).build().unwrap()
}

/// Two tasks that wait for each other on a barrier of threads: both run at the same time.
#[test]
fn tasks_run_at_the_same_time() {
    let runtime = workers(2);
    let barrier = Arc::new(Barrier::new(2));
    runtime.block_on(async {
        let meet = || {
            let barrier = barrier.clone();
            spawn(async move {
                barrier.wait();
            })
        };
        let (left, right) = (meet(), meet());
        left.await.unwrap();
        right.await.unwrap();
    });
}

#[test]
fn a_task_spawned_from_outside_runs_without_block_on() {
    let runtime = workers(2);
    let (sender, receiver) = mpsc::channel();
    drop(runtime.handle().spawn(async move {
        sleep(Duration::from_millis(1)).await;
        sender.send("ran").unwrap();
    }));
    assert_eq!(receiver.recv_timeout(Duration::from_secs(10)), Ok("ran"));
}

/// The reproducer of tokio #1768: a wake-up lost between a push and a parking worker leaves a task lying.
#[test]
fn spawning_and_joining_never_stops() {
    for number in [2, 4] {
        let runtime = workers(number);
        runtime.block_on(async {
            for _ in 0..times(100_000) {
                spawn(async { spawn(async {}).await.unwrap() }).await.unwrap();
            }
        });
    }
}

#[test]
fn a_local_task_stays_on_its_thread_whoever_wakes_it() {
    let runtime = workers(4);
    runtime.block_on(async {
        let home = thread::current().id();
        let threads: Rc<Cell<usize>> = Rc::default();
        let many = if cfg!(miri) { 5 } else { 50 };
        let locals: Vec<_> = (0..many)
            .map(|_| {
                let threads = threads.clone();
                spawn_local(async move {
                    for _ in 0..20 {
                        spawn(async { yield_now().await }).await.unwrap();
                        assert_eq!(thread::current().id(), home);
                        threads.set(threads.get() + 1);
                    }
                })
            })
            .collect();
        for local in locals {
            local.await.unwrap();
        }
        assert_eq!(threads.get(), many * 20);
    });
}

/// Records where it is dropped. Not `Send`.
struct DroppedOn(Arc<Mutex<Option<ThreadId>>>, PhantomData<Rc<()>>);

impl Drop for DroppedOn {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = Some(thread::current().id());
    }
}

/// tokio #3929 (RUSTSEC-2021-0072): `abort` dropped such a future on the caller's thread.
#[test]
fn a_local_task_aborted_from_elsewhere_is_dropped_at_home() {
    for number in [1, 3] {
        let dropped = Arc::new(Mutex::new(None));
        workers(number).block_on(async {
            let guard = DroppedOn(dropped.clone(), PhantomData);
            let task = spawn_local(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            yield_now().await;
            let abort = task.abort_handle();
            spawn_blocking(move || abort.abort()).await.unwrap();
            assert!(matches!(task.await, Err(JoinError::Cancelled)));
        });
        assert_eq!(*dropped.lock().unwrap(), Some(thread::current().id()));
    }
}

#[test]
fn a_local_task_left_at_the_end_is_dropped_at_home() {
    let dropped = Arc::new(Mutex::new(None));
    workers(2).block_on(async {
        let guard = DroppedOn(dropped.clone(), PhantomData);
        drop(spawn_local(async move {
            let _guard = guard;
            pending::<()>().await;
        }));
        yield_now().await;
    });
    assert_eq!(*dropped.lock().unwrap(), Some(thread::current().id()));
}

#[test]
#[should_panic(expected = "no worker here")]
fn a_local_task_needs_a_worker() {
    drop(spawn_local(async {}));
}

/// Whatever is left when `block_on` ends is gone when it returns, on every worker; and the next one starts clean.
#[test]
fn nothing_runs_on_after_block_on() {
    let runtime = workers(3);
    for _ in 0..times(50).max(3) {
        let alive = Arc::new(());
        let running = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            for kind in 0..60 {
                let (alive, running) = (alive.clone(), running.clone());
                drop(spawn(async move {
                    let _alive = alive;
                    loop {
                        running.fetch_add(1, Ordering::Relaxed);
                        match kind % 3 {
                            0 => yield_now().await,
                            1 => sleep(Duration::from_micros(50)).await,
                            _ => pending().await,
                        }
                    }
                }));
            }
            sleep(Duration::from_micros(300)).await;
        });
        assert_eq!(Arc::strong_count(&alive), 1, "a future outlived block_on");
        let before = running.load(Ordering::Relaxed);
        runtime.block_on(yield_now());
        assert_eq!(running.load(Ordering::Relaxed), before);
    }
}

/// A worker that ended the last tasks of one `block_on` must not end the first of the next.
#[test]
fn the_end_of_one_block_on_does_not_reach_into_the_next() {
    let runtime = workers(3);
    for round in 0..times(1_000) {
        let fresh = workers(2);
        for runtime in [&runtime, &fresh] {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..times(500).max(20)).map(|_| spawn(async { spawn(async {}).await })).collect();
                for task in tasks {
                    assert!(task.await.unwrap().is_ok(), "round {round}");
                }
            });
        }
    }
}

/// A future that spawns another when it is dropped.
struct SpawnsWhenDropped(u32, Arc<AtomicUsize>);

impl Drop for SpawnsWhenDropped {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
        if self.0 > 0
            && let Some(handle) = Handle::try_current()
        {
            let next = SpawnsWhenDropped(self.0 - 1, self.1.clone());
            drop(handle.spawn(async move {
                let _next = next;
                pending::<()>().await;
            }));
        }
    }
}

#[test]
fn tasks_spawned_by_dying_tasks_die_too() {
    for number in [1, 2, 4] {
        let dropped = Arc::new(AtomicUsize::new(0));
        workers(number).block_on(async {
            for _ in 0..10 {
                let first = SpawnsWhenDropped(20, dropped.clone());
                drop(spawn(async move {
                    let _first = first;
                    pending::<()>().await;
                }));
            }
            yield_now().await;
        });
        assert_eq!(dropped.load(Ordering::Relaxed), 210, "{number} workers");
    }
}

/// One worker is stuck in a poll; the other fires its timers, and runs what it had queued, until that sets it free.
#[test]
fn a_stuck_worker_takes_nothing_with_it() {
    // The first worker is not there before `block_on`: these are two.
    let runtime = workers(3);
    let (release, released) = mpsc::channel();
    let coordinator = runtime.handle().spawn(async move {
        for round in 0..4 {
            let sleepers: Vec<_> = (0..8).map(|_| spawn(sleep(Duration::from_millis(20)))).collect();
            sleep(Duration::from_millis(2)).await;
            let (stuck, is_stuck) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
            let blocker = {
                let (stuck, is_stuck) = (stuck.clone(), is_stuck.clone());
                spawn(async move {
                    is_stuck.store(true, Ordering::Release);
                    while stuck.load(Ordering::Acquire) {
                        thread::yield_now();
                    }
                })
            };
            while !is_stuck.load(Ordering::Acquire) {
                yield_now().await;
            }
            for sleeper in sleepers {
                sleeper.await.unwrap();
            }
            stuck.store(false, Ordering::Release);
            blocker.await.unwrap();
            release.send(round).unwrap();
        }
    });
    for round in 0..4 {
        assert_eq!(released.recv_timeout(Duration::from_secs(30)), Ok(round));
    }
    runtime.block_on(coordinator).unwrap();
}

/// When all have been idle for long nobody watches any more. The first to get up is stuck at once, and yet its timer fires.
#[test]
fn the_first_to_get_up_is_watched() {
    struct Tells(mpsc::Sender<()>);
    impl Wake for Tells {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    let runtime = Runtime::builder().workers(3).trace().build().unwrap();
    let sleeps_deep = |worker| {
        let latest = |event: &&trace::Event| event.worker == Some(worker);
        matches!(
            runtime.trace().events().iter().rfind(latest),
            Some(trace::Event { kind: Kind::Park { until: None }, .. })
        )
    };
    while !(sleeps_deep(1) && sleeps_deep(2)) {
        thread::yield_now();
    }
    let (sender, fired) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    // (No `block_on`: its thread would be one more who watches.)
    drop(runtime.handle().spawn(async move {
        let waker = Waker::from(Arc::new(Tells(sender)));
        let mut timer = Box::pin(sleep(Duration::from_millis(1)));
        assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        end.send(fired.recv_timeout(Duration::from_secs(10))).unwrap();
    }));
    assert_eq!(ended.recv().unwrap(), Ok(()), "another worker fires the timer of the stuck one");
}

/// tokio #4941: a task woken by one that then blocks must not wait for it.
#[test]
fn what_a_blocking_task_woke_runs_elsewhere() {
    let runtime = workers(2);
    let (sender, receiver) = mpsc::channel();
    runtime.block_on(async {
        let blocker = spawn(async move {
            let woken = spawn(async move { sender.send(()).unwrap() });
            // Blocks its worker until the task that it has just made runnable has run.
            receiver.recv_timeout(Duration::from_secs(30)).expect("the woken task ran on the other worker");
            woken.await.unwrap();
        });
        blocker.await.unwrap();
    });
}

/// tokio #2349: two tasks that wake each other through the next-task slot starve nobody.
#[test]
fn a_pair_that_plays_ping_pong_starves_nobody() {
    let runtime = workers(2);
    let stop = Arc::new(AtomicBool::new(false));
    runtime.block_on(async {
        let players: Vec<_> = (0..if cfg!(miri) { 2 } else { 8 })
            .map(|_| {
                let stop = stop.clone();
                spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        spawn(async {}).await.unwrap();
                    }
                })
            })
            .collect();
        spawn(async {
            for _ in 0..times(1000) {
                yield_now().await
            }
        })
        .await
        .unwrap();
        sleep(Duration::from_millis(1)).await;
        stop.store(true, Ordering::Relaxed);
        for player in players {
            player.await.unwrap();
        }
    });
}

#[test]
fn shutdown_names_the_task_that_would_not_end() {
    let runtime = workers(2);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let task = runtime.handle().spawn(async move {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    has_started.recv().unwrap();
    let report = runtime.shutdown(Duration::from_millis(20));
    assert!(!report.is_clean());
    assert_eq!(report.tasks[0].id, task.id());
    assert!(report.tasks[0].stuck);
    assert_eq!(report.to_string(), format!("{} does not return\n", task.id()));
    assert!(format!("{task:?}").contains("workers.rs"), "{task:?}");
    drop(release);
}

/// One is stuck in its second poll, and another waits on the same worker: both are named, once.
#[test]
fn shutdown_tells_the_stuck_from_those_behind_it() {
    let runtime = workers(2);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    drop(runtime.handle().spawn(async move {
        let behind = runtime::task::Builder::new().name("behind").spawn(pending::<()>());
        yield_now().await;
        started.send(behind.id()).unwrap();
        let _ = released.recv();
    }));
    let behind = has_started.recv().unwrap();
    let report = runtime.shutdown(Duration::from_millis(20));
    let told: Vec<_> = report.tasks.iter().map(|task| (task.id == behind, task.stuck)).collect();
    assert_eq!(told, [(false, true), (true, false)], "{report}");
    assert!(report.to_string().contains("\"behind\""), "{report}");
    drop(release);
}

#[test]
fn a_runtime_dropped_by_its_own_task_ends() {
    let runtime = workers(2);
    let handle = runtime.handle().clone();
    let (sender, receiver) = mpsc::channel();
    drop(handle.spawn(async move {
        drop(runtime);
        sender.send(()).unwrap();
    }));
    receiver.recv_timeout(Duration::from_secs(30)).unwrap();
}

fn threads_of_this_process() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn descriptors_of_this_process() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// In a process of its own, for other tests come and go with threads in this one.
#[test]
#[cfg_attr(miri, ignore = "Miri starts no processes")]
fn runtimes_come_and_go_and_leave_nothing() {
    if std::env::var_os("RUNTIME_TEST_ALONE").is_none() {
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "runtimes_come_and_go_and_leave_nothing", "--test-threads", "1"])
            .env("RUNTIME_TEST_ALONE", "1")
            .status();
        return assert!(alone.unwrap().success());
    }
    let once = || {
        let runtime = workers(3);
        runtime.block_on(async {
            spawn(async { spawn_blocking(|| ()).await.unwrap() }).await.unwrap();
        });
    };
    once();
    let before = (threads_of_this_process(), descriptors_of_this_process());
    (0..100).for_each(|_| once());
    assert_eq!((threads_of_this_process(), descriptors_of_this_process()), before);
}

#[test]
fn several_runtimes_live_side_by_side() {
    let (left, right) = (workers(2), workers(1));
    let to_right = right.handle().clone();
    let on_left = left.handle().spawn(async move {
        let on_right = to_right.spawn(async { thread::current().id() });
        (thread::current().id(), on_right.await.unwrap())
    });
    let (ours, theirs) = right.block_on(on_left).unwrap();
    assert_ne!(ours, theirs);
    assert_eq!(theirs, thread::current().id());
}

#[test]
fn impossible_numbers_of_workers_are_refused() {
    assert_eq!(Runtime::builder().workers(0).build().unwrap_err().to_string(), "a runtime needs at least one worker");
    let several_virtual = Runtime::builder().workers(2).virtual_clock().build().unwrap_err();
    assert_eq!(several_virtual.to_string(), "a virtual clock has one worker, not several");
}

/// The trace says who ran what, and who stole from whom.
#[test]
fn the_trace_tells_the_workers_apart() {
    let runtime = Runtime::builder().workers(2).trace().build().unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let seen: Arc<Mutex<HashSet<ThreadId>>> = Arc::default();
    runtime.block_on(async {
        let meet = || {
            let (barrier, seen) = (barrier.clone(), seen.clone());
            spawn(async move {
                seen.lock().unwrap().insert(thread::current().id());
                barrier.wait();
            })
        };
        let (left, right) = (meet(), meet());
        left.await.unwrap();
        right.await.unwrap();
    });
    assert_eq!(seen.lock().unwrap().len(), 2);
    let text = runtime.trace().to_string();
    assert!(
        text.lines().any(|line| line.starts_with("w0")) && text.lines().any(|line| line.starts_with("w1")),
        "{text}"
    );
    assert!(text.contains("steal"), "{text}");
    assert!(runtime.trace().timeline_svg().contains("worker 1"));
    assert!(runtime.trace().chrome_json().contains("worker 1"));
}

/// Runs `greedy` on each worker there is: then another task, a timer and the end must have their turn too.
fn starves_nobody<F: Future<Output = ()> + Send + 'static>(greedy: impl Fn() -> F + Copy + Send + 'static) {
    for number in [1, 2] {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            workers(number).block_on(async {
                let all: Vec<_> = (0..number).map(|_| spawn(greedy())).collect();
                sleep(Duration::from_millis(1)).await;
                spawn(async {}).await.unwrap();
                for greedy in all {
                    greedy.abort();
                    assert!(greedy.await.unwrap_err().is_cancelled());
                }
            });
            sender.send(()).unwrap();
        });
        let end = receiver.recv_timeout(Duration::from_secs(20));
        end.unwrap_or_else(|error| panic!("starved on {number} workers: {error}"));
    }
}

/// Never has to wait.
async fn read_for_ever() {
    let zeros = AsyncFd::new(File::open("/dev/zero").unwrap());
    loop {
        poll_fn(|context| zeros.poll_read_bytes(context, &mut [0; 8])).await.unwrap();
    }
}

#[test]
fn an_endless_source_starves_nobody() {
    starves_nobody(read_for_ever);
}

#[test]
fn timers_that_are_always_due_starve_nobody() {
    starves_nobody(|| async {
        loop {
            sleep(Duration::ZERO).await;
        }
    });
}

#[test]
fn events_and_values_that_are_always_there_starve_nobody() {
    starves_nobody(|| async {
        let event = Event::new();
        event.set();
        loop {
            event.wait().await;
        }
    });
    starves_nobody(|| async {
        loop {
            let (sender, receiver) = oneshot::channel();
            sender.send(()).unwrap();
            receiver.await.unwrap();
        }
    });
}

/// The reader spends all it has in each poll; what is to end it is polled after it, in the same task.
#[test]
fn an_endless_source_starves_neither_its_timeout_nor_its_stop() {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        runtime::block_on(async {
            timeout(Duration::from_millis(1), read_for_ever()).await.unwrap_err();
            let stop = Event::new();
            stop.set();
            race(read_for_ever(), stop.wait()).await;
        });
        sender.send(()).unwrap();
    });
    receiver.recv_timeout(Duration::from_secs(20)).expect("the reader goes on for ever");
}
