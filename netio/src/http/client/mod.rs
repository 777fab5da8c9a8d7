//! The client: fetch a URL, over a connection that is kept for the next one.
//!
//! ```text
//!   Idle in the pool ──┐
//!                      ├──> send ──> head ──> body ──> read to its end ──> back to the pool
//!   resolve, connect ──┘      │        │                     └ else ─────> closed
//!                             └────────┴── a kept connection turned out to be dead: once more, on a new one
//! ```
//!
//! - A request is sent a second time only if a kept connection was lost before any byte of the response, and only if doing
//!   it twice is doing it once (GET, HEAD, OPTIONS, TRACE, PUT, DELETE).
//! - One deadline covers a fetch from the name's lookup to the last byte of the body, whoever is slow.
//! - A response that was not read to its end never gives its connection back: what is left in it belongs to nobody.

mod connection;
mod error;
mod pool;
mod response;

pub use error::{Error, Phase};
pub use response::ClientResponse;

use crate::{
    http::{
        HeaderValue, Method, Request, Uri,
        framing::{Decoder, Framing},
        head::ResponseHead,
        header,
        output::{self, Afterwards},
    },
    net::{Address, STAGGER, TcpOptions, TcpStream, happy_eyeballs},
};
use bytes::Bytes;
use connection::{Connection, Failure};
use pool::Pool;
use runtime::{
    future::{Either, race},
    time::{Instant, sleep_until},
};
use std::{pin::pin, sync::Arc, time::Duration};

/// Fetches URLs. Cloning it is cheap, and clones share their kept connections.
///
/// ```
/// use netio::http::{Request, Response, client::Client, server::Server};
///
/// runtime::block_on(async {
///     let server = Server::bind("127.0.0.1:0")?;
///     let url = format!("http://{}/", server.local_addr());
///     runtime::spawn(server.serve(async |_: Request| Response::new("hello".into())));
///
///     let client = Client::new();
///     let mut response = client.get(&url).await?;
///     assert_eq!(response.status(), 200);
///     assert_eq!(response.headers()["content-length"], "5");
///     while let Some(chunk) = response.chunk().await? {
///         assert_eq!(chunk, "hello");
///     }
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// .unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Client {
    settings: ClientBuilder,
    pool: Arc<Pool>,
}

/// A client's choices.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    timeout: Duration,
    connect_timeout: Duration,
    keep_alive_time: Duration,
    head_bytes: usize,
    body_bytes: u64,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        ClientBuilder {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            keep_alive_time: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            body_bytes: 64 * 1024 * 1024,
        }
    }
}

impl ClientBuilder {
    /// How long a whole fetch may take, from the lookup of the name to the end of the body: 30 s.
    pub fn timeout(mut self, longest: Duration) -> Self {
        self.timeout = longest;
        self
    }

    /// How long looking up the name and connecting may take: 10 s.
    pub fn connect_timeout(mut self, longest: Duration) -> Self {
        self.connect_timeout = longest;
        self
    }

    /// How long a connection is kept for the next request: 30 s. Zero keeps none. One that is too old is closed when the
    /// client is used next, or dropped.
    pub fn keep_alive_time(mut self, longest: Duration) -> Self {
        self.keep_alive_time = longest;
        self
    }

    /// How many bytes the head of a response may have: 64 KiB.
    pub fn head_bytes(mut self, most: usize) -> Self {
        self.head_bytes = most;
        self
    }

    /// How many bytes the body of a response may have: 64 MiB.
    pub fn body_bytes(mut self, most: u64) -> Self {
        self.body_bytes = most;
        self
    }

    /// The client.
    pub fn build(self) -> Client {
        Client { settings: self, pool: Arc::default() }
    }
}

/// What a fetch is about: for its errors, its deadline, and the pool.
#[derive(Debug)]
struct Fetch {
    client: Client,
    url: String,
    /// `host:port`, the key in the pool.
    host: String,
    deadline: Instant,
}

impl Client {
    /// A client with the settings that [`ClientBuilder`] documents.
    pub fn new() -> Client {
        Client::default()
    }

    /// A client with other settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Fetches a URL. Any status is a response, not an error; redirects are not followed.
    ///
    /// # Errors
    /// When there is no response: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub async fn get(&self, url: impl AsRef<str>) -> Result<ClientResponse, Error> {
        let url = url.as_ref();
        let uri = url.parse().map_err(|error: ::http::uri::InvalidUri| bad_url(url, error))?;
        let mut request = Request::default();
        *request.uri_mut() = uri;
        self.request(request).await
    }

    /// Sends a request. Its URI must be absolute; `Host` is added unless it is there, and the length of the body always.
    ///
    /// # Errors
    /// When there is no response: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub async fn request(&self, request: Request) -> Result<ClientResponse, Error> {
        let uri = request.uri();
        let fetch = Fetch {
            client: self.clone(),
            url: uri.to_string(),
            host: host_and_port(uri)?,
            deadline: Instant::now() + self.settings.timeout,
        };
        let wire = write(&request);
        let may_repeat = request.method().is_idempotent();
        let to_head = request.method() == Method::HEAD;
        if let Some(mut kept) = self.pool.take(&fetch.host, self.settings.keep_alive_time) {
            match fetch.exchange(&mut kept, &wire, to_head).await {
                Err(Error::Lost { .. }) if may_repeat && !kept.has_heard() => {}
                result => return Ok(fetch.response(kept, result?)),
            }
        }
        let mut connection = fetch.connect().await?;
        let head = fetch.exchange(&mut connection, &wire, to_head).await?;
        Ok(fetch.response(connection, head))
    }
}

impl Fetch {
    async fn connect(&self) -> Result<Connection, Error> {
        let settings = &self.client.settings;
        let limit = settings.timeout.min(settings.connect_timeout);
        let mut wait = pin!(sleep_until(self.deadline.min(Instant::now() + limit)));
        let addresses = match race(Address::from(&self.host).resolve(), wait.as_mut()).await {
            Either::Left(addresses) => addresses.map_err(|cause| Error::Dns { url: self.url.clone(), cause })?,
            Either::Right(()) => return Err(self.timeout(Phase::Resolve, limit)),
        };
        let options = TcpOptions::new();
        let call = |address| TcpStream::call(address, None, false, &options);
        match race(happy_eyeballs(addresses, STAGGER, call), wait.as_mut()).await {
            Either::Left(Ok(stream)) => Ok(Connection::new(stream)),
            Either::Left(Err(failures)) => Err(Error::Connect { url: self.url.clone(), cause: failures.into() }),
            Either::Right(()) => Err(self.timeout(Phase::Connect, limit)),
        }
    }

    /// Sends the request and reads the head of the response.
    async fn exchange(&self, connection: &mut Connection, wire: &[u8], to_head: bool) -> Result<ResponseHead, Error> {
        let settings = &self.client.settings;
        let exchange = connection.exchange(wire, settings.head_bytes, to_head);
        match race(exchange, sleep_until(self.deadline)).await {
            Either::Left(Ok(head)) => Ok(head),
            Either::Left(Err(failure)) => Err(self.error(connection.phase(), failure)),
            Either::Right(()) => Err(self.timeout(connection.phase(), settings.timeout)),
        }
    }

    fn response(self, connection: Connection, head: ResponseHead) -> ClientResponse {
        let decoder = Decoder::from(head.framing);
        ClientResponse::new(self, connection, head, decoder)
    }

    fn error(&self, phase: Phase, failure: Failure) -> Error {
        let url = self.url.clone();
        match failure {
            Failure::Lost(cause) => Error::Lost { url, phase, cause },
            Failure::Fault(fault) => Error::Protocol { url, phase, reason: fault.reason },
            Failure::HeadTooLarge => Error::TooLarge { url, phase, limit: self.client.settings.head_bytes as u64 },
        }
    }

    fn timeout(&self, phase: Phase, limit: Duration) -> Error {
        Error::Timeout { url: self.url.clone(), phase, limit }
    }
}

fn bad_url(url: &str, reason: impl ToString) -> Error {
    Error::Url { url: url.to_owned(), reason: reason.to_string() }
}

fn host_and_port(uri: &Uri) -> Result<String, Error> {
    let bad = |reason| Err(bad_url(&uri.to_string(), reason));
    let Some(authority) = uri.authority().filter(|_| uri.scheme_str().is_some()) else {
        return bad("it is not absolute");
    };
    if uri.scheme_str() != Some("http") {
        return bad("the scheme is not http");
    }
    if authority.as_str().contains('@') {
        return bad("it names a user");
    }
    let host = authority.host();
    match authority.as_str().strip_prefix(host).and_then(|port| port.strip_prefix(':')) {
        None | Some("") => Ok(format!("{host}:80")),
        Some(port) => port.parse::<u16>().map(|port| format!("{host}:{port}")).or_else(|_| bad("the port is no port")),
    }
}

/// The request as bytes, in one piece.
fn write(request: &Request) -> Vec<u8> {
    let mut headers = request.headers().clone();
    if let Some(authority) = request.uri().authority()
        && !headers.contains_key(header::HOST)
    {
        headers.insert(header::HOST, output::plain(authority.as_str()));
    }
    let ours = HeaderValue::from_static(concat!("handloom/", env!("CARGO_PKG_VERSION")));
    headers.entry(header::USER_AGENT).or_insert(ours);
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let body: &Bytes = request.body();
    let sends = !body.is_empty() || matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let framing = sends.then_some(Framing::Length(body.len() as u64));
    let closes = headers.get(header::CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    let afterwards = if closes { Afterwards::Close } else { Afterwards::Stay };
    let mut wire = Vec::with_capacity(256 + body.len());
    output::request_head(&mut wire, request.method(), request.uri(), &headers, framing, afterwards);
    wire.extend_from_slice(body);
    wire
}
