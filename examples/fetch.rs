//! Four pages at once, and what became of each: a page, another status, or why there is none.
//!
//! ```console
//! cargo run --example fetch
//! ```
//!
//! The mistakes that it avoids: to return a map of strings, in which a failure looks like a page until somebody reads the wrong
//! key; to count characters and call that the length; to let one failure end the whole batch; to make a new client, and new
//! connections, for each batch.

use examples::{
    httpbin::{TestServer, path},
    scaled,
};
use netio::http::{
    StatusCode,
    client::{Client, Error},
};
use runtime::{future::join_all, time::Instant};
use std::fmt;

// ANCHOR: outcome
/// What became of a fetch. Whoever looks at it has to look at each case.
enum Outcome {
    Page { bytes: usize, characters: usize },
    Status(StatusCode),
    Failed(Error),
}

struct Fetched {
    url: String,
    outcome: Outcome,
    /// When, in seconds since the batch began.
    after: f64,
}

async fn fetch(client: &Client, url: String, start: Instant) -> Fetched {
    let outcome = match text(client, &url).await {
        Ok(Ok(text)) => Outcome::Page { bytes: text.len(), characters: text.chars().count() },
        Ok(Err(status)) => Outcome::Status(status),
        Err(error) => Outcome::Failed(error),
    };
    Fetched { url, outcome, after: start.elapsed().as_secs_f64() }
}

async fn text(client: &Client, url: &str) -> Result<Result<String, StatusCode>, Error> {
    let response = client.get(url).await?;
    if response.status() != 200 {
        return Ok(Err(response.status()));
    }
    response.text().await.map(Ok)
}
// ANCHOR_END: outcome

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fetched { url, outcome, after } = self;
        write!(f, "{after:.2} s  {}: ", path(url))?;
        match outcome {
            Outcome::Page { bytes, characters } => write!(f, "{bytes} bytes, {characters} characters"),
            Outcome::Status(status) => write!(f, "HTTP error {status}"),
            // The port is another one each time.
            Outcome::Failed(error) => {
                f.write_str(error.to_string().trim_start_matches(url.as_str()).trim_matches([':', ' ']))
            }
        }
    }
}

// ANCHOR: batch
async fn batch(client: &Client, urls: Vec<String>) {
    let start = Instant::now();
    for fetched in join_all(urls.into_iter().map(|url| fetch(client, url, start))).await {
        println!("  {fetched}");
    }
    println!("  all of them: {:.2} s", start.elapsed().as_secs_f64());
}
// ANCHOR_END: batch

fn main() {
    examples::run_networked(&[], async |_| {
        let server = TestServer::start().await;
        let client = Client::builder().timeout(scaled(3.0)).build();
        let at = |path: &str| server.url() + path;
        let pages = || vec![server.delay(1.0), server.delay(2.0), at("/anything?name=%E5%BC%A0"), at("/user-agent")];
        println!("== four pages");
        batch(&client, pages()).await;
        println!("  connections: {}", server.seen().connections);
        println!("\n== the same, with the same client");
        batch(&client, pages()).await;
        println!("  connections: {}", server.seen().connections);
        println!("\n== what can go wrong");
        let nobody = "http://127.0.0.1:1/nobody".to_owned();
        let unknown = "http://nonexistent-domain-12345.invalid/unknown".to_owned();
        let slow = server.delay(10.0);
        batch(&client, vec![at("/status/404"), at("/reset"), at("/bad-chunk"), nobody, unknown, slow]).await;
    });
}
