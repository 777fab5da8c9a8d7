//! Tasks that are waited for together: each is given in the order in which it ended, and nobody looks at those that have not.
//!
//! ```text
//!   task ends ── rings its bell ──> board: places 3, 7 ── wakes ──> whoever waits: takes the outputs of 3 and 7
//! ```
//!
//! - A bell is the waker that a task's handle is given when it comes in: it knows the task's place. So to find those that have
//!   ended costs nothing for those that have not, and the order is that of their ends, whenever somebody looks.
//! - A bell may ring for nothing (its place has another task by now): a ring only says where to look.
//! - Outputs that were taken from their handles stay here until they are given: a waiter that goes loses none.

use crate::{
    awaits, budget,
    task::{JoinError, JoinHandle},
};
use slab::Slab;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker, ready},
};

/// The tasks, each with a name of type `K`.
pub(super) struct Arrivals<K, T> {
    running: Slab<(K, JoinHandle<T>)>,
    arrived: VecDeque<(K, Result<T, JoinError>)>,
    board: Arc<Board>,
    /// Empty between two looks at the board; its memory is kept.
    rung: Vec<usize>,
}

impl<K, T> Default for Arrivals<K, T> {
    fn default() -> Self {
        Self { running: Slab::new(), arrived: VecDeque::new(), board: Arc::default(), rung: Vec::new() }
    }
}

impl<K, T> Arrivals<K, T> {
    pub(super) fn insert(&mut self, name: K, mut handle: JoinHandle<T>) {
        let place = self.running.vacant_entry();
        let bell = Waker::from(Arc::new(Bell { board: self.board.clone(), place: place.key() }));
        // A task that is over by now is either taken here, or (without budget) rings for itself.
        match Pin::new(&mut handle).poll(&mut Context::from_waker(&bell)) {
            Poll::Ready(output) => {
                // Those that rang before it go first.
                self.look();
                self.arrived.push_back((name, output));
                self.board.wake();
            }
            Poll::Pending => _ = place.insert((name, handle)),
        }
    }

    /// Those that have not ended, and outputs that nobody has taken yet.
    pub(super) fn len(&self) -> usize {
        self.running.len() + self.arrived.len()
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &JoinHandle<T>> {
        self.running.iter().map(|(_, (_, handle))| handle)
    }

    /// The outputs that are here, in the order in which they came.
    pub(super) fn arrived(&mut self) -> &mut VecDeque<(K, Result<T, JoinError>)> {
        &mut self.arrived
    }

    /// Forgets all of them: those that run go on by themselves.
    pub(super) fn clear(&mut self) {
        self.running = Slab::new();
        self.arrived = VecDeque::new();
    }

    /// Takes the outputs of all that have ended.
    pub(super) fn look(&mut self) {
        self.board.take(&mut self.rung);
        self.take_outputs();
    }

    /// Waits until one more has ended; its output, and those of all that have, are then among the [arrived](Self::arrived).
    pub(super) fn poll_look(&mut self, context: &Context<'_>) -> Poll<()> {
        let before = self.arrived.len();
        loop {
            if !self.board.take_or_wait(&mut self.rung, context.waker()) {
                awaits::waits_for("tasks", Arc::as_ptr(&self.board).addr());
                return Poll::Pending;
            }
            self.take_outputs();
            if self.arrived.len() > before {
                return Poll::Ready(());
            }
        }
    }

    /// The next output, in the order of their ends. `None`: there are no tasks.
    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<(K, Result<T, JoinError>)>> {
        if self.arrived.is_empty() {
            if self.running.is_empty() {
                return Poll::Ready(None);
            }
            ready!(self.poll_look(context));
        }
        // Before the effect: what has arrived stays here.
        ready!(budget::spend(context));
        Poll::Ready(self.arrived.pop_front())
    }

    fn take_outputs(&mut self) {
        for place in self.rung.drain(..) {
            if !self.running.get(place).is_some_and(|(_, handle)| handle.is_finished()) {
                continue;
            }
            let (name, mut handle) = self.running.remove(place);
            // Whoever is given the output pays for it.
            let output = budget::with_full(|| Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())));
            let Poll::Ready(output) = output else { unreachable!("it has ended") };
            self.arrived.push_back((name, output));
        }
    }
}

/// Where it is written who has ended.
#[derive(Default)]
struct Board(Mutex<Rung>);

#[derive(Default)]
struct Rung {
    places: Vec<usize>,
    waiting: Option<Waker>,
}

impl Board {
    fn ring(&self, place: usize) {
        let waiting = {
            let mut rung = self.0.lock().unwrap();
            rung.places.push(place);
            rung.waiting.take()
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn wake(&self) {
        let waiting = self.0.lock().unwrap().waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Changes what is written for `empty`.
    fn take(&self, empty: &mut Vec<usize>) {
        std::mem::swap(&mut self.0.lock().unwrap().places, empty);
    }

    /// As `take`. If nothing is written there, `false`, and `waker` is woken when something is.
    fn take_or_wait(&self, empty: &mut Vec<usize>, waker: &Waker) -> bool {
        // Cloned before the lock, dropped after it: a waker may be anybody's code.
        let waker = waker.clone();
        let mut rung = self.0.lock().unwrap();
        if rung.places.is_empty() {
            let stale = rung.waiting.replace(waker);
            drop(rung);
            drop(stale);
            return false;
        }
        std::mem::swap(&mut rung.places, empty);
        drop(rung);
        true
    }
}

/// Rung when its task ends.
struct Bell {
    board: Arc<Board>,
    place: usize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.board.ring(self.place);
    }
}
