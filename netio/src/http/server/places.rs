//! The places of a server: who has one, and who waits for one to be free.

use super::Shared;
use runtime::AbortHandle;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

#[derive(Debug, Default)]
pub(super) struct Places(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By the number of the connection; the handle is missing for a moment, until the task is spawned. In that order they are
    /// aborted, so that a simulated run repeats itself.
    taken: BTreeMap<u64, Option<AbortHandle>>,
    /// The server itself. Nobody else waits.
    waiting: Option<Waker>,
}

impl Places {
    pub(super) fn take(&self, number: u64) {
        self.0.lock().unwrap().taken.insert(number, None);
    }

    /// The task that has the place. It may be over already.
    pub(super) fn fill(&self, number: u64, task: AbortHandle) {
        if let Some(place) = self.0.lock().unwrap().taken.get_mut(&number) {
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

    pub(super) fn abort_all(&self) {
        let tasks: Vec<AbortHandle> = self.0.lock().unwrap().taken.values().flatten().cloned().collect();
        tasks.iter().for_each(AbortHandle::abort);
    }
}

/// A connection's place, given back when the connection is dropped.
pub(super) struct Place<H> {
    shared: Arc<Shared<H>>,
    number: u64,
}

impl<H> Place<H> {
    pub(super) fn new(shared: Arc<Shared<H>>, number: u64) -> Self {
        Place { shared, number }
    }
}

impl<H> Drop for Place<H> {
    fn drop(&mut self) {
        self.shared.places.free(self.number);
    }
}
