//! Looking on: what a client does for each request, told while it happens.
//!
//! ```text
//!   Start ─> Queued? ─> Reused ───────────────────────────────────────────────┬─> RequestSent ─> Interim* ─> Head ─> End
//!                  └──> LookupStart ─> LookupEnd ─> ConnectStart ─> ConnectEnd ┘        Redirect* (with a Start of its own)
//! ```
//!
//! Every `Start` has exactly one `End`, `Failed` or `Dropped`. A client without an observer makes none of this.

use super::{Error, Phase};
use crate::http::{HeaderMap, Method, StatusCode, Uri};
use runtime::time::Instant;
use std::net::SocketAddr;

/// Is told what a client does. Every `Fn(&RequestInfo, &Event)` is one. It is called where the request runs, so it should be
/// quick: count, note, send away.
///
/// ```
/// use netio::http::{Request, Response, client::{Client, Event, RequestInfo}, server::Server};
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
///
/// let reused = Arc::new(AtomicUsize::new(0));
/// let count = reused.clone();
/// let client = Client::builder().observer(move |_: &RequestInfo, event: &Event<'_>| {
///     if let Event::Reused = event {
///         count.fetch_add(1, Relaxed);
///     }
/// });
/// # runtime::block_on(async {
/// let server = Server::bind("127.0.0.1:0").unwrap();
/// let url = format!("http://{}/", server.local_addr());
/// runtime::spawn(server.serve(async |_: Request| Response::new("hello".into())));
/// let client = client.build();
/// for _ in 0..3 {
///     client.get(&url).await.unwrap().bytes().await.unwrap();
/// }
/// assert_eq!(reused.load(Relaxed), 2);
/// # });
/// ```
pub trait Observer: Send + Sync + 'static {
    /// It happened.
    fn event(&self, request: &RequestInfo, event: &Event<'_>);
}

impl<F: Fn(&RequestInfo, &Event<'_>) + Send + Sync + 'static> Observer for F {
    fn event(&self, request: &RequestInfo, event: &Event<'_>) {
        self(request, event);
    }
}

/// Which request it happened to: one exchange with one server. Each hop of a redirect is one.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    pub(super) id: u64,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) started: Instant,
}

impl RequestInfo {
    /// A number of its own within its client.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What was asked for.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// When it began.
    pub fn started(&self) -> Instant {
        self.started
    }
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request began.
    Start,
    /// There is no free place in the pool: it waits for one.
    Queued,
    /// It has a connection that was there already.
    Reused,
    /// A name is looked up.
    LookupStart {
        /// `host:port`.
        host: &'a str,
    },
    /// It is known.
    LookupEnd {
        /// Where it may be.
        addresses: &'a [SocketAddr],
        /// The answer was remembered, or somebody else had asked already.
        cached: bool,
    },
    /// A connection is being made.
    ConnectStart,
    /// It is made.
    ConnectEnd {
        /// The other end, where that has an address.
        peer: Option<SocketAddr>,
    },
    /// A kept connection was dead; the request is sent once more, on a new one.
    SentAgain,
    /// The request has been sent, body and all.
    RequestSent {
        /// How many bytes it has on the wire.
        bytes: u64,
    },
    /// An interim response came.
    Interim {
        /// Its status: 1xx.
        status: StatusCode,
        /// Its fields.
        headers: &'a HeaderMap,
    },
    /// The head of the response came.
    Head {
        /// Its status.
        status: StatusCode,
        /// Its fields.
        headers: &'a HeaderMap,
    },
    /// A part of the body came.
    Body {
        /// How many bytes.
        bytes: u64,
    },
    /// The response sends the client elsewhere.
    Redirect {
        /// Where to.
        to: &'a Uri,
    },
    /// The response came to its end.
    End {
        /// Bytes that were sent, as they stood on the wire.
        sent: u64,
        /// Bytes that came, as they stood on the wire.
        received: u64,
    },
    /// There is no response, or not all of it.
    Failed {
        /// Why.
        error: &'a Error,
    },
    /// Nobody wanted it any more.
    Dropped {
        /// Where it stood.
        phase: Phase,
    },
}
