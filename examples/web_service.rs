//! A web service: users and products behind a router, what it needs opened before it serves and closed after, and a clean stop
//! while requests run. By itself it asks what there is to ask, and stops.
//!
//! ```console
//! cargo run --example web_service
//! cargo run --example web_service -- --port 8080 --log yes
//! cargo run --example web_service -- --cache broken
//! ```
//!
//! The mistakes that it avoids: to set a header on the good answers only, and not on 404, 405 and a panic; to take an id for
//! text; to answer from the cache in another shape than from the database, and to let everyone load what is missing; to leave
//! the database open when the cache cannot be had; to cut off who is being answered when it stops.

use examples::{fail, httpbin::path, seconds};
use netio::http::{
    Method, StatusCode,
    client::Client,
    server::{Json, Path, Router, Server, ServerHandle, State, middleware},
};
use runtime::{cache::TtlLru, future::join, spawn};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone, Serialize, Deserialize)]
struct User {
    id: u32,
    name: String,
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
}

/// As far as it matters here: it takes a while to ask.
#[derive(Clone, Default)]
struct Database(Arc<Mutex<BTreeMap<u32, User>>>);

type Cache = Arc<TtlLru<u32, Option<User>>>;

// ANCHOR: handlers
/// From the cache, or from the database: once, however many ask for it at the same time.
async fn user(
    State(database): State<Database>,
    State(cache): State<Cache>,
    Path(id): Path<u32>,
) -> Result<Json<User>, StatusCode> {
    let load = || async {
        seconds(0.1).await;
        database.0.lock().unwrap().get(&id).cloned()
    };
    cache.get_or_insert_with(id, load).await.map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// What the cache says of the id is not true any more.
async fn new_user(
    State(database): State<Database>,
    State(cache): State<Cache>,
    Json(NewUser { name }): Json<NewUser>,
) -> (StatusCode, Json<User>) {
    let user = {
        let mut users = database.0.lock().unwrap();
        let id = users.keys().last().map_or(1, |last| last + 1);
        users.entry(id).or_insert(User { id, name }).clone()
    };
    cache.remove(&user.id);
    (StatusCode::CREATED, Json(user))
}

async fn products() -> Json<[&'static str; 2]> {
    seconds(0.5).await;
    Json(["apple", "pear"])
}

/// A mistake, of which only its own request suffers.
async fn prices() {
    panic!("there is no such table");
}

fn app(database: Database, cache: Cache, log: bool) -> Router {
    let router = Router::new().layer(middleware::timing).state(database).state(cache);
    let router = if log { router.layer(middleware::access_log(|access| eprintln!("{access}"))) } else { router };
    router
        .get("/api/users/{id}", user)
        .post("/api/users", new_user)
        .get("/api/products", products)
        .get("/api/prices", prices)
}
// ANCHOR_END: handlers

// ANCHOR: hooks
fn with_hooks(server: Server, database: Database, cache: &'static str) -> Server {
    server
        .cleanup_ctx(async move {
            seconds(0.2).await;
            println!("the database is open");
            Ok::<_, String>(async move {
                println!("the database is closed, with {} users", database.0.lock().unwrap().len());
            })
        })
        .cleanup_ctx(async move {
            seconds(0.1).await;
            if cache == "broken" {
                return Err("the cache refuses the connection");
            }
            println!("the cache is open");
            Ok(async { println!("the cache is closed") })
        })
        .on_startup(async { println!("the service has started") })
        .on_shutdown(async { println!("the service stops") })
}
// ANCHOR_END: hooks

/// Asks, and prints the answer with the header that every answer has.
async fn ask(client: &Client, method: Method, url: String, body: &'static str) {
    let mut request = client.request(method.clone(), &url);
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body);
    }
    let response = request.await.unwrap_or_else(|error| fail(1, error));
    let (status, headers) = (response.status(), response.headers().clone());
    let time = headers.get("x-response-time").and_then(|time| time.to_str().ok()).unwrap_or("no time");
    let text = response.text().await.unwrap_or_else(|error| fail(1, error));
    println!("{method} /{}\n    {status}, {time} {}", path(&url), text.trim_end());
}

async fn tour(server: String, handle: ServerHandle) {
    let client = Client::new();
    let get = |path: &str| ask(&client, Method::GET, format!("{server}{path}"), "");
    ask(&client, Method::POST, format!("{server}/api/users"), r#"{"name": "Ada"}"#).await;
    for path in ["/api/users/1", "/api/users/1", "/api/users/2", "/api/users/a%2Fb", "/api/users/", "/api/users/1/x"] {
        get(path).await;
    }
    get("/api/prices").await;
    ask(&client, Method::DELETE, format!("{server}/api/products"), "").await;
    // It is told to stop while it answers.
    join(get("/api/products"), async {
        seconds(0.2).await;
        handle.stop();
    })
    .await;
}

fn main() {
    examples::run_networked(&["--port", "--log", "--cache"], async |arguments| {
        let port = arguments.find::<u16>("--port");
        let cache = if arguments.get("--cache", "works".to_owned()) == "broken" { "broken" } else { "works" };
        let server = Server::bind(("127.0.0.1", port.unwrap_or(0))).unwrap_or_else(|error| fail(1, error));
        let (address, handle) = (format!("http://{}", server.local_addr()), server.handle());
        let (database, users) = (Database::default(), Arc::new(TtlLru::new(1000).ttl(Duration::from_secs(300))));
        let app = app(database.clone(), users, arguments.get("--log", "no".to_owned()) == "yes");
        let server = with_hooks(server, database, cache);
        let served = if port.is_some() {
            // Said when it listens, and hears signals: whoever reads it may stop it at once.
            server.on_startup(async move { println!("{address}/") }).run(app).await
        } else {
            let tour = spawn(tour(address, handle));
            let served = server.serve(app).await;
            if served.is_ok() {
                tour.await.expect("it only asks");
            }
            served
        };
        match served {
            Ok(report) => println!("stopped: {} requests were cut off", report.cancelled),
            Err(error) => fail(1, error),
        }
    });
}
