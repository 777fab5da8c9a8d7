//! Chapter 0: how long nothing was running, read from a trace.

use runtime::trace::{Event, Kind};
use std::time::Duration;

mod starter {
    use super::*;

    // ANCHOR: starter
    /// How long the worker slept, all in all.
    pub(crate) fn idle(events: &[Event]) -> Duration {
        // TODO: add up the times from each `Kind::Park` to the next `Kind::Unpark`.
        let _ = events;
        Duration::ZERO
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// How long the worker slept, all in all.
    pub(crate) fn idle(events: &[Event]) -> Duration {
        let mut parked = None;
        let mut idle = Duration::ZERO;
        for event in events {
            match event.kind {
                Kind::Park { .. } => parked = Some(event.at),
                Kind::Unpark => {
                    if let Some(since) = parked.take() {
                        idle += event.at - since;
                    }
                }
                _ => {}
            }
        }
        idle
    }
    // ANCHOR_END: solution
}

/// Two sleeps of the worker, and a little work between them.
fn check(idle: fn(&[Event]) -> Duration) {
    let at = |milliseconds, kind| Event { at: Duration::from_millis(milliseconds), worker: Some(0), kind };
    let task = runtime::TaskId::MAIN;
    let events = [
        at(0, Kind::Poll { task }),
        at(2, Kind::Pending { task }),
        at(2, Kind::Park { until: Some(Duration::from_millis(30)) }),
        at(31, Kind::Unpark),
        at(31, Kind::Timer { due: Duration::from_millis(30) }),
        at(32, Kind::Poll { task }),
        at(35, Kind::Pending { task }),
        at(35, Kind::Park { until: None }),
        at(55, Kind::Unpark),
        at(56, Kind::Poll { task }),
    ];
    assert_eq!(idle(&events), Duration::from_millis(29 + 20), "the worker slept twice: for 29 ms, and for 20 ms");

    let runtime = runtime::Runtime::builder().virtual_clock().trace().build().expect("a runtime");
    runtime.block_on(async { runtime::time::sleep(Duration::from_secs(3)).await });
    let slept = idle(runtime.trace().events());
    assert_eq!(slept, Duration::from_secs(3), "on the virtual clock a sleep of 3 s takes exactly 3 s");
}

crate::judge! { check(idle), the starter fails with "the worker slept twice" }
