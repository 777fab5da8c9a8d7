//! The standard input: one thread of the process reads it, when somebody asks.
//!
//! A read of a terminal cannot be given up. On a blocking thread of a runtime it would hold up that runtime's end until
//! somebody types; so the thread belongs to no runtime, and nobody waits for it.
//!
//! ```text
//!   Stdin ──wanted──> the thread: read ──> bytes (the process's) ──> rings a bell (a socket) at each Stdin that there is
//! ```
//!
//! - The thread reads only when somebody wants bytes and there are none: it takes nothing that a child process is to read.
//! - Bytes that nobody waits for any more stay, for whoever reads next. So do those that a [`Stdin`] held when it was dropped.
//! - Bytes first, then the bell; a reader silences its bell first, and then looks: so it misses nothing.

use crate::AsyncFd;
use futures_io::{AsyncBufRead, AsyncRead};
use rustix::event::{PollFd, PollFlags, poll};
use slab::Slab;
use std::{
    io::{self, ErrorKind, Read, Write},
    mem,
    os::unix::net::UnixStream,
    pin::Pin,
    sync::{Condvar, Mutex, MutexGuard},
    task::{Context, Poll, ready},
    thread,
};

/// The standard input of the process, as bytes and as [lines](super::lines).
///
/// Whoever reads gets what the others do not: let one task do it. Reading takes no more than it must from what child processes
/// may want to read, but it takes what is there, not only what was asked for.
///
/// # Errors
/// When the system refuses a socket pair.
///
/// ```no_run
/// use runtime::stream::StreamExt;
/// runtime::block_on(async {
///     let mut lines = runtime::io::lines(runtime::io::stdin()?);
///     while let Some(line) = lines.next().await {
///         println!("you said {:?}", line?);
///     }
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
pub fn stdin() -> io::Result<Stdin> {
    let (hears, rings) = UnixStream::pair()?;
    hears.set_nonblocking(true)?;
    rings.set_nonblocking(true)?;
    let place = lock().bells.insert(rings);
    Ok(Stdin { bell: AsyncFd::new(hears), place, buffer: Vec::new(), start: 0 })
}

/// Reads the standard input: see [`stdin`].
///
/// A read waits by readiness: in a runtime, and not in a simulated one, which has no world outside. It never holds up the end
/// of a runtime.
///
/// # Cancel safety
/// Nothing is lost: what comes stays for the next read, of this or of another one.
///
/// ```
/// let input: runtime::io::Stdin = runtime::io::stdin().unwrap();
/// ```
#[derive(Debug)]
pub struct Stdin {
    bell: AsyncFd<UnixStream>,
    /// That of the bell's other end.
    place: usize,
    /// Taken from what the thread has read; consumed up to `start`.
    buffer: Vec<u8>,
    start: usize,
}

/// What there is of the input.
static INPUT: Mutex<Input> =
    Mutex::new(Input { bytes: Vec::new(), end: None, wanted: false, thread: false, bells: Slab::new() });
static WANTED: Condvar = Condvar::new();

struct Input {
    bytes: Vec<u8>,
    /// Read after the bytes: an error, or the end. A terminal may go on after that.
    end: Option<io::Result<()>>,
    wanted: bool,
    /// It was started.
    thread: bool,
    bells: Slab<UnixStream>,
}

fn lock() -> MutexGuard<'static, Input> {
    INPUT.lock().unwrap()
}

impl Input {
    fn want(&mut self) -> io::Result<()> {
        if !self.thread {
            thread::Builder::new().name("stdin".into()).spawn(read_when_wanted)?;
            self.thread = true;
        }
        self.wanted = true;
        WANTED.notify_one();
        Ok(())
    }

    fn ring(&self) {
        for (_, mut bell) in &self.bells {
            // If it is full, it rings already.
            let _ = bell.write(&[0]);
        }
    }
}

/// The life of the thread.
fn read_when_wanted() {
    let mut buffer = [0; 8192];
    loop {
        drop(WANTED.wait_while(lock(), |input| !input.wanted).unwrap());
        let read = read(&mut buffer);
        let mut input = lock();
        match read {
            Ok(0) => input.end = Some(Ok(())),
            Ok(length) => input.bytes.extend_from_slice(&buffer[..length]),
            Err(error) => input.end = Some(Err(error)),
        }
        input.wanted = false;
        input.ring();
    }
}

/// Reads, and blocks even where somebody made the input non-blocking.
fn read(buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match io::stdin().read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let _ = poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], None);
            }
            result => return result,
        }
    }
}

impl AsyncBufRead for Stdin {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start == this.buffer.len() {
            this.buffer.clear();
            this.start = 0;
            ready!(this.bell.poll_read_with(context, |mut bell| {
                while matches!(bell.read(&mut [0; 64]), Ok(1..)) {}
                let mut input = lock();
                if !input.bytes.is_empty() {
                    mem::swap(&mut input.bytes, &mut this.buffer);
                    return Ok(());
                }
                if let Some(end) = input.end.take() {
                    return end;
                }
                input.want()?;
                Err(ErrorKind::WouldBlock.into())
            }))
            .map_err(|error| io::Error::new(error.kind(), format!("cannot read the standard input: {error}")))?;
        }
        Poll::Ready(Ok(&this.buffer[this.start..]))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
    }
}

impl AsyncRead for Stdin {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut bytes = ready!(self.as_mut().poll_fill_buf(context))?;
        let length = bytes.read(buffer)?;
        self.consume(length);
        Poll::Ready(Ok(length))
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        let mut input = lock();
        let bell = input.bells.try_remove(self.place);
        if self.start < self.buffer.len() {
            input.bytes.splice(..0, self.buffer.drain(self.start..));
            input.ring();
        }
        drop(input);
        drop(bell);
    }
}
