//! What is ready to run: the worker's own queue, and the injector through which other threads add to it.
//!
//! ```text
//!   wake on the worker's thread ──> Local    (no lock, no atomics)
//!   wake on any other thread ─────> Injector ──(the worker empties it before each batch)──> Local
//! ```
//!
//! Both are first in, first out.

use crate::task::Task;
use std::{cell::RefCell, collections::VecDeque};

#[cfg(not(runtime_loom))]
use crossbeam_queue::SegQueue as SharedQueue;

/// Loom cannot see into crossbeam's queue; the models use a lock instead.
#[cfg(runtime_loom)]
#[derive(Debug)]
struct SharedQueue<T>(crate::std_or_loom::Mutex<VecDeque<T>>);

#[cfg(runtime_loom)]
impl<T> SharedQueue<T> {
    fn new() -> Self {
        Self(crate::std_or_loom::Mutex::new(VecDeque::new()))
    }
    fn push(&self, value: T) {
        self.0.lock().unwrap().push_back(value);
    }
    fn pop(&self) -> Option<T> {
        self.0.lock().unwrap().pop_front()
    }
}

/// Something to run.
pub(crate) enum Runnable {
    /// The future given to `block_on`. It lives on the stack of the worker's thread.
    Main,
    /// A spawned task.
    Task(Task),
}

/// The worker's own queue. It is only borrowed for a push or a pop, never while anything runs.
#[derive(Default)]
pub(crate) struct Local(RefCell<VecDeque<Runnable>>);

impl Local {
    pub(crate) fn push(&self, runnable: Runnable) {
        self.0.borrow_mut().push_back(runnable);
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        self.0.borrow_mut().pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// The way in from other threads. Pushing does not wake the worker: the caller unparks it afterwards.
pub(crate) struct Injector(SharedQueue<Runnable>);

impl Injector {
    pub(crate) fn new() -> Self {
        Self(SharedQueue::new())
    }

    pub(crate) fn push(&self, runnable: Runnable) {
        self.0.push(runnable);
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        self.0.pop()
    }
}
