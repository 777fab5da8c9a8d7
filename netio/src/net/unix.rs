//! Unix sockets: streams between processes of one machine, by the path of a file or as a pair.

use super::by_reference::by_reference;
use futures_io::{AsyncRead, AsyncWrite};
use runtime::{AsyncFd, time::sleep, world};
use std::{
    fs,
    io::{self, ErrorKind, IoSlice, Write},
    net::Shutdown,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::MetadataExt,
    },
    path::{self, Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A socket in the file system that others connect to.
///
/// Binding makes a file, and the listener removes it when it is dropped, so that the next one can be bound there. (Not if it is
/// another file by then: somebody removed ours and listens there now.) A process that is killed removes nothing: its successor
/// gets "address in use", and is to remove the file if it knows that nobody listens there any more, which is when
/// [connecting](UnixStream::connect) is refused.
///
/// Who may connect is said by the permissions of the file and its folder.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use netio::net::{UnixListener, UnixStream};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("socket");
/// runtime::block_on(async {
///     let listener = UnixListener::bind(&path)?;
///     let mut caller = UnixStream::connect(&path).await?;
///     let mut answerer = listener.accept().await?;
///     answerer.write_all(b"hello").await?;
///     drop(answerer);
///
///     let mut heard = String::new();
///     caller.read_to_string(&mut heard).await?;
///     assert_eq!(heard, "hello");
///     drop(listener);
///     assert!(!path.exists());
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct UnixListener {
    // Declared first: the file goes before the socket is closed, so that nobody finds it refusing.
    file: SocketFile,
    listener: AsyncFd<mio::net::UnixListener>,
}

/// A file that is removed with its socket.
#[derive(Debug)]
struct SocketFile {
    /// Absolute: the process may change its folder meanwhile.
    path: PathBuf,
    /// Which file it is: device and number.
    identity: (u64, u64),
}

impl UnixListener {
    /// Makes the socket's file, and listens.
    ///
    /// # Errors
    /// Naming the path: `AddrInUse` when there is a file already (whatever it is), `InvalidInput` when the path is longer than
    /// the system takes (about a hundred bytes); the folder does not exist, or is not ours to write to. `Unsupported` in a
    /// simulated runtime, whose world has no files.
    ///
    /// ```
    /// use netio::net::UnixListener;
    /// let error = UnixListener::bind("/no/such/folder/socket").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "cannot listen at /no/such/folder/socket: No such file or directory (os error 2)"
    /// );
    /// ```
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        Self::bind_to(path).map_err(|error| cannot("listen at", path, error))
    }

    fn bind_to(path: &Path) -> io::Result<Self> {
        outside_worlds()?;
        let path = path::absolute(path)?;
        let listener = mio::net::UnixListener::bind(&path)?;
        let identity = identity(&path)?;
        Ok(Self { file: SocketFile { path, identity }, listener: AsyncFd::new(listener) })
    }

    /// The next connection. (Who calls has no address; what process it is, the system does not say.)
    ///
    /// # Errors
    /// What the system says, with the path. "Too many open files" passes when some are closed.
    ///
    /// # Cancel safety
    /// Nothing is lost: a connection that was not returned is still in the backlog.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        self.accept_plainly().await.map_err(|error| cannot("accept at", self.path(), error))
    }

    /// With the system's own error, for who has to tell one from the other.
    pub(crate) async fn accept_plainly(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.read_with(|listener| listener.accept()).await?;
        Ok(UnixStream(AsyncFd::new(stream)))
    }

    /// Where it listens, from the root on.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

impl AsFd for UnixListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.get_ref().as_fd()
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Nobody could be told that it fails; the next one to bind is.
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A connection between two processes of one machine, or between two ends in one process.
///
/// The futures-io traits are implemented for `UnixStream` and for `&UnixStream`. Each direction has one waker: at most one
/// task may read at a time, and at most one write.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use netio::net::UnixStream;
///
/// runtime::block_on(async {
///     let (mut left, mut right) = UnixStream::pair()?;
///     left.write_all(b"hello").await?;
///     left.close().await?; // says that no more comes; reading goes on
///     let mut heard = String::new();
///     right.read_to_string(&mut heard).await?;
///     assert_eq!(heard, "hello");
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct UnixStream(AsyncFd<mio::net::UnixStream>);

/// How long it is waited at first, and at most, before a full backlog is tried again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

impl UnixStream {
    /// Connects to the socket at `path`. That is done at once, unless the backlog of the listener is full: then it is tried again
    /// every few milliseconds, for the system does not tell when there is room.
    ///
    /// # Errors
    /// Naming the path: `NotFound` when there is no file, `ConnectionRefused` when nobody listens there any more (or it is no
    /// socket), `PermissionDenied`. `Unsupported` in a simulated runtime, whose world has no files.
    ///
    /// # Cancel safety
    /// A connection that was being made is closed.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        Self::connect_to(path).await.map_err(|error| cannot("connect to", path, error))
    }

    async fn connect_to(path: &Path) -> io::Result<Self> {
        outside_worlds()?;
        let (mut pause, longest) = AGAIN;
        let stream = loop {
            match mio::net::UnixStream::connect(path) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                connecting => break AsyncFd::new(connecting?),
            }
            sleep(pause).await;
            pause = longest.min(2 * pause);
        };
        // Made by now, on Linux; elsewhere it may take a moment. As with TCP, writable alone says little.
        let connected = |socket: &mio::net::UnixStream| match socket.take_error()? {
            Some(error) => Err(error),
            None => match socket.peer_addr() {
                Err(error) if error.kind() == ErrorKind::NotConnected => Err(ErrorKind::WouldBlock.into()),
                known => known.map(drop),
            },
        };
        stream.write_with(connected).await?;
        Ok(Self(stream))
    }

    /// Two ends of one connection, which has no path.
    ///
    /// # Errors
    /// "Too many open files"; `Unsupported` in a simulated runtime: there, use a [`duplex`](super::duplex).
    pub fn pair() -> io::Result<(Self, Self)> {
        outside_worlds()?;
        let (left, right) = mio::net::UnixStream::pair()?;
        Ok((Self(AsyncFd::new(left)), Self(AsyncFd::new(right))))
    }

    /// Closes a direction for both ends, whoever else holds the socket.
    ///
    /// # Errors
    /// When the connection is gone.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use netio::net::UnixStream;
    /// use std::net::Shutdown;
    /// runtime::block_on(async {
    ///     let (left, mut right) = UnixStream::pair()?;
    ///     left.shutdown(Shutdown::Write)?;
    ///     assert_eq!(right.read(&mut [0; 8]).await?, 0); // the end
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn shutdown(&self, direction: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(direction)
    }

    /// Whether the other end has neither sent anything nor hung up, as far as is known by now.
    pub(crate) fn is_quiet(&self) -> bool {
        let peeked = rustix::net::recv(self.0.get_ref(), &mut [0], rustix::net::RecvFlags::PEEK);
        matches!(peeked, Err(rustix::io::Errno::AGAIN))
    }
}

impl AsFd for UnixStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

impl AsyncRead for &UnixStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read_bytes(context, buffer)
    }
}

impl AsyncWrite for &UnixStream {
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

by_reference!(UnixStream);

/// Said before anything is done: a socket of the system could be made, but not waited for.
fn outside_worlds() -> io::Result<()> {
    match world::current() {
        None => Ok(()),
        Some(_) => Err(io::Error::new(ErrorKind::Unsupported, "a simulated world has no Unix sockets")),
    }
}

fn cannot(what: &str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what} {}: {error}", path.display()))
}
