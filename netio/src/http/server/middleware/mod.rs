//! What stands around the handlers: async functions of a request and of what comes next.
//!
//! Ready-made are [`timing`], [`request_id`], [`body_limit`], [`access_log`], [`access_log_as`], `compress` and `decompress`.
//! [`Router::layer`](super::Router::layer) tells in which order they stand. None is needed for panics: a panic further in is a 500 like any other.

#[cfg(feature = "compression")]
mod compress;
mod log;
mod log_format;
mod request_id;

#[cfg(feature = "compression")]
pub use compress::{Compression, compress, decompress};
pub use log::{Access, access_log};
pub use log_format::{LogFormat, LogFormatError, access_log_as};
pub use request_id::{RequestId, request_id};

use super::{
    BoxResponse,
    router::{
        endpoint::{Endpoint, at_once},
        table::{Table, not_found},
    },
};
use crate::http::{HeaderName, HeaderValue, Request, Response, output::plain};
use runtime::time::Instant;
use std::{fmt, sync::Arc, time::Duration};

/// A middleware without its type.
pub(super) type Layer = Arc<dyn Fn(Request, Next) -> BoxResponse + Send + Sync>;

/// What is further in: the layers after this one, and the handler.
///
/// Dropped without a call, it is not called: the layer answers in its place.
#[must_use = "nobody further in sees the request unless it is run"]
pub struct Next {
    inner: Inner,
    /// How many of the layers are further out.
    passed: usize,
}

/// The layers, and what is within the last of them.
enum Inner {
    Table(Arc<Table>),
    Handler(Arc<[Layer]>, Option<Endpoint>),
}

impl Next {
    /// A request comes to a router.
    pub(super) fn enter(table: &Arc<Table>, request: Request) -> BoxResponse {
        match table.layers.first() {
            None => table.answer(request),
            Some(layer) => layer(request, Next { inner: Inner::Table(table.clone()), passed: 1 }),
        }
    }

    /// A request comes to the layers of a nested router.
    pub(super) fn enter_nested(layers: &Arc<[Layer]>, endpoint: Option<&Endpoint>, request: Request) -> BoxResponse {
        Next { inner: Inner::Handler(layers.clone(), endpoint.cloned()), passed: 0 }.run(request)
    }

    fn layers(&self) -> &[Layer] {
        match &self.inner {
            Inner::Table(table) => &table.layers,
            Inner::Handler(layers, _) => layers,
        }
    }

    /// The response from further in. There is always one: a panic there is a 500. What is further in begins with this call, and
    /// goes on when the response is awaited.
    ///
    /// # Cancel safety
    /// Dropped, it drops what runs further in: so a layer can set a deadline with
    /// [`timeout`](fn@runtime::time::timeout).
    pub fn run(mut self, request: Request) -> BoxResponse {
        if let Some(layer) = self.layers().get(self.passed).cloned() {
            self.passed += 1;
            return layer(request, self);
        }
        match self.inner {
            Inner::Table(table) => table.answer(request),
            Inner::Handler(_, Some(endpoint)) => endpoint.call(request),
            Inner::Handler(_, None) => at_once(not_found()),
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("layers", &(self.layers().len() - self.passed)).finish_non_exhaustive()
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
    const FIELD: HeaderName = HeaderName::from_static("x-response-time");
    let start = Instant::now();
    let mut response = next.run(request).await;
    response.set_header(FIELD, in_seconds(start.elapsed()));
    response
}

/// Rounded to the millisecond. Most responses take none: that text need not be made.
fn in_seconds(time: Duration) -> HeaderValue {
    let millis = (time.as_micros() + 500) / 1_000;
    if millis == 0 {
        return HeaderValue::from_static("0.000s");
    }
    plain(&format!("{}.{:03}s", millis / 1_000, millis % 1_000))
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
        next.run(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_to_the_millisecond() {
        for (micros, text) in
            [(0, "0.000s"), (499, "0.000s"), (500, "0.001s"), (123_456, "0.123s"), (61_999_500, "62.000s")]
        {
            assert_eq!(in_seconds(Duration::from_micros(micros)), text, "{micros}");
        }
    }
}
