//! Going to sleep without missing the call to get up.
//!
//! ```text
//!             prepare                        nudge
//!   AWAKE ─────────────> PARKED ──┐   any ────────────> NOTIFIED   (and if it was PARKED: interrupt the reactor)
//!     ^                           │                        │
//!     └──────── unprepare ────────┘<───────────────────────┘
//! ```
//!
//! - A nudge before the sleep makes the sleep not happen; a nudge during the sleep ends it.
//! - What the nudger did before it nudged, the worker sees after it got up: every step is a swap, so a nudge that finds
//!   `NOTIFIED` still hands over what it brings.
//! - The reactor is interrupted (a system call) only if the worker may really be asleep in it.

use crate::std_or_loom::{AtomicU8, Ordering};

const AWAKE: u8 = 0;
const PARKED: u8 = 1;
const NOTIFIED: u8 = 2;

#[derive(Debug)]
pub(crate) struct ParkState(AtomicU8);

impl ParkState {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(AWAKE))
    }

    /// The worker says that it goes to sleep. `false`: somebody nudged it since it last got up, so it must not.
    #[must_use]
    pub(crate) fn prepare(&self) -> bool {
        let asleep = self.0.swap(PARKED, Ordering::AcqRel) == AWAKE;
        if !asleep {
            self.unprepare();
        }
        asleep
    }

    /// The worker is up. Nudges until here are answered: it looks at its queues next.
    pub(crate) fn unprepare(&self) {
        self.0.swap(AWAKE, Ordering::AcqRel);
    }

    /// Is the worker asleep, or about to be?
    pub(crate) fn is_parked(&self) -> bool {
        self.0.load(Ordering::Relaxed) == PARKED
    }

    /// Somebody put something in a queue. `true`: the worker may be asleep, and the caller must interrupt its reactor.
    #[must_use]
    pub(crate) fn nudge(&self) -> bool {
        self.0.swap(NOTIFIED, Ordering::AcqRel) == PARKED
    }
}
