//! The same fetches on a thread that blocks, and as futures: the sum of the waits against the longest of them.
//!
//! ```console
//! cargo run --example sync_vs_async
//! ```
//!
//! The mistake that it avoids: to compare unlike things. Both versions fetch the same, both are timed with the same clock, and
//! their results are compared. (What is gained is waiting time. No fetch gets faster, and no second core is used.)

use examples::{Arguments, scaled, seconds};
use runtime::{Runtime, future::join_all};
use std::{thread, time::Instant};

type Site = (&'static str, f64);

fn result((name, delay): Site) -> String {
    format!("{name} after {delay} s")
}

// ANCHOR: blocking
fn fetch_blocking(site: Site) -> String {
    thread::sleep(scaled(site.1));
    result(site)
}

fn fetch_all_blocking(sites: &[Site]) -> Vec<String> {
    sites.iter().map(|site| fetch_blocking(*site)).collect()
}
// ANCHOR_END: blocking

// ANCHOR: waiting
async fn fetch(site: Site) -> String {
    seconds(site.1).await;
    result(site)
}

async fn fetch_all(sites: &[Site]) -> Vec<String> {
    join_all(sites.iter().map(|site| fetch(*site))).await
}
// ANCHOR_END: waiting

fn compare(runtime: &Runtime, sites: &'static [Site]) {
    let start = Instant::now();
    // On a plain thread: on a worker it would hold up every other task.
    let one_by_one = thread::spawn(|| fetch_all_blocking(sites)).join().expect("no fetch panics");
    println!("Sync total time: {:.2}s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let together = runtime.block_on(fetch_all(sites));
    println!("Async total time: {:.2}s", start.elapsed().as_secs_f64());
    println!("Results equal: {}", one_by_one == together);
}

fn main() {
    // A thread that blocks knows only real time, and so both are measured in it.
    Arguments::parse(&[]);
    let runtime = examples::runtime(Runtime::builder());
    println!("three sites, of 1, 2 and 1 seconds:");
    compare(&runtime, &[("site1", 1.0), ("site2", 2.0), ("site3", 1.0)]);
    println!("\nfive sites of a second each:");
    compare(&runtime, &[("url1", 1.0), ("url2", 1.0), ("url3", 1.0), ("url4", 1.0), ("url5", 1.0)]);
}
