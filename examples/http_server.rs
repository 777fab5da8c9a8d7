//! A server of two routes: a greeting, and work that is sent as JSON. By itself it asks what there is to ask, and prints the
//! answers.
//!
//! ```console
//! cargo run --example http_server
//! cargo run --example http_server -- --port 8080
//! curl 'http://127.0.0.1:8080/hello?name=%E5%BC%A0'
//! ```
//!
//! With `--port` it serves until Ctrl-C, and then lets what runs finish.
//!
//! The mistakes that it avoids: to call the time of a loop a timestamp (it counts from the start of the program, and is good
//! for differences only); to take whatever comes for JSON (aiohttp's `request.json()` does not look at the type); to answer
//! 404 where only the method is wrong; to set a header on the good answers only.

use examples::{fail, seconds};
use netio::http::{
    HeaderMap, Method, Request, Uri,
    client::{Client, Error},
    header,
    server::{Json, Query, Router, Server, State, middleware},
};
use runtime::{future::race, signal, time::Instant};
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
async fn ask(server: &str, method: Method, path: &str, json: Option<&'static str>) -> Result<(), Error> {
    let mut request = Request::new(json.unwrap_or_default().into());
    *request.uri_mut() = format!("{server}{path}").parse().expect("a URL");
    if json.is_some() {
        request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    println!("{method} {path} {}", json.unwrap_or_default().replace('\n', "\n    "));
    *request.method_mut() = method;
    let answer = Client::new().execute(request).await?;
    println!("    {}", answer.status());
    for name in ["allow", "x-response-time"] {
        answer.headers().get(name).inspect(|value| println!("    {name}: {}", value.to_str().unwrap_or("?")));
    }
    // The port is another one each time.
    println!("    {}\n", answer.text().await?.trim_end().replace(server, "http://localhost"));
    Ok(())
}

async fn tour(server: Server) -> Result<(), Error> {
    let url = format!("http://{}", server.local_addr());
    let _server = runtime::spawn(server.serve(app()));
    for path in ["/hello?name=%E5%BC%A0", "/hello", "/hello?name=", "/hello?name=Ada&name=Bob", "/nope"] {
        ask(&url, Method::GET, path, None).await?;
    }
    for (path, json) in [
        ("/process", Some(r#"{"numbers": [1, 2, 3]}"#)),
        ("/process", Some("{\"numbers\":\n[1, 2")),
        ("/process", None),
        ("/hello", None),
    ] {
        ask(&url, Method::POST, path, json).await?;
    }
    Ok(())
}

// ANCHOR: main
fn main() {
    examples::run(&["--port"], async |arguments| {
        let port = arguments.find::<u16>("--port");
        let server = Server::bind(("127.0.0.1", port.unwrap_or(0)))
            .unwrap_or_else(|error| fail(1, format!("cannot listen on port {}: {error}", port.unwrap_or(0))));
        if port.is_none() {
            return tour(server).await.unwrap_or_else(|error| fail(1, error));
        }
        println!("http://{}/hello?name=World", server.local_addr());
        let (mut interrupt, mut terminate) = signal::ctrl_c()
            .and_then(|interrupt| Ok((interrupt, signal::terminate()?)))
            .unwrap_or_else(|error| fail(1, format!("cannot wait for signals: {error}")));
        let stop = async { drop(race(interrupt.recv(), terminate.recv()).await) };
        if let Err(error) = server.serve_until(stop, app()).await {
            fail(1, format!("cannot go on serving: {error}"));
        }
    });
}
// ANCHOR_END: main
