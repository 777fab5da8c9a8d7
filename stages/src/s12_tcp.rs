//! Stage 12: TCP over the reactor of stage 10. Try; if it would block, wait for the reactor's word, and *try again*.
//!
//! ```
//! use stages::{s10_reactor::{block_on, spawn}, s12_tcp::{TcpListener, TcpStream, read, write_all}};
//! use std::future::poll_fn;
//!
//! block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//!     let address = listener.local_addr()?;
//!     spawn(async move {
//!         let stream = poll_fn(|context| listener.poll_accept(context)).await.unwrap();
//!         write_all(&mut &stream, &[7; 1_000_000]).await.unwrap(); // more than the system takes at once
//!     });
//!
//!     let stream = TcpStream::connect(address).await?;
//!     let (mut received, mut buffer) = (0, [0; 4096]);
//!     loop {
//!         match read(&mut &stream, &mut buffer).await? {
//!             0 => break, // the other side is gone
//!             length => received += length,
//!         }
//!     }
//!     assert_eq!(received, 1_000_000);
//!     std::io::Result::Ok(())
//! }).unwrap();
//! ```

// ANCHOR: imports
use crate::s10_reactor::{Direction, Watched};
use std::{
    future::{Future, poll_fn},
    io,
    net::{Shutdown, SocketAddr},
    pin::Pin,
    task::{Context, Poll, ready},
};
// ANCHOR_END: imports

// ANCHOR: listener
/// A socket that others connect to.
pub struct TcpListener(Watched<mio::net::TcpListener>);

impl TcpListener {
    /// Listens; port 0 lets the system choose one. To be called inside `block_on`.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(TcpListener(Watched::new(mio::net::TcpListener::bind(address)?)?))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The next connection. A caller that nobody has accepted yet waits in the system.
    ///
    /// # Errors
    /// What the system says. It need not be the end of the listener.
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let (stream, _) = ready!(self.0.poll_with(Direction::Read, context, |listener| listener.accept()))?;
        Poll::Ready(Watched::new(stream).map(TcpStream))
    }
}
// ANCHOR_END: listener

// ANCHOR: connect
/// A connection.
pub struct TcpStream(Watched<mio::net::TcpStream>);

impl TcpStream {
    /// Connects. To be called inside `block_on`.
    ///
    /// # Errors
    /// When nobody listens there, or the way there is closed.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        // Only begins: the system goes on by itself, and says "writable" when it is done, for better or worse.
        let stream = Watched::new(mio::net::TcpStream::connect(address)?)?;
        poll_fn(|context| stream.poll_with(Direction::Write, context, connected)).await?;
        Ok(TcpStream(stream))
    }

    /// Ends our side: the other one reads an end, and may go on writing.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn shutdown(&self) -> io::Result<()> {
        self.0.get_ref().shutdown(Shutdown::Write)
    }
}

/// Connected is who has no error and knows its peer.
fn connected(stream: &mio::net::TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        known => known.map(drop),
    }
}
// ANCHOR_END: connect

// ANCHOR: traits
/// What can be read from.
pub trait AsyncRead {
    /// Reads into `buffer`, at least one byte. Zero is the end, or there was no room in `buffer`.
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;
}

/// What can be written to.
pub trait AsyncWrite {
    /// Writes the beginning of `bytes`, as much of it as there is room for.
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Says that no more will be written.
    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// For the reference: so one task may read while another writes.
impl AsyncRead for &TcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_with(Direction::Read, context, |mut stream| io::Read::read(&mut stream, buffer))
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_with(Direction::Write, context, |mut stream| io::Write::write(&mut stream, bytes))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown())
    }
}
// ANCHOR_END: traits

// ANCHOR: futures
/// Reads into `buffer` what is there, and waits if there is nothing. Zero is the end.
///
/// # Errors
/// What the source fails with.
pub fn read(from: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
    poll_fn(|context| Pin::new(&mut *from).poll_read(context, buffer))
}

/// Writes all of `bytes`, in as many pieces as it takes.
///
/// # Errors
/// What the sink fails with. A part may have been written then, as when this is dropped before its end.
pub async fn write_all(to: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match poll_fn(|context| Pin::new(&mut *to).poll_write(context, bytes)).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}
// ANCHOR_END: futures
