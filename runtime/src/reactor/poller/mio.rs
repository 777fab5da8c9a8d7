//! mio: epoll on Linux, kqueue on macOS. Edge-triggered, for both directions, for life.

use super::{PollEvent, Token};
use mio::{Events, Interest, Poll, unix::SourceFd};
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    events: Events,
}

#[derive(Debug)]
pub(crate) struct Registry(mio::Registry);

#[derive(Debug)]
pub(crate) struct Notify(mio::Waker);

/// More than one wait hands out; the rest comes with the next.
const EVENTS: usize = 1024;
const NOTIFY: mio::Token = mio::Token(usize::MAX);

impl Poller {
    pub(super) fn new() -> io::Result<(Self, Registry, Notify)> {
        let poll = Poll::new()?;
        let registry = Registry(poll.registry().try_clone()?);
        let notify = Notify(mio::Waker::new(poll.registry(), NOTIFY)?);
        Ok((Self { poll, events: Events::with_capacity(EVENTS) }, registry, notify))
    }

    pub(super) fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<PollEvent>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            // A signal came in. What it was for is somebody else's business; there are no events.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        events.extend(self.events.iter().filter(|event| event.token() != NOTIFY).map(|event| PollEvent {
            token: Token::from_word(event.token().0),
            read: event.is_readable() || event.is_read_closed() || event.is_error(),
            write: event.is_writable() || event.is_write_closed() || event.is_error(),
            read_closed: event.is_read_closed() || event.is_error(),
            write_closed: event.is_write_closed() || event.is_error(),
        }));
        Ok(())
    }
}

impl Registry {
    pub(super) fn register(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let token = mio::Token(token.to_word());
        self.0.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(super) fn deregister(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.0.deregister(&mut SourceFd(&fd.as_raw_fd()))
    }
}

impl Notify {
    pub(super) fn notify(&self) {
        // It can only fail if the poller is gone, and then nobody waits.
        let _ = self.0.wake();
    }
}
