//! A server that is down is left alone: after ten failures nobody asks it, and after a while one does.
//!
//! ```console
//! cargo run --example breaker
//! ```
//!
//! The mistakes that it avoids: to wait for a server that is known to be down; to keep it down with ever more requests; to let
//! all who were held back go at once when the time is over; to wait for ever for a probe that was given up.

use examples::scaled;
use netio::{
    http::{Request, Response, StatusCode, client::Client, reply, server::Server},
    policy::{BreakerError, CircuitBreaker, HttpFailure, HttpRetry},
};
use runtime::{
    future::{join, join_all},
    spawn,
    time::{Instant, sleep, timeout},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// What the server counts, and whether it is up.
#[derive(Default)]
struct Gauge {
    reached: AtomicU32,
    up: AtomicBool,
}

/// A server whose database is down: half a second, and then an error. The URL of it.
fn start(gauge: Arc<Gauge>) -> String {
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", server.local_addr());
    drop(spawn(server.serve(move |_: Request| {
        gauge.reached.fetch_add(1, Ordering::Relaxed);
        let gauge = gauge.clone();
        async move {
            sleep(scaled(0.5)).await;
            if gauge.up.load(Ordering::Relaxed) {
                return Response::new("here it is\n".into());
            }
            reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "the database is down\n")
        }
    })));
    url
}

// ANCHOR: page
struct Page {
    url: String,
    client: Client,
    breaker: CircuitBreaker,
    gauge: Arc<Gauge>,
}

impl Page {
    /// A fetch through the breaker. An answer like 503 is a failure of the server; one like 404 would be none.
    async fn fetch(&self) -> Result<StatusCode, BreakerError<HttpFailure>> {
        let judge = HttpRetry::new(&http::Method::GET);
        self.breaker.call(async { Ok(judge.check(self.client.get(&self.url).await?)?.status()) }).await
    }
}
// ANCHOR_END: page

impl Page {
    async fn tell(&self, who: &str) {
        let start = Instant::now();
        let said = self.fetch().await.map_or_else(|error| error.to_string(), |status| status.to_string());
        println!("  {who}: {said}, after {:.2} s", start.elapsed().as_secs_f64());
    }

    fn state(&self) {
        let reached = self.gauge.reached.load(Ordering::Relaxed);
        println!("  it is {:?}; the server was reached {reached} times", self.breaker.state());
    }
}

fn main() {
    examples::run_networked(&[], async |_| {
        let gauge = Arc::<Gauge>::default();
        let breaker = CircuitBreaker::new().minimum(10).failure_ratio(0.5).cool_down(scaled(5.0));
        let page = Page { url: start(gauge.clone()), client: Client::new(), breaker, gauge: gauge.clone() };

        println!("== ten failures");
        join_all((0..10).map(async |_| page.fetch().await.is_err())).await;
        page.state();

        println!("\n== who asks now is told at once");
        page.tell("one more").await;
        page.state();

        println!("\n== after the cool-down one may go, and the server is still down");
        sleep(scaled(5.0)).await;
        join(page.tell("the probe"), page.tell("another")).await;
        page.state();

        println!("\n== a probe that is given up leaves its place to the next; the server is up again");
        gauge.up.store(true, Ordering::Relaxed);
        sleep(scaled(5.0)).await;
        let gave_up = timeout(scaled(0.1), page.fetch()).await.is_err();
        println!("  a probe without patience: {}", if gave_up { "gave up after 0.1 s" } else { "an answer" });
        page.tell("the next probe").await;
        page.state();

        println!("\n== all may go");
        let answers = join_all((0..10).map(async |_| page.fetch().await.is_ok())).await;
        println!("  answers: {}", answers.into_iter().filter(|answer| *answer).count());
        let stats = page.breaker.stats();
        println!("  {} succeeded, {} failed, {} were refused", stats.successes, stats.failures, stats.refused);
    });
}
