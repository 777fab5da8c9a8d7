//! The places of a server: who has one, and who waits for one to be free.

use runtime::AbortHandle;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

/// For connections, or for tasks in the background: each has a number, and a task that can be aborted.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of the one that came last.
    last: u64,
    /// By the number; the handle is missing for a moment, until the task is spawned. In that order they are aborted, so that
    /// a simulated run repeats itself.
    taken: BTreeMap<u64, Option<AbortHandle>>,
    /// Whoever comes now is aborted at once.
    closed: bool,
    /// The server itself. Nobody else waits.
    waiting: Option<Waker>,
}

impl Places {
    /// A place, for as long as it is not dropped.
    pub(super) fn take(self: &Arc<Self>) -> Place {
        let mut state = self.0.lock().unwrap();
        state.last += 1;
        let number = state.last;
        state.taken.insert(number, None);
        Place { places: self.clone(), number }
    }

    /// The task that has the place. It may be over already.
    pub(super) fn fill(&self, number: u64, task: AbortHandle) {
        let mut state = self.0.lock().unwrap();
        if state.closed {
            drop(state);
            task.abort();
        } else if let Some(place) = state.taken.get_mut(&number) {
            *place = Some(task);
        }
    }

    fn free(&self, number: u64) {
        let (task, waker) = {
            let mut state = self.0.lock().unwrap();
            (state.taken.remove(&number), state.waiting.take())
        };
        drop(task);
        waker.into_iter().for_each(Waker::wake);
    }

    /// The number of the one that came last.
    pub(super) fn last(&self) -> u64 {
        self.0.lock().unwrap().last
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.lock().unwrap().taken.len()
    }

    /// Waits until no more than `most` are taken.
    pub(super) async fn at_most(&self, most: usize) {
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut state = self.0.lock().unwrap();
            if state.taken.len() <= most {
                return Poll::Ready(());
            }
            let stale = state.waiting.replace(waker);
            drop(state);
            drop(stale);
            Poll::Pending
        })
        .await;
    }

    /// Aborts all, and whoever still comes.
    pub(super) fn close(&self) {
        let tasks: Vec<AbortHandle> = {
            let mut state = self.0.lock().unwrap();
            state.closed = true;
            state.taken.values().flatten().cloned().collect()
        };
        tasks.iter().for_each(AbortHandle::abort);
    }
}

/// A place that is taken, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
}

impl Place {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.free(self.number);
    }
}
