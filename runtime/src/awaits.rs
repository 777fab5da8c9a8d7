//! What tasks wait for, as the leaf operations tell it: for the registry of tasks and the graph of who waits for whom.
//!
//! A primitive [notes](waits_for) what its waiter waits for when it is about to say `Pending`; what can have an owner (a lock, a
//! permit) also tells who [has](taken) it. A resource is named by what it is and by the address of its shared state. Where
//! nobody wants to know, each call is a look at one thread-local word.

/// The current task waits for `resource`, a `kind` of thing. Said when a poll is about to be `Pending`.
#[inline]
pub(crate) fn waits_for(_kind: &'static str, _resource: usize) {}

/// The current task has `resource` now.
#[inline]
pub(crate) fn taken(_kind: &'static str, _resource: usize) {}

/// Somebody who had `resource` gave it back.
#[inline]
pub(crate) fn given_back(_resource: usize) {}
