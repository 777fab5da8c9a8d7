//! The worker: one thread that runs tasks, turns its reactor, fires its timers, steals, and sleeps when there is nothing to do.
//!
//! ```text
//!        ┌──> run a batch of tasks from the queue ──> turn: inbox and injector, reactor, timers ──┐
//!        │                                                                                        │
//!        └── found some <── search: steal, inject <── nothing to run <────────────────────────────┤
//!                                     │ nothing                                                   │
//!                                     └──> asleep in the reactor, until the next deadline ────────┘
//! ```
//!
//! The thread that calls `block_on` is worker 0; the others have threads of their own. With one worker there is nobody to
//! steal from and nobody to wake: the same loop, fewer turns of it.
//!
//! - After a batch of at most [`BATCH`] polls the reactor and the timers have their turn, however much is runnable.
//! - No queue and no lock is held while user code runs: polls, wakes, drops.
//! - When all is idle every worker sleeps in its reactor without a timeout: no CPU.
//! - While one worker works, those asleep open an eye every [`WATCH`]: should it be stuck in a long poll, they take over what
//!   it would have done besides.
//! - When `block_on` is over no task of the runtime is left ([`ending`]).

mod ending;
mod idle;
mod park;
mod shared;

#[cfg(all(test, runtime_loom))]
mod loom_models;

pub(crate) use ending::{Left, end};
pub(crate) use shared::{Here, Home, Shared, Simulation};

use crate::{
    blocking::Pool,
    budget,
    queue::{Runnable, Take},
    reactor::{Backend, PollEvent, Seen, Wait},
    task::{AbortHandle, Ran, Task, TaskId, contain},
    time::{Clock, Due, Instant, VirtualClock, real_now},
    trace::{Cause, Kind, Outcome, Recorder},
};
use shared::{MainWaker, Phase, Seat};
use std::{
    convert::Infallible,
    future::Future,
    io,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

/// How many polls may pass between two turns of the reactor.
const BATCH: usize = 64;

/// How long, in real time, a virtual clock waits for the outside world before it jumps, if a source is being waited for.
/// On loopback an answer is there at once; this is for a slow machine.
const GRACE: Duration = Duration::from_millis(10);

/// How often, among all who sleep, somebody looks after those who work.
const WATCH: Duration = Duration::from_millis(10);

/// How many such looks are taken after the last worker fell asleep. Then nobody gets up any more until something happens.
const LAST_LOOKS: u32 = 10;

/// What the workers of a runtime are to be like.
pub(crate) struct Plan {
    pub(crate) workers: usize,
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    /// How much later than its deadline a timer may fire, so that one getting up serves several.
    pub(crate) timer_slack: Duration,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) simulation: Option<Simulation>,
}

/// Makes the workers of a runtime: the seats of all, and threads for all but the first. `pool` makes the pool for blocking
/// jobs, given what gets the first worker up.
///
/// # Errors
/// When the system refuses a descriptor or a thread.
pub(crate) fn start(plan: Plan, pool: impl FnOnce(Waker) -> Arc<Pool>) -> io::Result<Arc<Shared>> {
    let shared = Shared::new(plan, pool)?;
    for worker in 1..shared.seats.len() {
        let on_thread = shared.clone();
        let started = thread::Builder::new().name(format!("worker {worker}")).spawn(move || {
            // A panic in here is ours, not a task's: nothing could be relied on after it.
            if panic::catch_unwind(AssertUnwindSafe(|| serve(&on_thread, worker))).is_err() {
                eprintln!("runtime: worker {worker} has failed; the process cannot go on");
                std::process::abort();
            }
            on_thread.a_thread_ended();
        });
        match started {
            Ok(thread) => shared.a_thread_started(thread),
            Err(error) => {
                end(&shared, Duration::MAX);
                return Err(error);
            }
        }
    }
    Ok(shared)
}

/// Runs until `main` is ready, as worker 0; then cancels whatever is left.
pub(crate) fn run<F: Future>(shared: &Arc<Shared>, main: F, patience: Duration) -> F::Output {
    let here = Here::new(shared, 0);
    let _here = here.enter();
    let mut shift = Shift::new(&here);
    let output = panic::catch_unwind(AssertUnwindSafe(|| shift.run_main(main)));
    ending::close(&mut shift, patience);
    drop(shift);
    output.unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// The life of a worker that is not the first.
fn serve(shared: &Arc<Shared>, worker: usize) {
    let here = Here::new(shared, worker);
    let _here = here.enter();
    let mut shift = Shift::new(&here);
    while shared.phase() != Phase::Ended {
        let _: ControlFlow<Infallible> = shift.batch(|_| unreachable!("the main future is worker 0's"));
        shift.turn();
    }
    shift.sweep();
}

/// A worker at work.
struct Shift<'worker> {
    here: &'worker Rc<Here>,
    shared: Arc<Shared>,
    /// Somebody woke this worker to search, or it found the time itself: it counts as searching.
    searching: bool,
    /// Everything must end: what is run is cancelled.
    closing: bool,
    /// How often it has looked around since the last worker fell asleep.
    looks: u32,
    /// What each worker's progress was at the last look.
    progress: Vec<u64>,
    /// Events and wakers on their way out of the reactor, timers on their way out of the wheel; kept for their capacity.
    events: Vec<PollEvent>,
    wakers: Vec<Waker>,
    due: Vec<Due>,
}

impl<'worker> Shift<'worker> {
    fn new(here: &'worker Rc<Here>) -> Self {
        // It has nothing to sweep yet. In this order: whoever ends all tasks either sees it here, or is seen by it.
        here.seat().staffed.swap(true, SeqCst);
        here.seat().swept.store(here.shared.round.load(SeqCst), Release);
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

    fn seat(&self) -> &Seat {
        self.here.seat()
    }

    fn run_main<F: Future>(&mut self, main: F) -> F::Output {
        let mut main = std::pin::pin!(main);
        let main_waker = MainWaker::new(&self.shared);
        let waker = Waker::from(main_waker.clone());
        self.here.push(Runnable::Main);
        loop {
            let batch = self.batch(|shift| {
                main_waker.poll_begins();
                match shift.poll_main(main.as_mut(), &waker) {
                    Poll::Ready(output) => ControlFlow::Break(output),
                    Poll::Pending => ControlFlow::Continue(()),
                }
            });
            match batch {
                ControlFlow::Break(output) => return output,
                ControlFlow::Continue(()) => self.turn(),
            }
        }
    }

    /// Runs up to [`BATCH`] of what is in the queue.
    fn batch<T>(&mut self, mut main: impl FnMut(&Self) -> ControlFlow<T>) -> ControlFlow<T> {
        // Asked after the queue was filled: what is in it came before, or in the phase that this finds.
        self.closing = self.shared.phase() != Phase::Open;
        for _ in 0..BATCH {
            match self.here.local.pop() {
                Some(Runnable::Task(task)) => self.run_task(task),
                Some(Runnable::Main) => main(self)?,
                None => break,
            }
        }
        ControlFlow::Continue(())
    }

    fn poll_main<F: Future>(&self, main: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
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

    fn run_task(&self, runnable: Task) {
        if self.closing {
            runnable.abort();
        }
        let task = runnable.birth().id;
        self.poll_begins(task);
        let ran = budget::with_full(|| runnable.run());
        self.poll_ended();
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
                self.shared.trace(|| Kind::Done { task, outcome });
            }
        }
        self.here.share();
    }

    fn poll_begins(&self, task: TaskId) {
        self.shared.trace(|| Kind::Poll { task });
        self.here.doing.set(Cause::Task(task));
        if !self.shared.is_single() {
            self.seat().polling.store(task.0, Relaxed);
            self.gets_on();
        }
    }

    fn poll_ended(&self) {
        self.here.doing.set(Cause::Runtime);
    }

    /// For the neighbours to see: this worker is not stuck.
    fn gets_on(&self) {
        let progress = &self.seat().progress;
        progress.store(progress.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// One look at the world outside: other threads, readiness, timers. Sleeps only if nothing can run.
    fn turn(&mut self) {
        self.take_what_came();
        if !self.shared.is_single() {
            self.gets_on();
            self.take_part_in_ending();
        }
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
            self.see_that_somebody_watches();
        }
    }

    /// Empties the inbox, and takes this worker's share of the injector.
    fn take_what_came(&self) {
        self.take_bound();
        self.take_share();
    }

    fn take_bound(&self) {
        while let Some(runnable) = self.seat().inbox.pop() {
            self.here.push(runnable);
        }
    }

    fn take_share(&self) {
        self.here.local.take_from(&self.shared.injector, self.shared.seats.len());
        self.here.share();
    }

    /// The queue is empty. Looks for work elsewhere; sleeps if there is none.
    fn search_or_sleep(&mut self) {
        let idle = &self.shared.idle;
        if !self.closing && !self.searching {
            self.searching = idle.begin_search();
        }
        if self.searching
            && let Some(task) = self.steal(Take::Half)
        {
            self.stop_searching();
            return self.here.local.push_first(task);
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
    fn stop_searching(&mut self) {
        if std::mem::take(&mut self.searching) && self.shared.idle.end_search() && self.shared.has_work() {
            self.shared.wake_one();
        }
    }

    /// A task out of another worker's queue, or of the injector.
    fn steal(&self, take: Take) -> Option<Task> {
        let (seats, me) = (&self.shared.seats, self.here.worker);
        // Each worker begins with another victim.
        for from in (1..seats.len()).map(|distance| (me + distance) % seats.len()) {
            if let Some(task) = self.here.local.steal_from(&seats[from].shelf, take) {
                self.shared.trace(|| Kind::Steal { task: task.birth().id, from });
                return Some(task);
            }
        }
        None
    }

    /// Asleep among others, who may be awake: with one eye open, then.
    fn sleep(&mut self) {
        let deadline = self.next_deadline();
        let asleep = self.shared.idle.sleeping();
        let all_asleep = self.shared.seats.iter().filter(|seat| seat.staffed.load(Acquire)).count() <= asleep;
        self.looks = if all_asleep { self.looks + 1 } else { 0 };
        let watches = self.looks <= LAST_LOOKS || self.has_orphan();
        let watch = watches.then(|| self.shared.clock.now() + WATCH * asleep.max(1) as u32);
        if watches {
            self.shared.watchers.fetch_add(1, AcqRel);
        }
        let until = deadline.into_iter().chain(watch).min();
        self.shared.trace(|| Kind::Park { until: until.map(|until| self.shared.since_start(until)) });
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

    /// There is something to do, and this worker may get stuck in it: then somebody who sleeps should have an eye open.
    fn see_that_somebody_watches(&mut self) {
        self.looks = 0;
        if self.shared.watchers.load(Acquire) == 0 {
            self.shared.wake_a_watcher();
        }
    }

    /// Is there a seat that nobody works at, and something to be waited for there? Worker 0's, between two `block_on`s.
    fn has_orphan(&self) -> bool {
        let first = &self.shared.seats[0];
        !first.staffed.load(Acquire) && (first.reactor.has_waiters() || first.time.timers.are_armed())
    }

    /// Does what a worker that makes no progress would have done besides: its queue, its events, its timers.
    fn look_after_the_stuck(&mut self) {
        let shared = self.shared.clone();
        for (worker, seat) in shared.seats.iter().enumerate() {
            let progress = seat.progress.load(Relaxed);
            let stuck = std::mem::replace(&mut self.progress[worker], progress) == progress;
            if worker == self.here.worker || !stuck || seat.nudger.park().is_parked() {
                continue;
            }
            if let Some(task) = self.here.local.steal_from(&seat.shelf, Take::All) {
                shared.trace(|| Kind::Steal { task: task.birth().id, from: worker });
                self.here.local.push_first(task);
            }
            if let Ok(mut poller) = seat.poller.try_lock()
                && poller.wait(Wait::Now, &mut self.events).is_ok()
            {
                drop(poller);
                self.wake_ready(worker);
            }
            self.fire_timers_of(worker);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.seat().time.timers.next_deadline()
    }

    /// When to get up for a deadline: a little later, if the program allows it, for what falls due meanwhile.
    fn with_slack(&self, deadline: Instant) -> Wait {
        Wait::Until(deadline + self.shared.timer_slack)
    }

    /// Sleeps in the reactor until an event, a nudge or the deadline.
    fn park(&mut self, deadline: Option<Instant>) {
        if deadline.is_some_and(|deadline| deadline <= self.shared.clock.now()) || !self.seat().nudger.park().prepare()
        {
            return self.poll_reactor();
        }
        self.shared.trace(|| Kind::Park { until: deadline.map(|deadline| self.shared.since_start(deadline)) });
        self.wait(deadline.map_or(Wait::Event, |deadline| self.with_slack(deadline)));
        self.seat().nudger.park().unprepare();
        self.shared.trace(|| Kind::Unpark);
        self.wake_ready(self.here.worker);
    }

    /// A look at what is ready, without sleeping.
    fn poll_reactor(&mut self) {
        self.wait(Wait::Now);
        self.wake_ready(self.here.worker);
    }

    fn wait(&mut self, wait: Wait) {
        let waited = self.here.seat().poller.lock().unwrap().wait(wait, &mut self.events);
        waited.unwrap_or_else(|error| panic!("the reactor cannot wait for events: {error}"));
    }

    /// Wakes those that a reactor found ready, first come first woken.
    fn wake_ready(&mut self, worker: usize) {
        let shared = &self.shared;
        shared.seats[worker].reactor.take_events(&mut self.events, &mut self.wakers, |event: Seen| {
            shared.trace(|| Kind::Ready { source: event.source, read: event.read, write: event.write });
        });
        self.here.doing.set(Cause::Reactor);
        self.wakers.drain(..).for_each(|waker| contain(|| waker.wake()));
        self.here.doing.set(Cause::Runtime);
        self.here.share();
    }

    fn fire_timers(&mut self) {
        self.fire_timers_of(self.here.worker);
    }

    /// Wakes those whose deadlines have passed, earliest first.
    fn fire_timers_of(&mut self, worker: usize) {
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

    /// Nothing can run: what is ready outside comes first, then jobs on other threads, and only then does time jump.
    /// (A virtual clock has but one worker.)
    fn idle_on_virtual_clock(&mut self, clock: &VirtualClock) {
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
    fn idle_in_simulation(&mut self, clock: &VirtualClock) {
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
    fn jump(&self, clock: &VirtualClock, coming: Option<Instant>, stop: Instant) {
        self.shared.trace(|| Kind::Park { until: Some(self.shared.since_start(stop)) });
        let arrived = clock.jump(coming);
        self.shared.trace(|| Kind::Unpark);
        self.here.doing.set(Cause::Timers);
        arrived.into_iter().for_each(|waker| contain(|| waker.wake()));
        self.here.doing.set(Cause::Runtime);
    }

    fn deadlock(&self, clock: &VirtualClock) -> String {
        let waiting = self.seat().waiting.lock().unwrap();
        let mut waiting: Vec<&AbortHandle> = waiting.iter().map(|(_, task)| task).collect();
        waiting.sort_by_key(|task| task.id());
        let waiting: String = waiting.iter().map(|task| format!("\n  {task:?}")).collect();
        let timers = if clock.is_paused() {
            "the virtual clock is paused (advance it, or resume it)"
        } else {
            "no timer is armed"
        };
        let Some(Simulation { network, .. }) = &self.shared.simulation else {
            return format!(
                "deadlock: nothing is runnable, {timers} and no source is waited for. Waiting:\n  main{waiting}"
            );
        };
        let (seed, waits) = (network.seed(), self.seat().reactor.describe_waits());
        let sockets = if waits.is_empty() { String::new() } else { format!("\nSockets:{waits}") };
        format!(
            "deadlock: nothing is runnable, {timers} and nothing is under way in the network. Waiting:\n  \
             main{waiting}{sockets}\nSeed: {seed}"
        )
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.here.seat().staffed.store(false, Release);
    }
}
