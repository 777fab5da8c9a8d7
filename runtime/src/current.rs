//! What the current thread belongs to: one thread-local slot for each room that needs to find "its" instance.
//!
//! A slot is set by [`enter`] and put back as it was when the guard is dropped, so entering nests. Nothing of ours runs user
//! code while a slot is borrowed, and a slot that is already gone (the thread is ending) reads as empty.

use std::{cell::RefCell, thread::LocalKey};

pub(crate) type Slot<T> = RefCell<Option<T>>;

/// Puts `value` in the slot until the guard is dropped.
pub(crate) fn enter<T>(slot: &'static LocalKey<Slot<T>>, value: T) -> Entered<T> {
    // A thread that is ending may have lost its slots: then nobody looks for us there.
    Entered { slot, before: slot.try_with(|slot| slot.replace(Some(value))).ok().flatten() }
}

/// What is in the slot now.
pub(crate) fn get<T: Clone>(slot: &'static LocalKey<Slot<T>>) -> Option<T> {
    with(slot, T::clone)
}

/// Runs `look` on what is in the slot. `look` must not run user code: the slot is borrowed.
pub(crate) fn with<T, R>(slot: &'static LocalKey<Slot<T>>, look: impl FnOnce(&T) -> R) -> Option<R> {
    slot.try_with(|slot| slot.borrow().as_ref().map(look)).ok().flatten()
}

#[must_use = "the slot is put back when the guard is dropped"]
pub(crate) struct Entered<T: 'static> {
    slot: &'static LocalKey<Slot<T>>,
    before: Option<T>,
}

impl<T> Drop for Entered<T> {
    fn drop(&mut self) {
        let before = self.before.take();
        let ours = self.slot.try_with(|slot| slot.replace(before));
        drop(ours);
    }
}
