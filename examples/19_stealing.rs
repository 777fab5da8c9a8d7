//! One task spawns all the others, so all of them lie in one worker's queue. Who runs them?
//!
//! ```console
//! cargo run --example 19_stealing
//! RUNTIME_TRACE=steal.svg cargo run --example 19_stealing
//! ```

use runtime::{
    Runtime, spawn,
    trace::{Event, Kind},
};
use std::time::{Duration, Instant};

// ANCHOR: skewed
/// Eight tasks of two milliseconds each, all spawned by one task, and so on one worker.
async fn parent() {
    let children: Vec<_> = (0..8).map(|_| spawn(async { compute(Duration::from_millis(2)) })).collect();
    for child in children {
        child.await.expect("it neither panics nor is aborted");
    }
}

/// Keeps its thread busy.
fn compute(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
// ANCHOR_END: skewed

fn main() {
    let arguments = examples::Arguments::parse(&["--workers"]);
    // A virtual clock knows one worker only: there is nobody to steal then.
    let workers = if arguments.virtual_clock { 1 } else { arguments.get("--workers", 2) };
    let runtime = examples::runtime(Runtime::builder().workers(workers).trace());
    let begin = Instant::now();
    runtime.block_on(async { spawn(parent()).await.expect("it does not panic") });
    let took = begin.elapsed();

    // ANCHOR: count
    let trace = runtime.trace();
    for worker in 0..workers {
        let of_worker = |event: &&Event| event.worker == Some(worker);
        let count =
            |kind: fn(&Kind) -> bool| trace.events().iter().filter(of_worker).filter(|event| kind(&event.kind)).count();
        println!(
            "worker {worker}: {} polls, {} thefts",
            count(|kind| matches!(kind, Kind::Poll { .. })),
            count(|kind| matches!(kind, Kind::Steal { .. })),
        );
    }
    // ANCHOR_END: count
    println!("16 ms of work took {:.1} ms", took.as_secs_f64() * 1e3);
}
