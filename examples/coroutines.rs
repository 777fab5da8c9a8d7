//! A future is a value: it has a type and a size, it can lie about unused, and it runs only when it is awaited.
//!
//! ```console
//! cargo run --example coroutines
//! ```
//!
//! The mistake that it avoids: to call an `async fn` and to believe that it has run. (The compiler warns of that one: a future
//! is `#[must_use]`.) And to await one after the other what could wait together.

use examples::seconds;
use runtime::{future::join, time::Instant};
use std::any::type_name_of_val;

async fn say_later(word: &str) {
    seconds(1.0).await;
    println!("{word}");
}

async fn answer() -> u32 {
    println!("  (now it runs)");
    42
}

async fn greet(name: &str) -> String {
    seconds(1.0).await;
    format!("Hello, {name}!")
}

/// Holds a kilobyte across an await: so the future has room for it.
async fn with_a_buffer() -> u8 {
    let buffer = [7; 1024];
    seconds(0.0).await;
    buffer[1023]
}

fn main() {
    examples::run(&[], async |_| {
        println!("hello");
        say_later("world").await;

        // ANCHOR: value
        println!("\na future is a value:");
        let future = answer();
        println!("  its type: {}", type_name_of_val(&future));
        println!("  its size: {} byte", size_of_val(&future));
        println!("  of one with a buffer in it: {} KiB", size_of_val(&with_a_buffer()) / 1024);
        println!("  nothing has run yet");
        println!("  its output: {}", future.await);
        // ANCHOR_END: value

        println!("\none after the other:");
        let start = Instant::now();
        let (alice, bob) = (greet("Alice").await, greet("Bob").await);
        println!("  {alice} {bob} {:.2} s", start.elapsed().as_secs_f64());

        println!("together:");
        let start = Instant::now();
        let (charlie, david) = join(greet("Charlie"), greet("David")).await;
        println!("  {charlie} {david} {:.2} s", start.elapsed().as_secs_f64());
    });
}
