//! The head of a request as bytes, and where its body ends.
//!
//! What belongs to the connection (the length of the body, the credentials for a proxy) is written here and nowhere else:
//! fields of those names in a request are not copied.

use super::upload::Outgoing;
use crate::http::{Body, HeaderValue, Method, Uri, body, header};
use ::http::request::Parts;

/// How the target is written. RFC 9112, 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The path and the query.
    Origin,
    /// All of it: to a proxy.
    Absolute,
}

/// What a client adds to a request that does not say it itself.
pub(super) struct More<'a> {
    pub(super) user_agent: &'a HeaderValue,
    /// A request of whose own there are none.
    pub(super) cookies: Option<HeaderValue>,
    /// The same.
    pub(super) accept_encoding: Option<HeaderValue>,
    /// What stands behind the body, if that goes out in chunks.
    pub(super) trailer: Option<HeaderValue>,
}

/// Writes the head. `length` is that of the body: none if there is no body, `Some(None)` if it is not known.
pub(super) fn head(
    output: &mut Vec<u8>,
    request: &Parts,
    more: &More<'_>,
    target: Target,
    length: Option<Option<u64>>,
    proxy: Option<&HeaderValue>,
) {
    let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| output.extend_from_slice(part));
    put(&[request.method.as_str().as_bytes(), b" "]);
    let path = path_of(&request.method, &request.uri, target).as_bytes();
    let authority = request.uri.authority().map_or("", |authority| authority.as_str());
    match target {
        Target::Origin => put(&[path]),
        Target::Absolute => put(&[b"http://", authority.as_bytes(), path]),
    }
    put(&[b" HTTP/1.1\r\n"]);
    let fields = &request.headers;
    if !fields.contains_key(header::HOST) {
        put(&[b"host: ", authority.as_bytes(), b"\r\n"]);
    }
    for (name, value) in fields {
        // What is for a proxy goes to no server. RFC 9110, 11.7.2.
        let ours = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::PROXY_AUTHORIZATION].contains(name);
        if !ours {
            put(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
        }
    }
    if !fields.contains_key(header::USER_AGENT) {
        put(&[b"user-agent: ", more.user_agent.as_bytes(), b"\r\n"]);
    }
    if let Some(codings) = &more.accept_encoding {
        put(&[b"accept-encoding: ", codings.as_bytes(), b"\r\n"]);
    }
    if let Some(cookies) = &more.cookies {
        put(&[b"cookie: ", cookies.as_bytes(), b"\r\n"]);
    }
    if !fields.contains_key(header::ACCEPT) {
        put(&[b"accept: */*\r\n"]);
    }
    if let Some(credentials) = proxy {
        put(&[b"proxy-authorization: ", credentials.as_bytes(), b"\r\n"]);
    }
    match length {
        None => {}
        Some(None) => {
            if let Some(names) = &more.trailer {
                put(&[b"trailer: ", names.as_bytes(), b"\r\n"]);
            }
            put(&[b"transfer-encoding: chunked\r\n"]);
        }
        Some(Some(length)) => {
            put(&[b"content-length: ", itoa::Buffer::new().format(length).as_bytes(), b"\r\n"]);
        }
    }
    put(&[b"\r\n"]);
}

fn path_of<'a>(method: &Method, uri: &'a Uri, target: Target) -> &'a str {
    match uri.path_and_query().map(|target| target.as_str()) {
        // `OPTIONS http://host` asks about the server, not about a path of it. RFC 9112, 3.2.4.
        Some("*") if *method == Method::OPTIONS && target == Target::Absolute => "",
        None | Some("") => "/",
        Some(path) => path,
    }
}

/// The body to be sent, and how the head tells its length. A GET without a body says nothing of one; a POST says that it is
/// empty. RFC 9110, 8.6.
pub(super) fn body(method: &Method, mut body: Body) -> (Outgoing, Option<Option<u64>>) {
    let (length, trailers) = (body.length(), body.take_announced());
    match (body.into_outgoing(), length) {
        (body::Outgoing::Whole(bytes), _) => {
            let says = !bytes.is_empty() || matches!(*method, Method::POST | Method::PUT | Method::PATCH);
            let length = says.then_some(Some(bytes.len() as u64));
            (Outgoing::Whole(bytes), length)
        }
        (body::Outgoing::Stream(chunks), Some(length)) => (Outgoing::Sized(chunks, length), Some(Some(length))),
        (body::Outgoing::Stream(chunks), None) => (Outgoing::Chunked(chunks, trailers), Some(None)),
    }
}
