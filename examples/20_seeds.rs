//! The same mistake among tasks, on one thread: which order do the tasks run in? In a simulated world, as the seed says.
//!
//! ```console
//! cargo run --example 20_seeds
//! ```

use runtime::{Runtime, future::join_all, spawn, yield_now};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

// ANCHOR: day
/// Two tasks count once each, in two steps, and may give way before the first. What is the count?
async fn day() -> u32 {
    let counter = Arc::new(AtomicU32::new(0));
    let count = async |counter: Arc<AtomicU32>| {
        let seen = counter.load(Ordering::Relaxed);
        yield_now().await;
        counter.store(seen + 1, Ordering::Relaxed);
    };
    // The first has a start of three turns, so that as a rule it is over before the second begins.
    let first = spawn(count(counter.clone()));
    let second = spawn({
        let counter = counter.clone();
        async move {
            for _ in 0..3 {
                yield_now().await;
            }
            count(counter).await;
        }
    });
    join_all([first, second]).await;
    counter.load(Ordering::Relaxed)
}
// ANCHOR_END: day

// ANCHOR: seeds
fn main() {
    examples::Arguments::parse(&[]);
    let counts: Vec<u32> = (0..1_000).map(|seed| Runtime::simulated(seed).block_on(day())).collect();
    let wrong: Vec<usize> = (0..counts.len()).filter(|seed| counts[*seed] != 2).collect();
    println!("of 1000 days, {} lose a count", wrong.len());
    println!("the first of them is the day of seed {}", wrong[0]);

    let again = |seed| {
        let runtime = Runtime::builder().simulated(seed).trace().build().expect("a world needs nothing of the system");
        (runtime.block_on(day()), runtime.trace().to_string())
    };
    let [one, other] = [0, 1].map(|_| again(wrong[0] as u64));
    println!(
        "the same seed once more: {}, and its trace is {}",
        one.0,
        if one == other { "the same" } else { "another" }
    );
}
// ANCHOR_END: seeds
