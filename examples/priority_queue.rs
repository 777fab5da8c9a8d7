//! A queue in which the most urgent job goes first, and its three ends: waited for, drained, and broken off.
//!
//! ```console
//! cargo run --example priority_queue
//! ```
//!
//! The mistakes that it avoids: to compare the jobs themselves when their priorities are equal (a number of arrival decides, so
//! equals stay in order); to end the queue by a job of priority 999, which a job of priority 1000 outlives; to set a flag that
//! makes the workers leave while jobs are queued, and lose them; to wait for the jobs by sleeping three seconds.

use examples::{scaled, seconds};
use runtime::{
    JoinHandle, spawn,
    sync::queue::PriorityQueue,
    time::{Instant, sleep},
};

// ANCHOR: jobs
/// No `Ord`, no `Eq`: a job is never compared.
struct Job {
    name: String,
    length: f64,
}

type Jobs = PriorityQueue<u8, Job>;

/// Works until the queue is closed and empty. What it did, in order.
async fn worker(jobs: Jobs) -> Vec<String> {
    let mut done = Vec::new();
    while let Ok(item) = jobs.get().await {
        let (priority, job) = &*item;
        println!("  {} (priority {priority}) starts", job.name);
        seconds(job.length).await;
        done.push(job.name.clone());
    }
    done
}

fn two_workers(jobs: &Jobs) -> [JoinHandle<Vec<String>>; 2] {
    [spawn(worker(jobs.clone())), spawn(worker(jobs.clone()))]
}

async fn put(jobs: &Jobs, priority: u8, name: &str) {
    let job = Job { name: name.to_owned(), length: 1.0 };
    if jobs.put((priority, job)).await.is_err() {
        println!("  {name} comes too late");
    }
}

async fn put_nine(jobs: &Jobs) {
    for number in 1..=9 {
        put(jobs, number % 3, &format!("job {number}")).await;
    }
}

/// How many they did.
async fn leave(workers: [JoinHandle<Vec<String>>; 2]) -> usize {
    let mut done = 0;
    for worker in workers {
        done += worker.await.expect("no job panics").len();
    }
    done
}
// ANCHOR_END: jobs

// ANCHOR: join
async fn waited_for() {
    let start = Instant::now();
    let jobs = Jobs::unbounded();
    put(&jobs, 3, "Low").await;
    put(&jobs, 1, "High").await;
    put(&jobs, 2, "Medium").await;
    put(&jobs, 1, "Another High").await;
    put(&jobs, 3, "Another Low").await;
    let workers = two_workers(&jobs);
    jobs.join().await;
    println!("five jobs of a second, two workers: {:.2} seconds", start.elapsed().as_secs_f64());
    jobs.close();
    println!("results: {}", leave(workers).await);
}
// ANCHOR_END: join

// ANCHOR: close
async fn drained() {
    let jobs = Jobs::unbounded();
    put_nine(&jobs).await;
    let workers = two_workers(&jobs);
    jobs.close();
    put(&jobs, 0, "job 10").await;
    println!("results: {}", leave(workers).await);
}

async fn broken_off() {
    let jobs = Jobs::unbounded();
    put_nine(&jobs).await;
    let workers = two_workers(&jobs);
    sleep(scaled(1.5)).await;
    let undone: Vec<_> = jobs.close_now().into_iter().map(|(_, job)| job.name).collect();
    println!("undone: {} ({})", undone.len(), undone.join(", "));
    jobs.join().await; // of those in hand
    println!("results: {}", leave(workers).await);
}
// ANCHOR_END: close

fn main() {
    examples::run(&[], async |_| {
        println!("== waited for");
        waited_for().await;
        println!("\n== closed, and drained");
        drained().await;
        println!("\n== closed at once");
        broken_off().await;
    });
}
