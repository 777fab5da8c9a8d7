//! The worker: one thread that runs tasks, turns the reactor, fires timers, and sleeps when there is nothing to do.
//!
//! ```text
//!        ┌──> run a batch: Local queue, first in, first out ──┐
//!        │                                                    v
//!   empty the injector <── fire timers <── wake the ready <── turn the reactor
//!                                                             (asleep in it, if nothing is runnable)
//! ```
//!
//! - After a batch of at most [`BATCH`] polls the reactor and the timers have their turn, however much is runnable.
//! - No queue and no lock is held while user code runs: polls, wakes, drops.
//! - When all is idle the worker sleeps in the reactor without a timeout: no CPU.
//! - After [`Worker::run`] returns, no task of the runtime is left.

mod park;
mod shared;

#[cfg(all(test, runtime_loom))]
mod loom_models;

pub(crate) use shared::Shared;

use crate::{
    blocking::Pool,
    queue::Runnable,
    reactor::{PollEvent, Poller, Seen},
    task::{AbortHandle, Birth, Ran, Task, TaskId, contain},
    time::{Clock, Due, Instant},
    trace::{Cause, Kind, Outcome, Recorder},
};
use shared::{Here, MainWaker, Phase};
use std::{
    future::Future,
    io,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// How many polls may pass between two turns of the reactor.
const BATCH: usize = 64;

/// How long, in real time, a virtual clock waits for the outside world before it jumps, if a source is being waited for.
/// On loopback an answer is there at once; this is for a slow machine.
const GRACE: Duration = Duration::from_millis(10);

/// The worker at rest: what its thread needs to run it.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    poller: Poller,
}

impl Worker {
    /// `pool` makes the pool for blocking jobs, given what gets the worker up.
    pub(crate) fn new(
        clock: Clock,
        recorder: Option<Recorder>,
        pool: impl FnOnce(Waker) -> Arc<Pool>,
    ) -> io::Result<(Self, Arc<Shared>)> {
        let (poller, registry, notify) = Poller::new()?;
        let shared = Shared::new(clock, recorder, pool, registry, notify);
        Ok((Self { shared: shared.clone(), poller }, shared))
    }

    /// Runs until `main` is ready; then cancels whatever is left.
    pub(crate) fn run<F: Future>(&mut self, main: F) -> F::Output {
        let here = Here::new(&self.shared);
        let _here = here.enter();
        let mut shift =
            Shift { here: &here, poller: &mut self.poller, events: Vec::new(), wakers: Vec::new(), due: Vec::new() };
        let output = panic::catch_unwind(AssertUnwindSafe(|| shift.run_main(main)));
        shift.finish();
        output.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }
}

/// The worker at work, for the length of one `block_on`.
struct Shift<'worker> {
    here: &'worker Here,
    poller: &'worker mut Poller,
    /// Events and wakers on their way out of the reactor, timers on their way out of the wheel; kept for their capacity.
    events: Vec<PollEvent>,
    wakers: Vec<Waker>,
    due: Vec<Due>,
}

impl Shift<'_> {
    fn run_main<F: Future>(&mut self, main: F) -> F::Output {
        let mut main = std::pin::pin!(main);
        let main_waker = MainWaker::new(&self.here.shared);
        let waker = Waker::from(main_waker.clone());
        self.here.queue.push(Runnable::Main);
        loop {
            for _ in 0..BATCH {
                match self.here.queue.pop() {
                    Some(Runnable::Task(task)) => self.run_task(task),
                    Some(Runnable::Main) => {
                        main_waker.poll_begins();
                        if let Poll::Ready(output) = self.poll_main(main.as_mut(), &waker) {
                            return output;
                        }
                    }
                    None => break,
                }
            }
            self.turn();
        }
    }

    fn poll_main<F: Future>(&self, main: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
        let Here { shared, doing, .. } = self.here;
        let task = TaskId::MAIN;
        shared.trace(|| Kind::Poll { task });
        doing.set(Cause::Task(task));
        let polled = main.poll(&mut Context::from_waker(waker));
        doing.set(Cause::Runtime);
        shared.trace(|| match polled {
            Poll::Ready(_) => Kind::Done { task, outcome: Outcome::Ready },
            Poll::Pending => Kind::Pending { task },
        });
        polled
    }

    fn run_task(&self, runnable: Task) {
        let Here { shared, doing, queue } = self.here;
        let Birth { id: task, listed_as, .. } = *runnable.birth();
        shared.trace(|| Kind::Poll { task });
        doing.set(Cause::Task(task));
        let ran = runnable.run();
        doing.set(Cause::Runtime);
        match ran {
            Ran::Idle => shared.trace(|| Kind::Pending { task }),
            Ran::Again(again) => {
                shared.trace(|| Kind::Pending { task });
                queue.push(Runnable::Task(again));
            }
            Ran::Done(outcome) => {
                let over = shared.tasks.lock().unwrap().live.remove(listed_as);
                drop(over);
                shared.trace(|| Kind::Done { task, outcome });
            }
        }
    }

    /// One look at the world outside: readiness, timers, other threads. Sleeps only if nothing can run.
    fn turn(&mut self) {
        self.empty_injector();
        if !self.here.queue.is_empty() {
            self.poll_reactor();
        } else if self.here.shared.time.clock.is_virtual() {
            self.idle_on_virtual_clock();
        } else {
            let deadline = self.here.shared.time.timers.next_deadline();
            self.park(deadline);
        }
        self.fire_timers();
        self.empty_injector();
    }

    fn empty_injector(&self) {
        while let Some(runnable) = self.here.shared.injector.pop() {
            self.here.queue.push(runnable);
        }
    }

    /// Sleeps in the reactor until an event, a nudge or the deadline.
    fn park(&mut self, deadline: Option<Instant>) {
        let shared = &self.here.shared.clone();
        let timeout = deadline.map(|deadline| deadline - shared.time.clock.now());
        if timeout == Some(Duration::ZERO) || !shared.park().prepare() {
            return self.poll_reactor();
        }
        shared.trace(|| Kind::Park { until: deadline.map(|deadline| shared.time.since_start(deadline)) });
        self.wait(timeout);
        shared.park().unprepare();
        shared.trace(|| Kind::Unpark);
        self.wake_ready();
    }

    /// A look at what is ready, without sleeping.
    fn poll_reactor(&mut self) {
        self.wait(Some(Duration::ZERO));
        self.wake_ready();
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        self.poller
            .wait(timeout, &mut self.events)
            .unwrap_or_else(|error| panic!("the reactor cannot wait for events: {error}"));
    }

    /// Wakes those that the reactor found ready, first come first woken.
    fn wake_ready(&mut self) {
        let Here { shared, doing, .. } = self.here;
        shared.reactor.take_events(&mut self.events, &mut self.wakers, |event: Seen| {
            shared.trace(|| Kind::Ready { source: event.source, read: event.read, write: event.write });
        });
        doing.set(Cause::Reactor);
        self.wakers.drain(..).for_each(|waker| contain(|| waker.wake()));
        doing.set(Cause::Runtime);
    }

    /// Wakes those whose deadlines have passed, earliest first.
    fn fire_timers(&mut self) {
        let Here { shared, doing, .. } = self.here;
        shared.time.timers.take_due(shared.time.clock.now(), &mut self.due);
        doing.set(Cause::Timers);
        for Due { deadline, waker, .. } in self.due.drain(..) {
            shared.trace(|| Kind::Timer { due: shared.time.since_start(deadline) });
            contain(|| waker.wake());
        }
        doing.set(Cause::Runtime);
    }

    /// Nothing can run: what is ready outside comes first, then jobs on other threads, and only then does time jump.
    fn idle_on_virtual_clock(&mut self) {
        let shared = self.here.shared.clone();
        // Asked before the look at the queues: a job that is back by now has put whoever waited for it there.
        let jobs_outside = shared.pool.is_busy();
        self.poll_reactor();
        self.empty_injector();
        if !self.here.queue.is_empty() {
            return;
        }
        if jobs_outside {
            return self.park(None);
        }
        let waits_outside = shared.reactor.has_waiters();
        let Some(deadline) = shared.time.timers.next_deadline() else {
            assert!(waits_outside, "{}", self.deadlock());
            return self.park(None);
        };
        if waits_outside {
            if !shared.park().prepare() {
                // Somebody has just brought something: look at that first.
                return;
            }
            self.wait(Some(GRACE));
            shared.park().unprepare();
            self.wake_ready();
            self.empty_injector();
        }
        if self.here.queue.is_empty() {
            shared.trace(|| Kind::Park { until: Some(shared.time.since_start(deadline)) });
            shared.time.clock.advance_to(deadline);
            shared.trace(|| Kind::Unpark);
        }
    }

    fn deadlock(&self) -> String {
        let tasks = self.here.shared.tasks.lock().unwrap();
        let mut waiting: Vec<&AbortHandle> = tasks.live.iter().map(|(_, task)| task).collect();
        waiting.sort_by_key(|task| task.id());
        let waiting: String = waiting.iter().map(|task| format!("\n  {task:?}")).collect();
        format!(
            "deadlock: nothing is runnable, no timer is armed and no source is waited for. Waiting:\n  main{waiting}"
        )
    }

    /// Cancels every task that is left and drops its future; theirs may spawn more, which end the same way.
    fn finish(&mut self) {
        let Here { shared, doing, queue } = self.here;
        doing.set(Cause::Runtime);
        shared.enter_phase(Phase::Closing);
        loop {
            shared.abort_all();
            self.empty_injector();
            while let Some(runnable) = queue.pop() {
                if let Runnable::Task(task) = runnable {
                    self.run_task(task);
                }
            }
            // A task that was being pushed by another thread just now comes with the next round.
            if shared.tasks.lock().unwrap().live.is_empty() {
                break;
            }
        }
        shared.enter_phase(Phase::Open);
    }
}

impl Drop for Worker {
    /// What was spawned from outside after the last run is cancelled, and sources learn that no event will come.
    fn drop(&mut self) {
        let here = Here::new(&self.shared);
        let _here = here.enter();
        // First: what is spawned after this finds no worker, and what was spawned before is in the list.
        self.shared.enter_phase(Phase::Ended);
        Shift { here: &here, poller: &mut self.poller, events: Vec::new(), wakers: Vec::new(), due: Vec::new() }
            .finish();
        self.shared.reactor.close().into_iter().for_each(|waker| contain(|| waker.wake()));
    }
}
