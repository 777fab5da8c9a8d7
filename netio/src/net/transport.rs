//! What HTTP asks of a connection, whatever it runs over.

use super::{DuplexStream, TcpStream, UnixStream};
use futures_io::{AsyncRead, AsyncWrite};
use std::io;

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
