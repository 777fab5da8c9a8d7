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

mod auth;
mod builder;
mod charset;
mod connect;
mod connection;
mod cookies;
mod error;
mod exchange;
mod fetch;
mod incoming;
mod link;
pub mod middleware;
mod observer;
mod pool;
mod proxy;
mod redirect;
mod request;
mod response;
mod save;
mod timeouts;
mod upgraded;
mod upload;
mod url;
mod watch;
mod wire;

pub use builder::ClientBuilder;
pub use cookies::{Cookie, CookieError, Jar};
pub use error::{Error, Phase};
pub use exchange::Coded;
pub use link::Link;
pub use middleware::{BoxFetch, Middleware, Next};
pub use observer::{Event, Observer, RequestInfo};
pub use pool::{HostStats, PoolStats};
pub use proxy::Proxy;
pub use redirect::{RedirectFailure, Redirected};
pub use request::RequestBuilder;
pub use response::ClientResponse;
pub use save::Progress;
pub use timeouts::{TimeoutKind, Timeouts};
pub use upgraded::Upgraded;

use crate::http::{Body, Method};
use ::http::Extensions;
use builder::{Defaults, Settings};
use middleware::Layer;
use pool::Pool;
use std::{
    fmt,
    future::ready,
    sync::{Arc, atomic::AtomicU64},
};

/// A request that a client sends, to be built with the `http` crate or with a [`RequestBuilder`]. Its URI is absolute. What a
/// server's handler gets is [another type](crate::http::Request), which becomes one by `into`: give it an absolute URI then, and
/// mind that its `Host` is still the old one.
///
/// ```
/// use netio::http::{Body, client::ClientRequest};
/// let request: ClientRequest = http::Request::get("http://127.0.0.1/").header("accept", "text/plain").body(Body::empty())?;
/// # Ok::<(), http::Error>(())
/// ```
pub type ClientRequest = ::http::Request<Body>;

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
    defaults: Defaults,
    pool: Arc<Pool>,
    /// How many there were, if somebody looks on.
    requests: AtomicU64,
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

    /// A PUT to a URL, otherwise as [`get`](Client::get).
    pub fn put(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// A PATCH of a URL, otherwise as [`get`](Client::get).
    pub fn patch(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// A DELETE of a URL, otherwise as [`get`](Client::get).
    pub fn delete(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    /// A HEAD of a URL, otherwise as [`get`](Client::get): a response without its body.
    pub fn head(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// An OPTIONS to a URL, otherwise as [`get`](Client::get).
    pub fn options(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::OPTIONS, url)
    }

    /// A request with whatever method, otherwise as [`get`](Client::get).
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url.as_ref())
    }

    /// Sends a request that was put together elsewhere, when the future is awaited: it borrows nothing, and may be spawned. The
    /// URI must be absolute; `Host` is added unless it is there, and the
    /// length of the body always.
    ///
    /// # Errors
    /// When there is no response: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub fn execute(&self, mut request: ClientRequest) -> BoxFetch {
        if request.uri().authority().is_some_and(|authority| authority.as_str().contains('@'))
            && let Err(error) = url::of_uri(request.uri()).and_then(|url| url::aim(&mut request, &url))
        {
            return Box::pin(ready(Err(error)));
        }
        self.inner.defaults.add_to(&mut request);
        Next::new(self.clone()).run(request)
    }

    /// What the pool holds now.
    ///
    /// ```
    /// use netio::http::client::Client;
    /// let stats = Client::new().pool_stats();
    /// assert_eq!((stats.idle, stats.in_use, stats.waiting), (0, 0, 0));
    /// ```
    pub fn pool_stats(&self) -> PoolStats {
        self.inner.pool.stats()
    }

    /// Closes the client and all its clones: no request begins any more, those that wait for a connection fail with
    /// [`Error::Closed`], idle connections are closed at once. Returns when those in use are closed too: a response that nobody
    /// reads is waited for, so put a [`timeout`](runtime::time::timeout) around it.
    ///
    /// To drop the last clone closes what is idle as well, and waits for nothing.
    ///
    /// # Cancel safety
    /// The client stays closed.
    pub async fn close(&self) {
        self.inner.pool.close().await;
    }

    /// Those of a request, and where it says nothing, ours.
    fn timeouts_of(&self, extensions: &Extensions) -> Timeouts {
        let ours = self.inner.settings.timeouts;
        extensions.get::<Timeouts>().map_or(ours, |own| own.or(ours))
    }

    /// The client's cookies, if it has [any](ClientBuilder::cookies).
    pub fn cookies(&self) -> Option<&Jar> {
        self.inner.defaults.jar.as_ref()
    }
}
