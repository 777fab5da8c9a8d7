//! What stands around a client's requests: async functions of a request and of what comes next.
//!
//! ```text
//!   Client::execute ──> layer ──> layer ──> redirects ──> cookies, decoding ──> one exchange with one server
//! ```
//!
//! Ready-made are [`log`] and the [policies](crate::policy): [`retry`], [`rate_limit`], [`breaker`] and [`adaptive`]; and, with a cargo
//! feature, `digest_auth`. The order in
//! which a client is given them is from the outside in, and it matters: a retry around a breaker around a limit, so that a try
//! that is refused costs nothing, and each try waits for its turn.
//!
//! ```
//! use netio::{http::client::{Client, middleware}, policy::{CircuitBreaker, RateLimiter, Retry}};
//!
//! let client = Client::builder()
//!     .layer(middleware::log(|exchange| println!("{exchange}")))
//!     .layer(middleware::retry(Retry::new(4)))
//!     .layer(middleware::breaker(CircuitBreaker::new))
//!     .layer(middleware::rate_limit(RateLimiter::new(10.0).unwrap()))
//!     .build();
//! ```

mod adaptive;
mod breaker;
#[cfg(feature = "digest-auth")]
mod digest;
mod log;
mod rate_limit;
mod retry;

pub use adaptive::adaptive;
pub use breaker::breaker;
#[cfg(feature = "digest-auth")]
pub use digest::digest_auth;
pub use log::{Exchange, log};
pub use rate_limit::rate_limit;
pub use retry::{Tries, retry};

use super::{Client, ClientRequest, ClientResponse, Error, redirect};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// A response while it is fetched, of whatever type its future is.
pub type BoxFetch = Pin<Box<dyn Future<Output = Result<ClientResponse, Error>> + Send>>;

/// A middleware without its type.
pub(in crate::http::client) type Layer = Arc<dyn Fn(ClientRequest, Next) -> BoxFetch + Send + Sync>;

/// A middleware: every `async fn(ClientRequest, Next) -> Result<ClientResponse, Error>` is one.
///
/// ```
/// use netio::http::client::{Client, ClientRequest, ClientResponse, Error, Next};
///
/// async fn logged(request: ClientRequest, next: Next) -> Result<ClientResponse, Error> {
///     let line = format!("{} {}", request.method(), request.uri());
///     let result = next.run(request).await;
///     match &result {
///         Ok(response) => println!("{line}: {}", response.status()),
///         Err(error) => println!("{error}"),
///     }
///     result
/// }
///
/// let client = Client::builder().layer(logged).build();
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// Does what it does, and usually [runs](Next::run) what comes next.
    fn handle(
        &self,
        request: ClientRequest,
        next: Next,
    ) -> impl Future<Output = Result<ClientResponse, Error>> + Send + 'static;
}

impl<M, F> Middleware for M
where
    M: Fn(ClientRequest, Next) -> F + Send + Sync + 'static,
    F: Future<Output = Result<ClientResponse, Error>> + Send + 'static,
{
    fn handle(
        &self,
        request: ClientRequest,
        next: Next,
    ) -> impl Future<Output = Result<ClientResponse, Error>> + Send + 'static {
        self(request, next)
    }
}

/// What is further in: the layers after this one, and the exchange with the server. A clone does it once more: so a layer can
/// try again.
#[derive(Clone)]
#[must_use = "nothing is sent unless it is run"]
pub struct Next {
    client: Client,
    /// How many layers are further out.
    passed: usize,
}

impl Next {
    pub(in crate::http::client) fn new(client: Client) -> Self {
        Next { client, passed: 0 }
    }

    /// The response from further in. The next layer is called at once; nothing is sent before the response is awaited.
    ///
    /// # Errors
    /// When there is none.
    ///
    /// # Cancel safety
    /// Dropped, it drops what runs further in.
    pub fn run(mut self, request: ClientRequest) -> BoxFetch {
        if let Some(layer) = self.client.inner.layers.get(self.passed).cloned() {
            self.passed += 1;
            return layer(request, self);
        }
        // Large, and so made where it will stay.
        let fetch = Box::write(Box::new_uninit(), redirect::follow(self.client, request));
        Box::into_pin(fetch)
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("passed", &self.passed).finish_non_exhaustive()
    }
}
