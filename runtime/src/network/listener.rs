//! Those who are called: a listener and its backlog.

use super::{CALL_AGAIN, Kind, Network, Packet, Place, Socket, SocketId, State, What, overlap, stream::End};
use crate::network::Stream;
use rustix::io::Errno;
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};

/// A socket that others call. `accept` never waits: it would block.
#[derive(Debug)]
pub(crate) struct Listener(Socket);

/// Connections that nobody has accepted yet.
#[derive(Default)]
pub(super) struct Backlog {
    waiting: VecDeque<SocketId>,
    pub(super) fail_next: bool,
}

/// So many callers may wait to be accepted; whoever calls then calls again later.
const MOST_WAITING: usize = 4096;

impl Backlog {
    pub(super) fn is_ready(&self) -> bool {
        !self.waiting.is_empty()
    }
}

impl Listener {
    /// Port 0 stands for one that is free.
    pub(crate) fn bind(network: &Arc<Network>, mut address: SocketAddr) -> io::Result<Self> {
        let mut state = network.state();
        if address.port() == 0 {
            address.set_port(state.free_port(address.ip())?);
        }
        let in_use = |other: &SocketAddr| other.port() == address.port() && overlap(other.ip(), address.ip());
        if state.listening.keys().any(in_use) {
            return Err(Errno::ADDRINUSE.into());
        }
        let id = state.add(address, Kind::Listener(Backlog::default()));
        state.listening.insert(address, id);
        drop(state);
        Ok(Self(Socket { network: network.clone(), id, local: address }))
    }

    pub(crate) fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        let Socket { network, id, .. } = &self.0;
        let (id, local, peer) = network.state().accept(*id)?;
        Ok((Stream::new(Socket { network: network.clone(), id, local }, peer), peer))
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.0.local
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.0
    }
}

impl State {
    fn backlog(&mut self, id: SocketId) -> Option<&mut Backlog> {
        match self.sockets.get_mut(&id) {
            Some(Place { kind: Kind::Listener(backlog), .. }) => Some(backlog),
            _ => None,
        }
    }

    fn accept(&mut self, id: SocketId) -> io::Result<(SocketId, SocketAddr, SocketAddr)> {
        if !self.backlog(id).is_some_and(|backlog| backlog.is_ready()) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let failing = self.chance(self.conditions.failing_accepts);
        let backlog = self.backlog(id).expect("a listener, as above");
        if std::mem::take(&mut backlog.fail_next) || failing {
            return Err(Errno::MFILE.into());
        }
        let caller = backlog.waiting.pop_front().expect("it is ready, as above");
        let place = &self.sockets[&caller];
        let Kind::End(end) = &place.kind else { unreachable!("a backlog holds ends of connections") };
        Ok((caller, place.local, end.peer_address))
    }

    /// Somebody calls `address`.
    pub(super) fn call_arrives(&mut self, caller: SocketId, address: SocketAddr) {
        // It may have given up meanwhile.
        let Some(here) = self.sockets.get(&caller).filter(|place| !place.is_closed()).map(|place| place.local) else {
            return;
        };
        if self.silent.contains(&address) {
            return;
        }
        let listener = self.listener_at(address);
        let Some(listener) = listener.filter(|_| !self.chance(self.conditions.refusals)) else {
            let arrival = self.soon();
            let (from, to) = ((0, address.ip()), (caller, here.ip()));
            return self.put_under_way(arrival, Packet { from, to, what: What::Refusal });
        };
        if self.backlog(listener).is_some_and(|backlog| backlog.waiting.len() >= MOST_WAITING) {
            let (from, to) = ((caller, here.ip()), (0, address.ip()));
            let again = self.now + CALL_AGAIN;
            return self.put_under_way(again, Packet { from, to, what: What::Call(address) });
        }
        let now = self.now;
        let answerer = self.add(address, Kind::End(End::answering(caller, here, now)));
        if let Some(end) = self.end(caller) {
            end.peer = Some(answerer);
        }
        self.send(answerer, What::Answer);
        if let Some(backlog) = self.backlog(listener) {
            backlog.waiting.push_back(answerer);
        }
        self.edge(listener, true, false);
    }

    /// Who waits to be accepted never will be.
    pub(super) fn close_listener(&mut self, id: SocketId) {
        let Some(Place { local, kind: Kind::Listener(backlog), .. }) = self.sockets.remove(&id) else { return };
        self.listening.remove(&local);
        for waiting in backlog.waiting {
            if let Some(end) = self.end(waiting) {
                end.reset_when_closed = true;
            }
            self.close_end(waiting);
        }
    }
}
