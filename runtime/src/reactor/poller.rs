//! The system's readiness, through mio: register, deregister, wait, notify. Edge-triggered, for both directions, for life.
//!
//! Nothing above this file names mio's poll.

use mio::{Events, Interest, Poll, unix::SourceFd};
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    time::Duration,
};

/// The worker's half: it waits.
#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    events: Events,
}

/// The half that registers. Shared.
#[derive(Debug)]
pub(crate) struct Registry(mio::Registry);

/// Interrupts a wait, from any thread.
#[derive(Debug)]
pub(crate) struct Notify(mio::Waker);

/// Names a source: its slot, and which of the slot's owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) slot: usize,
    pub(super) generation: u32,
}

/// What the system said of a source.
#[derive(Debug)]
pub(super) struct PollEvent {
    pub(super) token: Token,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) read_closed: bool,
    pub(super) write_closed: bool,
}

/// More than one wait hands out; the rest comes with the next.
const EVENTS: usize = 1024;
const NOTIFY: mio::Token = mio::Token(usize::MAX);
const SLOT_BITS: u32 = 32;

impl Poller {
    pub(crate) fn new() -> io::Result<(Self, Registry, Notify)> {
        let poll = Poll::new()?;
        let registry = Registry(poll.registry().try_clone()?);
        let notify = Notify(mio::Waker::new(poll.registry(), NOTIFY)?);
        Ok((Self { poll, events: Events::with_capacity(EVENTS) }, registry, notify))
    }

    /// Waits until something is ready, `timeout` has passed or somebody notifies. Never returns early from a timeout.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            // A signal came in. What it was for is somebody else's business; there are no events.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = PollEvent> {
        self.events.iter().filter(|event| event.token() != NOTIFY).map(|event| PollEvent {
            token: Token::from_mio(event.token()),
            read: event.is_readable() || event.is_read_closed() || event.is_error(),
            write: event.is_writable() || event.is_write_closed() || event.is_error(),
            read_closed: event.is_read_closed() || event.is_error(),
            write_closed: event.is_write_closed() || event.is_error(),
        })
    }
}

impl Registry {
    pub(super) fn register(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        self.0.register(&mut SourceFd(&fd.as_raw_fd()), token.to_mio(), Interest::READABLE | Interest::WRITABLE)
    }

    pub(super) fn deregister(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.0.deregister(&mut SourceFd(&fd.as_raw_fd()))
    }
}

impl Notify {
    pub(crate) fn notify(&self) {
        // It can only fail if the poller is gone, and then nobody waits.
        let _ = self.0.wake();
    }
}

impl Token {
    fn to_mio(self) -> mio::Token {
        mio::Token(self.slot | (self.generation as usize) << SLOT_BITS)
    }

    fn from_mio(mio::Token(token): mio::Token) -> Self {
        Self { slot: token & ((1 << SLOT_BITS) - 1), generation: (token >> SLOT_BITS) as u32 }
    }
}

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a token holds a slot and a generation in one 64-bit word");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_way_through_the_system() {
        let token = Token { slot: 12_345, generation: u32::MAX - 1 };
        assert_eq!(Token::from_mio(token.to_mio()), token);
    }
}
