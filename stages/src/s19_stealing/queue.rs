//! A worker's own queue. It is open to the others all the time: a lock is held for a push, a pop or a theft, and never while a task runs.

// ANCHOR: imports
use super::Task;
use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard},
};
// ANCHOR_END: imports

// ANCHOR: queue
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The task woken last: what it is to read is still in this processor's cache, so it runs next.
    next: Option<Arc<Task>>,
    /// How often in a row that has been so.
    in_a_row: u32,
    /// All others, first come first served.
    rest: VecDeque<Arc<Task>>,
}

/// Two tasks that wake each other must not keep the rest waiting for ever.
const MOST_IN_A_ROW: u32 = 3;

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing that can panic runs under this lock")
    }

    /// It was woken, or is new: it runs next. Who was to run next goes to the end.
    pub(super) fn push_next(&self, task: Arc<Task>) {
        let mut state = self.lock();
        let displaced = state.next.replace(task);
        state.rest.extend(displaced);
    }

    /// It has given way: all others first.
    pub(super) fn push_last(&self, task: Arc<Task>) {
        let mut state = self.lock();
        let displaced = state.next.take();
        state.rest.extend(displaced);
        state.rest.push_back(task);
    }

    /// Nobody runs next out of turn.
    pub(super) fn settle(&self) {
        let mut state = self.lock();
        let displaced = state.next.take();
        state.rest.extend(displaced);
    }

    pub(super) fn pop(&self) -> Option<Arc<Task>> {
        let mut state = self.lock();
        state.in_a_row += 1;
        if state.in_a_row > MOST_IN_A_ROW && !state.rest.is_empty() {
            let displaced = state.next.take();
            state.rest.extend(displaced);
        }
        state.next.take().or_else(|| {
            state.in_a_row = 0;
            state.rest.pop_front()
        })
    }

    /// The older half, and at least one.
    pub(super) fn steal(&self) -> VecDeque<Arc<Task>> {
        let mut state = self.lock();
        let half = state.rest.len().div_ceil(2);
        let mut stolen: VecDeque<_> = state.rest.drain(..half).collect();
        if stolen.is_empty() {
            // Its worker may be stuck in a poll, and this task behind it.
            stolen.extend(state.next.take());
        }
        stolen
    }

    pub(super) fn extend(&self, tasks: VecDeque<Arc<Task>>) {
        self.lock().rest.extend(tasks);
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.next.is_none() && state.rest.is_empty()
    }

    pub(super) fn clear(&self) {
        let left = mem::take(&mut *self.lock());
        drop(left);
    }
}
// ANCHOR_END: queue
