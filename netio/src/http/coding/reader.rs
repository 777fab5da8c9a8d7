//! Readers as bodies, what they pass on, and when they give way.

use crate::http::BodyReader;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_io::{AsyncBufRead, AsyncRead};
use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What a reader gives at once, at most.
const PIECE: usize = 16 * 1024;

/// So many bytes are coded before others have a turn: a kilobyte that becomes a gigabyte must not keep its worker for as long as
/// that takes.
const TURN: usize = 256 * 1024;

/// How much was done since others had a turn.
#[derive(Debug, Default)]
pub(super) struct Pace(usize);

impl Pace {
    /// Pending once a turn, having woken the task.
    pub(super) fn poll_turn(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.0 < TURN {
            return Poll::Ready(());
        }
        self.0 = 0;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    pub(super) fn did(&mut self, bytes: usize) {
        self.0 += bytes;
    }
}

/// A body to be coded, which gives way at times: of a large one that gets very small, much is read for one piece of output.
pub(super) struct Paced {
    body: BodyReader,
    pace: Pace,
    /// The encoder was told to wait, and has given what it had: now it waits.
    waits: bool,
}

impl Paced {
    pub(super) fn new(body: BodyReader) -> Self {
        Paced { body, pace: Pace::default(), waits: false }
    }
}

impl AsyncBufRead for Paced {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if mem::take(&mut this.waits) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.pace.poll_turn(context).is_pending() {
            this.waits = true;
            return Poll::Pending;
        }
        let bytes = ready!(Pin::new(&mut this.body).poll_fill_buf(context))?;
        Poll::Ready(Ok(&bytes[..bytes.len().min(TURN)]))
    }

    fn consume(mut self: Pin<&mut Self>, length: usize) {
        self.pace.did(length);
        Pin::new(&mut self.body).consume(length);
    }
}

impl AsyncRead for Paced {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.body).poll_read(context, buffer)
    }
}

/// A reader as the stream of a body.
pub(super) struct Pieces<R> {
    reader: Pin<Box<R>>,
    room: BytesMut,
}

impl<R: AsyncRead> Pieces<R> {
    pub(super) fn new(reader: R) -> Self {
        Pieces { reader: Box::pin(reader), room: BytesMut::new() }
    }
}

impl<R: AsyncRead> Stream for Pieces<R> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // Small pieces share an allocation.
        if this.room.len() < PIECE / 4 {
            this.room = BytesMut::zeroed(PIECE);
        }
        Poll::Ready(match ready!(this.reader.as_mut().poll_read(context, &mut this.room)) {
            Ok(0) => None,
            Ok(length) => Some(Ok(this.room.split_to(length).freeze())),
            Err(error) => Some(Err(source_of(error))),
        })
    }
}

/// A failure that a coder passes on, to be told from its own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Passed(io::Error);

pub(super) fn of_source(error: io::Error) -> io::Error {
    if is_of_source(&error) { error } else { io::Error::other(Passed(error)) }
}

pub(super) fn is_of_source(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Passed>())
}

fn source_of(error: io::Error) -> io::Error {
    match error.downcast::<Passed>() {
        Ok(Passed(error)) => error,
        Err(error) => error,
    }
}
