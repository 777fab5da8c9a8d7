//! The seam to whatever reports readiness: register, deregister, wait, notify. Each backend is a file here; nothing above this
//! folder names one.
//!
//! The contract: a source is registered once, for both directions; every *change* towards readiness is reported at least
//! once; a notification ends the present wait, or the next one; a wait never ends early because of its timeout.

mod mio;
mod simulated;

use crate::{
    network::{Network, Socket},
    time::Instant,
};
use std::{io, os::fd::BorrowedFd, sync::Arc, time::Duration};

/// The worker's half: it waits.
#[derive(Debug)]
pub(crate) enum Poller {
    Mio(mio::Poller),
    Simulated(simulated::Poller),
}

/// The half that registers. Shared.
#[derive(Debug)]
pub(crate) enum Registry {
    Mio(mio::Registry),
    Simulated(simulated::Registry),
}

/// Interrupts a wait, from any thread.
#[derive(Debug)]
pub(crate) enum Notify {
    Mio(mio::Notify),
    /// There is nothing to interrupt: its wait never sleeps.
    Simulated,
}

/// What a poller can watch.
#[derive(Clone, Copy, Debug)]
pub enum Watched<'io> {
    /// A descriptor of the system.
    Descriptor(BorrowedFd<'io>),
    /// A socket of a simulated network.
    Simulated(&'io Socket),
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

    /// A poller for what happens in `network`, and nowhere else.
    pub(crate) fn simulated(network: &Arc<Network>) -> (Self, Registry, Notify) {
        let (poller, registry) = simulated::new(network);
        (Poller::Simulated(poller), Registry::Simulated(registry), Notify::Simulated)
    }

    /// When something happens next, for a poller that knows.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        match self {
            Poller::Mio(_) => None,
            Poller::Simulated(poller) => poller.next_event(),
        }
    }

    /// The virtual clock has moved.
    pub(crate) fn advance_to(&self, now: Instant) {
        if let Poller::Simulated(poller) = self {
            poller.advance_to(now);
        }
    }

    /// Waits until something is ready, `timeout` has passed or somebody notifies; puts what is ready into `events`.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<PollEvent>) -> io::Result<()> {
        match self {
            Poller::Mio(poller) => poller.wait(timeout, events),
            Poller::Simulated(poller) => {
                poller.wait(events);
                Ok(())
            }
        }
    }
}

impl Registry {
    pub(super) fn register(&self, watched: Watched<'_>, token: Token) -> io::Result<()> {
        match (self, watched) {
            (Registry::Mio(registry), Watched::Descriptor(fd)) => registry.register(fd, token),
            (Registry::Simulated(registry), Watched::Simulated(socket)) => registry.register(socket, token),
            (Registry::Simulated(_), Watched::Descriptor(_)) => Err(simulated::no_descriptors()),
            (_, Watched::Simulated(_)) => Err(simulated::another_world()),
        }
    }

    pub(super) fn deregister(&self, watched: Watched<'_>) -> io::Result<()> {
        match (self, watched) {
            (Registry::Mio(registry), Watched::Descriptor(fd)) => registry.deregister(fd),
            (_, Watched::Simulated(socket)) => {
                socket.deregister();
                Ok(())
            }
            (Registry::Simulated(_), Watched::Descriptor(_)) => Ok(()),
        }
    }

    /// What a source is that somebody waits for, to read and to write; `None` from a poller that does not know.
    pub(super) fn describe(&self, token: Token, waiters: [bool; 2]) -> Option<String> {
        match self {
            Registry::Mio(_) => None,
            Registry::Simulated(registry) => registry.describe(token, waiters),
        }
    }
}

impl Notify {
    pub(crate) fn notify(&self) {
        match self {
            Notify::Mio(notify) => notify.notify(),
            Notify::Simulated => {}
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
