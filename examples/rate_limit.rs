//! Ten a second, whoever asks: twenty requests, ten at a time, and when the server saw them.
//!
//! ```console
//! cargo run --example rate_limit
//! ```
//!
//! The mistakes that it avoids: to look when the last one went, to wait, and to write it down only then (all who wait have
//! looked at the same moment, and go together: nothing is limited); to keep the slot of one who has given up; to take a limit
//! of nothing a second, and wait for ever.

use examples::{httpbin::TestServer, scaled};
use netio::{http::client::Client, policy::RateLimiter};
use runtime::{
    future::join_all,
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use std::cell::Cell;

// ANCHOR: jobs
/// Twenty requests, of which ten are under way at once, and each waits until it is `ready`. Prints when the server saw them.
async fn twenty(client: &Client, server: &TestServer, ready: impl AsyncFn()) {
    let (ten_at_once, start) = (Semaphore::new(10), Instant::now());
    server.forget();
    join_all((0..20).map(async |_| {
        let _permit = ten_at_once.acquire().await.expect("it is not closed");
        ready().await;
        client.get(server.delay(0.05)).await.expect("an answer").bytes().await.expect("all of it");
    }))
    .await;
    let seen: Vec<_> = server.seen().arrivals.iter().map(|came| (*came - start).as_secs_f64()).collect();
    for ten in seen.chunks(10) {
        let ten: Vec<_> = ten.iter().map(|came| format!("{came:.2}")).collect();
        println!("  {}", ten.join(" "));
    }
    let closest = seen.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::MAX, f64::min);
    println!("  the last one came after {:.2} s, the closest two {closest:.2} s apart", seen[19]);
}
// ANCHOR_END: jobs

/// Ten a second; as many more as the waits are shorter.
fn ten_a_second() -> RateLimiter {
    let rate = (1.0 / scaled(0.1).as_secs_f64()).min(1e9);
    RateLimiter::new(rate).expect("a rate that there can be")
}

// ANCHOR: broken
/// It looks right, and limits nothing: between the look and the note stands an `await`.
struct LooksRight {
    last: Cell<Option<Instant>>,
}

impl LooksRight {
    async fn until_ready(&self) {
        if let Some(last) = self.last.get() {
            let since = last.elapsed();
            if since < scaled(0.1) {
                sleep(scaled(0.1) - since).await; // all the others look as well, and see the same `last`
            }
        }
        self.last.set(Some(Instant::now()));
    }
}
// ANCHOR_END: broken

// ANCHOR: gives_up
/// Four in line; the second has no patience, and those behind it move up.
async fn one_gives_up() {
    let (limiter, start) = (ten_a_second(), Instant::now());
    join_all((1..=4).map(async |number| {
        let patience = scaled(if number == 2 { 0.05 } else { 60.0 });
        match timeout(patience, limiter.until_ready()).await {
            Ok(()) => println!("  {number} went after {:.2} s", start.elapsed().as_secs_f64()),
            Err(_) => println!("  {number} gave up after {:.2} s", start.elapsed().as_secs_f64()),
        }
    }))
    .await;
    match limiter.try_acquire() {
        Ok(()) => println!("  now another could go"),
        Err(wait) => println!("  who does not want to wait is told: not for {:.2} s", wait.as_secs_f64()),
    }
}
// ANCHOR_END: gives_up

fn main() {
    examples::run_networked(&[], async |_| {
        let (client, server) = (Client::new(), TestServer::start().await);
        println!("== twenty requests, ten a second");
        let limiter = ten_a_second();
        twenty(&client, &server, async || limiter.until_ready().await).await;
        println!("\n== the same, and the limiter only looks right");
        let looks_right = LooksRight { last: Cell::new(None) };
        twenty(&client, &server, async || looks_right.until_ready().await).await;
        println!("\n== one gives up");
        one_gives_up().await;
        println!("\n== no limit at all");
        for rate in [0.0, -1.0, f64::NAN] {
            if let Err(error) = RateLimiter::new(rate) {
                println!("  {error}");
            }
        }
    });
}
