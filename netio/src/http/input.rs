//! Bytes that came in and were not understood yet.
//!
//! Every connection of a thread reads into the same buffer and keeps only what came, so a connection that waits holds no
//! memory for it.

use bytes::BytesMut;
use futures_io::AsyncRead;
use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// How much one read can bring.
const READ: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Reads once and appends it to `input`; zero is the end of the stream.
pub(crate) fn poll_fill(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    BUFFER.with_borrow_mut(|buffer| {
        let length = ready!(Pin::new(stream).poll_read(context, buffer))?;
        input.extend_from_slice(&buffer[..length]);
        Poll::Ready(Ok(length))
    })
}
