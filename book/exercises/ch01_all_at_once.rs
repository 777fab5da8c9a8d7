//! Chapter 1: many waits that take as long as one.

use runtime::{Runtime, future::join_all, time};
use std::time::Duration;

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Waits `count` times one second, all at once.
    pub(crate) async fn wait(count: u32) {
        // TODO: each wait begins when the one before it is over. Let them all begin at once.
        for _ in 0..count {
            time::sleep(Duration::from_secs(1)).await;
        }
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// Waits `count` times one second, all at once.
    pub(crate) async fn wait(count: u32) {
        join_all((0..count).map(|_| time::sleep(Duration::from_secs(1)))).await;
    }
    // ANCHOR_END: solution
}

/// On the virtual clock, so that the wrong answer does not take hours.
fn check(wait: impl AsyncFn(u32)) {
    for count in [10, 1_000, 10_000] {
        let runtime = Runtime::builder().virtual_clock().build().expect("a runtime");
        let took = runtime.block_on(async {
            let start = time::Instant::now();
            wait(count).await;
            start.elapsed()
        });
        assert_eq!(took, Duration::from_secs(1), "{count} waits of 1 s took {} s", took.as_secs());
    }
}

crate::judge! { check(wait), the starter fails with "10 waits of 1 s took 10 s" }
