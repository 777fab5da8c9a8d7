//! Five pieces of data, a second of waiting for each, as five tasks: the results in the order of the data.
//!
//! ```console
//! cargo run --example data_processor
//! ```
//!
//! The mistake that it avoids: to take the results in the order in which they come, as if that were the order in which they
//! were asked for. The pieces here take between one second and a bit less, the last one least; the list is in order all the
//! same.

use examples::seconds;
use runtime::{future::join_all, spawn, time::Instant};

// ANCHOR: process
async fn data_processor(number: u32) -> u32 {
    println!("{number}: begins");
    seconds(1.0 - f64::from(number) / 100.0).await;
    println!("{number}: done");
    number * 2
}

async fn process_all(count: u32) -> Vec<u32> {
    let tasks: Vec<_> = (0..count).map(|number| spawn(data_processor(number))).collect();
    join_all(tasks).await.into_iter().map(|result| result.expect("it does not panic")).collect()
}
// ANCHOR_END: process

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        println!("All tasks are done: {:?}", process_all(5).await);
        println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
    });
}
