//! Seeing inside a running runtime: which tasks live, what they wait for, who waits for whom, and where the time goes.
//!
//! ```text
//!   worker ── spawn, poll, pending, wake, done ──> Registry ──┬─> Dump     who lives, waits, holds; deadlocks
//!   leaf operations ── awaits ── notes ─────────────^         └─> Summary  what has run, sorted by busy time
//!   worker ── counters ──────────────────────────────────────────> Metrics
//! ```
//!
//! | to see | use | needs |
//! |---|---|---|
//! | what lives, and what it waits for | [`Handle::tasks`](crate::Handle::tasks) | debug, for more than names and states |
//! | what has run, and for how long | [`Handle::summary`](crate::Handle::summary); `RUNTIME_PROFILE=1` prints it | debug or profile |
//! | how much of everything | [`Handle::metrics`](crate::Handle::metrics) | nothing |
//! | how long one piece takes, and how it ends | [`timed`] | nothing |
//! | an error that nobody waits for | [`JoinHandle::log_error`](crate::JoinHandle::log_error), [`fallible`] | nothing; debug |
//!
//! Debug is switched on by [`Builder::debug`](crate::Builder::debug), or by `RUNTIME_DEBUG=1` for any program. It keeps a record
//! of each task, and warns on standard error: of polls that are too long, of tasks that panicked or failed and that nobody
//! waited for, and of tasks that were still alive when `block_on` ended. [`Builder::profile`](crate::Builder::profile), or
//! `RUNTIME_PROFILE=1`, keeps the records without the warnings, and prints the [`Summary`] at the end of each `block_on`.
//!
//! - Off, a task has no record, and nothing is measured: the branch that asks is the one that the trace asks already.
//! - On, memory is bounded by the tasks that live: of those that ended, [`Summary`] keeps sums and the latest few.
//! - What the machine does (busy, scheduled) is measured in real time, what a task waits (idle) by its runtime's clock: under a
//!   virtual one, a second of sleep is a second.
//! - No code of the program runs while the registry is locked, and a dump polls nothing.
//!
//! ```
//! use runtime::{Handle, Runtime, debug::Wait, task, time::sleep, yield_now};
//! use std::time::Duration;
//! let runtime = Runtime::builder().virtual_clock().debug(true).build().unwrap();
//! runtime.block_on(async {
//!     let nap = task::Builder::new().name("nap").spawn(sleep(Duration::from_secs(2)));
//!     yield_now().await;
//!     let dump = Handle::current().tasks();
//!     let seen = dump.find(nap.id()).unwrap();
//!     assert_eq!(seen.name.as_deref(), Some("nap"));
//!     assert_eq!(seen.waits_for, [Wait::Until(Duration::from_secs(2))]);
//!     nap.await.unwrap();
//! });
//! ```

mod dump;
mod graph;
mod metrics;
mod registry;
mod summary;
mod timed;
mod unobserved;

pub use dump::{Dump, Holder, Resource, Task, Wait};
pub use graph::{Cycle, Untaken};
pub use metrics::{Metrics, WorkerMetrics};
pub use summary::{Counts, Ended, Group, Outcome, Summary, Work};
pub use timed::{Timed, timed};
pub use unobserved::{Fallible, fallible};

pub(crate) use dump::Seen;
pub(crate) use registry::{Registry, Tells};

use std::io::{self, Write};

/// Tells the programmer. In one piece, so that what several threads say does not mix; where nobody can be told, nobody is.
pub(crate) fn say(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}
