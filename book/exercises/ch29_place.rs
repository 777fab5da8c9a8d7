//! Chapter 29: computing has its place, and it is not a worker.

use examples::measure;
use runtime::{Runtime, time};
use std::{cell::Cell, rc::Rc, time::Duration};

/// A tenth of a second of computing.
fn hash(upload: u64) -> u64 {
    measure::compute(Duration::from_millis(100));
    mixed(upload)
}

fn mixed(upload: u64) -> u64 {
    upload.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Waits for the upload, then hashes it.
    pub(crate) async fn handle(upload: u64) -> u64 {
        time::sleep(Duration::from_millis(20)).await;
        // TODO: nobody else can run while this computes. Give it another place.
        hash(upload)
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;
    use runtime::spawn_blocking;

    // ANCHOR: solution
    /// Waits for the upload, then hashes it.
    pub(crate) async fn handle(upload: u64) -> u64 {
        time::sleep(Duration::from_millis(20)).await;
        spawn_blocking(move || hash(upload)).await.expect("it only computes")
    }
    // ANCHOR_END: solution
}

/// Three uploads beside a ticker, on one worker.
fn check(handle: impl AsyncFn(u64) -> u64) {
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    let ticks = Rc::new(Cell::new(0));
    let hashes = runtime.block_on(async {
        let counted = ticks.clone();
        let _ticker = runtime::spawn_local(async move {
            loop {
                time::sleep(Duration::from_millis(10)).await;
                counted.set(counted.get() + 1);
            }
        });
        // A task of its own would be the usual way; one after the other is enough here.
        let mut hashes = Vec::new();
        for upload in 1..=3 {
            hashes.push(handle(upload).await);
        }
        hashes
    });
    assert_eq!(hashes, [1, 2, 3].map(mixed), "a wrong hash");
    // Three times 20 ms of waiting give six ticks, whatever happens; 360 ms give 36, on a machine that is not busy.
    assert!(ticks.get() >= 10, "the ticker ticked only {} times: something held its worker up", ticks.get());
}

crate::judge! { check(handle), the starter fails with "something held its worker up" }
