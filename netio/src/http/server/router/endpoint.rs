//! A handler without its type, ready to be called.

use crate::http::{
    Request, Response, StatusCode, explain,
    server::{BoxResponse, IntoResponse},
};
use ::http::Extensions;
use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Runs a handler or a middleware so that its panic is a 500, and no more than that.
///
/// `begin` makes the future where it will stay: a request is large, and not moved about more than it must.
pub(in crate::http::server) fn contained<F>(begin: impl FnOnce() -> F) -> BoxResponse
where
    F: Future<Output: IntoResponse> + Send + 'static,
{
    let begun = || -> BoxResponse { Box::pin(Contained { answer: begin() }) };
    catch_unwind(AssertUnwindSafe(begun)).unwrap_or_else(|_| at_once(panicked()))
}

pin_project_lite::pin_project! {
    // By hand, because an async block around the future would have room for it twice.
    struct Contained<F> {
        #[pin]
        answer: F,
    }
}

impl<F: Future<Output: IntoResponse>> Future for Contained<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let answer = self.project().answer;
        // After a panic it is not polled again, so nobody sees what it left undone.
        let polled = catch_unwind(AssertUnwindSafe(|| answer.poll(context).map(IntoResponse::into_response)));
        polled.unwrap_or_else(|_| Poll::Ready(panicked()))
    }
}

pub(in crate::http::server) fn at_once(response: Response) -> BoxResponse {
    Box::pin(std::future::ready(response))
}

fn panicked() -> Response {
    explain(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked")
}

/// A handler, and the states that its router had when it was added.
#[derive(Clone)]
#[doc(hidden)]
pub struct Endpoint {
    call: Arc<dyn Fn(Request) -> BoxResponse + Send + Sync>,
    pub(super) states: Arc<Extensions>,
}

impl Endpoint {
    pub(in crate::http::server) fn new(
        states: &Arc<Extensions>,
        call: impl Fn(Request) -> BoxResponse + Send + Sync + 'static,
    ) -> Self {
        Endpoint { call: Arc::new(call), states: states.clone() }
    }

    pub(in crate::http::server) fn call(&self, request: Request) -> BoxResponse {
        (self.call)(request)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

/// What the router found out about a request: an extension of it, for the extractors.
#[derive(Clone, Debug)]
pub(in crate::http::server) struct Found {
    /// The parameters of the pattern, in its order, and what stands in their places, decoded.
    pub(in crate::http::server) names: Arc<[String]>,
    pub(in crate::http::server) values: Vec<String>,
    pub(in crate::http::server) states: Arc<Extensions>,
}
