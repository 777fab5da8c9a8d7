//! The access log: one line a request, when its answer is over.
//!
//! ```text
//!   request ──> handler ──> head ──> body ──────────────────> end
//!                  └ dropped: no status   └ dropped: cut   └ the line: all of it
//! ```
//!
//! - Whatever happens to an answer, in the end it is dropped: so there is one line for each request, and never two.
//! - A body that is there, and small, is as good as sent: it is given back as it was, and costs nothing more.

use super::{Next, RequestId};
use crate::http::{
    Body, Method, Request, Response, StatusCode, Uri, Version,
    body::{Chunks, Outgoing},
    server::{BoxResponse, Disconnect, Endless},
};
use bytes::Bytes;
use futures_core::Stream;
use futures_lite::stream;
use runtime::time::Instant;
use std::{
    fmt, io, iter, mem,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

/// A body that is there is followed on its way if it has more bytes than this, in pieces of as many: about what the system takes
/// at once, whoever reads.
const PIECE: usize = 64 * 1024;

/// What is known of a request when its answer is over. Displayed, it is a line of a log:
///
/// ```text
/// 127.0.0.1:40312 "GET /hello?name=x HTTP/1.1" 200 17 0.102s
/// 127.0.0.1:40312 "GET /film HTTP/1.1" 200 1048576 cut 3.250s
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
    /// The status of the response. None if the handler was dropped before there was one.
    pub status: Option<StatusCode>,
    /// The bytes of its body that were sent, without the head and the framing: none to a HEAD, or with 204 and 304.
    ///
    /// What the connection has taken counts as sent. If the client is gone, it may have got less: what was on its way, and up to
    /// 64 KiB (or one chunk, if that is larger) that waited to be written.
    pub sent: u64,
    /// The answer ended too early: the client went away, the server was stopped, or the body failed. An [`Endless`] body may end
    /// at any time.
    pub cut: bool,
    /// From the request to the end of its answer.
    pub time: Duration,
}

/// Who writes the line of a request.
pub(super) trait Writer: Send + 'static {
    /// The head of the response is there.
    fn head(&mut self, _response: &Response) {}

    /// This is all.
    fn end(&mut self, access: &Access);
}

/// The line of a request that is being answered. It is written when this is dropped.
struct Line<W: Writer> {
    access: Access,
    begun: Instant,
    writer: W,
}

/// Answers a request, and has its line written in the end.
pub(super) async fn logged(request: Request, next: Next, writer: impl Writer) -> Response {
    let line = Line::begin(&request, writer);
    let response = next.run(request).await;
    line.follow(response)
}

impl<W: Writer> Line<W> {
    /// A request came. As long as nothing else is known of its answer, that is cut.
    fn begin(request: &Request, writer: W) -> Line<W> {
        let access = Access {
            peer: request.peer(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            id: request.extensions().get().cloned(),
            status: None,
            sent: 0,
            cut: true,
            time: Duration::ZERO,
        };
        Line { access, begun: Instant::now(), writer }
    }

    /// Its response begins: the line goes where the body goes.
    fn follow(mut self, mut response: Response) -> Response {
        use StatusCode as Is;
        let status = response.status();
        self.access.status = Some(status);
        self.writer.head(&response);
        let extensions = response.extensions();
        if extensions.get::<Disconnect>().is_some() {
            return response;
        }
        self.access.cut = false;
        let bodiless = matches!(status, Is::SWITCHING_PROTOCOLS | Is::NO_CONTENT | Is::NOT_MODIFIED);
        if !bodiless && self.access.method != Method::HEAD {
            let endless = extensions.get::<Endless>().is_some();
            let body = mem::take(response.body_mut());
            *response.body_mut() = self.follow_body(body, endless);
        }
        response
    }

    fn follow_body(mut self, mut body: Body, endless: bool) -> Body {
        let (length, trailers) = (body.length(), body.take_trailers());
        let chunks: Chunks = match body.into_outgoing() {
            Outgoing::Whole(bytes) if bytes.len() <= PIECE => {
                self.access.sent = bytes.len() as u64;
                return Body::from(bytes).put_trailers(trailers);
            }
            Outgoing::Whole(mut bytes) => {
                let piece = move || (!bytes.is_empty()).then(|| Ok(bytes.split_to(bytes.len().min(PIECE))));
                Box::pin(stream::iter(iter::from_fn(piece)))
            }
            Outgoing::Stream(chunks) => chunks,
        };
        self.access.cut = !endless;
        let followed = Body::stream(Followed { chunks, length, line: self }).put_trailers(trailers);
        if let Some(length) = length { followed.with_length(length) } else { followed }
    }
}

impl<W: Writer> Drop for Line<W> {
    fn drop(&mut self) {
        self.access.time = self.begun.elapsed();
        // Answers are dropped in many places, and none of them should have to think of a log that panics.
        drop(catch_unwind(AssertUnwindSafe(|| self.writer.end(&self.access))));
    }
}

/// A body, and the line that tells how it ended.
struct Followed<W: Writer> {
    chunks: Chunks,
    length: Option<u64>,
    line: Line<W>,
}

// Nothing in it is pinned: the chunks are, elsewhere.
impl<W: Writer> Unpin for Followed<W> {}

impl<W: Writer> Stream for Followed<W> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.chunks.as_mut().poll_next(context));
        let length = self.length;
        let access = &mut self.line.access;
        match &item {
            Some(Ok(chunk)) => access.sent += chunk.len() as u64,
            Some(Err(_)) => access.cut = true,
            None => access.cut = length.is_some_and(|length| length != access.sent),
        }
        Poll::Ready(item)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Access { method, uri, version, sent, .. } = self;
        match self.peer {
            Some(peer) => write!(f, "{peer}")?,
            None => f.write_str("-")?,
        }
        let uri = uri.to_string().replace('"', "%22");
        let cut = if self.cut { " cut" } else { "" };
        let time = self.time.as_secs_f64();
        write!(f, " \"{method} {uri} {version:?}\" {} {sent}{cut} {time:.3}s", self.status())?;
        self.id.iter().try_for_each(|id| write!(f, " {id}"))
    }
}

impl Access {
    /// The status as a log has it.
    pub(super) fn status(&self) -> &str {
        self.status.as_ref().map_or("-", StatusCode::as_str)
    }
}

/// A layer that hands `write` what is to be logged of each request, when its answer is over: when the end of the body was sent,
/// or when it is known that no more of it will be. As the outermost layer it sees every status, and the bytes as they are sent. To
/// log nothing, leave it out: that costs nothing.
///
/// A request whose answer is dropped half-way has its line, too: the client went away, or the server was stopped; or the handler
/// was dropped with its client, if [`handler_cancellation`](crate::http::server::Server::handler_cancellation) says so.
///
/// A body whose bytes are all there, and no more than 64 KiB, counts as sent when it is handed over, whether the client is still
/// there or not. A larger one is sent in such pieces, and followed like one that is still to come.
///
/// `write` runs in the connection's task: it must not block for long. A panic in it costs the line, and no more.
///
/// ```
/// use netio::http::server::{Router, middleware::access_log};
/// let router = Router::new().layer(access_log(|access| println!("{access}")));
/// ```
pub fn access_log(
    write: impl Fn(&Access) + Send + Sync + 'static,
) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    let write = Arc::new(write);
    move |request, next| Box::pin(logged(request, next, write.clone()))
}

impl<F: Fn(&Access) + Send + Sync + 'static> Writer for Arc<F> {
    fn end(&mut self, access: &Access) {
        self(access);
    }
}
