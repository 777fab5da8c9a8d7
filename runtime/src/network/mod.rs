//! A network in memory, for the simulated runtime: addresses, listeners and streams, and packets that are under way between
//! them. It knows nothing of tasks, wakers or futures: a socket either does something or "would block", and what changes
//! towards readiness is reported as an edge, exactly as epoll does it.
//!
//! ```text
//!   write ──> packets, each with the moment of its arrival ──(time passes)──> the other end: bytes to read, an edge
//!   edges ──> the simulated poller ──> reactor ──> tasks
//! ```
//!
//! - Time is told, never asked: only the worker moves it ([`Network::advance_to`]), when nothing can run.
//! - Nothing depends on anything but the seed and the order of the calls: no addresses of memory, no hash maps, no clock.
//! - Packets of one direction of a connection arrive in the order in which they were sent.
//! - After an operation that would have blocked, or came back short, an edge follows as soon as it could do more.
//! - The lock is held for one operation, and no foreign code runs under it.
//!
//! What is left out of TCP: acknowledgements, but for those that give room to the writer; retransmission, but for calls.
//! What a partition stops arrives when it heals.

mod conditions;
mod listener;
mod socket;
mod stream;

#[cfg(test)]
mod tests;

pub use conditions::Conditions;
pub(crate) use listener::Listener;
pub(crate) use socket::Socket;
pub(crate) use stream::Stream;

use crate::{
    current::{self, Slot},
    random::{self, Generator},
    time::Instant,
};
use listener::Backlog;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use stream::End;

/// The network of one simulated runtime.
pub(crate) struct Network {
    seed: u64,
    /// What the program draws from.
    random: random::Shared,
    state: Mutex<State>,
}

/// Names a socket. Never used again.
type SocketId = u64;

struct State {
    now: Instant,
    random: Generator,
    conditions: Conditions,
    sockets: BTreeMap<SocketId, Place>,
    created: u64,
    listening: BTreeMap<SocketAddr, SocketId>,
    next_port: u16,
    /// By their arrival; those that arrive at the same moment, in the order in which they were sent.
    under_way: BTreeMap<Arrival, Packet>,
    sent: u64,
    /// Arrived at a link that is cut. They keep their place in the order.
    held: BTreeMap<Arrival, Packet>,
    cut: BTreeSet<(IpAddr, IpAddr)>,
    /// Calls to these are never answered.
    silent: BTreeSet<SocketAddr>,
    names: BTreeMap<String, Vec<IpAddr>>,
    /// Sockets with an edge to report, first come first.
    ready: VecDeque<SocketId>,
}

type Arrival = (Instant, u64);

/// A socket as the network sees it.
struct Place {
    local: SocketAddr,
    /// What the reactor calls it, once it waits there.
    token: Option<usize>,
    /// An edge to report, for each direction; it stands in `ready` if there is one.
    edge: (bool, bool),
    kind: Kind,
}

enum Kind {
    Listener(Backlog),
    End(End),
}

struct Packet {
    from: (SocketId, IpAddr),
    to: (SocketId, IpAddr),
    what: What,
}

enum What {
    /// May I speak to whoever listens there?
    Call(SocketAddr),
    /// Yes.
    Answer,
    /// Nobody listens.
    Refusal,
    Bytes(Vec<u8>),
    /// No more bytes come.
    End,
    /// The other end has read so many bytes.
    Room(usize),
    Reset,
    /// From a socket to itself: it may be able to do more now. Or not.
    Edge {
        read: bool,
        write: bool,
    },
}

/// A change towards readiness, for the poller.
pub(crate) struct Edge {
    pub(crate) token: usize,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) read_closed: bool,
    pub(crate) write_closed: bool,
}

/// As on Linux, where clients' ports begin.
const FIRST_PORT: u16 = 49_152;
/// How long a caller waits before it repeats a call that was lost.
const CALL_AGAIN: Duration = Duration::from_secs(1);

thread_local! {
    static CURRENT: Slot<Option<Arc<Network>>> = const { RefCell::new(None) };
    /// The address from which the current thread calls others.
    static HOST: Slot<IpAddr> = const { RefCell::new(None) };
}

/// Puts back what was current before.
pub(crate) struct Entered {
    _network: current::Entered<Option<Arc<Network>>>,
    _random: random::Entered,
}

/// Makes this the network of the current thread, and its seed what the thread draws from; `None` for none.
pub(crate) fn enter(network: Option<&Arc<Network>>) -> Entered {
    Entered {
        _network: current::enter(&CURRENT, network.cloned()),
        _random: random::enter(network.map(|network| network.random.clone())),
    }
}

/// From now on the current thread calls from `host`.
pub(crate) fn enter_host(host: IpAddr) -> impl Drop {
    current::enter(&HOST, host)
}

impl Network {
    /// The generators for the network and for the program are split off `random`, which is the seed's.
    pub(crate) fn new(seed: u64, conditions: Conditions, now: Instant, random: &mut Generator) -> Arc<Self> {
        let state = State {
            now,
            random: random.split(),
            conditions,
            sockets: BTreeMap::new(),
            created: 0,
            listening: BTreeMap::new(),
            next_port: FIRST_PORT,
            under_way: BTreeMap::new(),
            sent: 0,
            held: BTreeMap::new(),
            cut: BTreeSet::new(),
            silent: BTreeSet::new(),
            names: BTreeMap::from([("localhost".to_owned(), vec![Ipv4Addr::LOCALHOST.into()])]),
            ready: VecDeque::new(),
        };
        Arc::new(Self { seed, random: Arc::new(Mutex::new(random.split())), state: Mutex::new(state) })
    }

    pub(crate) fn current() -> Option<Arc<Network>> {
        current::get(&CURRENT).flatten()
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// When something arrives next, if anything is under way. It may have arrived already, and wait to be delivered.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        let state = self.state();
        if !state.ready.is_empty() {
            return Some(state.now);
        }
        state.under_way.keys().next().map(|(arrival, _)| *arrival)
    }

    /// It is `now`.
    pub(crate) fn advance_to(&self, now: Instant) {
        let mut state = self.state();
        state.now = state.now.max(now);
    }

    /// Delivers what has arrived by now, and reports what became ready.
    pub(crate) fn deliver(&self, mut report: impl FnMut(Edge)) {
        let mut state = self.state();
        let now = state.now;
        while let Some(first) = state.under_way.first_entry()
            && first.key().0 <= now
        {
            let (arrival, packet) = first.remove_entry();
            state.arrive(arrival, packet);
        }
        while let Some(id) = state.ready.pop_front() {
            if let Some(edge) = state.sockets.get_mut(&id).and_then(Place::take_edge) {
                report(edge);
            }
        }
    }

    pub(crate) fn conditions(&self) -> Conditions {
        self.state().conditions.clone()
    }

    /// From now on; what is under way arrives when it would have.
    pub(crate) fn set_conditions(&self, conditions: Conditions) {
        self.state().conditions = conditions;
    }

    /// Nothing arrives between the two any more.
    pub(crate) fn partition(&self, one: IpAddr, other: IpAddr) {
        self.state().cut.insert((one.min(other), one.max(other)));
    }

    /// Undoes [`partition`](Network::partition); what was held back is delivered now, in its order.
    pub(crate) fn heal(&self, one: IpAddr, other: IpAddr) {
        let mut state = self.state();
        state.cut.remove(&(one.min(other), one.max(other)));
        let held = std::mem::take(&mut state.held);
        let (free, held) = held.into_iter().partition(|(_, packet)| !state.is_cut(packet.from.1, packet.to.1));
        state.held = held;
        // Their arrivals lie in the past, so they stand before whatever was sent later.
        state.under_way.extend::<BTreeMap<_, _>>(free);
    }

    /// Whether calls to `address` are never answered.
    pub(crate) fn set_silent(&self, address: SocketAddr, silent: bool) {
        let mut state = self.state();
        if silent {
            state.silent.insert(address);
        } else {
            state.silent.remove(&address);
        }
    }

    /// Breaks every connection between the two; says how many there were.
    pub(crate) fn reset_between(&self, one: IpAddr, other: IpAddr) -> usize {
        let mut state = self.state();
        let ends: Vec<SocketId> = state
            .sockets
            .iter()
            .filter(|(_, place)| match &place.kind {
                Kind::End(end) => {
                    let (here, there) = (place.local.ip(), end.peer_address.ip());
                    end.is_open() && ((here, there) == (one, other) || (here, there) == (other, one))
                }
                Kind::Listener(_) => false,
            })
            .map(|(id, _)| *id)
            .collect();
        ends.iter().filter(|id| state.break_connection(**id)).count()
    }

    /// Lets the next `accept` at `address` fail. `false`: nobody listens there.
    pub(crate) fn fail_next_accept(&self, address: SocketAddr) -> bool {
        let mut state = self.state();
        let Some(id) = state.listener_at(address) else { return false };
        let Some(Place { kind: Kind::Listener(backlog), .. }) = state.sockets.get_mut(&id) else { return false };
        backlog.fail_next = true;
        true
    }

    pub(crate) fn set_name(&self, name: String, addresses: Vec<IpAddr>) {
        self.state().names.insert(name, addresses);
    }

    pub(crate) fn addresses_of(&self, name: &str) -> Option<Vec<IpAddr>> {
        self.state().names.get(name).cloned()
    }

    /// How many sockets somebody holds, or wait to be accepted.
    pub(crate) fn open_sockets(&self) -> usize {
        self.state().sockets.values().filter(|place| !place.is_closed()).count()
    }

    /// A socket that is waited for, by its token: who it is, and what it lacks. For those who ask why nothing moves.
    pub(crate) fn describe(&self, token: usize, read: bool, write: bool) -> Option<String> {
        let state = self.state();
        state.sockets.values().find(|place| place.token == Some(token)).map(|place| place.describe(read, write))
    }

    fn register(&self, id: SocketId, token: usize) {
        let mut state = self.state();
        let buffer = state.conditions.buffer;
        let Some(place) = state.sockets.get_mut(&id) else { return };
        place.token = Some(token);
        // The present state is reported as if it had just come about.
        let (read, write) = place.could_do(buffer);
        state.edge(id, read, write);
    }

    fn deregister(&self, id: SocketId) {
        if let Some(place) = self.state().sockets.get_mut(&id) {
            place.token = None;
            place.edge = (false, false);
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl Place {
    fn new(local: SocketAddr, kind: Kind) -> Self {
        Self { local, token: None, edge: (false, false), kind }
    }

    /// Whether reading (or accepting) and writing would do something else than block.
    fn could_do(&self, buffer: usize) -> (bool, bool) {
        match &self.kind {
            Kind::Listener(backlog) => (backlog.is_ready(), false),
            Kind::End(end) => (end.is_readable(), end.is_writable(buffer)),
        }
    }

    fn is_closed(&self) -> bool {
        matches!(&self.kind, Kind::End(end) if end.closed)
    }

    fn take_edge(&mut self) -> Option<Edge> {
        let (read, write) = std::mem::take(&mut self.edge);
        let token = self.token.filter(|_| read || write)?;
        let (read_closed, write_closed) = match &self.kind {
            Kind::End(end) => (read && end.has_no_more(), write && end.is_over()),
            Kind::Listener(_) => (false, false),
        };
        Some(Edge { token, read, write, read_closed, write_closed })
    }

    fn describe(&self, read: bool, write: bool) -> String {
        let here = self.local;
        match &self.kind {
            Kind::Listener(_) => format!("{here} listens, and nobody calls"),
            Kind::End(end) => {
                let lacks = match (read, write) {
                    _ if end.is_connecting() => "no answer yet",
                    (true, true) => "nothing to read, and no room to write",
                    (true, false) => "nothing to read",
                    _ => "no room to write",
                };
                format!("{here} -> {}: {lacks}", end.peer_address)
            }
        }
    }
}

impl State {
    fn add(&mut self, local: SocketAddr, kind: Kind) -> SocketId {
        self.created += 1;
        self.sockets.insert(self.created, Place::new(local, kind));
        self.created
    }

    fn end(&mut self, id: SocketId) -> Option<&mut End> {
        match self.sockets.get_mut(&id) {
            Some(Place { kind: Kind::End(end), .. }) => Some(end),
            _ => None,
        }
    }

    /// The listener that a call to `address` reaches: at that very address, or at all of that port.
    fn listener_at(&self, address: SocketAddr) -> Option<SocketId> {
        let every = SocketAddr::new(unspecified(address.ip()), address.port());
        self.listening.get(&address).or_else(|| self.listening.get(&every)).copied()
    }

    /// A port that nobody uses at `host`.
    fn free_port(&mut self, host: IpAddr) -> io::Result<u16> {
        for _ in FIRST_PORT..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
            let taken = |place: &Place| place.local.port() == port && overlap(place.local.ip(), host);
            if !self.sockets.values().any(taken) {
                return Ok(port);
            }
        }
        Err(rustix::io::Errno::ADDRNOTAVAIL.into())
    }

    fn is_cut(&self, one: IpAddr, other: IpAddr) -> bool {
        self.cut.contains(&(one.min(other), one.max(other)))
    }

    /// A moment a little later: a latency from now.
    fn soon(&mut self) -> Instant {
        self.conditions.arrival(self.now, &mut self.random)
    }

    fn chance(&mut self, probability: f64) -> bool {
        // No draw for what never happens: a world without faults is the same whether faults exist or not.
        probability > 0.0 && self.random.chance(probability)
    }

    fn put_under_way(&mut self, arrival: Instant, packet: Packet) {
        self.sent += 1;
        self.under_way.insert((arrival, self.sent), packet);
    }

    /// An edge that comes of itself, later.
    fn edge_soon(&mut self, id: SocketId, host: IpAddr, read: bool, write: bool) {
        let arrival = self.soon();
        self.put_under_way(arrival, Packet { from: (id, host), to: (id, host), what: What::Edge { read, write } });
    }

    /// Reports, with the next delivery, that a socket may be able to do more.
    fn edge(&mut self, id: SocketId, read: bool, write: bool) {
        let Some(place) = self.sockets.get_mut(&id) else { return };
        if place.token.is_none() || !(read || write) {
            return;
        }
        if place.edge == (false, false) {
            self.ready.push_back(id);
        }
        place.edge = (place.edge.0 | read, place.edge.1 | write);
    }

    fn arrive(&mut self, arrival: Arrival, packet: Packet) {
        let Packet { from, to, what } = packet;
        if let What::Edge { read, write } = what {
            return self.edge(to.0, read, write);
        }
        if self.is_cut(from.1, to.1) {
            self.held.insert(arrival, Packet { from, to, what });
            return;
        }
        if let What::Call(address) = what {
            return self.call_arrives(from.0, address);
        }
        self.arrive_at_end(to.0, what);
        if self.chance(self.conditions.spurious) {
            self.edge_soon(to.0, to.1, true, true);
        }
    }
}

/// All addresses of the family of `ip`.
fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Whether two addresses, of which each may be "all", have one in common.
fn overlap(one: IpAddr, other: IpAddr) -> bool {
    one == other || one.is_ipv4() == other.is_ipv4() && (one.is_unspecified() || other.is_unspecified())
}
