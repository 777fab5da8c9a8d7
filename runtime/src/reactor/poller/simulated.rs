//! The network in memory as a poller: it never sleeps, and time is told to it.

use super::{PollEvent, Token};
use crate::{
    network::{Edge, Network, Socket},
    time::Instant,
};
use std::{io, sync::Arc};

#[derive(Debug)]
pub(crate) struct Poller(Arc<Network>);

#[derive(Debug)]
pub(crate) struct Registry(Arc<Network>);

pub(super) fn new(network: &Arc<Network>) -> (Poller, Registry) {
    (Poller(network.clone()), Registry(network.clone()))
}

/// A descriptor would be ready at a moment of the real world, which no seed knows.
pub(super) fn no_descriptors() -> io::Error {
    io::Error::other(
        "a simulated runtime has no descriptors: it cannot wait for child processes, signals or the system's sockets; use \
         its own sockets (`runtime::world`, or `netio::net`), or a real runtime",
    )
}

pub(super) fn another_world() -> io::Error {
    io::Error::other("a simulated socket can only be waited for in the runtime in whose world it was made")
}

impl Poller {
    pub(super) fn next_event(&self) -> Option<Instant> {
        self.0.next_arrival()
    }

    pub(super) fn advance_to(&self, now: Instant) {
        self.0.advance_to(now);
    }

    /// What has happened by now.
    pub(super) fn wait(&mut self, events: &mut Vec<PollEvent>) {
        self.0.deliver(|Edge { token, read, write, read_closed, write_closed }| {
            let token = Token::from_word(token);
            events.push(PollEvent { token, read, write, read_closed, write_closed, spent: false });
        });
    }
}

impl Registry {
    pub(super) fn register(&self, socket: &Socket, token: Token) -> io::Result<()> {
        if !socket.is_of(&self.0) {
            return Err(another_world());
        }
        socket.register(token.to_word());
        Ok(())
    }

    pub(super) fn describe(&self, token: Token, [read, write]: [bool; 2]) -> Option<String> {
        self.0.describe(token.to_word(), read, write)
    }
}
