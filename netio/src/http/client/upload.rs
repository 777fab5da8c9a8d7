//! A request on its way out: its head, then its body, as fast as the server takes it.
//!
//! What is next stands in three pieces, so that a chunk of a body is not copied: a few bytes of our own (the head, the size of a
//! chunk), the bytes of the body, and the line end of a chunk. They go out in one write.

use super::connection::Failure;
use crate::{
    http::{body::Chunks, output, trailers::Announced},
    net::Transport,
};
use bytes::{Buf, Bytes};
use std::{
    fmt,
    io::{self, ErrorKind, IoSlice, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What is still to be sent.
#[derive(Default)]
pub(super) struct Upload {
    /// Our own bytes; the buffer stays with the connection.
    own: Vec<u8>,
    /// So many of them are sent.
    sent: usize,
    /// The bytes of the body behind them.
    data: Bytes,
    /// And what is behind those.
    tail: &'static [u8],
    rest: Rest,
    /// The body waits for a word of the server.
    held: bool,
    /// Writing failed. The server may still have said why: that is to be read.
    failed: Option<io::Error>,
}

/// What comes when that is sent.
#[derive(Default)]
enum Rest {
    #[default]
    Nothing,
    /// Bytes that are held back with the rest of the body.
    Whole(Bytes),
    /// A stream of exactly so many bytes.
    Sized(Chunks, u64),
    Chunked(Chunks, Option<Box<Announced>>),
}

/// The body that goes with a head.
pub(super) enum Outgoing {
    Whole(Bytes),
    Sized(Chunks, u64),
    Chunked(Chunks, Option<Box<Announced>>),
}

/// Where an upload stands when it cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// For nothing: all is sent, or lost.
    Not,
    /// For the server: to take more, or to say that it will.
    ForServer,
    /// For its own body.
    ForBody,
}

/// So much of a buffer is kept for the next request.
const KEPT: usize = 4 * 1024;

impl Upload {
    /// Begins another one. `head` writes the head.
    pub(super) fn begin(&mut self, head: impl FnOnce(&mut Vec<u8>), body: Outgoing, held: bool) {
        self.own.clear();
        head(&mut self.own);
        self.sent = 0;
        self.failed = None;
        self.held = held;
        self.tail = b"";
        (self.data, self.rest) = match body {
            Outgoing::Whole(bytes) if held => (Bytes::new(), Rest::Whole(bytes)),
            Outgoing::Whole(bytes) => (bytes, Rest::Nothing),
            Outgoing::Sized(chunks, length) => (Bytes::new(), Rest::Sized(chunks, length)),
            Outgoing::Chunked(chunks, trailers) => (Bytes::new(), Rest::Chunked(chunks, trailers)),
        };
    }

    /// All is sent.
    pub(super) fn is_done(&self) -> bool {
        self.failed.is_none() && self.is_written() && matches!(self.rest, Rest::Nothing)
    }

    /// The body need not wait any more.
    pub(super) fn release(&mut self) {
        self.held = false;
    }

    pub(super) fn is_held(&self) -> bool {
        self.held && self.is_written()
    }

    /// The server will not take more. Without its end, nobody takes what was sent for the whole.
    pub(super) fn give_up(&mut self) {
        if !self.is_done() {
            self.fail(ErrorKind::WriteZero.into());
        }
    }

    /// Why writing failed, if it did.
    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// The rest of the body is dropped, with all that it owns.
    fn fail(&mut self, why: io::Error) {
        self.failed = Some(why);
        (self.data, self.rest) = (Bytes::new(), Rest::Nothing);
    }

    fn is_written(&self) -> bool {
        self.sent == self.own.len() && self.data.is_empty() && self.tail.is_empty()
    }

    /// Sends what can be sent. `moved` grows with every byte.
    ///
    /// # Errors
    /// [`Failure::Source`]: the body failed, or is not as long as it said. That the connection was lost is no error yet.
    pub(super) fn poll(
        &mut self,
        transport: &mut Box<dyn Transport>,
        moved: &mut u64,
        context: &mut Context<'_>,
    ) -> Result<Waits, Failure> {
        loop {
            if self.failed.is_some() {
                return Ok(Waits::Not);
            }
            if !self.is_written() {
                match self.poll_write(transport, moved, context) {
                    Poll::Pending => return Ok(Waits::ForServer),
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => self.fail(error),
                }
                continue;
            }
            self.own.clear();
            self.own.shrink_to(KEPT);
            self.sent = 0;
            if self.held {
                return Ok(Waits::ForServer);
            }
            match self.poll_rest(context) {
                Poll::Pending => return Ok(Waits::ForBody),
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => return Ok(Waits::Not),
                Poll::Ready(Err(error)) => return Err(Failure::Source(error)),
            }
        }
    }

    fn poll_write(
        &mut self,
        transport: &mut Box<dyn Transport>,
        moved: &mut u64,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_written() {
            let own = &self.own[self.sent..];
            let transport = Pin::new(&mut **transport);
            let length = if self.data.is_empty() && self.tail.is_empty() {
                ready!(transport.poll_write(context, own))?
            } else {
                let pieces = [own, &self.data, self.tail].map(IoSlice::new);
                ready!(transport.poll_write_vectored(context, &pieces))?
            };
            if length == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            *moved += length as u64;
            let of_own = length.min(own.len());
            let of_data = (length - of_own).min(self.data.len());
            self.sent += of_own;
            self.data.advance(of_data);
            self.tail = &self.tail[length - of_own - of_data..];
        }
        Poll::Ready(Ok(()))
    }

    /// Puts together what is sent next; `false`: there is nothing.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            match &mut self.rest {
                Rest::Nothing => return Poll::Ready(Ok(false)),
                Rest::Whole(bytes) => {
                    self.data = std::mem::take(bytes);
                    self.rest = Rest::Nothing;
                }
                Rest::Sized(chunks, left) => match ready!(chunks.as_mut().poll_next(context)).transpose()? {
                    Some(chunk) if chunk.len() as u64 > *left => {
                        return Poll::Ready(Err(io::Error::other("it is longer than it said")));
                    }
                    Some(chunk) => {
                        *left -= chunk.len() as u64;
                        self.data = chunk;
                    }
                    None if *left > 0 => return Poll::Ready(Err(io::Error::other("it is shorter than it said"))),
                    None => self.rest = Rest::Nothing,
                },
                Rest::Chunked(chunks, trailers) => match ready!(chunks.as_mut().poll_next(context)).transpose()? {
                    // Empty, it would be the end.
                    Some(chunk) if chunk.is_empty() => continue,
                    Some(chunk) => {
                        write!(self.own, "{:x}\r\n", chunk.len())?;
                        self.data = chunk;
                        self.tail = b"\r\n";
                    }
                    None => {
                        let fields = trailers.take().map(|trailers| trailers.make());
                        output::last_chunk(&mut self.own, &fields.unwrap_or_default());
                        self.rest = Rest::Nothing;
                    }
                },
            }
            if !self.is_written() {
                return Poll::Ready(Ok(true));
            }
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("done", &self.is_done()).finish_non_exhaustive()
    }
}
