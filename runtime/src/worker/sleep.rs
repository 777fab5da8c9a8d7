//! Nothing to run: look for work, sleep, and with one eye open look after those who may be stuck.

use super::{look::add, shift::Shift};
use crate::{
    queue::{Runnable, Take},
    reactor::Wait,
    task::Task,
    time::Instant,
    trace::Kind,
};
use std::{
    sync::atomic::Ordering::{AcqRel, Acquire, Relaxed},
    time::Duration,
};

/// How often, among all who sleep, somebody looks after those who work.
const WATCH: Duration = Duration::from_millis(10);

/// How many watch at most. They take turns: the more there are, the longer each sleeps.
const WATCHERS: usize = 2;

/// How many such looks are taken after the last worker fell asleep. Then nobody gets up any more until something happens.
const LAST_LOOKS: u32 = 10;

impl Shift<'_> {
    /// The queue is empty. Looks for work elsewhere; sleeps if there is none.
    pub(super) fn search_or_sleep(&mut self) {
        let idle = &self.shared.idle;
        if !self.closing && !self.searching {
            self.searching = idle.begin_search();
        }
        if self.searching
            && let Some(task) = self.steal(Take::Half)
        {
            self.stop_searching();
            return self.here.push(Runnable::Task(task));
        }
        if !self.seat().nudger.park().prepare() {
            // Somebody has just brought something: look at that first.
            self.stop_searching();
            return self.poll_reactor();
        }
        let last = idle.fall_asleep(self.here.worker, std::mem::take(&mut self.searching));
        // The second look: see `idle`.
        if last && !self.closing && self.shared.has_work() {
            self.seat().nudger.park().unprepare();
            self.searching = self.shared.idle.get_up(self.here.worker);
            return;
        }
        self.sleep();
    }

    /// A worker that was searching and goes to work lets another search on, if there is more to be found.
    pub(super) fn stop_searching(&mut self) {
        if std::mem::take(&mut self.searching) && self.shared.idle.end_search() && self.shared.has_work() {
            self.shared.wake_one();
        }
    }

    /// A task out of another worker's queue, or of the injector.
    pub(super) fn steal(&self, take: Take) -> Option<Task> {
        let (seats, me) = (&self.shared.seats, self.here.worker);
        // Each worker begins with another victim.
        for from in (1..seats.len()).map(|distance| (me + distance) % seats.len()) {
            if let Some(task) = self.here.local.steal_from(&seats[from].shelf, take) {
                self.shared.trace(|| Kind::Steal { task: task.birth().id, from });
                add(&self.seat().counters.steals, 1);
                return Some(task);
            }
        }
        None
    }

    /// Asleep among others, who may be awake: with one eye open, then.
    pub(super) fn sleep(&mut self) {
        let deadline = self.next_deadline();
        let asleep = self.shared.idle.sleeping();
        let all_asleep = self.shared.seats.iter().filter(|seat| seat.answer.is_present()).count() <= asleep;
        self.looks = if all_asleep { self.looks + 1 } else { 0 };
        let watchers = self.shared.watchers.load(Acquire);
        let watches = watchers < WATCHERS && (self.looks <= LAST_LOOKS || self.has_orphan());
        let watch = watches.then(|| self.shared.clock.now() + WATCH * (watchers as u32 + 1));
        if watches {
            self.shared.watchers.fetch_add(1, AcqRel);
        }
        let until = deadline.into_iter().chain(watch).min();
        self.shared.trace(|| Kind::Park { until: until.map(|until| self.shared.since_start(until)) });
        add(&self.seat().counters.parks, 1);
        self.wait(until.map_or(Wait::Event, |until| self.with_slack(until)));
        self.shared.trace(|| Kind::Unpark);
        self.seat().nudger.park().unprepare();
        if watches {
            self.shared.watchers.fetch_sub(1, AcqRel);
        }
        self.searching = self.shared.idle.get_up(self.here.worker);
        self.wake_ready(self.here.worker);
        if watches {
            self.look_after_the_stuck();
        }
    }

    /// There is something to do, and this worker may get stuck in it: others may search, and if none that sleeps has an eye open,
    /// one should.
    pub(super) fn go_to_work(&mut self) {
        self.stop_searching();
        self.looks = 0;
        if self.shared.watchers.load(Acquire) == 0 {
            self.shared.wake_a_watcher();
        }
    }

    /// Is there a seat that nobody works at, and something to be waited for there? Worker 0's, between two `block_on`s.
    pub(super) fn has_orphan(&self) -> bool {
        let first = &self.shared.seats[0];
        !first.answer.is_present() && (first.reactor.has_waiters() || first.time.timers.are_armed())
    }

    /// Does what a worker that makes no progress would have done besides: its queue, its events, its timers.
    pub(super) fn look_after_the_stuck(&mut self) {
        let shared = self.shared.clone();
        for (worker, seat) in shared.seats.iter().enumerate() {
            let progress = seat.progress.load(Relaxed);
            let stuck = std::mem::replace(&mut self.progress[worker], progress) == progress;
            if worker == self.here.worker || !stuck || seat.nudger.park().is_parked() {
                continue;
            }
            if let Some(task) = self.here.local.steal_from(&seat.shelf, Take::All) {
                shared.trace(|| Kind::Steal { task: task.birth().id, from: worker });
                add(&self.seat().counters.steals, 1);
                // Where siblings can find it: this worker may get stuck in another.
                self.here.local.push_back(task, &shared.injector);
            }
            if let Ok(mut poller) = seat.poller.try_lock()
                && poller.wait(Wait::Now, &mut self.events).is_ok()
            {
                drop(poller);
                self.wake_ready(worker);
            }
            self.fire_timers_of(worker);
        }
        self.here.share();
    }

    /// When to get up for a deadline: a little later, if the program allows it, for what falls due meanwhile.
    pub(super) fn with_slack(&self, deadline: Instant) -> Wait {
        Wait::Until(deadline + self.shared.timer_slack)
    }

    /// Sleeps in the reactor until an event, a nudge or the deadline.
    pub(super) fn park(&mut self, deadline: Option<Instant>) {
        if deadline.is_some_and(|deadline| deadline <= self.shared.clock.now()) || !self.seat().nudger.park().prepare()
        {
            return self.poll_reactor();
        }
        self.shared.trace(|| Kind::Park { until: deadline.map(|deadline| self.shared.since_start(deadline)) });
        add(&self.seat().counters.parks, 1);
        self.wait(deadline.map_or(Wait::Event, |deadline| self.with_slack(deadline)));
        self.seat().nudger.park().unprepare();
        self.shared.trace(|| Kind::Unpark);
        self.wake_ready(self.here.worker);
    }
}
