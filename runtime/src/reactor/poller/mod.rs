//! The seam to whatever reports readiness: register, rearm, deregister, wait, notify. Each backend is a file here; nothing
//! above this folder names one, but for [`Backend`], by which a program chooses.
//!
//! The contract:
//!
//! - A source is registered once, for the directions of interest. Registering and rearming report the present state; from
//!   then on every *change* towards readiness is reported at least once, until an event that is `spent`: after that nothing is
//!   reported until the source is rearmed.
//! - A notification ends the present wait, or the next one.
//! - A wait never ends early because of its deadline. It may end early, without an event, because of a signal.

mod mio;
#[cfg(feature = "polling")]
mod polling;
mod simulated;

use crate::{
    network::{Network, Socket},
    time::Instant,
};
use std::{io, os::fd::BorrowedFd, sync::Arc};

/// What a runtime asks the system through: see [`Builder::poller`](crate::Builder::poller). A program behaves the same on
/// each; they differ in the system calls that they make.
///
/// ```
/// use runtime::{Backend, Runtime};
/// let runtime = Runtime::builder().poller(Backend::default()).build().unwrap();
/// assert_eq!(runtime.block_on(async { "the same on each" }), "the same on each");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// The crate `mio`, edge-triggered: asked once for the life of a source. Each change is one event.
    #[default]
    Mio,
    /// The crate `polling`, edge-triggered too. (With the feature `polling`.)
    #[cfg(feature = "polling")]
    Polling,
    /// The crate `polling` in its own way: each event has to be asked for anew. (With the feature `polling`.)
    #[cfg(feature = "polling")]
    PollingOneShot,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all: look what is there.
    Now,
    /// Until an event, a notification, or this moment of the system's clock (not of a virtual one).
    Until(Instant),
    /// Until an event or a notification.
    Event,
}

/// The worker's half: it waits.
#[derive(Debug)]
pub(crate) enum Poller {
    Mio(mio::Poller),
    #[cfg(feature = "polling")]
    Polling(polling::Poller),
    Simulated(simulated::Poller),
}

/// The half that registers. Shared.
#[derive(Debug)]
pub(crate) enum Registry {
    Mio(mio::Registry),
    #[cfg(feature = "polling")]
    Polling(polling::Registry),
    Simulated(simulated::Registry),
}

/// Interrupts a wait, from any thread.
#[derive(Debug)]
pub(crate) enum Notify {
    Mio(mio::Notify),
    #[cfg(feature = "polling")]
    Polling(polling::Notify),
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

/// The directions that are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interest {
    pub(super) read: bool,
    pub(super) write: bool,
}

// ANCHOR: event
/// What the system said of a source.
#[derive(Debug)]
pub(crate) struct PollEvent {
    pub(super) token: Token,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) read_closed: bool,
    pub(super) write_closed: bool,
    /// Nothing more will be reported of this source until it is rearmed.
    pub(super) spent: bool,
}
// ANCHOR_END: event

impl Poller {
    pub(crate) fn new(backend: Backend) -> io::Result<(Self, Registry, Notify)> {
        match backend {
            Backend::Mio => {
                let (poller, registry, notify) = mio::Poller::new()?;
                Ok((Poller::Mio(poller), Registry::Mio(registry), Notify::Mio(notify)))
            }
            #[cfg(feature = "polling")]
            Backend::Polling | Backend::PollingOneShot => {
                let (poller, registry, notify) = polling::Poller::new(backend == Backend::PollingOneShot)?;
                Ok((Poller::Polling(poller), Registry::Polling(registry), Notify::Polling(notify)))
            }
        }
    }

    /// A poller for what happens in `network`, and nowhere else.
    pub(crate) fn simulated(network: &Arc<Network>) -> (Self, Registry, Notify) {
        let (poller, registry) = simulated::new(network);
        (Poller::Simulated(poller), Registry::Simulated(registry), Notify::Simulated)
    }

    /// When something happens next, for a poller that knows.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        if let Poller::Simulated(poller) = self { poller.next_event() } else { None }
    }

    /// The virtual clock has moved.
    pub(crate) fn advance_to(&self, now: Instant) {
        if let Poller::Simulated(poller) = self {
            poller.advance_to(now);
        }
    }

    /// Waits as `wait` says; puts what is ready into `events`.
    pub(crate) fn wait(&mut self, wait: Wait, events: &mut Vec<PollEvent>) -> io::Result<()> {
        match self {
            Poller::Mio(poller) => poller.wait(wait, events),
            #[cfg(feature = "polling")]
            Poller::Polling(poller) => poller.wait(wait, events),
            Poller::Simulated(poller) => {
                poller.wait(events);
                Ok(())
            }
        }
    }
}

impl Registry {
    pub(super) fn register(&self, watched: Watched<'_>, token: Token, interest: Interest) -> io::Result<()> {
        match (self, watched) {
            (Registry::Mio(registry), Watched::Descriptor(fd)) => registry.register(fd, token, interest),
            #[cfg(feature = "polling")]
            (Registry::Polling(registry), Watched::Descriptor(fd)) => registry.register(fd, token, interest),
            (Registry::Simulated(registry), Watched::Simulated(socket)) => registry.register(socket, token),
            (Registry::Simulated(_), Watched::Descriptor(_)) => Err(simulated::no_descriptors()),
            (_, Watched::Simulated(_)) => Err(simulated::another_world()),
        }
    }

    /// Changes what a source is asked for, or asks again after an event that was `spent`.
    pub(super) fn rearm(&self, watched: Watched<'_>, token: Token, interest: Interest) -> io::Result<()> {
        match (self, watched) {
            (Registry::Mio(registry), Watched::Descriptor(fd)) => registry.rearm(fd, token, interest),
            #[cfg(feature = "polling")]
            (Registry::Polling(registry), Watched::Descriptor(fd)) => registry.rearm(fd, token, interest),
            // Simulated ones are asked for everything at once.
            _ => self.register(watched, token, interest),
        }
    }

    pub(super) fn deregister(&self, watched: Watched<'_>) -> io::Result<()> {
        match (self, watched) {
            (Registry::Mio(registry), Watched::Descriptor(fd)) => registry.deregister(fd),
            #[cfg(feature = "polling")]
            (Registry::Polling(registry), Watched::Descriptor(fd)) => registry.deregister(fd),
            (_, Watched::Simulated(socket)) => {
                socket.deregister();
                Ok(())
            }
            (Registry::Simulated(_), Watched::Descriptor(_)) => Ok(()),
        }
    }

    /// Does a short read say that the source is drained? Only if the end of a stream that comes with the last bytes is
    /// reported as such: an end that nobody was told of would be waited for in vain.
    pub(super) fn tells_the_end(&self) -> bool {
        match self {
            Registry::Mio(_) | Registry::Simulated(_) => true,
            #[cfg(feature = "polling")]
            Registry::Polling(registry) => registry.tells_the_end(),
        }
    }

    /// What a source is that somebody waits for, to read and to write; `None` from a poller that does not know.
    pub(super) fn describe(&self, token: Token, waiters: [bool; 2]) -> Option<String> {
        if let Registry::Simulated(registry) = self { registry.describe(token, waiters) } else { None }
    }
}

impl Notify {
    pub(crate) fn notify(&self) {
        match self {
            Notify::Mio(notify) => notify.notify(),
            #[cfg(feature = "polling")]
            Notify::Polling(notify) => notify.notify(),
            Notify::Simulated => {}
        }
    }
}

impl Interest {
    pub(super) const READ: Self = Self { read: true, write: false };
    pub(super) const BOTH: Self = Self { read: true, write: true };
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
