//! `runtime::group`, seen from outside: who ends whom, who waits for whom, and what is lost when a wait is given up (nothing).

mod join_set;
#[expect(dead_code, reason = "the primitives need more of it than the groups do")]
#[path = "../sync/support.rs"]
mod support;
mod task_group;
mod trees;
mod wait;

use runtime::Runtime;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A runtime on which waits cost nothing.
fn virtual_time() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Counts who is alive.
#[derive(Clone, Default)]
struct Census(Arc<AtomicUsize>);

struct Alive(Arc<AtomicUsize>);

impl Census {
    fn born(&self) -> Alive {
        self.0.fetch_add(1, Ordering::SeqCst);
        Alive(self.0.clone())
    }

    fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
