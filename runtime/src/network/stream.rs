//! Those who speak: one end of a connection.

use super::{CALL_AGAIN, HOST, Kind, Network, Packet, Socket, SocketId, State, What, unspecified};
use crate::{current, time::Instant};
use rustix::io::Errno;
use std::{
    collections::VecDeque,
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// One end of a connection. Nothing here waits: it would block.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Socket,
    peer: SocketAddr,
}

/// An end of a connection as the network sees it.
pub(super) struct End {
    /// The other end, once there is one.
    pub(super) peer: Option<SocketId>,
    pub(super) peer_address: SocketAddr,
    phase: Phase,
    /// Arrived, and not read yet.
    inbox: VecDeque<u8>,
    /// The other end has said that it sends no more.
    heard_all: bool,
    /// We have.
    said_all: bool,
    /// Nobody here wants to read any more.
    deaf: bool,
    /// Written, and not read by the other end as far as is known here.
    outstanding: usize,
    /// When the last packet arrives that left here: the next one must not overtake it.
    last_arrival: Instant,
    /// When the wire has taken the last byte.
    wire_free: Instant,
    /// Reported by the next operation, once.
    error: Option<Errno>,
    pub(super) reset_when_closed: bool,
    /// Its owner has dropped it. It stays to answer, as long as the other end is there to ask.
    pub(super) closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Open,
    /// Refused, or reset.
    Over,
}

impl End {
    fn new(peer: Option<SocketId>, peer_address: SocketAddr, phase: Phase, now: Instant) -> Self {
        Self {
            peer,
            peer_address,
            phase,
            inbox: VecDeque::new(),
            heard_all: false,
            said_all: false,
            deaf: false,
            outstanding: 0,
            last_arrival: now,
            wire_free: now,
            error: None,
            reset_when_closed: false,
            closed: false,
        }
    }

    pub(super) fn answering(caller: SocketId, address: SocketAddr, now: Instant) -> Self {
        Self::new(Some(caller), address, Phase::Open, now)
    }

    pub(super) fn is_connecting(&self) -> bool {
        self.phase == Phase::Connecting
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Reading answers at once from now on.
    pub(super) fn has_no_more(&self) -> bool {
        self.is_over() || self.heard_all || self.deaf
    }

    pub(super) fn is_readable(&self) -> bool {
        !self.inbox.is_empty() || self.has_no_more()
    }

    pub(super) fn is_writable(&self, buffer: usize) -> bool {
        self.is_over() || !self.is_connecting() && (self.said_all || self.outstanding < buffer)
    }
}

impl Stream {
    pub(super) fn new(socket: Socket, peer: SocketAddr) -> Self {
        Self { socket, peer }
    }

    /// Calls `address`; [`connected`](Stream::connected) says what came of it.
    pub(crate) fn connect(network: &Arc<Network>, address: SocketAddr) -> io::Result<Self> {
        // As on Linux: to call "any address" is to call this very host.
        let host = current::get(&HOST);
        let called = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => host.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => host.unwrap_or(Ipv6Addr::LOCALHOST.into()),
            ip => ip,
        };
        let address = SocketAddr::new(called, address.port());
        // Who calls a loopback address, or does not say where from, is at home there.
        let here = host.filter(|_| !called.is_loopback()).unwrap_or(called);
        if unspecified(here) != unspecified(called) {
            return Err(Errno::ADDRNOTAVAIL.into());
        }
        let mut state = network.state();
        let local = SocketAddr::new(here, state.free_port(here)?);
        let end = End::new(None, address, Phase::Connecting, state.now);
        let id = state.add(local, Kind::End(end));
        state.call(id, local, address);
        drop(state);
        Ok(Self::new(Socket { network: network.clone(), id, local }, address))
    }

    /// Whether the call was answered.
    pub(crate) fn connected(&self) -> io::Result<()> {
        self.with_end(|end| match end.error.take() {
            Some(error) => Err(error.into()),
            None if end.is_connecting() => Err(ErrorKind::WouldBlock.into()),
            None => Ok(()),
        })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.socket.local
    }

    pub(crate) fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Closes a direction.
    pub(crate) fn shutdown(&self, direction: Shutdown) -> io::Result<()> {
        let mut state = self.socket.network.state();
        let id = self.socket.id;
        let Some(end) = state.end(id).filter(|end| end.phase == Phase::Open) else {
            return Err(Errno::NOTCONN.into());
        };
        if matches!(direction, Shutdown::Read | Shutdown::Both) {
            end.deaf = true;
            state.edge(id, true, false);
        }
        if matches!(direction, Shutdown::Write | Shutdown::Both) {
            state.say_no_more(id);
        }
        Ok(())
    }

    /// When this is dropped, the other end sees "connection reset".
    pub(crate) fn reset_when_dropped(&self) {
        let mut state = self.socket.network.state();
        if let Some(end) = state.end(self.socket.id) {
            end.reset_when_closed = true;
        }
    }

    /// Breaks the connection, as something between the ends would: both see "connection reset".
    pub(crate) fn break_off(&self) {
        self.socket.network.state().break_connection(self.socket.id);
    }

    /// Copies what could be read, and leaves it there.
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with_end(|end| {
            if end.inbox.is_empty() {
                return end.nothing_to_read();
            }
            let length = buffer.len().min(end.inbox.len());
            buffer.iter_mut().zip(&end.inbox).for_each(|(to, from)| *to = *from);
            Ok(length)
        })
    }

    fn with_end<T>(&self, operation: impl FnOnce(&mut End) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.socket.network.state();
        operation(state.end(self.socket.id).expect("it is there as long as its owner"))
    }
}

impl Read for &Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.network.state().read(self.socket.id, self.socket.local.ip(), buffer)
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.network.state().write(self.socket.id, self.socket.local.ip(), parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl End {
    /// What a read says when there are no bytes: a failure once, then the end; or that it would block.
    fn nothing_to_read(&mut self) -> io::Result<usize> {
        match self.error.take() {
            Some(error) => Err(error.into()),
            None if self.has_no_more() => Ok(0),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl State {
    fn call(&mut self, id: SocketId, from: SocketAddr, address: SocketAddr) {
        if self.chance(self.conditions.lost_calls) {
            return;
        }
        let mut arrival = self.soon();
        if self.chance(self.conditions.slow_calls) {
            arrival += CALL_AGAIN;
        }
        self.put_under_way(arrival, Packet { from: (id, from.ip()), to: (0, address.ip()), what: What::Call(address) });
    }

    /// Sends something to the other end, behind all that was sent before.
    pub(super) fn send(&mut self, id: SocketId, what: What) {
        let (now, bandwidth) = (self.now, self.conditions.bandwidth);
        let Some(here) = self.sockets.get(&id).map(|place| place.local.ip()) else { return };
        let Some(end) = self.end(id) else { return };
        let Some(peer) = end.peer else { return };
        let there = end.peer_address.ip();
        let mut leaves = now;
        if let (What::Bytes(bytes), Some(bandwidth)) = (&what, bandwidth) {
            let nanos = bytes.len() as u128 * 1_000_000_000 / u128::from(bandwidth);
            leaves = end.wire_free.max(now) + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            end.wire_free = leaves;
        }
        let earliest = end.last_arrival;
        let arrival = self.conditions.arrival(leaves, &mut self.random).max(earliest);
        self.end(id).expect("as above").last_arrival = arrival;
        self.put_under_way(arrival, Packet { from: (id, here), to: (peer, there), what });
    }

    fn read(&mut self, id: SocketId, host: IpAddr, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let end = self.end(id).expect("it is there as long as its owner");
        if end.inbox.is_empty() {
            return end.nothing_to_read();
        }
        let mut length = buffer.len().min(end.inbox.len());
        if length > 1 && self.chance(self.conditions.pieces) {
            length = 1 + self.random.below(length as u64 - 1) as usize;
            // A short read says "drained", and it is not: so an edge must follow.
            self.edge_soon(id, host, true, false);
        }
        let end = self.end(id).expect("as above");
        buffer.iter_mut().zip(end.inbox.drain(..length)).for_each(|(to, from)| *to = from);
        self.send(id, What::Room(length));
        Ok(length)
    }

    fn write(&mut self, id: SocketId, host: IpAddr, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffer = self.conditions.buffer;
        let end = self.end(id).expect("it is there as long as its owner");
        if let Some(error) = end.error.take() {
            return Err(error.into());
        }
        match end.phase {
            Phase::Connecting => return Err(ErrorKind::WouldBlock.into()),
            _ if end.said_all || end.is_over() => return Err(Errno::PIPE.into()),
            _ => {}
        }
        let whole: usize = parts.iter().map(|part| part.len()).sum();
        let room = buffer.saturating_sub(end.outstanding);
        if whole == 0 {
            return Ok(0);
        }
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut length = whole.min(room);
        if length > 1 && self.chance(self.conditions.pieces) {
            length = 1 + self.random.below(length as u64 - 1) as usize;
            // A short write says "no more room", and there is some: so an edge must follow.
            self.edge_soon(id, host, false, true);
        }
        if self.chance(self.conditions.resets) {
            self.break_connection(id);
            return Ok(length);
        }
        self.end(id).expect("as above").outstanding += length;
        let mut bytes = parts.iter().flat_map(|part| part.iter().copied()).take(length);
        let mut left = length;
        while left > 0 {
            let piece =
                if self.chance(self.conditions.pieces) { 1 + self.random.below(left as u64) as usize } else { left };
            self.send(id, What::Bytes(bytes.by_ref().take(piece).collect()));
            left -= piece;
        }
        Ok(length)
    }

    fn say_no_more(&mut self, id: SocketId) {
        if let Some(end) = self.end(id)
            && !end.said_all
        {
            end.said_all = true;
            self.send(id, What::End);
        }
    }

    /// Something for an end of a connection.
    pub(super) fn arrive_at_end(&mut self, id: SocketId, what: What) {
        let Some(end) = self.end(id).filter(|end| !end.is_over()) else { return };
        match what {
            What::Answer | What::Bytes(_) if end.closed => {
                // Nobody is there any more to take it.
                end.phase = Phase::Over;
                self.send(id, What::Reset);
            }
            What::Answer => {
                end.phase = Phase::Open;
                self.edge(id, false, true);
            }
            What::Refusal => self.fail(id, Errno::CONNREFUSED),
            What::Reset => self.fail(id, Errno::CONNRESET),
            What::Bytes(bytes) => {
                end.inbox.extend(bytes);
                self.edge(id, true, false);
            }
            What::End => {
                end.heard_all = true;
                self.edge(id, true, false);
            }
            What::Room(bytes) => {
                end.outstanding -= bytes;
                self.edge(id, false, true);
            }
            What::Call(_) | What::Edge { .. } => unreachable!("these are not for the end of a connection"),
        }
    }

    /// The connection is broken, here.
    fn fail(&mut self, id: SocketId, error: Errno) {
        if let Some(end) = self.end(id).filter(|end| !end.is_over()) {
            end.phase = Phase::Over;
            end.error = Some(error);
            self.edge(id, true, true);
        }
    }

    /// The connection is broken, at both ends. `false`: it was already, or there was none.
    pub(super) fn break_connection(&mut self, id: SocketId) -> bool {
        let Some(end) = self.end(id).filter(|end| !end.is_over()) else { return false };
        let peer = end.peer;
        self.fail(id, Errno::CONNRESET);
        if let Some(peer) = peer {
            self.fail(peer, Errno::CONNRESET);
        }
        true
    }

    /// Its owner is gone: say goodbye, and stay as long as the other end may still say something.
    pub(super) fn close_end(&mut self, id: SocketId) {
        let Some(place) = self.sockets.get_mut(&id) else { return };
        place.token = None;
        let Some(end) = self.end(id) else { return };
        end.closed = true;
        let peer = end.peer;
        if end.phase == Phase::Open {
            // As on Linux: who closes without having read all says so.
            if end.reset_when_closed || !end.inbox.is_empty() {
                end.phase = Phase::Over;
                self.send(id, What::Reset);
            } else {
                self.say_no_more(id);
            }
        }
        // Two ends that are both closed have nothing to say to each other; a call that nobody has taken, nobody to say it to.
        let other_is_there = peer.and_then(|peer| self.end(peer)).is_some_and(|peer| !peer.closed);
        if !other_is_there {
            self.sockets.remove(&id);
            peer.map(|peer| self.sockets.remove(&peer));
        }
    }
}
