//! How much of everything.

use super::*;
use runtime::{AsyncFd, Handle, future::join_all, spawn_local, time::sleep};
use std::{io::Read, os::unix::net::UnixStream};

#[test]
fn every_task_is_counted_once_however_it_came_and_ended() {
    for workers in [1, 2, 4] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        let outside: Vec<_> = (0..10).map(|_| runtime.handle().spawn(yield_now())).collect();
        runtime.block_on(async {
            join_all(outside).await;
            join_all((0..20).map(|_| spawn(yield_now()))).await;
            spawn_local(yield_now()).await.unwrap();
            let panics = spawn(async { std::panic::resume_unwind(Box::new(())) });
            assert!(panics.await.is_err_and(|error: runtime::JoinError| error.is_panic()));
            let aborted = spawn(std::future::pending::<()>());
            aborted.abort();
            aborted.await.unwrap_err();
            // And one that is left to the end.
            drop(spawn(std::future::pending::<()>()));
        });
        let metrics = runtime.metrics();
        assert_eq!((metrics.spawned, metrics.completed, metrics.live), (34, 34, 0), "{metrics:?}");
        assert_eq!((metrics.panicked, metrics.cancelled), (1, 2), "{metrics:?}");
        assert_eq!(metrics.workers.len(), workers);
        assert_eq!(metrics.injected, 0);
        let handle = runtime.handle().clone();
        drop(runtime);
        // A task that is refused was never there.
        drop(handle.spawn(async {}));
        assert_eq!(handle.metrics().spawned, 34);
    }
}

#[test]
fn polls_timers_and_sources_are_counted() {
    let runtime = Runtime::builder().virtual_clock().build().unwrap();
    runtime.block_on(async {
        let (left, _right) = UnixStream::pair().unwrap();
        left.set_nonblocking(true).unwrap();
        let reads = spawn(async move {
            let left = AsyncFd::new(left);
            left.read_with(|mut stream| stream.read(&mut [0; 1])).await
        });
        let sleeps: Vec<_> = (1..4).map(|seconds| spawn(sleep(Duration::from_secs(seconds)))).collect();
        yield_now().await;
        let metrics = Handle::current().metrics();
        let worker = metrics.workers[0];
        assert_eq!((worker.timers, worker.sources, metrics.live), (3, 1, 4), "{metrics:?}");
        join_all(sleeps).await;
        reads.abort();
        assert!(reads.await.unwrap_err().is_cancelled());
        let worker = Handle::current().metrics().workers[0];
        assert_eq!((worker.timers, worker.sources), (0, 0));
    });
    // Of main: once, after the yield, and when the last sleep and then the reader were over. (Or oftener: its join is woken by
    // each.) Of tasks: one for the reader and one for its end, two for each sleep.
    let polls = runtime.metrics().workers[0].polls;
    assert_eq!(polls, 2 + 3 + 1 + 2 + 2 * 3, "{polls}");
}

#[test]
fn a_worker_that_sleeps_and_one_that_steals_are_seen() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.block_on(async {
        while Handle::current().metrics().workers.iter().map(|worker| worker.steals).sum::<u64>() == 0 {
            // More than one runs at once: whoever has nothing takes some.
            let tasks = (0..100).map(|_| {
                spawn(async {
                    hold(Duration::from_micros(10));
                    yield_now().await;
                })
            });
            join_all(tasks).await;
        }
        sleep(Duration::from_millis(2)).await;
    });
    assert!(runtime.metrics().workers.iter().any(|worker| worker.parks > 0));
}
