//! Chapter 16: the first answer of two mirrors, and nobody left behind.

use runtime::{
    Runtime,
    group::JoinSet,
    spawn,
    time::{Instant, sleep, timeout},
};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

type Mirror = Pin<Box<dyn Future<Output = &'static str> + Send>>;

mod starter {
    use super::*;
    use runtime::future::race;

    // ANCHOR: starter
    /// The answer of the mirror that is first.
    pub(crate) async fn first_answer(one: Mirror, other: Mirror) -> &'static str {
        // TODO: the race drops the handle of the loser, and so detaches its task. When this returns, or is dropped, no task of
        // it may be left.
        let (one, other) = (spawn(one), spawn(other));
        race(one, other).await.into_inner().expect("no mirror panics")
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// The answer of the mirror that is first. Dropped, it aborts both.
    pub(crate) async fn first_answer(one: Mirror, other: Mirror) -> &'static str {
        let mut mirrors = JoinSet::new(); // aborts what is in it when it is dropped
        mirrors.spawn(one);
        mirrors.spawn(other);
        let first = mirrors.join_next().await.expect("there are two").expect("no mirror panics");
        mirrors.shutdown().await; // aborts the other, and waits until it is gone
        first
    }
    // ANCHOR_END: solution
}

/// Counts the mirrors that are at work.
struct AtWork(Arc<AtomicUsize>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn mirror(name: &'static str, seconds: u64, at_work: &Arc<AtomicUsize>) -> Mirror {
    at_work.fetch_add(1, Relaxed);
    let at_work = AtWork(at_work.clone());
    Box::pin(async move {
        let _at_work = at_work;
        sleep(Duration::from_secs(seconds)).await;
        name
    })
}

fn check(first_answer: impl AsyncFn(Mirror, Mirror) -> &'static str) {
    let runtime = Runtime::builder().virtual_clock().build().expect("a runtime");
    runtime.block_on(async {
        let (at_work, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        let first = first_answer(mirror("slow", 10, &at_work), mirror("quick", 1, &at_work)).await;
        assert_eq!(first, "quick", "the first answer counts");
        assert_eq!(start.elapsed(), Duration::from_secs(1), "nobody waits for the answer of the loser");
        assert_eq!(at_work.load(Relaxed), 0, "the loser is still at work");

        let given_up = first_answer(mirror("slow", 10, &at_work), mirror("slower", 20, &at_work));
        assert!(timeout(Duration::from_secs(1), given_up).await.is_err());
        sleep(Duration::from_millis(1)).await; // an aborted task is dropped when its turn comes
        assert_eq!(at_work.load(Relaxed), 0, "it was given up, and its mirrors are still at work");
    });
}

crate::judge! { check(first_answer), the starter fails with "the loser is still at work" }
