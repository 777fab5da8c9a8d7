//! A client that tells failures apart, and tries again only what may be different next time.
//!
//! ```console
//! cargo run --example robust_client
//! ```
//!
//! The mistakes that it avoids: to return nothing for every failure, so that "nothing" has to be tried again: a page that is
//! not there, and a JSON `null` too; to take an error without a text for its own message; to make a new client, and with it a
//! new connection, for each try; to count a try that nobody waits for.

use examples::{
    httpbin::{TestServer, path},
    scaled,
};
use netio::{
    http::{
        Method,
        client::{Client, Error},
    },
    policy::{Backoff, Failure, HttpFailure, HttpRetry, Jitter, Retry, Then},
};
use runtime::{future::join_all, time::Instant};
use serde_json::Value;
use std::sync::{Arc, Mutex};

// ANCHOR: classes
/// What kind of failure it was, in the words that a person would want.
fn class(failure: &HttpFailure) -> &'static str {
    match failure {
        HttpFailure::Status { .. } => "the server failed",
        HttpFailure::Client(Error::Timeout { .. }) => "timeout",
        HttpFailure::Client(Error::Dns { .. }) => "there is no such host",
        HttpFailure::Client(Error::Connect { .. }) => "nobody listens",
        HttpFailure::Client(Error::Lost { .. }) => "the connection was lost",
        HttpFailure::Client(Error::Protocol { .. } | Error::TooLarge { .. }) => "the answer is no good",
        HttpFailure::Client(_) => "client error",
    }
}
// ANCHOR_END: classes

struct RobustClient {
    client: Client,
    retry: Retry,
}

impl RobustClient {
    // ANCHOR: fetch
    /// The document, or what the answer is instead.
    async fn fetch(&self, url: &str) -> Result<String, HttpFailure> {
        let judge = HttpRetry::new(&Method::GET);
        let once = |_| async {
            let response = judge.check(self.client.get(url).await?)?;
            let status = response.status();
            let bytes = response.bytes().await?;
            Ok(match serde_json::from_slice::<Value>(&bytes) {
                _ if !status.is_success() => format!("HTTP error {status}"),
                Ok(document) => format!("JSON of {} bytes", document.to_string().len()),
                // The same next time, so it is an answer, and no failure that passes.
                Err(error) => format!("no JSON: {error}"),
            })
        };
        self.retry.clone().name(path(url)).run(once, |failure| judge.verdict(failure)).await
    }
    // ANCHOR_END: fetch
}

/// What happened, in the order of the clock.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Instant, String)>>>);

impl Log {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push((Instant::now(), line));
    }

    fn failure(&self, failure: &Failure<'_>) {
        let path = failure.name;
        self.write(match failure.then {
            Then::Wait(wait) => format!("Retrying {path} in {} seconds…", wait.div_duration_f64(scaled(1.0)).round()),
            Then::NoTriesLeft => format!("{path}: all retries failed"),
            _ => format!("{path}: another try would not help"),
        });
    }

    /// What happens at the same moment has no order: it is told in that of the alphabet.
    fn tell(&self, start: Instant) {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.sort();
        for (when, line) in lines {
            println!("  {:5.2} s  {line}", (when - start).as_secs_f64());
        }
    }
}

async fn fetch_all(client: &RobustClient, log: &Log, server: &TestServer, urls: &[String]) {
    server.forget();
    let start = Instant::now();
    join_all(urls.iter().map(async |url| {
        let path = path(url);
        log.write(match client.fetch(url).await {
            Ok(answer) => format!("{path}: {answer}"),
            Err(failure) => {
                format!("{path}: {}: {}", class(&failure), failure.to_string().replace(&format!("{url}: "), ""))
            }
        });
    }))
    .await;
    log.tell(start);
    println!("  {} requests\n", server.seen().requests);
}

fn main() {
    examples::run_networked(&[], async |_| {
        let (server, log) = (TestServer::start().await, Log::default());
        let doubled = Backoff::exponential(scaled(1.0), 2.0, scaled(10.0)).jitter(Jitter::None);
        let observer = log.clone();
        let client = RobustClient {
            client: Client::builder().timeout(scaled(5.0)).build(),
            retry: Retry::new(3).backoff(doubled).on_failure(move |failure| observer.failure(failure)),
        };
        let at = |path: &str| server.url() + path;
        println!("== three at once");
        let unknown = "http://nonexistent-domain-12345.invalid/unknown".to_owned();
        fetch_all(&client, &log, &server, &[server.delay(1.0), at("/status/500"), unknown]).await;
        println!("== these are answers: no second try");
        fetch_all(&client, &log, &server, &[at("/status/404"), at("/not-json"), at("/null")]).await;
        println!("== a server that fails twice");
        fetch_all(&client, &log, &server, &[at("/flaky/2")]).await;
        println!("== late, lost, cut off, and nobody there");
        let nobody = "http://127.0.0.1:1/nobody".to_owned();
        fetch_all(&client, &log, &server, &[server.delay(10.0), at("/reset"), at("/bad-chunk"), nobody]).await;
    });
}
