//! A descriptor that can be waited for.

use super::{
    Reactor, Registration,
    pollable::Pollable,
    source::{Direction, Tick},
};
use std::{
    future::poll_fn,
    io::{self, Read, Write},
    sync::{Mutex, OnceLock},
    task::{Context, Poll, ready},
};

/// Something with a non-blocking descriptor (a socket, a pipe, a pidfd), with the waiting added.
///
/// `T` can be everything that is [`AsFd`](std::os::fd::AsFd): that is what the bound stands for. (It also holds for the sockets
/// of a [simulated world](crate::world), which have no descriptor; a simulated runtime has only those.)
///
/// Making one costs nothing and needs no runtime: it registers, once, with the reactor of the worker on which an operation
/// first **has to wait**. Until then, and whenever it may be ready, an operation is simply tried.
///
/// Each direction has one waker: two tasks that wait for the same direction of one source overwrite each other. Where
/// several must wait, let one of them own that direction.
///
/// ```
/// use std::{io::{Read, Write}, os::unix::net::UnixStream};
///
/// runtime::block_on(async {
///     let (left, right) = UnixStream::pair()?;
///     left.set_nonblocking(true)?;
///     let left = runtime::AsyncFd::new(left);
///     runtime::spawn(async move { (&right).write_all(b"ping") });
///
///     let mut buffer = [0; 16];
///     let length = left.read_with(|mut stream| stream.read(&mut buffer)).await?;
///     assert_eq!(&buffer[..length], b"ping");
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct AsyncFd<T: Pollable> {
    // Declared before `io`: the place in the reactor is given back before the descriptor is closed.
    registration: OnceLock<Registration>,
    /// Held while registering: the system takes a descriptor only once.
    registering: Mutex<()>,
    io: T,
}

impl<T: Pollable> AsyncFd<T> {
    /// Wraps `io`, which must be in non-blocking mode already.
    pub fn new(io: T) -> Self {
        Self { registration: OnceLock::new(), registering: Mutex::new(()), io }
    }

    /// What is inside.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Tries a reading operation until it does something else than block; waits in between.
    ///
    /// # Errors
    /// What `operation` fails with; or that there is no runtime to wait in, or no more.
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing was done.
    pub async fn read_with<R>(&self, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        poll_fn(|context| self.poll_read_with(context, &mut operation)).await
    }

    /// Tries a writing operation until it does something else than block; waits in between.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing was done.
    pub async fn write_with<R>(&self, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        poll_fn(|context| self.poll_write_with(context, &mut operation)).await
    }

    /// [`read_with`](AsyncFd::read_with), for those who write `poll` functions.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    pub fn poll_read_with<R>(
        &self,
        context: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(Direction::Read, context, operation, |_| false)
    }

    /// [`write_with`](AsyncFd::write_with), for those who write `poll` functions.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    pub fn poll_write_with<R>(
        &self,
        context: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(Direction::Write, context, operation, |_| false)
    }

    /// Reads into `buffer`; zero is the end of the stream.
    ///
    /// A short read says that the source is drained, as `WouldBlock` would: the next read waits for an event at once, and
    /// saves the system call. (For byte streams only: a datagram, a line of a terminal or a message with
    /// descriptors in it may be short with more behind it. Use [`poll_read_with`](AsyncFd::poll_read_with) for those.)
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    pub fn poll_read_bytes(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>
    where
        for<'io> &'io T: Read,
    {
        let room = buffer.len();
        self.poll_with(Direction::Read, context, |mut io| io.read(buffer), |length| 0 < *length && *length < room)
    }

    /// Writes from `buffer`. A short write says that there is no more room, as `WouldBlock` would.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    pub fn poll_write_bytes(&self, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>>
    where
        for<'io> &'io T: Write,
    {
        let whole = buffer.len();
        self.poll_with(Direction::Write, context, |mut io| io.write(buffer), |length| 0 < *length && *length < whole)
    }

    /// Waits until there may be something to read. It may turn out that there is not: only an operation through
    /// [`read_with`](AsyncFd::read_with) notices that, and makes the next call wait.
    ///
    /// # Errors
    /// That there is no runtime to wait in, or no more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_ready(Direction::Read, context)).await.map(drop)
    }

    /// Waits until there may be room to write. It may turn out that there is not: only an operation through
    /// [`write_with`](AsyncFd::write_with) notices that, and makes the next call wait.
    ///
    /// # Errors
    /// That there is no runtime to wait in, or no more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn writable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_ready(Direction::Write, context)).await.map(drop)
    }

    /// The loop of every operation: *wait unless it may be ready; try; if it would block, forget the readiness, and again.*
    fn poll_with<R>(
        &self,
        direction: Direction,
        context: &mut Context<'_>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
        drained: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        loop {
            // Unregistered, it has never blocked: try first. Registered, try only if it may be ready.
            let tick = match self.registration.get() {
                Some(registration) => Some(ready!(registration.source.poll_ready(direction, context))?),
                None => None,
            };
            match operation(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked(direction, tick)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => {
                    if drained(&done)
                        && let Some(tick) = tick
                        && let Some(registration) = self.registration.get()
                    {
                        registration.source.drained(direction, tick);
                    }
                    return Poll::Ready(Ok(done));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_ready(&self, direction: Direction, context: &mut Context<'_>) -> Poll<io::Result<Tick>> {
        self.registration()?.source.poll_ready(direction, context)
    }

    /// It would block: forget the readiness we started from, or register. Registering reports the present state as an event
    /// (an edge from "unknown"), so what came between the attempt and the registration is not lost.
    fn blocked(&self, direction: Direction, tick: Option<Tick>) -> io::Result<()> {
        let registration = self.registration()?;
        if let Some(tick) = tick {
            registration.source.blocked(direction, tick);
        }
        Ok(())
    }

    fn registration(&self) -> io::Result<&Registration> {
        if let Some(registration) = self.registration.get() {
            return Ok(registration);
        }
        let reactor = Reactor::current()
            .ok_or_else(|| io::Error::other("waiting for a source outside a runtime: nobody would wake it"))?;
        let _registering = self.registering.lock().unwrap();
        if self.registration.get().is_none() {
            let fresh = reactor.register(self.io.watched())?;
            let _ = self.registration.set(fresh);
        }
        Ok(self.registration.get().expect("it was set under the lock"))
    }
}

impl<T: Pollable> Drop for AsyncFd<T> {
    fn drop(&mut self) {
        if let Some(registration) = self.registration.get() {
            registration.deregister(self.io.watched());
        }
    }
}
