//! What asyncio's and trio's own tests hold of theirs, held of ours, case by case and under the same names. A module is a section:
//! it says which of the section's cases do not apply here, and why.
//!
//! Sources of the cases (not of the code): CPython 3.13 `Lib/test/test_asyncio`, and trio 0.35 `_tests` and `_core/_tests`.

mod as_completed;
mod barrier;
mod cancel_scope;
mod capacity_limiter;
mod channels;
mod condition;
mod event;
mod gather;
mod lock;
mod nursery;
mod parking_lot;
mod queues;
mod semaphore;
mod shield;
mod task_group;
mod tasks;
mod threadsafe;
mod timeouts;
mod wait;
mod wait_for;
