//! What is measured. Each workload is written once, for any [`Side`], runs as a task of the side, and checks what came out.

mod idle;
mod tasks;
mod threads;
mod timers;

use crate::{
    echo,
    meter::Sample,
    sides::{Name, Ours, Side, Smol, Tokio},
};
use std::{future::Future, iter};

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What an operation is.
    pub(crate) operation: &'static str,
    /// How many make a sample.
    pub(crate) operations: usize,
    /// How many are run under a tool that counts instructions or system calls; and then [`TIMES`](crate::child::TIMES) as many.
    pub(crate) counted: usize,
    /// Whether system calls are worth counting.
    pub(crate) system_calls: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SpawnJoin,
    SpawnFromOutside,
    SpawnDetached,
    Yield,
    Chained,
    PingPong,
    WakeFromThread,
    Blocking,
    BlockingAtOnce,
    TimerCancel,
    TimersMillion,
    TimersFiring,
    /// In a child process: memory does not come back to where it was.
    IdleTasks,
    /// With so many connections.
    Echo(usize),
}

/// Tasks that are alive at once, where a workload spawns many.
const BATCH: usize = 10_000;
const YIELDERS: usize = 100;
const CHAIN: usize = 1_000;
const PAIRS: usize = 1_000;
const JOBS: usize = 200;
const SLEEPERS: usize = 1_000;

pub(crate) const ALL: [Workload; 16] = [
    Workload {
        name: "spawn-join",
        title: "spawn + join: 10,000 tasks spawned, then joined",
        operation: "a task",
        operations: 10 * BATCH,
        counted: BATCH,
        system_calls: false,
        kind: Kind::SpawnJoin,
    },
    Workload {
        name: "spawn-from-outside",
        title: "spawn from outside: the same, spawned by a thread that is no worker",
        operation: "a task",
        operations: 10 * BATCH,
        counted: BATCH,
        system_calls: true,
        kind: Kind::SpawnFromOutside,
    },
    Workload {
        name: "spawn-detached",
        title: "detached spawn: 10,000 tasks, the last one tells",
        operation: "a task",
        operations: 10 * BATCH,
        counted: BATCH,
        system_calls: false,
        kind: Kind::SpawnDetached,
    },
    Workload {
        name: "yield",
        title: "yield: 100 tasks, in turn",
        operation: "a yield",
        operations: 5_000 * YIELDERS,
        counted: 200 * YIELDERS,
        system_calls: false,
        kind: Kind::Yield,
    },
    Workload {
        name: "chained-spawn",
        title: "chained spawn: each task spawns the next, 1,000 deep",
        operation: "a task",
        operations: 100 * CHAIN,
        counted: 10 * CHAIN,
        system_calls: false,
        kind: Kind::Chained,
    },
    Workload {
        name: "ping-pong",
        title: "ping-pong: 1,000 spawned pairs, two hand-made oneshots each",
        operation: "a pair",
        operations: 20 * PAIRS,
        counted: 5 * PAIRS,
        system_calls: false,
        kind: Kind::PingPong,
    },
    Workload {
        name: "wake-from-thread",
        title: "wake from another thread: a task and a thread in turn",
        operation: "a round trip",
        operations: 3_000,
        counted: 1_000,
        system_calls: true,
        kind: Kind::WakeFromThread,
    },
    Workload {
        name: "blocking",
        title: "blocking: one job after the other",
        operation: "a round trip",
        operations: 3_000,
        counted: 1_000,
        system_calls: true,
        kind: Kind::Blocking,
    },
    Workload {
        name: "blocking-at-once",
        title: "blocking: 200 jobs at once, each pool as it comes",
        operation: "a job",
        operations: 50 * JOBS,
        counted: 10 * JOBS,
        system_calls: true,
        kind: Kind::BlockingAtOnce,
    },
    Workload {
        name: "timer-cancel",
        title: "timer: armed, then cancelled",
        operation: "a timer",
        operations: 100_000,
        counted: 10_000,
        system_calls: true,
        kind: Kind::TimerCancel,
    },
    Workload {
        name: "timers-million",
        title: "1,000,000 timers: all armed, then all cancelled",
        operation: "a timer",
        operations: 1_000_000,
        counted: 50_000,
        system_calls: false,
        kind: Kind::TimersMillion,
    },
    Workload {
        name: "timers-firing",
        title: "timers firing: 1,000 tasks sleep for 1 to 40 ms",
        operation: "a timer",
        operations: 10 * SLEEPERS,
        counted: 5 * SLEEPERS,
        system_calls: true,
        kind: Kind::TimersFiring,
    },
    Workload {
        name: "idle-tasks",
        title: "1,000,000 idle tasks: memory beyond the future itself",
        operation: "a task",
        operations: 1_000_000,
        counted: 0,
        system_calls: false,
        kind: Kind::IdleTasks,
    },
    Workload {
        name: "echo-1",
        title: "TCP echo, 1 connection",
        operation: "a round trip",
        operations: 10_000,
        counted: 2_000,
        system_calls: true,
        kind: Kind::Echo(1),
    },
    Workload {
        name: "echo-64",
        title: "TCP echo, 64 connections",
        operation: "a round trip",
        operations: 40_000,
        counted: 10_000,
        system_calls: true,
        kind: Kind::Echo(64),
    },
    Workload {
        name: "echo-1000",
        title: "TCP echo, 1,000 connections",
        operation: "a round trip",
        operations: 40_000,
        counted: 20_000,
        system_calls: true,
        kind: Kind::Echo(1_000),
    },
];

impl Workload {
    /// As many operations as make a sample when there is little time.
    pub(crate) fn quick(&self) -> usize {
        match self.kind {
            Kind::IdleTasks => self.operations,
            Kind::SpawnJoin | Kind::SpawnFromOutside | Kind::SpawnDetached => BATCH,
            _ => self.operations / 10,
        }
    }
}

impl Kind {
    /// Makes the side, runs the workload on it and ends it. `warm` operations go before the sample.
    pub(crate) fn sample(self, side: Name, workers: usize, warm: usize, operations: usize) -> Sample {
        match side {
            Name::Ours => self.run::<Ours>(workers, warm, operations),
            Name::Tokio => self.run::<Tokio>(workers, warm, operations),
            Name::Smol => self.run::<Smol>(workers, warm, operations),
        }
    }

    fn run<S: Side>(self, workers: usize, warm: usize, operations: usize) -> Sample {
        let side = S::new(workers);
        let run = |operations| match self {
            Kind::SpawnJoin => on(&side, tasks::spawn_join::<S>(operations)),
            Kind::SpawnFromOutside => on(&side, threads::spawn_from_outside::<S>(side.remote(), operations)),
            Kind::SpawnDetached => on(&side, tasks::spawn_detached::<S>(operations)),
            Kind::Yield => on(&side, tasks::yields::<S>(operations)),
            Kind::Chained => on(&side, tasks::chained::<S>(operations)),
            Kind::PingPong => on(&side, tasks::ping_pong::<S>(operations)),
            Kind::WakeFromThread => on(&side, threads::wake_from_thread(operations)),
            Kind::Blocking => on(&side, threads::blocking::<S>(1, operations)),
            Kind::BlockingAtOnce => on(&side, threads::blocking::<S>(JOBS, operations)),
            Kind::TimerCancel => on(&side, timers::timer_cancel::<S>(operations)),
            Kind::TimersMillion => on(&side, timers::timers_million::<S>(operations)),
            Kind::TimersFiring => on(&side, timers::timers_firing::<S>(operations)),
            Kind::IdleTasks => on(&side, idle::idle_tasks::<S>(operations)),
            Kind::Echo(connections) => echo::measure(&side, connections, operations),
        };
        // The first run pays for threads, for queues that grow and for cold caches; a rare cost is not an operation's.
        if warm > 0 {
            run(warm);
        }
        run(operations)
    }
}

/// Runs `workload` as a task, so that it is a worker that does the work on every side.
fn on<S: Side>(side: &S, workload: impl Future<Output = Sample> + Send + 'static) -> Sample {
    side.block_on(async { S::spawn(workload).await })
}

/// The sum of all numbers below `count`.
fn sum_below(count: usize) -> usize {
    count * (count - 1) / 2
}

fn batches(operations: usize) -> impl Iterator<Item = usize> {
    assert!(operations.is_multiple_of(BATCH));
    iter::repeat_n(BATCH, operations / BATCH)
}
