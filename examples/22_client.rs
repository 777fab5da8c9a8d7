//! A thousand pages through a few connections: a pool is a semaphore with a memory.
//!
//! ```console
//! cargo run --example 22_client
//! ```

use examples::{fail, httpbin::TestServer, scaled};
use netio::http::client::{Client, Error, Event, PoolStats, RequestInfo, Timeouts};
use runtime::{
    future::{join_all, try_join_all},
    time::{Instant, sleep},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

// ANCHOR: thousand
/// All at once, says the code. How many are under way is up to the pool.
async fn thousand(server: &TestServer, connections: usize) -> Result<(), Error> {
    server.forget();
    // With one connection, the last waits for longer than a client does by default.
    let patient = Timeouts::new().total(Duration::MAX).acquire(Duration::MAX);
    let pool = Client::builder().connections(connections).connections_per_host(connections);
    let client = pool.timeouts(patient).build();
    let (start, url) = (Instant::now(), server.delay(0.1));
    try_join_all((0..1000).map(async |_| client.get(&url).await?.bytes().await)).await?;
    let took = start.elapsed().div_duration_f64(scaled(1.0));
    let PoolStats { made, reused, .. } = client.pool_stats();
    let most = server.seen().most_at_once;
    println!("{connections:>4} connections: {took:6.2} s, {most:>4} at once, {made:>4} made, {reused:>3} reused");
    Ok(())
}
// ANCHOR_END: thousand

/// What happened to a request: when it was asked for, when it had a connection, whether that was a new one, and its end.
#[derive(Clone, Default)]
struct Story {
    asked: Duration,
    begun: Duration,
    new: bool,
    ended: Duration,
}

// ANCHOR: story
/// Eight requests, a tenth of a second apart, through two connections.
async fn stories(server: &TestServer) -> Vec<Story> {
    let (start, stories) = (Instant::now(), Arc::new(Mutex::new(vec![Story::default(); 8])));
    let told = stories.clone();
    let observer = move |request: &RequestInfo, event: &Event<'_>| {
        let number: usize = request.uri().query().and_then(|number| number.parse().ok()).unwrap_or(0);
        let (story, now) = (&mut told.lock().unwrap()[number], start.elapsed());
        match event {
            Event::Start => story.asked = now,
            Event::Reused => story.begun = now,
            Event::ConnectEnd { .. } => (story.begun, story.new) = (now, true),
            Event::End { .. } => story.ended = now,
            _ => {}
        }
    };
    let client = Client::builder().connections(2).observer(observer).build();
    let asked = (0..8_u32).map(async |number| {
        sleep(scaled(0.1) * number).await;
        client.get(format!("{}?{number}", server.delay(0.4))).await?.bytes().await
    });
    join_all(asked).await;
    stories.lock().unwrap().clone()
}
// ANCHOR_END: story

/// A letter is a twentieth of a second: `.` waits for a connection, `n` has a new one, `r` one that was used before.
fn draw(stories: &[Story]) {
    let letters = |time: Duration| time.div_duration_f64(scaled(0.05)).round() as usize;
    for (number, Story { asked, begun, new, ended }) in stories.iter().enumerate() {
        let [asked, begun, ended] = [*asked, *begun, *ended].map(letters);
        let has = if *new { "n" } else { "r" };
        println!("  {number} {}{}{}", " ".repeat(asked), ".".repeat(begun - asked), has.repeat(ended - begun));
    }
}

async fn tour() -> Result<(), Error> {
    let server = TestServer::start().await;
    println!("a thousand pages, a tenth of a second each:");
    for connections in [1, 10, 100, 1000] {
        thousand(&server, connections).await?;
    }
    println!("\neight pages, two connections:");
    draw(&stories(&server).await);
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
