//! A handler without its type, ready to be called.

use super::path;
use crate::http::{
    Request, Response, StatusCode, explain,
    server::{BoxResponse, IntoResponse},
};
use ::http::Extensions;
use smallvec::SmallVec;
use std::{
    borrow::Cow,
    fmt,
    future::Future,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Runs a handler or a middleware so that its panic is a 500, and no more than that.
///
/// `begin` makes the future where it will stay: it may be large, and is not moved about more than it must.
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

/// What the router found out about a request, for the extractors.
#[derive(Clone)]
pub(in crate::http::server) struct Found {
    /// The parameters of the pattern, in its order.
    pub(super) names: Option<Arc<[String]>>,
    /// What stands in their places: pieces of the path as it was compared, or of the head as it came if that is the same.
    pub(in crate::http::server) values: Pieces,
    /// The path as it was compared, if they are pieces of that and not of the head.
    pub(in crate::http::server) path: Option<Box<str>>,
    /// Those of the router, if it has any.
    pub(super) states: Option<Arc<Extensions>>,
}

/// Where some pieces of a text are in it.
pub(in crate::http::server) type Pieces = SmallVec<[Range<u32>; 3]>;

impl Request {
    /// The parameters of the path: their names and values, in the order of the pattern, decoded.
    pub(in crate::http::server) fn parameters(&self) -> impl DoubleEndedIterator<Item = (&str, Cow<'_, str>)> {
        let (names, values, path) = match self.found() {
            Some(Found { names: Some(names), values, path, .. }) => (&names[..], &values[..], path.as_deref()),
            _ => (&[][..], &[][..], None),
        };
        names.iter().zip(values).map(move |(name, piece)| {
            let text = match path {
                Some(path) => &path[piece.start as usize..piece.end as usize],
                None => self.head().text(piece.clone()),
            };
            (name.as_str(), path::value(text))
        })
    }

    /// What the router shares with the handler.
    pub(in crate::http::server) fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.found()?.states.as_ref()?.get()
    }
}
