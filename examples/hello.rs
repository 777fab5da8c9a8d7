//! Hello, world, with a second of waiting in between; then three greetings that wait at the same time.
//!
//! ```console
//! cargo run --example hello
//! ```

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
        println!("hello");
        seconds(1.0).await;
        println!("world");

        let start = Instant::now();
        join_all(["Alice", "Bob", "Charlie"].map(greet)).await;
        println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
    });
}
