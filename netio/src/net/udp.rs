//! UDP: messages that arrive whole, or not at all.

use runtime::{AsyncFd, world};
use socket2::SockRef;
use std::{
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    os::fd::{AsFd, BorrowedFd},
};

/// A socket for messages (datagrams) of up to 64 KiB. They may be lost, overtaken or doubled on their way, but not torn.
///
/// A socket talks to anybody, or, [connected](UdpSocket::connect), to one peer.
///
/// All operations take `&self`, so tasks can share a socket; but each direction has one waker: at most one task may receive at
/// a time (or peek), and at most one send.
///
/// There is no UDP in a simulated world.
///
/// ```
/// use netio::net::UdpSocket;
///
/// runtime::block_on(async {
///     let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
///     one.send_to(b"hello", other.local_addr()?).await?;
///     let mut buffer = [0; 1500];
///     let (length, sender) = other.recv_from(&mut buffer).await?;
///     assert_eq!((&buffer[..length], sender), (&b"hello"[..], one.local_addr()?));
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct UdpSocket(AsyncFd<mio::net::UdpSocket>);

impl UdpSocket {
    /// Binds; port 0 lets the system choose one. A host name is looked up with a blocking call: give numbers.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed; the text names it. `Unsupported` in a simulated runtime.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        if world::current().is_some() {
            return Err(io::Error::new(ErrorKind::Unsupported, "a simulated world has no UDP sockets"));
        }
        first_that(address, |address| match mio::net::UdpSocket::bind(address) {
            Ok(socket) => Ok(Self(AsyncFd::new(socket))),
            Err(error) => Err(cannot(&format!("bind a UDP socket to {address}"), error)),
        })
    }

    /// Chooses the one peer that [`send`](UdpSocket::send) and [`recv`](UdpSocket::recv) talk to; messages of others are not
    /// received any more. Nothing is sent: nobody may be there. May be called again for another peer.
    ///
    /// # Errors
    /// When there is no way to the address; the text names it.
    ///
    /// ```
    /// use netio::net::UdpSocket;
    /// let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    /// assert!(socket.peer_addr().is_err());
    /// socket.connect("127.0.0.1:9").unwrap();
    /// assert_eq!(socket.peer_addr().unwrap(), "127.0.0.1:9".parse().unwrap());
    /// ```
    pub fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        let socket = self.0.get_ref();
        first_that(address, |address| {
            socket.connect(address).map_err(|error| cannot(&format!("connect a UDP socket to {address}"), error))
        })
    }

    /// Sends a message to the peer; waits while the system has no room for it. Gives its length.
    ///
    /// # Errors
    /// The message is too long; nobody was [connected](UdpSocket::connect) to; or an earlier message was
    /// returned (`ConnectionRefused`: nobody has the peer's port). That is told once; the socket goes on.
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing was sent.
    ///
    /// ```
    /// use netio::net::UdpSocket;
    /// runtime::block_on(async {
    ///     let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    ///     one.connect(other.local_addr()?)?;
    ///     assert_eq!(one.send(b"hello").await?, 5);
    ///     assert_eq!(other.recv(&mut [0; 8]).await?, 5);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub async fn send(&self, message: &[u8]) -> io::Result<usize> {
        self.0.write_with(|socket| socket.send(message)).await
    }

    /// Sends a message to `address`; waits while the system has no room for it. Gives its length.
    ///
    /// # Errors
    /// The message is too long, or there is no way to the address; the text names it.
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing was sent.
    pub async fn send_to(&self, message: &[u8], address: SocketAddr) -> io::Result<usize> {
        let sent = self.0.write_with(|socket| socket.send_to(message, address)).await;
        sent.map_err(|error| cannot(&format!("send {} bytes to {address}", message.len()), error))
    }

    /// The next message; its length. What of it does not fit into the buffer is lost. A message may be empty: zero is no end.
    ///
    /// # Errors
    /// An earlier message to the [peer](UdpSocket::connect) was returned (`ConnectionRefused`). That is told once; the socket
    /// goes on.
    ///
    /// # Cancel safety
    /// Nothing is lost: a message that was not returned is still there.
    ///
    /// ```
    /// use netio::net::UdpSocket;
    /// runtime::block_on(async {
    ///     let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    ///     one.send_to(b"hello", other.local_addr()?).await?;
    ///     one.send_to(b"", other.local_addr()?).await?;
    ///     let mut buffer = [0; 4];
    ///     assert_eq!((other.recv(&mut buffer).await?, &buffer), (4, b"hell")); // the rest is lost
    ///     assert_eq!(other.recv(&mut buffer).await?, 0); // a message, not the end
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|socket| socket.recv(buffer)).await
    }

    /// The next message, and who sent it. What of it does not fit into the buffer is lost.
    ///
    /// # Errors
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Cancel safety
    /// Nothing is lost: a message that was not returned is still there.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read_with(|socket| socket.recv_from(buffer)).await
    }

    /// The next message, and who sent it; it stays there, whole.
    ///
    /// # Errors
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// use netio::net::UdpSocket;
    /// runtime::block_on(async {
    ///     let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    ///     one.send_to(b"hello", other.local_addr()?).await?;
    ///     assert_eq!(other.peek_from(&mut [0; 1]).await?.0, 1);
    ///     assert_eq!(other.recv(&mut [0; 8]).await?, 5);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read_with(|socket| socket.peek_from(buffer)).await
    }

    /// Where it is bound: after port 0, the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The one peer.
    ///
    /// # Errors
    /// `NotConnected` when there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// Whether messages may be sent to all hosts of a network at once (`255.255.255.255`). At first they may not.
    ///
    /// # Errors
    /// When the system refuses.
    ///
    /// ```
    /// let socket = netio::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    /// assert!(!socket.broadcast().unwrap());
    /// socket.set_broadcast(true).unwrap();
    /// ```
    pub fn set_broadcast(&self, allowed: bool) -> io::Result<()> {
        self.0.get_ref().set_broadcast(allowed)
    }

    /// Whether messages may be sent to all hosts of a network at once.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.0.get_ref().broadcast()
    }

    /// How many routers a message may pass (by IPv4), 1 to 255.
    ///
    /// # Errors
    /// When the system refuses the number.
    ///
    /// ```
    /// let socket = netio::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    /// socket.set_ttl(1).unwrap(); // not beyond this network
    /// assert_eq!(socket.ttl().unwrap(), 1);
    /// ```
    pub fn set_ttl(&self, routers: u32) -> io::Result<()> {
        self.0.get_ref().set_ttl(routers)
    }

    /// How many routers a message may pass (by IPv4).
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.get_ref().ttl()
    }

    /// How many bytes may wait to be received; messages for which there is no room are lost. Linux takes twice as many.
    ///
    /// # Errors
    /// When the system refuses the number.
    pub fn set_receive_buffer(&self, bytes: usize) -> io::Result<()> {
        SockRef::from(self.0.get_ref()).set_recv_buffer_size(bytes)
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

/// What `attempt` gives for the first address that it does not fail for; else its last error.
fn first_that<R>(addresses: impl ToSocketAddrs, attempt: impl Fn(SocketAddr) -> io::Result<R>) -> io::Result<R> {
    let mut last = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
    for address in addresses.to_socket_addrs()? {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn cannot(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}
