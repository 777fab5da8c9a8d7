//! A request as it comes to a handler.

use super::{PeerAddr, router::endpoint::Found};
use crate::http::{Body, HeaderMap, HeaderName, Method, Uri, Version, head::RequestHead};
use ::http::Extensions;
use std::{fmt, net::SocketAddr};

/// A request that came to a server. Its body may still have to come.
///
/// It has the accessors of a request of the `http` crate, and becomes one and is made of one by `into`: for `into_parts` and
/// `map`, and for libraries that speak its language. It differs in two things. It is one pointer, because it is handed from
/// layer to layer. And its target and its fields stay the bytes that came until somebody asks for [`uri`](Request::uri) or
/// [`headers`](Request::headers): [`path`](Request::path), [`query`](Request::query) and [`header`](Request::header) cost less.
///
/// ```
/// use netio::http::{Body, Method, Request, header};
///
/// let request = Request::builder().uri("/coins?year=1999").header("accept", "text/plain");
/// let request: Request = request.body(Body::empty())?.into();
/// assert_eq!((request.method(), request.path(), request.query()), (&Method::GET, "/coins", Some("year=1999")));
/// assert_eq!(request.header(&header::ACCEPT), Some("text/plain"));
/// assert_eq!(request.headers()["accept"], "text/plain");
/// let request: http::Request<Body> = request.into();
/// assert_eq!(request.uri().path(), "/coins");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Default)]
pub struct Request(Box<Parts>);

#[derive(Default)]
struct Parts {
    head: RequestHead,
    body: Body,
    peer: Option<SocketAddr>,
    found: Option<Found>,
    extensions: Extensions,
}

impl Request {
    /// A request for `/`, with GET.
    pub fn new(body: Body) -> Request {
        Request(Box::new(Parts { body, ..Parts::default() }))
    }

    /// The builder of the `http` crate: what its `body` gives becomes a request by `into`.
    pub fn builder() -> ::http::request::Builder {
        ::http::Request::builder()
    }

    /// One that came, and has no body yet.
    pub(in crate::http) fn received(head: RequestHead) -> Request {
        let (body, extensions) = (Body::empty(), Extensions::new());
        Request(Box::new(Parts { head, body, peer: None, found: None, extensions }))
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.0.head.method
    }

    /// To change the method.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.0.head.method
    }

    /// The version that the client speaks.
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// To change the version, which decides how an [upgrade](super::upgrade) is answered. (The connection goes by what came.)
    pub fn version_mut(&mut self) -> &mut Version {
        &mut self.0.head.version
    }

    /// The path of the target, as it was sent: not decoded. `*` for an `OPTIONS` of the whole server.
    pub fn path(&self) -> &str {
        self.0.head.path()
    }

    /// What stands behind the path and its question mark, as it was sent.
    pub fn query(&self) -> Option<&str> {
        self.0.head.query()
    }

    /// The target: a path, perhaps with a query, or `*`. (The host is in the field `Host`, wherever the client wrote it.)
    pub fn uri(&self) -> &Uri {
        self.0.head.uri()
    }

    /// To change the target.
    pub fn uri_mut(&mut self) -> &mut Uri {
        self.0.head.uri_mut()
    }

    /// The first field of a name, if it is text. As long as nobody has asked for all of them it costs less than they do.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.0.head.fields().text(name)
    }

    /// The fields.
    pub fn headers(&self) -> &HeaderMap {
        self.0.head.fields().map()
    }

    /// To change the fields.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.0.head.fields_mut().map_mut()
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.0.body
    }

    /// To read the body, or to put another in its place.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.0.body
    }

    /// The body, and nothing else.
    pub fn into_body(self) -> Body {
        self.0.body
    }

    /// Who sent it, if it came by TCP.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.peer
    }

    /// Says who sent it: for a layer that knows better, because a proxy of ours has told. Anybody else can send such a field too.
    ///
    /// ```
    /// use netio::http::{HeaderName, Request, server::{Next, Router}};
    /// use std::net::SocketAddr;
    ///
    /// const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
    ///
    /// let router = Router::new().layer(async |mut request: Request, next: Next| {
    ///     // The last one is whom our own proxy saw.
    ///     let told = request.header(&FORWARDED).and_then(|all| all.rsplit(',').next()?.trim().parse().ok());
    ///     if let Some(address) = told {
    ///         request.set_peer(SocketAddr::new(address, 0));
    ///     }
    ///     next.run(request).await
    /// });
    /// ```
    pub fn set_peer(&mut self, peer: impl Into<Option<SocketAddr>>) {
        self.0.peer = peer.into();
    }

    /// What layers found out.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Where a layer leaves what it found out, for whoever is further in.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.0.extensions
    }

    pub(super) fn found(&self) -> Option<&Found> {
        self.0.found.as_ref()
    }

    pub(super) fn set_found(&mut self, found: Found) {
        self.0.found = Some(found);
    }

    pub(super) fn head(&self) -> &RequestHead {
        &self.0.head
    }
}

/// The [`PeerAddr`] among the extensions becomes who sent it, and what a router found out is known again.
impl From<::http::Request<Body>> for Request {
    fn from(request: ::http::Request<Body>) -> Request {
        let (mut parts, body) = request.into_parts();
        let peer = parts.extensions.remove().map(|PeerAddr(peer)| peer);
        let head = RequestHead::made(parts.method, parts.version, parts.uri, parts.headers);
        Request(Box::new(Parts { head, body, peer, found: parts.extensions.remove(), extensions: parts.extensions }))
    }
}

/// Who sent it becomes a [`PeerAddr`] among the extensions. What a router found out travels there too, for the way back.
impl From<Request> for ::http::Request<Body> {
    fn from(request: Request) -> ::http::Request<Body> {
        let Parts { head, body, peer, found, mut extensions } = *request.0;
        if let Some(mut found) = found {
            // Its pieces are those of a head that stays behind.
            found.path.get_or_insert_with(|| head.up_to_path().into());
            extensions.insert(found);
        }
        if let Some(peer) = peer {
            extensions.insert(PeerAddr(peer));
        }
        let mut request = ::http::Request::new(body);
        *request.extensions_mut() = extensions;
        *request.version_mut() = head.version;
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = head.into_parts();
        request
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { head, body, .. } = &*self.0;
        f.debug_struct("Request")
            .field("method", &head.method)
            .field("uri", head.uri())
            .field("version", &head.version)
            .field("headers", head.fields().map())
            .field("body", body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::header;

    #[test]
    fn it_becomes_one_of_the_http_crate_and_comes_back() {
        let head = "GET /x?y HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n";
        let taken = crate::http::head::take_request(&mut Default::default(), &mut head.into(), 100, 2);
        let (_, mut request) = taken.unwrap().unwrap();
        let peer: SocketAddr = "10.0.0.1:80".parse().unwrap();
        request.set_peer(peer);
        *request.body_mut() = Body::from("c");
        request.extensions_mut().insert(7_u8);
        let request: ::http::Request<Body> = request.into();
        assert_eq!(
            (request.method(), request.uri().to_string(), request.headers().len()),
            (&Method::GET, "/x?y".to_owned(), 2)
        );
        assert_eq!(request.extensions().get(), Some(&PeerAddr(peer)));
        let mut request: Request = request.into();
        assert_eq!((request.path(), request.query(), request.peer()), ("/x", Some("y"), Some(peer)));
        assert_eq!(
            (request.extensions().len(), request.extensions().get(), request.body().length()),
            (1, Some(&7_u8), Some(1))
        );
        request.headers_mut().insert(header::ACCEPT, "d".parse().unwrap());
        *request.uri_mut() = "/z".parse().unwrap();
        assert_eq!(
            (&request.headers()["accept"], request.path(), request.query()),
            (&"d".parse().unwrap(), "/z", None)
        );
        let made = Request::default();
        assert_eq!((made.path(), made.query(), made.uri(), made.headers().len()), ("/", None, &Uri::default(), 0));
    }
}
