//! A thousand items, at most a hundred at a time: in batches, or through a window.
//!
//! ```console
//! cargo run --example batch
//! ```
//!
//! The mistakes that it avoids: to start a thousand requests at once; to take a nap between batches "so as not to exhaust the
//! system" (at most a hundred run in any case); to wait for the slowest of each batch where a window would go on; to lose
//! the order of the results where they come as they are done; to let one bad item throw away the other 999.

use examples::{scaled, seconds};
use runtime::{
    future::{FuturesUnordered, join_all, try_join_all},
    time::{Instant, sleep},
};

const ITEMS: u32 = 1_000;
const AT_ONCE: usize = 100;

async fn double(item: u32) -> u32 {
    seconds(0.1).await;
    item * 2
}

// ANCHOR: batches
/// A batch is over when the last of it is.
async fn in_batches<T>(items: &[u32], work: impl AsyncFn(u32) -> T) -> Vec<T> {
    let mut results = Vec::with_capacity(items.len());
    for batch in items.chunks(AT_ONCE) {
        results.extend(join_all(batch.iter().map(|item| work(*item))).await);
    }
    results
}
// ANCHOR_END: batches

// ANCHOR: window
/// When one is done, the next one starts. Results come as they are done, so each brings its number.
async fn through_a_window<T>(items: &[u32], work: impl AsyncFn(u32) -> T) -> Vec<T> {
    let mut numbered = items.iter().enumerate().map(|(number, item)| {
        let work = &work;
        async move { (number, work(*item).await) }
    });
    let mut running: FuturesUnordered<_> = numbered.by_ref().take(AT_ONCE).collect();
    let mut results = Vec::with_capacity(items.len());
    while let Some(result) = running.next().await {
        results.push(result);
        running.extend(numbered.next());
    }
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
// ANCHOR_END: window

async fn even_times(items: &[u32]) {
    let start = Instant::now();
    let results = in_batches(items, double).await;
    println!("in batches:       {} in {:.2} s: {:?}…", results.len(), start.elapsed().as_secs_f64(), &results[..10]);
    let start = Instant::now();
    let results = through_a_window(items, double).await;
    println!("through a window: {} in {:.2} s: {:?}…", results.len(), start.elapsed().as_secs_f64(), &results[..10]);
}

// ANCHOR: uneven
/// One item in a hundred takes a second. Each batch has one of those, and 99 places that stand empty meanwhile.
async fn uneven_times(items: &[u32]) {
    let work = async |item: u32| {
        let length = if item.is_multiple_of(100) { 1.0 } else { 0.1 };
        sleep(scaled(length)).await;
    };
    let start = Instant::now();
    in_batches(items, work).await;
    println!("in batches:       {:.2} s: the slowest of each holds up the next", start.elapsed().as_secs_f64());
    let start = Instant::now();
    through_a_window(items, work).await;
    println!("through a window: {:.2} s", start.elapsed().as_secs_f64());
}
// ANCHOR_END: uneven

// ANCHOR: errors
async fn one_bad_item(items: &[u32]) {
    let work = async |item: u32| if item == 13 { Err(format!("item {item} is bad")) } else { Ok(double(item).await) };
    let results = in_batches(items, work).await;
    let errors: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    println!("each by itself:  {} results, and {errors:?}", results.len() - errors.len());
    let start = Instant::now();
    let all = try_join_all(items[..AT_ONCE].iter().map(|item| work(*item))).await;
    println!("all or nothing:  {:?}, after {:.2} s", all.map(|results| results.len()), start.elapsed().as_secs_f64());
}
// ANCHOR_END: errors

fn main() {
    examples::run(&[], async |_| {
        let items: Vec<u32> = (0..ITEMS).collect();
        println!("== {ITEMS} items of 0.1 s, {AT_ONCE} at a time");
        even_times(&items).await;
        println!("\n== one in a hundred takes 1 s");
        uneven_times(&items).await;
        println!("\n== one bad item");
        one_bad_item(&items).await;
    });
}
