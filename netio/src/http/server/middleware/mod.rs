//! What stands around the handlers: async functions of a request and of what comes next.
//!
//! Ready-made are [`timing`], [`request_id`], [`body_limit`] and [`access_log`]. [`Router::layer`](super::Router::layer) tells
//! in which order they stand. None is needed for panics: a panic further in is a 500 like any other.

mod log;
mod request_id;

pub use log::{Access, access_log};
pub use request_id::{RequestId, request_id};

use super::{
    BoxResponse,
    router::{
        endpoint::{Endpoint, at_once},
        table::{Table, not_found},
    },
};
use crate::http::{HeaderValue, Request, Response};
use runtime::time::Instant;
use std::{fmt, sync::Arc};

/// A middleware without its type.
pub(super) type Layer = Arc<dyn Fn(Request, Next) -> BoxResponse + Send + Sync>;

/// What is further in: the layers after this one, and the handler.
///
/// Dropped without a call, it is not called: the layer answers in its place.
#[must_use = "nobody further in sees the request unless it is run"]
pub struct Next {
    layers: Arc<[Layer]>,
    /// How many of them are further out.
    passed: usize,
    last: Last,
}

/// What is innermost.
enum Last {
    Table(Arc<Table>),
    Handler(Option<Endpoint>),
}

impl Next {
    pub(super) fn before_table(table: &Arc<Table>) -> Next {
        Next { layers: table.layers.clone(), passed: 0, last: Last::Table(table.clone()) }
    }

    pub(super) fn before_handler(layers: &Arc<[Layer]>, endpoint: Option<&Endpoint>) -> Next {
        Next { layers: layers.clone(), passed: 0, last: Last::Handler(endpoint.cloned()) }
    }

    pub(super) fn begin(mut self, request: Request) -> BoxResponse {
        if let Some(layer) = self.layers.get(self.passed).cloned() {
            self.passed += 1;
            return layer(request, self);
        }
        match self.last {
            Last::Table(table) => table.answer(request),
            Last::Handler(Some(endpoint)) => endpoint.call(request),
            Last::Handler(None) => at_once(not_found()),
        }
    }

    /// The response from further in. There is always one: a panic there is a 500.
    ///
    /// # Cancel safety
    /// Dropped, it drops what runs further in: so a layer can set a deadline with
    /// [`timeout`](fn@runtime::time::timeout).
    pub async fn run(self, request: Request) -> Response {
        self.begin(request).await
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("layers", &(self.layers.len() - self.passed)).finish_non_exhaustive()
    }
}

/// A layer that says how long a response took to make, in seconds: `X-Response-Time: 0.123s`.
///
/// It is on every response that passes the layer, whatever its status. That of a streamed body is the time to its head: the
/// field stands in front of the body, when nobody knows how long that will take.
///
/// ```
/// use netio::http::server::{Router, middleware};
/// let router = Router::new().layer(middleware::timing);
/// ```
pub async fn timing(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let time = format!("{:.3}s", start.elapsed().as_secs_f64());
    let time = HeaderValue::from_str(&time).expect("digits, a point and a letter");
    response.headers_mut().insert("x-response-time", time);
    response
}

/// A layer that lets the body of a request have so many bytes: fewer than the server's
/// [`Limits::body_bytes`](super::Limits::body_bytes), or more. Beyond, whoever reads the body is told, and an
/// [extractor](super::FromRequest) answers with 413.
///
/// ```
/// use netio::http::server::{Router, middleware};
/// let router = Router::new().post("/note", async |note: String| note).layer(middleware::body_limit(1000));
/// ```
pub fn body_limit(most: u64) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    move |mut request, next| {
        request.body_mut().set_limit(most);
        next.begin(request)
    }
}
