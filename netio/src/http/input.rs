//! Bytes that came in and were not understood yet.
//!
//! Every connection of a thread reads into the same buffer and keeps only what came, so a connection that waits holds no
//! memory for it. What is small, as most heads are, is kept in a block that it shares with what came before and after it: to
//! keep it costs no allocation, and a request that lives long keeps no more than that block from being freed.

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

/// How large a block is, and what is small enough to be put in one.
const BLOCK: usize = 4 * 1024;
const SMALL: usize = 1024;

struct Buffers {
    read: Box<[u8]>,
    /// What is left of a block.
    block: BytesMut,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> =
        RefCell::new(Buffers { read: vec![0; READ].into(), block: BytesMut::new() });
}

/// Reads once and appends it to `input`; zero is the end of the stream.
pub(crate) fn poll_fill(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    BUFFERS.with_borrow_mut(|Buffers { read, block }| {
        let length = ready!(Pin::new(stream).poll_read(context, read))?;
        if input.is_empty() && length <= SMALL {
            if block.capacity() < length {
                block.reserve(BLOCK);
            }
            block.extend_from_slice(&read[..length]);
            *input = block.split();
        } else {
            input.extend_from_slice(&read[..length]);
        }
        Poll::Ready(Ok(length))
    })
}
