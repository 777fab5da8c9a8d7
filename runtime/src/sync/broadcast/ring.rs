//! The messages that somebody has not seen. All of this runs under the channel's lock, and none of it is anybody else's code:
//! what is to be cloned or dropped is handed out.

use std::{mem, sync::Arc};

pub(super) struct Ring<T> {
    /// As long as the highest position ever was, or as the capacity.
    places: Vec<Place<T>>,
    capacity: usize,
    /// The first position that somebody has not seen.
    front: u64,
    /// The position of the message to come.
    next: u64,
}

struct Place<T> {
    /// `Some(None)`: the message was taken, and the memory is there for the next one.
    message: Option<Arc<Option<T>>>,
    /// How many receivers have not seen it. It never falls from one position to the next: they see all in one order.
    unseen_by: usize,
}

/// A message that is received.
pub(super) enum Seen<T> {
    /// Nobody else will see it.
    Own(T),
    /// To be cloned, without the lock.
    Shared(Arc<Option<T>>),
}

/// What a message took the place of: to be dropped without the lock.
pub(super) struct Replaced<T> {
    _message: Option<T>,
    _memory: Option<Arc<Option<T>>>,
}

/// What a receiver finds at its position.
pub(super) enum Found<T> {
    Message(Seen<T>),
    /// So many are gone.
    Missed(u64),
    /// It has seen all.
    Nothing,
}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { places: Vec::new(), capacity, front: 0, next: 0 }
    }

    /// The position of the message to come.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// How many messages somebody has not seen.
    pub(super) fn len(&self) -> usize {
        (self.next - self.front) as usize
    }

    /// How many of them one at `position` can still see.
    pub(super) fn ahead_of(&self, position: u64) -> usize {
        (self.next - position.max(self.front)) as usize
    }

    /// A message for `receivers`, one of them at least.
    pub(super) fn push(&mut self, message: T, receivers: usize) -> Replaced<T> {
        if self.len() == self.capacity {
            self.front += 1;
        }
        let at = self.place(self.next);
        self.next += 1;
        if at == self.places.len() {
            self.places.push(Place { message: None, unseen_by: 0 });
        }
        let place = &mut self.places[at];
        place.unseen_by = receivers;
        // Its memory, unless somebody is cloning from it.
        match place.message.as_mut().and_then(Arc::get_mut) {
            Some(memory) => Replaced { _message: memory.replace(message), _memory: None },
            None => Replaced { _message: None, _memory: place.message.replace(Arc::new(Some(message))) },
        }
    }

    /// What one at `position` sees, who goes on behind it.
    pub(super) fn see(&mut self, position: &mut u64) -> Found<T> {
        if *position == self.next {
            return Found::Nothing;
        }
        if *position < self.front {
            let missed = self.front - *position;
            *position = self.front;
            return Found::Missed(missed);
        }
        let at = self.place(*position);
        *position += 1;
        let place = &mut self.places[at];
        place.unseen_by -= 1;
        let message = if place.unseen_by > 0 {
            place.message.clone()
        } else {
            self.front = *position;
            match place.message.as_mut().and_then(Arc::get_mut).and_then(Option::take) {
                Some(message) => return Found::Message(Seen::Own(message)),
                // Another one is cloning it this very moment: whoever is done last drops it.
                None => mem::take(&mut place.message),
            }
        };
        Found::Message(Seen::Shared(message.expect("a message that is not seen by all is there")))
    }

    fn place(&self, position: u64) -> usize {
        (position % self.capacity as u64) as usize
    }
}

impl<T: Clone> Seen<T> {
    pub(super) fn into_message(self) -> T {
        match self {
            Seen::Own(message) => message,
            Seen::Shared(message) => T::clone(message.as_ref().as_ref().expect("it is there while it is shared")),
        }
    }
}
