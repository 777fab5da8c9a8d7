//! Four sleeps that were begun in one order and end in another, and what the runtime wrote down.
//!
//! ```console
//! cargo run --example 09_timers
//! ```

use examples::seconds;
use runtime::{
    future::join_all,
    task,
    time::{Instant, timeout},
};

// ANCHOR: sleeps
async fn sleeper(name: &'static str, length: f64) {
    let begin = Instant::now();
    seconds(length).await;
    println!("{name}: {:.1} s", begin.elapsed().as_secs_f64());
}

async fn four_sleeps() {
    let sleeps = [("long", 3.0), ("short", 1.0), ("middle", 2.0)];
    let tasks = sleeps.map(|(name, length)| task::Builder::new().name(name).spawn(sleeper(name, length)));
    let patient = timeout(examples::scaled(1.5), sleeper("too long", 60.0)).await;
    println!("too long: {}", if patient.is_err() { "given up" } else { "done" });
    join_all(tasks).await;
}
// ANCHOR_END: sleeps

fn main() {
    let arguments = examples::Arguments::parse(&[]);
    let runtime = examples::runtime(arguments.builder().trace());
    runtime.block_on(four_sleeps());
    print!("\n{}", runtime.trace());
}
