//! A client for one service: its URL and its key are said once, what may pass is tried again, and many are asked at once.
//!
//! ```console
//! cargo run --example api_client
//! ```
//!
//! The mistakes that it avoids: to show the key to another host, because a URL named one; to return nothing when the last try
//! failed; to send an order twice; to come back sooner than the server asked for; to lose nine answers to one failure, or to
//! have the others run on when nobody wants them any more.

use examples::{
    fail,
    httpbin::{TestServer, path},
    scaled,
};
use netio::{
    http::{
        HeaderMap,
        client::{
            Client, Error, RequestBuilder,
            middleware::{self, Tries},
        },
    },
    policy::{Backoff, Jitter, Retry},
};
use runtime::{
    future::try_join_all,
    stream::{self, StreamExt},
    time::Instant,
};
use serde_json::{Value, json};

// ANCHOR: client
/// Everything that all requests have in common is said to the client, once.
struct ApiClient(Client);

struct Reply {
    data: Value,
    /// How many tries it took.
    tries: u32,
}

impl ApiClient {
    fn new(base_url: &str, headers: HeaderMap, tries: u32) -> Result<Self, Error> {
        let doubled = Backoff::exponential(scaled(1.0), 2.0, scaled(10.0)).jitter(Jitter::None);
        let client = Client::builder()
            .base_url(base_url)?
            .default_headers(headers)
            .timeout(scaled(30.0))
            .layer(middleware::retry(Retry::new(tries).backoff(doubled)));
        Ok(ApiClient(client.build()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply, Error> {
        let response = request.await?.error_for_status()?;
        let tries = response.extensions().get().map_or(1, |Tries(tries)| *tries);
        Ok(Reply { data: response.json().await?, tries })
    }

    async fn get(&self, path: &str) -> Result<Reply, Error> {
        self.send(self.0.get(path)).await
    }

    /// All of them, ten at a time: each with its answer or its failure, in their order.
    async fn batch_get(&self, paths: &[String]) -> Vec<Result<Reply, Error>> {
        stream::iter(paths).map(|path| self.get(path)).buffered(10).collect().await
    }

    /// All of them, or the first failure: then the others are dropped where they stand.
    async fn all_or_none(&self, paths: &[String]) -> Result<Vec<Reply>, Error> {
        try_join_all(paths.iter().map(|path| self.get(path))).await
    }
}
// ANCHOR_END: client

async fn told(title: &str, reply: impl Future<Output = Result<Reply, Error>>) {
    let start = Instant::now();
    let reply = reply.await;
    let after = start.elapsed().as_secs_f64();
    match reply {
        Ok(Reply { tries, .. }) => println!("  {title}: {tries} tries, after {after:.2} s"),
        Err(error) => {
            println!("  {title}: {}, after {after:.2} s", error.to_string().replace(error.url(), path(error.url())))
        }
    }
}

async fn tour() -> Result<(), Error> {
    let (server, other) = (TestServer::start().await, TestServer::start().await);
    let key = HeaderMap::from_iter([("x-api-key".parse().expect("a name"), "sesame".parse().expect("a value"))]);
    let api = ApiClient::new(&server.url(), key, 6)?;

    println!("== the key is for one host");
    for (title, path) in [("there", "/anything/orders".to_owned()), ("elsewhere", other.url() + "/anything/orders")] {
        let reply = api.get(&path).await?;
        println!("  {title}: the server saw the key: {}", reply.data["headers"]["x-api-key"]);
    }

    println!("\n== tried again: 1, 2, 4, 8, 10 seconds");
    told("fails three times", api.get("/flaky/3")).await;
    told("fails always", api.get("/status/503")).await;
    told("asks for seven seconds", api.get("/flaky/1?after=7")).await;

    println!("\n== orders");
    let order = json!({ "apples": 3 });
    told("may have been done", api.send(api.0.post("/flaky/2").json(&order))).await;
    let keyed = api.0.post("/flaky/2?keyed").header("idempotency-key", "order-4711").json(&order);
    told("the server knows it again", api.send(keyed)).await;

    println!("\n== twelve at once, of which one is not JSON");
    let mut paths: Vec<_> = (1..=12).map(|_| server.delay(1.0)).collect();
    paths[4] = "/not-json".to_owned();
    let start = Instant::now();
    let replies = api.batch_get(&paths).await;
    let failed: Vec<_> = (1..).zip(&replies).filter(|(_, reply)| reply.is_err()).map(|(number, _)| number).collect();
    println!("  {} replies, failed: {failed:?}, after {:.2} s", replies.len(), start.elapsed().as_secs_f64());

    println!("\n== all or none");
    let (start, all) = (Instant::now(), api.all_or_none(&paths).await);
    println!("  {} after {:.2} s", if all.is_err() { "none" } else { "all" }, start.elapsed().as_secs_f64());
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| {
        tour().await.unwrap_or_else(|failure| fail(1, failure));
    });
}
