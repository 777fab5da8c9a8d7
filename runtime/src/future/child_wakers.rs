//! A waker for each child, so that a parent that is woken knows by whom.
//!
//! ```text
//!   child's waker ──wake──> woken?  ──no: now it is──> its place in the parent's list ──> the parent's waker, if it is there
//!                             └──── yes: nothing to do
//! ```
//!
//! - A child is in the list once, from the first wake until the parent clears its mark, just before it polls it: so a wake
//!   during the poll counts, and is in the list again.
//! - The parent leaves its waker when it finds the list empty, and whoever writes into the list takes it: one wake of the
//!   parent, however many children woke.
//! - A waker of a child that is over may live on anywhere. Its mark stays set, so it does nothing.

use crate::std_or_loom::{AtomicU8, AtomicUsize, Mutex, Ordering, fence};
use std::{
    sync::Arc,
    task::{Context, Wake, Waker},
};

/// The parent's side: who woke, and whom to tell. When it is dropped nobody is told any more.
#[derive(Debug)]
pub(super) struct Parent(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The places of those that woke, in that order.
    woken: Vec<usize>,
    /// There while the parent waits.
    waker: Option<Waker>,
}

/// A child's waker, in the hands of its parent.
#[derive(Debug)]
pub(super) struct ChildWaker {
    child: Arc<Child>,
    waker: Waker,
}

#[derive(Debug)]
struct Child {
    /// It changes only while nobody else has the waker.
    place: AtomicUsize,
    mark: AtomicU8,
    parent: Arc<Mutex<State>>,
}

const QUIET: u8 = 0;
/// It woke, and was not polled since.
const WOKEN: u8 = 1;

impl Parent {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { woken: Vec::new(), waker: None })))
    }

    /// A waker for the child in this place. It counts as woken: its first poll is to come.
    pub(super) fn child(&self, place: usize) -> ChildWaker {
        let child =
            Arc::new(Child { place: AtomicUsize::new(place), mark: AtomicU8::new(WOKEN), parent: self.0.clone() });
        ChildWaker { waker: Waker::from(child.clone()), child }
    }

    /// Moves the list of those that woke to `woken`, which is empty. If there are none and the parent has nothing else to do,
    /// it `may_wait`: its waker stays here.
    pub(super) fn take_woken(&self, woken: &mut Vec<usize>, may_wait: bool, context: &Context<'_>) {
        self.wait_unless(context, |state| {
            std::mem::swap(woken, &mut state.woken);
            !woken.is_empty() || !may_wait
        });
    }

    /// The parent looks at the marks by itself, and needs no list: from now on it is told of each wake.
    pub(super) fn listen(&self, context: &Context<'_>) {
        self.wait_unless(context, |state| {
            state.woken.clear();
            false
        });
    }

    /// Leaves the parent's waker, unless there is a reason not to. Wakers are cloned and dropped without the lock.
    fn wait_unless(&self, context: &Context<'_>, mut reason: impl FnMut(&mut State) -> bool) {
        let mut fresh = None;
        loop {
            let mut state = self.0.lock().unwrap();
            if reason(&mut state) || state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                return drop(state);
            }
            if let Some(waker) = fresh.take() {
                let stale = state.waker.replace(waker);
                drop(state);
                return drop(stale);
            }
            drop(state);
            fresh = Some(context.waker().clone());
        }
    }

    /// Wakes the parent, if it waits.
    pub(super) fn wake(&self) {
        let waker = self.0.lock().unwrap().waker.take();
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        let waker = self.0.lock().unwrap().waker.take();
        drop(waker);
    }
}

impl ChildWaker {
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(super) fn is_woken(&self) -> bool {
        self.child.mark.load(Ordering::Relaxed) == WOKEN
    }

    /// Did it wake? It is polled now; from here on a wake is a new one.
    pub(super) fn take_woken(&self) -> bool {
        // A swap, not a store: it pairs with the swap in `wake_by_ref`, so that the poll sees all that came before the wake.
        self.child.mark.swap(QUIET, Ordering::AcqRel) == WOKEN
    }

    /// The child is over: whoever still has its waker wakes nobody.
    pub(super) fn retire(&self) {
        self.child.mark.store(WOKEN, Ordering::Relaxed);
    }

    /// Makes a retired waker that of another child, unless somebody else still has it.
    pub(super) fn is_free(&self) -> bool {
        // Ours are the child itself and the waker.
        let free = Arc::strong_count(&self.child) == 2;
        // Pairs with the release of the others: what they did with the waker is over.
        fence(Ordering::Acquire);
        free
    }

    /// Gives a free one to the child in this place. It counts as woken.
    pub(super) fn move_to(&self, place: usize) {
        self.child.place.store(place, Ordering::Relaxed);
    }
}

impl Wake for Child {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.mark.swap(WOKEN, Ordering::AcqRel) == WOKEN {
            return;
        }
        let waker = {
            let mut parent = self.parent.lock().unwrap();
            parent.woken.push(self.place.load(Ordering::Relaxed));
            parent.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}
