//! The primitives and the sets of futures beside those of tokio, smol's crates and futures-util: each on its own runtime, on the
//! same workloads, in the same run.
//!
//! ```text
//!   cargo bench -p runtime --bench sync                      everything
//!   cargo bench -p runtime --bench sync -- mutex mpsc        some of it
//!   cargo bench -p runtime --bench sync -- --quick           soon, and roughly
//! ```

mod primitives;
#[path = "../side_by_side/mod.rs"]
#[allow(dead_code, reason = "the harness serves other benchmarks too")]
mod side_by_side;
mod weight;
mod workloads;

use side_by_side::Bench;
use std::process::ExitCode;

fn main() -> ExitCode {
    side_by_side::run(&Bench {
        name: "sync",
        workloads: &workloads::ALL,
        peers: &["tokio", "async-executor", "async-lock", "async-channel", "async-broadcast", "futures-util"],
        role: None,
        notes: weight::notes,
    })
}
