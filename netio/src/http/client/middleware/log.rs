//! A layer that tells of each exchange in one line.

use super::{BoxFetch, Next};
use crate::http::{
    Method, StatusCode,
    client::{ClientRequest, Error, url},
};
use runtime::time::Instant;
use std::{fmt, sync::Arc, time::Duration};

/// How a request went, up to the head of its response. Displayed, it is a line of a log; a user in the URL is not shown:
///
/// ```text
/// GET http://host/page 200 in 0.102s
/// GET http://host/page failed in 3.000s: http://host/page: timed out after 3s while waiting for the head of the response
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL that was asked for.
    pub url: &'a str,
    /// The status of the response, or why there is none.
    pub result: Result<StatusCode, &'a Error>,
    /// How long it took, with all that is further in.
    pub time: Duration,
}

impl fmt::Display for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exchange { method, url, result, time } = self;
        let seconds = time.as_secs_f64();
        match result {
            Ok(status) => write!(f, "{method} {url} {} in {seconds:.3}s", status.as_str()),
            Err(error) => write!(f, "{method} {url} failed in {seconds:.3}s: {error}"),
        }
    }
}

/// A layer that hands `write` what is to be logged of each request. As the outermost layer it sees requests; as the innermost,
/// each try. `write` runs in the task that asks: it must not block for long. A request that is dropped is not logged.
///
/// ```
/// use netio::http::client::{Client, middleware::log};
/// let client = Client::builder().layer(log(|exchange| eprintln!("{exchange}"))).build();
/// ```
pub fn log(
    write: impl Fn(&Exchange<'_>) + Send + Sync + 'static,
) -> impl Fn(ClientRequest, Next) -> BoxFetch + Send + Sync + 'static {
    let write = Arc::new(write);
    move |request, next| {
        let write = write.clone();
        Box::pin(async move {
            let start = Instant::now();
            let (method, uri) = (request.method().clone(), request.uri().to_string());
            let result = next.run(request).await;
            write(&Exchange {
                method: &method,
                url: &url::shown(&uri),
                result: result.as_ref().map(|response| response.status()),
                time: start.elapsed(),
            });
            result
        })
    }
}
