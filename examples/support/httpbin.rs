//! The other side: a server that does what a test or an example asks of it. It stands in for httpbin.org, and needs no
//! internet.
//!
//! ```
//! use examples::httpbin::TestServer;
//! use netio::http::client::Client;
//!
//! runtime::block_on(async {
//!     let server = TestServer::start().await;
//!     let response = Client::new().get(format!("{}/status/418", server.url())).await.unwrap();
//!     assert_eq!(response.status(), 418);
//! });
//! ```
//!
//! Times in a path are real ones: `/delay/0.25` takes a quarter of a second, whatever `--scale` is.

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use netio::http::{
    Body, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, reply,
    server::{BodyRejection, Disconnect, IntoResponse, Limits, PeerAddr, Server},
};
use runtime::{JoinHandle, time::sleep};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    future::{Future, pending},
    io::{self, Write},
    net::SocketAddr,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What there is, as `GET /` tells it.
const INDEX: &str = "\
/get                    what the request looked like to the server
/post                   the same for POST, with the body
/json                   a document
/user-agent             who asks
/cookies                the cookies that came; /cookies/set?name=value sends one
/delay/{s}              an answer after that many seconds: 0 to 60, fractions allowed
/status/{code}          an answer with that status: 200 to 599
/bytes/{n}              that many bytes, at most 10 MiB
/image/{n}.jpg          a picture, grey as n
/stream/{n}             that many lines, at most 1000, as chunks
/drip                   ?bytes=10&seconds=2: bytes one by one, over that time
/redirect/{n}           so many redirects to /get, at most 20
/flaky/{k}              503, k times; then 200, and again from the start
/basic-auth             401, unless the user is `user` and the password `passwd`
/gzip                   a compressed document
/hang                   no answer at all
/reset                  the connection is reset
/bad-chunk              the connection is closed in the middle of the body
";

const MOST_BYTES: usize = 10 * 1024 * 1024;
const LONGEST: f64 = 60.0;

/// A server in this process, on a port of its own. Dropped, it stops.
#[derive(Debug)]
pub struct TestServer {
    url: String,
    task: JoinHandle<io::Result<()>>,
}

impl TestServer {
    /// Starts it as a task of the current runtime.
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub async fn start() -> TestServer {
        let server = Server::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", server.local_addr());
        TestServer { url, task: runtime::spawn(server.serve(handler())) }
    }

    /// Where it is, without a slash at the end: `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts one on a thread and a runtime of its own, for a client that blocks. It serves until the process ends.
///
/// # Panics
/// When there is no port to listen on.
pub fn on_a_thread() -> SocketAddr {
    let limits = Limits { connections: 100_000, ..Limits::default() };
    let server = Server::bind("127.0.0.1:0").expect("a free port").limits(limits);
    let address = server.local_addr();
    std::thread::spawn(move || runtime::block_on(server.serve(handler())));
    address
}

/// What [`Server::serve`] needs. Each call begins with its own memory of what `/flaky` has done.
pub fn handler() -> impl Fn(Request) -> Answer + Send + Sync + 'static {
    let failures: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    move |request| Box::pin(answer(request, failures.clone()))
}

/// The future of an answer.
pub type Answer = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

async fn answer(mut request: Request, failures: Arc<Mutex<HashMap<String, u32>>>) -> Response {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let allowed = if segments == ["post"] { "POST" } else { "GET, HEAD" };
    if !allowed.split(", ").any(|method| request.method() == method) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("only {allowed} here\n"));
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        return response;
    }
    let data = match request.body_mut().bytes().await {
        Ok(data) => data,
        Err(error) => return BodyRejection::from(error).into_response(),
    };
    let answered = match segments[..] {
        [""] => Some(text(StatusCode::OK, INDEX)),
        ["get"] | ["post"] => Some(document(&mirror(&request, &data))),
        ["json"] => Some(document(&slides())),
        ["user-agent"] => Some(document(&json!({ "user-agent": field(request.headers(), header::USER_AGENT) }))),
        ["cookies"] => Some(document(&json!({ "cookies": cookies(request.headers()) }))),
        ["cookies", "set"] => Some(set_cookie(request.uri().query().unwrap_or_default())),
        ["delay", seconds] => match number(seconds, 0.0..=LONGEST) {
            Some(seconds) => {
                sleep(Duration::from_secs_f64(seconds)).await;
                Some(document(&mirror(&request, &data)))
            }
            None => None,
        },
        ["status", code] => number(code, 200..=599).and_then(|code: u16| {
            let status = StatusCode::from_u16(code).ok()?;
            Some(text(status, format!("{status}\n")))
        }),
        ["bytes", count] => number(count, 0..=MOST_BYTES).map(bytes),
        ["image", name] => name.strip_suffix(".jpg").and_then(|tone| number(tone, 0..=u64::MAX)).map(image),
        ["stream", lines] => number(lines, 0..=1000).map(stream),
        ["drip"] => drip(request.uri().query().unwrap_or_default()),
        ["redirect", count] => number(count, 1..=20).map(redirect),
        ["flaky", times] => number(times, 0..=1000).map(|times| flaky(&mut failures.lock().unwrap(), &request, times)),
        ["basic-auth"] => Some(basic_auth(request.headers())),
        ["gzip"] => Some(gzip()),
        ["hang"] => pending().await,
        ["reset"] => {
            let mut response = Response::default();
            response.extensions_mut().insert(Disconnect);
            Some(response)
        }
        ["bad-chunk"] => Some(Response::new(Body::writer(|mut body| async move {
            body.write("the first half, and then").await?;
            Err(io::Error::other("as asked"))
        }))),
        _ => return text(StatusCode::NOT_FOUND, "not here; GET / tells what is\n"),
    };
    answered.unwrap_or_else(|| text(StatusCode::BAD_REQUEST, "the path asks for too much or too little; see GET /\n"))
}

/// A number within its range: no `NaN`, no sign where there is none, nothing that overflows.
fn number<T: FromStr + PartialOrd>(text: &str, range: std::ops::RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|number| range.contains(number))
}

fn text(status: StatusCode, body: impl Into<Body>) -> Response {
    reply(status, "text/plain; charset=utf-8", body)
}

fn document(value: &Value) -> Response {
    reply(StatusCode::OK, "application/json", format!("{value:#}\n"))
}

fn slides() -> Value {
    json!({ "slideshow": {
        "title": "How a thread waits for many things",
        "slides": [{ "title": "Ask the kernel", "items": ["register", "wait", "wake"] }, { "title": "Poll" }],
    }})
}

fn field(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// The request as the server saw it.
fn mirror(request: &Request, data: &[u8]) -> Value {
    let headers: serde_json::Map<_, _> = request
        .headers()
        .keys()
        .map(|name| (name.to_string(), field(request.headers(), name.clone()).into()))
        .collect();
    let arguments: serde_json::Map<_, _> =
        pairs(request.uri().query().unwrap_or_default()).map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut mirror = json!({
        "method": request.method().as_str(),
        "url": format!("http://{}{}", field(request.headers(), header::HOST), request.uri()),
        "args": arguments,
        "headers": headers,
        "origin": request.extensions().get::<PeerAddr>().map(|PeerAddr(peer)| peer.ip().to_string()),
    });
    if request.method() == Method::POST {
        mirror["data"] = String::from_utf8_lossy(data).into();
        mirror["json"] = serde_json::from_slice(data).unwrap_or_default();
    }
    mirror
}

/// `a=1&b=2`, not decoded.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn cookies(headers: &HeaderMap) -> Value {
    let cookies = field(headers, header::COOKIE);
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<serde_json::Map<_, _>>().into()
}

fn set_cookie(query: &str) -> Response {
    let mut response = found("/cookies");
    for (name, value) in pairs(query) {
        if let Ok(cookie) = HeaderValue::from_str(&format!("{name}={value}; Path=/")) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn found(location: &str) -> Response {
    let mut response = text(StatusCode::FOUND, format!("it is at {location}\n"));
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(location).expect("a path of ours"));
    response
}

fn redirect(count: u32) -> Response {
    if count == 1 { found("/get") } else { found(&format!("/redirect/{}", count - 1)) }
}

/// The same bytes every time; any part of them tells where it is from.
fn bytes(count: usize) -> Response {
    let bytes: Vec<u8> = (0..count).map(|n| (n % 251) as u8).collect();
    reply(StatusCode::OK, "application/octet-stream", bytes)
}

fn stream(lines: u32) -> Response {
    let body = Body::writer(move |mut body| async move {
        for id in 0..lines {
            body.write(format!("{}\n", json!({ "id": id }))).await?;
        }
        Ok(())
    });
    reply(StatusCode::OK, "application/x-ndjson", body)
}

fn drip(query: &str) -> Option<Response> {
    let (mut count, mut seconds) = (10, 2.0);
    for (name, value) in pairs(query) {
        match name {
            "bytes" => count = number(value, 1..=MOST_BYTES)?,
            "seconds" => seconds = number(value, 0.0..=LONGEST)?,
            _ => return None,
        }
    }
    let pause = Duration::from_secs_f64(seconds / count as f64);
    let body = Body::writer(move |mut body| async move {
        for _ in 0..count {
            sleep(pause).await;
            body.write(Bytes::from_static(b"*")).await?;
        }
        Ok(())
    });
    Some(text(StatusCode::OK, body.with_length(count as u64)))
}

fn flaky(failures: &mut HashMap<String, u32>, request: &Request, times: u32) -> Response {
    // A client that asks for ever new paths may not fill the memory: forget them all, now and then.
    if failures.len() > 1000 {
        failures.clear();
    }
    let failed = failures.entry(request.uri().to_string()).or_default();
    if *failed < times {
        *failed += 1;
        return text(StatusCode::SERVICE_UNAVAILABLE, format!("failure {failed} of {times}\n"));
    }
    *failed = 0;
    text(StatusCode::OK, "at last\n")
}

/// The name and password `user:passwd` in base64.
fn basic_auth(headers: &HeaderMap) -> Response {
    if field(headers, header::AUTHORIZATION) == "Basic dXNlcjpwYXNzd2Q=" {
        return document(&json!({ "authenticated": true, "user": "user" }));
    }
    let mut response = text(StatusCode::UNAUTHORIZED, "who are you?\n");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"httpbin\""));
    response
}

fn gzip() -> Response {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(format!("{:#}\n", slides()).as_bytes()).expect("a vector takes every byte");
    let mut response = reply(StatusCode::OK, "application/json", encoder.finish().expect("the same"));
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// A JPEG of one block, eight by eight, in one of 256 tones of grey.
///
/// Its only coefficient is the mean brightness: a Huffman code of one bit that says "eight bits follow", the eight bits,
/// and a code of one bit that says "the rest is zero".
fn image(tone: u64) -> Response {
    let tone = tone as u8;
    let mut jpeg = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, content: &[u8]| {
        jpeg.extend([0xFF, marker]);
        jpeg.extend((content.len() as u16 + 2).to_be_bytes());
        jpeg.extend(content);
    };
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(0xDB, &[[0].as_slice(), &[4; 64]].concat());
    segment(0xC0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    for (table, symbol) in [(0x00, 8), (0x10, 0)] {
        segment(0xC4, &[[table, 1].as_slice(), &[0; 15], &[symbol]].concat());
    }
    segment(0xDA, &[1, 1, 0, 0, 63, 0]);
    jpeg.extend([tone >> 1, tone << 7 | 0x3F, 0xFF, 0xD9]);
    reply(StatusCode::OK, "image/jpeg", jpeg)
}
