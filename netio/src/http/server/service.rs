//! What a server serves: something that makes responses of requests.

use crate::http::{Request, Response};
use std::{future::Future, pin::Pin};

/// A response while it is made, of whatever type its future is.
pub type BoxResponse = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Answers requests. Every `async fn(Request) -> Response` does, and every closure of that kind; so does a
/// [`Router`](super::Router). Many requests are answered at once, hence `&self`.
///
/// A panic, in the call or in the future, costs the peer its connection and nobody else anything.
pub trait Service: Send + Sync + 'static {
    /// The answer while it is made.
    type Answer: Future<Output = Response> + Send + 'static;

    /// Begins to answer a request.
    fn answer(&self, request: Request) -> Self::Answer;
}

impl<H, F> Service for H
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    type Answer = F;

    fn answer(&self, request: Request) -> F {
        self(request)
    }
}
