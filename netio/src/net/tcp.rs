//! TCP: a listener that accepts and a stream that reads and writes.
//!
//! Each is one of two: the system's, or one of the world of a simulated runtime. Which, is decided once, when it is made.

use super::{Address, Connector, ListenOptions, TcpOptions, by_reference::by_reference, options};
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

impl TcpListener {
    /// Binds and listens; port 0 lets the system choose one. A host name is looked up with a blocking call, and not in the table
    /// of a simulated world: give numbers. [`ListenOptions`] can be told more.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        ListenOptions::new().bind(address)
    }

    pub(super) fn listen(address: SocketAddr, options: &ListenOptions) -> io::Result<Self> {
        Ok(Self(match world::current() {
            Some(_) => Listening::Simulated(world::TcpListener::bind(address)?),
            None => Listening::System(AsyncFd::new(mio::net::TcpListener::from_std(options.listen(address)?))),
        }))
    }

    /// Takes over a listener that somebody else bound: a service manager, or another runtime.
    ///
    /// # Errors
    /// When it cannot be made non-blocking; `Unsupported` in a simulated runtime, whose world has sockets of its own.
    ///
    /// ```
    /// let bound = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let address = bound.local_addr()?;
    /// let listener = netio::net::TcpListener::from_std(bound)?;
    /// assert_eq!(listener.local_addr()?, address);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        if world::current().is_some() {
            return Err(io::Error::new(ErrorKind::Unsupported, "a simulated world has sockets of its own"));
        }
        listener.set_nonblocking(true)?;
        Ok(Self(Listening::System(AsyncFd::new(mio::net::TcpListener::from_std(listener)))))
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
    /// Connects to the address of the host that answers first; a [`Connector`] can be told more.
    ///
    /// # Errors
    /// A [`ConnectError`](super::ConnectError) within: the name is not known, or no address could be connected to.
    ///
    /// # Cancel safety
    /// A connection that was being made is closed.
    pub async fn connect(address: impl Into<Address>) -> io::Result<Self> {
        Ok(Connector::new().connect(address).await?)
    }

    /// A connection is made when the socket is writable, has no error, and knows its peer. Writable alone is not enough:
    /// that is also how a failure is told, and a wake-up may be spurious.
    pub(crate) async fn call(
        address: SocketAddr,
        local: Option<SocketAddr>,
        reuse_address: bool,
        options: &TcpOptions,
    ) -> io::Result<Self> {
        if world::current().is_some() {
            return Self::call_in_world(address, local).await;
        }
        let stream = options::connecting(address, local, reuse_address, options)?;
        let stream = AsyncFd::new(mio::net::TcpStream::from_std(stream));
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

    async fn call_in_world(address: SocketAddr, local: Option<SocketAddr>) -> io::Result<Self> {
        let call = world::TcpStream::connect(address);
        let stream = match local.filter(|local| !(local.ip().is_unspecified() && local.port() == 0)) {
            None => call.await?,
            Some(local) if local.port() == 0 => world::on_host(local.ip(), call).await?,
            Some(local) => {
                let why = format!("cannot call from {local}: a simulated world chooses the port itself");
                return Err(io::Error::new(ErrorKind::Unsupported, why));
            }
        };
        Ok(Self(Speaking::Simulated(stream)))
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

    /// Changes how it behaves. Nothing happens in a simulated world.
    ///
    /// # Errors
    /// When the connection is gone, or the system does not like a value: the text says which option. Those before it are set.
    pub fn set_options(&self, options: &TcpOptions) -> io::Result<()> {
        match &self.0 {
            Speaking::System(stream) => options.apply(stream.get_ref()),
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

by_reference!(TcpStream);
