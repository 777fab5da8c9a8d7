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
//! - After a batch of at most [`BATCH`](shift) polls the reactor and the timers have their turn, however much is runnable; and
//!   before a task runs again that gave way ([`yield_now`](crate::yield_now)).
//! - No queue and no lock is held while user code runs: polls, wakes, drops.
//! - When all is idle every worker sleeps in its reactor without a timeout: no CPU.
//! - While one worker works, those asleep open an eye every [`WATCH`](sleep): should it be stuck in a long poll, they take over what
//!   it would have done besides.
//! - When `block_on` is over no task of the runtime is left ([`ending`]).
//!
//! Read in this order: [`shift`] (the loop), [`sleep`] with [`idle`] and [`park`] (nothing to run), [`shared`], [`seat`], [`here`]
//! and [`home`] (who sees what of a worker), [`heed`], [`ending`] with [`round`], [`virtual_time`], [`watchdog`].

mod ending;
mod heed;
mod here;
mod home;
mod idle;
mod look;
mod park;
mod round;
mod seat;
mod shared;
mod shift;
mod sleep;
mod virtual_time;
mod watchdog;

#[cfg(all(test, runtime_loom))]
mod loom_models;

pub(crate) use ending::{Left, end};
pub(crate) use heed::Place;
pub(crate) use here::Here;
pub(crate) use home::Home;
pub(crate) use shared::{Shared, Simulation};

use crate::{
    blocking::Pool,
    debug::Tells,
    reactor::Backend,
    task::TaskId,
    time::Clock,
    trace::{Cause, Kind, Outcome, Recorder},
};
use shared::Phase;
use shift::Shift;
use std::{
    convert::Infallible,
    future::Future,
    io,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    task::Waker,
    thread,
    time::Duration,
};

/// What the workers of a runtime are to be like.
pub(crate) struct Plan {
    pub(crate) workers: usize,
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    /// How much later than its deadline a timer may fire, so that one getting up serves several.
    pub(crate) timer_slack: Duration,
    /// How long a poll may take before the watchdog reports it; `None`: there is no watchdog.
    pub(crate) slow_poll: Option<Duration>,
    pub(crate) recorder: Option<Recorder>,
    /// What the registry of tasks is to tell; `None`: there is none.
    pub(crate) registry: Option<Tells>,
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
    if output.is_err() && here.doing.replace(Cause::Runtime) == Cause::Task(TaskId::MAIN) {
        shared.trace(|| Kind::Done { task: TaskId::MAIN, outcome: Outcome::Panicked });
    }
    if output.is_ok() {
        shared.report_leaks();
    }
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
