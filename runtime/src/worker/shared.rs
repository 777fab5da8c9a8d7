//! What the workers of a runtime share. Most of it is in the [`Seat`] of one worker, so that workers do not write each other's
//! cache lines.

use super::{Plan, heed::Heeding, idle::Idle, round::Round, seat::Seat};
use crate::{
    blocking::Pool,
    debug::Registry,
    network::Network,
    queue::{Injector, Runnable},
    random::Pick,
    reactor::RuntimeId,
    task::{Birth, Listed, TaskId},
    time::{Clock, Instant},
    trace::{self, Cause, Kind, Recorder},
};
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
    thread,
    time::Duration,
};

/// What the workers of a runtime share with each other, with their tasks and with the handles on other threads.
pub(crate) struct Shared {
    pub(super) seats: Box<[Seat]>,
    pub(super) injector: Injector,
    pub(super) idle: Idle,
    /// How many sleep with one eye open: they look after the others every so often.
    pub(super) watchers: AtomicUsize,
    pub(crate) clock: Arc<Clock>,
    /// How much later than its deadline a timer may fire, so that one getting up serves several.
    pub(super) timer_slack: Duration,
    pub(super) slow_poll: Option<Duration>,
    recorder: Option<Recorder>,
    /// The records of the tasks, if the runtime is debugged.
    pub(super) registry: Option<Arc<Registry>>,
    /// Is there one of the two, to hear what happens?
    pub(super) is_watched: bool,
    pub(crate) pool: Arc<Pool>,
    pub(super) next_task: AtomicU64,
    /// The tasks that clean up when they are asked to end.
    pub(super) heeding: Arc<Heeding>,
    phase: AtomicU8,
    /// How often it was said that all tasks must end.
    pub(super) round: Round,
    threads: Mutex<Threads>,
    thread_ended: Condvar,
    /// What a simulated runtime has instead of the world outside, and instead of first come, first served.
    pub(crate) simulation: Option<Simulation>,
}

/// What makes a runtime simulated.
pub(crate) struct Simulation {
    pub(crate) network: Arc<Network>,
    pub(crate) pick: Arc<Pick>,
}

/// The threads of the workers but the first.
#[derive(Default)]
struct Threads {
    handles: Vec<thread::JoinHandle<()>>,
    ended: usize,
}

/// What becomes of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// They run.
    Open,
    /// A `block_on` is over: whatever is left or comes is cancelled.
    Closing,
    /// There are no workers any more: what is spawned is cancelled on the spot.
    Ended,
}

impl Shared {
    /// `pool` makes the pool for blocking jobs, given what gets the worker up.
    pub(super) fn new(plan: Plan, pool: impl FnOnce(Waker) -> Arc<Pool>) -> io::Result<Arc<Self>> {
        let Plan { workers, backend, clock, timer_slack, slow_poll, recorder, registry, simulation } = plan;
        let clock = Arc::new(clock);
        let registry = registry.map(|keeps| Arc::new(Registry::new(clock.clone(), keeps)));
        let id = RuntimeId::fresh();
        let seat = |_| Seat::new(id, backend, &clock, simulation.as_ref());
        let seats: Box<[Seat]> = (0..workers).map(seat).collect::<io::Result<_>>()?;
        let nudge = Waker::from(seats[0].nudger.clone());
        Ok(Arc::new(Self {
            seats,
            injector: Injector::default(),
            idle: Idle::new(workers),
            watchers: AtomicUsize::new(0),
            clock,
            timer_slack,
            slow_poll,
            is_watched: recorder.is_some() || registry.is_some(),
            recorder,
            registry,
            pool: pool(nudge),
            next_task: AtomicU64::new(TaskId::MAIN.0 + 1),
            heeding: Arc::default(),
            phase: AtomicU8::new(Phase::Open as u8),
            round: Round::new(),
            threads: Mutex::default(),
            thread_ended: Condvar::new(),
            simulation,
        }))
    }

    /// Is there but one worker? Then nobody steals, and nobody is woken but that one.
    pub(super) fn is_single(&self) -> bool {
        self.seats.len() == 1
    }

    /// A number for a new task.
    pub(crate) fn next_id(&self) -> TaskId {
        TaskId(self.next_task.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn trace_spawn(&self, birth: &Birth, by: Cause) {
        if let Some(registry) = &self.registry {
            registry.born(birth, by);
        }
        self.trace(|| Kind::Spawn { task: birth.id, name: birth.name.as_deref().cloned(), by });
    }

    /// Records an event, if anybody wants to know.
    #[inline]
    pub(crate) fn trace(&self, kind: impl FnOnce() -> Kind) {
        if self.is_watched || trace::is_heard() {
            self.record(kind());
        }
    }

    #[cold]
    fn record(&self, kind: Kind) {
        let worker = self.here(|here| here.worker);
        trace::tell(worker, &kind);
        if let Some(registry) = &self.registry {
            registry.hear(&kind);
        }
        if let Some(recorder) = &self.recorder {
            recorder.record(self.since_start(self.clock.now()), worker, kind);
        }
    }

    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    pub(super) fn since_start(&self, instant: Instant) -> Duration {
        self.clock.since_start(instant)
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Open,
            1 => Phase::Closing,
            _ => Phase::Ended,
        }
    }

    /// From now on tasks have another fate. Whatever was spawned before this is in a queue or in a list.
    pub(super) fn enter_phase(&self, phase: Phase) {
        if self.phase() == Phase::Ended {
            return;
        }
        // In an order in which whatever the injector takes is taken in a phase that runs it, or ends it.
        if phase != Phase::Open {
            self.injector.set_open(false);
        }
        self.phase.store(phase as u8, Ordering::Release);
        if phase == Phase::Open {
            self.injector.set_open(true);
        } else {
            self.round.call();
        }
        // Also when it is over: somebody may wait in vain for the last of its tasks.
        self.seats.iter().for_each(|seat| seat.nudger.nudge());
    }

    /// A worker is woken, if there is one asleep and none that searches.
    pub(super) fn wake_one(&self) {
        if let Some(worker) = self.idle.wake_one() {
            self.seats[worker].nudger.nudge();
        }
    }

    /// Some sleep so deep that they do not look after anybody: one of them is to sleep lighter.
    pub(super) fn wake_a_watcher(&self) {
        if let Some(worker) = self.idle.a_sleeper() {
            self.seats[worker].nudger.nudge();
        }
    }

    pub(super) fn work_came_from_outside(&self) {
        // While all ends, nobody searches; any that still sweeps sees to what comes.
        if self.is_single() || self.phase() != Phase::Open {
            self.seats.iter().for_each(|seat| seat.nudger.nudge());
        } else {
            self.wake_one();
        }
    }

    pub(super) fn a_thread_started(&self, thread: thread::JoinHandle<()>) {
        self.threads.lock().unwrap().handles.push(thread);
    }

    pub(super) fn a_thread_ended(&self) {
        self.threads.lock().unwrap().ended += 1;
        self.thread_ended.notify_all();
    }

    /// Waits until every thread but the caller's own is gone, for `patience` at most.
    pub(super) fn join_threads(&self, patience: Duration) {
        let threads = self.threads.lock().unwrap();
        let own = usize::from(threads.handles.iter().any(|thread| thread.thread().id() == thread::current().id()));
        let all_but_own = |threads: &mut Threads| threads.ended + own < threads.handles.len();
        let (mut threads, timeout) = self.thread_ended.wait_timeout_while(threads, patience, all_but_own).unwrap();
        if !timeout.timed_out() && own == 0 {
            let handles = std::mem::take(&mut threads.handles);
            drop(threads);
            // Each is past its last task, and returns without another wait.
            handles.into_iter().for_each(|thread| drop(thread.join()));
        }
    }

    /// Could a worker that looks for work find any?
    pub(super) fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.seats.iter().any(|seat| !seat.shelf.has_nothing_to_steal())
    }

    /// Puts something on the queue of the worker that alone may run it.
    pub(super) fn push_bound(&self, worker: usize, runnable: Runnable) {
        let mut runnable = Some(runnable);
        self.here(|here| {
            if here.worker == worker
                && let Some(runnable) = runnable.take()
            {
                here.push(runnable);
            }
        });
        if let Some(runnable) = runnable {
            // Push, then nudge: the worker that is about to sleep either sees the one or the other.
            self.seats[worker].inbox.push(runnable);
            self.seats[worker].nudger.nudge();
        }
    }

    /// A task that waited is over.
    pub(super) fn unlist(&self, listed: Listed) {
        let seat = &self.seats[listed.worker as usize];
        let over = seat.waiting.lock().unwrap().remove(listed.place as usize);
        drop(over);
        // Its worker may be asleep until its list is empty.
        if self.phase() != Phase::Open {
            seat.nudger.nudge();
        }
    }
}
