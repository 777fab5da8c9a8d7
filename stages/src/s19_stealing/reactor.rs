//! Each worker sleeps in a reactor of its own: the one of stage 10, which other threads may look at now.

// ANCHOR: imports
use super::Shared;
use mio::{Events, Interest, Token, event::Source};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};
// ANCHOR_END: imports

// ANCHOR: reactor
pub(super) struct Reactor {
    /// What waits. Its own worker alone looks in here, so this lock is always free.
    poll: Mutex<(mio::Poll, Events)>,
    /// Tells the system which sockets we wait for.
    registry: mio::Registry,
    /// Ends the worker's sleep, from any thread. A call that comes before the sleep is kept: the token of chapter 5 again.
    told: mio::Waker,
    sockets: Mutex<Sockets>,
}

/// Every socket, by its token. A token is never used again: an event that comes too late finds nobody.
#[derive(Default)]
struct Sockets {
    ways: BTreeMap<usize, [Way; 2]>,
    registered: usize,
}

/// One direction of a socket: what is known of it, and who waits for it.
#[derive(Default)]
struct Way {
    /// How many events have come.
    events: u64,
    /// An operation that began when there were so many was seen to block.
    blocked_at: Option<u64>,
    waker: Option<Waker>,
}

/// The token of `Reactor::told`. Sockets count up from zero.
const TOLD: Token = Token(usize::MAX);

impl Reactor {
    pub(super) fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let told = mio::Waker::new(&registry, TOLD)?;
        Ok(Reactor { poll: Mutex::new((poll, Events::with_capacity(256))), registry, told, sockets: Mutex::default() })
    }

    pub(super) fn call(&self) {
        self.told.wake().expect("the reactor can be told");
    }

    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().expect("nothing that can panic runs under this lock")
    }

    /// Sleeps for so long, unless somebody calls or a socket has something; and wakes whoever waited for that.
    pub(super) fn turn(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut waiting = self.poll.lock().expect("nothing that can panic runs under this lock");
        let (poll, events) = &mut *waiting;
        match poll.poll(events, timeout) {
            // A signal came in: not our business, and no event.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            result => result?,
        }
        let mut wakers = Vec::new();
        let mut sockets = self.sockets();
        for event in &*events {
            let Some(ways) = sockets.ways.get_mut(&event.token().0) else { continue };
            let read = event.is_readable() || event.is_read_closed() || event.is_error();
            let write = event.is_writable() || event.is_write_closed() || event.is_error();
            for (way, ready) in ways.iter_mut().zip([read, write]) {
                if ready {
                    way.events += 1;
                    wakers.extend(way.waker.take());
                }
            }
        }
        drop((sockets, waiting));
        // A waker is anybody's code: not under a lock.
        wakers.into_iter().for_each(Waker::wake);
        Ok(())
    }
}
// ANCHOR_END: reactor

// ANCHOR: watched
/// The directions of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the system to us.
    Read,
    /// From us to the system.
    Write,
}

/// A socket with the waiting added. It must be one of mio's, or another that does not block.
pub struct Watched<S: Source> {
    socket: S,
    token: Token,
    shared: Arc<Shared>,
    /// Whose reactor has it: for life, whoever polls it.
    worker: usize,
}

impl<S: Source> Watched<S> {
    /// Registers the socket with the reactor of the worker that calls this, for both directions and for life.
    ///
    /// # Errors
    /// When the system cannot watch it.
    ///
    /// # Panics
    /// On a thread that is no worker's.
    pub fn new(socket: S) -> io::Result<Self> {
        let (shared, worker) = super::current("a socket");
        let mut sockets = shared.seats[worker].reactor.sockets();
        let token = Token(sockets.registered);
        sockets.registered += 1;
        sockets.ways.insert(token.0, Default::default());
        drop(sockets);
        // From here on its drop undoes what was done.
        let mut watched = Watched { socket, token, shared, worker };
        let registry = &watched.shared.seats[worker].reactor.registry;
        registry.register(&mut watched.socket, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(watched)
    }

    /// The socket itself.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    fn reactor(&self) -> &Reactor {
        &self.shared.seats[self.worker].reactor
    }

    // ANCHOR: poll_with
    /// Tries `operation` unless it is known to block. If it would block, waits: until the system says that something changed.
    ///
    /// # Errors
    /// What `operation` fails with.
    pub fn poll_with<T>(
        &self,
        direction: Direction,
        context: &mut Context<'_>,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let waker = context.waker().clone();
        loop {
            let mut sockets = self.reactor().sockets();
            let ways = sockets.ways.get_mut(&self.token.0).expect("it is there while the socket lives");
            let way = &mut ways[direction as usize];
            let events = way.events;
            if way.blocked_at == Some(events) {
                // The one who asks now is the one who waits.
                let stale = way.waker.replace(waker);
                drop(sockets);
                drop(stale);
                return Poll::Pending;
            }
            drop(sockets);
            match operation(&self.socket) {
                // As far as was known when it began. An event that another thread has seen meanwhile is not forgotten.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Some(ways) = self.reactor().sockets().ways.get_mut(&self.token.0) {
                        ways[direction as usize].blocked_at = Some(events);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }
    // ANCHOR_END: poll_with
}

impl<S: Source> Drop for Watched<S> {
    fn drop(&mut self) {
        // Before the descriptor is closed: its number may belong to another socket at once.
        let reactor = &self.shared.seats[self.worker].reactor;
        let _ = reactor.registry.deregister(&mut self.socket);
        let ways = reactor.sockets().ways.remove(&self.token.0);
        drop(ways);
    }
}
// ANCHOR_END: watched
