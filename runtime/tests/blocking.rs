//! Blocking jobs on a runtime, seen from outside.

use runtime::{Handle, JoinError, Runtime, spawn, spawn_blocking, task, time};
use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// The figures, as (queued, running, threads).
fn stats(handle: &Handle) -> (usize, usize, usize) {
    let stats = handle.blocking_stats();
    (stats.queued, stats.running, stats.threads)
}

/// Waits for what must come, without a guess at how long it takes.
fn until(mut there: impl FnMut() -> bool) {
    while !there() {
        thread::yield_now();
    }
}

/// A job that says when it runs, and runs until it is released.
fn held() -> (impl FnOnce() -> bool + Send, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (tell, started) = mpsc::channel();
    let (release, hold) = mpsc::channel();
    let job = move || {
        tell.send(()).unwrap();
        hold.recv().is_ok()
    };
    (job, started, release)
}

#[test]
fn what_is_queued_and_what_runs_is_visible() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    assert_eq!(stats(&handle), (0, 0, 0), "no thread before the first job");
    let (job, started, release) = held();
    let first = handle.spawn_blocking(job);
    started.recv().unwrap();
    let second = handle.spawn_blocking(|| "second");
    assert_eq!(stats(&handle), (1, 1, 1));
    assert_eq!(handle.blocking_stats().most, 1);
    release.send(()).unwrap();
    runtime.block_on(async {
        assert!(first.await.unwrap());
        assert_eq!(second.await.unwrap(), "second");
    });
    until(|| stats(&handle) == (0, 0, 1));
}

#[test]
fn idle_threads_end() {
    let runtime = Runtime::builder().blocking_idle(Duration::ZERO).build().unwrap();
    runtime.block_on(async {
        let barrier = Arc::new(Barrier::new(4));
        let jobs: Vec<_> = (0..4)
            .map(|_| {
                let barrier = barrier.clone();
                spawn_blocking(move || barrier.wait().is_leader())
            })
            .collect();
        for job in jobs {
            job.await.unwrap();
        }
        until(|| stats(&Handle::current()) == (0, 0, 0));
        assert_eq!(spawn_blocking(|| "again").await.unwrap(), "again");
    });
}

/// More jobs than cores, each of which waits for all the others.
#[test]
fn stuck_jobs_do_not_hold_up_the_others() {
    runtime::block_on(async {
        let barrier = Arc::new(Barrier::new(32));
        let jobs: Vec<_> = (0..32)
            .map(|_| {
                let barrier = barrier.clone();
                spawn_blocking(move || barrier.wait().is_leader())
            })
            .collect();
        let mut leaders = 0;
        for job in jobs {
            leaders += usize::from(job.await.unwrap());
        }
        assert_eq!(leaders, 1);
    });
}

#[test]
fn a_panic_leaves_the_thread_to_the_next_job() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let name = || thread::current().id();
        let before = spawn_blocking(name).await.unwrap();
        let error = spawn_blocking(|| panic!("job {}", 1)).await.unwrap_err();
        assert_eq!(error.to_string(), "the task panicked: job 1");
        assert_eq!(spawn_blocking(name).await.unwrap(), before);
    });
}

/// An output whose handle is gone is dropped on the thread, and its panic stays there.
#[test]
fn a_panic_in_the_drop_of_an_unwanted_output_stays_where_it_is() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("in a drop"));
        }
    }
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (job, started, release) = held();
        drop(spawn_blocking(move || {
            job();
            Panics
        }));
        started.recv().unwrap();
        release.send(()).unwrap();
        assert_eq!(spawn_blocking(|| "next").await.unwrap(), "next");
    });
}

/// Jobs that use `park` themselves leave its token behind: it is no reason for their thread to end.
#[test]
fn a_stray_unpark_does_not_end_a_thread() {
    let runtime = Runtime::builder().blocking_idle(Duration::MAX).build().unwrap();
    runtime.block_on(async {
        let id = || {
            thread::current().unpark();
            thread::current().id()
        };
        let first = spawn_blocking(id).await.unwrap();
        let handle = Handle::current();
        for _ in 0..100 {
            until(|| handle.blocking_stats().running == 0);
            assert_eq!(spawn_blocking(id).await.unwrap(), first);
        }
        assert_eq!(handle.blocking_stats().threads, 1);
    });
}

#[test]
fn a_job_belongs_to_its_runtime() {
    runtime::block_on(async {
        let inner = spawn_blocking(|| spawn(async { "a task of a job" })).await.unwrap();
        assert_eq!(inner.await.unwrap(), "a task of a job");
        let named = task::Builder::new().name("named").spawn_blocking(|| ());
        assert_eq!((named.name(), named.spawned_at().file()), (Some("named"), file!()));
        named.await.unwrap();
    });
}

#[test]
fn a_runtime_dropped_by_its_own_job_does_not_wait_for_it() {
    let runtime = Runtime::builder().shutdown_time(Duration::MAX).build().unwrap();
    let handle = runtime.handle().clone();
    let job = handle.spawn_blocking(move || drop(runtime));
    runtime::block_on(job).unwrap();
    assert!(runtime::block_on(handle.spawn_blocking(|| ())).unwrap_err().is_cancelled());
}

#[test]
fn the_end_of_a_runtime_waits_for_its_jobs() {
    let runtime = Runtime::builder().shutdown_time(Duration::MAX).build().unwrap();
    let (job, started, release) = held();
    let job = runtime.handle().spawn_blocking(job);
    started.recv().unwrap();
    let dropping = thread::spawn(move || drop(runtime));
    release.send(()).unwrap();
    dropping.join().unwrap();
    assert!(job.is_finished());
}

#[test]
fn the_end_of_a_runtime_waits_no_longer_than_it_may() {
    let runtime = Runtime::builder().shutdown_time(Duration::ZERO).blocking_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    let (job, started, release) = held();
    let running = handle.spawn_blocking(job);
    started.recv().unwrap();
    let queued = handle.spawn_blocking(|| ());
    drop(runtime);
    assert_eq!(stats(&handle), (0, 1, 1));
    assert!(runtime::block_on(queued).unwrap_err().is_cancelled());
    release.send(()).unwrap();
    assert!(runtime::block_on(running).unwrap(), "left to itself, and not stopped");
    until(|| stats(&handle) == (0, 0, 0));
}

/// Threads that spawn jobs while the runtime ends: each job is run or cancelled, and no thread remains.
#[test]
fn a_job_spawned_at_the_end_is_run_or_cancelled() {
    for _ in 0..200 {
        let runtime = Runtime::builder().shutdown_time(Duration::MAX).build().unwrap();
        let handle = runtime.handle().clone();
        let begun = Arc::new(Barrier::new(3));
        let ran = Arc::new(AtomicUsize::new(0));
        let spawning: Vec<_> = (0..2)
            .map(|_| {
                let (handle, begun, ran) = (handle.clone(), begun.clone(), ran.clone());
                thread::spawn(move || {
                    begun.wait();
                    let spawn = |ran: Arc<AtomicUsize>| {
                        handle.spawn_blocking(move || {
                            ran.fetch_add(1, Ordering::Relaxed);
                        })
                    };
                    Vec::from_iter((0..8).map(|_| spawn(ran.clone())))
                })
            })
            .collect();
        begun.wait();
        drop(runtime);
        let mut done = 0;
        for job in spawning.into_iter().flat_map(|thread| thread.join().unwrap()) {
            match futures_lite::future::block_on(job) {
                Ok(()) => done += 1,
                Err(JoinError::Cancelled) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(ran.load(Ordering::Relaxed), done);
        assert_eq!(stats(&handle), (0, 0, 0));
    }
}

/// The clock waits for the job, and the job for the clock: that is said, and not waited for.
#[test]
fn a_job_that_waits_for_virtual_time_panics() {
    Runtime::builder().virtual_clock().build().unwrap().block_on(async {
        let waiting = || futures_lite::future::block_on(time::sleep(Duration::from_secs(1)));
        let error = spawn_blocking(waiting).await.unwrap_err();
        assert!(error.to_string().contains("cannot wait for virtual time"), "{error}");
        // A runtime of its own has a clock of its own.
        let own = || runtime::block_on(time::sleep(Duration::from_millis(1)));
        spawn_blocking(own).await.unwrap();
    });
}
