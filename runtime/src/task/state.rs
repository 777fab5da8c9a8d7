//! The state word of a task: six bits, a reference count, and the only transitions there are.
//!
//! | bit | set when | what it means while it is set |
//! |---|---|---|
//! | `SCHEDULED` | woken; unset when a run begins | a run is due, which sees all that was done before the wake |
//! | `HELD` | woken, when nobody held it; unset when a run ends and none is due | the task is in one pair of hands: a queue's, or those of the worker that runs it, who alone may touch the future |
//! | `COMPLETE` | the future is gone | the output is in place; never unset |
//! | `CANCELLED` | `abort` | the next run drops the future instead of polling it |
//! | `HANDLE` | at birth | a `JoinHandle` lives, and the output belongs to it |
//! | `JOIN_WAKER` | the handle stored a waker | the slot belongs to the runtime; unset, it belongs to the handle |
//!
//! The rest of the word counts references: one for the future until it is complete (so that a queue needs none), one for
//! the handle, one for each waker and each abort handle.
//!
//! ```text
//!            wake: push it                start                  wake
//!   idle ───────────────────> SCHEDULED ─────────> running ──────────────> running, and due again
//!    00                          HELD     <──┐       HELD                    SCHEDULED, HELD
//!    ^                                       └─────────────────────────────────────┘ end: queue it again
//!    └───────────────────────────────────────────────┘ end
//! ```
//!
//! Whoever wakes a task that nobody holds has the **licence** to push it on a queue, once. A task that was woken while it ran
//! is handed from the worker to the queue as it is: in the queue its word looks the same, so that costs nothing.
//!
//! Each transition is **one** read-modify-write. So all of them stand in one order, and each sees everything that was
//! written before those that stand before it: a waker that finds `SCHEDULED` already set still publishes its data to the
//! coming poll. (A load would not: tokio #7622.)

use crate::std_or_loom::{AtomicUsize, Ordering};
use std::fmt;

const SCHEDULED: usize = 1;
const HELD: usize = 1 << 1;
const COMPLETE: usize = 1 << 2;
const CANCELLED: usize = 1 << 3;
const HANDLE: usize = 1 << 4;
const JOIN_WAKER: usize = 1 << 5;
const REFERENCE: usize = 1 << 6;

/// Far beyond what can happen, far enough from overflow that the threads racing past it cannot reach it.
const TOO_MANY_REFERENCES: usize = usize::MAX / 2;

#[derive(Debug)]
pub(super) struct State(AtomicUsize);

/// Where a task stands, as [`JoinHandle::state`](super::JoinHandle::state) saw it: one moment, which may be over.
///
/// ```text
///              wake               poll                ready
///   Idle ──────────────> Scheduled ─────────> Running ───────> Completed
///     ^                                          │                 ^
///     └──────────────── pending ─────────────────┘                 │
///   abort, from any of the three: Aborting ────────────────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// It waits to be woken.
    Idle,
    /// A poll is due: it is new, or was woken, and waits in a queue for its turn. Or it was woken in the very poll that it is
    /// in, and goes to the queue after that.
    Scheduled,
    /// A worker polls it, and nobody woke it meanwhile.
    Running,
    /// It was asked to end, and its future is not dropped yet: it waits for its turn, or is in a poll that may still complete it.
    Aborting,
    /// Its future is gone. Whether it ended with an output, by a panic or cancelled, its `JoinHandle` says.
    Completed,
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TaskState::Idle => "idle",
            TaskState::Scheduled => "scheduled",
            TaskState::Running => "running",
            TaskState::Aborting => "aborting",
            TaskState::Completed => "completed",
        })
    }
}

/// What a wake found.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// The task was idle: the caller holds the licence and must push it on a queue.
    Push,
    /// The task is being polled: whoever polls it will push it again.
    Noted,
    /// It was scheduled already, or it is complete.
    Nothing,
}

/// What the start of a run found.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Started {
    Poll,
    Cancel,
}

/// What the end of a pending poll found.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nobody woke it meanwhile: it belongs to its wakers now and must not be touched.
    Idle,
    /// It was woken while it ran: the caller holds the licence.
    Again,
}

/// What completion found: who owns the output, and the waker slot.
#[must_use]
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) handle_alive: bool,
    pub(super) join_waker: bool,
}

/// What dropping the handle leaves to be done.
#[must_use]
#[derive(Debug)]
pub(super) struct Detached {
    pub(super) output_is_ours: bool,
    pub(super) waker_is_ours: bool,
}

impl State {
    /// Scheduled, in the hands of whoever makes it, with a handle; referenced by the future and by the handle.
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(SCHEDULED | HELD | HANDLE | (2 * REFERENCE)))
    }

    // ANCHOR: transitions
    #[inline]
    pub(super) fn wake(&self) -> Woken {
        // Release: the poll that follows sees what the waker did. Acquire: whoever pushes sees the end of the last poll.
        Self::woken(self.0.fetch_or(SCHEDULED | HELD, Ordering::AcqRel))
    }

    pub(super) fn abort(&self) -> Woken {
        Self::woken(self.0.fetch_or(SCHEDULED | HELD | CANCELLED, Ordering::AcqRel))
    }

    fn woken(before: usize) -> Woken {
        match before & (SCHEDULED | HELD | COMPLETE) {
            0 => Woken::Push,
            HELD => Woken::Noted,
            _ => Woken::Nothing,
        }
    }

    /// A run begins. The caller must hold the licence.
    #[inline]
    pub(super) fn start(&self) -> Started {
        let before = self.0.fetch_and(!SCHEDULED, Ordering::AcqRel);
        debug_assert_eq!(before & (SCHEDULED | HELD | COMPLETE), SCHEDULED | HELD, "run without a licence");
        if before & CANCELLED == 0 { Started::Poll } else { Started::Cancel }
    }

    /// A run ends with the future pending.
    #[inline]
    pub(super) fn end(&self) -> Ended {
        // A look first: only a start unsets `SCHEDULED`, so what is due stays due. (`start` acquires what the wake brought.)
        if self.0.load(Ordering::Relaxed) & SCHEDULED == 0 {
            // Release: whoever wakes it next, and runs it, sees what this run did.
            let before = self.0.fetch_and(!HELD, Ordering::AcqRel);
            debug_assert_eq!(before & (HELD | COMPLETE), HELD);
            if before & SCHEDULED == 0 {
                return Ended::Idle;
            }
            // Woken between the look and the end. Nobody else pushes what is scheduled already: it is still ours.
            self.0.fetch_or(HELD, Ordering::Relaxed);
        }
        Ended::Again
    }

    /// The last run ends: publishes the output.
    #[inline]
    pub(super) fn complete(&self) -> Completed {
        let before = self.0.fetch_xor(HELD | COMPLETE, Ordering::AcqRel);
        debug_assert_eq!(before & (HELD | COMPLETE), HELD);
        Completed { handle_alive: before & HANDLE != 0, join_waker: before & JOIN_WAKER != 0 }
    }
    // ANCHOR_END: transitions

    /// Has the output been published? `Acquire`: if so, it can be read.
    #[inline]
    pub(super) fn is_complete(&self) -> bool {
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Where the task stands. `Acquire`: whoever sees it completed sees what it did.
    pub(super) fn read(&self) -> TaskState {
        let word = self.0.load(Ordering::Acquire);
        match word {
            _ if word & COMPLETE != 0 => TaskState::Completed,
            _ if word & CANCELLED != 0 => TaskState::Aborting,
            _ if word & SCHEDULED != 0 => TaskState::Scheduled,
            _ if word & HELD != 0 => TaskState::Running,
            _ => TaskState::Idle,
        }
    }

    /// Does the waker slot hold a waker that the runtime owns? Only the handle asks, and only the handle changes the bit.
    pub(super) fn has_join_waker(&self) -> bool {
        self.0.load(Ordering::Acquire) & JOIN_WAKER != 0
    }

    /// Hands the filled waker slot to the runtime. `false`: too late, the task is complete and the slot stays ours.
    pub(super) fn publish_join_waker(&self) -> bool {
        let before = self.0.fetch_or(JOIN_WAKER, Ordering::AcqRel);
        debug_assert_eq!(before & JOIN_WAKER, 0);
        before & COMPLETE == 0
    }

    /// Takes the waker slot back to change it. `false`: too late, the task is complete and the slot is the runtime's.
    pub(super) fn take_back_join_waker(&self) -> bool {
        self.0.fetch_and(!JOIN_WAKER, Ordering::AcqRel) & COMPLETE == 0
    }

    pub(super) fn detach(&self) -> Detached {
        // The usual case, for the price of a load: nobody looks at these two bits any more.
        if self.is_complete() {
            return Detached { output_is_ours: true, waker_is_ours: false };
        }
        let before = self.0.fetch_and(!(HANDLE | JOIN_WAKER), Ordering::AcqRel);
        debug_assert_ne!(before & HANDLE, 0);
        let complete = before & COMPLETE != 0;
        Detached { output_is_ours: complete, waker_is_ours: !complete && before & JOIN_WAKER != 0 }
    }

    /// One more reference. `Relaxed`: it is made from another, which keeps the cell alive.
    #[inline]
    pub(super) fn retain(&self) {
        if self.0.fetch_add(REFERENCE, Ordering::Relaxed) > TOO_MANY_REFERENCES {
            // As `Arc` does: wrapping round would free a cell in use.
            std::process::abort();
        }
    }

    /// One reference fewer. `true`: it was the last, and the cell must be freed.
    /// `AcqRel`: whoever frees it sees all that the others did to it.
    #[inline]
    pub(super) fn release(&self) -> bool {
        let before = self.0.fetch_sub(REFERENCE, Ordering::AcqRel);
        debug_assert!(before >= REFERENCE, "released once too often");
        before / REFERENCE == 1
    }
}

#[cfg(all(test, not(runtime_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_licence_is_given_once() {
        let state = State::new();
        assert_eq!(state.wake(), Woken::Nothing, "born scheduled");
        assert_eq!(state.start(), Started::Poll);
        assert_eq!(state.read(), TaskState::Running);
        assert_eq!(state.wake(), Woken::Noted);
        assert_eq!(state.read(), TaskState::Scheduled, "woken, and still in its poll");
        assert_eq!(state.wake(), Woken::Nothing);
        assert_eq!(state.end(), Ended::Again);
        assert_eq!(state.start(), Started::Poll);
        assert_eq!(state.end(), Ended::Idle);
        assert_eq!(state.read(), TaskState::Idle);
        assert_eq!(state.wake(), Woken::Push);
        assert_eq!(state.read(), TaskState::Scheduled);
    }

    #[test]
    fn an_abort_while_running_shows_at_the_next_start() {
        let state = State::new();
        assert_eq!(state.start(), Started::Poll);
        assert_eq!(state.abort(), Woken::Noted);
        assert_eq!(state.read(), TaskState::Aborting);
        assert_eq!(state.end(), Ended::Again);
        assert_eq!(state.start(), Started::Cancel);
    }

    #[test]
    fn a_completed_task_is_never_scheduled_again() {
        let state = State::new();
        assert_eq!(state.start(), Started::Poll);
        assert!(state.complete().handle_alive);
        assert_eq!(state.wake(), Woken::Nothing);
        assert_eq!(state.abort(), Woken::Nothing);
        assert_eq!(state.read(), TaskState::Completed, "an abort that came too late changes nothing");
    }
}
