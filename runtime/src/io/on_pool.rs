//! Something that can only block (a file, a terminal), made to be awaited: it goes to a blocking thread with each operation, and
//! comes back with the answer.
//!
//! ```text
//!   Here ── read: an empty buffer goes along ──> Out ──> comes back with bytes, more than were asked for
//!     │                                           ^
//!     └─── write: a full buffer goes along ───────┘      nobody waits for it: the next operation does
//! ```
//!
//! - One operation is out at a time; the next waits for it.
//! - Dropping a future loses nothing: what its operation brings back is here when the next one asks.
//! - Reads run ahead. Whoever then writes or seeks does so from where the *reader* is, not from where the file is.
//! - A write says that it is done when its bytes are copied. If it fails, the next write, flush or close says so: once.

use crate::{
    budget,
    runtime::Handle,
    task::{JoinError, JoinHandle},
};
use std::{
    future::Future,
    io::{self, Read, Seek, SeekFrom},
    mem,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// How much a read asks for at least, and how much one operation moves at most.
const AHEAD: usize = 16 << 10;
const MOST: usize = 1 << 20;

/// Runs `job` on a blocking thread. Dropped, the job runs on.
pub(crate) async fn run<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    pool()?.spawn_blocking(job).await.unwrap_or_else(|error| Err(did_not_run(&error)))
}

fn pool() -> io::Result<Handle> {
    Handle::try_current()
        .ok_or_else(|| io::Error::other("not inside a runtime, whose blocking threads would have to do this"))
}

fn did_not_run(error: &JoinError) -> io::Error {
    io::Error::other(format!("a blocking thread did not do it: {error}"))
}

/// See the module.
#[derive(Debug)]
pub(crate) struct OnPool<T> {
    place: Place<T>,
    /// What those operations brought back for whom nobody was waiting any more.
    at_end: bool,
    read_error: Option<io::Error>,
    write_error: Option<io::Error>,
    sought: Option<(SeekFrom, io::Result<u64>)>,
}

#[derive(Debug)]
enum Place<T> {
    Here(Held<T>),
    Out(JoinHandle<Back<T>>),
    /// Its operation never ran, because the runtime ended; and it was with it.
    Lost,
}

#[derive(Debug)]
struct Held<T> {
    io: T,
    buffer: Vec<u8>,
    /// What was read ahead, in the buffer.
    unread: Range<usize>,
}

struct Back<T> {
    held: Held<T>,
    done: Done,
}

enum Done {
    Read(io::Result<usize>),
    Wrote(io::Result<()>),
    Sought(SeekFrom, io::Result<u64>),
}

impl<T: Send + 'static> OnPool<T> {
    pub(crate) fn new(io: T) -> Self {
        let held = Held { io, buffer: Vec::new(), unread: 0..0 };
        Self { place: Place::Here(held), at_end: false, read_error: None, write_error: None, sought: None }
    }

    /// Waits until it is here.
    fn poll_here(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&mut Held<T>>> {
        if let Place::Out(job) = &mut self.place {
            let back = ready!(Pin::new(job).poll(context));
            self.place = Place::Lost;
            let Back { held, done } = back.map_err(|error| did_not_run(&error))?;
            self.place = Place::Here(held);
            match done {
                Done::Read(Ok(length)) => self.at_end = length == 0,
                Done::Read(Err(error)) => self.read_error = Some(error),
                Done::Wrote(result) => self.write_error = result.err(),
                Done::Sought(to, result) => self.sought = Some((to, result)),
            }
        }
        Poll::Ready(match &mut self.place {
            Place::Here(held) => Ok(held),
            _ => Err(io::Error::other("it was lost: the runtime ended before a blocking thread came for it")),
        })
    }

    /// Sends it off. It must be here.
    fn start(&mut self, operation: impl FnOnce(&mut Held<T>) -> Done + Send + 'static) -> io::Result<()> {
        let pool = pool()?;
        // What nobody has asked for by now is of the past.
        (self.at_end, self.read_error, self.sought) = (false, None, None);
        if let Place::Here(mut held) = mem::replace(&mut self.place, Place::Lost) {
            self.place = Place::Out(pool.spawn_blocking(move || {
                let done = operation(&mut held);
                Back { held, done }
            }));
        }
        Ok(())
    }

    /// Waits for bytes to be [unread](OnPool::unread). None then: the end. Asks for `wanted` of them, if there are none.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<io::Result<()>>
    where
        T: Read,
    {
        ready!(budget::spend(context));
        loop {
            let Poll::Ready(held) = self.poll_here(context) else {
                budget::give_back();
                return Poll::Pending;
            };
            if !held?.unread.is_empty() || mem::take(&mut self.at_end) {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = self.read_error.take() {
                return Poll::Ready(Err(error));
            }
            self.start(move |held| {
                held.buffer.resize(wanted.clamp(AHEAD, MOST), 0);
                let read = retry(|| held.io.read(&mut held.buffer));
                held.unread = 0..*read.as_ref().unwrap_or(&0);
                Done::Read(read)
            })?;
        }
    }

    /// What was read, and not yet consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        match &self.place {
            Place::Here(held) => &held.buffer[held.unread.clone()],
            _ => &[],
        }
    }

    pub(crate) fn consume(&mut self, count: usize) {
        if let Place::Here(held) = &mut self.place {
            held.unread.start = (held.unread.start + count).min(held.unread.end);
        }
    }

    /// Reads into `buffer`, as [`AsyncRead`](futures_io::AsyncRead) has it.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>
    where
        T: Read,
    {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_fill(context, buffer.len()))?;
        let length = self.unread().len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.unread()[..length]);
        self.consume(length);
        Poll::Ready(Ok(length))
    }

    /// Takes bytes along to be written. `write` is given the number of those that were read ahead, too.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
        write: fn(&mut T, u64, &[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(context))?;
        let bytes = &bytes[..bytes.len().min(MOST)];
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let Place::Here(held) = &mut self.place else { unreachable!("it has just been here") };
        let ahead = mem::take(&mut held.unread).len() as u64;
        held.buffer.clear();
        held.buffer.extend_from_slice(bytes);
        self.start(move |held| Done::Wrote(write(&mut held.io, ahead, &held.buffer)))?;
        Poll::Ready(Ok(bytes.len()))
    }

    /// Waits until all is written, and says whether it was.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_here(context))?;
        Poll::Ready(self.write_error.take().map_or(Ok(()), Err))
    }

    pub(crate) fn poll_seek(&mut self, context: &mut Context<'_>, to: SeekFrom) -> Poll<io::Result<u64>>
    where
        T: Seek,
    {
        loop {
            ready!(self.poll_here(context))?;
            if let Some((sought, result)) = self.sought.take()
                && sought == to
            {
                return Poll::Ready(result);
            }
            self.start(move |held| {
                let ahead = mem::take(&mut held.unread).len() as i64;
                let from_there = match to {
                    SeekFrom::Current(distance) => SeekFrom::Current(distance.saturating_sub(ahead)),
                    absolute => absolute,
                };
                Done::Sought(to, held.io.seek(from_there))
            })?;
        }
    }
}

/// A system call that a signal cut short is made again.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
