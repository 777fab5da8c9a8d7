//! What is measured. Each workload is written once, for any [`Side`], runs as a task of the side, and checks what came out.

mod echo;
mod idle;
mod tasks;
mod threads;
mod timers;

use crate::side_by_side::{
    Kind, Workload,
    meter::Sample,
    on_each_side,
    sides::{Name, Side},
};
use std::{future::Future, iter};

pub(crate) use echo::LOAD;

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
        quick: BATCH,
        counted: BATCH,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, tasks::spawn_join::<S>(n)))),
    },
    Workload {
        name: "spawn-from-outside",
        title: "spawn from outside: the same, spawned by a thread that is no worker",
        operation: "a task",
        operations: 10 * BATCH,
        quick: BATCH,
        counted: BATCH,
        system_calls: true,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(
            side,
            threads::spawn_from_outside::<S>(side.remote(), n)
        ))),
    },
    Workload {
        name: "spawn-detached",
        title: "detached spawn: 10,000 tasks, the last one tells",
        operation: "a task",
        operations: 10 * BATCH,
        quick: BATCH,
        counted: BATCH,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, tasks::spawn_detached::<S>(n)))),
    },
    Workload {
        name: "yield",
        title: "yield: 100 tasks, in turn",
        operation: "a yield",
        operations: 5_000 * YIELDERS,
        quick: 5_000 * YIELDERS / 10,
        counted: 200 * YIELDERS,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, tasks::yields::<S>(n)))),
    },
    Workload {
        name: "chained-spawn",
        title: "chained spawn: each task spawns the next, 1,000 deep",
        operation: "a task",
        operations: 100 * CHAIN,
        quick: 100 * CHAIN / 10,
        counted: 10 * CHAIN,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, tasks::chained::<S>(n)))),
    },
    Workload {
        name: "ping-pong",
        title: "ping-pong: 1,000 spawned pairs, two hand-made oneshots each",
        operation: "a pair",
        operations: 20 * PAIRS,
        quick: 20 * PAIRS / 10,
        counted: 5 * PAIRS,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, tasks::ping_pong::<S>(n)))),
    },
    Workload {
        name: "wake-from-thread",
        title: "wake from another thread: a task and a thread in turn",
        operation: "a round trip",
        operations: 3_000,
        quick: 3_000 / 10,
        counted: 1_000,
        system_calls: true,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, threads::wake_from_thread(n)))),
    },
    Workload {
        name: "blocking",
        title: "blocking: one job after the other",
        operation: "a round trip",
        operations: 3_000,
        quick: 3_000 / 10,
        counted: 1_000,
        system_calls: true,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, threads::blocking::<S>(1, n)))),
    },
    Workload {
        name: "blocking-at-once",
        title: "blocking: 200 jobs at once, each pool as it comes",
        operation: "a job",
        operations: 50 * JOBS,
        quick: 50 * JOBS / 10,
        counted: 10 * JOBS,
        system_calls: true,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, threads::blocking::<S>(JOBS, n)))),
    },
    Workload {
        name: "timer-cancel",
        title: "timer: armed, then cancelled",
        operation: "a timer",
        operations: 100_000,
        quick: 100_000 / 10,
        counted: 10_000,
        system_calls: true,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, timers::timer_cancel::<S>(n)))),
    },
    Workload {
        name: "timers-million",
        title: "1,000,000 timers: all armed, then all cancelled",
        operation: "a timer",
        operations: 1_000_000,
        quick: 1_000_000 / 10,
        counted: 50_000,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, timers::timers_million::<S>(n)))),
    },
    Workload {
        name: "timers-firing",
        title: "timers firing: 1,000 tasks sleep for 1 to 40 ms",
        operation: "a timer",
        operations: 10 * SLEEPERS,
        quick: 10 * SLEEPERS / 10,
        counted: 5 * SLEEPERS,
        system_calls: true,
        sides: &Name::ALL,
        kind: Kind::Here(on_each_side!(Side, |side: S, n| on(side, timers::timers_firing::<S>(n)))),
    },
    Workload {
        name: "idle-tasks",
        title: "1,000,000 idle tasks: memory beyond the future itself",
        operation: "a task",
        operations: 1_000_000,
        quick: 1_000_000,
        counted: 0,
        system_calls: false,
        sides: &Name::ALL,
        kind: Kind::InAChild(on_each_side!(Side, |side: S, n| on(side, idle::idle_tasks::<S>(n)))),
    },
    Workload {
        name: "echo-1",
        title: "TCP echo, 1 connection",
        operation: "a round trip",
        operations: 10_000,
        quick: 10_000 / 10,
        counted: 2_000,
        system_calls: true,
        sides: &Name::ALL,
        kind: echo::kind::<1>(),
    },
    Workload {
        name: "echo-64",
        title: "TCP echo, 64 connections",
        operation: "a round trip",
        operations: 40_000,
        quick: 40_000 / 10,
        counted: 10_000,
        system_calls: true,
        sides: &Name::ALL,
        kind: echo::kind::<64>(),
    },
    Workload {
        name: "echo-1000",
        title: "TCP echo, 1,000 connections",
        operation: "a round trip",
        operations: 40_000,
        quick: 40_000 / 10,
        counted: 20_000,
        system_calls: true,
        sides: &Name::ALL,
        kind: echo::kind::<1_000>(),
    },
];

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
