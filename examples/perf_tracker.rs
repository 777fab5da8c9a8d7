//! How long requests take, and how many fail: counted by a layer of the client, and told as a table and as a page for a
//! collector.
//!
//! ```console
//! cargo run --example perf_tracker
//! ```
//!
//! The mistakes that it avoids: to count an answer of 500 as a success; to divide by nothing when there was no request; to
//! forget those that were given up (here a guard counts them, however they end); to tell the average, which no request has; to
//! add up times that ran at the same time and call the sum the time that passed; to have a row for each URL, so that the
//! table grows for ever: what counts is the route.

use examples::{fail, httpbin::TestServer, scaled};
use netio::http::{
    client::{Client, ClientRequest, ClientResponse, Error, Next},
    server::{Router, Server, State},
};
use runtime::{
    debug::timed,
    future::join_all,
    spawn,
    time::{Instant, timeout},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The route of a request: `/delay/{s}`, whatever the seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route(&'static str);

// ANCHOR: tracker
/// How requests ended, with the times that they took. Clones count together.
#[derive(Clone, Default)]
struct Tracker(Arc<Mutex<Ends>>);

/// The times of requests, by route and by how they ended.
type Ends = BTreeMap<(Route, &'static str), Vec<Duration>>;

/// A request that is under way, until its head has come. Dropped, it is counted.
struct Running {
    tracker: Tracker,
    route: Route,
    start: Instant,
    end: &'static str,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut ends = self.tracker.0.lock().unwrap();
        ends.entry((self.route, self.end)).or_default().push(self.start.elapsed());
    }
}

impl Tracker {
    async fn track(self, request: ClientRequest, next: Next) -> Result<ClientResponse, Error> {
        let route = request.extensions().get().copied().unwrap_or(Route("other"));
        let mut running = Running { tracker: self, route, start: Instant::now(), end: "cancelled" };
        let result = next.run(request).await;
        running.end = if result.as_ref().is_ok_and(ClientResponse::ok) { "success" } else { "error" };
        result
    }
}
// ANCHOR_END: tracker

impl Tracker {
    // ANCHOR: report
    fn report(&self) {
        let ends = self.0.lock().unwrap();
        let count =
            |end| ends.iter().filter(|((_, ended), _)| *ended == end).map(|(_, times)| times.len()).sum::<usize>();
        let mut times: Vec<Duration> = ends.values().flatten().copied().collect();
        times.sort();
        let (total, success) = (times.len(), count("success"));
        let rate = 100.0 * success as f64 / total.max(1) as f64;
        println!(
            "  {total} requests: {success} succeeded ({rate:.1} %), {} failed, {} were given up",
            count("error"),
            count("cancelled")
        );
        let part =
            |part: f64| times.get((part * total.saturating_sub(1) as f64) as usize).map_or(0.0, Duration::as_secs_f64);
        println!("  half of them within {:.2} s, 95 of 100 within {:.2} s", part(0.5), part(0.95));
        println!("  their times together: {:.2} s", times.iter().sum::<Duration>().as_secs_f64());
    }

    /// The same for Prometheus.
    fn page(&self) -> String {
        let ends = self.0.lock().unwrap();
        let lines = ends.iter().map(|((Route(route), end), times)| {
            let labels = format!("{{route=\"{route}\",end=\"{end}\"}}");
            let sum = times.iter().sum::<Duration>().as_secs_f64();
            format!("requests_total{labels} {}\nrequest_seconds_sum{labels} {sum:.3}\n", times.len())
        });
        lines.collect()
    }
    // ANCHOR_END: report
}

async fn get(client: &Client, route: &'static str, url: String) -> Result<ClientResponse, Error> {
    client.get(url).extension(Route(route)).await
}

fn main() {
    examples::run_networked(&[], async |_| {
        let (server, tracker) = (TestServer::start().await, Tracker::default());
        let layer = tracker.clone();
        let client = Client::builder().layer(move |request, next: Next| layer.clone().track(request, next)).build();
        println!("== nothing yet");
        tracker.report();

        println!("\n== one that succeeds, one that fails, one that is refused");
        let start = Instant::now();
        let urls = [
            ("/delay/{s}", server.delay(1.0)),
            ("/status/{code}", server.url() + "/status/500"),
            ("/", "http://127.0.0.1:1/".to_owned()),
        ];
        // On standard error: `batch executed in 1.0000 seconds`.
        timed("batch", join_all(urls.map(|(route, url)| get(&client, route, url)))).await;
        tracker.report();
        println!("  and they took {:.2} s", start.elapsed().as_secs_f64());

        println!("\n== ten at once, and one that is given up");
        let start = Instant::now();
        join_all((1..=10).map(|tenths| get(&client, "/delay/{s}", server.delay(f64::from(tenths) / 10.0)))).await;
        timeout(scaled(0.5), get(&client, "/hang", server.url() + "/hang")).await.unwrap_err();
        tracker.report();
        println!("  and they took {:.2} s", start.elapsed().as_secs_f64());

        println!("\n== for a collector, at /metrics");
        let metrics =
            Router::new().state(tracker).get("/metrics", async |State(tracker): State<Tracker>| tracker.page());
        let metrics = Server::bind("127.0.0.1:0").map(|server| (server.local_addr(), spawn(server.serve(metrics))));
        let (address, _serving) = metrics.unwrap_or_else(|error| fail(1, error));
        let page = async { Client::new().get(format!("http://{address}/metrics")).await?.text().await };
        print!("{}", page.await.unwrap_or_else(|error| fail(1, error)));
    });
}
