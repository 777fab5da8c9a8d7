//! Tasks: started, looked at, awaited, ended early. Each demonstration by itself, then all in order.
//!
//! ```console
//! cargo run --example tasks
//! ```
//!
//! The mistakes that it avoids: to add up the waits of tasks that run side by side; to believe that a task ends with the
//! handle that is dropped (it runs on); to look whether it is done and only then to abort it, as if it could not end in
//! between (an abort that comes too late is no mistake: the output is still there); to count steps at the very moment of
//! the cut (ours falls between two).

use examples::{scaled, seconds};
use runtime::{
    spawn,
    time::{Instant, sleep},
    yield_now,
};

async fn work(name: &str, length: f64) -> String {
    println!("{name} starts");
    seconds(length).await;
    println!("{name} is done");
    format!("Result from {name}")
}

// ANCHOR: two
/// Awaited one after the other, but they run side by side: three seconds, not five.
async fn two_tasks() {
    let start = Instant::now();
    let one = spawn(work("Task-1", 2.0));
    let two = spawn(work("Task-2", 3.0));
    let results = [one.await, two.await].map(|result| result.expect("it is not aborted"));
    println!("Results: {}", results.join(", "));
    println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: two

// ANCHOR: abort
async fn ended_early() {
    let start = Instant::now();
    let three = spawn(work("Task-3", 5.0));
    seconds(1.0).await;
    three.abort();
    match three.await {
        Err(error) if error.is_cancelled() => println!("Task-3 was cancelled"),
        other => println!("Task-3 ended: {other:?}"),
    }
    println!("after {:.2} seconds", start.elapsed().as_secs_f64());

    let quick = spawn(async { "done already" });
    yield_now().await;
    quick.abort();
    println!("aborted when it was over: {:?}", quick.await);
}
// ANCHOR_END: abort

// ANCHOR: done
async fn is_it_done() {
    let start = Instant::now();
    let (mut slow, mut quick) = (spawn(work("slow", 2.0)), spawn(work("quick", 1.0)));
    println!("finished? {} {}", slow.is_finished(), quick.is_finished());
    let result = (&mut quick).await;
    println!("finished? {} {}: {result:?}", slow.is_finished(), quick.is_finished());
    let result = (&mut slow).await;
    println!("finished? {} {}: {result:?}", slow.is_finished(), quick.is_finished());
    println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: done

/// Says so when it is dropped before it was told that all went well.
struct Unfinished(bool);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.0 {
            println!("Long task was cancelled");
        }
    }
}

// ANCHOR: long
/// Ten steps of a second. An abort drops the future where it stands, with all that it owns: that is the place for cleaning up.
async fn long_task() {
    let mut unfinished = Unfinished(true);
    for step in 0..10 {
        println!("Step {step}");
        seconds(1.0).await;
    }
    unfinished.0 = false;
}

async fn cut_short() {
    let long = spawn(long_task());
    sleep(scaled(2.5)).await;
    long.abort();
    if long.await.is_err_and(|error| error.is_cancelled()) {
        println!("Task was cancelled");
    }
}
// ANCHOR_END: long

fn main() {
    examples::run(&[], async |_| {
        println!("== two tasks");
        two_tasks().await;
        println!("\n== ended early");
        ended_early().await;
        println!("\n== is it done?");
        is_it_done().await;
        println!("\n== a long task, cut short");
        cut_short().await;
    });
}
