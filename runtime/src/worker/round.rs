//! The roll call at an end: who must sweep, and has everybody?
//!
//! ```text
//!   whoever ends all tasks         a worker that begins
//!   ──────────────────────         ────────────────────
//!   round += 1                     present = true
//!   fence                          fence
//!   who is present?                swept = round
//!   wait until swept == round
//! ```
//!
//! A worker that begins has nothing to sweep. The fences pair: either the end sees that the worker is present, and waits for it, or
//! the worker begins in the new round, and whatever it runs is cancelled by the phase that it finds.

use crate::std_or_loom::{AtomicUsize, Ordering, fence};

/// Counts the ends of a runtime: each `block_on`'s, and its own.
pub(super) struct Round(AtomicUsize);

/// One worker's answer.
pub(super) struct Answer {
    present: AtomicUsize,
    /// The last round that this worker has done its part of.
    swept: AtomicUsize,
}

impl Round {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// From now on every worker owes a sweep.
    pub(super) fn call(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
        // Pairs with the fence in `begin`.
        fence(Ordering::SeqCst);
    }

    pub(super) fn number(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Answer {
    pub(super) fn new() -> Self {
        Self { present: AtomicUsize::new(0), swept: AtomicUsize::new(0) }
    }

    /// A thread works here now.
    pub(super) fn begin(&self, round: &Round) {
        self.present.store(1, Ordering::Release);
        // Pairs with the fence in `call`.
        fence(Ordering::SeqCst);
        self.swept.store(round.number(), Ordering::Release);
    }

    /// Nobody works here any more. It has swept.
    pub(super) fn leave(&self) {
        self.present.store(0, Ordering::Release);
    }

    pub(super) fn is_present(&self) -> bool {
        self.present.load(Ordering::Acquire) != 0
    }

    /// The worker is done with this round. Release: who sees it sees that its tasks are gone.
    pub(super) fn has_swept(&self, round: usize) {
        self.swept.store(round, Ordering::Release);
    }

    /// Does the worker still owe a sweep?
    pub(super) fn owes(&self, round: usize) -> bool {
        self.swept.load(Ordering::Acquire) != round
    }

    /// Must the end wait for it?
    pub(super) fn is_waited_for(&self, round: usize) -> bool {
        self.owes(round) && self.is_present()
    }
}
