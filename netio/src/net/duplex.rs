//! A connection in memory: for tests, and for two parts of a program that speak as if they were far apart.
//!
//! ```text
//!   one ──write──> [ Pipe: at most `capacity` bytes ] ──read──> other
//!       <──read──  [ Pipe: at most `capacity` bytes ] <──write──
//! ```
//!
//! - Bytes arrive in order, all of them, until an end is reached or dropped.
//! - Whoever changes a pipe so that the other side can go on takes that side's waker out and wakes it when the pipe is unlocked:
//!   no waker is cloned, woken or dropped under the lock.

use super::by_reference::by_reference;
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    collections::VecDeque,
    fmt,
    io::{self, ErrorKind, IoSlice, Read},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

/// Two ends of a connection in memory. What is written to one is read from the other; in each direction there is room for
/// `capacity` bytes, and who writes more waits.
///
/// It needs no system, no world and no runtime: any executor will do.
///
/// # Panics
/// When `capacity` is zero: nothing could ever pass.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use netio::net::duplex;
///
/// runtime::block_on(async {
///     let (mut client, mut server) = duplex(64);
///     let serving = runtime::spawn(async move {
///         let mut question = String::new();
///         server.read_to_string(&mut question).await?;
///         server.write_all(format!("{question}? No idea.").as_bytes()).await
///     });
///     client.write_all(b"What is it").await?;
///     client.close().await?; // that was all; the answer can still come
///     let mut answer = String::new();
///     client.read_to_string(&mut answer).await?;
///     assert_eq!(answer, "What is it? No idea.");
///     serving.await.unwrap()
/// })
/// .unwrap();
/// ```
pub fn duplex(capacity: usize) -> (DuplexStream, DuplexStream) {
    assert!(capacity > 0, "a duplex needs room for a byte at least");
    let [there, back] = [(); 2].map(|()| Arc::new(Pipe { capacity, state: Mutex::default() }));
    (DuplexStream { reads: back.clone(), writes: there.clone() }, DuplexStream { reads: there, writes: back })
}

/// One end of a connection in memory. From [`duplex`].
///
/// The futures-io traits are implemented for `DuplexStream` and for `&DuplexStream`. Each direction has one waker: at most one
/// task may read at a time, and at most one write.
///
/// - **Closed** ([`close`](futures_io::AsyncWrite::poll_close)): the other end reads what was written, and then its end. This
///   end can go on reading, and cannot write any more (`BrokenPipe`). Closing again changes nothing.
/// - **Dropped:** as closed; and when the other end writes, that is `BrokenPipe`, also for a write that waits. What it had
///   written before is lost.
/// - **Never too long at a time:** after 128 operations in a row that had not to wait, the next one gives way to other tasks once.
///
/// Its poll functions do all of their work or nothing: a read or write that is dropped while it waits has done nothing.
pub struct DuplexStream {
    reads: Arc<Pipe>,
    writes: Arc<Pipe>,
}

impl DuplexStream {
    /// Whether the other end has neither written anything that was not read, nor closed.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.reads.state();
        state.bytes.is_empty() && !state.ended
    }
}

/// One direction.
struct Pipe {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    /// No more will be written.
    ended: bool,
    /// No more will be read.
    deaf: bool,
    reader: Side,
    writer: Side,
}

#[derive(Default)]
struct Side {
    /// Of who waits.
    waker: Option<Waker>,
    /// How many operations in a row did not wait.
    in_a_row: u8,
}

/// After so many operations that did not wait, other tasks are let go first.
const MOST_IN_A_ROW: u8 = 128;

impl Side {
    /// Whether it is this side's turn to give way. Counted before anything is done, so that what was done is never hidden.
    fn gives_way(&mut self) -> bool {
        self.in_a_row += 1;
        let gives_way = self.in_a_row > MOST_IN_A_ROW;
        if gives_way {
            self.in_a_row = 0;
        }
        gives_way
    }
}

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody's code runs under the lock")
    }

    /// Does `operation` as soon as it can be done; `None`: not now. What it may have made possible for the other side is told.
    fn poll<R>(
        &self,
        context: &mut Context<'_>,
        sides: fn(&mut State) -> (&mut Side, &mut Side),
        can: impl Fn(&State) -> bool,
        operation: impl FnOnce(&mut State) -> R,
    ) -> Poll<R> {
        let mut fresh = None;
        loop {
            let mut state = self.state();
            if can(&state) {
                if sides(&mut state).0.gives_way() {
                    drop(state);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let done = operation(&mut state);
                let (own, other) = sides(&mut state);
                let (stale, other) = (own.waker.take(), other.waker.take());
                drop(state);
                drop(stale);
                if let Some(other) = other {
                    other.wake();
                }
                return Poll::Ready(done);
            }
            let own = sides(&mut state).0;
            own.in_a_row = 0;
            if own.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                return Poll::Pending;
            }
            if let Some(fresh) = fresh {
                let stale = own.waker.replace(fresh);
                drop(state);
                drop(stale);
                return Poll::Pending;
            }
            // Cloned without the lock; meanwhile it may have become possible.
            drop(state);
            fresh = Some(context.waker().clone());
        }
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let can = |state: &State| state.ended || !state.bytes.is_empty();
        self.poll(
            context,
            |state| (&mut state.reader, &mut state.writer),
            can,
            |state| {
                // The bytes are in up to two pieces; each `read` takes from one.
                let first = state.bytes.read(buffer)?;
                Ok(first + state.bytes.read(&mut buffer[first..])?)
            },
        )
    }

    fn poll_write(&self, context: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let nothing = parts.iter().all(|part| part.is_empty());
        let can = |state: &State| nothing || state.ended || state.deaf || state.bytes.len() < self.capacity;
        self.poll(
            context,
            |state| (&mut state.writer, &mut state.reader),
            can,
            |state| {
                if state.ended {
                    return Err(io::Error::new(
                        ErrorKind::BrokenPipe,
                        "cannot write to a duplex stream after it was closed",
                    ));
                }
                if state.deaf {
                    return Err(io::Error::new(
                        ErrorKind::BrokenPipe,
                        "cannot write to a duplex stream whose other end is gone",
                    ));
                }
                let before = state.bytes.len();
                for part in parts {
                    let room = self.capacity - state.bytes.len();
                    state.bytes.extend(&part[..room.min(part.len())]);
                }
                Ok(state.bytes.len() - before)
            },
        )
    }

    /// No more will be written: the reader is told.
    fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        let wakers = (state.reader.waker.take(), state.writer.waker.take());
        drop(state);
        wake(wakers);
    }

    /// No more will be read: the writer is told, and what nobody will read is thrown away.
    fn deafen(&self) {
        let mut state = self.state();
        state.deaf = true;
        let bytes = mem::take(&mut state.bytes);
        let wakers = (state.reader.waker.take(), state.writer.waker.take());
        drop(state);
        drop(bytes);
        wake(wakers);
    }
}

fn wake((one, other): (Option<Waker>, Option<Waker>)) {
    one.into_iter().chain(other).for_each(Waker::wake);
}

impl AsyncRead for &DuplexStream {
    /// What is there, as far as it fits; zero is the end.
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reads.poll_read(context, buffer)
    }
}

impl AsyncWrite for &DuplexStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.poll_write(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.poll_write(context, parts)
    }

    /// Nothing is held back.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Tells the other end that no more comes. Reading goes on.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writes.end();
        Poll::Ready(Ok(()))
    }
}

by_reference!(DuplexStream);

impl Drop for DuplexStream {
    fn drop(&mut self) {
        self.writes.end();
        self.reads.deafen();
    }
}

impl fmt::Debug for DuplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (to_read, to_be_read) = (self.reads.state().bytes.len(), self.writes.state().bytes.len());
        f.debug_struct("DuplexStream")
            .field("to_read", &to_read)
            .field("to_be_read", &to_be_read)
            .finish_non_exhaustive()
    }
}
