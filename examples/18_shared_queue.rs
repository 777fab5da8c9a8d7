//! The same tasks on one, two and four workers: what more threads bring, and what they cost.
//!
//! ```console
//! cargo run --release --example 18_shared_queue
//! cargo run --release --example 18_shared_queue -- --queue stealing    # chapter 19
//! ```

use examples::measure::processor_time;
use stages::{s08_join, s18_shared_queue, s19_stealing};
use std::{
    future::Future,
    hint::black_box,
    time::{Duration, Instant},
};

/// A stage, as far as it is needed here.
trait Stage {
    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output;
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}

struct Shared;

impl Stage for Shared {
    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
        s18_shared_queue::block_on_workers(workers, future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s18_shared_queue::spawn(task);
    }
}

struct Stealing;

impl Stage for Stealing {
    fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
        s19_stealing::block_on_workers(workers, future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s19_stealing::spawn(task);
    }
}

/// So many tasks on so many workers, until all are over: the time by the clock, and by the processors.
fn time<S: Stage, F>(workers: usize, tasks: usize, task: impl Fn() -> F) -> (Duration, Duration)
where
    F: Future<Output = ()> + Send + 'static,
{
    S::block_on_workers(workers, async {
        let (begin, used) = (Instant::now(), processor_time());
        let mut handles = Vec::new();
        for _ in 0..tasks {
            let (task, handle) = s08_join::joinable(task());
            S::spawn(task);
            handles.push(handle);
        }
        for handle in handles {
            handle.await.expect("it neither panics nor is aborted");
        }
        (begin.elapsed(), processor_time() - used)
    })
}

// ANCHOR: loads
/// Much to do in one poll.
async fn computes(rounds: u64) {
    black_box((0..rounds).fold(1_u64, |hash, round| (hash ^ round).wrapping_mul(0x100_0000_01b3)));
}

/// Many polls, and nothing to do in any.
async fn gives_way(times: u32) {
    for _ in 0..times {
        s18_shared_queue::yield_now().await;
    }
}
// ANCHOR_END: loads

fn table<S: Stage>(scale: f64) {
    println!("           64 tasks that compute       64 tasks that give way");
    println!("workers      clock   processors       clock   processors a poll");
    let (rounds, times) = ((300_000.0 * scale) as u64, (2_000.0 * scale) as u32);
    for workers in [1, 2, 4] {
        // The best of five: what else the machine does only makes it longer.
        let best = |run: &dyn Fn() -> (Duration, Duration)| (0..5).map(|_| run()).min().unwrap_or_default();
        let (clock, used) = best(&|| time::<S, _>(workers, 64, || computes(rounds)));
        let (poll_clock, poll_used) = best(&|| time::<S, _>(workers, 64, || gives_way(times)));
        let [clock, used, poll_clock] = [clock, used, poll_clock].map(|time| time.as_secs_f64() * 1e3);
        let a_poll = (poll_used / (64 * times.max(1))).as_nanos();
        println!("{workers:7} {clock:7.0} ms {used:9.0} ms {poll_clock:8.0} ms {a_poll:13} ns");
    }
}

fn main() {
    let arguments = examples::Arguments::parse(&["--queue"]);
    // Measured, so `--virtual` makes no difference, and `--scale` makes it shorter.
    let scale = examples::scaled(1.0).as_secs_f64();
    match arguments.get("--queue", "shared".to_owned()).as_str() {
        "shared" => table::<Shared>(scale),
        "stealing" => table::<Stealing>(scale),
        other => examples::fail(2, format!("--queue is `shared` or `stealing`, and `{other}` is neither")),
    }
}
