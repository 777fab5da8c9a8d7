//! What a client can say and hear: queries, documents, forms, bodies that are still being made, who asks, cookies, redirects,
//! compressed answers, and answers that have not changed.
//!
//! ```console
//! cargo run --example requests
//! ```
//!
//! The mistakes that it avoids: to put a query together as text, in which `&` and `%` mean something; to write a whole body into
//! memory before the first byte of it goes; to follow redirects in a circle for ever; to fetch again what has not changed.

use examples::{
    fail,
    httpbin::{TestServer, path},
};
use netio::http::{
    Body,
    client::{Client, Error, RequestBuilder},
};
use runtime::{io::lines, stream::StreamExt};
use serde_json::{Value, json};

async fn document(request: RequestBuilder) -> Result<Value, Error> {
    request.await?.error_for_status()?.json().await
}

// ANCHOR: bodies
async fn queries_and_bodies(client: &Client) -> Result<(), Error> {
    let query = client.get("get").query(&[("name", "张"), ("what", "50% & more")]);
    println!("  query: {}", document(query).await?["args"]);
    println!("  JSON: {}", document(client.post("post").json(&json!({ "apples": 3 }))).await?["json"]);
    println!("  form: {}", document(client.post("post").form(&[("fruit", "apples & pears")])).await?["form"]);
    // It is never in memory as a whole: a piece is made when the one before it has gone.
    let made_as_it_goes = Body::writer(|mut body| async move {
        for _ in 0..1000 {
            body.write(vec![b'x'; 10_000]).await?;
        }
        Ok(())
    });
    println!(
        "  ten megabytes, piece by piece: {}",
        document(client.post("count").body(made_as_it_goes)).await?["bytes"]
    );
    Ok(())
}
// ANCHOR_END: bodies

// ANCHOR: who
async fn who_asks(client: &Client) -> Result<(), Error> {
    println!("  nobody: {}", client.get("basic-auth").await?.status());
    println!("  by name and password: {}", client.get("basic-auth").basic_auth("user", "passwd").await?.status());
    println!("  by token: {}", client.get("bearer").bearer_auth("sesame").await?.status());
    let cookies = document(client.get("cookies/set?fruit=apples&price=3")).await?;
    println!("  the cookies that came back: {}", cookies["cookies"]);
    println!("  after one was deleted: {}", document(client.get("cookies/delete?price")).await?["cookies"]);
    Ok(())
}
// ANCHOR_END: who

// ANCHOR: redirects
async fn redirects(client: &Client) -> Result<(), Error> {
    for (title, request) in [
        ("three", client.get("redirect/3")),
        ("a POST becomes a GET", client.post("redirect-to?url=/anything&status=303").body("3 apples")),
        ("a POST stays one", client.post("redirect-to?url=/anything&status=307").body("3 apples")),
    ] {
        let response = request.await?;
        let (hops, url) = (response.history().len(), path(&response.url().to_string()).to_owned());
        let seen: Value = response.json().await?;
        println!("  {title}: {hops} to {url}, {} with body {}", seen["method"], seen["data"]);
    }
    if let Err(Error::Redirect { history, .. }) = client.get("redirect/20").await {
        println!("  twenty: given up after {}", history.len());
    }
    println!("  not followed: {}", client.get("redirect/3").redirects(0).await?.status());
    Ok(())
}
// ANCHOR_END: redirects

// ANCHOR: answers
async fn answers(client: &Client) -> Result<(), Error> {
    for coding in ["json", "gzip", "deflate"] {
        let response = client.get(coding).await?;
        println!("  {coding}: a document of {} bytes", response.text().await?.len());
    }
    let mut lines = lines(client.get("stream/3").await?.reader());
    while let Some(Ok(line)) = lines.next().await {
        println!("  a line: {line}");
    }
    let first = client.get("etag/v1").await?;
    let tag = first.headers()["etag"].clone();
    println!("  the first time: {}, {} bytes", first.status(), first.bytes().await?.len());
    println!("  the second time: {}", client.get("etag/v1").header("if-none-match", tag).await?.status());
    Ok(())
}
// ANCHOR_END: answers

async fn tour() -> Result<(), Error> {
    let server = TestServer::start().await;
    let client = Client::builder().base_url(server.url())?.cookies(true).build();
    println!("== queries and bodies");
    queries_and_bodies(&client).await?;
    println!("\n== who asks");
    who_asks(&client).await?;
    println!("\n== redirects");
    redirects(&client).await?;
    println!("\n== answers");
    answers(&client).await?;
    println!("\nall of it over {} connections", server.seen().connections);
    Ok(())
}

fn main() {
    examples::run_networked(&[], async |_| tour().await.unwrap_or_else(|error| fail(1, error)));
}
