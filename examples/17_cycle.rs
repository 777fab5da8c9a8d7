//! A job on the pool that waits for another job on the pool: it may be that the other one's thread is the one that waits.
//!
//! ```console
//! cargo run --example 17_cycle
//! ```

use examples::Arguments;
use runtime::{Handle, Runtime, spawn_blocking, time::timeout};
use std::{sync::mpsc, time::Duration};

fn read_part(number: u32) -> u32 {
    number * 100
}

mod waits {
    use super::*;

    // ANCHOR: waits
    pub(crate) async fn sum() -> u32 {
        let handle = Handle::current();
        let job = spawn_blocking(move || {
            let (sender, receiver) = mpsc::channel();
            let part = handle.spawn_blocking(move || sender.send(read_part(1)));
            drop(part); // detached: it runs on
            let first = receiver.recv().unwrap_or_default();
            first + read_part(2)
        });
        job.await.expect("it does not panic")
    }
    // ANCHOR_END: waits
}

mod awaits {
    use super::*;

    // ANCHOR: awaits
    pub(crate) async fn sum() -> u32 {
        let part = spawn_blocking(|| read_part(1));
        let first = part.await.expect("it does not panic");
        let job = spawn_blocking(move || first + read_part(2));
        job.await.expect("it does not panic")
    }
    // ANCHOR_END: awaits
}

fn with_threads(threads: usize, title: &str, sum: impl Future<Output = u32>) {
    let runtime = examples::runtime(Runtime::builder().blocking_threads(threads));
    let said = runtime.block_on(async {
        let mut sum = std::pin::pin!(sum);
        match timeout(Duration::from_millis(500), sum.as_mut()).await {
            Ok(sum) => format!("the sum is {sum}"),
            Err(_) => {
                let stats = Handle::current().blocking_stats();
                format!("nothing for half a second: {} runs, {} waits for a thread", stats.running, stats.queued)
            }
        }
    });
    println!("{title}; threads: {threads} at most; {said}");
}

fn main() {
    // Real time: the virtual clock waits for whoever is on the pool.
    Arguments::parse(&[]);
    with_threads(2, "a job waits for a job", waits::sum());
    with_threads(1, "a job waits for a job", waits::sum());
    with_threads(1, "the task waits for both", awaits::sum());
}
