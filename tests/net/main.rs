//! Sockets: with the system's, on each poller, and in simulated worlds.

mod connect;
mod duplex;
mod happy_eyeballs;
mod lookup;
mod tcp;
mod udp;
mod unix;

use runtime::Runtime;
use std::future::Future;
use tests::wire::on_each_poller;

/// Runs a test with the system's sockets, and then in simulated worlds.
fn run(test: impl AsyncFn()) {
    on_each_poller(&test);
    in_worlds(test);
}

/// Runs a test in simulated worlds where packets take no time.
fn in_worlds(test: impl AsyncFn()) {
    tests::wire::in_worlds(test);
}

/// Runs a test on a virtual clock; there are no sockets in it.
fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test)
}

/// Fails if a task that does `operation` again and again never lets another one run.
async fn assert_gives_way(mut operation: impl AsyncFnMut()) {
    let other = runtime::spawn(async {});
    for _ in 0..1000 {
        operation().await;
        if other.is_finished() {
            return;
        }
    }
    panic!("the other task has not run");
}
