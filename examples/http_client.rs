//! One client for everything: how many connections it may have, how long a name is remembered, what is tried again, and a batch
//! in which one fails.
//!
//! ```console
//! cargo run --example http_client
//! ```
//!
//! The mistakes that it avoids: to await a client that is no context manager, and to close with the first session the connector
//! that the second was to use (a client is a value: clone it, drop it); to ask for a name as often as for a page; to try again
//! what will be the same; to lose what a failure says because its text is empty.

use examples::{
    fail,
    httpbin::{TestServer, path},
    scaled, seconds,
};
use netio::{
    http::{
        StatusCode,
        client::{Client, Error, Event, RequestInfo, Timeouts, middleware},
    },
    policy::{Backoff, Jitter, Retry},
};
use runtime::{future::join_all, time::Instant, world};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

// ANCHOR: client
/// What the client did, counted by an observer.
#[derive(Default)]
struct Counts {
    lookups: AtomicUsize,
    connects: AtomicUsize,
    reused: AtomicUsize,
}

/// At most 100 connections, ten of them to one host. (A name is remembered for two seconds here, so that you need not wait for
/// minutes to see it forgotten, and an idle connection for one.)
fn client(counts: Arc<Counts>) -> Client {
    let doubled = Backoff::exponential(scaled(1.0), 2.0, scaled(10.0)).jitter(Jitter::None);
    Client::builder()
        .timeouts(Timeouts::new().total(scaled(10.0)))
        .connections(100)
        .connections_per_host(10)
        .dns_cache_ttl(scaled(2.0))
        .keep_alive_time(scaled(1.0))
        .layer(middleware::retry(Retry::new(3).backoff(doubled)))
        .observer(move |_: &RequestInfo, event: &Event<'_>| match event {
            Event::LookupEnd { cached: false, .. } => drop(counts.lookups.fetch_add(1, Relaxed)),
            Event::ConnectEnd { .. } => drop(counts.connects.fetch_add(1, Relaxed)),
            Event::Reused => drop(counts.reused.fetch_add(1, Relaxed)),
            _ => {}
        })
        .build()
}
// ANCHOR_END: client

impl Counts {
    fn tell(&self) {
        let [lookups, connects, reused] =
            [&self.lookups, &self.connects, &self.reused].map(|count| count.load(Relaxed));
        println!("  so far: {lookups} lookups, {connects} connections, which were used again {reused} times");
    }
}

// ANCHOR: fetch
/// A document. Another status is an error here, like everything that is no document.
async fn fetch(client: &Client, url: &str) -> Result<Value, Error> {
    client.get(url).await?.error_for_status()?.json().await
}

/// All at once, each with its result, in the order of the URLs.
async fn batch_fetch(client: &Client, server: &TestServer, urls: &[String]) {
    server.forget();
    let start = Instant::now();
    let results = join_all(urls.iter().map(|url| fetch(client, url))).await;
    for (url, result) in urls.iter().zip(results) {
        match result {
            Ok(document) => println!("  {}: {} bytes", path(url), document.to_string().len()),
            Err(error) => println!("  {}: error: {}", path(url), error.to_string().replace(&format!("{url}: "), "")),
        }
    }
    println!("  {:.2} s, {} requests", start.elapsed().as_secs_f64(), server.seen().requests);
}
// ANCHOR_END: fetch

async fn thirty(client: &Client, server: &TestServer) -> Result<(), Error> {
    server.forget();
    let (start, url) = (Instant::now(), server.delay(0.5).replace("127.0.0.1", "localhost"));
    let statuses = join_all((0..30).map(async |_| {
        let response = client.get(&url).await?;
        let status = response.status();
        response.bytes().await.map(|_| status)
    }));
    for status in statuses.await {
        assert_eq!(status?, StatusCode::OK);
    }
    println!("  {:.2} s, at most {} at once", start.elapsed().as_secs_f64(), server.seen().most_at_once);
    Ok(())
}

async fn tour() -> Result<(), Error> {
    let (server, counts) = (TestServer::start().await, Arc::new(Counts::default()));
    // The simulated world knows only the names that it is told.
    if let Some(world) = world::current() {
        world.set_name("localhost", [server.address().ip()]);
    }
    let client = client(counts.clone());
    for title in ["thirty at once", "again, at once", "again, when the name is forgotten"] {
        println!("== {title}");
        thirty(&client, &server).await?;
        counts.tell();
        println!();
        if title == "again, at once" {
            seconds(3.0).await;
        }
    }
    let at = |path: &str| server.url() + path;
    println!("== a batch");
    batch_fetch(&client, &server, &[server.delay(1.0), at("/json"), at("/flaky/2"), at("/user-agent")]).await;
    println!("\n== a batch in which most fails, with the same client");
    let late = server.delay(20.0);
    batch_fetch(&client, &server, &[at("/status/404"), at("/not-json"), at("/status/500"), at("/json"), late]).await;
    client.close().await;
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
