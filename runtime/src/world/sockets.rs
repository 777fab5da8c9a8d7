//! The sockets of a simulated world, with the waiting added: the same reactor, the same readiness, the same loop as for
//! descriptors.

use crate::{
    AsyncFd,
    network::{Listener, Network, Stream},
};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    io::{self, IoSlice, Write},
    net::{Shutdown, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

fn network() -> io::Result<Arc<Network>> {
    Network::current().ok_or_else(|| io::Error::other("a simulated socket is made inside a simulated runtime only"))
}

/// A socket of the current world that others connect to.
///
/// See the [module](crate::world) for an example.
///
/// ```
/// use runtime::{Runtime, spawn, world::{TcpListener, TcpStream}};
/// Runtime::simulated(1).block_on(async {
///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
///     let address = listener.local_addr();
///     let callers: Vec<_> = (0..3).map(|_| spawn(TcpStream::connect(address))).collect();
///     for _ in &callers {
///         let (stream, caller) = listener.accept().await?;
///         assert_eq!(stream.peer_addr(), caller);
///     }
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct TcpListener(AsyncFd<Listener>);

impl TcpListener {
    /// Binds and listens, at any address; port 0 stands for one that is free. "All addresses" (0.0.0.0, ::) means every one of
    /// its family that nobody listens at more closely.
    ///
    /// # Errors
    /// `AddrInUse`; or that the current runtime has no world.
    ///
    /// ```
    /// use runtime::{Runtime, world::TcpListener};
    /// use std::io::ErrorKind;
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     assert_eq!(TcpListener::bind(listener.local_addr()).unwrap_err().kind(), ErrorKind::AddrInUse);
    /// });
    /// assert!(TcpListener::bind(([10, 0, 0, 1], 80).into()).is_err()); // there is no world here
    /// ```
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self(AsyncFd::new(Listener::bind(&network()?, address)?)))
    }

    /// The next connection, and who called.
    ///
    /// # Errors
    /// "Too many open files", if [somebody](crate::world::World::fail_next_accept) or the
    /// [`Conditions`](crate::world::Conditions) ask for it. It passes.
    ///
    /// # Cancel safety
    /// Nothing is lost: a connection that was not returned is still in the backlog.
    ///
    /// ```
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream}};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     let (stream, caller) = theirs?;
    ///     assert_eq!((stream.local_addr(), caller), (listener.local_addr(), ours?.local_addr()));
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.0.read_with(|listener| listener.accept()).await?;
        Ok((TcpStream(AsyncFd::new(stream)), peer))
    }

    /// Where it listens: after binding port 0, the port that was chosen.
    ///
    /// ```
    /// use runtime::{Runtime, world::TcpListener};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 0).into()).unwrap();
    ///     assert_ne!(listener.local_addr().port(), 0);
    /// });
    /// ```
    pub fn local_addr(&self) -> SocketAddr {
        self.0.get_ref().local_addr()
    }
}

/// A connection in the current world.
///
/// It does what a TCP socket on Linux does: bytes arrive in order or not at all; a closed direction is an end for the reader
/// and a broken pipe for the writer; who closes with bytes unread resets; a reset is reported once, after the bytes that came
/// before it. As with every [`AsyncFd`], at most one task may read at a time, and at most one write.
///
/// See the [module](crate::world) for an example.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream}};
/// Runtime::simulated(1).block_on(async {
///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
///     let (mut ours, (mut theirs, _)) = (ours?, theirs?);
///     ours.write_all(b"ping").await?;
///     drop(ours);
///     let mut heard = Vec::new();
///     theirs.read_to_end(&mut heard).await?;
///     assert_eq!(heard, b"ping");
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct TcpStream(AsyncFd<Stream>);

impl TcpStream {
    /// Connects.
    ///
    /// # Errors
    /// `ConnectionRefused` if nobody listens there, or if the [`Conditions`](crate::world::Conditions) ask for it; or that the
    /// current runtime has no world.
    ///
    /// # Cancel safety
    /// A connection that was being made is closed.
    ///
    /// ```
    /// use runtime::{Runtime, world::TcpStream};
    /// use std::io::ErrorKind;
    /// let nobody = Runtime::simulated(1).block_on(TcpStream::connect(([10, 0, 0, 1], 80).into()));
    /// assert_eq!(nobody.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    /// ```
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = AsyncFd::new(Stream::connect(&network()?, address)?);
        stream.write_with(Stream::connected).await?;
        Ok(Self(stream))
    }

    /// Our end.
    ///
    /// ```
    /// use runtime::{Runtime, world::{TcpListener, TcpStream, on_host}};
    /// use std::net::IpAddr;
    /// Runtime::simulated(1).block_on(async {
    ///     let (near, listener) = (IpAddr::from([10, 0, 0, 1]), TcpListener::bind(([10, 0, 0, 2], 80).into())?);
    ///     let stream = on_host(near, TcpStream::connect(listener.local_addr())).await?;
    ///     assert_eq!(stream.local_addr().ip(), near);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn local_addr(&self) -> SocketAddr {
        self.0.get_ref().local_addr()
    }

    /// The other end.
    ///
    /// ```
    /// use runtime::{Runtime, world::{TcpListener, TcpStream}};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let stream = TcpStream::connect(listener.local_addr()).await?;
    ///     assert_eq!(stream.peer_addr(), listener.local_addr());
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn peer_addr(&self) -> SocketAddr {
        self.0.get_ref().peer_addr()
    }

    /// Closes a direction for both ends.
    ///
    /// # Errors
    /// When the connection is gone.
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream}};
    /// use std::{io::ErrorKind, net::Shutdown};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     let (mut ours, (mut theirs, _)) = (ours?, theirs?);
    ///     ours.shutdown(Shutdown::Write)?;
    ///     assert_eq!(theirs.read(&mut [0; 8]).await?, 0); // the end
    ///     assert_eq!(ours.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    ///     theirs.write_all(b"you may still listen").await?;
    ///     assert!(ours.read(&mut [0; 8]).await? > 0);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn shutdown(&self, direction: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(direction)
    }

    /// Copies what has arrived and is not read yet into `buffer`, and leaves it there. Zero is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing; it does not wait.
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream}};
    /// use std::io::ErrorKind;
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     let (mut ours, (mut theirs, _)) = (ours?, theirs?);
    ///     assert_eq!(theirs.try_peek(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    ///     ours.write_all(b"ping").await?;
    ///     theirs.read_exact(&mut [0; 3]).await?;
    ///     runtime::time::sleep(std::time::Duration::from_secs(1)).await; // by now all has arrived
    ///     let mut seen = [0; 8];
    ///     assert_eq!((theirs.try_peek(&mut seen)?, seen[0]), (1, b'g'));
    ///     assert_eq!(theirs.try_peek(&mut seen)?, 1); // it is still there
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn try_peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.get_ref().peek(buffer)
    }

    /// When this is dropped, the other end will see "connection reset".
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream}};
    /// use std::io::ErrorKind;
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     ours?.reset_when_dropped();
    ///     assert_eq!(theirs?.0.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn reset_when_dropped(&self) {
        self.0.get_ref().reset_when_dropped();
    }

    /// Breaks the connection here and now, as something on the way would: both ends see "connection reset", and what is under
    /// way is lost.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream}};
    /// use std::io::ErrorKind;
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind("10.0.0.1:80".parse().unwrap())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     let (mut ours, (mut theirs, _)) = (ours?, theirs?);
    ///     ours.break_off();
    ///     for end in [&mut ours, &mut theirs] {
    ///         assert_eq!(end.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    ///     }
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn break_off(&self) {
        self.0.get_ref().break_off();
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
