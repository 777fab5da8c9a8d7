//! The connections of a client: how many there may be, who waits for one, and which are kept.
//!
//! ```text
//!   acquire ──> an idle one of this host ─────────────────────────────┐
//!          ├──> a free place: the host has one, and so has the client ├──> Lease ──> give_back ──> idle ──> closed when old
//!          ├──> the place of another host's idle one, which is closed ┘      └ dropped: its place is free
//!          └──> none: in the queue
//! ```
//!
//! - A place is the right to have one connection to one host. Idle connections have one too. There are never more places than
//!   the limits say.
//! - Whoever has waited longest, of all who can be served, is served first; who comes later does not overtake, because whenever
//!   something becomes free, all who can be served are.
//! - A [`Lease`] holds a place, and gives it back however it ends. One that was sent to somebody who is gone goes to the next.
//! - Connections are dropped, and those who wait are woken, outside the lock.
//! - An idle connection is closed when it is too old, also if nobody uses the client: a task sees to it. It exists only while
//!   something is idle, ends with the client, and does not keep its runtime alive.

use super::connection::Connection;
use runtime::{
    AbortHandle, Handle,
    sync::{Event, oneshot},
    task,
    time::{Instant, sleep_until},
};
use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How many connections there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolLimits {
    pub(super) total: usize,
    pub(super) per_host: usize,
    /// So long one may be idle.
    pub(super) idle_time: Duration,
    /// So old one may become, and still be kept.
    pub(super) lifetime: Duration,
}

/// What a pool holds: from [`Client::pool_stats`](super::Client::pool_stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Connections that are kept for the next request.
    pub idle: usize,
    /// Connections that are in use, or being made.
    pub in_use: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Connections that were made so far.
    pub made: u64,
    /// Requests so far that had a connection that was there already.
    pub reused: u64,
    /// The same for each host that has a connection, or requests that wait.
    pub hosts: Vec<HostStats>,
}

/// What a pool holds for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostStats {
    /// `host:port`, and the way to it if that is not the straight one.
    pub host: String,
    /// Connections that are kept for the next request.
    pub idle: usize,
    /// Connections that are in use, or being made.
    pub in_use: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
}

/// The client was closed.
#[derive(Debug)]
pub(super) struct Closed;

pub(super) struct Pool {
    limits: PoolLimits,
    state: Mutex<State>,
    /// It is closed, and has no connection any more.
    over: Event,
    made: AtomicU64,
    reused: AtomicU64,
}

/// In the order of the hosts' names, so that a simulated run repeats itself.
#[derive(Default)]
struct State {
    hosts: BTreeMap<Arc<str>, Host>,
    /// Those of all hosts together.
    places: usize,
    /// How many wait, and how many have ever had to.
    waiting: usize,
    tickets: u64,
    closed: bool,
    /// Somebody looks after the idle ones.
    kept: bool,
    keeper: Option<AbortHandle>,
}

#[derive(Default)]
struct Host {
    /// The latest at the end: that one is used next, and the oldest get old.
    idle: Vec<Idle>,
    /// Connections that are there or being made, the idle ones among them.
    places: usize,
    /// By the order in which they came.
    waiting: BTreeMap<u64, oneshot::Sender<Lease>>,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

/// A place, and perhaps a connection with nothing on it.
struct Found {
    kept: Option<Box<Connection>>,
    /// It was closed to make room.
    _evicted: Option<Idle>,
}

impl Pool {
    pub(super) fn new(limits: PoolLimits) -> Arc<Self> {
        Arc::new(Pool {
            limits,
            state: Mutex::default(),
            over: Event::new(),
            made: AtomicU64::new(0),
            reused: AtomicU64::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody's code runs under the lock")
    }

    /// A place for a connection to `host`, when it is our turn.
    ///
    /// # Cancel safety
    /// Dropped, it gives its turn to the next.
    pub(super) async fn acquire(self: &Arc<Self>, host: &str, waits: impl FnOnce()) -> Result<Lease, Closed> {
        let (_ticket, lease) = {
            let mut state = self.lock();
            if state.closed {
                return Err(Closed);
            }
            let host = state.name_of(host);
            if let Some(found) = state.take(&host, &self.limits, Instant::now()) {
                drop(state);
                return Ok(Lease { pool: self.clone(), host, kept: found.kept });
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting += 1;
            state.tickets += 1;
            let number = state.tickets;
            state.hosts.entry(host.clone()).or_default().waiting.insert(number, sender);
            drop(state);
            // Dropped after the receiver: what is sent until then comes back as a lease that is dropped.
            (Ticket { pool: self, host, number }, receiver)
        };
        waits();
        lease.await.map_err(|oneshot::Closed| Closed)
    }

    /// Changes something, and serves whom that lets be served.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        let served: Vec<_> = std::iter::from_fn(|| state.serve(&self.limits)).collect();
        let is_over = state.closed && state.places == 0;
        drop(state);
        if is_over {
            self.over.set();
        }
        for (sender, host, Found { kept, _evicted }) in served {
            // Whoever is gone gives it back, and the next one is served.
            let _ = sender.send(Lease { pool: self.clone(), host, kept });
        }
        result
    }

    /// A connection with nothing on it: for who waits, or to be kept.
    fn keep(self: &Arc<Self>, host: &Arc<str>, connection: Box<Connection>) {
        let now = Instant::now();
        let PoolLimits { idle_time, lifetime, .. } = self.limits;
        let too_old = idle_time.is_zero() || connection.born() + lifetime <= now;
        let (unused, unwatched) = self.change(|state| {
            if too_old || state.closed {
                state.free(host);
                return (Some(connection), false);
            }
            let Some(here) = state.hosts.get_mut(host) else { unreachable!("it has a place") };
            here.idle.push(Idle { connection, since: now });
            (None, !mem::replace(&mut state.kept, true))
        });
        drop(unused);
        if unwatched {
            self.watch();
        }
    }

    /// Starts the task that closes what is idle for too long.
    fn watch(self: &Arc<Self>) {
        let watched = Watched(Arc::downgrade(self));
        if Handle::try_current().is_none() {
            return;
        }
        let keeper = task::Builder::new().name("idle connections of a client").spawn(async move {
            while let Some(next) = watched.0.upgrade().and_then(|pool| pool.sweep()) {
                sleep_until(next).await;
            }
        });
        self.lock().keeper = Some(keeper.abort_handle());
    }

    /// Closes what is too old, and gives the time at which the next one will be; `None`: nothing is idle.
    fn sweep(self: &Arc<Self>) -> Option<Instant> {
        let now = Instant::now();
        let PoolLimits { idle_time, lifetime, .. } = self.limits;
        let ends = |idle: &Idle| (idle.since + idle_time).min(idle.connection.born() + lifetime);
        let (next, stale) = self.change(|state| {
            let mut stale = Vec::new();
            for (name, host) in &mut state.hosts {
                stale.extend(host.idle.extract_if(.., |idle| ends(idle) <= now).map(|idle| (name.clone(), idle)));
            }
            stale.iter().for_each(|(name, _)| state.free(name));
            let next = state.hosts.values().flat_map(|host| &host.idle).map(ends).min();
            state.kept = next.is_some();
            (next, stale)
        });
        drop(stale);
        next
    }

    /// Lets nobody in any more, closes what is idle, and waits until what is in use is closed too.
    pub(super) async fn close(self: &Arc<Self>) {
        let left = self.change(|state| {
            state.closed = true;
            state.waiting = 0;
            let mut left = Vec::new();
            for host in state.hosts.values_mut() {
                host.places -= host.idle.len();
                state.places -= host.idle.len();
                left.push((mem::take(&mut host.idle), mem::take(&mut host.waiting)));
            }
            state.hosts.retain(|_, host| host.places > 0);
            left
        });
        drop(left);
        self.over.wait().await;
    }

    pub(super) fn stats(&self) -> PoolStats {
        let state = self.lock();
        let hosts: Vec<_> = state
            .hosts
            .iter()
            .map(|(name, host)| HostStats {
                host: name.to_string(),
                idle: host.idle.len(),
                in_use: host.places - host.idle.len(),
                waiting: host.waiting.len(),
            })
            .collect();
        PoolStats {
            idle: hosts.iter().map(|host| host.idle).sum(),
            in_use: hosts.iter().map(|host| host.in_use).sum(),
            waiting: hosts.iter().map(|host| host.waiting).sum(),
            made: self.made.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            hosts,
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(keeper) = self.lock().keeper.take() {
            keeper.abort();
        }
    }
}

/// What the keeper knows of its pool. If its runtime ends, another one may be needed.
struct Watched(Weak<Pool>);

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            let mut state = pool.lock();
            state.kept = false;
            state.keeper = None;
        }
    }
}

impl State {
    /// The key of a host, without making one for each request.
    fn name_of(&self, host: &str) -> Arc<str> {
        self.hosts.get_key_value(host).map_or_else(|| host.into(), |(name, _)| name.clone())
    }

    /// A place for `host`, if there is one; with the connection that became idle last, if there is one.
    fn take(&mut self, host: &Arc<str>, limits: &PoolLimits, now: Instant) -> Option<Found> {
        if let Some(here) = self.hosts.get_mut(host)
            && let Some(Idle { connection, since }) = here.idle.pop()
        {
            if since + limits.idle_time > now && connection.born() + limits.lifetime > now {
                return Some(Found { kept: Some(connection), _evicted: None });
            }
            // The keeper is late. It keeps its place, for the new one.
            return Some(Found { kept: None, _evicted: Some(Idle { connection, since }) });
        }
        let places = self.hosts.get(host).map_or(0, |here| here.places);
        if places >= limits.per_host {
            return None;
        }
        let evicted = if self.places < limits.total { None } else { Some(self.evict()?) };
        self.hosts.entry(host.clone()).or_default().places += 1;
        self.places += 1;
        Some(Found { kept: None, _evicted: evicted })
    }

    /// The connection that has been idle longest, of all hosts.
    fn evict(&mut self) -> Option<Idle> {
        let oldest = self.hosts.iter().filter_map(|(name, host)| Some((host.idle.first()?.since, name)));
        let name = oldest.min()?.1.clone();
        let idle = self.hosts.get_mut(&name)?.idle.remove(0);
        self.free(&name);
        Some(idle)
    }

    fn free(&mut self, host: &Arc<str>) {
        self.places -= 1;
        let Some(here) = self.hosts.get_mut(host) else { unreachable!("it had a place") };
        here.places -= 1;
        self.forget(host);
    }

    fn forget(&mut self, host: &Arc<str>) {
        if self.hosts.get(host).is_some_and(|host| host.places == 0 && host.waiting.is_empty()) {
            self.hosts.remove(host);
        }
    }

    /// Of those who can be served, the one who has waited longest.
    fn serve(&mut self, limits: &PoolLimits) -> Option<(oneshot::Sender<Lease>, Arc<str>, Found)> {
        if self.waiting == 0 {
            return None;
        }
        let room = self.places < limits.total || self.hosts.values().any(|host| !host.idle.is_empty());
        let can_be_served = |host: &Host| !host.idle.is_empty() || (room && host.places < limits.per_host);
        let waiting = self.hosts.iter().filter(|(_, host)| can_be_served(host));
        let (number, host) =
            waiting.filter_map(|(name, host)| Some((*host.waiting.first_key_value()?.0, name.clone()))).min()?;
        let found = self.take(&host, limits, Instant::now())?;
        let sender = self.hosts.get_mut(&host)?.waiting.remove(&number)?;
        self.waiting -= 1;
        Some((sender, host, found))
    }
}

/// Somebody who waits.
struct Ticket<'pool> {
    pool: &'pool Arc<Pool>,
    host: Arc<str>,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        let sender = state.hosts.get_mut(&self.host).and_then(|host| host.waiting.remove(&self.number));
        state.waiting -= usize::from(sender.is_some());
        state.forget(&self.host);
        drop(state);
        drop(sender);
    }
}

/// The right to have one connection to one host.
pub(super) struct Lease {
    pool: Arc<Pool>,
    host: Arc<str>,
    /// One with nothing on it.
    kept: Option<Box<Connection>>,
}

impl Lease {
    /// A connection that is there already, if it seems to be alive. It may still turn out to be dead: the server's farewell can be
    /// on its way. `surely`: ask the system, not only what it has told.
    pub(super) fn take_kept(&mut self, surely: bool) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.kept.take()?;
            if connection.is_alive(surely) {
                self.pool.reused.fetch_add(1, Ordering::Relaxed);
                return Some(connection);
            }
            drop(connection);
            // The next idle one brings a place of its own: one of the two is free then.
            self.kept = self.pool.change(|state| {
                let idle = state.hosts.get_mut(&self.host)?.idle.pop()?;
                state.free(&self.host);
                Some(idle.connection)
            });
        }
    }

    /// One more connection was made.
    pub(super) fn count_new(&self) {
        self.pool.made.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives back a connection with nothing on it: its response was read to the end, and nothing came behind it.
    pub(super) fn give_back(mut self, connection: Box<Connection>) {
        self.kept = Some(connection);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.kept.take() {
            Some(connection) => self.pool.keep(&self.host, connection),
            None => self.pool.change(|state| state.free(&self.host)),
        }
    }
}
