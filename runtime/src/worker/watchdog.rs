//! The watchdog: it names a task that kept its worker from everything else.
//!
//! It looks when the poll is over: a worker has no second pair of eyes. (A poll that never ends shows in the report of
//! [`Runtime::shutdown`](crate::Runtime::shutdown).) The time is real, also where tasks see a virtual clock: blocking is real.

use crate::task::Birth;
use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

/// One poll, from its beginning.
pub(super) struct Watched {
    limit: Duration,
    /// `None`: it is the main future's. (A copy: the task may be gone when its poll is over.)
    task: Option<Birth>,
    since: Instant,
}

impl Watched {
    pub(super) fn task(limit: Duration, task: &Birth) -> Self {
        Self { limit, task: Some(task.clone()), since: Instant::now() }
    }

    pub(super) fn main(limit: Duration) -> Self {
        Self { limit, task: None, since: Instant::now() }
    }

    /// Reports the poll if it was too long.
    pub(super) fn poll_ended(self) {
        let length = self.since.elapsed();
        if length <= self.limit {
            return;
        }
        let who = self.task.map_or_else(|| "the main future".to_owned(), |task| format!("task {task}"));
        let milliseconds = length.as_secs_f64() * 1e3;
        let report = format!(
            "runtime: slow poll: {who} was polled for {milliseconds:.1} ms, and its worker did nothing else meanwhile\n"
        );
        // In one piece, so that reports of several workers do not mix. Where nobody can be told, nobody is.
        drop(io::stderr().write_all(report.as_bytes()));
    }
}
