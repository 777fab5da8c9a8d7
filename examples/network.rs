//! Many requests at once: all together, each with a limit of its own, and never more than two.
//!
//! ```console
//! cargo run --example network
//! ```
//!
//! The mistakes that it avoids: to count characters and call them bytes; to take the first failure for the failure of all; to
//! keep the connection of a request that was given up, so that the next one reads its late answer; to say "timeout" and not
//! what was waited for.

use examples::{
    httpbin::{TestServer, path},
    scaled, seconds,
};
use netio::http::client::{Client, Error};
use runtime::{
    future::join_all,
    sync::Semaphore,
    time::{Deadline, Instant, timeout},
};
use std::cell::Cell;

// ANCHOR: fetch
/// What there is at the URL, and how long it is. A failure is told here, and counts as nothing.
async fn fetch(client: &Client, url: &str) -> (String, usize) {
    let whole = async { client.get(url).await?.bytes().await };
    let length = whole.await.map(|body| body.len()).unwrap_or_else(|error| {
        println!("  failed: {}", error.to_string().replace(url, path(url)));
        0
    });
    (path(url).to_owned(), length)
}

async fn all_together(client: &Client, server: &TestServer) {
    let at = |path: &str| server.url() + path;
    let urls = [server.delay(1.0), at("/json"), at("/status/404"), at("/reset")];
    for (path, length) in join_all(urls.iter().map(|url| fetch(client, url))).await {
        println!("  {path}: {length} bytes");
    }
}
// ANCHOR_END: fetch

// ANCHOR: limit
/// A limit that covers all of a fetch.
async fn each_with_a_limit(client: &Client, server: &TestServer) {
    let one = async |delay: f64| {
        let response = client.get(server.delay(delay));
        match timeout(scaled(3.0), async { response.await?.bytes().await }).await {
            Ok(Ok(body)) => format!("{} bytes", body.len()),
            Ok(Err(error)) => format!("error: {error}"),
            Err(_) => "timeout".to_owned(),
        }
    };
    for (delay, result) in [1, 10, 2].into_iter().zip(join_all([1.0, 10.0, 2.0].map(one)).await) {
        println!("  an answer after {delay} s: {result}");
    }
    println!("  connections: {}", server.seen().connections);
}

/// A limit that moves: three seconds for each byte, and not for all.
async fn three_seconds_for_each_byte(client: &Client, server: &str) -> Result<usize, String> {
    let (deadline, mut length) = (Deadline::after(scaled(3.0)), 0);
    let url = format!("{server}/drip?bytes=5&seconds={}", scaled(10.0).as_secs_f64());
    let progress = deadline.clone();
    let whole = async {
        let mut response = client.get(url).await?;
        while let Some(chunk) = response.chunk().await? {
            length += chunk.len();
            progress.set_after(scaled(3.0));
        }
        Ok(length)
    };
    deadline.limit(whole).await.map_err(|_| "timeout".to_owned())?.map_err(|error: Error| error.to_string())
}
// ANCHOR_END: limit

// ANCHOR: two
/// Five pages, two at a time; what comes is worked on for a tenth of a second before the next may go.
async fn two_at_a_time(client: &Client, server: &TestServer) {
    let (two, running, most) = (Semaphore::new(2), Cell::new(0), Cell::new(0));
    join_all([1.0, 2.0, 1.0, 3.0, 1.0].map(async |delay| {
        let _permit = two.acquire().await.expect("it is not closed");
        running.update(|running| running + 1);
        most.update(|most| most.max(running.get()));
        fetch(client, &server.delay(delay)).await;
        seconds(0.1).await;
        running.update(|running| running - 1);
    }))
    .await;
    println!("  never more than {}", most.get());
}
// ANCHOR_END: two

async fn timed(title: &str, work: impl Future<Output = ()>) {
    println!("== {title}");
    let start = Instant::now();
    work.await;
    println!("  {:.2} s\n", start.elapsed().as_secs_f64());
}

fn main() {
    examples::run_networked(&[], async |_| {
        let (client, server) = (Client::new(), TestServer::start().await);
        timed("all together", all_together(&client, &server)).await;
        server.forget();
        timed("three seconds for each", each_with_a_limit(&client, &server)).await;
        timed("three seconds for each byte", async {
            println!("  {:?} bytes", three_seconds_for_each_byte(&client, &server.url()).await);
        })
        .await;
        timed("two at a time", two_at_a_time(&client, &server)).await;
        timed("a port on which nobody listens", async {
            println!("  {:?}", fetch(&client, "http://127.0.0.1:1/nobody").await);
        })
        .await;
    });
}
