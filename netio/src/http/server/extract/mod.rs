//! Extractors: what a handler needs to know, taken out of the request by the type of its argument.
//!
//! ```text
//!   async fn rename(State(users): State<Users>, Path(id): Path<u32>, Json(name): Json<Name>) -> Result<Json<User>, StatusCode>
//!                   what the program shares     from the path        from the body              whatever becomes a response
//! ```

mod body;
mod cookies;
mod rejection;
mod text;
mod values;

pub use body::Json;
pub use cookies::Cookies;
pub use rejection::{
    BodyRejection, FormRejection, JsonRejection, Missing, PathRejection, QueryRejection, TextRejection,
};
pub use text::{Form, Path, Query};

use super::{PeerAddr, into_response::IntoResponse, middleware::RequestId};
use crate::http::{Body, HeaderMap, Method, Request, Uri, Version};
use ::http::Extensions;
use bytes::Bytes;
use std::{any::type_name, convert::Infallible, future::Future, mem};

/// Taken out of a request.
///
/// | argument | what it is | refused with |
/// |---|---|---|
/// | [`Path<T>`](Path) | the parameters of the path | 400 |
/// | [`Query<T>`](Query) | the query of the URI | 400 |
/// | [`Form<T>`](Form) | a body as HTML forms send it | 400, 415 |
/// | [`Json<T>`](Json) | a body in JSON | 400, 415 |
/// | [`Multipart`](crate::http::multipart::Multipart) | a form with files, part by part | 400, 415 |
/// | `String`, `Bytes` | the body, whole | 413, 408, 400 |
/// | [`Body`] | the body, as it comes | – |
/// | `Method`, `Uri`, `Version`, `HeaderMap` | that part of the head | – |
/// | [`Cookies`] | the cookies | – |
/// | [`LastEventId`](crate::http::sse::LastEventId) | the last event that the client has seen | – |
/// | [`PeerAddr`] | who asks | 500 without a server |
/// | [`RequestId`] | its name | 500 without the layer |
/// | [`Informational`](super::Informational) | a way to send interim responses | 500 if the server does not allow it |
/// | [`State<T>`](State) | what the program shares with the handler | – |
/// | [`Extension<T>`](Extension) | what a layer found out | 500 if it is not there |
/// | [`Request`], a request of the `http` crate | all of it, body included | – |
/// | `Option<E>`, `Result<E, E::Rejection>` | `E`, or that it is not to be had | – |
///
/// Whoever wants the whole body waits for it, and gets no more than [`Limits::body_bytes`](super::Limits::body_bytes), or what
/// [`body_limit`](super::middleware::body_limit) allows; beyond, that is 413. To look at it does not use it up: extractors may
/// stand in any order, and several may look at the body. Only `Body` and a request take it away, and so stand last.
///
/// One of your own:
///
/// ```
/// use netio::http::{Request, StatusCode, header, server::{FromRequest, Router}};
///
/// /// Whoever knows the word.
/// struct Admin;
///
/// impl FromRequest for Admin {
///     type Rejection = (StatusCode, &'static str);
///
///     async fn from_request(request: &mut Request) -> Result<Admin, Self::Rejection> {
///         match request.header(&header::AUTHORIZATION) {
///             Some("Bearer sesame") => Ok(Admin),
///             _ => Err((StatusCode::UNAUTHORIZED, "who are you?\n")),
///         }
///     }
/// }
///
/// let router = Router::new().delete("/everything", async |_: Admin| "gone\n");
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` is not taken out of a request", label = "not an extractor")]
pub trait FromRequest: Sized {
    /// Why it is not to be had, and how that is answered.
    type Rejection: IntoResponse + Send;

    /// Takes it out.
    ///
    /// # Errors
    /// When the request does not have it.
    fn from_request(request: &mut Request) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Asked when a route is added, with the states of its router: what is missing for it ever to succeed? Nothing, for most.
    #[doc(hidden)]
    fn check(_states: &Extensions) -> Result<(), String> {
        Ok(())
    }
}

/// What the program shares with a handler: a clone of the value that the router was given before the route was added. Without
/// such a value the route is refused when it is added.
///
/// What many handlers change belongs in an `Arc` with a lock, or in what is shared by its nature, like a sender.
///
/// ```
/// use netio::http::server::{Router, State};
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// async fn count(State(visits): State<Arc<AtomicU64>>) -> String {
///     format!("visit {}\n", visits.fetch_add(1, Ordering::Relaxed) + 1)
/// }
///
/// let router = Router::new().state(Arc::new(AtomicU64::new(0))).get("/", count);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromRequest for State<T> {
    type Rejection = Missing;

    async fn from_request(request: &mut Request) -> Result<Self, Missing> {
        request.state().cloned().map(State).ok_or(Missing(type_name::<Self>()))
    }

    fn check(states: &Extensions) -> Result<(), String> {
        let name = type_name::<T>();
        let missing = || format!("it takes a State<{name}>, and the router was given none before it");
        states.get::<T>().map(drop).ok_or_else(missing)
    }
}

/// What a layer put into the extensions of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromRequest for Extension<T> {
    type Rejection = Missing;

    async fn from_request(request: &mut Request) -> Result<Self, Missing> {
        request.extensions().get().cloned().map(Extension).ok_or(Missing(type_name::<Self>()))
    }
}

impl FromRequest for PeerAddr {
    type Rejection = Missing;

    async fn from_request(request: &mut Request) -> Result<Self, Missing> {
        request.peer().map(PeerAddr).ok_or(Missing(type_name::<Self>()))
    }
}

impl FromRequest for RequestId {
    type Rejection = Missing;

    async fn from_request(request: &mut Request) -> Result<Self, Missing> {
        request.extensions().get().cloned().ok_or(Missing(type_name::<Self>()))
    }
}

/// What every request has.
macro_rules! always {
    ($($Part:ty: $get:expr;)*) => {
        $(impl FromRequest for $Part {
            type Rejection = Infallible;

            async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
                let get: fn(&Request) -> $Part = $get;
                Ok(get(request))
            }
        })*
    };
}

always! {
    Method: |request| request.method().clone();
    Uri: |request| request.uri().clone();
    Version: |request| request.version();
    HeaderMap: |request| request.headers().clone();
    Cookies: |request| Cookies::of(request.headers());
}

impl FromRequest for Bytes {
    type Rejection = BodyRejection;

    async fn from_request(request: &mut Request) -> Result<Self, BodyRejection> {
        Ok(request.body_mut().bytes().await?)
    }
}

impl FromRequest for String {
    type Rejection = TextRejection;

    async fn from_request(request: &mut Request) -> Result<Self, TextRejection> {
        let body = request.body_mut().bytes().await.map_err(BodyRejection::from)?;
        String::from_utf8(body.into()).map_err(|error| TextRejection::NotUtf8 { at: error.utf8_error().valid_up_to() })
    }
}

/// Takes the body away: what comes after it finds none.
impl FromRequest for Body {
    type Rejection = Infallible;

    async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
        Ok(mem::take(request.body_mut()))
    }
}

/// Takes everything away: what comes after it finds nothing.
impl FromRequest for Request {
    type Rejection = Infallible;

    async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
        Ok(mem::take(request))
    }
}

/// The same, as libraries know it that speak the language of the `http` crate.
impl FromRequest for ::http::Request<Body> {
    type Rejection = Infallible;

    async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
        Ok(mem::take(request).into())
    }
}

impl<E: FromRequest> FromRequest for Option<E> {
    type Rejection = Infallible;

    async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
        Ok(E::from_request(request).await.ok())
    }
}

impl<E: FromRequest> FromRequest for Result<E, E::Rejection> {
    type Rejection = Infallible;

    async fn from_request(request: &mut Request) -> Result<Self, Infallible> {
        Ok(E::from_request(request).await)
    }
}
