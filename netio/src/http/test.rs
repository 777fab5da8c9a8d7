//! A server to test, and a client that tells what went wrong.
//!
//! ```
//! use netio::http::{StatusCode, server::{Json, Path, Router}, test::TestServer};
//!
//! let router = Router::new().get("/square/{n}", async |Path(n): Path<u64>| Json([n * n]));
//! runtime::block_on(async {
//!     let server = TestServer::start(router);
//!     let client = server.client();
//!     client.get("/square/7").await.assert_status(StatusCode::OK).assert_json([49]);
//!     client.get("/square/x").await.assert_status(StatusCode::BAD_REQUEST).assert_contains("in the path");
//!     assert_eq!(server.stop().await.unwrap().cancelled, 0);
//! });
//! ```
//!
//! It is served in memory, in any world, by the real server, and asked by the real client. Nothing needs a port, and no test is
//! in another one's way. ([`TestServer::on_a_port`] serves it on a real socket.) With
//! [`runtime::Runtime::simulated`] or a virtual clock, timeouts cost no time.

use super::{
    Body, HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    client::{Client, ClientBuilder, Error, RequestBuilder},
    server::{Listener, Report, ServeError, Server, ServerHandle, Service},
};
use bytes::Bytes;
use runtime::JoinHandle;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    future::{self, Future, IntoFuture},
    io,
    pin::Pin,
};

/// A server that runs, for a test. Dropped, it is dropped with all its connections; [`stop`](TestServer::stop) is the polite way.
#[derive(Debug)]
pub struct TestServer {
    handle: ServerHandle,
    serving: Option<JoinHandle<Result<Report, ServeError>>>,
    client: Client,
    url: String,
}

impl TestServer {
    /// Serves in memory, as a task of the current runtime.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn start(service: impl Service) -> TestServer {
        TestServer::start_with(Server::new(), Client::builder(), service)
    }

    /// Serves in memory, with the limits and hooks of this server (which need not listen anywhere), and a client of this kind.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn start_with(server: Server, client: ClientBuilder, service: impl Service) -> TestServer {
        let (listener, dialer) = Listener::memory();
        let client = client.dial(move |_host| future::ready(dialer.dial()));
        TestServer::serve(server.listen(listener), client, "http://test.example".to_owned(), service)
    }

    /// Serves on a port of 127.0.0.1 (of the simulated world, in one).
    ///
    /// # Errors
    /// When there is no port to be had.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn on_a_port(service: impl Service) -> io::Result<TestServer> {
        let server = Server::bind("127.0.0.1:0")?;
        let url = format!("http://{}", server.local_addr());
        Ok(TestServer::serve(server, Client::builder(), url, service))
    }

    fn serve(server: Server, client: ClientBuilder, url: String, service: impl Service) -> TestServer {
        let client = client.base_url(&url).expect("a URL").build();
        let handle = server.handle();
        TestServer { handle, serving: Some(runtime::spawn(server.serve(service))), client, url }
    }

    /// Where it is: `http://test.example`, or `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// To ask something of the server itself.
    pub fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// A client that knows where the server is. All of them share their connections.
    pub fn client(&self) -> TestClient {
        TestClient { client: self.client.clone() }
    }

    /// Stops gracefully, and tells how that went.
    ///
    /// # Errors
    /// As [`Server::serve_until`].
    ///
    /// # Panics
    /// When the server panicked.
    pub async fn stop(mut self) -> Result<Report, ServeError> {
        self.handle.stop();
        self.serving.take().expect("taken only here").await.unwrap_or_else(|error| panic!("the server: {error}"))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// A client for one server, whose responses can be [asserted](TestResponse). From [`TestServer::client`].
#[derive(Clone, Debug)]
pub struct TestClient {
    client: Client,
}

impl TestClient {
    /// Asks for a path.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    /// Posts to a path.
    pub fn post(&self, path: &str) -> TestRequest {
        self.request(Method::POST, path)
    }

    /// A request of any method.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        let line = format!("{method} {path}");
        TestRequest { request: self.client.request(method, path), line }
    }

    /// The client itself, for all that is not here: it knows the server as its base URL.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// A request that is put together, and sent when it is awaited. Then it panics if there is no response.
#[derive(Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct TestRequest {
    request: RequestBuilder,
    line: String,
}

impl TestRequest {
    /// Adds a header field.
    pub fn header<N, V>(self, name: N, value: V) -> TestRequest
    where
        N: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        self.map(|request| request.header(name, value))
    }

    /// Sets the body.
    pub fn body(self, body: impl Into<Body>) -> TestRequest {
        self.map(|request| request.body(body))
    }

    /// Sets the body, in JSON, and its type.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> TestRequest {
        self.map(|request| request.json(value))
    }

    /// Sets the body as HTML forms send it, and its type.
    pub fn form(self, values: &(impl Serialize + ?Sized)) -> TestRequest {
        self.map(|request| request.form(values))
    }

    /// Adds to the query.
    pub fn query(self, values: &(impl Serialize + ?Sized)) -> TestRequest {
        self.map(|request| request.query(values))
    }

    /// Sends it, and gives the error if there is no response: for what should fail.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`].
    pub async fn try_send(self) -> Result<TestResponse, Error> {
        let response = self.request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(TestResponse { line: self.line, status, headers, body: response.bytes().await? })
    }

    fn map(self, with: impl FnOnce(RequestBuilder) -> RequestBuilder) -> TestRequest {
        TestRequest { request: with(self.request), line: self.line }
    }
}

impl IntoFuture for TestRequest {
    type Output = TestResponse;
    type IntoFuture = Pin<Box<dyn Future<Output = TestResponse> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let line = self.line.clone();
            self.try_send().await.unwrap_or_else(|error| panic!("{line}: there is no response: {error}"))
        })
    }
}

/// A response with its whole body. What is asserted of it and is not so, is told with all of it.
#[derive(Clone, Debug)]
pub struct TestResponse {
    line: String,
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl TestResponse {
    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as a value in JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| self.wrong(&format!("a body in JSON ({error})")))
    }

    /// The value of a field, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The status is this one (a number will do).
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_status(self, status: impl TryInto<StatusCode>) -> TestResponse {
        let wanted = status.try_into().ok();
        let wanted = wanted.unwrap_or_else(|| self.wrong("a status that exists"));
        if self.status == wanted { self } else { self.wrong(&format!("status {wanted}")) }
    }

    /// There is a field with this value.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn assert_header(self, name: &str, value: &str) -> TestResponse {
        let found = self.headers.get_all(name).into_iter().any(|found| found == value);
        if found { self } else { self.wrong(&format!("the field {name}: {value}")) }
    }

    /// The body is this text.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_text(self, text: &str) -> TestResponse {
        if self.body == text { self } else { self.wrong(&format!("the body {text:?}")) }
    }

    /// This text is somewhere in the body.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_contains(self, text: &str) -> TestResponse {
        if self.text().contains(text) { self } else { self.wrong(&format!("{text:?} in the body")) }
    }

    /// The body, in JSON, is this value.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_json(self, value: impl Serialize) -> TestResponse {
        let wanted = serde_json::to_value(value).expect("a value in JSON");
        if self.json::<serde_json::Value>() == wanted { self } else { self.wrong(&format!("the body {wanted}")) }
    }

    #[track_caller]
    fn wrong(&self, wanted: &str) -> ! {
        panic!("{}: {wanted} was expected, and this came:\n{self}", self.line)
    }
}

/// As it stands on the wire, more or less.
impl fmt::Display for TestResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "\n{}", self.text())
    }
}
