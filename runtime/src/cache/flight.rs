//! One load, and those who wait for its result.
//!
//! Who loads holds the [`Lead`]. It is a value, and so cannot be lost: used up with a result, it gives that to all who wait;
//! dropped without one, wherever that happens, it goes to the next of them. One who is given the lead and goes away before it
//! looks drops it, too.

use super::Shared;
use crate::{sync::oneshot, time::Instant};
use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    hash::Hash,
    mem,
    sync::{Arc, Mutex},
};

/// Those who wait for one load, first come first served.
pub(super) struct Flight<K: Eq + Hash, V>(Mutex<VecDeque<oneshot::Sender<Turn<K, V>>>>);

/// What comes to one who waits.
pub(super) enum Turn<K: Eq + Hash, V> {
    Value(Arc<V>),
    /// The error, of the type that the loader has.
    Failed(Box<dyn Any + Send>),
    /// Who loaded it went away: now it is for you to do.
    Lead(Lead<K, V>),
}

/// The right, and the duty, to load.
pub(super) struct Lead<K: Eq + Hash, V>(
    /// Until there is a result.
    Option<Leads<K, V>>,
);

struct Leads<K: Eq + Hash, V> {
    shared: Arc<Shared<K, V>>,
    key: K,
    flight: Arc<Flight<K, V>>,
}

impl<K: Eq + Hash, V> Default for Flight<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Flight<K, V> {
    /// Waits with the others. The cache is locked, so the load is not over yet.
    pub(super) fn join(&self) -> oneshot::Receiver<Turn<K, V>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap();
        if waiting.len() == waiting.capacity() {
            // Before it grows: while a load hangs, many may come and go.
            waiting.retain(|sender| !sender.is_closed());
        }
        waiting.push_back(sender);
        receiver
    }

    fn next(&self) -> Option<oneshot::Sender<Turn<K, V>>> {
        self.0.lock().unwrap().pop_front()
    }

    /// Tells all who wait. Nobody joins any more.
    fn tell(&self, turn: impl Fn() -> Turn<K, V>) {
        let waiting = mem::take(&mut *self.0.lock().unwrap());
        waiting.into_iter().for_each(|sender| drop(sender.send(turn())));
    }
}

impl<K: Eq + Hash, V> Leads<K, V> {
    /// Will the result be kept, and may others join?
    fn is_wanted(&self, flights: &HashMap<K, Arc<Flight<K, V>>>) -> bool {
        flights.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight))
    }
}

impl<K: Eq + Hash, V> Lead<K, V> {
    pub(super) fn new(shared: Arc<Shared<K, V>>, key: K, flight: Arc<Flight<K, V>>) -> Self {
        Self(Some(Leads { shared, key, flight }))
    }

    /// Is it worth loading? Not if the key was inserted, removed or cleared since the load was begun.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|leads| leads.is_wanted(&leads.shared.lock().flights))
    }

    fn take(mut self) -> Leads<K, V> {
        self.0.take().expect("it is there until there is a result")
    }

    pub(super) fn failed<E: Clone + Send + 'static>(self, error: &E) {
        let leads = self.take();
        let mut state = leads.shared.lock();
        let over = leads.is_wanted(&state.flights).then(|| state.flights.remove_entry(&leads.key));
        drop(state);
        drop(over);
        leads.flight.tell(|| Turn::Failed(Box::new(error.clone())));
    }
}

impl<K: Clone + Eq + Hash, V> Lead<K, V> {
    pub(super) fn loaded(self, value: Arc<V>, expires: Option<Instant>) {
        let leads = self.take();
        let again = leads.key.clone();
        let mut state = leads.shared.lock();
        let gone = leads.is_wanted(&state.flights).then(|| {
            let (key, flight) = state.flights.remove_entry(&leads.key).expect("it is there");
            (flight, state.keep(key, again, value.clone(), expires))
        });
        drop(state);
        drop(gone);
        leads.flight.tell(|| Turn::Value(value.clone()));
    }
}

/// It goes to the next one who waits.
impl<K: Eq + Hash, V> Drop for Lead<K, V> {
    fn drop(&mut self) {
        let Some(mut leads) = self.0.take() else { return };
        // A loop: one that comes back and is dropped would go on from there as well, but deeper and deeper.
        loop {
            let mut state = leads.shared.lock();
            let Some(next) = leads.flight.next() else {
                // Nobody can have joined since: the cache is locked.
                let over = leads.is_wanted(&state.flights).then(|| state.flights.remove_entry(&leads.key));
                drop(state);
                return drop(over);
            };
            drop(state);
            match next.send(Turn::Lead(Lead(Some(leads)))) {
                Err(Turn::Lead(mut lead)) => leads = lead.0.take().expect("it comes back as it was sent"),
                _ => return,
            }
        }
    }
}
