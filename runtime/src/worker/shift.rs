//! The loop: run what is in the queue, look at the world outside, and again.

use super::{
    here::Here,
    home::MainWaker,
    look::add,
    seat::{NOTHING, Seat},
    shared::{Phase, Shared},
    watchdog::Watched,
};
use crate::{
    budget,
    queue::Runnable,
    reactor::{PollEvent, Seen, Wait},
    task::{Ran, Task, TaskId, contain},
    time::{Due, Instant},
    trace::{Cause, Kind, Outcome},
};
use std::{
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    rc::Rc,
    sync::{Arc, TryLockError, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// How many polls may pass between two turns of the reactor.
const BATCH: usize = 64;

/// A worker at work.
pub(super) struct Shift<'worker> {
    pub(super) here: &'worker Rc<Here>,
    pub(super) shared: Arc<Shared>,
    /// Somebody woke this worker to search, or it found the time itself: it counts as searching.
    pub(super) searching: bool,
    /// Everything must end: what is run is cancelled.
    pub(super) closing: bool,
    /// How often it has looked around since the last worker fell asleep.
    pub(super) looks: u32,
    /// What each worker's progress was at the last look.
    pub(super) progress: Vec<u64>,
    /// Events and wakers on their way out of the reactor, timers on their way out of the wheel; kept for their capacity.
    pub(super) events: Vec<PollEvent>,
    pub(super) wakers: Vec<Waker>,
    pub(super) due: Vec<Due>,
}

impl<'worker> Shift<'worker> {
    pub(super) fn new(here: &'worker Rc<Here>) -> Self {
        here.seat().answer.begin(&here.shared.round);
        Self {
            here,
            shared: here.shared.clone(),
            searching: false,
            closing: false,
            looks: 0,
            progress: vec![0; here.shared.seats.len()],
            events: Vec::new(),
            wakers: Vec::new(),
            due: Vec::new(),
        }
    }

    pub(super) fn seat(&self) -> &Seat {
        self.here.seat()
    }

    pub(super) fn run_main<F: Future>(&mut self, main: F) -> F::Output {
        let mut main = std::pin::pin!(main);
        let main_waker = MainWaker::new(&self.shared);
        let waker = Waker::from(main_waker.clone());
        self.here.push(Runnable::Main);
        loop {
            let batch = self.batch(|shift| {
                main_waker.poll_begins();
                let watched = shift.shared.slow_poll.map(Watched::main);
                let polled = shift.poll_main(main.as_mut(), &waker);
                watched.into_iter().for_each(Watched::poll_ended);
                match polled {
                    Poll::Ready(output) => ControlFlow::Break(output),
                    Poll::Pending => ControlFlow::Continue(main_waker.is_scheduled()),
                }
            });
            match batch {
                ControlFlow::Break(output) => return output,
                ControlFlow::Continue(()) => self.turn(),
            }
        }
    }

    /// Runs up to [`BATCH`] of what is in the queue. Where one gives way, the batch ends before its next turn.
    ///
    /// `main` polls the main future, and says whether it wants to be polled again.
    pub(super) fn batch<T>(&mut self, mut main: impl FnMut(&Self) -> ControlFlow<T, bool>) -> ControlFlow<T> {
        // Asked after the queue was filled: what is in it came before, or in the phase that this finds.
        self.closing = self.shared.phase() != Phase::Open;
        let slow_poll = self.shared.slow_poll;
        let mut left = BATCH;
        let mut polls = Polls { of: self.seat(), so_far: 0 };
        while left > 0 {
            left -= 1;
            let Some(runnable) = self.here.local.pop() else { break };
            polls.so_far += 1;
            let comes_again = match (runnable, slow_poll) {
                (Runnable::Task(task), None) => self.run_task(task),
                (Runnable::Task(task), Some(limit)) => self.run_watched(task, limit),
                (Runnable::Main, _) => main(self)?,
            };
            if comes_again {
                // It gave way: to those before it in the queue, and to what the reactor and the timers may bring.
                left = left.min(self.here.local.len().saturating_sub(1));
            }
        }
        ControlFlow::Continue(())
    }

    pub(super) fn poll_main<F: Future>(&self, main: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
        let task = TaskId::MAIN;
        self.poll_begins(task);
        let polled = budget::with_full(|| main.poll(&mut Context::from_waker(waker)));
        self.poll_ended();
        self.shared.trace(|| match polled {
            Poll::Ready(_) => Kind::Done { task, outcome: Outcome::Ready },
            Poll::Pending => Kind::Pending { task },
        });
        self.here.share();
        polled
    }

    #[cold]
    fn run_watched(&self, runnable: Task, limit: Duration) -> bool {
        let watched = Watched::task(limit, runnable.birth());
        let comes_again = self.run_task(runnable);
        watched.poll_ended();
        comes_again
    }

    /// Does the task want to run again?
    pub(super) fn run_task(&self, runnable: Task) -> bool {
        if self.closing {
            runnable.abort();
        }
        let task = runnable.birth().id;
        self.poll_begins(task);
        let ran = budget::with_full(|| runnable.run());
        self.poll_ended();
        let comes_again = matches!(ran, Ran::Again(_));
        match ran {
            Ran::Idle => self.shared.trace(|| Kind::Pending { task }),
            Ran::Again(again) => {
                self.shared.trace(|| Kind::Pending { task });
                self.here.local.push_back(again, &self.shared.injector);
            }
            Ran::Done(outcome, listed) => {
                if let Some(listed) = listed {
                    self.shared.unlist(listed);
                }
                self.seat().counters.task_ended(outcome);
                self.shared.trace(|| Kind::Done { task, outcome });
            }
        }
        self.here.share();
        comes_again
    }

    pub(super) fn poll_begins(&self, task: TaskId) {
        self.shared.trace(|| Kind::Poll { task });
        self.here.doing.set(Cause::Task(task));
        if !self.shared.is_single() {
            self.seat().polling.store(task.0, Relaxed);
            self.gets_on();
        }
    }

    pub(super) fn poll_ended(&self) {
        self.here.doing.set(Cause::Runtime);
        if !self.shared.is_single() {
            self.seat().polling.store(NOTHING, Relaxed);
        }
    }

    /// For the neighbours to see: this worker is not stuck.
    pub(super) fn gets_on(&self) {
        let progress = &self.seat().progress;
        progress.store(progress.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// One look at the world outside: other threads, readiness, timers. Sleeps only if nothing can run.
    pub(super) fn turn(&mut self) {
        if !self.shared.is_single() {
            self.gets_on();
            // Before anything is taken in: it may belong to the next `block_on`.
            self.take_part_in_ending();
        }
        self.take_what_came();
        if !self.here.local.is_empty() {
            self.poll_reactor();
        } else if let Some(clock) = self.shared.clone().clock.as_virtual() {
            if self.shared.simulation.is_some() {
                self.idle_in_simulation(clock);
            } else {
                self.idle_on_virtual_clock(clock);
            }
        } else if self.shared.is_single() {
            self.park(self.next_deadline());
        } else {
            self.search_or_sleep();
        }
        self.fire_timers();
        self.take_what_came();
        if !self.shared.is_single() && !self.here.local.is_empty() {
            self.go_to_work();
        }
    }

    /// Empties the inbox, and takes this worker's share of the injector.
    pub(super) fn take_what_came(&self) {
        self.take_bound();
        self.take_share();
    }

    pub(super) fn take_bound(&self) {
        while let Some(runnable) = self.seat().inbox.pop() {
            self.here.push(runnable);
        }
    }

    pub(super) fn take_share(&self) {
        self.here.local.take_from(&self.shared.injector, self.shared.seats.len());
        self.here.share();
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.seat().time.timers.next_deadline()
    }

    /// A look at what is ready, without sleeping.
    pub(super) fn poll_reactor(&mut self) {
        self.wait(Wait::Now);
        self.wake_ready(self.here.worker);
    }

    /// To sleep, the worker must be parked.
    pub(super) fn wait(&mut self, mut wait: Wait) {
        let Seat { poller, nudger, .. } = self.here.seat();
        let mut poller = match poller.try_lock() {
            Ok(poller) => poller,
            // A neighbour has just looked for us.
            Err(TryLockError::WouldBlock) if wait == Wait::Now => return,
            Err(TryLockError::WouldBlock) => poller.lock().unwrap(),
            Err(poisoned) => panic!("{poisoned}"),
        };
        // A neighbour who held the lock may have met the notification that was for us. What is sent from here on is ours.
        if !nudger.park().is_parked() {
            wait = Wait::Now;
        }
        let waited = poller.wait(wait, &mut self.events);
        drop(poller);
        waited.unwrap_or_else(|error| panic!("the reactor cannot wait for events: {error}"));
    }

    /// Wakes those that a reactor found ready, first come first woken.
    pub(super) fn wake_ready(&mut self, worker: usize) {
        let shared = &self.shared;
        shared.seats[worker].reactor.take_events(&mut self.events, &mut self.wakers, |event: Seen| {
            shared.trace(|| Kind::Ready { source: event.source, read: event.read, write: event.write });
        });
        self.here.doing.set(Cause::Reactor);
        self.wakers.drain(..).for_each(|waker| contain(|| waker.wake()));
        self.here.doing.set(Cause::Runtime);
        self.here.share();
    }

    pub(super) fn fire_timers(&mut self) {
        self.fire_timers_of(self.here.worker);
    }

    /// Wakes those whose deadlines have passed, earliest first.
    pub(super) fn fire_timers_of(&mut self, worker: usize) {
        let shared = &self.shared;
        let (timers, now) = (&shared.seats[worker].time.timers, shared.clock.now());
        if worker == self.here.worker {
            timers.take_due(now, &mut self.due);
        } else {
            timers.take_due_for_another(now, &mut self.due);
        }
        self.here.doing.set(Cause::Timers);
        for Due { deadline, waker, .. } in self.due.drain(..) {
            shared.trace(|| Kind::Timer { due: shared.since_start(deadline) });
            contain(|| waker.wake());
        }
        self.here.doing.set(Cause::Runtime);
        self.here.share();
    }
}

/// Counts polls, and puts them down in one go.
struct Polls<'worker> {
    of: &'worker Seat,
    so_far: u64,
}

impl Drop for Polls<'_> {
    fn drop(&mut self) {
        add(&self.of.counters.polls, self.so_far);
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.here.seat().answer.leave();
    }
}
