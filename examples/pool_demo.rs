//! What a pool of connections is good for, and what its limits and the four timeouts mean.
//!
//! ```console
//! cargo run --example pool_demo
//! ```
//!
//! The mistakes that it avoids: to divide the time of ten requests that ran at once by ten, and to call that the time of a
//! request (nobody waited a tenth of a second: each waited one); to have one timeout for everything, so that a large download
//! is cut off, or one that stands still goes on; to say "timeout" and not which.

use examples::{fail, httpbin::TestServer, scaled};
use netio::http::client::{Client, Error, PoolStats, Timeouts};
use runtime::{future::try_join_all, spawn, time::Instant, world, yield_now};
use std::time::Duration;

async fn seconds(future: impl Future<Output = Result<(), Error>>) -> Result<f64, Error> {
    let start = Instant::now();
    future.await?;
    Ok(start.elapsed().as_secs_f64())
}

async fn get(client: &Client, url: &str) -> Result<(), Error> {
    client.get(url).await?.bytes().await.map(drop)
}

// ANCHOR: ten
/// Ten requests of a second each.
async fn ten(client: &Client, url: &str) -> Result<(), Error> {
    let start = Instant::now();
    let times = try_join_all((0..10).map(|_| seconds(get(client, url)))).await?;
    let total = start.elapsed().as_secs_f64();
    println!("  total {total:.2} s: {:.1} requests a second", 10.0 / total);
    let (all, slowest) = (times.iter().sum::<f64>(), times.iter().copied().fold(0.0, f64::max));
    println!("  each took {:.2} s on average, the slowest {slowest:.2} s", all / 10.0);
    Ok(())
}
// ANCHOR_END: ten

// ANCHOR: kept
/// Twenty requests one after the other, with a connection for each, and with one for all.
async fn new_or_kept(server: &TestServer) -> Result<(), Error> {
    let mut took = Vec::new();
    for (title, kept) in [("a new connection for each", Duration::ZERO), ("one that is kept", Duration::MAX)] {
        server.forget();
        let client = Client::builder().keep_alive_time(kept).build();
        let url = server.url() + "/json";
        let twenty = seconds(async {
            for _ in 0..20 {
                get(&client, &url).await?;
            }
            Ok(())
        });
        took.push(twenty.await?);
        println!(
            "  {title}: {:.1} ms a request, {} connections",
            took[took.len() - 1] * 1e3 / 20.0,
            server.seen().connections
        );
    }
    println!("  to keep it is {:.1} times as quick", took[0] / took[1]);
    Ok(())
}
// ANCHOR_END: kept

// ANCHOR: timeouts
/// One line for each limit: who has to wait for what, and what comes of it.
async fn four_timeouts(server: &TestServer) {
    let drip = format!("{}/drip?bytes=5&seconds={}", server.url(), scaled(5.0).as_secs_f64());
    let (hang, nobody) = (server.url() + "/hang", "http://10.255.255.1/".to_owned());
    if let Some(world) = world::current() {
        world.silence("10.255.255.1:80".parse().expect("an address"));
    }
    let limits = Timeouts::new().total(scaled(30.0)).acquire(scaled(30.0)).connect(scaled(10.0)).read(scaled(2.0));
    for (title, url, limits) in [
        ("a byte a second, and the limit between two is two", &drip, limits),
        ("the same, and three seconds for all", &drip, limits.total(scaled(3.0))),
        ("a server that says nothing", &hang, limits),
        ("an address that does not answer", &nobody, limits.connect(scaled(1.0))),
        ("all connections are in use", &hang, limits.acquire(scaled(1.0)).read(Duration::MAX)),
    ] {
        let client = Client::builder().timeouts(limits).connections(1).build();
        if title == "all connections are in use" {
            let (busy, hang) = (client.clone(), hang.clone());
            drop(spawn(async move { get(&busy, &hang).await }));
            while client.pool_stats().in_use == 0 {
                yield_now().await;
            }
        }
        let start = Instant::now();
        let result = match get(&client, url).await {
            Ok(()) => "Ok".to_owned(),
            Err(Error::Timeout { kind, phase, .. }) => format!("timeout ({kind}) while {phase}"),
            Err(error) => error.to_string(),
        };
        println!("  {title}: {result}, after {:.2} s", start.elapsed().as_secs_f64());
    }
}
// ANCHOR_END: timeouts

async fn tour() -> Result<(), Error> {
    let server = TestServer::start().await;
    println!("== ten at once");
    ten(&Client::new(), &server.delay(1.0)).await?;
    println!("\n== the same, two connections to a host");
    let two = Client::builder().connections_per_host(2).build();
    ten(&two, &server.delay(1.0)).await?;
    let PoolStats { idle, in_use, made, reused, .. } = two.pool_stats();
    println!("  {idle} idle, {in_use} in use; {made} made, which were used again {reused} times");
    println!("\n== four timeouts");
    four_timeouts(&server).await;
    println!("\n== new connections, or a kept one");
    // In the simulated world a packet takes ten milliseconds from here on; on your machine almost nothing.
    if let Some(world) = world::current() {
        let far = Duration::from_millis(10)..Duration::from_millis(10);
        world.set_conditions(world.conditions().latency(far));
    }
    new_or_kept(&server).await
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
