//! A response as a handler gives it.

use crate::http::{Body, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ::http::Extensions;
use smallvec::SmallVec;
use std::{fmt, sync::OnceLock};

/// A response that is to be sent. Its body may still have to be made.
///
/// It has the accessors of a response of the `http` crate, and becomes one and is made of one by `into`: for `into_parts` and
/// `map`. It differs in two things. It is one pointer, because it is handed from layer to layer. And its fields are a short list
/// until somebody asks for [`headers`](Response::headers): [`set_header`](Response::set_header) costs less.
///
/// ```
/// use netio::http::{HeaderValue, Response, StatusCode, header};
///
/// let mut response = Response::new("no coins\n".into());
/// *response.status_mut() = StatusCode::NOT_FOUND;
/// response.set_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
/// assert_eq!(response.status(), StatusCode::NOT_FOUND);
/// assert_eq!(response.headers()["cache-control"], "no-store");
///
/// let response: Response = Response::builder().status(201).body("made\n".into())?.into();
/// assert_eq!(response.status(), StatusCode::CREATED);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Default)]
#[must_use = "a response does nothing until it is returned"]
pub struct Response(Box<Parts>);

#[derive(Default)]
pub(super) struct Parts {
    pub(super) status: StatusCode,
    pub(super) fields: FieldList,
    pub(super) body: Body,
    pub(super) extensions: Extensions,
}

impl Response {
    /// A response with status 200 and no fields.
    pub fn new(body: Body) -> Response {
        Response(Box::new(Parts { body, ..Parts::default() }))
    }

    /// The builder of the `http` crate: what its `body` gives becomes a response by `into`.
    pub fn builder() -> ::http::response::Builder {
        ::http::Response::builder()
    }

    pub(in crate::http) fn of_type(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
        let fields = FieldList::with(header::CONTENT_TYPE, content_type);
        Response(Box::new(Parts { status, fields, body, extensions: Extensions::new() }))
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// To change the status.
    pub fn status_mut(&mut self) -> &mut StatusCode {
        &mut self.0.status
    }

    /// The fields. Those that belong to the connection (`Content-Length`, `Transfer-Encoding`, and `Connection` but for its
    /// `close`) are not sent: the connection writes its own.
    pub fn headers(&self) -> &HeaderMap {
        self.0.fields.map()
    }

    /// To change the fields.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.0.fields.map_mut()
    }

    /// Puts a field in, in place of all of that name. To add another one of the name (`Set-Cookie`), use `headers_mut().append`.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.fields.set(name, value);
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.0.body
    }

    /// To change the body.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.0.body
    }

    /// The body, and nothing else.
    pub fn into_body(self) -> Body {
        self.0.body
    }

    /// What handlers and layers say to those further out: [`Endless`](super::Endless), [`Disconnect`](super::Disconnect).
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// To say something to those further out.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.0.extensions
    }

    pub(super) fn parts_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

/// Its version is not kept: the one that is sent is ours.
impl From<::http::Response<Body>> for Response {
    fn from(response: ::http::Response<Body>) -> Response {
        let (parts, body) = response.into_parts();
        let fields = FieldList { list: SmallVec::new(), map: OnceLock::from(Box::new(parts.headers)) };
        Response(Box::new(Parts { status: parts.status, fields, body, extensions: parts.extensions }))
    }
}

impl From<Response> for ::http::Response<Body> {
    fn from(mut response: Response) -> ::http::Response<Body> {
        let headers = std::mem::take(response.headers_mut());
        let Parts { status, body, extensions, .. } = *response.0;
        let mut response = ::http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        *response.extensions_mut() = extensions;
        response
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { status, fields, body, .. } = &*self.0;
        f.debug_struct("Response")
            .field("status", status)
            .field("headers", fields.map())
            .field("body", body)
            .finish_non_exhaustive()
    }
}

/// The fields of a response: a list, or a map once somebody has asked for one.
#[derive(Default)]
pub(super) struct FieldList {
    /// In their order. Most responses have two or three, and to look at each costs less than to find one.
    list: SmallVec<[(HeaderName, HeaderValue); 3]>,
    /// In place of the list.
    map: OnceLock<Box<HeaderMap>>,
}

impl FieldList {
    fn with(name: HeaderName, value: HeaderValue) -> Self {
        let mut list = SmallVec::new();
        list.push((name, value));
        FieldList { list, map: OnceLock::new() }
    }

    fn map(&self) -> &HeaderMap {
        self.map.get_or_init(|| Box::new(self.list.iter().cloned().collect()))
    }

    fn map_mut(&mut self) -> &mut HeaderMap {
        self.map();
        self.map.get_mut().expect("it was made just now")
    }

    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        if let Some(map) = self.map.get_mut() {
            map.insert(name, value);
        } else if let Some(field) = self.list.iter_mut().find(|(other, _)| *other == name) {
            // A name is in the list once: those that come several times are in a map.
            field.1 = value;
        } else {
            self.list.push((name, value));
        }
    }

    /// Shows each of them.
    pub(super) fn for_each(&self, mut show: impl FnMut(&HeaderName, &HeaderValue)) {
        match self.map.get() {
            Some(map) => map.iter().for_each(|(name, value)| show(name, value)),
            None => self.list.iter().for_each(|(name, value)| show(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(response: &mut Response) -> Vec<String> {
        let mut fields = Vec::new();
        let mut show =
            |name: &HeaderName, value: &HeaderValue| fields.push(format!("{name}: {}", value.to_str().unwrap()));
        response.parts_mut().fields.for_each(&mut show);
        fields
    }

    #[test]
    fn a_field_is_set_once_in_the_list_and_in_the_map() {
        let value = HeaderValue::from_static;
        let mut response = Response::of_type(StatusCode::OK, value("a/b"), Body::empty());
        response.set_header(header::ETAG, value("1"));
        response.set_header(header::CONTENT_TYPE, value("c/d"));
        assert_eq!(fields(&mut response), ["content-type: c/d", "etag: 1"]);
        assert_eq!(response.headers().len(), 2);
        response.headers_mut().append(header::SET_COOKIE, value("x"));
        response.headers_mut().append(header::SET_COOKIE, value("y"));
        response.set_header(header::ETAG, value("2"));
        assert_eq!(fields(&mut response), ["content-type: c/d", "etag: 2", "set-cookie: x", "set-cookie: y"]);

        let response: ::http::Response<Body> = response.into();
        assert_eq!((response.status(), response.headers().len()), (StatusCode::OK, 4));
        let mut response: Response = response.into();
        response.set_header(header::SET_COOKIE, value("z"));
        assert_eq!(fields(&mut response), ["content-type: c/d", "etag: 2", "set-cookie: z"]);
    }
}
