//! What can be asked of a TCP socket before it is used.

use super::TcpListener;
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::{
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    os::fd::AsFd,
    time::Duration,
};

/// How a connection behaves. What is not set stays as the system has it.
///
/// For those that one [makes](super::Connector::options), those that one [accepts](ListenOptions::options), and one that
/// [is there](super::TcpStream::set_options) already. In a simulated world they have no effect.
///
/// ```
/// use netio::net::{ListenOptions, TcpOptions, TcpStream};
/// use std::time::Duration;
///
/// runtime::block_on(async {
///     let listener = ListenOptions::new().bind("127.0.0.1:0")?;
///     let stream = TcpStream::connect(listener.local_addr()?).await?;
///     stream.set_options(&TcpOptions::new().nodelay(true).keepalive(Duration::from_secs(60)))?;
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until they are given to a socket"]
pub struct TcpOptions {
    nodelay: Option<bool>,
    keepalive: Option<Duration>,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
}

impl TcpOptions {
    /// All as the system has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether small writes leave at once (true) or may wait for the acknowledgement of earlier ones.
    pub fn nodelay(self, at_once: bool) -> Self {
        Self { nodelay: Some(at_once), ..self }
    }

    /// Asks the other end for a sign of life when it was silent for so long; a connection whose peer vanished ends with an
    /// error then, after some questions without an answer (on Linux nine, 75 seconds apart). Rounded up to whole seconds, of
    /// which there is at least one.
    pub fn keepalive(self, silent: Duration) -> Self {
        Self { keepalive: Some(silent), ..self }
    }

    /// How many bytes may wait to be sent. The system has limits of its own, and Linux takes twice as many.
    pub fn send_buffer(self, bytes: usize) -> Self {
        Self { send_buffer: Some(bytes), ..self }
    }

    /// How many bytes may wait to be read. The system has limits of its own, and Linux takes twice as many.
    pub fn receive_buffer(self, bytes: usize) -> Self {
        Self { receive_buffer: Some(bytes), ..self }
    }

    pub(super) fn apply(&self, socket: &impl AsFd) -> io::Result<()> {
        let socket = SockRef::from(socket);
        if let Some(at_once) = self.nodelay {
            socket.set_tcp_nodelay(at_once).map_err(|error| cannot("set TCP_NODELAY", error))?;
        }
        if let Some(silent) = self.keepalive {
            let seconds = silent.as_secs() + u64::from(silent.subsec_nanos() > 0);
            let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(seconds.max(1)));
            socket.set_tcp_keepalive(&keepalive).map_err(|error| cannot("set SO_KEEPALIVE", error))?;
        }
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes).map_err(|error| cannot("set SO_SNDBUF", error))?;
        }
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).map_err(|error| cannot("set SO_RCVBUF", error))?;
        }
        Ok(())
    }
}

/// How to listen. Then [`bind`](ListenOptions::bind).
///
/// ```
/// use netio::net::ListenOptions;
///
/// let one = ListenOptions::new().reuse_port(true).bind("127.0.0.1:0").unwrap();
/// // A second listener, in this process or another one: the system spreads the callers among them.
/// let other = ListenOptions::new().reuse_port(true).backlog(16).bind(one.local_addr().unwrap()).unwrap();
/// assert_eq!(one.local_addr().unwrap(), other.local_addr().unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing listens until it is bound"]
pub struct ListenOptions {
    reuse_address: bool,
    reuse_port: bool,
    backlog: u32,
    connections: TcpOptions,
}

/// So many callers may wait to be accepted. std and mio take 128, which is short: who does not fit in tries again a second later.
const BACKLOG: u32 = 4096;

impl ListenOptions {
    /// An address that was in use a moment ago is taken, one that is in use is not; 4096 callers may wait.
    pub fn new() -> Self {
        Self { reuse_address: true, reuse_port: false, backlog: BACKLOG, connections: TcpOptions::new() }
    }

    /// Whether an address is taken whose last connections have not faded yet: then a restart need not wait for them. (Not one at
    /// which somebody listens.) It is, unless this says otherwise.
    pub fn reuse_address(self, reuse: bool) -> Self {
        Self { reuse_address: reuse, ..self }
    }

    /// Whether others may listen at the same address, if they want it too and are of the same user. In a simulated world nobody
    /// may.
    pub fn reuse_port(self, reuse: bool) -> Self {
        Self { reuse_port: reuse, ..self }
    }

    /// So many callers may wait to be accepted; the system has a limit of its own (`net.core.somaxconn`).
    pub fn backlog(self, callers: u32) -> Self {
        Self { backlog: callers, ..self }
    }

    /// What the connections are like that will be accepted: they inherit it from the listener.
    pub fn options(self, connections: TcpOptions) -> Self {
        Self { connections, ..self }
    }

    /// Binds and listens; port 0 lets the system choose one. A host name is looked up with a blocking call, and not in the table
    /// of a simulated world: give numbers.
    ///
    /// # Errors
    /// When the address is in use, not ours, or not allowed. Of several addresses, the error of the last one.
    pub fn bind(&self, address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let mut last = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
        for address in address.to_socket_addrs()? {
            match TcpListener::listen(address, self) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn listen(&self, address: SocketAddr) -> io::Result<std::net::TcpListener> {
        let socket = socket(address)?;
        socket.set_reuse_address(self.reuse_address)?;
        if self.reuse_port {
            socket.set_reuse_port(true).map_err(|error| cannot("set SO_REUSEPORT", error))?;
        }
        // Before anybody calls: how much may be on its way is settled while the connection is made.
        self.connections.apply(&socket)?;
        socket.bind(&address.into())?;
        socket.listen(self.backlog.try_into().unwrap_or(i32::MAX))?;
        Ok(socket.into())
    }
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A socket that is on its way to `address`, perhaps there already.
pub(super) fn connecting(
    address: SocketAddr,
    local: Option<SocketAddr>,
    reuse_address: bool,
    options: &TcpOptions,
) -> io::Result<std::net::TcpStream> {
    let socket = socket(address)?;
    options.apply(&socket)?;
    if let Some(local) = local {
        if reuse_address {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&local.into()).map_err(|error| cannot(&format!("call from {local}"), error))?;
    }
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// One that does not block, of the family of `address`.
fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn cannot(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little more than a second, to be rounded up.
    const SILENT: Duration = Duration::from_millis(1001);

    fn options() -> TcpOptions {
        TcpOptions::new().nodelay(true).keepalive(SILENT).send_buffer(20_000).receive_buffer(30_000)
    }

    fn assert_has_them(socket: &impl AsFd) {
        let socket = SockRef::from(socket);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(2));
        let sizes = (socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap());
        assert!([(20_000, 30_000), (40_000, 60_000)].contains(&sizes), "{sizes:?}");
    }

    #[test]
    fn what_is_set_is_set_on_those_who_call_and_those_who_are_called() {
        let listener = ListenOptions::new().options(options()).listen(([127, 0, 0, 1], 0).into()).unwrap();
        let caller = connecting(listener.local_addr().unwrap(), None, false, &options()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_has_them(&caller);
        assert_has_them(&accepted);
    }

    #[test]
    fn what_is_not_set_stays_as_it_is() {
        let listener = ListenOptions::new().listen(([127, 0, 0, 1], 0).into()).unwrap();
        let untouched = socket(([127, 0, 0, 1], 0).into()).unwrap();
        let caller = connecting(listener.local_addr().unwrap(), None, false, &TcpOptions::new()).unwrap();
        let caller = SockRef::from(&caller);
        assert!(!caller.tcp_nodelay().unwrap() && !caller.keepalive().unwrap());
        assert_eq!(caller.tcp_keepalive_time().unwrap(), untouched.tcp_keepalive_time().unwrap());
        // What has a port and goes on living is reused after a restart, unless it is forbidden.
        assert!(SockRef::from(&listener).reuse_address().unwrap());
        let forbidden = ListenOptions::new().reuse_address(false).listen(([127, 0, 0, 1], 0).into()).unwrap();
        assert!(!SockRef::from(&forbidden).reuse_address().unwrap());
    }

    #[test]
    fn a_value_that_the_system_does_not_like_is_named() {
        let socket = std::os::unix::net::UnixStream::pair().unwrap().0;
        let error = TcpOptions::new().nodelay(true).apply(&socket).unwrap_err();
        assert!(error.to_string().starts_with("cannot set TCP_NODELAY: "), "{error}");
    }
}
