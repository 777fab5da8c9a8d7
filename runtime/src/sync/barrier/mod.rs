//! Waiting until all are there.
//!
//! A round is complete in the moment in which the last of them comes: it finds the others in line, gives each its index, and
//! goes on without waiting. Whoever comes after that is in the next round, however slowly the last one leaves: there is no
//! state in between, and nothing that is done to the barrier later touches a round that was complete.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::waiters::{self, Key, Waiters, Wakers};
use crate::{
    awaits, budget,
    std_or_loom::{Mutex, MutexGuard},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Lets a fixed number of tasks pass together, round after round.
///
/// ```
/// use runtime::{future::join_all, sync::Barrier};
/// runtime::block_on(async {
///     let barrier = Barrier::new(3);
///     let party = async || {
///         // … one part of the work …
///         barrier.wait().await.unwrap().is_leader() // all parts are done
///     };
///     let leaders = join_all((0..3).map(|_| party())).await;
///     assert_eq!(leaders, [false, false, true]);
/// });
/// ```
pub struct Barrier {
    parties: usize,
    state: Mutex<State>,
}

struct State {
    broken: bool,
    /// Those of the round that is not complete: fewer than there are parties.
    waiting: Waiters<Outcome>,
}

/// What a waiter was told when it was chosen.
type Outcome = Result<usize, Broken>;

/// The barrier was [reset](Barrier::reset) while this task waited, or is [aborted](Barrier::abort): the others will not come.
///
/// ```
/// use runtime::sync::Barrier;
/// let barrier = Barrier::new(2);
/// barrier.abort();
/// let error = runtime::block_on(barrier.wait()).unwrap_err();
/// assert_eq!(error.to_string(), "the barrier was reset or aborted: not all came");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// That all were there, and which of them this one was.
///
/// ```
/// let alone = runtime::sync::Barrier::new(1);
/// let passed = runtime::block_on(alone.wait()).unwrap();
/// assert!(passed.is_leader());
/// assert_eq!(passed.index(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    index: usize,
    leads: bool,
}

impl BarrierWaitResult {
    /// As the how-manieth of this round it came, counted from 0: each has another. Those who left before it do not count.
    ///
    /// ```
    /// use runtime::{future::join, sync::Barrier};
    /// let barrier = Barrier::new(2);
    /// let (first, second) = runtime::block_on(join(barrier.wait(), barrier.wait()));
    /// assert_eq!((first.unwrap().index(), second.unwrap().index()), (0, 1));
    /// ```
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Is it the one of its round that does what is to be done once? It is the last one who came. That one does not wait, so
    /// it cannot be cancelled between the end of the round and its return: a round that is complete has its leader.
    ///
    /// ```
    /// use runtime::{future::join, sync::Barrier};
    /// let barrier = Barrier::new(2);
    /// let (first, second) = runtime::block_on(join(barrier.wait(), barrier.wait()));
    /// assert!(!first.unwrap().is_leader() && second.unwrap().is_leader());
    /// ```
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.leads
    }
}

impl Barrier {
    /// One for so many tasks. With one party everybody passes at once.
    ///
    /// # Panics
    /// With no parties: nobody could ever be the last one to come.
    ///
    /// ```should_panic
    /// runtime::sync::Barrier::new(0);
    /// ```
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier is for one party at least");
        Self { parties, state: Mutex::new(State { broken: false, waiting: Waiters::new() }) }
    }

    /// Waits until as many tasks are waiting as there are parties, and passes with them.
    ///
    /// # Errors
    /// [`Broken`]: the barrier is aborted, or was reset or aborted while this one waited.
    ///
    /// # Cancel safety
    /// A waiter that goes before the round is complete leaves the count: somebody else must come in its place. One that goes
    /// after that, before it ran, has been counted: the others pass, and its index is nobody's.
    ///
    /// ```
    /// use runtime::{spawn, sync::Barrier};
    /// use std::sync::Arc;
    /// runtime::block_on(async {
    ///     let barrier = Arc::new(Barrier::new(2));
    ///     let other = spawn({
    ///         let barrier = barrier.clone();
    ///         async move { barrier.wait().await }
    ///     });
    ///     assert!(barrier.wait().await.is_ok());
    ///     assert!(other.await.unwrap().is_ok());
    /// });
    /// ```
    pub fn wait(&self) -> Wait<'_> {
        Wait { barrier: self, key: None, told: None }
    }

    /// Breaks the round that is not complete, if anybody waits for it, and begins a new one. It mends an aborted barrier. Those
    /// whose round was complete pass, also if they have not run yet.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join, sync::Barrier};
    /// let barrier = Barrier::new(2);
    /// let (waited, ()) = runtime::block_on(join(barrier.wait(), async { barrier.reset() }));
    /// assert!(waited.is_err());
    /// assert!(!barrier.is_broken());
    /// ```
    pub fn reset(&self) {
        self.break_round(false);
    }

    /// Breaks the barrier, for those who wait and those who come later, until it is [reset](Self::reset): for a task that
    /// will not come, and knows it.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join, sync::Barrier};
    /// let barrier = Barrier::new(2);
    /// let (waited, ()) = runtime::block_on(join(barrier.wait(), async { barrier.abort() }));
    /// assert!(waited.is_err() && barrier.is_broken());
    /// assert!(runtime::block_on(barrier.wait()).is_err());
    /// ```
    pub fn abort(&self) {
        self.break_round(true);
    }

    fn break_round(&self, broken: bool) {
        let mut state = self.lock();
        state.broken = broken;
        let wakers = state.tell_all(|_| Err(Broken));
        drop(state);
        wakers.wake();
    }

    /// How many tasks must come.
    ///
    /// ```
    /// assert_eq!(runtime::sync::Barrier::new(3).parties(), 3);
    /// ```
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many wait for the others, always fewer than there are parties.
    ///
    /// ```
    /// use runtime::{future::join, sync::Barrier};
    /// let barrier = Barrier::new(2);
    /// runtime::block_on(join(barrier.wait(), async {
    ///     assert_eq!(barrier.n_waiting(), 1);
    ///     assert!(barrier.wait().await.is_ok());
    ///     assert_eq!(barrier.n_waiting(), 0);
    /// }))
    /// .0
    /// .unwrap();
    /// ```
    pub fn n_waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Is it aborted?
    ///
    /// ```
    /// let barrier = runtime::sync::Barrier::new(2);
    /// barrier.abort();
    /// assert!(barrier.is_broken());
    /// barrier.reset();
    /// assert!(!barrier.is_broken());
    /// ```
    pub fn is_broken(&self) -> bool {
        self.lock().broken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// All that wait have their turn, each with what it is told, by its place in line.
    fn tell_all(&mut self, outcome: impl Fn(usize) -> Outcome) -> Wakers {
        let mut wakers = Wakers::default();
        for place in 0..self.waiting.len() {
            if let Some(told) = self.waiting.first() {
                *told = outcome(place);
            }
            wakers.extend(self.waiting.choose());
        }
        wakers
    }
}

/// Waits for the others at a [`Barrier`].
///
/// ```
/// let barrier = runtime::sync::Barrier::new(1);
/// let wait = barrier.wait();
/// assert!(runtime::block_on(wait).is_ok());
/// ```
#[derive(Debug)]
#[must_use = "waiting does nothing until it is awaited"]
pub struct Wait<'barrier> {
    barrier: &'barrier Barrier,
    key: Option<Key>,
    /// Chosen, and not told of yet: a poll without a budget keeps it here.
    told: Option<Outcome>,
}

impl Wait<'_> {
    /// Comes, and waits. With the last one's result come those to be woken.
    fn poll_round(&mut self, context: &Context<'_>) -> Poll<(Outcome, Option<Wakers>)> {
        let parties = self.barrier.parties;
        let look = |state: &mut State, key: Option<Key>| match key {
            Some(key) => state.waiting.is_chosen(key).then(|| (state.waiting.remove(key).wants, None)),
            None if state.broken => Some((Err(Broken), None)),
            None if state.waiting.len() + 1 == parties => Some((Ok(parties - 1), Some(state.tell_all(Ok)))),
            None => None,
        };
        waiters::poll(&self.barrier.state, &mut self.key, context, look, |state| &mut state.waiting, || Err(Broken))
    }
}

impl Future for Wait<'_> {
    type Output = Result<BarrierWaitResult, Broken>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match self.told {
            Some(outcome) => outcome,
            None => {
                // Nobody waits here, so no order is lost by asking first.
                if self.barrier.parties == 1 {
                    ready!(budget::spend(context));
                }
                let Poll::Ready((outcome, others)) = self.poll_round(context) else {
                    awaits::waits_for("barrier", std::ptr::from_ref(self.barrier).addr());
                    return Poll::Pending;
                };
                if let Some(others) = others {
                    others.wake();
                    // The last one goes on, come what may: somebody must lead. The next round waits for the others' polls.
                    return Poll::Ready(outcome.map(|index| BarrierWaitResult { index, leads: true }));
                }
                self.told = Some(outcome);
                outcome
            }
        };
        ready!(budget::spend(context));
        self.told = None;
        Poll::Ready(outcome.map(|index| BarrierWaitResult { index, leads: false }))
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = self.barrier.lock().waiting.remove(key);
            // Its waker is anybody's code, and goes without the lock.
            drop(gone);
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was reset or aborted: not all came")
    }
}

impl std::error::Error for Broken {}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiting, broken) = (self.n_waiting(), self.is_broken());
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("waiting", &waiting)
            .field("broken", &broken)
            .finish()
    }
}
