//! A descriptor that can be waited for.

use super::{Direction, Reactor, Registration, Tick, Unknown, Waiting, pollable::Pollable};
use crate::budget;
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
/// Whoever waits does so in the runtime where it registered, on any worker of it. In another runtime, or when its own has
/// ended, waiting is an error.
///
/// The `async` functions leave nothing behind when they are dropped. The `poll` functions cannot know that their caller gave
/// up: its waker stays until the next event, and counts as waiting.
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
    ///
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// let (left, _right) = UnixStream::pair().unwrap();
    /// left.set_nonblocking(true).unwrap();
    /// let left = runtime::AsyncFd::new(left); // no runtime needed yet
    /// assert!(left.get_ref().peer_addr().is_ok());
    /// ```
    pub fn new(io: T) -> Self {
        Self { registration: OnceLock::new(), registering: Mutex::new(()), io }
    }

    /// What is inside.
    ///
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// let left = runtime::AsyncFd::new(UnixStream::pair().unwrap().0);
    /// assert!(left.get_ref().peer_addr().is_ok());
    /// ```
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
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// let left = runtime::AsyncFd::new(left);
    /// runtime::block_on(async {
    ///     runtime::spawn(async move { right.write_all(b"ping") });
    ///     let mut buffer = [0; 8];
    ///     assert_eq!(left.read_with(|mut stream| stream.read(&mut buffer)).await.unwrap(), 4);
    /// });
    /// ```
    pub async fn read_with<R>(&self, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.wait_with(Direction::Read, |context, waiting| {
            self.poll_with(Direction::Read, context, waiting, &mut operation, |_| false)
        })
        .await
    }

    /// Tries a writing operation until it does something else than block; waits in between.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing was done.
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// let left = runtime::AsyncFd::new(left);
    /// runtime::block_on(async {
    ///     // As often as it takes for a megabyte, which does not fit at once.
    ///     let reader = runtime::spawn_blocking(move || std::io::copy(&mut right, &mut std::io::sink()));
    ///     let mut rest = &vec![0; 1 << 20][..];
    ///     while !rest.is_empty() {
    ///         let written = left.write_with(|mut stream| stream.write(rest)).await.unwrap();
    ///         rest = &rest[written..];
    ///     }
    ///     drop(left);
    ///     assert_eq!(reader.await.unwrap().unwrap(), 1 << 20);
    /// });
    /// ```
    pub async fn write_with<R>(&self, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.wait_with(Direction::Write, |context, waiting| {
            self.poll_with(Direction::Write, context, waiting, &mut operation, |_| false)
        })
        .await
    }

    /// [`read_with`](AsyncFd::read_with), for those who write `poll` functions.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// use std::future::poll_fn;
    /// let left = runtime::AsyncFd::new(left);
    /// runtime::block_on(async {
    ///     runtime::spawn(async move { right.write_all(b"ping") });
    ///     let mut buffer = [0; 8];
    ///     let length = poll_fn(|context| left.poll_read_with(context, |mut stream| stream.read(&mut buffer))).await;
    ///     assert_eq!(length.unwrap(), 4);
    /// });
    /// ```
    pub fn poll_read_with<R>(
        &self,
        context: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(Direction::Read, context, &mut Waiting::default(), operation, |_| false)
    }

    /// [`write_with`](AsyncFd::write_with), for those who write `poll` functions.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// use std::future::poll_fn;
    /// let left = runtime::AsyncFd::new(left);
    /// let length = runtime::block_on(poll_fn(|context| left.poll_write_with(context, |mut stream| stream.write(b"ping"))));
    /// assert_eq!(length.unwrap(), 4);
    /// # let mut buffer = [0; 4];
    /// # right.read_exact(&mut buffer).unwrap();
    /// # assert_eq!(&buffer, b"ping");
    /// ```
    pub fn poll_write_with<R>(
        &self,
        context: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(Direction::Write, context, &mut Waiting::default(), operation, |_| false)
    }

    /// Reads into `buffer`; zero is the end of the stream.
    ///
    /// A short read says that the source is drained, as `WouldBlock` would: the next read waits for an event at once, and
    /// saves the system call. (For byte streams only: a datagram, a line of a terminal or a message with
    /// descriptors in it may be short with more behind it. Use [`poll_read_with`](AsyncFd::poll_read_with) for those.)
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// use std::future::poll_fn;
    /// let left = runtime::AsyncFd::new(left);
    /// runtime::block_on(async {
    ///     runtime::spawn(async move { right.write_all(b"ping") });
    ///     let mut buffer = [0; 8];
    ///     let length = poll_fn(|context| left.poll_read_bytes(context, &mut buffer)).await;
    ///     assert_eq!(length.unwrap(), 4);
    /// });
    /// ```
    pub fn poll_read_bytes(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>
    where
        for<'io> &'io T: Read,
    {
        let room = buffer.len();
        let drained = |length: &usize| 0 < *length && *length < room && self.tells_the_end();
        self.poll_with(Direction::Read, context, &mut Waiting::default(), |mut io| io.read(buffer), drained)
    }

    /// Writes from `buffer`. A short write says that there is no more room, as `WouldBlock` would.
    ///
    /// # Errors
    /// As [`read_with`](AsyncFd::read_with).
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// use std::future::poll_fn;
    /// let left = runtime::AsyncFd::new(left);
    /// let length = runtime::block_on(poll_fn(|context| left.poll_write_bytes(context, b"ping")));
    /// assert_eq!(length.unwrap(), 4);
    /// # let mut buffer = [0; 4];
    /// # right.read_exact(&mut buffer).unwrap();
    /// # assert_eq!(&buffer, b"ping");
    /// ```
    pub fn poll_write_bytes(&self, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>>
    where
        for<'io> &'io T: Write,
    {
        let whole = buffer.len();
        let full = |length: &usize| 0 < *length && *length < whole;
        self.poll_with(Direction::Write, context, &mut Waiting::default(), |mut io| io.write(buffer), full)
    }

    /// Tries a reading operation once. If it would block, that is noted: the next wait waits.
    ///
    /// # Errors
    /// What `operation` fails with, `WouldBlock` among it.
    ///
    /// ```
    /// # use std::{io::{ErrorKind, Read, Write}, os::unix::net::UnixStream};
    /// # runtime::block_on(async {
    /// # let (left, mut right) = UnixStream::pair()?;
    /// # left.set_nonblocking(true)?;
    /// # let left = runtime::AsyncFd::new(left);
    /// # right.write_all(b"ping")?;
    /// let mut buffer = [0; 16];
    /// let length = loop {
    ///     left.readable().await?;
    ///     match left.try_read_with(|mut stream| stream.read(&mut buffer)) {
    ///         // It only seemed so.
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => {}
    ///         result => break result?,
    ///     }
    /// };
    /// # assert_eq!(&buffer[..length], b"ping");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn try_read_with<R>(&self, operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.try_with(Direction::Read, operation)
    }

    /// Tries a writing operation once. If it would block, that is noted: the next wait waits.
    ///
    /// # Errors
    /// What `operation` fails with, `WouldBlock` among it.
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// use std::io::ErrorKind;
    /// let left = runtime::AsyncFd::new(left);
    /// // Until there is no more room.
    /// let full = loop {
    ///     if let Err(error) = left.try_write_with(|mut stream| stream.write(&[0; 4096])) {
    ///         break error;
    ///     }
    /// };
    /// assert_eq!(full.kind(), ErrorKind::WouldBlock);
    /// # drop(right.read(&mut [0; 1]));
    /// ```
    pub fn try_write_with<R>(&self, operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.try_with(Direction::Write, operation)
    }

    /// Waits until there may be something to read. It may turn out that there is not.
    ///
    /// The answer stands until an operation is seen to block: through [`try_read_with`](AsyncFd::try_read_with) or
    /// [`read_with`](AsyncFd::read_with). One through [`get_ref`](AsyncFd::get_ref) is not seen, and the next call returns at
    /// once.
    ///
    /// # Errors
    /// That there is no runtime to wait in, or no more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// let left = runtime::AsyncFd::new(left);
    /// runtime::block_on(async {
    ///     runtime::spawn(async move { right.write_all(b"ping") });
    ///     left.readable().await.unwrap();
    ///     let mut buffer = [0; 8];
    ///     assert_eq!(left.try_read_with(|mut stream| stream.read(&mut buffer)).unwrap(), 4);
    /// });
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.wait_with(Direction::Read, |context, waiting| self.poll_ready(Direction::Read, context, waiting)).await
    }

    /// Waits until there may be room to write. It may turn out that there is not.
    ///
    /// The answer stands until an operation is seen to block: through [`try_write_with`](AsyncFd::try_write_with) or
    /// [`write_with`](AsyncFd::write_with). One through [`get_ref`](AsyncFd::get_ref) is not seen, and the next call returns
    /// at once.
    ///
    /// # Errors
    /// That there is no runtime to wait in, or no more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// # use std::{io::{Read, Write}, os::unix::net::UnixStream};
    /// # let (left, mut right) = UnixStream::pair().unwrap();
    /// # left.set_nonblocking(true).unwrap();
    /// let left = runtime::AsyncFd::new(left);
    /// runtime::block_on(async {
    ///     left.writable().await.unwrap();
    ///     assert_eq!(left.try_write_with(|mut stream| stream.write(b"ping")).unwrap(), 4);
    /// });
    /// # let mut buffer = [0; 4];
    /// # right.read_exact(&mut buffer).unwrap();
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.wait_with(Direction::Write, |context, waiting| self.poll_ready(Direction::Write, context, waiting)).await
    }

    /// Polls until it is ready. Dropped before that, it leaves the wait that it joined.
    async fn wait_with<R>(
        &self,
        direction: Direction,
        mut poll: impl FnMut(&mut Context<'_>, &mut Waiting) -> Poll<R>,
    ) -> R {
        let mut attempt = Attempt { fd: self, direction, waiting: Waiting::default() };
        poll_fn(|context| poll(context, &mut attempt.waiting)).await
    }

    /// The loop of every operation: *wait unless it may be ready; try; if it would block, forget the readiness, and again.*
    fn poll_with<R>(
        &self,
        direction: Direction,
        context: &mut Context<'_>,
        waiting: &mut Waiting,
        mut operation: impl FnMut(&T) -> io::Result<R>,
        drained: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        let mut paid = false;
        loop {
            // Unregistered, it has never blocked: try first. Registered, try only if it may be ready.
            let tick = match self.registration.get() {
                Some(registration) => {
                    let fd = self.io.watched();
                    Some(ready!(registration.poll_ready(fd, direction, Unknown::Try, context, waiting))?)
                }
                None => None,
            };
            // Before the attempt: what it does is not hidden behind a `Pending`.
            if !paid {
                ready!(budget::spend(context));
                paid = true;
            }
            match operation(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked(direction, tick)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => {
                    if let Some(tick) = tick
                        && let Some(registration) = self.registration.get()
                        && drained(&done)
                    {
                        registration.source.drained(direction, tick);
                    }
                    return Poll::Ready(Ok(done));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_ready(
        &self,
        direction: Direction,
        context: &mut Context<'_>,
        waiting: &mut Waiting,
    ) -> Poll<io::Result<()>> {
        let registration = self.registration(direction)?;
        ready!(registration.poll_ready(self.io.watched(), direction, Unknown::Ask, context, waiting))?;
        budget::spend(context).map(Ok)
    }

    fn try_with<R>(&self, direction: Direction, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        // Before the attempt: an event that comes while it runs must not be forgotten with it.
        let started = self.registration.get().map(|registration| (registration, registration.source.tick(direction)));
        loop {
            match operation(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    if let Some((registration, tick)) = started
                        && matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
                    {
                        registration.source.blocked(direction, tick);
                    }
                    return result;
                }
            }
        }
    }

    /// It would block: forget the readiness we started from, or register.
    fn blocked(&self, direction: Direction, tick: Option<Tick>) -> io::Result<()> {
        let registration = self.registration(direction)?;
        if let Some(tick) = tick {
            registration.source.blocked(direction, tick);
        }
        Ok(())
    }

    /// Does its poller tell the end of a stream from its last bytes? (Asked of one that is registered.)
    fn tells_the_end(&self) -> bool {
        self.registration.get().is_some_and(|registration| registration.reactor.registry.tells_the_end())
    }

    /// Its place in a reactor; registers it, for `direction` at least, if it has none.
    fn registration(&self, direction: Direction) -> io::Result<&Registration> {
        if let Some(registration) = self.registration.get() {
            return Ok(registration);
        }
        let reactor = Reactor::current()
            .ok_or_else(|| io::Error::other("waiting for a source outside a runtime: nobody would wake it"))?;
        let _registering = self.registering.lock().unwrap();
        if self.registration.get().is_none() {
            let fresh = reactor.register(self.io.watched(), direction)?;
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

/// A future's attempt in one direction. It may be dropped while it waits.
struct Attempt<'fd, T: Pollable> {
    fd: &'fd AsyncFd<T>,
    direction: Direction,
    waiting: Waiting,
}

impl<T: Pollable> Drop for Attempt<'_, T> {
    fn drop(&mut self) {
        if let Some(registration) = self.fd.registration.get() {
            registration.source.leave(self.direction, &mut self.waiting);
        }
    }
}
