//! Runtimes: several in a row, one worker and several, and none inside another.
//!
//! ```console
//! cargo run --example runtimes
//! ```
//!
//! The mistakes that it avoids: to call `block_on` inside `block_on` (refused: it would stop the worker that runs the outer
//! one); to believe that a runtime is for ever (it ends with its threads, its descriptors and its tasks); and to take
//! "asynchronous" for "parallel": with one worker, all of it happens on the thread that called `block_on`.

use examples::Arguments;
use runtime::{Runtime, block_on, future::join_all, spawn};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{Arc, Barrier},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

// ANCHOR: threads
/// On which threads do three tasks run?
async fn three_tasks(all_at_once: bool) -> BTreeSet<String> {
    // Blocks its worker until all three have come. Never do that in a task; here it shows that they do run at the same time.
    let barrier = Arc::new(Barrier::new(if all_at_once { 3 } else { 1 }));
    let task = |_| {
        let barrier = barrier.clone();
        spawn(async move {
            barrier.wait();
            thread::current().id()
        })
    };
    let name = |id: ThreadId| format!("{id:?}");
    join_all((0..3).map(task)).await.into_iter().map(|id| name(id.expect("no panic"))).collect()
}
// ANCHOR_END: threads

/// How many threads and open files this process has, where the system says so (Linux).
fn held() -> Option<(usize, usize)> {
    let count = |folder: &str| Some(std::fs::read_dir(folder).ok()?.count());
    Some((count("/proc/self/task")?, count("/proc/self/fd")?))
}

fn main() {
    Arguments::parse(&[]);
    let at_first = held();
    println!("this thread is {:?}", thread::current().id());

    println!("\nthree in a row:");
    for number in 1..=3 {
        println!("  {}", block_on(async move { format!("output of runtime {number}") }));
    }

    println!("\nthree tasks:");
    let one = examples::runtime(Runtime::builder());
    println!("  one worker:    {:?}", one.block_on(three_tasks(false)));
    let three = examples::runtime(Runtime::builder().workers(3));
    println!("  three workers: {:?}", three.block_on(three_tasks(true)));
    drop((one, three));

    println!("\na hundred in a row, two workers each, a task left behind in each:");
    for _ in 0..100 {
        let runtime = examples::runtime(Runtime::builder().workers(2));
        runtime.block_on(async { drop(spawn(std::future::pending::<()>())) });
    }
    // A thread that is over, and joined, is still counted for a moment.
    let since = Instant::now();
    while held() != at_first && since.elapsed() < Duration::from_secs(1) {
        thread::yield_now();
    }
    println!("  threads and descriptors are as many as at first: {}", held() == at_first);

    println!("\none inside another:");
    // ANCHOR: nested
    let quiet = take_hook();
    set_hook(Box::new(|_| {}));
    let refused = block_on(async { catch_unwind(AssertUnwindSafe(|| block_on(async { "inner" }))) });
    set_hook(quiet);
    let payload = refused.expect_err("it is refused");
    println!("  {}", payload.downcast_ref::<&str>().expect("a panic with a text"));
    let inner = block_on(async { runtime::spawn_blocking(|| block_on(async { "inner" })).await });
    println!("  on a thread of its own it may be: {:?}", inner.expect("no panic"));
    // ANCHOR_END: nested
}
