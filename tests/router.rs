//! Who answers which request, what handlers are given and may give back, and what stands around them.

use bytes::Bytes;
use netio::http::{
    Body, HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, header,
    server::{
        BoxResponse, Cookies, Extension, Form, FromRequest, Html, IntoResponse, Json, JsonRejection, Limits, Next,
        Path, PeerAddr, Query, Redirect, Router, Server, State,
        middleware::{self, RequestId},
    },
};
use runtime::{
    JoinHandle,
    sync::Event,
    time::{Instant, sleep, timeout},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};
use tests::wire::{Peer, run};

const SECOND: Duration = Duration::from_secs(1);

/// Starts a server; it ends with the runtime.
fn serve(router: Router) -> SocketAddr {
    serve_within(Limits::default(), router)
}

fn serve_within(limits: Limits, router: Router) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
    let address = server.local_addr();
    drop::<JoinHandle<_>>(runtime::spawn(server.serve(router)));
    address
}

/// A response, without what belongs to its connection.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Asks on a connection of its own: `GET /path`, further fields each on a line, and a body behind an empty one.
async fn ask(address: SocketAddr, request: &str) -> Answer {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (line, fields) = head.split_once('\n').unwrap_or((head, ""));
    let mut wire = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    fields.lines().for_each(|field| wire += &format!("{field}\r\n"));
    if !body.is_empty() {
        wire += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut peer = Peer::connect(address).await;
    peer.send(format!("{wire}\r\n{body}")).await;
    let wire = String::from_utf8(peer.rest().await.unwrap()).unwrap();
    let (head, body) = wire.split_once("\r\n\r\n").unwrap();
    let ours = |line: &&str| !line.starts_with("date: ") && !line.starts_with("connection: ");
    let head: String = head.lines().filter(ours).map(|line| format!("{line}\n")).collect();
    Answer { status: head[9..12].parse().unwrap(), head, body: body.to_owned() }
}

/// What is asked and what is answered, for a snapshot.
async fn talk(address: SocketAddr, requests: &[&str]) -> String {
    let mut talk = String::new();
    for request in requests {
        let Answer { head, body, .. } = ask(address, request).await;
        talk += &format!(">>> {}\n{head}\n{}\n\n", request.replace('\n', "\n    "), body.trim_end());
    }
    talk
}

async fn ok() -> &'static str {
    "ok"
}

/// Answers with the parameters of the path, whatever they are called.
async fn parameters(Path(parameters): Path<BTreeMap<String, String>>) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

#[test]
fn a_path_fits_exactly_or_not_at_all() {
    run(async || {
        let router = Router::new()
            .get("/", async || "root")
            .get("/api/users", async || "users")
            .get("/api/users/{id}", parameters)
            .get("/api/users/me", async || "me")
            .get("/api/products", async || "products")
            .get("/files/{*path}", parameters)
            .get("/a/{x}/b/{y}", parameters)
            .get("/page-{n}.html", parameters)
            .get("/{{braces}}", async || "braces")
            .get("/café", async || "coffee");
        let address = serve(router);
        for (path, status, body) in [
            ("/", 200, "root"),
            ("/?query", 200, "root"),
            ("/api/users", 200, "users"),
            ("/api/users?page=2", 200, "users"),
            ("/api/users/7", 200, "id=7"),
            ("/api/users/me", 200, "me"),
            ("/api/users/mee", 200, "id=mee"),
            ("/api/users/a%2Fb", 200, "id=a/b"),
            ("/api/users/a%2fb%252F%25", 200, "id=a/b%2F%"),
            ("/api/users/%E5%BC%A0", 200, "id=张"),
            ("/api/users/a+b%20c", 200, "id=a+b c"),
            ("/api/users/%7e", 200, "id=~"),
            ("/api/%75sers", 200, "users"),
            ("/files/a", 200, "path=a"),
            ("/files/a/b%2Fc//d/", 200, "path=a/b/c//d/"),
            ("/a/1/b/2", 200, "x=1 y=2"),
            ("/page-7.html", 200, "n=7"),
            ("/%7Bbraces%7D", 200, "braces"),
            ("/caf%C3%A9", 200, "coffee"),
            ("/caf%c3%a9", 200, "coffee"),
            ("/api/users/", 404, ""),
            ("/api/users/1/x", 404, ""),
            ("/api/users/1/", 404, ""),
            ("/api%2Fusers", 404, ""),
            ("/api//users", 404, ""),
            ("//api/users", 404, ""),
            ("/api/./users", 404, ""),
            ("/API/users", 404, ""),
            ("/api", 404, ""),
            ("/api/users;x", 404, ""),
            ("/files", 404, ""),
            ("/files/", 404, ""),
            ("/a//b/2", 404, ""),
            ("/page-.html", 404, ""),
            ("/nope", 404, ""),
            ("/api/users/%FF", 400, ""),
            ("/api/users/%2", 400, ""),
            ("/%zz", 400, ""),
        ] {
            let answer = ask(address, &format!("GET {path}")).await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
            assert!(status != 200 || answer.body == body, "{path}: {answer:?}");
        }
    });
}

#[test]
fn a_method_has_its_handler_or_is_told_which_have() {
    run(async || {
        let router = Router::new()
            .get("/both", async || "got")
            .post("/both", async || "posted")
            .put("/put", ok)
            .patch("/put", ok)
            .delete("/put", ok)
            .get("/head", ok)
            .route(Method::HEAD, "/head", async || ([("x-head", "own")], ""))
            .route(Method::OPTIONS, "/head", async || "own")
            .route("PURGE".parse().unwrap(), "/head", ok)
            .get("/any", async || "get")
            .any("/any", async |method: Method| format!("any: {method}"))
            .get("/stream", async || Body::writer(async |mut body| body.write("streamed").await));
        let address = serve(router);
        for (request, status, allow, body) in [
            ("GET /both", 200, None, "got"),
            ("POST /both", 200, None, "posted"),
            ("HEAD /both", 200, None, ""),
            ("OPTIONS /both", 204, Some("GET, HEAD, OPTIONS, POST"), ""),
            ("DELETE /both", 405, Some("GET, HEAD, OPTIONS, POST"), "405 Method Not Allowed: "),
            ("BREW /both", 405, Some("GET, HEAD, OPTIONS, POST"), "405 Method Not Allowed: "),
            ("get /both", 405, Some("GET, HEAD, OPTIONS, POST"), "405 Method Not Allowed: "),
            ("GET /put", 405, Some("DELETE, OPTIONS, PATCH, PUT"), "405 Method Not Allowed: "),
            ("HEAD /put", 405, Some("DELETE, OPTIONS, PATCH, PUT"), ""),
            ("OPTIONS /head", 200, None, "own"),
            ("PURGE /head", 200, None, "ok"),
            ("PUT /head", 405, Some("GET, HEAD, OPTIONS, PURGE"), "405 Method Not Allowed: "),
            ("GET /any", 200, None, "get"),
            ("HEAD /any", 200, None, ""),
            ("DELETE /any", 200, None, "any: DELETE"),
            ("OPTIONS /any", 200, None, "any: OPTIONS"),
            ("OPTIONS /nope", 404, None, "404 Not Found: "),
            // RFC 9110, 9.3.7: of the server, not of a path.
            ("OPTIONS *", 204, Some("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PURGE, PUT"), ""),
        ] {
            let answer = ask(address, request).await;
            assert_eq!((answer.status, answer.field("allow")), (status, allow), "{request}: {answer:?}");
            let whole = status == 405 || status == 404;
            assert!(if whole { answer.body.starts_with(body) } else { answer.body == body }, "{request}: {answer:?}");
        }
        // The length is that of the body that GET would have.
        assert_eq!(ask(address, "HEAD /both").await.field("content-length"), Some("3"));
        assert_eq!(ask(address, "HEAD /head").await.field("x-head"), Some("own"));
        let streamed = ask(address, "HEAD /stream").await;
        assert_eq!((streamed.status, streamed.field("content-length"), &*streamed.body), (200, None, ""));
    });
}

/// What a panic says.
fn refusal(build: impl FnOnce() -> Router) -> String {
    let panic = catch_unwind(AssertUnwindSafe(build)).expect_err("it was not refused");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn what_can_never_be_right_is_said_when_it_is_added() {
    struct Database;
    impl Clone for Database {
        fn clone(&self) -> Self {
            Database
        }
    }
    let router = || Router::new().get("/users/{id}", ok).get("/files/{*path}", ok);
    let refusals = [
        refusal(|| router().get("/users/{id}", ok)),
        refusal(|| router().any("/x", ok).any("/x", ok)),
        refusal(|| router().post("/users/{name}", ok)),
        refusal(|| router().get("/files/{*rest}", ok)),
        refusal(|| router().get("users", ok)),
        refusal(|| router().get("", ok)),
        refusal(|| router().get("/{id", ok)),
        refusal(|| router().get("/id}", ok)),
        refusal(|| router().get("/{}", ok)),
        refusal(|| router().get("/{*rest}/more", ok)),
        refusal(|| router().get("/{a}{b}", ok)),
        refusal(|| router().get("/{a}/{a}", ok)),
        refusal(|| router().get("/caf%C3%A9", ok)),
        refusal(|| router().get("/hello?name={name}", ok)),
        refusal(|| router().get("/db", async |_: State<Database>| ())),
        refusal(|| router().get("/db", async |_: State<Database>| ()).state(Database)),
        refusal(|| router().fallback(async |_: State<Database>| ())),
        refusal(|| router().nest("/users", Router::new().get("/{name}", ok))),
        refusal(|| router().nest("/users", Router::new().post("/{id}", ok))),
        refusal(|| router().nest("/api/", Router::new())),
        refusal(|| router().nest("", Router::new())),
        refusal(|| router().nest("/", Router::new())),
        refusal(|| router().nest("/{*rest}", Router::new())),
        refusal(|| router().nest("/api", Router::new()).nest("/api", Router::new())),
        refusal(|| router().nest("/api", Router::new().get("/", ok)).post("/api", ok)),
        refusal(|| router().nest("/{id}", Router::new().get("/{id}", ok))),
    ];
    insta::assert_snapshot!("refused_routes", refusals.join("\n"));
}

#[derive(Deserialize, Serialize)]
struct Search {
    text: String,
    page: Option<u32>,
    #[serde(default)]
    tag: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
}

fn extracting() -> Router {
    Router::new()
        .get("/one/{n}", async |Path(n): Path<u32>| n.to_string())
        .get("/two/{name}/{n}", async |Path((name, n)): Path<(String, u8)>| format!("{name} {n}"))
        .get("/color/{color}", async |Path(color): Path<Color>| match color {
            Color::Red => "red",
            Color::Green => "green",
        })
        .get("/point/{x}/{y}", async |Path(point): Path<Point>| Json(point))
        .get("/none", async |Path(n): Path<u32>| n.to_string())
        .get("/search", async |Query(search): Query<Search>| Json(search))
        .post("/form", async |Form(search): Form<Search>| Json(search))
        .post("/json", async |Json(point): Json<Point>| Json(point))
        .post("/text", async |text: String| text)
        .post("/bytes", async |bytes: Bytes| format!("{} bytes", bytes.len()))
        // As a library would have it that knows the `http` crate and not us.
        .post("/http", async |request: http::Request<Body>| {
            let (parts, mut body) = request.into_parts();
            let (length, peer) = (&parts.headers["content-length"], parts.extensions.get::<PeerAddr>().is_some());
            let text = format!("{} {length:?} {peer} {:?}", parts.uri, body.bytes().await?);
            Ok::<_, netio::http::server::BodyRejection>(http::Response::new(Body::from(text)))
        })
        .get("/cookies", async |cookies: Cookies| {
            let all: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            format!("{:?}, a is {:?}", all, cookies.get("a"))
        })
        .get("/extension", async |Extension(n): Extension<u32>| n.to_string())
        .get("/id", async |id: RequestId| id.to_string())
        .any(
            "/head",
            async |method: Method, uri: Uri, version: Version, headers: HeaderMap, peer: PeerAddr, request: Request| {
                let agent = headers.get(header::USER_AGENT).cloned();
                let same = request.headers() == &headers && peer.0.ip().is_loopback();
                format!("{method} {uri} {version:?} {agent:?} {same}")
            },
        )
}

#[test]
fn a_handler_is_given_what_it_asks_for() {
    run(async || {
        let address = serve(extracting());
        let json = "Content-Type: application/json";
        for (request, expected) in [
            ("GET /one/42", "42"),
            ("GET /two/a%20b/7", "a b 7"),
            ("GET /color/green", "green"),
            ("GET /color/red", "red"),
            ("GET /point/1/-2", r#"{"x":1,"y":-2}"#),
            ("GET /search?text=a+b%2B", r#"{"text":"a b+","page":null,"tag":[]}"#),
            ("GET /search?tag=x&text=1&page=3&text=2&tag=y&other", r#"{"text":"1","page":3,"tag":["x","y"]}"#),
            (
                "POST /form\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n\ntext=%E5%BC%A0&page=0",
                r#"{"text":"张","page":0,"tag":[]}"#,
            ),
            (&format!("POST /json\n{json}\n\n{{\"x\":1, \"y\":2, \"z\":3}}"), r#"{"x":1,"y":2}"#),
            ("POST /json\nContent-Type: Application/GeoJSON+JSON; x=y\n\n{\"x\":1, \"y\":2}", r#"{"x":1,"y":2}"#),
            ("POST /text\n\n张", "张"),
            ("POST /text", ""),
            ("POST /bytes\n\n张", "3 bytes"),
            ("POST /http?x\n\nabc", r#"/http?x "3" true b"abc""#),
            ("GET /cookies", "[], a is None"),
            (
                "GET /cookies\nCookie: a=1; b=\"two\";junk; a=3\nCookie: c=x=y; d=",
                r#"["a:1", "b:two", "a:3", "c:x=y", "d:"], a is Some("1")"#,
            ),
            ("PUT /head?x\nUser-Agent: test", r#"PUT /head?x HTTP/1.1 Some("test") true"#),
        ] {
            let answer = ask(address, request).await;
            assert_eq!((answer.status, &*answer.body), (200, expected), "{request}");
        }
    });
}

/// A layer may pass the request through a library that knows only the `http` crate.
#[test]
fn what_the_router_found_out_survives_the_http_crate() {
    run(async || {
        let both =
            async |Path((shop, coin)): Path<(String, u32)>, State(year): State<u16>| format!("{shop} {coin} {year}");
        let shop =
            Router::new().state(1999_u16).get("/coins/{coin}", both).layer(async |request: Request, next: Next| {
                let mut request: http::Request<Body> = request.into();
                request.headers_mut().remove("host");
                *request.uri_mut() = "/elsewhere".parse().unwrap();
                next.run(request.into()).await
            });
        let address = serve(Router::new().nest("/{shop}", shop));
        for (path, expected) in [("/old/coins/7", "old 7 1999"), ("/o%2Fl%20d/coins/7", "o/l d 7 1999")] {
            let answer = ask(address, &format!("GET {path}")).await;
            assert_eq!((answer.status, &*answer.body), (200, expected));
        }
    });
}

#[test]
fn a_request_that_lacks_something_is_refused_with_the_reason() {
    run(async || {
        let address = serve(extracting());
        let requests = [
            "GET /one/x",
            "GET /one/-1",
            "GET /one/4294967296",
            "GET /two/a/256",
            "GET /color/blue",
            "GET /point/1/y",
            "GET /none",
            "GET /search",
            "GET /search?text=a&page=x",
            "GET /search?text=a&page=",
            "POST /form\n\ntext=a",
            "POST /form\nContent-Type: application/x-www-form-urlencoded\n\ntxt=a",
            "POST /json\n\n{\"x\":1,\"y\":2}",
            "POST /json\nContent-Type: text/plain\n\n{\"x\":1,\"y\":2}",
            "POST /json\nContent-Type: application/x-www-form-urlencoded\n\n{\"x\":1,\"y\":2}",
            "POST /json\nContent-Type: application/json",
            "POST /json\nContent-Type: application/json\n\n{\"x\":1,\n\"y\":}",
            "POST /json\nContent-Type: application/json\n\n{\"x\":1}",
            "POST /json\nContent-Type: application/json\n\n{\"x\":1,\"y\":\"2\"}",
            "POST /json\nContent-Type: application/json\n\n{\"x\":1,\"y\":2} {}",
            "GET /extension",
            "GET /id",
        ];
        insta::assert_snapshot!("rejections", talk(address, &requests).await);
        let mut peer = Peer::connect(address).await;
        peer.send(b"POST /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\na\xFFb").await;
        let answer = &peer.messages().await[0];
        assert_eq!((answer.status, &*answer.body), (400, "400 Bad Request: the body is not UTF-8 from byte 1 on\n"));
    });
}

#[test]
fn an_optional_extractor_never_refuses() {
    run(async || {
        let router = Router::new()
            .get("/option", async |query: Option<Query<Search>>| {
                format!("{:?}", query.map(|Query(search)| search.text))
            })
            .get("/state", async |state: Option<State<u32>>| format!("{state:?}"))
            .post("/result", async |json: Result<Json<Point>, JsonRejection>| match json {
                Ok(Json(point)) => Ok(format!("{point:?}")),
                Err(JsonRejection::Invalid { line, column, .. }) => {
                    Err((StatusCode::CONFLICT, format!("{line}:{column}")))
                }
                Err(other) => Err((StatusCode::IM_A_TEAPOT, other.to_string())),
            });
        let address = serve(router);
        for (request, status, body) in [
            ("GET /option?text=a", 200, "Some(\"a\")"),
            ("GET /option", 200, "None"),
            ("GET /state", 200, "None"),
            ("POST /result\nContent-Type: application/json\n\n{\"x\":1,\"y\":2}", 200, "Point { x: 1, y: 2 }"),
            ("POST /result\nContent-Type: application/json\n\n{\n}", 409, "2:1"),
            ("POST /result", 418, "JSON is of the type application/json, and the body is of no type"),
        ] {
            let answer = ask(address, request).await;
            assert_eq!((answer.status, &*answer.body), (status, body), "{request}");
        }
    });
}

/// The first that refuses answers; those after it are not asked.
#[test]
fn extractors_are_asked_from_left_to_right() {
    struct Noted<const NAME: char, const REFUSES: bool>;
    impl<const NAME: char, const REFUSES: bool> FromRequest for Noted<NAME, REFUSES> {
        type Rejection = String;
        async fn from_request(request: &mut Request) -> Result<Self, String> {
            let notes = request.extensions_mut().get_or_insert_default::<String>();
            notes.push(NAME);
            if REFUSES { Err(notes.clone()) } else { Ok(Self) }
        }
    }
    run(async || {
        let router = Router::new()
            .get("/", async |_: Noted<'a', false>, _: Noted<'b', true>, _: Noted<'c', true>| unreachable!() as String);
        assert_eq!(ask(serve(router), "GET /").await.body, "ab");
    });
}

#[test]
fn whatever_is_returned_becomes_a_response() {
    run(async || {
        let router = Router::new()
            .get("/unit", async || ())
            .get("/string", async || String::from("text"))
            .get("/bytes", async || Bytes::from_static(b"bytes"))
            .get("/vec", async || vec![b'v'])
            .get("/html", async || Html("<p>"))
            .get("/json", async || Json(BTreeMap::from([("a", 1)])))
            .get("/not-json", async || Json(BTreeMap::from([((1, 2), 3)])))
            .get("/status", async || StatusCode::ACCEPTED)
            .get("/created", async || (StatusCode::CREATED, "made"))
            .get("/headers", async || {
                (StatusCode::OK, [("x-a", "1"), ("content-type", "text/x-own"), ("x-a", "2")], "text")
            })
            .get("/map", async || (HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"1\""))]), ()))
            .get("/bad-header", async || ([("x", "a\r\nset-cookie: b=c")], "injected"))
            .get("/found", async || Redirect::found("/x"))
            .get("/see-other", async || Redirect::see_other("/x"))
            .get("/temporary", async || Redirect::temporary("/x"))
            .get("/permanent", async || Redirect::permanent("/张?y#z"))
            .get("/bad-redirect", async || Redirect::found("/x\r\nset-cookie: a=b"))
            .get("/ok", async || Ok::<_, StatusCode>("fine"))
            .get("/err", async || Err::<(), _>((StatusCode::GONE, Json("gone"))));
        let address = serve(router);
        let paths = "unit string bytes vec html json not-json status created headers map bad-header found see-other temporary \
                     permanent bad-redirect ok err";
        let requests: Vec<String> = paths.split_whitespace().map(|path| format!("GET /{path}")).collect();
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        insta::assert_snapshot!("responses", talk(address, &requests).await);
    });
}

/// A layer that leaves its mark in request and response.
fn mark(mark: &'static str) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    move |mut request: Request, next: Next| {
        Box::pin(async move {
            request.extensions_mut().get_or_insert_default::<String>().push_str(mark);
            let mut response = next.run(request).await;
            response.headers_mut().append("x-marks", HeaderValue::from_static(mark));
            response
        })
    }
}

fn marks(answer: &Answer) -> String {
    answer.head.lines().filter_map(|line| line.strip_prefix("x-marks: ")).collect()
}

#[test]
fn the_layer_that_was_added_first_is_the_outermost() {
    run(async || {
        let router = Router::new()
            .layer(mark("1"))
            .get("/", async |Extension(marks): Extension<String>| marks)
            .layer(mark("2"))
            .layer(mark("3"));
        let answer = ask(serve(router), "GET /").await;
        assert_eq!((&*answer.body, &*marks(&answer)), ("123", "321"));
    });
}

#[test]
fn every_answer_passes_the_layers_and_those_of_a_nested_router() {
    run(async || {
        let boom = async || -> () { panic!("in a handler, as the test wants") };
        let deepest = Router::new().get("/", ok).get("/panic", boom).layer(mark("c"));
        let inner = Router::new().get("/", ok).post("/{id}", ok).nest("/deep", deepest).layer(mark("b"));
        let plain = Router::new().get("/x", ok).fallback(async || (StatusCode::GONE, "gone"));
        let router =
            Router::new().get("/", ok).get("/panic", boom).get("/{n}/n", async |Path(n): Path<u8>| n.to_string());
        let address = serve(router.nest("/in", inner).nest("/plain", plain).layer(mark("a")));
        for (request, status, expected) in [
            ("GET /", 200, "a"),
            ("GET /nope", 404, "a"),
            ("POST /", 405, "a"),
            ("OPTIONS /", 204, "a"),
            ("HEAD /", 200, "a"),
            ("GET /panic", 500, "a"),
            ("GET /300/n", 400, "a"),
            ("GET /%", 400, "a"),
            ("GET /in", 200, "ba"),
            ("GET /in/", 404, "ba"),
            ("POST /in/1", 200, "ba"),
            ("GET /in/1", 405, "ba"),
            ("OPTIONS /in/1", 204, "ba"),
            ("GET /in/1/2", 404, "ba"),
            ("GET /inn", 404, "a"),
            ("GET /in/deep", 200, "cba"),
            ("GET /in/deep/panic", 500, "cba"),
            ("GET /in/deep/nope", 404, "cba"),
            ("PUT /in/deep", 405, "cba"),
            ("GET /plain/x", 200, "a"),
            ("GET /plain/y", 410, "a"),
            ("GET /plain", 410, "a"),
        ] {
            let answer = ask(address, request).await;
            assert_eq!((answer.status, &*marks(&answer)), (status, expected), "{request}: {answer:?}");
        }
    });
}

#[test]
fn a_nested_router_has_the_parameters_of_its_prefix_and_the_fallback_around_it() {
    run(async || {
        let posts = Router::new().get("/{post}", parameters).get("/", parameters);
        let quiet = Router::new().get("/", ok).fallback(async |Path(id): Path<u32>| format!("quiet {id}"));
        let user = Router::new().get("/", parameters).nest("/posts", posts).nest("/quiet", quiet);
        let router = Router::new()
            .nest("/users/{user}", user)
            .get("/users/me/posts", async || "mine")
            .fallback(async |uri: Uri| format!("no {}", uri.path()));
        // Clones share their routes; what is added to one is not in the other.
        let address = serve(router.clone());
        let other = serve(router.get("/more", ok));
        for (path, body) in [
            ("/users/7", "user=7"),
            ("/users/7/posts", "user=7"),
            ("/users/a%2Fb/posts/c%20d", "post=c d user=a/b"),
            ("/users/me/posts", "mine"),
            ("/users/7/nope", "no /users/7/nope"),
            ("/users/7/quiet/x/y", "quiet 7"),
            (
                "/users/x/quiet/y",
                "400 Bad Request: in the path, `user`: it cannot be \"x\": invalid digit found in string\n",
            ),
            ("/more", "no /more"),
        ] {
            assert_eq!(ask(address, &format!("GET {path}")).await.body, body, "{path}");
        }
        assert_eq!(ask(other, "GET /more").await.body, "ok");
    });
}

#[test]
fn a_route_has_the_states_that_its_router_was_given_before_it() {
    async fn tell(State(name): State<&'static str>, State(number): State<u32>) -> String {
        format!("{name} {number}")
    }
    run(async || {
        let inner = Router::new().state("inner").state(3_u32).get("/", tell).state("not seen");
        let router = Router::new()
            .state("one")
            .state(1_u32)
            .get("/first/{x}", tell)
            .state(2_u32)
            .get("/second", tell)
            .nest("/inner", inner)
            .fallback(tell);
        let address = serve(router);
        for (path, body) in [
            ("/first/x", "one 1"),
            ("/second", "one 2"),
            ("/inner", "inner 3"),
            ("/inner/nope", "one 2"),
            ("/", "one 2"),
        ] {
            assert_eq!(ask(address, &format!("GET {path}")).await.body, body, "{path}");
        }
    });
}

#[test]
fn a_layer_may_answer_by_itself_change_the_path_or_set_a_deadline() {
    run(async || {
        let dropped = Arc::new(Event::new());
        let alarm = dropped.clone();
        let slow = move || {
            struct Alarm(Arc<Event>);
            impl Drop for Alarm {
                fn drop(&mut self) {
                    self.0.set();
                }
            }
            let alarm = Alarm(alarm.clone());
            async move {
                let _alarm = alarm;
                sleep(60 * SECOND).await;
            }
        };
        let router = Router::new()
            .get("/new", async || "new")
            .get("/slow", slow)
            .layer(async |request: Request, next: Next| match request.uri().path() {
                "/secret" => Err((StatusCode::FORBIDDEN, "no")),
                _ => Ok(next.run(request).await),
            })
            .layer(async |mut request: Request, next: Next| {
                if request.uri() == "/old" {
                    *request.uri_mut() = Uri::from_static("/new");
                }
                next.run(request).await
            })
            .layer(async |request: Request, next: Next| match timeout(5 * SECOND, next.run(request)).await {
                Ok(response) => response,
                Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
            });
        let address = serve(router);
        for (path, status) in [("/old", 200), ("/secret", 403), ("/nope", 404)] {
            assert_eq!(ask(address, &format!("GET {path}")).await.status, status, "{path}");
        }
        let start = Instant::now();
        assert_eq!(ask(address, "GET /slow").await.status, 504);
        assert_eq!(start.elapsed().as_secs(), 5);
        assert!(dropped.is_set(), "what ran too long is dropped");
    });
}

#[test]
fn the_time_is_on_every_status() {
    run(async || {
        let router = Router::new()
            .layer(middleware::timing)
            .layer(middleware::body_limit(10))
            .get("/{milliseconds}/{status}", async |Path((milliseconds, status)): Path<(u64, u16)>| {
                sleep(Duration::from_millis(milliseconds)).await;
                assert!(status != 999, "in a handler, as the test wants");
                StatusCode::from_u16(status).unwrap()
            })
            .post("/json", async |Json(n): Json<u32>| Json(n))
            .get("/stream", async || {
                sleep(Duration::from_millis(20)).await;
                Body::writer(async |mut body| {
                    sleep(SECOND).await;
                    body.write("late").await
                })
            });
        let address = serve(router);
        for (request, status, time) in [
            ("GET /123/200", 200, "0.123s"),
            ("GET /0/204", 204, "0.000s"),
            ("GET /50/304", 304, "0.050s"),
            ("GET /1000/404", 404, "1.000s"),
            ("GET /7/503", 503, "0.007s"),
            ("GET /250/999", 500, "0.250s"),
            ("HEAD /123/200", 200, "0.123s"),
            ("GET /nope", 404, "0.000s"),
            ("POST /0/200", 405, "0.000s"),
            ("OPTIONS /0/200", 204, "0.000s"),
            ("GET /x/200", 400, "0.000s"),
            ("GET /%", 400, "0.000s"),
            ("POST /json\n\n1", 415, "0.000s"),
            ("POST /json\ncontent-type: application/json\n\n12345678901", 413, "0.000s"),
            ("GET /stream", 200, "0.020s"),
        ] {
            let answer = ask(address, request).await;
            assert_eq!((answer.status, answer.field("x-response-time")), (status, Some(time)), "{request}: {answer:?}");
        }
    });
}

#[test]
fn a_panic_costs_its_request_and_the_connection_stays() {
    run(async || {
        let router = Router::new()
            .get("/good", ok)
            .get("/at-once", || -> std::future::Ready<()> { panic!("before there is a future, as the test wants") })
            .get("/later", async || -> () {
                sleep(SECOND).await;
                panic!("in a handler, as the test wants")
            })
            .layer(mark("outer"))
            .layer(async |request: Request, next: Next| {
                assert!(request.uri() != "/layer", "in a layer, as the test wants");
                next.run(request).await
            });
        let mut peer = Peer::connect(serve(router)).await;
        let expected =
            [("/good", 200), ("/at-once", 500), ("/good", 200), ("/later", 500), ("/layer", 500), ("/good", 200)];
        for (path, _) in expected {
            let last = if path == "/good" { "" } else { "x: y\r\n" };
            peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{last}\r\n")).await;
        }
        peer.send("GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let answers = peer.messages().await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 500, 200, 500, 500, 200, 200]);
        assert_eq!(answers[1].body, "500 Internal Server Error: the handler panicked\n");
        assert!(answers.iter().all(|answer| answer.head.contains("x-marks: outer")), "{answers:?}");
    });
}

#[test]
fn a_body_beyond_a_limit_is_refused() {
    run(async || {
        let small = Router::new().post("/", async |text: String| text).layer(middleware::body_limit(5));
        let router = Router::new().post("/large", async |bytes: Bytes| bytes.len().to_string()).nest("/small", small);
        let address = serve_within(Limits { body_bytes: 100, ..Limits::default() }, router);
        for (path, length, status) in
            [("/small", 5, 200), ("/small", 6, 413), ("/large", 100, 200), ("/large", 101, 413), ("/small", 101, 413)]
        {
            let answer = ask(address, &format!("POST {path}\n\n{}", "x".repeat(length))).await;
            assert_eq!(answer.status, status, "{path} {length}");
            assert!(status == 200 || answer.body.starts_with("413 Payload Too Large: the body "), "{answer:?}");
        }
    });
}

#[test]
fn a_request_has_a_name_and_a_line_in_the_log() {
    run(async || {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = lines.clone();
        let router = Router::new()
            .layer(middleware::request_id("web1"))
            .layer(middleware::access_log(move |access| {
                let line = access.to_string();
                log.lock().unwrap().push(line.split_once(' ').unwrap().1.to_owned());
            }))
            .get("/", async |id: RequestId| {
                sleep(SECOND / 4).await;
                id.to_string()
            })
            .get("/stream", async || Body::writer(async |mut body| body.write("x").await))
            .get("/panic", async || -> () { panic!("in a handler, as the test wants") });
        let address = serve(router);
        let long = format!("GET /\nX-Request-Id: {}", "x".repeat(65));
        let requests = [
            "GET /",
            "GET /?a=b\nX-Request-Id: mine.1",
            "GET /%22no%22\nX-Request-Id: a b",
            &long,
            "GET /stream",
            "GET /panic",
        ];
        let mut names = Vec::new();
        for request in requests {
            let answer = ask(address, request).await;
            let name = answer.field("x-request-id").unwrap().to_owned();
            assert!(!(answer.status == 200 && answer.body.contains('-')) || answer.body == name, "{answer:?}");
            names.push(name);
        }
        assert_eq!(names, ["web1-1", "mine.1", "web1-2", "web1-3", "web1-4", "web1-5"]);
        let lines = lines.lock().unwrap();
        assert_eq!(
            lines[..],
            [
                "\"GET / HTTP/1.1\" 200 6 0.250s web1-1",
                "\"GET /?a=b HTTP/1.1\" 200 6 0.250s mine.1",
                "\"GET /%22no%22 HTTP/1.1\" 404 37 0.000s web1-2",
                "\"GET / HTTP/1.1\" 200 6 0.250s web1-3",
                "\"GET /stream HTTP/1.1\" 200 1 0.000s web1-4",
                "\"GET /panic HTTP/1.1\" 500 48 0.000s web1-5",
            ]
        );
    });
}

/// The server of the article: a greeting that takes a tenth of a second, and work that takes two.
#[test]
fn the_greeting_server_answers_as_it_should() {
    #[derive(Deserialize)]
    struct Name {
        name: Option<String>,
    }
    run(async || {
        let start = Instant::now();
        let router = Router::new()
            .state(start)
            .get("/hello", async |State(start): State<Instant>, Query(Name { name }): Query<Name>, uri: Uri| {
                sleep(SECOND / 10).await;
                let message = format!("Hello, {}!", name.as_deref().unwrap_or("World"));
                Json(serde_json::json!({
                    "message": message,
                    "url": uri.to_string(),
                    "timestamp": start.elapsed().as_secs_f64(),
                }))
            })
            .post("/process", async |Json(received): Json<serde_json::Value>| {
                sleep(SECOND / 5).await;
                Json(serde_json::json!({ "received": received, "processed": true }))
            });
        let address = serve_within(Limits { body_bytes: 1000, body_time: 3 * SECOND, ..Limits::default() }, router);
        for (request, milliseconds, status, part) in [
            ("GET /hello", 100, 200, r#""message":"Hello, World!""#),
            ("GET /hello?name=%E5%BC%A0", 100, 200, r#""message":"Hello, 张!""#),
            ("GET /hello?name=", 100, 200, r#""message":"Hello, !""#),
            ("GET /hello?name=a&name=b", 100, 200, r#""message":"Hello, a!""#),
            ("GET /hello?name=a%26b&x=y", 100, 200, r#""message":"Hello, a&b!""#),
            ("POST /process\nContent-Type: application/json\n\n[1]", 200, 200, r#"{"processed":true,"received":[1]}"#),
            (
                "POST /process\nContent-Type: application/json\n\n[1",
                0,
                400,
                r#"{"error":"the body is not as it should be: EOF while parsing a list at line 1 column 2"}"#,
            ),
            ("POST /process\nContent-Type: text/plain\n\n[1]", 0, 415, r#"{"error":"JSON is of the type "#),
            (&format!("POST /process\nContent-Type: application/json\n\n{}", "x".repeat(1001)), 0, 413, ""),
            ("POST /hello", 0, 405, ""),
            ("GET /nope", 0, 404, "404 Not Found: there is no such page\n"),
        ] {
            let start = Instant::now();
            let answer = ask(address, request).await;
            assert_eq!((answer.status, start.elapsed().as_millis()), (status, milliseconds), "{request}");
            assert!(answer.body.contains(part), "{request}: {answer:?}");
            assert_eq!(answer.field("allow"), (status == 405).then_some("GET, HEAD, OPTIONS"));
        }
        // A body that does not come.
        let mut peer = Peer::connect(address).await;
        let json = "Content-Type: application/json";
        peer.send(format!("POST /process HTTP/1.1\r\nHost: a\r\n{json}\r\nContent-Length: 5\r\n\r\n[")).await;
        assert_eq!(peer.messages().await[0].status, 408);
    });
}
