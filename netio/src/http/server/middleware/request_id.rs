//! A name for each request, to find it again in logs.

use super::Next;
use crate::http::{HeaderName, HeaderValue, Request, output::plain, server::BoxResponse};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

const FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is taken from a client: it goes into logs.
const LONGEST: usize = 64;

/// The name of a request: an extension of it, and an [extractor](crate::http::server::FromRequest) for handlers, where
/// [`request_id`] is a layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("it was checked")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A layer that gives each request a [`RequestId`], and says it in the response: `X-Request-Id`.
///
/// The name is the client's, if it sends one (at most 64 letters, digits, `-`, `_` or `.`); else it is `PREFIX-1`,
/// `PREFIX-2`, … A prefix that no other server has, and no other start of this one, makes it unique.
///
/// ```
/// use netio::http::server::{Router, middleware::{RequestId, request_id}};
/// let router = Router::new().get("/", async |id: RequestId| format!("this is {id}\n")).layer(request_id("web1"));
/// ```
///
/// # Panics
/// When the prefix has other characters, or more than 43.
pub fn request_id(prefix: impl Into<String>) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    let prefix = prefix.into();
    assert!(is_name(prefix.as_bytes()) && prefix.len() <= 43, "`{prefix}` cannot be the prefix of a request's name");
    let last = AtomicU64::new(0);
    move |mut request: Request, next: Next| {
        let given = request.headers().get(FIELD).filter(|value| is_name(value.as_bytes())).cloned();
        let id = given.unwrap_or_else(|| plain(&format!("{prefix}-{}", last.fetch_add(1, Ordering::Relaxed) + 1)));
        request.extensions_mut().insert(RequestId(id.clone()));
        Box::pin(async move {
            let mut response = next.run(request).await;
            response.set_header(FIELD, id);
            response
        })
    }
}

fn is_name(text: &[u8]) -> bool {
    let may_be = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=LONGEST).contains(&text.len()) && text.iter().all(may_be)
}
