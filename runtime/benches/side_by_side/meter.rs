//! What an operation costs: time of this process's processors, time on the wall, and allocations while they are counted.

use super::memory;
use rustix::time::{ClockId, clock_gettime};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Figures by name; the name says the unit.
pub(crate) type Sample = Vec<(&'static str, f64)>;

pub(crate) const CPU: &str = "CPU ns";
pub(crate) const WALL: &str = "wall ns";
pub(crate) const ALLOCATIONS: &str = "allocations";
pub(crate) const HEAP: &str = "heap bytes";
pub(crate) const RESIDENT: &str = "resident bytes";

pub(crate) struct Meter {
    cpu: Duration,
    wall: Instant,
    allocations: Option<u64>,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Self { allocations: memory::allocations(), wall: Instant::now(), cpu: process_cpu() }
    }

    /// What each of `operations` has cost since the start.
    pub(crate) fn spent(&self, operations: usize) -> Sample {
        let per_operation = |whole: f64| whole / operations as f64;
        let nanos = |whole: Duration| per_operation(whole.as_nanos() as f64);
        let mut sample = vec![(CPU, nanos(process_cpu() - self.cpu)), (WALL, nanos(self.wall.elapsed()))];
        if let (Some(before), Some(now)) = (self.allocations, memory::allocations()) {
            sample.push((ALLOCATIONS, per_operation((now - before) as f64)));
        }
        sample
    }
}

/// Set in children that run under tools: rustix reads the clock through the vDSO, which valgrind hides from it.
static WITHOUT_CLOCK: AtomicBool = AtomicBool::new(false);

/// From now on, processor time reads as zero.
pub(crate) fn leave_the_clock_alone() {
    WITHOUT_CLOCK.store(true, Ordering::Relaxed);
}

/// Processor time that all threads of this process have used.
fn process_cpu() -> Duration {
    if WITHOUT_CLOCK.load(Ordering::Relaxed) {
        return Duration::ZERO;
    }
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("a clock that counts from zero")
}
