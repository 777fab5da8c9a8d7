//! What can be seen of the workers from outside, while they work.

use super::{seat::Counters, shared::Shared};
use crate::{
    debug::{Dump, Metrics, Registry, Seen, Summary, WorkerMetrics},
    task::{AbortHandle, TaskState},
    trace::Outcome,
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

impl Shared {
    /// The tasks that live: those that have waited once, and with a registry all of them.
    pub(crate) fn tasks(&self) -> Dump {
        let mut handles = BTreeMap::new();
        for seat in &self.seats {
            // Cloned under the lock, which runs nobody's code; dropped without it, for that may free a task.
            let waiting: Vec<AbortHandle> = seat.waiting.lock().unwrap().iter().map(|(_, task)| task.clone()).collect();
            handles.extend(waiting.into_iter().map(|task| (task.id(), task)));
        }
        let Some(registry) = &self.registry else {
            let live = handles.values().filter(|task| task.state() != TaskState::Completed);
            return Dump::unrecorded(live.map(Seen::unrecorded).collect());
        };
        let mut seen = registry.look();
        for task in &mut seen {
            if let Some(handle) = handles.get(&task.id()) {
                task.correct_state(handle.state());
            }
        }
        registry.dump(seen)
    }

    pub(crate) fn summary(&self) -> Summary {
        self.registry.as_deref().map(Registry::summary).unwrap_or_default()
    }

    /// Who waits for what, a line each, if there are records of it.
    pub(super) fn describe_waits(&self) -> Option<String> {
        self.registry.as_ref()?;
        let dump = self.tasks();
        let mut lines: Vec<String> = dump.tasks().iter().map(|task| dump.describe(task)).collect();
        lines.extend(dump.find_cycles().iter().map(ToString::to_string));
        lines.extend(dump.find_untaken().iter().map(ToString::to_string));
        Some(lines.iter().map(|line| format!("\n  {line}")).collect())
    }

    pub(super) fn report_leaks(&self) {
        if let Some(registry) = self.registry.as_deref().filter(|registry| registry.warns()) {
            registry.report_leaks(&self.tasks());
        }
    }

    pub(crate) fn print_profile(&self) {
        self.registry.iter().for_each(|registry| registry.print_profile());
    }

    pub(crate) fn metrics(&self) -> Metrics {
        let sum =
            |of: fn(&Counters) -> &AtomicU64| self.seats.iter().map(|seat| of(&seat.counters).load(Relaxed)).sum();
        // What ended before what was spawned: so no more have ended than were spawned.
        let completed: u64 = sum(|counters| &counters.completed);
        let spawned = self.injector.taken_new() + sum(|counters| &counters.spawned);
        let workers = self.seats.iter().map(|seat| WorkerMetrics {
            polls: seat.counters.polls.load(Relaxed),
            steals: seat.counters.steals.load(Relaxed),
            parks: seat.counters.parks.load(Relaxed),
            queued: seat.shelf.len(),
            sources: seat.reactor.registered(),
            timers: seat.time.timers.armed(),
        });
        Metrics {
            workers: workers.collect(),
            spawned,
            completed,
            panicked: sum(|counters| &counters.panicked),
            cancelled: sum(|counters| &counters.cancelled),
            live: spawned.saturating_sub(completed),
            injected: self.injector.len(),
            blocking: self.pool.stats(),
        }
    }
}

impl Counters {
    /// A task of this worker's is over.
    pub(super) fn task_ended(&self, outcome: Outcome) {
        add(&self.completed, 1);
        match outcome {
            Outcome::Ready => {}
            Outcome::Panicked => add(&self.panicked, 1),
            Outcome::Cancelled => add(&self.cancelled, 1),
        }
    }
}

/// For the one thread that writes it.
#[inline]
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}
