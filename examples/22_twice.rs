//! An order, and a server that takes it and is cut off before it has answered. How many orders are there after a retry?
//!
//! ```console
//! cargo run --example 22_twice
//! ```

use examples::fail;
use netio::{
    http::{
        HeaderMap, Response,
        client::{Client, Error, middleware},
        server::{Disconnect, Router, Server, State},
    },
    policy::{Backoff, Jitter, Retry},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

// ANCHOR: shop
/// What the shop has been told to deliver, and the keys that it has seen.
#[derive(Clone, Default)]
struct Shop(Arc<Mutex<(Vec<String>, BTreeSet<String>)>>);

/// Takes the order. Then the line is cut, the first two times: it is done, and nobody is told.
async fn order(State(shop): State<Shop>, State(cuts): State<Cuts>, headers: HeaderMap, what: String) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let (orders, seen) = &mut *shop.0.lock().unwrap();
    // A key that was seen before is the same order, once more.
    if key.is_none_or(|key| seen.insert(key.to_owned())) {
        orders.push(what);
    }
    let mut response = Response::new("thank you".into());
    if cuts.again() {
        response.extensions_mut().insert(Disconnect);
    }
    response
}
// ANCHOR_END: shop

#[derive(Clone)]
struct Cuts(Arc<Mutex<u32>>);

impl Cuts {
    fn again(&self) -> bool {
        let mut left = self.0.lock().unwrap();
        let cut = *left > 0;
        *left = left.saturating_sub(1);
        cut
    }
}

fn three_tries() -> Retry {
    Retry::new(3).backoff(Backoff::list([Duration::from_millis(100)]).jitter(Jitter::None))
}

// ANCHOR: ways
/// Whatever fails is tried again.
async fn whatever(url: &str) -> Result<String, Error> {
    let client = Client::new();
    let once = |_| async { client.post(url).body("a book").await?.text().await };
    three_tries().retry_if(once, |_| true).await
}

/// The layer looks at what is asked: a POST is not done twice.
async fn by_the_layer(url: &str) -> Result<String, Error> {
    let client = Client::builder().layer(middleware::retry(three_tries())).build();
    client.post(url).body("a book").await?.text().await
}

/// A key by which the shop knows the order again.
async fn with_a_key(url: &str) -> Result<String, Error> {
    let client = Client::builder().layer(middleware::retry(three_tries())).build();
    client.post(url).header("idempotency-key", "order-4711").body("a book").await?.text().await
}
// ANCHOR_END: ways

async fn told(title: &str, way: impl AsyncFn(&str) -> Result<String, Error>) {
    let server = Server::bind("127.0.0.1:0").unwrap_or_else(|error| fail(1, error));
    let (shop, url) = (Shop::default(), format!("http://{}/order", server.local_addr()));
    let cuts = Cuts(Arc::new(Mutex::new(2)));
    let serving = runtime::spawn(server.serve(Router::new().state(shop.clone()).state(cuts).post("/order", order)));
    let said = way(&url).await.map_err(|error| error.to_string().replace(&url, "/order"));
    println!("{title}:\n  the client has {said:?}\n  the shop has {:?}", shop.0.lock().unwrap().0);
    serving.abort();
}

fn main() {
    examples::run_networked(&[], async |_| {
        told("whatever fails is tried again", whatever).await;
        told("a POST is not", by_the_layer).await;
        told("a POST with a key is", with_a_key).await;
    });
}
