//! Whether to try, when, and how many at once: under a virtual clock, on many seeds, cut at every poll, and on several workers.

mod adaptive;
mod breaker;
mod rate_limit;
mod retry;

#[expect(dead_code, reason = "the tests of the primitives need more of it")]
#[path = "../../runtime/tests/sync/support.rs"]
mod support;

use runtime::Runtime;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Runs a test on a virtual clock.
fn timed<T>(test: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test)
}
