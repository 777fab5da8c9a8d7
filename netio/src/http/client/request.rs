//! A request while it is put together.

use super::{Client, ClientResponse, Error, bad_url, middleware::BoxFetch};
use crate::http::{Body, HeaderName, HeaderValue, Method, Request, Uri};
use std::fmt;

/// A request that is put together, and sent when it is awaited (or by [`send`](RequestBuilder::send)). What is wrong with it is
/// told then, too.
#[must_use = "a request is sent when it is awaited"]
pub struct RequestBuilder {
    client: Client,
    /// The first mistake is kept.
    request: Result<Request, Error>,
}

impl RequestBuilder {
    pub(super) fn new(client: Client, method: Method, url: &str) -> Self {
        let request = url.parse::<Uri>().map_err(|error| bad_url(url, error)).map(|uri| {
            let mut request = Request::default();
            *request.method_mut() = method;
            *request.uri_mut() = uri;
            request
        });
        RequestBuilder { client, request }
    }

    /// Adds a header field.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        if let Ok(request) = &mut self.request {
            let url = request.uri().to_string();
            match (name.try_into(), value.try_into()) {
                (Ok(name), Ok(value)) => {
                    request.headers_mut().append(name, value);
                }
                (Err(error), _) => self.request = Err(bad_url(&url, error)),
                (_, Err(error)) => self.request = Err(bad_url(&url, error)),
            }
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        if let Ok(request) = &mut self.request {
            *request.body_mut() = body.into();
        }
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// When there is no response, or the request cannot be sent: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub async fn send(self) -> Result<ClientResponse, Error> {
        self.client.execute(self.request?).await
    }
}

impl IntoFuture for RequestBuilder {
    type Output = Result<ClientResponse, Error>;
    type IntoFuture = BoxFetch;

    fn into_future(self) -> BoxFetch {
        Box::pin(self.send())
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}
