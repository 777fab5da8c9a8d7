//! Three greetings that take a second each, at the same time: a second in all.
//!
//! ```console
//! cargo run --example hello_gather
//! ```
//!
//! The mistake that it avoids: `greet("Alice").await; greet("Bob").await;` is one after the other, and takes a second for each.
//! To wait is not yet to wait together: `join_all` polls them all, whichever is ready first.

use examples::seconds;
use runtime::{future::join_all, time::Instant};

// ANCHOR: greet
async fn greet(name: &str) {
    println!("Hello, {name}!");
    seconds(1.0).await;
    println!("Goodbye, {name}!");
}
// ANCHOR_END: greet

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        join_all(["Alice", "Bob", "Charlie"].map(greet)).await;
        println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
    });
}
