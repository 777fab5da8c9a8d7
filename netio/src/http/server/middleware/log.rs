//! The access log: one line a request.

use super::{Next, RequestId};
use crate::http::{
    Method, Request, Response, StatusCode, Uri, Version,
    server::{BoxResponse, PeerAddr},
};
use runtime::time::Instant;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

/// What is known of a request when its response begins. Displayed, it is a line of a log:
///
/// ```text
/// 127.0.0.1:40312 "GET /hello?name=x HTTP/1.1" 200 17 0.102s
/// ```
///
/// What is not known is a `-`. A client can put no line of its own into it, and end no quotation: a URI has no line feeds,
/// and its quotes are written `%22`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Access {
    /// Who asked.
    pub peer: Option<SocketAddr>,
    /// What for.
    pub method: Method,
    /// Where.
    pub uri: Uri,
    /// In which version of HTTP.
    pub version: Version,
    /// Its name, if [`request_id`](super::request_id) is a layer further out.
    pub id: Option<RequestId>,
    /// The status of the response.
    pub status: StatusCode,
    /// The bytes of its body, if they are known before they are sent.
    pub length: Option<u64>,
    /// From the request to the head of its response.
    pub time: Duration,
}

/// A request that is being answered.
pub(super) struct Begun {
    access: Access,
    at: Instant,
}

impl Access {
    /// A request came.
    pub(super) fn begin(request: &Request) -> Begun {
        let access = Access {
            peer: request.extensions().get().map(|PeerAddr(peer)| *peer),
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            id: request.extensions().get().cloned(),
            status: StatusCode::OK,
            length: None,
            time: Duration::ZERO,
        };
        Begun { access, at: Instant::now() }
    }
}

impl Begun {
    /// Its response begins.
    pub(super) fn end(self, response: &Response) -> Access {
        let (status, length, time) = (response.status(), response.body().length(), self.at.elapsed());
        Access { status, length, time, ..self.access }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Access { method, uri, version, status, .. } = self;
        match self.peer {
            Some(peer) => write!(f, "{peer}")?,
            None => f.write_str("-")?,
        }
        let uri = uri.to_string().replace('"', "%22");
        write!(f, " \"{method} {uri} {version:?}\" {} ", status.as_str())?;
        match self.length {
            Some(length) => write!(f, "{length}")?,
            None => f.write_str("-")?,
        }
        write!(f, " {:.3}s", self.time.as_secs_f64())?;
        self.id.iter().try_for_each(|id| write!(f, " {id}"))
    }
}

/// A layer that hands `write` what is to be logged of each request, when the head of its response is there. As the outermost
/// layer it sees every status. To log nothing, leave it out: that costs nothing.
///
/// `write` runs in the connection's task: it must not block for long. A request whose answer is dropped (when the server
/// stops) is not logged.
///
/// ```
/// use netio::http::server::{Router, middleware::access_log};
/// let router = Router::new().layer(access_log(|access| println!("{access}")));
/// ```
pub fn access_log(
    write: impl Fn(&Access) + Send + Sync + 'static,
) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    let write = Arc::new(write);
    move |request: Request, next: Next| {
        let write = write.clone();
        Box::pin(async move {
            let access = Access::begin(&request);
            let response = next.run(request).await;
            write(&access.end(&response));
            response
        })
    }
}
