//! The seam to whatever reports readiness: register, deregister, wait, notify. Each backend is a file here; nothing above this
//! folder names one.
//!
//! The contract: a source is registered once, for both directions; every *change* towards readiness is reported at least
//! once; a notification ends the present wait, or the next one; a wait never ends early because of its timeout.

mod mio;

use std::{io, os::fd::BorrowedFd, time::Duration};

/// The worker's half: it waits.
#[derive(Debug)]
pub(crate) enum Poller {
    Mio(mio::Poller),
}

/// The half that registers. Shared.
#[derive(Debug)]
pub(crate) enum Registry {
    Mio(mio::Registry),
}

/// Interrupts a wait, from any thread.
#[derive(Debug)]
pub(crate) enum Notify {
    Mio(mio::Notify),
}

/// Names a source: its slot, and which of the slot's owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) slot: usize,
    pub(super) generation: u32,
}

/// What the system said of a source.
#[derive(Debug)]
pub(crate) struct PollEvent {
    pub(super) token: Token,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) read_closed: bool,
    pub(super) write_closed: bool,
}

impl Poller {
    pub(crate) fn new() -> io::Result<(Self, Registry, Notify)> {
        let (poller, registry, notify) = mio::Poller::new()?;
        Ok((Poller::Mio(poller), Registry::Mio(registry), Notify::Mio(notify)))
    }

    /// Waits until something is ready, `timeout` has passed or somebody notifies; puts what is ready into `events`.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<PollEvent>) -> io::Result<()> {
        match self {
            Poller::Mio(poller) => poller.wait(timeout, events),
        }
    }
}

impl Registry {
    pub(super) fn register(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        match self {
            Registry::Mio(registry) => registry.register(fd, token),
        }
    }

    pub(super) fn deregister(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        match self {
            Registry::Mio(registry) => registry.deregister(fd),
        }
    }
}

impl Notify {
    pub(crate) fn notify(&self) {
        match self {
            Notify::Mio(notify) => notify.notify(),
        }
    }
}

const SLOT_BITS: u32 = 32;

impl Token {
    /// As one word, for backends that carry one.
    fn to_word(self) -> usize {
        self.slot | (self.generation as usize) << SLOT_BITS
    }

    fn from_word(word: usize) -> Self {
        Self { slot: word & ((1 << SLOT_BITS) - 1), generation: (word >> SLOT_BITS) as u32 }
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
        assert_eq!(Token::from_word(token.to_word()), token);
    }
}
