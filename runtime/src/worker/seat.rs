//! A worker as the others see it.

use super::{park::ParkState, round::Answer, shared::Simulation};
use crate::{
    queue::{Runnable, Shelf},
    reactor::{Backend, Notify, Poller, Reactor, RuntimeId},
    task::AbortHandle,
    time::{Clock, Time},
};
use crossbeam_queue::SegQueue;
use slab::Slab;
use std::{
    io,
    sync::{Arc, Mutex, atomic::AtomicU64},
    task::{Wake, Waker},
};

/// Instead of the number of a task.
pub(super) const NOTHING: u64 = u64::MAX;

/// What others see of one worker.
pub(super) struct Seat {
    pub(super) shelf: Arc<Shelf>,
    /// What only this worker may run, from elsewhere.
    pub(super) inbox: SegQueue<Runnable>,
    /// The tasks that this worker was the first to see waiting, and that are not over. No queue need hold them.
    pub(super) waiting: Mutex<Slab<AbortHandle>>,
    pub(super) nudger: Arc<Nudger>,
    pub(super) time: Arc<Time>,
    pub(super) reactor: Arc<Reactor>,
    /// Locked by the worker while it waits, so that a neighbour can turn the reactor of one who is stuck elsewhere.
    pub(super) poller: Mutex<Poller>,
    /// Counts turns and polls: a neighbour sees whether the worker gets on. Written by the worker alone.
    pub(super) progress: AtomicU64,
    /// The task that is being polled: for the report of those that would not end.
    pub(super) polling: AtomicU64,
    /// Is a thread at work here, and has it answered the last roll call?
    pub(super) answer: Answer,
    pub(super) counters: Counters,
}

/// What this worker has done so far. Written by it alone, with plain loads and stores.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) spawned: AtomicU64,
    pub(super) completed: AtomicU64,
    pub(super) panicked: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) polls: AtomicU64,
    pub(super) steals: AtomicU64,
    pub(super) parks: AtomicU64,
}

impl Seat {
    pub(super) fn new(
        runtime: RuntimeId,
        backend: Backend,
        clock: &Arc<Clock>,
        simulation: Option<&Simulation>,
    ) -> io::Result<Self> {
        let (poller, registry, notify) = match simulation {
            Some(simulation) => Poller::simulated(&simulation.network),
            None => Poller::new(backend)?,
        };
        let nudger = Arc::new(Nudger { park: ParkState::new(), notify });
        Ok(Self {
            shelf: Arc::default(),
            inbox: SegQueue::new(),
            waiting: Mutex::default(),
            time: Arc::new(Time::new(clock.clone(), Waker::from(nudger.clone()))),
            nudger,
            reactor: Arc::new(Reactor::new(registry, runtime)),
            poller: Mutex::new(poller),
            progress: AtomicU64::new(0),
            polling: AtomicU64::new(NOTHING),
            answer: Answer::new(),
            counters: Counters::default(),
        })
    }
}

/// Gets a worker out of its sleep.
pub(super) struct Nudger {
    park: ParkState,
    notify: Notify,
}

impl Nudger {
    pub(super) fn park(&self) -> &ParkState {
        &self.park
    }

    pub(super) fn nudge(&self) {
        if self.park.nudge() {
            self.notify.notify();
        }
    }
}

impl Wake for Nudger {
    fn wake(self: Arc<Self>) {
        self.nudge();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.nudge();
    }
}
