//! The runtime beside tokio and smol, on the same workloads, in the same run.
//!
//! ```text
//!   cargo bench -p runtime --bench runtime                      everything
//!   cargo bench -p runtime --bench runtime -- yield echo        some of it
//!   cargo bench -p runtime --bench runtime -- --quick           soon, and roughly
//! ```

#[path = "../side_by_side/mod.rs"]
mod side_by_side;
mod workloads;

use side_by_side::Bench;
use std::process::ExitCode;

fn main() -> ExitCode {
    side_by_side::run(&Bench {
        name: "runtime",
        workloads: &workloads::ALL,
        peers: &["tokio", "async-executor", "async-io", "blocking"],
        role: Some(workloads::LOAD),
        notes: Vec::new,
    })
}
