//! Who is at work, who waits, and who is called: the rules of the pool, without its threads.
//!
//! ```text
//!              called                     take a job
//!   SEATED ───────────────> CALLED ──┬──────────────────> AT WORK ──┐
//!     ^  ^                    ^      │ (if fewer are at work        │ back: takes the next at once
//!     │  └── nothing to do ───┼──────┤  than there are cores)       │
//!     │                    started   │                              │
//!     │                              v                              │
//!     └───────────────────────── WATCHES: seated, but not for long ─┘
//! ```
//!
//! - A thread that is not called, not at work and not ended is in `seated`, even if its time is up and it waits for the lock:
//!   it may still be called, and looks whether it was before it leaves.
//! - The last to sit down is the first to be called, so the others grow tired and end.
//! - One is called at a time for what is in the queue, and it calls the next. At most one watches.
//! - As many threads as the machine has cores take jobs as they come. Beyond that, threads come only if the others are stuck:
//!   none came back while somebody watched the queue. Each then comes sooner than the one before it: `n` threads that are
//!   stuck are joined by the next within a millisecond divided by `n`, so that their number grows e-fold in a millisecond.

use crate::{
    std_or_loom::thread::{JoinHandle, Thread, ThreadId},
    task::{Birth, Task},
};
use slab::Slab;
use std::{collections::VecDeque, time::Duration};

pub(super) struct Crew {
    pub(super) queue: VecDeque<Task>,
    seats: Slab<Seat>,
    /// Threads that wait, as they sat down.
    seated: Vec<usize>,
    /// The one of them that watches a queue that others may come back for.
    watching: Option<usize>,
    /// Threads on their way to the jobs in the queue; at least so many are.
    called: usize,
    /// Is a thread being started, and not here yet? Then no other is.
    starting: bool,
    at_work: usize,
    /// How many take jobs as they come.
    at_once: usize,
    /// How often a thread came back from a job.
    pub(super) returned: u64,
    /// What that was when a thread last came because the others were stuck.
    stuck_at: Option<u64>,
    /// Jobs that are queued, that run, or whose handles have not been told yet. Counted under a virtual clock only.
    pub(super) outstanding: usize,
    /// No job comes in any more.
    pub(super) closed: bool,
    /// Told when a thread ends.
    pub(super) waits_for_the_end: Option<Thread>,
    /// The thread that ended last; it waits for the one before it.
    pub(super) last_to_end: Option<JoinHandle<()>>,
}

/// A thread's, from its start to its end.
struct Seat {
    thread: JoinHandle<()>,
    /// What it runs.
    job: Option<Birth>,
}

/// How a thread came to look at the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Somebody called it, or its watch is over and the others do come back.
    Called,
    /// From a job.
    Back,
    /// It watched, and nobody came back.
    Impatient,
    /// It waited for long, and nobody called.
    Tired,
}

impl Crew {
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            seats: Slab::new(),
            seated: Vec::new(),
            watching: None,
            called: 0,
            starting: false,
            at_work: 0,
            at_once,
            returned: 0,
            stuck_at: None,
            outstanding: 0,
            closed: false,
            waits_for_the_end: None,
            last_to_end: None,
        }
    }

    pub(super) fn threads(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn running(&self) -> usize {
        self.at_work
    }

    /// Is there nothing to come for, or somebody who will?
    pub(super) fn is_somebody_coming(&self) -> bool {
        self.queue.is_empty() || self.called > 0 || (self.watching.is_some() && self.at_work >= self.at_once)
    }

    /// May one more thread be started?
    pub(super) fn may_grow(&self, most: usize) -> bool {
        !self.starting && self.threads() < most
    }

    /// Calls the thread that sat down last; the caller unparks it.
    pub(super) fn call_idle(&mut self) -> Option<Thread> {
        let seat = self.seated.pop()?;
        self.stop_watching(seat);
        self.called += 1;
        Some(self.seats[seat].thread.thread().clone())
    }

    /// Calls all that wait.
    pub(super) fn call_all(&mut self) -> Vec<Thread> {
        std::iter::from_fn(|| self.call_idle()).collect()
    }

    /// The seat of the next thread.
    pub(super) fn next_seat(&self) -> usize {
        self.seats.vacant_key()
    }

    /// A thread was started, in the next seat: it counts as called.
    pub(super) fn seat_called(&mut self, thread: JoinHandle<()>) {
        self.seats.insert(Seat { thread, job: None });
        self.called += 1;
        self.starting = true;
    }

    /// The one that was started is here.
    pub(super) fn arrive_first(&mut self) {
        self.starting = false;
        self.arrive();
    }

    /// One that was called is here.
    pub(super) fn arrive(&mut self) {
        self.called = self.called.saturating_sub(1);
    }

    /// The next job for the thread of `seat`, if there is one and it need not hold back.
    pub(super) fn take_job(&mut self, seat: usize, came: Came) -> Option<Task> {
        let holds_back = self.at_work >= self.at_once && matches!(came, Came::Called | Came::Tired);
        if holds_back {
            return None;
        }
        let task = self.queue.pop_front()?;
        if self.queue.is_empty() {
            // Whoever was called for this job may take long to come, on a busy machine. The next job must not wait for that
            // while others are seated.
            self.called = 0;
        }
        if came == Came::Impatient {
            self.stuck_at = Some(self.returned);
        }
        self.at_work += 1;
        self.seats[seat].job = Some(task.birth().clone());
        Some(task)
    }

    pub(super) fn put_job_back(&mut self, seat: usize) {
        self.seats[seat].job = None;
        self.at_work -= 1;
        self.returned += 1;
    }

    /// The thread waits from now on. `true`: not for long, because it watches.
    pub(super) fn sit_down(&mut self, seat: usize) -> bool {
        self.seated.push(seat);
        let watches = self.watching.is_none() && !self.queue.is_empty();
        if watches {
            self.watching = Some(seat);
        }
        watches
    }

    /// How long the watch lasts.
    pub(super) fn patience(&self, longest: Duration) -> Duration {
        let others_are_stuck = self.stuck_at == Some(self.returned);
        let at_work = u32::try_from(self.at_work.max(1)).unwrap_or(u32::MAX);
        if others_are_stuck { longest / at_work } else { longest }
    }

    /// Does it still wait? `false`: it was called.
    pub(super) fn is_seated(&self, seat: usize) -> bool {
        self.seated.contains(&seat)
    }

    /// It gets up by itself.
    pub(super) fn get_up(&mut self, seat: usize) {
        self.seated.retain(|other| *other != seat);
        self.stop_watching(seat);
    }

    fn stop_watching(&mut self, seat: usize) {
        if self.watching == Some(seat) {
            self.watching = None;
        }
    }

    /// The thread ends: tells who waits for that, and returns the one that ended before it.
    pub(super) fn leave(&mut self, seat: usize) -> Option<JoinHandle<()>> {
        let Seat { thread, .. } = self.seats.remove(seat);
        if let Some(waits) = &self.waits_for_the_end {
            waits.unpark();
        }
        self.last_to_end.replace(thread)
    }

    /// How many threads there are beside `own`.
    pub(super) fn others_than(&self, own: ThreadId) -> usize {
        self.seats.iter().filter(|(_, seat)| seat.thread.thread().id() != own).count()
    }

    /// What runs, in the order of its spawn.
    pub(super) fn jobs(&self) -> Vec<Birth> {
        let mut jobs: Vec<Birth> = self.seats.iter().filter_map(|(_, seat)| seat.job.clone()).collect();
        jobs.sort_by_key(|birth| birth.id);
        jobs
    }
}
