//! A cache: one load for all who ask at the same time, a time to live, and room for the latest used only.
//!
//! ```console
//! cargo run --example cache
//! ```
//!
//! The mistakes that it avoids: to look, not find, and load, when a hundred others have just done the same (the stampede: ours
//! load once, and the others wait for that load); to look at the age of a value only when it is stored, and serve it for ever;
//! to measure age with the clock on the wall, which jumps; to search a list for what was used last; to hold the lock while
//! loading, so that one slow key stops all others; to cache a failure.

use examples::{scaled, seconds};
use runtime::{
    cache::{Stats, TtlLru},
    future::{join, join_all},
    time::{Instant, sleep, timeout},
};

/// Half a second for a value, from somewhere far away.
async fn fetch(key: &str) -> String {
    println!("  fetching {key}");
    seconds(0.5).await;
    format!("data of {key}")
}

/// What happened since `before`.
fn tell(start: Instant, before: Stats, now: Stats) {
    println!(
        "  {} hits, {} misses, {} coalesced: {:.2} s",
        now.hits - before.hits,
        now.misses - before.misses,
        now.coalesced - before.coalesced,
        start.elapsed().as_secs_f64()
    );
}

// ANCHOR: demo
async fn stampede() {
    let cache = TtlLru::new(100).ttl(scaled(2.0));
    let ask_all = async || {
        let (start, before) = (Instant::now(), cache.stats());
        join_all(["k1", "k2", "k3", "k1", "k2"].map(|key| cache.get_or_insert_with(key, || fetch(key)))).await;
        tell(start, before, cache.stats());
    };
    println!("five ask for three keys");
    ask_all().await;
    println!("again, at once");
    ask_all().await;
    seconds(3.0).await;
    println!("again, when their time of 2 s is over");
    ask_all().await;
}
// ANCHOR_END: demo

// ANCHOR: lru
fn room_for_five() {
    let cache = TtlLru::new(5);
    (1..=5).for_each(|number| cache.insert(number, number * number));
    cache.get(&1);
    cache.insert(6, 36);
    let kept: Vec<_> = (1..=6).filter(|key| cache.get(key).is_some()).collect();
    println!("1 was used, then 6 came: {kept:?} are kept, {} was evicted", cache.stats().evictions);
}
// ANCHOR_END: lru

// ANCHOR: failure
/// The first load fails, and all who wait for it are told; the failure is not kept.
async fn a_loader_that_fails() {
    let cache = TtlLru::<&str, &str>::new(100);
    let failing = async || {
        seconds(0.5).await;
        Err("the server is down")
    };
    let ask = || cache.get_or_try_insert_with("k1", failing);
    let (one, other) = join(ask(), ask()).await;
    println!("{one:?} and {other:?}: {} load", cache.stats().misses);
    println!("the next one: {:?}", cache.get_or_try_insert_with("k1", async || Ok::<_, &str>("back again")).await);
}
// ANCHOR_END: failure

// ANCHOR: takeover
/// Who loads has no patience; who waits for that load takes it over.
async fn a_loader_that_goes_away() {
    let (cache, start) = (TtlLru::new(100), Instant::now());
    let hasty = timeout(scaled(0.2), cache.get_or_insert_with("k1", || fetch("k1, in a hurry")));
    let patient = async {
        sleep(scaled(0.1)).await;
        cache.get_or_insert_with("k1", || fetch("k1")).await
    };
    let (hasty, patient) = join(hasty, patient).await;
    println!("in a hurry: {}", if hasty.is_err() { "gave up after 0.2 s" } else { "got it" });
    println!("with patience: {patient}, after {:.2} s", start.elapsed().as_secs_f64());
}
// ANCHOR_END: takeover

fn main() {
    examples::run(&[], async |_| {
        println!("== a stampede, and a time to live");
        stampede().await;
        println!("\n== room for five");
        room_for_five();
        println!("\n== a loader that fails");
        a_loader_that_fails().await;
        println!("\n== a loader that goes away");
        a_loader_that_goes_away().await;
    });
}
