//! Waiting for some tasks of a set: all of them, the first, or as many as are done in time. What is not done stays in the set.
//!
//! ```console
//! cargo run --example wait
//! ```
//!
//! The mistakes that it avoids: to take "the first" for one (those that are done at the same time are all given); to believe
//! that the losers have ended because nobody waits for them (they run on: end them, and wait until they have); to lose an
//! output because a wait was given up.

use examples::{scaled, seconds};
use runtime::{
    group::{JoinSet, ReturnWhen, wait},
    spawn,
    sync::Event,
    task::Builder,
    time::Instant,
};
use std::sync::Arc;

type Data = Result<String, String>;

async fn fetch(name: &'static str, delay: f64) -> Data {
    seconds(delay).await;
    if name == "Broken" { Err(format!("{name} does not answer")) } else { Ok(format!("Data from {name}")) }
}

fn fetchers<const N: usize>(sources: [(&'static str, f64); N]) -> JoinSet<Data> {
    sources.into_iter().map(|(name, delay)| Builder::new().name(name).spawn(fetch(name, delay))).collect()
}

// ANCHOR: all
async fn all() {
    let start = Instant::now();
    let mut set = fetchers([("A", 1.0), ("Broken", 2.0), ("B", 1.5)]);
    let done = wait(&mut set, ReturnWhen::All, None).await;
    println!("Completed: {}", done.len());
    println!("Pending: {}", set.len());
    // In the order in which they were done. An error of one is found in its place, and nowhere else.
    for (_, data) in done {
        match data.expect("nobody aborts it") {
            Ok(data) => println!("Result: {data}"),
            Err(error) => println!("Error: {error}"),
        }
    }
    println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: all

/// Says when it is dropped: that is when its task has ended.
struct Connection(&'static str);

impl Drop for Connection {
    fn drop(&mut self) {
        println!("  ({} hangs up)", self.0);
    }
}

// ANCHOR: first
async fn first() {
    let start = Instant::now();
    let mut set = JoinSet::new();
    for (name, delay) in [("Fast", 1.0), ("Medium", 2.0), ("Slow", 3.0)] {
        set.spawn(async move {
            let _connection = Connection(name);
            fetch(name, delay).await
        });
    }
    for (_, data) in wait(&mut set, ReturnWhen::First, None).await {
        println!("First completed: {}", data.expect("nobody aborts it").expect("it answers"));
    }
    println!("Still running: {}", set.len());
    set.shutdown().await; // ended, and waited for
    println!("Total time: {:.2} seconds; now {} are left", start.elapsed().as_secs_f64(), set.len());
}
// ANCHOR_END: first

async fn two_at_once() {
    let gate = Arc::new(Event::new());
    let behind = |gate: Arc<Event>| spawn(async move { gate.wait().await });
    let mut set: JoinSet<()> = [behind(gate.clone()), behind(gate.clone())].into_iter().collect();
    seconds(1.0).await;
    gate.set();
    println!("First completed: {} at once", wait(&mut set, ReturnWhen::First, None).await.len());
}

// ANCHOR: in_time
async fn in_time() {
    let start = Instant::now();
    let mut set = fetchers([("A", 1.0), ("B", 2.0), ("C", 3.0)]);
    while !set.is_empty() {
        let done = wait(&mut set, ReturnWhen::All, Some(scaled(1.5))).await;
        println!("After {:.2} seconds: {} more, {} pending", start.elapsed().as_secs_f64(), done.len(), set.len());
    }
}
// ANCHOR_END: in_time

// ANCHOR: each
async fn each_as_it_comes() {
    let mut set = fetchers([("A", 0.3), ("B", 0.1), ("C", 0.2)]);
    while let Some(data) = set.join_next().await {
        println!("{}", data.expect("nobody aborts it").expect("it answers"));
    }
}
// ANCHOR_END: each

fn main() {
    examples::run(&[], async |_| {
        println!("== all");
        all().await;
        println!("\n== the first");
        first().await;
        println!("\n== two at once");
        two_at_once().await;
        println!("\n== as many as are done in time");
        in_time().await;
        println!("\n== each as it comes");
        each_as_it_comes().await;
    });
}
