//! HTTP/1.1: messages, and the way they stand on the wire.
//!
//! ```text
//!            input ──> head ──> framing ──> Request ──> handler ──> Response ──> output
//!    bytes as they     who     where the                                         bytes, many
//!    come              asks    body ends                                         in one write
//! ```
//!
//! `head`, `framing` and `output` know no sockets: they take bytes and give messages, or the other way round, and server
//! and client use the same ones. The words of a head are found in one pass if it is plain, else by httparse. What RFC 9112
//! says about them is decided here, and always the strict way: where two readers could understand a message differently (bare
//! line feeds, two lengths, folded lines), it is refused, because such messages are how requests are smuggled past a proxy.

mod body;
pub mod client;
pub mod coding;
pub mod conditional;
mod fault;
pub mod files;
mod framing;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod head;
mod input;
pub mod multipart;
mod output;
pub mod range;
pub mod server;
pub mod sse;
pub mod test;
mod trailers;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};
pub use body::{Body, BodyReader, BodyWriter};
pub use server::{Request, Response};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// A response with a status, a type and a body.
///
/// ```
/// use netio::http::{StatusCode, reply};
/// let response = reply(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "no such page\n");
/// assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
/// ```
pub fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    // Those that we know were checked when they were compiled.
    let known = [TEXT, HTML, JSON, OCTETS].into_iter().find(|known| known == content_type);
    let content_type = known.unwrap_or_else(|| HeaderValue::from_static(content_type));
    Response::of_type(status, content_type, body.into())
}

/// Whether a text is a token: the name of a thing in the protocol. RFC 9110, 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| head::IN_A_TOKEN[usize::from(byte)])
}

/// What parts the parts of a multipart body: 128 bits of chance, so that it is in none of them.
pub(crate) fn boundary() -> String {
    format!("{:016x}{:016x}", runtime::random::next_u64(), runtime::random::next_u64())
}

/// A response that says its status in words, and why.
pub(crate) fn explain(status: StatusCode, reason: &str) -> Response {
    let words = status.canonical_reason().unwrap_or("refused");
    Response::of_type(status, TEXT, format!("{} {words}: {reason}\n", status.as_str()).into())
}
