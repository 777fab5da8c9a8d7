//! Streams: numbers, a file and its lines one after the other; pipelines; batches.
//!
//! ```console
//! cargo run --example streams
//! ```
//!
//! The mistakes that it avoids: a range with a step of zero, which never ends (refused where it is made); a filter that asks
//! its predicate twice; to wait for each value of a pipeline when several could be under way; to lose the last batch, which is
//! smaller; to let a batch wait for values that do not come.

use examples::{scaled, seconds};
use runtime::{
    fs::{self, File, TempFile},
    stream::{self, Stream, StreamExt},
    time::{Instant, sleep},
};
use std::{cell::Cell, fmt::Debug, io};

/// Prints the values as they come, and what they took together.
async fn show<T: Debug>(name: &str, values: impl Stream<Item = T>) {
    let start = Instant::now();
    print!("{name}:");
    values.for_each(async |value| print!(" {value:?}")).await;
    println!(" ({:.2} seconds)", start.elapsed().as_secs_f64());
}

// ANCHOR: range
/// These numbers, a tenth of a second apart.
fn range(start: i64, stop: i64, step: i64) -> impl Stream<Item = i64> {
    stream::range(start, stop, step).then(async |number| {
        seconds(0.1).await;
        number
    })
}
// ANCHOR_END: range

// ANCHOR: files
async fn files() -> io::Result<()> {
    let file = TempFile::new().await?;
    fs::write(file.path(), "Line 1\nLine 2\r\nLine 3\nLine 4\nLine 5").await?;
    let mut chunks = File::open(file.path()).await?.chunks(16);
    while let Some(chunk) = chunks.next().await {
        println!("Chunk: {:?}", String::from_utf8_lossy(&chunk?));
    }
    let mut lines = File::open(file.path()).await?.lines();
    while let Some(line) = lines.next().await {
        println!("Line: {:?}", line?);
    }
    file.close().await
}
// ANCHOR_END: files

// ANCHOR: pipeline
async fn pipelines() {
    let asked = Cell::new(0);
    let even = range(0, 10, 1).filter_async(async |number: &i64| {
        asked.set(asked.get() + 1);
        seconds(0.05).await;
        number % 2 == 0
    });
    let square = async |number| {
        seconds(0.05).await;
        number * number
    };
    let squares: Vec<i64> = even.then(square).collect().await;
    println!("Results: {squares:?}; the predicate was asked {} times for 10 numbers", asked.get());
}
// ANCHOR_END: pipeline

// ANCHOR: buffered
/// The same with up to three of each step under way: it takes little more than the numbers take to come.
fn buffered() -> impl Stream<Item = i64> {
    let is_even = |number| async move {
        seconds(0.05).await;
        (number % 2 == 0).then_some(number)
    };
    let square = |number| async move {
        seconds(0.05).await;
        number * number
    };
    range(0, 10, 1).map(is_even).buffered(3).filter_map(|even| even).map(square).buffered(3)
}
// ANCHOR_END: buffered

// ANCHOR: batches
async fn batches() {
    let mut batches = stream::iter(0..10).chunks(3).enumerate();
    while let Some((number, batch)) = batches.next().await {
        println!("Batch {}: {batch:?}", number + 1);
        seconds(0.5).await; // somebody works on it
    }
    // A batch that is not full waits for a quarter of a second, and no longer.
    show("Batches of a trickle", range(0, 6, 1).chunks_timeout(100, || sleep(scaled(0.25)))).await;
}
// ANCHOR_END: batches

fn main() -> io::Result<()> {
    examples::run(&[], async |_| {
        println!("== ranges");
        show("Up", range(0, 5, 1)).await;
        show("Down", range(5, 0, -2)).await;
        show("None", range(5, 0, 1)).await;
        println!("\n== a file");
        files().await?;
        println!("\n== a pipeline");
        let start = Instant::now();
        pipelines().await;
        println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
        show("Up to three at once", buffered()).await;
        println!("\n== batches");
        batches().await;
        Ok(())
    })
}
