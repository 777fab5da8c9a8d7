//! Once more: how often, after how long, and for what. Against a server that fails as it is asked to.
//!
//! ```console
//! cargo run --example retry
//! cargo run --example retry -- --part crowds
//! ```
//!
//! The mistakes that it avoids: to run out of delays before the tries do; to wait after the last try, when nothing follows; to
//! try again what will be the same (a page that is not there); to return nothing when all tries have failed; to send an order
//! twice; to take an abort for a failure (who is dropped is gone, and so are its tries); to have all who failed together come
//! back together.

use examples::{
    httpbin::{TestServer, path},
    scaled,
};
use netio::{
    http::{Method, client::Client},
    policy::{Backoff, Failure, HttpFailure, HttpRetry, Jitter, Retry, Then},
};
use runtime::{Runtime, time::Instant};
use std::{collections::BTreeMap, time::Duration};

/// The waits between the tries: 1, 3 and 5 seconds, and 5 from then on.
fn one_three_five(attempts: u32) -> Retry {
    Retry::new(attempts).backoff(Backoff::list([1.0, 3.0, 5.0].map(scaled))).on_failure(tell)
}

fn tell(failure: &Failure<'_>) {
    let Failure { name, attempt, error, then } = failure;
    match then {
        Then::Wait(wait) => {
            println!("  {name}: failure {attempt} ({error}), retrying in {:.2} seconds…", wait.as_secs_f64());
        }
        Then::NoTriesLeft => println!("  {name}: failure {attempt} ({error}), all retries failed"),
        _ => println!("  {name}: failure {attempt} ({error}), another try would not help"),
    }
}

// ANCHOR: run
/// Any future will do.
async fn an_operation_that_fails_twice() {
    let start = Instant::now();
    let operation = async |attempt| if attempt < 3 { Err("not yet") } else { Ok("done") };
    let result = one_three_five(3).name("operation").retry_if(operation, |error| *error == "not yet").await;
    println!("  {result:?} after {:.2} s", start.elapsed().as_secs_f64());
}
// ANCHOR_END: run

// ANCHOR: http
/// A fetch, with four tries. What an HTTP exchange allows, `HttpRetry` knows.
async fn fetch(method: Method, url: String) {
    let (client, judge, start) = (Client::new(), HttpRetry::new(&method), Instant::now());
    let path = path(&url);
    let once = |_| async {
        let request = http::Request::builder().method(&method).uri(&url).body(Default::default());
        let response = client.execute(request.expect("a method and a URL")).await?;
        Ok::<_, HttpFailure>(judge.check(response)?.status())
    };
    let result = one_three_five(4).name(format!("{method} /{path}")).run(once, |failure| judge.verdict(failure)).await;
    match result {
        Ok(status) => print!("  {method} /{path}: {status}"),
        Err(failure) => print!("  {method} /{path}: error: {failure}"),
    }
    println!(" after {:.2} s", start.elapsed().as_secs_f64());
}
// ANCHOR_END: http

// ANCHOR: table
fn doubled() -> Backoff {
    Backoff::exponential(Duration::from_secs(1), 2.0, Duration::from_secs(10))
}

fn six_tries() {
    let waits: Vec<_> = doubled().jitter(Jitter::None).waits().take(5).map(|wait| wait.as_secs()).collect();
    println!("  six tries, five waits: {waits:?}");
}
// ANCHOR_END: table

// ANCHOR: jitter
/// A hundred clients failed at the same moment. When are they back for the third try? (From a seed, so always the same.)
fn a_hundred_clients(jitter: Jitter) {
    let backoff = doubled().jitter(jitter);
    let mut crowd = BTreeMap::new();
    Runtime::simulated(7).block_on(async {
        for _ in 0..100 {
            let back: Duration = backoff.waits().take(2).sum();
            *crowd.entry(back.as_millis() / 500).or_insert(0) += 1;
        }
    });
    println!("  {jitter:?}");
    for (half, clients) in crowd {
        println!("  {:4.1} s {clients:3} {}", half as f64 / 2.0, "*".repeat(clients / 2));
    }
}
// ANCHOR_END: jitter

fn main() {
    let all = examples::run_networked(&["--part"], async |arguments| {
        if arguments.find::<String>("--part").is_some_and(|part| part == "crowds") {
            return false;
        }
        println!("== an operation that fails twice");
        an_operation_that_fails_twice().await;
        let server = TestServer::start().await;
        println!("\n== a server that fails twice");
        fetch(Method::GET, format!("{}/flaky/2", server.url())).await;
        println!("\n== a page that is not there is an answer");
        fetch(Method::GET, format!("{}/status/404", server.url())).await;
        println!("\n== a server that always fails");
        fetch(Method::GET, format!("{}/status/503", server.url())).await;
        true
    });
    if all {
        println!("\n== waits that double, ten seconds at most");
        six_tries();
        println!();
    }
    println!("== a hundred clients come back");
    [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated].into_iter().for_each(a_hundred_clients);
}
