//! TCP: a listener that accepts and a stream that reads and writes.
//!
//! Each is one of two: the system's, or one of the world of a simulated runtime. Which, is decided once, when it is made.

use super::Address;
use futures_io::{AsyncRead, AsyncWrite};
use runtime::{AsyncFd, world};
use rustix::net::sockopt;
use std::{
    io::{self, ErrorKind, IoSlice, Write},
    net::{Shutdown, SocketAddr, ToSocketAddrs},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A socket that others connect to.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use netio::net::{TcpListener, TcpStream};
///
/// runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let mut caller = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut answerer, _) = listener.accept().await?;
///     answerer.write_all(b"hello").await?;
///     drop(answerer);
///
///     let mut heard = String::new();
///     caller.read_to_string(&mut heard).await?;
///     assert_eq!(heard, "hello");
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct TcpListener(Listening);

#[derive(Debug)]
enum Listening {
    System(AsyncFd<mio::net::TcpListener>),
    Simulated(world::TcpListener),
}

/// So many callers may wait to be accepted; the system has a limit of its own (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

impl TcpListener {
    /// Binds and listens; port 0 lets the system choose one. A host name is looked up with a blocking call, and not in the table
    /// of a simulated world: give numbers.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
        for address in address.to_socket_addrs()? {
            if world::current().is_some() {
                match world::TcpListener::bind(address) {
                    Ok(listener) => return Ok(Self(Listening::Simulated(listener))),
                    Err(error) => last = error,
                }
                continue;
            }
            // mio sets SO_REUSEADDR, so that a restart need not wait for old connections. Its backlog of 128 is short: who does
            // not fit in tries again a second later. To listen again is to lengthen it.
            let bound = mio::net::TcpListener::bind(address);
            match bound.and_then(|listener| Ok(rustix::net::listen(&listener, BACKLOG).map(|()| listener)?)) {
                Ok(listener) => return Ok(Self(Listening::System(AsyncFd::new(listener)))),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The next connection, and who called.
    ///
    /// # Errors
    /// What the system says. `ConnectionAborted` concerns only the caller that hung up; "too many open files" passes when
    /// some are closed. Neither is the end of the listener.
    ///
    /// # Cancel safety
    /// Nothing is lost: a connection that was not returned is still in the backlog.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.0 {
            Listening::System(listener) => {
                let (stream, peer) = listener.read_with(|listener| listener.accept()).await?;
                Ok((TcpStream(Speaking::System(AsyncFd::new(stream))), peer))
            }
            Listening::Simulated(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((TcpStream(Speaking::Simulated(stream)), peer))
            }
        }
    }

    /// Where it listens: after binding port 0, the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Listening::System(listener) => listener.get_ref().local_addr(),
            Listening::Simulated(listener) => Ok(listener.local_addr()),
        }
    }
}

/// A connection.
///
/// The futures-io traits are implemented for `TcpStream` and for `&TcpStream`. Each direction has one waker: at most one
/// task may read at a time, and at most one write.
#[derive(Debug)]
pub struct TcpStream(Speaking);

#[derive(Debug)]
enum Speaking {
    System(AsyncFd<mio::net::TcpStream>),
    Simulated(world::TcpStream),
}

impl TcpStream {
    /// Connects to the first address of the host that answers.
    ///
    /// # Errors
    /// That of the last address tried; when the name is not known, that of the resolver.
    ///
    /// # Cancel safety
    /// A connection that was being made is closed.
    pub async fn connect(address: impl Into<Address>) -> io::Result<Self> {
        let mut last = None;
        for address in address.into().resolve().await? {
            match Self::connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("resolving gives at least one address"))
    }

    /// A connection is made when the socket is writable, has no error, and knows its peer. Writable alone is not enough:
    /// that is also how a failure is told, and a wake-up may be spurious.
    async fn connect_to(address: SocketAddr) -> io::Result<Self> {
        if world::current().is_some() {
            return world::TcpStream::connect(address).await.map(Speaking::Simulated).map(Self);
        }
        let stream = AsyncFd::new(mio::net::TcpStream::connect(address)?);
        let connected = |socket: &mio::net::TcpStream| match socket.take_error()? {
            Some(error) => Err(error),
            None => match socket.peer_addr() {
                Err(error) if error.kind() == ErrorKind::NotConnected => Err(ErrorKind::WouldBlock.into()),
                known => known,
            },
        };
        stream.write_with(connected).await?;
        Ok(Self(Speaking::System(stream)))
    }

    /// Our end.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Speaking::System(stream) => stream.get_ref().local_addr(),
            Speaking::Simulated(stream) => Ok(stream.local_addr()),
        }
    }

    /// The other end.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Speaking::System(stream) => stream.get_ref().peer_addr(),
            Speaking::Simulated(stream) => Ok(stream.peer_addr()),
        }
    }

    /// Whether small writes leave at once (true) or may wait for the acknowledgement of earlier ones.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn set_nodelay(&self, at_once: bool) -> io::Result<()> {
        match &self.0 {
            Speaking::System(stream) => stream.get_ref().set_nodelay(at_once),
            // Nothing is ever held back there.
            Speaking::Simulated(_) => Ok(()),
        }
    }

    /// Closes a direction for both ends, whoever else holds the socket.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn shutdown(&self, direction: Shutdown) -> io::Result<()> {
        match &self.0 {
            Speaking::System(stream) => stream.get_ref().shutdown(direction),
            Speaking::Simulated(stream) => stream.shutdown(direction),
        }
    }

    /// Hangs up in the middle of the sentence: what was not sent is thrown away, and the other end sees "connection reset".
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn reset(self) -> io::Result<()> {
        self.reset_when_dropped()
    }

    pub(crate) fn reset_when_dropped(&self) -> io::Result<()> {
        match &self.0 {
            // To linger for no time at all is how the socket interface says "reset on close".
            Speaking::System(stream) => sockopt::set_socket_linger(stream.get_ref(), Some(Duration::ZERO))?,
            Speaking::Simulated(stream) => stream.reset_when_dropped(),
        }
        Ok(())
    }

    /// Whether the other end has neither sent anything nor hung up, as far as is known by now.
    pub(crate) fn is_quiet(&self) -> bool {
        let peeked = match &self.0 {
            Speaking::System(stream) => stream.get_ref().peek(&mut [0]),
            Speaking::Simulated(stream) => stream.try_peek(&mut [0]),
        };
        matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

impl AsyncRead for &TcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match &self.0 {
            Speaking::System(stream) => stream.poll_read_bytes(context, buffer),
            Speaking::Simulated(stream) => Pin::new(&mut &*stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &self.0 {
            Speaking::System(stream) => stream.poll_write_bytes(context, bytes),
            Speaking::Simulated(stream) => Pin::new(&mut &*stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &self.0 {
            Speaking::System(stream) => stream.poll_write_with(context, |mut stream| stream.write_vectored(parts)),
            Speaking::Simulated(stream) => Pin::new(&mut &*stream).poll_write_vectored(context, parts),
        }
    }

    /// Nothing is held back.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Tells the other end that no more comes. Reading goes on.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown(Shutdown::Write))
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(context, buffer)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(context, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(context)
    }
}
