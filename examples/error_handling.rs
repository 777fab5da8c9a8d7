//! What goes wrong in tasks, and who hears of it: an error, one among many, a limit that passes, a request to end with a
//! clean-up that takes time, and a group that gives all errors.
//!
//! ```console
//! cargo run --example error_handling
//! ```
//!
//! The mistakes that it avoids: to let one error hide what became of the others; to clean up with an `.await` in a place that an
//! abort never reaches; to say "cancelled" before the clean-up is done; to tell only the first error of a group.

use examples::{scaled, seconds};
use runtime::{
    group::{CancelExt, cancelled, gather, scope},
    spawn,
    time::{Instant, timeout},
};
use std::io;

async fn risky_operation(fail: bool) -> io::Result<&'static str> {
    seconds(0.1).await;
    if fail { Err(io::Error::other("Operation failed")) } else { Ok("Success") }
}

// ANCHOR: caught
async fn caught() {
    match risky_operation(true).await {
        Ok(result) => println!("Result: {result}"),
        Err(error) => println!("Caught error: {error}"),
    }
}
// ANCHOR_END: caught

// ANCHOR: among_others
async fn one_among_others() {
    let tasks = [false, true, false].map(|fail| spawn(risky_operation(fail)));
    for (place, result) in gather(tasks).await.into_iter().enumerate() {
        match result.expect("nobody aborts it") {
            Ok(result) => println!("Task {place} succeeded: {result}"),
            Err(error) => println!("Task {place} failed: {error}"),
        }
    }
}
// ANCHOR_END: among_others

// ANCHOR: limit
async fn too_slow() {
    let start = Instant::now();
    if timeout(scaled(0.05), risky_operation(false)).await.is_err() {
        println!("Operation timed out");
    }
    println!("after {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: limit

// ANCHOR: cancel
async fn work() {
    for step in 1..=5 {
        seconds(1.0).await;
        println!("Working... {step}/5");
    }
}

async fn cleanup() {
    println!("Task was cancelled, cleaning up...");
    seconds(0.1).await;
    println!("Cleanup done");
}

/// Asked, the task cleans up, and whoever asked waits for that; aborted, it is gone where it stands.
async fn cut_short(politely: bool) {
    let start = Instant::now();
    let mut task = spawn(work().on_cancel(cleanup()));
    seconds(2.5).await;
    let ended = if politely {
        task.cancel().await
    } else {
        task.abort();
        task.await
    };
    if ended.is_err_and(|error| error.is_cancelled()) {
        println!("Task was successfully cancelled");
    }
    println!("after {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: cancel

// ANCHOR: group
async fn all_errors() {
    let result = scope(async |group| {
        group.spawn(risky_operation(true));
        group.spawn(async {
            cancelled().await; // because the other one fails
            Err::<(), _>(io::Error::other("Clean-up failed"))
        });
        Ok(())
    });
    for failure in result.await.expect_err("two fail") {
        println!("- {failure}");
    }
}
// ANCHOR_END: group

fn main() {
    examples::run(&[], async |_| {
        caught().await;
        println!("\n== one among others");
        one_among_others().await;
        println!("\n== too slow");
        too_slow().await;
        println!("\n== asked to end");
        cut_short(true).await;
        println!("\n== aborted");
        cut_short(false).await;
        println!("\n== all errors of a group");
        all_errors().await;
    });
}
