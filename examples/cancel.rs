//! Ending a task in two ways: asked, it cleans up, awaits and all; aborted, it is dropped where it stands.
//!
//! ```console
//! cargo run --example cancel
//! ```
//!
//! The mistakes that it avoids: to take an abort for a request (no clean-up runs, only `Drop`); to go on before the task has
//! really ended (`cancel().await` waits for its clean-up); to wait for ever for a clean-up that hangs (`cancel_within`); to lose
//! a request in a loop that makes its `cancelled()` anew in each round; to cut at the very moment of a step (ours falls between).

use examples::{scaled, seconds};
use runtime::{
    future::{Either, race},
    group::{CancelExt, cancelled},
    spawn,
    time::Instant,
};
use std::pin::pin;

// ANCHOR: long
async fn long_task() {
    let steps = async {
        for step in 0..10 {
            println!("Step {step}");
            seconds(1.0).await;
        }
    };
    steps.on_cancel(async { println!("Long task was cancelled") }).await;
}

async fn ten_steps() {
    let mut task = spawn(long_task());
    seconds(2.5).await;
    if task.cancel().await.is_err_and(|error| error.is_cancelled()) {
        println!("Task was cancelled");
    }
}
// ANCHOR_END: long

/// Says so when it is dropped.
struct Resource;

impl Drop for Resource {
    fn drop(&mut self) {
        println!("(its resource is dropped)");
    }
}

// ANCHOR: worker
async fn worker() {
    let _resource = Resource;
    let work = async {
        for step in 1..=5 {
            seconds(1.0).await;
            println!("Working... {step}/5");
        }
    };
    let cleanup = async {
        println!("Task was cancelled, cleaning up...");
        seconds(0.1).await;
        println!("Cleanup done");
    };
    work.on_cancel(cleanup).await;
}

async fn asked() {
    let mut task = spawn(worker());
    seconds(2.5).await;
    if task.cancel().await.is_err_and(|error| error.is_cancelled()) {
        println!("Task was successfully cancelled");
    }
}

async fn aborted() {
    let task = spawn(worker());
    seconds(2.5).await;
    task.abort();
    if task.await.is_err_and(|error| error.is_cancelled()) {
        println!("Task was aborted: no clean-up");
    }
}
// ANCHOR_END: worker

/// It hears the request, and ends in its own time, with what it has.
async fn gracefully() {
    let mut counter = spawn(async {
        let (mut asked, mut count) = (pin!(cancelled()), 0);
        loop {
            match race(asked.as_mut(), seconds(1.0)).await {
                Either::Left(()) => return count,
                Either::Right(()) => count += 1,
            }
        }
    });
    seconds(3.5).await;
    println!("It counted to {:?}", counter.cancel().await);
}

async fn with_patience() {
    let hangs = spawn(seconds(60.0).on_cancel(seconds(3600.0)));
    seconds(1.0).await;
    println!("Its clean-up hangs: {:?}", hangs.cancel_within(scaled(0.5)).await);
}

async fn timed(title: &str, part: impl Future<Output = ()>) {
    println!("== {title}");
    let start = Instant::now();
    part.await;
    println!("after {:.2} seconds\n", start.elapsed().as_secs_f64());
}

fn main() {
    examples::run(&[], async |_| {
        timed("ten steps, cut between two", ten_steps()).await;
        timed("asked", asked()).await;
        timed("aborted", aborted()).await;
        timed("gracefully", gracefully()).await;
        timed("with patience", with_patience()).await;
    });
}
