//! What a handler may return: everything that says of itself how it is sent.

use super::extract::Json;
use crate::http::{
    Body, HTML, HeaderMap, HeaderName, HeaderValue, JSON, OCTETS, Response, StatusCode, TEXT, explain, header,
};
use bytes::Bytes;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde::Serialize;
use std::convert::Infallible;

/// Becomes a response.
///
/// | returned | status | body |
/// |---|---|---|
/// | [`Response`], a response of the `http` crate | its own | its own |
/// | `()` | 200 | empty |
/// | `&'static str`, `String` | 200 | `text/plain; charset=utf-8` |
/// | `Bytes`, `Vec<u8>` | 200 | `application/octet-stream` |
/// | [`Json`], [`Html`] | 200 | `application/json`, `text/html; charset=utf-8` |
/// | [`Body`] | 200 | of no type |
/// | [`StatusCode`] | that one | empty |
/// | [`Redirect`] | 302, 303, 307 or 308 | empty |
/// | `(StatusCode, T)`, `(headers, T)`, `(StatusCode, headers, T)` | that one | as `T`; the fields replace those of `T` |
/// | `Result<T, E>` | as `T`, or as `E` | as `T`, or as `E` |
///
/// ```
/// use netio::http::{StatusCode, server::IntoResponse};
///
/// let response = (StatusCode::CREATED, [("location", "/users/7")], "made\n").into_response();
/// assert_eq!(response.status(), 201);
/// assert_eq!(response.headers()["location"], "/users/7");
/// assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
///
/// let refused: Result<(), _> = Err((StatusCode::CONFLICT, "there is one already\n"));
/// assert_eq!(refused.into_response().status(), 409);
/// ```
pub trait IntoResponse {
    /// The response.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for ::http::Response<Body> {
    fn into_response(self) -> Response {
        self.into()
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::default()
    }
}

impl IntoResponse for Infallible {
    fn into_response(self) -> Response {
        match self {}
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self;
        response
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::of_type(StatusCode::OK, TEXT, self.into())
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::of_type(StatusCode::OK, TEXT, self.into())
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        Response::of_type(StatusCode::OK, OCTETS, self.into())
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Response::of_type(StatusCode::OK, OCTETS, self.into())
    }
}

/// A value that cannot be JSON (a map whose keys are no texts, say) is a 500.
impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => Response::of_type(StatusCode::OK, JSON, json.into()),
            Err(_) => explain(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written as JSON"),
        }
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl<H: IntoHeaders, T: IntoResponse> IntoResponse for (H, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        match self.0.put(response.headers_mut()) {
            Ok(()) => response,
            Err(BadHeader) => explain(StatusCode::INTERNAL_SERVER_ERROR, "the answer has a field that cannot be sent"),
        }
    }
}

/// With fields that cannot be sent, the status is 500.
impl<H: IntoHeaders, T: IntoResponse> IntoResponse for (StatusCode, H, T) {
    fn into_response(self) -> Response {
        let (status, headers, content) = self;
        (headers, (status, content)).into_response()
    }
}

/// Header fields for a response: a [`HeaderMap`], an array of names and values, or a [cookie](super::SetCookie).
///
/// A name or value that cannot stand in a head (a line feed, say, from whoever made the value) makes the response a 500.
pub trait IntoHeaders {
    /// Puts the fields in, in place of those of the same name.
    ///
    /// # Errors
    /// A field that cannot stand in a head.
    fn put(self, headers: &mut HeaderMap) -> Result<(), BadHeader>;
}

/// A header field that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a header field has a name or a value that cannot stand in a head")]
pub struct BadHeader;

impl IntoHeaders for HeaderMap {
    fn put(self, headers: &mut HeaderMap) -> Result<(), BadHeader> {
        // As `extend` has it: the first of a name replaces, the others of that name are added.
        headers.extend(self);
        Ok(())
    }
}

impl<N, V, const COUNT: usize> IntoHeaders for [(N, V); COUNT]
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
{
    fn put(self, headers: &mut HeaderMap) -> Result<(), BadHeader> {
        let mut fields = HeaderMap::with_capacity(COUNT);
        for (name, value) in self {
            fields.append(name.try_into().map_err(|_| BadHeader)?, value.try_into().map_err(|_| BadHeader)?);
        }
        fields.put(headers)
    }
}

/// A page.
///
/// ```
/// use netio::http::server::{Html, IntoResponse};
/// let page = Html("<h1>here</h1>").into_response();
/// assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        Response::of_type(StatusCode::OK, HTML, self.0.into())
    }
}

/// Sends the client elsewhere. The location is a URI, absolute or from here; what is not ASCII in it is percent-encoded.
///
/// ```
/// use netio::http::server::{IntoResponse, Redirect};
/// let response = Redirect::see_other("/done").into_response();
/// assert_eq!((response.status().as_u16(), &response.headers()["location"]), (303, &"/done".parse().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a redirection does nothing until it is returned"]
pub struct Redirect {
    status: StatusCode,
    location: String,
}

impl Redirect {
    /// 302: what browsers have always made a GET of, whatever it was.
    pub fn found(location: impl Into<String>) -> Redirect {
        Redirect { status: StatusCode::FOUND, location: location.into() }
    }

    /// 303: the answer to a POST is over there, to be fetched with GET.
    pub fn see_other(location: impl Into<String>) -> Redirect {
        Redirect { status: StatusCode::SEE_OTHER, location: location.into() }
    }

    /// 307: the same request, over there, this time.
    pub fn temporary(location: impl Into<String>) -> Redirect {
        Redirect { status: StatusCode::TEMPORARY_REDIRECT, location: location.into() }
    }

    /// 308: the same request, over there, from now on.
    pub fn permanent(location: impl Into<String>) -> Redirect {
        Redirect { status: StatusCode::PERMANENT_REDIRECT, location: location.into() }
    }
}

/// A location that cannot stand in a head (one with a line feed, say) is a 500.
impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let location = utf8_percent_encode(&self.location, &AsciiSet::EMPTY).to_string();
        (self.status, [(header::LOCATION, location)], ()).into_response()
    }
}
