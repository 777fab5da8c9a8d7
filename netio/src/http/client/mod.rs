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

mod builder;
mod connection;
mod error;
mod fetch;
mod incoming;
mod middleware;
mod pool;
mod request;
mod response;

pub use builder::ClientBuilder;
pub use error::{Error, Phase};
pub use middleware::{BoxFetch, Middleware, Next};
pub use request::RequestBuilder;
pub use response::ClientResponse;

use crate::http::{Method, Request};
use builder::Settings;
use middleware::Layer;
use pool::Pool;
use std::{fmt, sync::Arc};

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
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What the clones of a client share.
struct Inner {
    settings: Settings,
    pool: Pool,
    layers: Arc<[Layer]>,
}

impl Default for Client {
    fn default() -> Self {
        ClientBuilder::default().build()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
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

    /// A GET of a URL, to be awaited. Any status is a response, not an error.
    ///
    /// # Errors
    /// When it is awaited and there is no response: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A POST to a URL, otherwise as [`get`](Client::get).
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request with whatever method, otherwise as [`get`](Client::get).
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url.as_ref())
    }

    /// Sends a request that was put together elsewhere. Its URI must be absolute; `Host` is added unless it is there, and the
    /// length of the body always.
    ///
    /// # Errors
    /// When there is no response: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub async fn execute(&self, request: Request) -> Result<ClientResponse, Error> {
        Next::new(self.clone()).run(request).await
    }
}

fn bad_url(url: &str, reason: impl ToString) -> Error {
    Error::Url { url: url.to_owned(), reason: reason.to_string() }
}
