//! A connection that speaks another protocol now.

use crate::net::Transport;
use bytes::{Buf, Bytes};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

/// A connection on which the server answered 101: what is written and read from now on is the other protocol. It belongs to no pool
/// any more; dropped, it closes. From [`ClientResponse::upgrade`](super::ClientResponse::upgrade).
pub struct Upgraded {
    transport: Box<dyn Transport>,
    /// What the server said behind its head.
    first: Bytes,
}

impl Upgraded {
    pub(in crate::http) fn new(transport: Box<dyn Transport>, first: Bytes) -> Self {
        Upgraded { transport, first }
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.first.is_empty() {
            return Pin::new(&mut *self.transport).poll_read(context, buffer);
        }
        let length = buffer.len().min(self.first.len());
        self.first.copy_to_slice(&mut buffer[..length]);
        Poll::Ready(Ok(length))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.transport).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.transport).poll_write_vectored(context, pieces)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.transport).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.transport).poll_close(context)
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").field("first", &self.first.len()).finish_non_exhaustive()
    }
}

/// It travels with the response until somebody takes it: extensions can be cloned, a connection cannot.
#[derive(Clone, Debug)]
pub(super) struct Switched(Arc<Mutex<Option<Upgraded>>>);

impl Switched {
    pub(super) fn new(upgraded: Upgraded) -> Self {
        Switched(Arc::new(Mutex::new(Some(upgraded))))
    }

    pub(super) fn take(&self) -> Option<Upgraded> {
        self.0.lock().expect("nobody's code runs under the lock").take()
    }
}
