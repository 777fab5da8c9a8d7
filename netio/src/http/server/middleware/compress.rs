//! Bodies that are smaller on their way: those of responses, and those of requests.

use super::Next;
use crate::http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    coding::{self, Coding, CodingError},
    explain, header,
    server::{BoxResponse, router::endpoint::at_once},
};
use std::{mem, sync::Arc};

/// What [`compress`] does.
///
/// ```
/// use netio::http::{coding::Coding, server::middleware::Compression};
/// let fast = Compression { codings: vec![Coding::Zstd, Coding::Gzip], ..Compression::default() };
/// ```
#[derive(Clone, Debug)]
pub struct Compression {
    /// The codings that may be used, the one that we would rather use first: all.
    pub codings: Vec<Coding>,
    /// A body whose length is known, and is less, is left as it is: 1 KiB. It would hardly get smaller.
    pub least_bytes: u64,
    /// Which media types are worth it, in small letters and without parameters: text, and what is text in its nature (JSON,
    /// JavaScript, XML, SVG, WebAssembly, …). Most others are compressed already.
    pub types: fn(&str) -> bool,
}

impl Default for Compression {
    fn default() -> Self {
        Compression { codings: Coding::ALL.to_vec(), least_bytes: 1024, types: is_text }
    }
}

fn is_text(kind: &str) -> bool {
    let (family, name) = kind.split_once('/').unwrap_or((kind, ""));
    let in_its_nature = ["json", "javascript", "xml", "wasm", "yaml", "x-ndjson", "graphql", "sql", "rtf"];
    match family {
        "text" => true,
        "application" if in_its_nature.contains(&name) => true,
        "application" | "image" if ["+json", "+xml", "+text"].iter().any(|end| name.ends_with(end)) => true,
        "image" => ["bmp", "x-icon", "vnd.microsoft.icon"].contains(&name),
        "font" => ["ttf", "otf"].contains(&name),
        _ => false,
    }
}

/// A layer that compresses the bodies of responses with a coding that the client accepts. RFC 9110, 8.4 and 12.5.3.
///
/// A response that could be compressed has `Vary: accept-encoding`, whether it is or not. One that is compressed has a weak
/// `ETag` (the bytes are not those that the handler named), no `Content-Length` and no ranges. HEAD gets the fields that GET
/// gets. A body is compressed as it is made, and nothing is held back while it waits: server-sent events come at once.
///
/// It is left as it is if it is small, or of a type that is not worth it, or of none; if it has a coding already; with
/// `Cache-Control: no-transform`; with a digest of its bytes; and when it is a part (206), or nothing (204, 304).
///
/// A page that holds a secret (a token against forged requests, say) beside words that a stranger may choose should not be
/// compressed: its length tells, request by request, whether the words resemble the secret (the attack is called BREACH). Put
/// the layer around a nested router without such pages.
///
/// ```
/// use netio::http::server::{Router, middleware::{Compression, compress}};
/// let router = Router::new().get("/", async || "hello ".repeat(1000)).layer(compress(Compression::default()));
/// ```
pub fn compress(compression: Compression) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    let compression = Arc::new(compression);
    move |request: Request, next: Next| {
        let compression = compression.clone();
        let coding = coding::accepted(request.headers(), &compression.codings);
        let known = request.headers().get_all(header::IF_NONE_MATCH).into_iter().cloned().collect::<Vec<_>>();
        Box::pin(async move {
            let mut response = next.run(request).await;
            if response.status() == StatusCode::NOT_MODIFIED {
                vary(response.headers_mut());
                weaken_as_known(response.headers_mut(), &known);
            } else if compression.is_for(&response) {
                vary(response.headers_mut());
                if let Some(coding) = coding {
                    response = apply(response, coding);
                }
            }
            response
        })
    }
}

impl Compression {
    fn is_for(&self, response: &Response) -> bool {
        let headers = response.headers();
        let says = |name, word: &str| {
            let fields = headers.get_all(name).into_iter().filter_map(|field| field.to_str().ok());
            fields.flat_map(|field| field.split(',')).any(|item: &str| item.trim().eq_ignore_ascii_case(word))
        };
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let status = response.status();
        let has_whole = !status.is_informational()
            && ![StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::PARTIAL_CONTENT].contains(&status);
        let is_fixed = [header::CONTENT_ENCODING.as_str(), "content-range", "content-digest", "repr-digest", "digest"];
        has_whole
            && (self.types)(&kind)
            && response.body().length().is_none_or(|length| length >= self.least_bytes)
            && !is_fixed.iter().any(|name| headers.contains_key(*name))
            && !says(header::CACHE_CONTROL, "no-transform")
    }
}

fn apply(mut response: Response, coding: Coding) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    if let Some(tag) = headers.get(header::ETAG) {
        let tag = weak(tag);
        headers.insert(header::ETAG, tag);
    }
    let body = mem::take(response.body_mut());
    *response.body_mut() = coding::encode(body, coding);
    response
}

fn weak(tag: &HeaderValue) -> HeaderValue {
    if tag.as_bytes().starts_with(b"W/") {
        return tag.clone();
    }
    HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).expect("a tag with two more letters")
}

/// The tag of a 304 must be the one of the response that the client keeps, and only the client knows whether that was
/// compressed. RFC 9111, 4.3.4.
fn weaken_as_known(headers: &mut HeaderMap, known: &[HeaderValue]) {
    let Some(tag) = headers.get(header::ETAG) else { return };
    let weak = weak(tag);
    let knows = |tag: &HeaderValue| {
        let lists = known.iter().filter_map(|list| list.to_str().ok());
        lists.flat_map(|list| list.split(',')).any(|item| item.trim().as_bytes() == tag.as_bytes())
    };
    if knows(&weak) && !knows(tag) {
        headers.insert(header::ETAG, weak);
    }
}

fn vary(headers: &mut HeaderMap) {
    let fields = headers.get_all(header::VARY).into_iter().filter_map(|field| field.to_str().ok());
    let mut names = fields.flat_map(|field| field.split(',')).map(str::trim);
    if !names.any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding")) {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// How many codings a request may have on top of each other.
const MOST_CODINGS: usize = 2;

/// A layer that lets clients send compressed bodies: what is further in sees them decoded, with at most `most` bytes, and
/// without `Content-Encoding` and `Content-Length`.
///
/// A coding that is not known is answered with 415 and an `Accept-Encoding` that tells those that are. A body that is too
/// large when it is decoded, or damaged, fails when it is read: an [extractor](crate::http::server::FromRequest) answers with
/// 413 or 400.
///
/// The limit that a body has as it comes ([`Limits::body_bytes`](crate::http::server::Limits::body_bytes)) stays.
///
/// ```
/// use netio::http::server::{Router, middleware::decompress};
/// let router = Router::new().post("/log", async |log: String| log).layer(decompress(10_000_000));
/// ```
pub fn decompress(most: u64) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    move |mut request: Request, next: Next| {
        let codings = match coding::applied(request.headers(), MOST_CODINGS) {
            Ok(codings) => codings,
            Err(error) => return at_once(unsupported(&error)),
        };
        if codings.is_empty() {
            return next.run(request);
        }
        let headers = request.headers_mut();
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        let body = mem::take(request.body_mut());
        *request.body_mut() = coding::decode(body, &codings, most);
        next.run(request)
    }
}

fn unsupported(error: &CodingError) -> Response {
    let mut response = explain(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error.to_string());
    response.headers_mut().insert(header::ACCEPT_ENCODING, Coding::ACCEPT);
    response
}
