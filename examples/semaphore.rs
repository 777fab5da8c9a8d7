//! A semaphore with two permits: five resources of a second each, two at a time.
//!
//! ```console
//! cargo run --example semaphore
//! ```
//!
//! The mistakes that it avoids: to start only as many tasks as may run at once, instead of starting all and letting them wait
//! their turn; to give the permit back in a line at the end, which a panic or an abort never reaches (the permit is a value: it
//! goes back when it is dropped); to believe that it is so, instead of counting how many are inside.

use examples::seconds;
use runtime::{spawn, sync::Semaphore, time::Instant, yield_now};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

// ANCHOR: count
/// How many are inside, and the most that there ever were.
#[derive(Default)]
struct Count {
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    fn enter(&self) {
        self.most.fetch_max(self.inside.fetch_add(1, Relaxed) + 1, Relaxed);
    }

    fn leave(&self) {
        self.inside.fetch_sub(1, Relaxed);
    }
}
// ANCHOR_END: count

// ANCHOR: access
async fn access(number: usize, two_at_once: &Semaphore, count: &Count) {
    let _permit = two_at_once.acquire().await.expect("it is never closed");
    count.enter();
    println!("Resource {number} acquired");
    seconds(1.0).await;
    println!("Resource {number} released");
    count.leave();
    // Here the permit is dropped, and goes to the first in line.
}

async fn five_resources() {
    let start = Instant::now();
    let (two_at_once, count) = (Arc::new(Semaphore::new(2)), Arc::new(Count::default()));
    let tasks = (0..5).map(|number| {
        let (two_at_once, count) = (two_at_once.clone(), count.clone());
        spawn(async move { access(number, &two_at_once, &count).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no task panics");
    }
    println!("Most in flight: {}", count.most.load(Relaxed));
    println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: access

// ANCHOR: ends
/// One holder panics, the other is aborted: the permits of both are there again.
async fn holders_that_end_badly() {
    let two_at_once = Arc::new(Semaphore::new(2));
    let permit = two_at_once.clone().acquire_owned().await.expect("it is never closed");
    let panics = spawn(async move {
        let _permit = permit;
        panic!("the resource is broken");
    });
    let permit = two_at_once.clone().acquire_owned().await.expect("it is never closed");
    let aborted = spawn(async move {
        let _permit = permit;
        seconds(60.0).await;
    });
    println!("Free: {}", two_at_once.available_permits());
    yield_now().await;
    aborted.abort();
    let panicked = panics.await.is_err_and(|error: runtime::JoinError| error.is_panic());
    let cancelled = aborted.await.is_err_and(|error| error.is_cancelled());
    println!("One panicked: {panicked}, one was aborted: {cancelled}");
    println!("Free: {}", two_at_once.available_permits());
}
// ANCHOR_END: ends

fn main() {
    examples::run(&[], async |_| {
        println!("== five resources, two at a time");
        five_resources().await;
        println!("\n== holders that end badly");
        holders_that_end_badly().await;
    });
}
