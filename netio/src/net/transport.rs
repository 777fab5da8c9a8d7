//! What HTTP asks of a connection, whatever it runs over.

use super::{DuplexStream, TcpStream, UnixStream};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

/// A connection: bytes both ways. `poll_close` says that no more comes; reading goes on.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// When it is dropped, the peer shall see a reset where that exists, not an orderly end.
    ///
    /// # Errors
    /// When it is gone already.
    fn reset_when_dropped(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether the other end has neither sent anything nor hung up, as far as is known by now.
    fn is_quiet(&self) -> bool;
}

impl Transport for TcpStream {
    fn reset_when_dropped(&self) -> io::Result<()> {
        TcpStream::reset_when_dropped(self)
    }

    fn is_quiet(&self) -> bool {
        TcpStream::is_quiet(self)
    }
}

impl Transport for UnixStream {
    fn is_quiet(&self) -> bool {
        UnixStream::is_quiet(self)
    }
}

impl Transport for DuplexStream {
    fn is_quiet(&self) -> bool {
        DuplexStream::is_quiet(self)
    }
}

impl Transport for Box<dyn Transport> {
    fn reset_when_dropped(&self) -> io::Result<()> {
        (**self).reset_when_dropped()
    }

    fn is_quiet(&self) -> bool {
        (**self).is_quiet()
    }
}

/// What a server speaks over. The commonest is at hand, and all that it does is compiled once.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Other(Box<dyn Transport>),
}

macro_rules! whichever {
    ($socket:expr, $stream:ident => $do:expr) => {
        match $socket {
            Socket::Tcp($stream) => $do,
            Socket::Unix($stream) => $do,
            Socket::Other($stream) => $do,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        whichever!(self.get_mut(), stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        whichever!(self.get_mut(), stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        whichever!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(context, parts))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        whichever!(self.get_mut(), stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        whichever!(self.get_mut(), stream => Pin::new(stream).poll_close(context))
    }
}

impl Transport for Socket {
    fn reset_when_dropped(&self) -> io::Result<()> {
        whichever!(self, stream => Transport::reset_when_dropped(stream))
    }

    fn is_quiet(&self) -> bool {
        whichever!(self, stream => Transport::is_quiet(stream))
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Socket::Tcp(stream) => stream.fmt(f),
            Socket::Unix(stream) => stream.fmt(f),
            Socket::Other(_) => f.write_str("Socket"),
        }
    }
}
