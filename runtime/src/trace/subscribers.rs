//! The same events for whoever subscribes through the `tracing` crate (feature `tracing`): target `runtime`, level `TRACE`.
//!
//! What becomes of tasks is told: spawn, poll, pending, wake, done. Nothing is told while a lock of ours is held. Without the
//! feature, or without a subscriber that wants it, nothing is even made to be told.

use super::Kind;

/// Does anybody want to hear?
#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(crate) fn is_heard() -> bool {
    false
}

/// Tells nobody.
#[cfg(not(feature = "tracing"))]
pub(crate) fn tell(_worker: Option<usize>, _kind: &Kind) {}

/// Does anybody want to hear?
#[cfg(feature = "tracing")]
pub(crate) fn is_heard() -> bool {
    tracing::enabled!(target: "runtime", tracing::Level::TRACE)
}

/// Tells the subscribers, if it is about a task.
#[cfg(feature = "tracing")]
pub(crate) fn tell(worker: Option<usize>, kind: &Kind) {
    macro_rules! event {
        ($task:expr, $what:literal $(, $($more:tt)*)?) => {
            tracing::trace!(target: "runtime", task = %$task, worker, $($($more)*,)? $what)
        };
    }
    match kind {
        Kind::Spawn { task, name, by } => event!(task, "spawn", name = name.as_deref(), by = ?by),
        Kind::Poll { task } => event!(task, "poll"),
        Kind::Pending { task } => event!(task, "pending"),
        Kind::Wake { task, by } => event!(task, "wake", by = ?by),
        Kind::Done { task, outcome } => event!(task, "done", outcome = ?outcome),
        // Of the worker, not of a task; and readiness is seen under the reactor's lock.
        Kind::Park { .. } | Kind::Unpark | Kind::Ready { .. } | Kind::Steal { .. } | Kind::Timer { .. } => {}
    }
}
