//! A server of two routes: a greeting, and work that is sent as JSON. By itself it asks what there is to ask, and prints the
//! answers.
//!
//! ```console
//! cargo run --example http_server
//! cargo run --example http_server -- --port 8080
//! curl 'http://127.0.0.1:8080/hello?name=%E5%BC%A0'
//! ```
//!
//! With `--port` it serves until Ctrl-C, and then lets what runs finish; a second Ctrl-C ends it at once.
//!
//! The mistakes that it avoids: to call the time of a loop a timestamp (it counts from the start of the program, and is good
//! for differences only); to take whatever comes for JSON (aiohttp's `request.json()` does not look at the type); to answer
//! 404 where only the method is wrong; to set a header on the good answers only.

use examples::{fail, seconds};
use netio::http::{
    HeaderMap, Method, Uri,
    client::{Client, Error},
    header,
    server::{Json, Query, Router, Server, State, middleware},
};
use runtime::time::Instant;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Greeting {
    name: Option<String>,
}

// ANCHOR: handlers
/// The state is the moment when the program started.
async fn hello(
    State(start): State<Instant>,
    Query(Greeting { name }): Query<Greeting>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Json<Value> {
    seconds(0.1).await;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    Json(json!({
        "message": format!("Hello, {}!", name.as_deref().unwrap_or("World")),
        "timestamp": start.elapsed().as_secs_f64(),
        "method": method.as_str(),
        "url": format!("http://{host}{uri}"),
    }))
}

/// Whoever sends no JSON is told so before this runs.
async fn process(State(start): State<Instant>, Json(received): Json<Value>) -> Json<Value> {
    seconds(0.2).await;
    Json(json!({ "received": received, "processed": true, "timestamp": start.elapsed().as_secs_f64() }))
}

fn app() -> Router {
    Router::new().state(Instant::now()).get("/hello", hello).post("/process", process).layer(middleware::timing)
}
// ANCHOR_END: handlers

/// Asks, and prints the answer.
async fn ask(client: &Client, method: Method, path: &str, json: Option<&'static str>) -> Result<(), Error> {
    println!("{method} {path} {}", json.unwrap_or_default().replace('\n', "\n    "));
    let mut request = client.request(method, path);
    if let Some(json) = json {
        request = request.header("content-type", "application/json").body(json);
    }
    let answer = request.await?;
    println!("    {}", answer.status());
    for name in ["allow", "x-response-time"] {
        answer.headers().get(name).inspect(|value| println!("    {name}: {}", value.to_str().unwrap_or("?")));
    }
    // The port is another one each time.
    let server = format!("http://{}", answer.url().authority().expect("it is from somewhere"));
    println!("    {}\n", answer.text().await?.trim_end().replace(&server, "http://localhost"));
    Ok(())
}

async fn tour(server: Server) -> Result<(), Error> {
    let client = Client::builder().base_url(format!("http://{}", server.local_addr()))?.build();
    let _server = runtime::spawn(server.serve(app()));
    for path in ["/hello?name=%E5%BC%A0", "/hello", "/hello?name=", "/hello?name=Ada&name=Bob", "/nope"] {
        ask(&client, Method::GET, path, None).await?;
    }
    for (path, json) in [
        ("/process", Some(r#"{"numbers": [1, 2, 3]}"#)),
        ("/process", Some("{\"numbers\":\n[1, 2")),
        ("/process", None),
        ("/hello", None),
    ] {
        ask(&client, Method::POST, path, json).await?;
    }
    Ok(())
}

// ANCHOR: main
fn main() {
    examples::run_networked(&["--port"], async |arguments| {
        let port = arguments.find::<u16>("--port");
        let server = Server::bind(("127.0.0.1", port.unwrap_or(0)))
            .unwrap_or_else(|error| fail(1, format!("cannot listen on port {}: {error}", port.unwrap_or(0))));
        if port.is_none() {
            return tour(server).await.unwrap_or_else(|error| fail(1, error));
        }
        let address = server.local_addr();
        let server = server.on_startup(async move { println!("http://{address}/hello?name=World") });
        if let Err(error) = server.run(app()).await {
            fail(1, error);
        }
    });
}
// ANCHOR_END: main
