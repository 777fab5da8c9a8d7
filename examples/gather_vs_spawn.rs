//! Futures that are awaited together, and tasks: three fetches of two seconds, both ways.
//!
//! ```console
//! cargo run --example gather_vs_spawn
//! ```
//!
//! Awaited together they take the same. The difference is when they start: a future does nothing until somebody polls it, a
//! task runs by itself. So the mistake is to make futures early and to believe that they are under way: the last lines
//! measure it.

use examples::seconds;
use runtime::{future::join_all, spawn, time::Instant};

async fn fetch(url: &'static str) -> String {
    seconds(2.0).await;
    format!("data from {url}")
}

const URLS: [&str; 3] = ["url1", "url2", "url3"];

// ANCHOR: both
/// Three futures in this one task.
async fn gather() -> Vec<String> {
    join_all(URLS.map(fetch)).await
}

/// Three tasks, which any worker may run. Each has its own fate: a panic in one is one `Err`.
async fn spawned() -> Vec<String> {
    let tasks = URLS.map(|url| spawn(fetch(url)));
    join_all(tasks).await.into_iter().map(|result| result.expect("no fetch panics")).collect()
}
// ANCHOR_END: both

fn took(start: Instant) -> String {
    format!("{:.2} s", start.elapsed().as_secs_f64())
}

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        let first = gather().await;
        println!("futures: {first:?}, {}", took(start));
        let second = spawned().await;
        println!("tasks:   {second:?}");
        println!("the same, in the order in which they were asked for: {}", first == second);
        println!("both rounds: {}", took(start));

        println!("\nmade first, then a second of something else, then awaited:");
        // ANCHOR: early
        let start = Instant::now();
        let futures = URLS.map(fetch);
        seconds(1.0).await;
        join_all(futures).await;
        println!("futures: {} (they had not begun)", took(start));

        let start = Instant::now();
        let tasks = URLS.map(|url| spawn(fetch(url)));
        seconds(1.0).await;
        join_all(tasks).await;
        println!("tasks:   {} (they ran meanwhile)", took(start));
        // ANCHOR_END: early
    });
}
