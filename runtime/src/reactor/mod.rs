//! The reactor: which sources wait for what, and how the worker sleeps until one of them is ready.
//!
//! ```text
//!   AsyncFd ──register──> Reactor (sources by token) <──events── Poller (mio: epoll)
//!      │                      │                                     ^
//!      └── Source: readiness, │ wakers, in a batch                  │ wait, with the next deadline
//!          one waker each way └──────────────> worker ──────────────┘
//! ```
//!
//! - A source remembers that it is ready until an operation sees `WouldBlock` (or comes back short, which says the same).
//! - Each direction has its own waker and its own tick: a reader and a writer do not disturb each other.
//! - A token is a slot and a generation: an event for a former owner of the slot finds nobody.
//! - Wakers leave the lock in a batch and are woken outside, first come first woken.
//! - A source is registered with one reactor for life. Any worker of the same runtime may wait for it; another runtime may
//!   not, for nobody would turn the reactor there.
//!
//! Locks: the list of sources, then one source, then nothing. A registration may come and go, and any thread may wait, while
//! the worker hands out events.

mod async_fd;
mod pollable;
mod poller;
mod source;

#[cfg(all(test, runtime_loom))]
mod loom_models;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

pub use async_fd::AsyncFd;
pub use poller::Backend;

pub(crate) use poller::{Notify, PollEvent, Poller, Registry, Wait};

use crate::{
    awaits::{self, Note},
    current::{self, Slot},
    std_or_loom::{AtomicUsize, Mutex, Ordering},
};
use poller::{Interest, Token, Watched};
use slab::Slab;
use source::{Direction, Source, Tick, Unknown, Waiting};
use std::{
    cell::RefCell,
    io,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// The sources of one worker. Shared with every `AsyncFd` that waits here.
#[derive(Debug)]
pub(crate) struct Reactor {
    registry: Registry,
    /// Whose worker it belongs to.
    runtime: RuntimeId,
    sources: Mutex<Sources>,
    /// How many wakers wait in these sources.
    waits: Arc<AtomicUsize>,
}

/// Tells runtimes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeId(u64);

impl RuntimeId {
    /// One that no other runtime has.
    pub(crate) fn fresh() -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Debug, Default)]
struct Sources {
    slots: Slab<(u32, Arc<Source>)>,
    /// Counts up with each registration: no two owners of a slot share one (before 2³² registrations).
    generation: u32,
    closed: bool,
}

thread_local! {
    static CURRENT: Slot<Arc<Reactor>> = const { RefCell::new(None) };
}

/// One event as the worker sees it: for the trace.
pub(crate) struct Seen {
    pub(crate) source: usize,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Sources {
    /// A place for a new source; none once the reactor is closed.
    fn add(&mut self, asked: Interest, waits: &Arc<AtomicUsize>) -> io::Result<(Token, Arc<Source>)> {
        if self.closed {
            return Err(source::closed());
        }
        self.generation = self.generation.wrapping_add(1);
        let source = Arc::new(Source::new(asked, waits.clone()));
        let slot = self.slots.insert((self.generation, source.clone()));
        Ok((Token { slot, generation: self.generation }, source))
    }

    /// The source that the token names, unless its place has been given to another.
    fn get(&self, token: Token) -> Option<&Source> {
        let (generation, source) = self.slots.get(token.slot)?;
        (*generation == token.generation).then_some(source)
    }

    fn close(&mut self, wakers: &mut Vec<Waker>) {
        self.closed = true;
        self.slots.iter().for_each(|(_, (_, source))| source.close(wakers));
    }
}

impl Reactor {
    /// The reactor of a worker of `runtime`.
    pub(crate) fn new(registry: Registry, runtime: RuntimeId) -> Self {
        Self { registry, runtime, sources: Mutex::default(), waits: Arc::default() }
    }

    /// Makes this the reactor of the current thread.
    pub(crate) fn enter(self: &Arc<Self>) -> current::Entered<Arc<Reactor>> {
        current::enter(&CURRENT, self.clone())
    }

    fn current() -> Option<Arc<Reactor>> {
        current::get(&CURRENT)
    }

    /// Who first waits to read asks only for that: nearly every source is ready to be written to, and would say so at once.
    /// Who first waits to write has a connection in the making, or a peer that is slow to read; it will want both.
    fn register(self: &Arc<Self>, watched: Watched<'_>, direction: Direction) -> io::Result<Registration> {
        let interest = match direction {
            Direction::Read => Interest::READ,
            Direction::Write => Interest::BOTH,
        };
        let (token, source) = self.sources.lock().unwrap().add(interest, &self.waits)?;
        // Dropping the registration undoes what was done, should the system refuse.
        let registration = Registration { reactor: self.clone(), token, source };
        self.registry.register(watched, token, interest)?;
        Ok(registration)
    }

    /// Notes the events that a poller came back with; puts the wakers of those who waited into `wakers`, in the order of the
    /// events.
    pub(crate) fn take_events(&self, events: &mut Vec<PollEvent>, wakers: &mut Vec<Waker>, mut seen: impl FnMut(Seen)) {
        let sources = self.sources.lock().unwrap();
        for event in events.drain(..) {
            let Some(source) = sources.get(event.token) else { continue };
            seen(Seen { source: event.token.slot, read: event.read, write: event.write });
            source.ready(&event, wakers);
        }
    }

    /// Does anybody wait for a source here?
    pub(crate) fn has_waiters(&self) -> bool {
        self.waits.load(Ordering::Relaxed) > 0
    }

    /// Who is waited for, a line each, as far as the poller can tell.
    pub(crate) fn describe_waits(&self) -> String {
        let sources = self.sources.lock().unwrap();
        let lines = sources.slots.iter().filter_map(|(slot, (generation, source))| {
            let waiters = source.waiters();
            let token = Token { slot, generation: *generation };
            waiters.contains(&true).then(|| self.registry.describe(token, waiters)).flatten()
        });
        lines.map(|line| format!("\n  {line}")).collect()
    }

    /// How many sources are registered.
    pub(crate) fn registered(&self) -> usize {
        self.sources.lock().unwrap().slots.len()
    }

    /// The end: every source fails from now on, and whoever waits is told.
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        self.sources.lock().unwrap().close(&mut wakers);
        wakers
    }
}

/// A source's place in a reactor. Dropping it gives the place back; the descriptor must be deregistered before it is closed.
#[derive(Debug)]
struct Registration {
    reactor: Arc<Reactor>,
    token: Token,
    source: Arc<Source>,
}

impl Registration {
    /// Ready with the tick to clear, or pending; then the caller is woken when it may be ready.
    #[inline]
    fn poll_ready(
        &self,
        watched: Watched<'_>,
        direction: Direction,
        unknown: Unknown,
        context: &mut Context<'_>,
        waiting: &mut Waiting,
    ) -> Poll<io::Result<Tick>> {
        let Reactor { registry, runtime, .. } = &*self.reactor;
        let ask = |interest| registry.rearm(watched, self.token, interest);
        let polled = self.source.poll_ready(direction, unknown, context, waiting, ask);
        if polled.is_pending() && current::with(&CURRENT, |here| here.runtime != *runtime) == Some(true) {
            // That runtime may be at rest, for ever. Outside any runtime it is the caller who knows what turns.
            self.source.leave(direction, waiting);
            return Poll::Ready(Err(io::Error::other("this source waits in another runtime: await it there")));
        }
        if polled.is_pending() {
            awaits::note(|| Note::Source { source: self.token.slot, write: direction == Direction::Write });
        }
        polled
    }

    fn deregister(&self, watched: Watched<'_>) {
        // It fails if the descriptor was closed behind our back: then there is nothing to undo.
        let _ = self.reactor.registry.deregister(watched);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let removed = self.reactor.sources.lock().unwrap().slots.try_remove(self.token.slot);
        // Outside the lock: it may hold wakers.
        drop(removed);
    }
}
