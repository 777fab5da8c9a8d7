//! The spawner's side of the cell: a counted reference, and the protocol by which the handle gets the output.
//!
//! ```text
//!   handle: fill the slot ── publish ──> pending            runtime: complete ──> slot published? wake what is in it
//!              ^               │ complete already: the slot stays ours, take the output
//!              └─ take back ───┘ (to put another waker in)
//! ```
//!
//! Who owns the output and the waker slot at which moment is the table in [`cell`](super::cell).
#![expect(unsafe_code, reason = "it reaches into the task cell, by the rules that stand there")]

use super::{
    AbortHandle, JoinError,
    cell::{Birth, Header, Observer, contain, deliver, release},
    state::{Detached, State, TaskState},
};
use crate::awaits::{self, Note, Who};
use std::{fmt, ptr::NonNull, task::Waker};

/// A counted reference to a task of unknown type, as handles hold it.
pub(crate) struct Reference(NonNull<Header>);

// SAFETY: what a reference reaches is atomic or immutable; the two functions that reach more say whose right that is.
unsafe impl Send for Reference {}
// SAFETY: as above.
unsafe impl Sync for Reference {}

impl Reference {
    /// A reference that has been counted already: by `retain`, or at birth for the handle.
    pub(super) fn counted(header: NonNull<Header>) -> Self {
        Self(header)
    }

    fn header(&self) -> &Header {
        // SAFETY: we hold a reference.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn birth(&self) -> &Birth {
        &self.header().birth
    }

    pub(super) fn is_complete(&self) -> bool {
        self.header().state.is_complete()
    }

    pub(super) fn state(&self) -> TaskState {
        self.header().state.read()
    }

    /// Shows who observes its runtime to `look`, if anybody does.
    fn with_observer(&self, mut look: impl FnMut(&dyn Observer)) {
        // SAFETY: we hold a reference.
        unsafe { (self.header().vtable.observer)(self.0, &mut look) };
    }

    /// Notes that the current task waits for this one.
    pub(super) fn note_wait(&self) {
        awaits::note(|| {
            let mut runtime = 0;
            self.with_observer(|observer| runtime = observer.runtime());
            Note::Task(Who { runtime, task: self.birth().id.0 })
        });
    }

    pub(super) fn abort(&self) {
        // SAFETY: we hold a reference.
        unsafe { deliver(self.0, State::abort) };
    }

    /// Asks the task to end: those that heed it see to that themselves, and the others are aborted.
    pub(super) fn ask(&self) {
        // SAFETY: we hold a reference, and the other one is to the same task.
        let heeded = !self.is_complete() && unsafe { (self.header().vtable.asked)(self.0, AbortHandle(self.clone())) };
        if !heeded {
            self.abort();
        }
    }

    /// The handle's part of the join protocol: the output, or `None` with `waker` in place for when it comes.
    ///
    /// # Safety
    /// Only the one handle calls this, with the task's own output type, and never from two threads at once.
    ///
    /// # Panics
    /// When the output was taken before.
    pub(super) unsafe fn poll_output<T>(&self, waker: &Waker) -> Option<Result<T, JoinError>> {
        // SAFETY: as the caller promises.
        if !self.is_complete() && unsafe { self.place_join_waker(waker) } {
            return None;
        }
        let mut output: Option<Result<T, JoinError>> = None;
        // SAFETY: complete, and the handle lives: the output is its own.
        unsafe { (self.header().vtable.take_output)(self.0, NonNull::from(&mut output).cast()) };
        Some(output.expect("a JoinHandle was polled after it had given its output"))
    }

    /// Puts `waker` in the slot. `false`: the task completed meanwhile.
    ///
    /// # Safety
    /// Only the handle calls this.
    unsafe fn place_join_waker(&self, waker: &Waker) -> bool {
        let Header { state, join_waker, .. } = self.header();
        if state.has_join_waker() && !state.take_back_join_waker() {
            return false;
        }
        // The slot is ours. Cloning and dropping foreign wakers can run any code, but nobody else waits for the slot.
        // SAFETY: `JOIN_WAKER` is unset: the slot is the handle's.
        let stored = join_waker.with_mut(|slot| unsafe { (*slot).take() });
        let fresh = match stored {
            Some(stored) if stored.will_wake(waker) => stored,
            stale => {
                drop(stale);
                waker.clone()
            }
        };
        // SAFETY: as above. (Taken out meanwhile: should the foreign code panic, no stale waker stays behind.)
        join_waker.with_mut(|slot| unsafe { *slot = Some(fresh) });
        if state.publish_join_waker() {
            return true;
        }
        // SAFETY: too late: completion saw no waker, so the slot is still the handle's.
        drop(join_waker.with_mut(|slot| unsafe { (*slot).take() }));
        false
    }

    /// The handle is being dropped: whatever it owned goes with it.
    ///
    /// # Safety
    /// Called once, by the one handle, with the task's own output type.
    pub(super) unsafe fn detach<T>(&self) {
        let Header { state, vtable, join_waker, .. } = self.header();
        let Detached { output_is_ours, waker_is_ours } = state.detach();
        if waker_is_ours {
            // Two tasks that await each other's handles would keep each other alive for ever through these slots.
            // SAFETY: `JOIN_WAKER` went before `COMPLETE` came: nobody else looks at the slot.
            drop(join_waker.with_mut(|slot| unsafe { (*slot).take() }));
        }
        if output_is_ours {
            let mut output: Option<Result<T, JoinError>> = None;
            // SAFETY: complete, and the handle's right to the output is used here for the last time.
            unsafe { (vtable.take_output)(self.0, NonNull::from(&mut output).cast()) };
            let unseen = output.is_some();
            contain(|| drop(output));
            if unseen {
                self.with_observer(|observer| observer.unobserved(self.birth().id));
            }
        }
    }
}

impl Clone for Reference {
    fn clone(&self) -> Self {
        self.header().state.retain();
        Self(self.0)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: it is ours to give up.
        unsafe { release(self.0) };
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.birth(), f)
    }
}
