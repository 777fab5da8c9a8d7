//! Nothing to run, on a virtual clock: when may time jump, and when is nothing left that could ever happen?
//!
//! (A virtual clock has but one worker.)

use super::{shared::Simulation, shift::Shift};
use crate::{
    reactor::Wait,
    task::{AbortHandle, contain},
    time::{Instant, VirtualClock, real_now},
    trace::{Cause, Kind},
};
use std::{iter, time::Duration};

/// How long, in real time, a virtual clock waits for the outside world before it jumps, if a source is being waited for.
/// On loopback an answer is there at once; this is for a slow machine.
const GRACE: Duration = Duration::from_millis(10);

impl Shift<'_> {
    /// Nothing can run: what is ready outside comes first, then jobs on other threads, and only then does time jump.
    /// (A virtual clock has but one worker.)
    pub(super) fn idle_on_virtual_clock(&mut self, clock: &VirtualClock) {
        // Asked before the look at the queues: a job that is back by now has put whoever waited for it there.
        let jobs_outside = self.shared.pool.is_busy();
        self.poll_reactor();
        self.take_what_came();
        if !self.here.local.is_empty() {
            return;
        }
        if jobs_outside {
            return self.park(None);
        }
        let waits_outside = self.seat().reactor.has_waiters();
        if clock.next_stop(self.next_deadline()).is_none() {
            assert!(waits_outside, "{}", self.deadlock(clock));
            return self.park(None);
        }
        if waits_outside {
            if !self.seat().nudger.park().prepare() {
                // Somebody has just brought something: look at that first.
                return;
            }
            self.wait(Wait::Until(real_now() + GRACE));
            self.seat().nudger.park().unprepare();
            self.wake_ready(self.here.worker);
            self.take_what_came();
        }
        // Asked again: another thread may have armed a timer meanwhile.
        let deadline = self.next_deadline();
        if let Some(stop) = clock.next_stop(deadline).filter(|_| self.here.local.is_empty()) {
            self.jump(clock, deadline, stop);
        }
    }

    /// Nothing can run: what has happened by now comes first, and only if that is nothing does time jump, to whatever comes
    /// next. There is no world outside to wait for.
    pub(super) fn idle_in_simulation(&mut self, clock: &VirtualClock) {
        self.poll_reactor();
        if !self.here.local.is_empty() {
            return;
        }
        let arrival = self.seat().poller.lock().unwrap().next_event();
        let coming = self.next_deadline().into_iter().chain(arrival).min();
        let stop = clock.next_stop(coming).unwrap_or_else(|| panic!("{}", self.deadlock(clock)));
        self.jump(clock, coming, stop);
        self.seat().poller.lock().unwrap().advance_to(clock.now());
        self.poll_reactor();
    }

    /// Time passes: to `stop`, which is what comes next, or what somebody who moves the clock wants to see before it.
    pub(super) fn jump(&self, clock: &VirtualClock, coming: Option<Instant>, stop: Instant) {
        self.shared.trace(|| Kind::Park { until: Some(self.shared.since_start(stop)) });
        let arrived = clock.jump(coming);
        self.shared.trace(|| Kind::Unpark);
        self.here.doing.set(Cause::Timers);
        arrived.into_iter().for_each(|waker| contain(|| waker.wake()));
        self.here.doing.set(Cause::Runtime);
    }

    pub(super) fn deadlock(&self, clock: &VirtualClock) -> String {
        let waiting = self.waiting();
        let timers = if clock.is_paused() {
            "the virtual clock is paused (advance it, or resume it)"
        } else {
            "no timer is armed"
        };
        let Some(Simulation { network, .. }) = &self.shared.simulation else {
            return format!("deadlock: nothing is runnable, {timers} and no source is waited for. Waiting:{waiting}");
        };
        let (seed, waits) = (network.seed(), self.seat().reactor.describe_waits());
        let sockets = if waits.is_empty() { String::new() } else { format!("\nSockets:{waits}") };
        format!(
            "deadlock: nothing is runnable, {timers} and nothing is under way in the network. \
             Waiting:{waiting}{sockets}\nSeed: {seed}"
        )
    }

    /// Who waits, a line each; and with a registry, for what, and who waits for whom.
    fn waiting(&self) -> String {
        if let Some(waiting) = self.shared.describe_waits() {
            return waiting;
        }
        let waiting = self.seat().waiting.lock().unwrap();
        let mut waiting: Vec<&AbortHandle> = waiting.iter().map(|(_, task)| task).collect();
        waiting.sort_by_key(|task| task.id());
        iter::once("\n  main".to_owned()).chain(waiting.iter().map(|task| format!("\n  {task:?}"))).collect()
    }
}
