//! The values, from the latest used to the one that goes next.
//!
//! ```text
//!            map: key ──> place
//!                           │
//!   latest ──> [ ] <──> [ ] <──> [ ] <── oldest          places in a slab, linked both ways
//! ```

use crate::time::Instant;
use slab::Slab;
use std::{borrow::Borrow, collections::HashMap, hash::Hash, mem, sync::Arc};

type Place = usize;

const NOTHING: Place = usize::MAX;

pub(super) struct Lru<K, V> {
    max_size: usize,
    places: HashMap<K, Place>,
    entries: Slab<Entry<K, V>>,
    latest: Place,
    oldest: Place,
}

pub(super) struct Entry<K, V> {
    /// So that the map's entry can be found from here.
    key: K,
    pub(super) value: Arc<V>,
    expires: Option<Instant>,
    later: Place,
    earlier: Place,
}

/// An entry and the map's key: anybody's code, to be dropped without the lock.
pub(super) type Removed<K, V> = (K, Entry<K, V>);

impl<K, V> Entry<K, V> {
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

impl<K: Eq + Hash, V> Lru<K, V> {
    pub(super) fn new(max_size: usize) -> Self {
        Self { max_size, places: HashMap::new(), entries: Slab::new(), latest: NOTHING, oldest: NOTHING }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry, which is the latest used from now on.
    pub(super) fn touch<Q>(&mut self, key: &Q) -> Option<&Entry<K, V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let place = *self.places.get(key)?;
        self.unlink(place);
        self.link(place);
        Some(&self.entries[place])
    }

    /// Adds an entry, for a key that has none, and gives the one that has to go for it. With no room at all that is the new one.
    pub(super) fn insert(
        &mut self,
        key: K,
        again: K,
        value: Arc<V>,
        expires: Option<Instant>,
    ) -> Option<Removed<K, V>> {
        let place = self.entries.insert(Entry { key, value, expires, later: NOTHING, earlier: NOTHING });
        self.link(place);
        self.places.insert(again, place);
        (self.len() > self.max_size).then(|| self.remove_at(self.oldest))
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<Removed<K, V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let place = *self.places.get(key)?;
        Some(self.remove_at(place))
    }

    /// Empties it. The entries are to be dropped without the lock.
    pub(super) fn clear(&mut self) -> Self {
        let max_size = self.max_size;
        mem::replace(self, Self::new(max_size))
    }

    fn remove_at(&mut self, place: Place) -> Removed<K, V> {
        self.unlink(place);
        let entry = self.entries.remove(place);
        let (key, _) = self.places.remove_entry(&entry.key).expect("each entry has a place");
        (key, entry)
    }

    /// To the front.
    fn link(&mut self, place: Place) {
        let before = mem::replace(&mut self.latest, place);
        (self.entries[place].later, self.entries[place].earlier) = (NOTHING, before);
        match before {
            NOTHING => self.oldest = place,
            before => self.entries[before].later = place,
        }
    }

    fn unlink(&mut self, place: Place) {
        let Entry { later, earlier, .. } = self.entries[place];
        match later {
            NOTHING => self.latest = earlier,
            later => self.entries[later].earlier = earlier,
        }
        match earlier {
            NOTHING => self.oldest = later,
            earlier => self.entries[earlier].later = later,
        }
    }
}
