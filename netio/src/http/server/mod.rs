//! The server: it accepts connections, and gives each one a task.
//!
//! ```text
//!   start ─> accept ──> task: Connection::run ── read ─> handler ─> write ──┐
//!     │        ^                 ^                                           │
//!    stop      │                 └──────────── keep-alive ───────────────────┘
//!     │     a place is free
//!   cleanups
//! ```
//!
//! The handler is an async function of the [`Request`], or a [`Router`]: then it is the one of its path and
//! method, and takes what it needs to know as [arguments](FromRequest).
//!
//! - No connection costs another: a panic, a slow peer or a refused message ends one task.
//! - Accepting survives everything: a caller that hung up is forgotten, and when descriptors run out it waits for some.
//! - At the limit of connections nothing is accepted; the next caller waits in the backlog.
//! - To stop is to stop accepting, to close what is idle, and to let the rest finish, but not for ever
//!   ([`serve_until`](Server::serve_until) tells the steps). To drop the server's future is to drop every connection.

mod connection;
mod endless;
mod extract;
mod handle;
mod handler;
mod hooks;
mod incoming;
mod informational;
mod into_response;
mod limits;
mod listener;
pub mod middleware;
mod outcome;
mod places;
mod refusal;
mod request;
mod respond;
mod response;
mod router;
mod serve;
mod service;
mod set_cookie;
mod timer;
mod upgrade;
mod wire;

pub use crate::http::client::Upgraded;
pub use endless::Endless;
pub use extract::{
    BodyRejection, Cookies, Extension, Form, FormRejection, FromRequest, Json, JsonRejection, Missing, Path,
    PathRejection, Query, QueryRejection, State, TextRejection,
};
pub use handle::ServerHandle;
pub use handler::Handler;
pub use hooks::{BoxError, HookError, Outcome};
pub use informational::{Informational, InformationalError};
pub use into_response::{BadHeader, Html, IntoHeaders, IntoResponse, Redirect};
pub use limits::Limits;
pub use listener::{Dialer, Listener};
pub use middleware::Next;
pub use outcome::{Failure, Report, ServeError};
pub use refusal::Refusal;
pub use request::Request;
pub use response::Response;
pub use router::Router;
pub use service::{BoxResponse, Service};
pub use set_cookie::{SameSite, SetCookie};
pub use upgrade::upgrade;

use crate::net::{TcpListener, UnixListener};
use hooks::Hooks;
use refusal::OnRefusal;
use std::{
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs},
    path,
    sync::Arc,
};

/// Who sent a request by TCP, as an [extractor](FromRequest): what [`Request::peer`] tells. One that came over a Unix socket
/// has none. It is no extension: a layer that knows better calls [`Request::set_peer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// An extension for a [`Response`] that is not to be sent: instead the connection is reset, as if
/// the server had crashed. For tests of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect;

/// A server that listens, and does not serve yet: callers wait in the backlog.
///
/// ```
/// use netio::{http::server::{Limits, Router, Server}, net::ListenOptions};
///
/// let folder = tempfile::tempdir()?;
/// let server = Server::bind("127.0.0.1:0")?
///     .listen(ListenOptions::new().reuse_port(true).backlog(64).bind("[::]:0")?)
///     .listen(netio::net::UnixListener::bind(folder.path().join("socket"))?)
///     .limits(Limits { connections: 1000, ..Limits::default() })
///     .on_startup(async { println!("started") })
///     .on_cleanup(async { println!("stopped") });
/// let handle = server.handle();
/// # handle.stop();
/// runtime::block_on(server.serve(Router::new().get("/", async || "hello")))?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    listeners: Vec<Listener>,
    hooks: Hooks,
    shared: Arc<Shared>,
}

/// What the connections of a server share.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    limits: Limits,
    ties: ServerHandle,
    /// Whether a handler is dropped when its peer hangs up.
    cancels: bool,
    /// Whether handlers may send interim responses.
    informational: bool,
    on_refusal: Option<OnRefusal>,
}

impl Server {
    /// A server that listens nowhere yet: see [`listen`](Server::listen).
    pub fn new() -> Server {
        Server::default()
    }

    /// One that listens at a TCP address; port 0 lets the system choose one.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Server> {
        Ok(Server::new().listen(TcpListener::bind(address)?))
    }

    /// One that listens at a Unix socket, which it makes a file for, and removes in the end.
    ///
    /// # Errors
    /// As [`UnixListener::bind`].
    pub fn bind_unix(path: impl AsRef<path::Path>) -> io::Result<Server> {
        Ok(Server::new().listen(UnixListener::bind(path)?))
    }

    /// One that listens where somebody else has bound.
    ///
    /// # Errors
    /// As [`TcpListener::from_std`].
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Server> {
        Ok(Server::new().listen(TcpListener::from_std(listener)?))
    }

    /// Listens here too. All listeners are served alike, and share the limits.
    pub fn listen(mut self, listener: impl Into<Listener>) -> Server {
        self.listeners.push(listener.into());
        self
    }

    /// Sets what it allows.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.shared_mut().limits = limits;
        self
    }

    /// Whether the future of a handler is dropped when its peer hangs up (or only says that it sends no more): it is not, unless
    /// this says so, because a handler may be in the middle of something that should be finished.
    ///
    /// It is noticed while the handler waits, unless a part of the request's body is still to come.
    pub fn handler_cancellation(mut self, cancels: bool) -> Server {
        self.shared_mut().cancels = cancels;
        self
    }

    /// Whether handlers may send [interim responses](Informational): not unless this says so, because what makes it possible
    /// costs every request a little.
    pub fn informational(mut self, allowed: bool) -> Server {
        self.shared_mut().informational = allowed;
        self
    }

    /// Tells this what the server refuses by itself (no HTTP, too slow, too large a head): no layer sees that, so an access log
    /// that is one does not have it. It runs in the connection's task: it must not block for long, nor panic.
    ///
    /// ```
    /// use netio::http::server::Server;
    /// let server = Server::bind("127.0.0.1:0")?.on_refusal(|refusal| eprintln!("{refusal}"));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_refusal(mut self, tell: impl Fn(&Refusal) + Send + Sync + 'static) -> Server {
        self.shared_mut().on_refusal = Some(OnRefusal(Arc::new(tell)));
        self
    }

    /// To be done before it serves. Hooks run one after the other, in the order in which they were added; if one fails, the
    /// server does not start, and what was added before is [cleaned up](Server::on_cleanup).
    ///
    /// A hook is a future that gives nothing or a `Result`. It runs in the server's own task. A panic is an error.
    #[track_caller]
    pub fn on_startup(mut self, hook: impl Future<Output: Outcome> + Send + 'static) -> Server {
        self.hooks.on_startup(hook);
        self
    }

    /// To be done when the server has been told to stop, and requests may still run: the place to tell those who would go on for
    /// ever. Hooks run in the order in which they were added, whatever one of them says. (A handler can also wait
    /// for [`stopping`](ServerHandle::stopping).)
    #[track_caller]
    pub fn on_shutdown(mut self, hook: impl Future<Output: Outcome> + Send + 'static) -> Server {
        self.hooks.on_shutdown(hook);
        self
    }

    /// To be done when no request runs any more. The hook that was added last is done first.
    ///
    /// One that was added behind a startup hook belongs to it: when the server fails to start, the cleanups that stand before the
    /// hook that failed are done, and those behind it are not.
    #[track_caller]
    pub fn on_cleanup(mut self, hook: impl Future<Output: Outcome> + Send + 'static) -> Server {
        self.hooks.on_cleanup(hook);
        self
    }

    /// Startup and cleanup in one: `start` gives the future that cleans up what it made.
    ///
    /// ```
    /// use netio::http::server::{Router, Server, State};
    /// use std::{io, sync::{Arc, OnceLock}};
    ///
    /// # struct Database;
    /// # impl Database {
    /// #     async fn connect() -> io::Result<Arc<Database>> { Ok(Arc::new(Database)) }
    /// #     async fn close(&self) -> io::Result<()> { Ok(()) }
    /// # }
    /// let shelf = Arc::new(OnceLock::new());
    /// let router = Router::new().state(shelf.clone());
    /// let server = Server::bind("127.0.0.1:0")?.cleanup_ctx(async move {
    ///     let database = Database::connect().await?;
    ///     let _ = shelf.set(database.clone());
    ///     io::Result::Ok(async move { database.close().await })
    /// });
    /// # server.handle().stop();
    /// runtime::block_on(server.serve(router))?;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn cleanup_ctx<C, E>(mut self, start: impl Future<Output = Result<C, E>> + Send + 'static) -> Server
    where
        C: Future<Output: Outcome> + Send + 'static,
        E: Into<BoxError>,
    {
        self.hooks.cleanup_ctx(start);
        self
    }

    /// To ask something of it later.
    pub fn handle(&self) -> ServerHandle {
        self.shared.ties.clone()
    }

    /// Where it listens: the address of the first listener that has one.
    ///
    /// # Panics
    /// When it has no TCP listener.
    pub fn local_addr(&self) -> SocketAddr {
        self.listeners.iter().find_map(Listener::local_addr).expect("a server with a TCP listener")
    }

    /// Where it listens.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// It is ours alone until it serves.
    fn shared_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }
}
