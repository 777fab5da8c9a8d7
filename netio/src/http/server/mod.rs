//! The server: it accepts connections, and gives each one a task.
//!
//! ```text
//!   serve_until ── accept ──> task: Connection::run ── read ─> handler ─> write ──┐
//!        │            ^                 ^                                         │
//!        │            │                 └──────────── keep-alive ─────────────────┘
//!      stop      a place is free
//! ```
//!
//! The handler is an async function of the [`Request`](super::Request), or a [`Router`]: then it is the one of its path and
//! method, and takes what it needs to know as [arguments](FromRequest).
//!
//! - No connection costs another: a panic, a slow peer or a refused message ends one task.
//! - Accepting survives everything: a caller that hung up is forgotten, and when descriptors run out it waits for some.
//! - At the limit of connections nothing is accepted; the next caller waits in the backlog.
//! - To stop is to stop accepting, to close what is idle, and to let the rest finish, but not for ever. To drop the server's
//!   future is to drop every connection.

mod connection;
mod extract;
mod handler;
mod into_response;
mod limits;
pub mod middleware;
mod places;
mod respond;
mod router;
mod service;
mod timer;

pub use extract::{
    BodyRejection, Cookies, Extension, Form, FormRejection, FromRequest, Json, JsonRejection, Missing, Path,
    PathRejection, Query, QueryRejection, State, TextRejection,
};
pub use handler::Handler;
pub use into_response::{BadHeader, Html, IntoHeaders, IntoResponse, Redirect};
pub use limits::Limits;
pub use middleware::Next;
pub use router::Router;
pub use service::{BoxResponse, Service};

use crate::net::TcpListener;
use connection::Connection;
use places::Places;
use runtime::{
    future::{Either, race},
    sync::Event,
    task::Builder as Task,
    time::{sleep, timeout},
};
use std::{
    future::{Future, pending},
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    pin::pin,
    sync::Arc,
    time::Duration,
};

/// Who sent a request: an extension of every [`Request`](crate::http::Request), and an [extractor](FromRequest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// An extension for a [`Response`](crate::http::Response) that is not to be sent: instead the connection is reset, as if
/// the server had crashed. For tests of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect;

/// Descriptors have run out: this long until accepting is tried again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that is bound, and does not serve yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

/// What the connections of a server share.
pub(super) struct Shared<H> {
    handler: H,
    limits: Limits,
    stop: Event,
    places: Places,
}

impl Server {
    /// Binds and listens; port 0 lets the system choose one. Callers wait in the backlog until it serves.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok(Server { listener, address, limits: Limits::default() })
    }

    /// Sets what it allows.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future is dropped.
    ///
    /// # Errors
    /// When the listener is broken. No peer can do that.
    ///
    /// # Cancel safety
    /// Dropped, it drops its connections with what runs in them.
    pub async fn serve(self, handler: impl Service) -> io::Result<()> {
        self.serve_until(pending::<()>(), handler).await
    }

    /// Serves until `shutdown` is ready; then stops accepting, closes idle connections, and waits for the requests that run,
    /// at most [`Limits::shutdown_grace`]. When it returns, no connection is left.
    ///
    /// The handler may panic: the peer gets a 500, and its connection is closed. It is not cancelled when its peer hangs up;
    /// only a streamed body is.
    ///
    /// # Errors
    /// When the listener is broken. No peer can do that.
    ///
    /// # Cancel safety
    /// Dropped, it drops its connections with what runs in them.
    ///
    /// ```
    /// use netio::http::{Request, Response, server::Server};
    /// use std::time::Duration;
    ///
    /// runtime::block_on(async {
    ///     let server = Server::bind("127.0.0.1:0")?;
    ///     let soon = runtime::time::sleep(Duration::from_millis(1));
    ///     server.serve_until(soon, |_: Request| async { Response::default() }).await
    /// })
    /// .unwrap();
    /// ```
    pub async fn serve_until(self, shutdown: impl Future<Output = ()>, handler: impl Service) -> io::Result<()> {
        let Server { listener, limits, .. } = self;
        let grace = limits.shutdown_grace;
        let shared = Arc::new(Shared { handler, limits, stop: Event::new(), places: Places::default() });
        let _drop_all = DropAll(&shared.places);
        let mut shutdown = pin!(shutdown);
        for number in 1.. {
            let accepted = match race(shutdown.as_mut(), next(&listener, &shared)).await {
                Either::Left(()) => break,
                Either::Right(accepted) => accepted?,
            };
            start(&shared, number, accepted.0, PeerAddr(accepted.1));
        }
        drop(listener);
        shared.stop.set();
        if timeout(grace, shared.places.at_most(0)).await.is_err() {
            shared.places.abort_all();
            shared.places.at_most(0).await;
        }
        Ok(())
    }
}

/// Accepts the next connection once there is a place for it.
async fn next<H>(listener: &TcpListener, shared: &Shared<H>) -> io::Result<(crate::net::TcpStream, SocketAddr)> {
    loop {
        shared.places.at_most(shared.limits.connections.max(1) - 1).await;
        match listener.accept().await {
            Err(error) if concerns_the_caller_only(&error) => {}
            Err(error) if is_a_shortage(&error) => sleep(ACCEPT_PAUSE).await,
            accepted => return accepted,
        }
    }
}

fn start<H: Service>(shared: &Arc<Shared<H>>, number: u64, stream: crate::net::TcpStream, peer: PeerAddr) {
    // An answer is one write: there is nothing to collect. If this fails, reading will say why.
    let _ = stream.set_nodelay(true);
    shared.places.take(number);
    let mut connection = Connection::new(stream, peer, shared.clone());
    let place = places::Place::new(shared.clone(), number);
    let task = Task::new().name(format!("connection {number}")).spawn(async move {
        connection.run().await;
        // The socket first: whoever waits for the place may need its descriptor.
        drop(connection);
        drop(place);
    });
    shared.places.fill(number, task.abort_handle());
}

/// The one who called is gone, or its network is: accept(2) reports it here.
fn concerns_the_caller_only(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut
    ) || [rustix::io::Errno::PROTO, rustix::io::Errno::PERM].iter().any(|errno| is(error, *errno))
}

/// Too many open files here or in the whole system, or no memory: it passes.
fn is_a_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].iter().any(|errno| is(error, *errno))
}

fn is(error: &io::Error, errno: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// However serving ends, no connection outlives it.
struct DropAll<'server>(&'server Places);

impl Drop for DropAll<'_> {
    fn drop(&mut self) {
        self.0.abort_all();
    }
}
