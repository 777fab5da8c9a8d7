//! How all tasks end: at the end of a `block_on`, and for good when the runtime goes.
//!
//! ```text
//!   worker 0: phase = Closing, nudge all ──> sweep ──> wait until every worker has swept ──> phase = Open again
//!   others:                 at their next turn: sweep ──┘
//! ```
//!
//! A worker **sweeps**: it aborts what its list holds, and runs whatever is in its queue, its inbox and the injector; run
//! while all ends, a task is cancelled. It is done when its list and its queues are empty, and stays so:
//!
//! - a task is listed (it waited once) or it is in a queue (it never waited), or it is both;
//! - what its own tasks spawn while they are dropped lands in its own queue;
//! - what other threads spawn is refused by the injector;
//! - nobody steals.
//!
//! A worker that is stuck in a poll sweeps late, or never. Nobody waits for it longer than `patience`; it is reported, and what
//! it has queued is cancelled in its place.

use super::{
    here::Here,
    seat::NOTHING,
    shared::{Phase, Shared},
    shift::Shift,
};
use crate::{
    queue::{Runnable, Take},
    reactor::Wait,
    task::{AbortHandle, TaskId, contain},
    time::real_now,
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant as Patience},
};

/// A task that would not end, because of a worker that is stuck in a poll.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) id: TaskId,
    /// It is the one that is being polled, and does not return. The others wait for that worker to cancel them.
    pub(crate) stuck: bool,
    /// What is known of it beyond its number; nothing of a task in its first poll.
    pub(crate) task: Option<AbortHandle>,
}

impl Shift<'_> {
    /// Is it time to end all tasks? Then this worker does its part. Asked at every turn.
    pub(super) fn take_part_in_ending(&mut self) {
        if self.seat().answer.owes(self.shared.round.number()) {
            self.sweep();
        }
    }

    /// See the top of the file.
    pub(super) fn sweep(&mut self) {
        let round = self.shared.round.number();
        self.stop_searching();
        while self.sweep_once() && self.shared.phase() != Phase::Open {
            // Somebody else has the last of ours in his hands; he nudges us.
            if self.seat().nudger.park().prepare() {
                self.wait(Wait::Event);
                self.seat().nudger.park().unprepare();
                self.wake_ready(self.here.worker);
            }
        }
        self.seat().answer.has_swept(round);
        self.shared.seats[0].nudger.nudge();
    }

    /// What stands in the queue of a worker that does not come to sweep it must not come up in the next `block_on`.
    fn cancel_queues_of_the_stuck(&mut self, round: usize) {
        let shared = self.shared.clone();
        for seat in shared.seats.iter().filter(|seat| seat.answer.owes(round)) {
            while let Some(task) = self.here.local.steal_from(&seat.shelf, Take::All) {
                self.here.push(Runnable::Task(task));
                self.sweep_once();
            }
        }
    }

    /// `true`: something is left.
    fn sweep_once(&mut self) -> bool {
        self.closing = true;
        // Aborting pushes on queues, and dropping a handle may free a task: not under the lock.
        let waiting: Vec<AbortHandle> =
            self.seat().waiting.lock().unwrap().iter().map(|(_, task)| task.clone()).collect();
        waiting.iter().for_each(AbortHandle::abort);
        drop(waiting);
        loop {
            self.take_bound();
            // A worker that was stuck may come here late: what has come since is not to be ended.
            if self.shared.phase() != Phase::Open {
                self.take_share();
            }
            let mut ran = false;
            while let Some(runnable) = self.here.local.pop() {
                if let Runnable::Task(task) = runnable {
                    self.run_task(task);
                    ran = true;
                }
            }
            if !ran {
                break;
            }
        }
        !self.seat().waiting.lock().unwrap().is_empty()
    }
}

/// The end of a `block_on`: every task is cancelled, on all workers. Waits for them, for as long as `patience` lasts.
pub(super) fn close(shift: &mut Shift<'_>, patience: Duration) {
    let shared = shift.shared.clone();
    shared.enter_phase(Phase::Closing);
    shift.stop_searching();
    let left = wait_for_all(shift, patience);
    if !left.is_empty() {
        eprintln!("runtime: block_on is over, but tasks would not end: {left:?}");
    }
    shared.enter_phase(Phase::Open);
}

/// Waits until every worker that is at work has swept; meanwhile cancels what still comes. Gives what was left.
fn wait_for_all(shift: &mut Shift<'_>, patience: Duration) -> Vec<Left> {
    let shared = shift.shared.clone();
    let give_up = Patience::now().checked_add(patience);
    let round = shared.round.number();
    loop {
        if !shift.sweep_once() {
            shift.seat().answer.has_swept(round);
        }
        if !shared.seats.iter().any(|seat| seat.answer.is_waited_for(round)) {
            return Vec::new();
        }
        let rest = give_up.map(|end| end.saturating_duration_since(Patience::now()));
        if rest == Some(Duration::ZERO) {
            shift.cancel_queues_of_the_stuck(round);
            return left(&shared, round);
        }
        if shift.seat().nudger.park().prepare() {
            shift.wait(rest.map_or(Wait::Event, |rest| Wait::Until(real_now() + rest)));
            shift.seat().nudger.park().unprepare();
            shift.wake_ready(shift.here.worker);
        }
    }
}

fn left(shared: &Shared, round: usize) -> Vec<Left> {
    let mut left = Vec::new();
    for seat in shared.seats.iter().filter(|seat| seat.answer.owes(round)) {
        let polled = Some(seat.polling.load(Relaxed)).filter(|number| *number != NOTHING).map(TaskId);
        let waiting = seat.waiting.lock().unwrap();
        left.extend(waiting.iter().map(|(_, task)| {
            let id = task.id();
            Left { id, stuck: Some(id) == polled, task: Some(task.clone()) }
        }));
        if let Some(id) = polled
            && left.iter().all(|task| task.id != id)
        {
            left.push(Left { id, stuck: true, task: None });
        }
    }
    left.sort_by_key(|task| (!task.stuck, task.id));
    left
}

/// The end of the runtime: whatever is left is cancelled, the workers' threads end, and sources and timers learn that no
/// event will come. Gives the tasks that would not end within `patience`.
pub(crate) fn end(shared: &Arc<Shared>, patience: Duration) -> Vec<Left> {
    shared.enter_phase(Phase::Ended);
    // It may be dropped by one of its own tasks, whose worker sweeps when that task is over.
    let by_own_task = Here::current().is_some_and(|here| Arc::ptr_eq(&here.shared, shared));
    let mut left = Vec::new();
    if !by_own_task {
        let here = Here::new(shared, 0);
        let _here = here.enter();
        let mut shift = Shift::new(&here);
        left = wait_for_all(&mut shift, patience);
    }
    // (The lists of the others may hold that very task: it would wait for itself.)
    if left.is_empty() && !by_own_task {
        shared.join_threads(patience);
    }
    for seat in &shared.seats {
        // Sources and timers that outlive the runtime.
        let wakers = seat.reactor.close().into_iter().chain(seat.time.close());
        wakers.for_each(|waker| contain(|| waker.wake()));
    }
    left
}
