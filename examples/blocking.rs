//! A heartbeat beside work that does not give way: what holds it up, and what does not.
//!
//! ```console
//! cargo run --example blocking
//! ```
//!
//! The mistakes that it avoids: to block in a task, for everything else on its worker waits; to yield, and to believe that
//! this is enough (it is, as far as the pieces in between are short). The runtime's watchdog names on standard error each task
//! that was polled for too long; `RUNTIME_DEBUG=1` switches it on in any program.

use examples::{Arguments, measure::compute, scaled, seconds};
use runtime::{
    Runtime,
    future::join_all,
    spawn_blocking, task,
    time::{Instant, sleep_until},
    yield_now,
};
use std::{
    future::Future,
    ops::Range,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

// ANCHOR: heartbeat
/// Beats ten times a second for ever, and keeps by how much the latest of all beats was late.
async fn heartbeat(latest: Arc<Mutex<Duration>>) {
    let mut due = Instant::now();
    loop {
        due += scaled(0.1);
        sleep_until(due).await;
        let mut latest = latest.lock().unwrap();
        *latest = latest.max(due.elapsed());
    }
}
// ANCHOR_END: heartbeat

/// Runs the work as a task beside a heartbeat, and says how that one fared.
async fn beside_a_heartbeat<T: Send + 'static>(name: &str, work: impl Future<Output = T> + Send + 'static) -> T {
    let latest = Arc::new(Mutex::new(Duration::ZERO));
    let beats = task::Builder::new().name("heartbeat").spawn(heartbeat(latest.clone()));
    seconds(0.25).await;
    let output = task::Builder::new().name(name).spawn(work).await.expect("the work does not panic");
    seconds(0.25).await;
    beats.abort();
    println!("{name:<32} late by up to {:.2} s", latest.lock().unwrap().as_secs_f64());
    output
}

// ANCHOR: work
const ALL: u64 = 50_000;

/// Adds up squares: hard work, a second for all.
fn squares(piece: Range<u64>) -> u64 {
    compute(scaled((piece.end - piece.start) as f64 / ALL as f64));
    piece.map(|number| number * number).sum()
}

async fn without_a_break() -> u64 {
    squares(0..ALL)
}

async fn yielding(every: u64) -> u64 {
    let mut sum = 0;
    for start in (0..ALL).step_by(every as usize) {
        sum += squares(start..start + every);
        yield_now().await;
    }
    sum
}

async fn on_a_thread() -> u64 {
    spawn_blocking(|| squares(0..ALL)).await.expect("it does not panic")
}
// ANCHOR_END: work

fn eight_jobs(runtime: &Runtime) {
    let job = || compute(scaled(0.2));
    let start = Instant::now();
    (0..8).for_each(|_| job());
    let one_by_one = start.elapsed().as_secs_f64();
    let start = Instant::now();
    runtime.block_on(async { join_all((0..8).map(|_| spawn_blocking(job))).await });
    let together = start.elapsed().as_secs_f64();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("one by one {one_by_one:.2} s, on blocking threads {together:.2} s, with {cores} cores");
}

fn main() {
    // What is measured here is real time. A virtual clock stands still while a task runs: nothing would be late.
    Arguments::parse(&[]);
    let too_long = scaled(0.5).max(Duration::from_millis(1));
    let runtime = examples::runtime(Runtime::builder().slow_poll(too_long));
    runtime.block_on(async {
        println!("a heartbeat, ten times a second, beside a second of");
        beside_a_heartbeat("waiting", seconds(1.0)).await;
        beside_a_heartbeat("thread::sleep", async { thread::sleep(scaled(1.0)) }).await;
        let sums = [
            beside_a_heartbeat("computing without a break", without_a_break()).await,
            beside_a_heartbeat("computing, yielding 5 times", yielding(10_000)).await,
            beside_a_heartbeat("computing, yielding 50 times", yielding(1_000)).await,
            beside_a_heartbeat("computing on a blocking thread", on_a_thread()).await,
        ];
        println!("the sum of the squares, each time: {sums:?}");
    });
    println!("\neight jobs of 0.2 seconds each:");
    eight_jobs(&runtime);
}
