//! Chapter 17: many jobs, and so many of them on the pool at a time.

use runtime::{Handle, Runtime, spawn_blocking, stream};
use std::{
    pin::pin,
    sync::{Arc, Condvar, Mutex},
};

type Job = Box<dyn FnOnce() -> u32 + Send>;

mod starter {
    use super::*;
    use runtime::future::join_all;

    // ANCHOR: starter
    /// Runs all jobs on the pool, at most `most` at a time. Their outputs, in the order of the jobs.
    pub(crate) async fn run(jobs: Vec<Job>, most: usize) -> Vec<u32> {
        // TODO: all are handed over at once. The pool has threads for everybody, and we may not take them all.
        let _ = most;
        let outputs = join_all(jobs.into_iter().map(spawn_blocking)).await;
        outputs.into_iter().map(|output| output.expect("no job panics")).collect()
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;
    use runtime::stream::StreamExt;

    // ANCHOR: solution
    /// Runs all jobs on the pool, at most `most` at a time. Their outputs, in the order of the jobs.
    pub(crate) async fn run(jobs: Vec<Job>, most: usize) -> Vec<u32> {
        // `stream::iter` hands a job over when it is asked for the next one, and `buffered` asks while fewer than `most` are under way.
        let handles = stream::iter(jobs.into_iter().map(spawn_blocking));
        handles.buffered(most).map(|output| output.expect("no job panics")).collect().await
    }
    // ANCHOR_END: solution
}

/// A door that is closed at first. All jobs wait in front of it.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        let (open, changed) = &*self.0;
        *open.lock().unwrap() = true;
        changed.notify_all();
    }

    fn pass(&self) {
        let (open, changed) = &*self.0;
        drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
    }
}

fn check(run: impl AsyncFn(Vec<Job>, usize) -> Vec<u32>) {
    let runtime = Runtime::builder().blocking_threads(32).build().expect("a runtime");
    let (handed_over, outputs) = runtime.block_on(async {
        let door = Door::default();
        let jobs = (0..20_u32).map(|number| {
            let door = door.clone();
            Box::new(move || {
                door.pass();
                number
            }) as Job
        });
        let mut all = pin!(run(jobs.collect(), 3));
        assert!(futures_lite::future::poll_once(all.as_mut()).await.is_none(), "the door is closed");
        let stats = Handle::current().blocking_stats();
        door.open();
        (stats.queued + stats.running, all.await)
    });
    assert_eq!(handed_over, 3, "{handed_over} jobs were handed to the pool, and 3 are allowed");
    assert_eq!(outputs, (0..20).collect::<Vec<_>>(), "every output, in the order of the jobs");
}

crate::judge! { check(run), the starter fails with "20 jobs were handed to the pool" }
