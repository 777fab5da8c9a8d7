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
//!     assert_eq!(server.seen().requests, 1);
//! });
//! ```
//!
//! Times in a path are real ones: `/delay/0.25` takes a quarter of a second, whatever `--scale` is.

mod answers;
mod gauge;
mod picture;

pub use gauge::Seen;

use gauge::Gauge;
use netio::http::{
    HeaderMap, StatusCode,
    server::{Limits, Report, Router, ServeError, Server},
};
use runtime::JoinHandle;
use serde_json::Value;
use std::net::SocketAddr;

/// What there is, as `GET /` tells it.
const INDEX: &str = "\
/get                    what the request looked like to the server
/post /put /patch /delete   the same for those methods, with the body
/anything               the same for every method, and below it for every path
/headers                the fields of the request
/user-agent             who asks
/json                   a document
/null                   a document that says nothing: `null`
/not-json               a text that passes itself off as JSON
/cookies                the cookies that came; /cookies/set?name=value sends one, /cookies/delete?name takes it back
/delay/{s}              an answer after that many seconds: 0 to 60, fractions allowed
/status/{code}          an answer with that status: 200 to 599
/bytes/{n}              that many bytes, at most 10 MiB
/image/{n}.jpg          a picture, grey as n
/stream/{n}             that many lines, at most 1000, as chunks
/drip                   ?bytes=10&seconds=2: bytes one by one, over that time
/count                  how many bytes were sent to it, by POST: of whatever length
/redirect/{n}           so many redirects to /get, at most 20; /absolute-redirect/{n} with whole URLs
/redirect-to            ?url=…&status=302: a redirect to there
/flaky/{k}              503, k times; then 200, and again from the start; ?after=2 asks for two seconds in between
/basic-auth             401, unless the user is `user` and the password `passwd`
/bearer                 401, unless there is a bearer token
/etag/{tag}             a document of that version: 304 to whoever has it, 412 to whoever wants another one
/gzip /deflate          a compressed document
/hang                   no answer at all
/reset                  the connection is reset
/bad-chunk              the connection is closed in the middle of the body
/short/{n}              that many bytes are announced, and the connection is closed after half of them
";

/// A server in this process, on a port of its own. Dropped, it stops.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    gauge: Gauge,
    task: JoinHandle<Result<Report, ServeError>>,
}

impl TestServer {
    /// Starts it as a task of the current runtime.
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub async fn start() -> TestServer {
        let server = Server::bind("127.0.0.1:0").expect("a free port");
        let (address, gauge) = (server.local_addr(), Gauge::default());
        let task = runtime::spawn(server.serve(handler().layer(gauge.layer())));
        TestServer { address, gauge, task }
    }

    /// Where it is, without a slash at the end: `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of an answer that comes after so many seconds, shortened by `--scale`.
    pub fn delay(&self, seconds: f64) -> String {
        format!("{}/delay/{}", self.url(), crate::scaled(seconds).as_secs_f64())
    }

    /// What it has seen so far, or since it was last asked to [forget](TestServer::forget).
    pub fn seen(&self) -> Seen {
        self.gauge.seen()
    }

    /// Counts from the start again. What is being answered stays in flight.
    pub fn forget(&self) {
        self.gauge.forget();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What stands in a URL behind the host: that is the same every time, whatever the port.
pub fn path(url: &str) -> &str {
    url.splitn(4, '/').nth(3).unwrap_or_default()
}

/// Starts one on a thread and a runtime of its own, for a client that blocks, or to be measured against. It serves until the
/// process ends.
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
pub fn handler() -> Router {
    use answers::*;

    Router::new()
        .state(Failures::default())
        .get("/", async || INDEX)
        .get("/get", mirror)
        .post("/post", mirror)
        .put("/put", mirror)
        .patch("/patch", mirror)
        .delete("/delete", mirror)
        .any("/anything", mirror)
        .any("/anything/{*path}", mirror)
        .get("/headers", async |headers: HeaderMap| document(&fields(&headers)))
        .get("/user-agent", user_agent)
        .get("/json", async || document(&slides()))
        .get("/null", async || document(&Value::Null))
        .get("/not-json", async || ([("content-type", "application/json")], "{\"slideshow\": <html>"))
        .get("/cookies", cookies)
        .get("/cookies/set", set_cookies)
        .get("/cookies/delete", delete_cookies)
        .any("/delay/{seconds}", delay)
        .any("/status/{code}", status)
        .get("/bytes/{count}", bytes)
        .get("/image/{tone}.jpg", picture::jpeg)
        .get("/stream/{lines}", stream)
        .get("/drip", drip)
        .post("/count", count)
        .put("/count", count)
        .any("/redirect/{count}", redirect)
        .any("/absolute-redirect/{count}", absolute_redirect)
        .any("/redirect-to", redirect_to)
        .any("/flaky/{times}", flaky)
        .get("/basic-auth", basic_auth)
        .get("/bearer", bearer)
        .get("/etag/{tag}", etag)
        .get("/gzip", gzip)
        .get("/deflate", deflate)
        .any("/hang", hang)
        .any("/reset", reset)
        .get("/bad-chunk", bad_chunk)
        .get("/short/{count}", short)
        .fallback(async || (StatusCode::NOT_FOUND, "not here; GET / tells what is\n"))
}
