//! How much of everything: counters that cost nothing to keep.

use crate::blocking::BlockingStats;

/// A runtime in numbers, from [`Handle::metrics`](crate::Handle::metrics). Each number is right for one moment, not all of
/// them for the same: on several workers they may differ by what happened in between.
///
/// ```
/// runtime::block_on(async {
///     runtime::spawn(async {}).await.unwrap();
///     let metrics = runtime::Handle::current().metrics();
///     assert_eq!((metrics.spawned, metrics.completed, metrics.live), (1, 1, 0));
///     assert_eq!(metrics.workers.len(), 1);
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Each worker's.
    pub workers: Vec<WorkerMetrics>,
    /// Tasks that were spawned, jobs on blocking threads not among them.
    pub spawned: u64,
    /// Tasks that ended, in whichever way.
    pub completed: u64,
    /// Of these, those that panicked.
    pub panicked: u64,
    /// Of these, those that were cancelled.
    pub cancelled: u64,
    /// Tasks that were spawned and have not ended.
    pub live: u64,
    /// Tasks that were woken or spawned elsewhere, and wait for a worker to take them.
    pub injected: usize,
    /// The threads for blocking jobs.
    pub blocking: BlockingStats,
}

/// One worker in numbers.
///
/// ```
/// let runtime = runtime::Runtime::new().unwrap();
/// runtime.block_on(async { runtime::yield_now().await });
/// assert_eq!(runtime.metrics().workers[0].polls, 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerMetrics {
    /// Polls, the main future's among them: up to the batch that runs now.
    pub polls: u64,
    /// How often it took tasks out of another worker's queue.
    pub steals: u64,
    /// How often it slept because there was nothing to run. (Under a virtual clock, time jumps instead.)
    pub parks: u64,
    /// Tasks in the part of its queue that others can see: of a single worker, none is.
    pub queued: usize,
    /// Sources registered with its reactor.
    pub sources: usize,
    /// Timers armed in its wheel.
    pub timers: usize,
}
