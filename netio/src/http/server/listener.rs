//! Where a server listens: any number of sockets, of any kind.

use crate::net::{DuplexStream, Socket, TcpListener, UnixListener, duplex};
use runtime::{sync::queue::Queue, time::sleep};
use rustix::io::Errno;
use std::{
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

/// A socket that a [`Server`](super::Server) accepts connections from: made from a [`TcpListener`] or a [`UnixListener`], or in
/// [memory](Listener::memory).
///
/// ```
/// use netio::{http::server::Listener, net::ListenOptions};
/// let listener: Listener = ListenOptions::new().reuse_port(true).bind("127.0.0.1:0")?.into();
/// assert!(listener.local_addr().is_some());
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener),
    Memory(Callers),
}

/// Who calls from within the program, and waits to be accepted.
#[derive(Debug)]
struct Callers(Arc<Queue<DuplexStream>>);

impl Drop for Callers {
    /// Whoever calls now is refused, and whoever waited finds the connection closed.
    fn drop(&mut self) {
        self.0.close_now();
    }
}

/// The way to a server in memory: see [`Listener::memory`]. Clones lead to the same.
#[derive(Clone, Debug)]
pub struct Dialer(Arc<Queue<DuplexStream>>);

impl Dialer {
    /// A connection, which is in the backlog then.
    ///
    /// # Errors
    /// `ConnectionRefused` when the server has stopped.
    pub fn dial(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = duplex(MEMORY);
        match self.0.try_put(theirs) {
            Ok(()) => Ok(ours),
            Err(_) => Err(io::Error::new(ErrorKind::ConnectionRefused, "the server in memory has stopped")),
        }
    }
}

/// What a connection in memory holds in each direction.
const MEMORY: usize = 64 * 1024;

/// Descriptors have run out: this long until accepting is tried again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Listener {
    /// One that is called from within the program, in any world and without a port, and the way to it: the connections are
    /// [`duplex`] streams.
    ///
    /// ```
    /// use netio::http::{client::Client, server::{Listener, Router, Server}};
    ///
    /// runtime::block_on(async {
    ///     let (listener, dialer) = Listener::memory();
    ///     let router = Router::new().get("/", async || "hello");
    ///     runtime::spawn(Server::new().listen(listener).serve(router));
    ///
    ///     let client = Client::builder().dial(move |_host| std::future::ready(dialer.dial())).build();
    ///     assert_eq!(client.get("http://server.example/").await?.text().await?, "hello");
    ///     Ok::<(), netio::http::client::Error>(())
    /// })
    /// .unwrap();
    /// ```
    pub fn memory() -> (Listener, Dialer) {
        let queue = Arc::new(Queue::unbounded());
        (Listener(Kind::Memory(Callers(queue.clone()))), Dialer(queue))
    }

    /// The address, if it has one; where port 0 was asked for, with the port that the system chose.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix(_) | Kind::Memory(_) => None,
        }
    }

    /// The path of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Tcp(_) | Kind::Memory(_) => None,
            Kind::Unix(listener) => Some(listener.path()),
        }
    }

    /// The next connection, whatever callers and the system do meanwhile.
    pub(super) async fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        loop {
            let accepted = match &self.0 {
                Kind::Tcp(listener) => listener.accept().await.map(|(stream, peer)| {
                    // An answer is one write: there is nothing to collect. If this fails, reading will say why.
                    let _ = stream.set_nodelay(true);
                    (Socket::Tcp(stream), Some(peer))
                }),
                Kind::Unix(listener) => listener.accept_plainly().await.map(|stream| (Socket::Unix(stream), None)),
                // While the listener lives, nobody closes the queue.
                Kind::Memory(callers) => callers.0.get().await.map_err(io::Error::other).map(|caller| {
                    let (stream, unfinished) = caller.into_parts();
                    drop(unfinished);
                    (Socket::Other(Box::new(stream)), None)
                }),
            };
            match accepted {
                Err(error) if concerns_the_caller_only(&error) => {}
                Err(error) if is_a_shortage(&error) => sleep(ACCEPT_PAUSE).await,
                accepted => return accepted,
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Listener(Kind::Tcp(listener))
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Listener(Kind::Unix(listener))
    }
}

/// The next connection from any of them; whose turn it is to be asked first changes with `turn`.
pub(super) async fn accept_any(listeners: &[Listener], turn: u64) -> io::Result<(Socket, Option<SocketAddr>)> {
    if let [only] = listeners {
        return only.accept().await;
    }
    let first = turn.checked_rem(listeners.len() as u64).unwrap_or(0) as usize;
    let (after, before) = listeners.split_at(first);
    let mut accepting: Vec<_> = before.iter().chain(after).map(|listener| Box::pin(listener.accept())).collect();
    poll_fn(|context| {
        let mut polled = accepting.iter_mut().map(|accept| Pin::new(accept).poll(context));
        polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}

/// The one who called is gone, or its network is: accept(2) reports it here.
fn concerns_the_caller_only(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut
    ) || [Errno::PROTO, Errno::PERM].iter().any(|errno| is(error, *errno))
}

/// Too many open files here or in the whole system, or no memory: it passes.
fn is_a_shortage(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].iter().any(|errno| is(error, *errno))
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
