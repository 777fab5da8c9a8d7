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

mod async_fd;
mod pollable;
mod poller;
mod source;

pub use async_fd::AsyncFd;

pub(crate) use poller::{Notify, PollEvent, Poller, Registry};

use crate::current::{self, Slot};
use poller::{Token, Watched};
use slab::Slab;
use source::Source;
use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex},
    task::Waker,
};

/// The sources of one worker. Shared with every `AsyncFd` that waits here.
#[derive(Debug)]
pub(crate) struct Reactor {
    registry: Registry,
    sources: Mutex<Sources>,
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

impl Reactor {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, sources: Mutex::default() }
    }

    /// Makes this the reactor of the current thread.
    pub(crate) fn enter(self: &Arc<Self>) -> current::Entered<Arc<Reactor>> {
        current::enter(&CURRENT, self.clone())
    }

    fn current() -> Option<Arc<Reactor>> {
        current::get(&CURRENT)
    }

    fn register(self: &Arc<Self>, watched: Watched<'_>) -> io::Result<Registration> {
        let (token, source) = {
            let mut sources = self.sources.lock().unwrap();
            if sources.closed {
                return Err(source::closed());
            }
            sources.generation = sources.generation.wrapping_add(1);
            let source = Arc::new(Source::default());
            let generation = sources.generation;
            let slot = sources.slots.insert((generation, source.clone()));
            (Token { slot, generation }, source)
        };
        // Dropping the registration undoes what was done, should the system refuse.
        let registration = Registration { reactor: self.clone(), token, source };
        self.registry.register(watched, token)?;
        Ok(registration)
    }

    /// Notes the events that a poller came back with; puts the wakers of those who waited into `wakers`, in the order of the
    /// events.
    pub(crate) fn take_events(&self, events: &mut Vec<PollEvent>, wakers: &mut Vec<Waker>, mut seen: impl FnMut(Seen)) {
        let sources = self.sources.lock().unwrap();
        for event in events.drain(..) {
            let Some((_, source)) =
                sources.slots.get(event.token.slot).filter(|(generation, _)| *generation == event.token.generation)
            else {
                continue;
            };
            seen(Seen { source: event.token.slot, read: event.read, write: event.write });
            source.ready(&event, wakers);
        }
    }

    /// Does anybody wait for a source here?
    pub(crate) fn has_waiters(&self) -> bool {
        self.sources.lock().unwrap().slots.iter().any(|(_, (_, source))| source.has_waiter())
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

    /// The end: every source fails from now on, and whoever waits is told.
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let mut sources = self.sources.lock().unwrap();
        sources.closed = true;
        sources.slots.iter().for_each(|(_, (_, source))| source.close(&mut wakers));
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
