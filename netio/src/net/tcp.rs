//! TCP: a listener that accepts and a stream that reads and writes.

use super::Address;
use futures_io::{AsyncRead, AsyncWrite};
use runtime::AsyncFd;
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
pub struct TcpListener(AsyncFd<mio::net::TcpListener>);

/// So many callers may wait to be accepted; the system has a limit of its own (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

impl TcpListener {
    /// Binds and listens; port 0 lets the system choose one. A host name is looked up with a blocking call: give numbers.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
        for address in address.to_socket_addrs()? {
            // mio sets SO_REUSEADDR, so that a restart need not wait for old connections. Its backlog of 128 is short: who does
            // not fit in tries again a second later. To listen again is to lengthen it.
            let bound = mio::net::TcpListener::bind(address);
            match bound.and_then(|listener| Ok(rustix::net::listen(&listener, BACKLOG).map(|()| listener)?)) {
                Ok(listener) => return Ok(Self(AsyncFd::new(listener))),
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
        let (stream, peer) = self.0.read_with(|listener| listener.accept()).await?;
        Ok((TcpStream(AsyncFd::new(stream)), peer))
    }

    /// Where it listens: after binding port 0, the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }
}

/// A connection.
///
/// The futures-io traits are implemented for `TcpStream` and for `&TcpStream`. Each direction has one waker: at most one
/// task may read at a time, and at most one write.
#[derive(Debug)]
pub struct TcpStream(AsyncFd<mio::net::TcpStream>);

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
        let stream = AsyncFd::new(mio::net::TcpStream::connect(address)?);
        let connected = |socket: &mio::net::TcpStream| match socket.take_error()? {
            Some(error) => Err(error),
            None => match socket.peer_addr() {
                Err(error) if error.kind() == ErrorKind::NotConnected => Err(ErrorKind::WouldBlock.into()),
                known => known,
            },
        };
        stream.write_with(connected).await?;
        Ok(Self(stream))
    }

    /// Our end.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The other end.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// Whether small writes leave at once (true) or may wait for the acknowledgement of earlier ones.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn set_nodelay(&self, at_once: bool) -> io::Result<()> {
        self.0.get_ref().set_nodelay(at_once)
    }

    /// Closes a direction for both ends, whoever else holds the socket.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn shutdown(&self, direction: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(direction)
    }

    /// Hangs up in the middle of the sentence: what was not sent is thrown away, and the other end sees "connection reset".
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn reset(self) -> io::Result<()> {
        self.reset_when_dropped()
    }

    pub(crate) fn reset_when_dropped(&self) -> io::Result<()> {
        // To linger for no time at all is how the socket interface says "reset on close".
        Ok(sockopt::set_socket_linger(self.0.get_ref(), Some(Duration::ZERO))?)
    }

    /// Whether the other end has neither sent anything nor hung up, as far as is known by now.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self.0.get_ref().peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

impl AsyncRead for &TcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read_bytes(context, buffer)
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write_bytes(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_with(context, |mut stream| stream.write_vectored(parts))
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
