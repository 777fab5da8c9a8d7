//! What it takes to wait: ten thousand tasks, and a thousand threads, as this system counts it.
//!
//! ```console
//! cargo run --example memory
//! cargo run --example memory -- --tasks 100000 --threads 100
//! ```
//!
//! The mistake that it avoids: to take the size of a thread's stack for its cost. The stack is address space, reserved and
//! mostly never touched; what a thread costs is the pages that it did touch, and what the system keeps for it besides (which
//! is not counted here). A task has no stack at all: only its future, in a cell.

use examples::{Arguments, fail, measure::Memory};
use runtime::{Runtime, spawn, time::sleep, yield_now};
use std::{
    io,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

/// What each of them does: nothing, for an hour.
async fn wait(number: usize) -> usize {
    sleep(Duration::from_secs(3600)).await;
    number
}

// ANCHOR: tasks
fn tasks(count: usize) -> io::Result<Memory> {
    let runtime = examples::runtime(Runtime::builder());
    runtime.block_on(async {
        let before = Memory::now()?;
        let tasks: Vec<_> = (0..count).map(|number| spawn(wait(number))).collect();
        // Each has run by then, and waits.
        yield_now().await;
        let grown = Memory::now()?.since(&before);
        drop(tasks);
        Ok(grown)
    })
}
// ANCHOR_END: tasks

// ANCHOR: threads
fn threads(count: usize) -> io::Result<Memory> {
    let before = Memory::now()?;
    let barrier = Arc::new(Barrier::new(count + 1));
    let wait_twice = |barrier: Arc<Barrier>| {
        barrier.wait();
        barrier.wait();
    };
    let start = |_| {
        let barrier = barrier.clone();
        thread::Builder::new().spawn(move || wait_twice(barrier))
    };
    let threads: Vec<_> = (0..count).map(start).collect::<io::Result<_>>()?;
    // Each runs by then, and waits.
    barrier.wait();
    let grown = Memory::now()?.since(&before);
    barrier.wait();
    threads.into_iter().for_each(|thread| thread.join().expect("it only waits"));
    Ok(grown)
}
// ANCHOR_END: threads

fn print(name: &str, count: usize, grown: &Memory) {
    let each = |bytes: u64| bytes as f64 / count.max(1) as f64 / 1e3;
    let all = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{count:>7} {name:<8} {:>8.1} MB {:>8.2} kB {:>10.1} MB {:>8.1} kB",
        all(grown.resident),
        each(grown.resident),
        all(grown.reserved),
        each(grown.reserved)
    );
}

fn main() {
    let arguments = Arguments::parse(&["--tasks", "--threads"]);
    let (task_count, thread_count) = (arguments.get("--tasks", 10_000), arguments.get("--threads", 1_000));
    let size = examples::runtime(Runtime::builder()).block_on(async { size_of_val(&wait(0)) });
    println!("the future of one task: {size} bytes\n");
    println!("                 memory used      each       reserved      each");
    let measured = |memory: io::Result<Memory>| memory.unwrap_or_else(|error| fail(1, error));
    print("tasks", task_count, &measured(tasks(task_count)));
    print("threads", thread_count, &measured(threads(thread_count)));
}
