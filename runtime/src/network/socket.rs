//! What the owner of a simulated socket holds. Dropping it closes the socket.

use super::{Kind, Network, SocketId};
use std::{net::SocketAddr, sync::Arc};

/// A socket of a simulated network. `pub` only because a sealed trait speaks of it.
#[derive(Debug)]
pub struct Socket {
    pub(super) network: Arc<Network>,
    pub(super) id: SocketId,
    pub(super) local: SocketAddr,
}

impl Socket {
    /// Reports this socket's readiness under `token` from now on; its present state first.
    pub(crate) fn register(&self, token: usize) {
        self.network.register(self.id, token);
    }

    pub(crate) fn deregister(&self) {
        self.network.deregister(self.id);
    }

    /// Whether it is one of `network`'s.
    pub(crate) fn is_of(&self, network: &Arc<Network>) -> bool {
        Arc::ptr_eq(&self.network, network)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut state = self.network.state();
        match state.sockets.get(&self.id).map(|place| &place.kind) {
            Some(Kind::Listener(_)) => state.close_listener(self.id),
            Some(Kind::End(_)) => state.close_end(self.id),
            None => {}
        }
    }
}
