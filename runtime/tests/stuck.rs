//! Workers that are stuck in a poll: what the others do for them, how an end goes on without them, and how they come back.
//!
//! Being stuck is waiting on a channel of `std`, as no task should; what each test is about sets them free.

use runtime::{
    Handle, JoinError, Runtime, spawn,
    sync::oneshot,
    time::sleep,
    trace::{Event, Kind},
    yield_now,
};
use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// Long enough on any machine, and the test fails after it.
const PATIENCE: Duration = Duration::from_secs(30);
/// For ends that are to give up.
const IMPATIENCE: Duration = Duration::from_millis(50);

fn workers(number: usize) -> Runtime {
    Runtime::builder().workers(number).build().unwrap()
}

fn impatient(number: usize) -> Runtime {
    Runtime::builder().workers(number).shutdown_time(IMPATIENCE).build().unwrap()
}

/// A task that says that it runs, and is stuck until it is released; then it says that it is over.
fn stick(handle: &Handle) -> (Receiver<()>, Sender<()>, Receiver<()>) {
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let (over, is_over) = mpsc::channel();
    drop(handle.spawn(async move {
        begun.send(()).unwrap();
        let _ = released.recv_timeout(PATIENCE);
        let _ = over.send(());
    }));
    (has_begun, release, is_over)
}

/// Three tasks that meet need three workers.
async fn three_meet() {
    let barrier = Arc::new(Barrier::new(3));
    let meet = || {
        let barrier = barrier.clone();
        spawn(async move {
            barrier.wait();
        })
    };
    let (one, other) = (meet(), meet());
    barrier.wait();
    one.await.unwrap();
    other.await.unwrap();
}

/// Runs `test` on a thread of its own: one that hangs fails.
fn within_patience(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let running = thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    match is_done.recv_timeout(PATIENCE) {
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => running.join().unwrap(),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
    }
}

/// Four workers fill their rings and are stuck; the fifth runs what they have, each task once. (A thief once wrote over its
/// own ring: tasks were lost, and others run when they were gone.)
#[test]
fn one_who_watches_over_many_runs_each_task_once() {
    const STUCK: usize = 4;
    /// A full ring, and the next slot.
    const EACH: usize = 257;
    let ran: Arc<Vec<AtomicUsize>> = Arc::new((0..STUCK * EACH).map(|_| AtomicUsize::new(0)).collect());
    let counts = ran.clone();
    workers(STUCK + 1).block_on(async move {
        let barrier = Arc::new(Barrier::new(STUCK));
        let stuck: Vec<_> = (0..STUCK)
            .map(|worker| {
                let (ran, barrier) = (ran.clone(), barrier.clone());
                spawn(async move {
                    barrier.wait();
                    for number in 0..EACH {
                        let ran = ran.clone();
                        drop(spawn(async move {
                            ran[worker * EACH + number].fetch_add(1, SeqCst);
                        }));
                    }
                    let deadline = Instant::now() + PATIENCE;
                    let own = &ran[worker * EACH..][..EACH];
                    while own.iter().any(|count| count.load(SeqCst) == 0) && Instant::now() < deadline {
                        thread::yield_now();
                    }
                })
            })
            .collect();
        for stuck in stuck {
            stuck.await.unwrap();
        }
    });
    assert!(counts.iter().all(|count| count.load(SeqCst) == 1), "lost, or run twice");
}

/// What a watcher took over can be taken from it: of two tasks, it may be stuck in the one that waits for the other.
#[test]
fn what_was_rescued_can_be_rescued_again() {
    workers(4).block_on(async {
        let barrier = Arc::new(Barrier::new(2));
        let (sender, receiver) = mpsc::channel();
        let (heard, was_heard) = mpsc::channel();
        let was_heard = Arc::new(Mutex::new(was_heard));
        let stuck = |task: Box<dyn FnOnce() + Send>| {
            let (barrier, was_heard) = (barrier.clone(), was_heard.clone());
            spawn(async move {
                barrier.wait();
                drop(spawn(async move { task() }));
                while was_heard.try_lock().is_ok_and(|was_heard| was_heard.try_recv() == Err(mpsc::TryRecvError::Empty))
                {
                    thread::yield_now();
                }
            })
        };
        let hears = stuck(Box::new(move || {
            receiver.recv_timeout(PATIENCE).unwrap();
            heard.send(()).unwrap();
        }));
        let tells = stuck(Box::new(move || sender.send(()).unwrap()));
        hears.await.unwrap();
        tells.await.unwrap();
    });
}

/// A worker that was woken to search, and found a long task, is not taken for one who searches.
#[test]
fn a_busy_worker_does_not_keep_others_asleep() {
    let runtime = Runtime::builder().workers(4).trace().build().unwrap();
    let sleeps_deep = |worker| {
        let latest = |event: &&Event| event.worker == Some(worker);
        matches!(runtime.trace().events().iter().rfind(latest), Some(Event { kind: Kind::Park { until: None }, .. }))
    };
    while !(1..4).all(sleeps_deep) {
        thread::yield_now();
    }
    let (has_begun, release, is_over) = stick(runtime.handle());
    has_begun.recv().unwrap();
    // The one that runs is the one that frees the other: it would be a deadlock if nobody got up for it.
    drop(runtime.handle().spawn(async move { release.send(()).unwrap() }));
    assert_eq!(is_over.recv_timeout(PATIENCE), Ok(()));
}

/// Worker 0 gets up from a deep sleep because of a timer, wakes a task and is stuck until that has run.
#[test]
fn who_is_got_up_by_a_timer_is_watched_too() {
    workers(2).block_on(async {
        // Longer than the last looks of those who fall asleep.
        sleep(Duration::from_millis(300)).await;
        let (sender, receiver) = mpsc::channel();
        drop(spawn(async move { sender.send(()).unwrap() }));
        assert_eq!(receiver.recv_timeout(PATIENCE), Ok(()));
    });
}

/// The patience of an end holds too if the stuck task is in worker 0's own list.
#[test]
fn an_end_waits_no_longer_than_its_patience() {
    let runtime = impatient(2);
    let (release, released) = mpsc::channel::<()>();
    runtime.block_on(async move {
        let home = thread::current().id();
        let stuck = Arc::new(AtomicBool::new(false));
        let is_stuck = stuck.clone();
        drop(spawn(async move {
            // It waits for the first time here, and is stuck elsewhere.
            while thread::current().id() == home {
                yield_now().await;
            }
            is_stuck.store(true, SeqCst);
            let _ = released.recv_timeout(PATIENCE);
        }));
        while !stuck.load(SeqCst) {
            yield_now().await;
        }
    });
    // Before the task was released.
    drop(release);
}

/// What a stuck worker had in its queue belongs to the `block_on` that is over.
#[test]
fn tasks_of_one_block_on_do_not_run_in_the_next() {
    let runtime = impatient(2);
    let ran_late = Arc::new(AtomicUsize::new(0));
    let late = ran_late.clone();
    let next = Arc::new(AtomicBool::new(false));
    let is_next = next.clone();
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (over, is_over) = mpsc::channel();
    runtime.block_on(async move {
        drop(spawn(async move {
            for _ in 0..20 {
                let (late, is_next) = (late.clone(), is_next.clone());
                drop(spawn(async move {
                    late.fetch_add(usize::from(is_next.load(SeqCst)), SeqCst);
                }));
            }
            begun.send(()).unwrap();
            let _ = released.recv_timeout(PATIENCE);
            over.send(()).unwrap();
        }));
        has_begun.recv().unwrap();
    });
    next.store(true, SeqCst);
    runtime.block_on(async {
        release.send(()).unwrap();
        is_over.recv_timeout(PATIENCE).unwrap();
        for _ in 0..100 {
            spawn(yield_now()).await.unwrap();
        }
    });
    assert_eq!(ran_late.load(SeqCst), 0);
}

/// A worker that was stuck across the end sweeps late; what has come since is not its to end.
#[test]
fn a_late_sweeper_ends_nothing_of_the_next_block_on() {
    for _ in 0..20 {
        let runtime = impatient(2);
        let handle = runtime.handle().clone();
        let (release, is_over) = runtime.block_on(async {
            let (has_begun, release, is_over) = stick(&Handle::current());
            has_begun.recv_timeout(PATIENCE).unwrap();
            (release, is_over)
        });
        runtime.block_on(async move {
            let outside = thread::spawn(move || {
                let before: Vec<_> = (0..100).map(|_| handle.spawn(async {})).collect();
                release.send(()).unwrap();
                let mut tasks = before;
                while is_over.try_recv().is_err() {
                    tasks.push(handle.spawn(async {}));
                }
                tasks.extend((0..1000).map(|_| handle.spawn(async {})));
                tasks
            });
            while !outside.is_finished() {
                yield_now().await;
            }
            for task in outside.join().unwrap() {
                assert!(
                    !matches!(task.await, Err(JoinError::Cancelled)),
                    "a task of the second block_on was cancelled"
                );
            }
        });
    }
}

/// A task that is in one worker's list and stuck on another, across the end: both workers come back to work.
#[test]
fn a_worker_whose_task_is_stuck_elsewhere_comes_back() {
    within_patience(|| {
        let runtime = impatient(3);
        let (release, released) = mpsc::channel::<()>();
        let (over, is_over) = mpsc::channel();
        runtime.block_on(async move {
            let barrier = Arc::new(Barrier::new(3));
            let (send, receive) = oneshot::channel();
            let (stuck, is_stuck) = mpsc::channel();
            let meet = barrier.clone();
            let waits = spawn(async move {
                meet.wait();
                receive.await.unwrap();
                stuck.send(()).unwrap();
                let _ = released.recv_timeout(PATIENCE);
                over.send(()).unwrap();
            });
            let meet = barrier.clone();
            drop(spawn(async move {
                meet.wait();
                while waits.state() != runtime::task::TaskState::Idle {
                    thread::yield_now();
                }
                send.send(()).unwrap();
            }));
            barrier.wait();
            is_stuck.recv_timeout(PATIENCE).unwrap();
        });
        release.send(()).unwrap();
        is_over.recv_timeout(PATIENCE).unwrap();
        runtime.block_on(three_meet());
    });
}

/// A runtime that is shut down by one of its own tasks does not wait for that task.
#[test]
fn a_shutdown_by_an_own_task_does_not_wait_for_itself() {
    let runtime = workers(3);
    let handle = runtime.handle().clone();
    let (sender, receiver) = mpsc::channel();
    drop(handle.spawn(async move {
        // So that it is in a list, its own worker's or another's.
        yield_now().await;
        let left = spawn(pending::<()>());
        let report = runtime.shutdown(PATIENCE * 10);
        sender.send(report).unwrap();
        drop(left);
    }));
    assert!(receiver.recv_timeout(PATIENCE).unwrap().is_clean());
}

/// As on the first worker: it would stop the worker, and with it whatever the inner future waits for.
#[test]
fn block_on_inside_a_task_is_refused_on_every_worker() {
    let runtime = Arc::new(workers(2));
    let own = runtime.clone();
    let (sender, receiver) = mpsc::channel();
    drop(runtime.handle().spawn(async move {
        let of_its_own = catch_unwind(|| runtime::block_on(async { 1 })).is_err();
        let of_ours = catch_unwind(AssertUnwindSafe(|| own.block_on(async { 1 }))).is_err();
        sender.send((of_its_own, of_ours)).unwrap();
    }));
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok((true, true)));
}

/// An executor that is not ours, inside a poll, asks again and again and never gives way: it gets on all the same.
#[test]
fn a_budget_does_not_stop_an_executor_inside_a_poll() {
    within_patience(|| {
        runtime::block_on(async {
            let handles: Vec<_> = (0..200).map(|_| spawn(async {})).collect();
            yield_now().await;
            futures_lite::future::block_on(async {
                for handle in handles {
                    handle.await.unwrap();
                }
            });
        });
    });
}
