//! From HTTP to another protocol, on the same connection.

use crate::http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version, client::Upgraded, explain, header};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

type Speaking = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(super) type Speak = Box<dyn FnOnce(Upgraded) -> Speaking + Send>;

/// What the connection is given over to. It travels with the response, as an extension, until it is taken: extensions can be
/// cloned, and this cannot.
#[derive(Clone)]
pub(super) struct Upgrade(Arc<Mutex<Option<Speak>>>);

impl Upgrade {
    pub(super) fn take(&self) -> Option<Speak> {
        self.0.lock().expect("nobody's code runs under the lock").take()
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}

/// The answer to a request that wants to go on in another protocol: 101, and then `speak` has the connection, with what the
/// client has sent already. It runs in the connection's task and belongs to the server: it counts as a request that runs,
/// and is dropped as one when the server stops and it takes too long.
///
/// A request that does not ask for `protocol` (or does so in HTTP/1.0) is answered with 426, which says that it should. One
/// whose handler does not call this is a request like any other: nobody has to switch.
///
/// Further fields of the answer may be added to it. The body of the request must have been read to its end, else the answer is
/// a 500.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use netio::http::{Request, server::{Router, upgrade}};
///
/// let router = Router::new().get("/echo", async |request: Request| {
///     upgrade(&request, "echo", |mut connection| async move {
///         let mut line = [0; 80];
///         while let Ok(length @ 1..) = connection.read(&mut line).await {
///             if connection.write_all(&line[..length]).await.is_err() {
///                 break;
///             }
///         }
///     })
/// });
/// ```
///
/// # Panics
/// When `protocol` is no token.
pub fn upgrade<F>(
    request: &Request,
    protocol: &'static str,
    speak: impl FnOnce(Upgraded) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let name = HeaderName::from_bytes(protocol.as_bytes()).map(|_| HeaderValue::from_static(protocol));
    let name = name.unwrap_or_else(|_| panic!("`{protocol}` cannot be the name of a protocol"));
    let asked = request.version() == Version::HTTP_11
        && lists(request, header::CONNECTION, "upgrade")
        && lists(request, header::UPGRADE, protocol);
    let mut response = if asked {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let speak: Speak = Box::new(|connection| Box::pin(speak(connection)));
        response.extensions_mut().insert(Upgrade(Arc::new(Mutex::new(Some(speak)))));
        response
    } else {
        explain(StatusCode::UPGRADE_REQUIRED, &format!("this page speaks {protocol}"))
    };
    response.set_header(header::UPGRADE, name);
    response
}

/// Whether a field, which is a list, has this among its values.
fn lists(request: &Request, field: HeaderName, wanted: &str) -> bool {
    let values = request.headers().get_all(field).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(wanted))
}
