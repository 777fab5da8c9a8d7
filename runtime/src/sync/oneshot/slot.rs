//! What the two ends share: a place for the value, a word that says whose it is, and the wakers of those who wait.
//!
//! ```text
//!   word:  LEFT │ RECEIVER_WAITS │ SENDER_WAITS │ CLOSED │ GONE │ FULL
//! ```
//!
//! | bit | is set by | and then |
//! |---|---|---|
//! | `FULL` | the sender, with the value in its place; not after `CLOSED` | the place is the receiver's |
//! | `GONE` | the sender, without a value | there will be none |
//! | `CLOSED` | the receiver | the place is not filled any more |
//! | `…_WAITS` | who puts its waker in its place, under the lock | whoever sets one of the bits above looks there |
//! | `LEFT` | the end that goes first, with its last touch | the memory is the other's |
//!
//! No bit is ever cleared. So who waits sets its bit first and looks at the word again: either it sees the news, or whoever
//! brings them comes later in the order of the word, and sees the bit.
//!
//! Why the place for the value needs no lock:
//!
//! 1. There is one [`Filling`] and one [`Emptying`] of a slot: [`slot`] makes them, and neither can be cloned.
//! 2. Until `FULL` is set, only [`Filling::fill`] touches the value; from then on, only [`Emptying::take`]. Each borrows its end
//!    alone, so that neither meets itself.
//! 3. To set a bit releases, and to find it set acquires: the value is there for whoever sees `FULL`.
//!
//! And why the memory needs no `Arc`, which would count to two and back:
//!
//! 4. An end that has not left may use the memory: who leaves second frees it, and it has seen `LEFT`, so the other is done.
//! 5. An end leaves once, when it is dropped, or in the same step in which it fills the slot: then it is forgotten. What is
//!    borrowed from it is over by then.
#![expect(
    unsafe_code,
    reason = "a place and its memory, which go from one end to the other; why that is sound stands above"
)]

use crate::std_or_loom::{
    AtomicU8, Mutex,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    UnsafeCell,
};
use std::{
    marker::PhantomData,
    mem,
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
    task::{Context, Waker},
};

const FULL: u8 = 1;
pub(super) const GONE: u8 = 1 << 1;
pub(super) const CLOSED: u8 = 1 << 2;
pub(super) const SENDER_WAITS: u8 = 1 << 3;
pub(super) const RECEIVER_WAITS: u8 = 1 << 4;
const LEFT: u8 = 1 << 5;

pub(super) struct Slot<T> {
    word: AtomicU8,
    value: UnsafeCell<Option<T>>,
    sender_waits: Mutex<Option<Waker>>,
    receiver_waits: Mutex<Option<Waker>>,
}

/// The sender's end.
pub(super) struct Filling<T>(End<T>);

/// The receiver's end.
pub(super) struct Emptying<T>(End<T>);

/// One of two owners of a slot.
struct End<T> {
    slot: NonNull<Slot<T>>,
    /// It may be the one that drops it.
    owns: PhantomData<Box<Slot<T>>>,
}

// SAFETY: the value goes from one end to the other, and is never at both (2).
unsafe impl<T: Send> Sync for Slot<T> {}

// SAFETY: whichever thread an end is on, it alone may drop the slot, and only when the other has left (4).
unsafe impl<T: Send> Send for End<T> {}

// SAFETY: a shared end gives the slot, shared.
unsafe impl<T: Send> Sync for End<T> {}

// A panic leaves no slot half changed.
impl<T> UnwindSafe for End<T> {}
impl<T> RefUnwindSafe for End<T> {}

/// Makes the two ends of an empty one.
pub(super) fn slot<T>() -> (Filling<T>, Emptying<T>) {
    let slot = Box::new(Slot {
        word: AtomicU8::new(0),
        value: UnsafeCell::new(None),
        sender_waits: Mutex::new(None),
        receiver_waits: Mutex::new(None),
    });
    let slot = NonNull::from(Box::leak(slot));
    (Filling(End { slot, owns: PhantomData }), Emptying(End { slot, owns: PhantomData }))
}

/// What came of a [`Filling::fill`].
pub(super) enum Filled<T> {
    /// Nobody waits, and this end has left.
    Done,
    /// Somebody waits: the end, and what the word was.
    Announce(Filling<T>, u8),
    /// It is closed, and takes no value.
    Refused(T),
}

impl<T> Filling<T> {
    /// Puts the value in.
    pub(super) fn fill(self, value: T) -> Filled<T> {
        const REFUSES: u8 = FULL | CLOSED | LEFT;
        const WAITS: u8 = SENDER_WAITS | RECEIVER_WAITS;
        let mut word = self.word.load(Relaxed);
        if word & REFUSES != 0 {
            return Filled::Refused(value);
        }
        // SAFETY: it is not `FULL`: only this end sets that, and it is here (2).
        self.value.with_mut(|place| unsafe { *place = Some(value) });
        loop {
            let leaving = if word & WAITS == 0 { LEFT } else { 0 };
            // Pairs with the `Acquire` of `has` and of `set`.
            match self.word.compare_exchange_weak(word, word | FULL | leaving, Release, Relaxed) {
                Ok(_) if leaving != 0 => {
                    // It has left (5).
                    mem::forget(self);
                    return Filled::Done;
                }
                Ok(_) => return Filled::Announce(self, word),
                Err(now) => word = now,
            }
            if word & REFUSES != 0 {
                // SAFETY: as above.
                let value = self.value.with_mut(|place| unsafe { (&mut *place).take() });
                return Filled::Refused(value.expect("it was put there, and nobody else may take it"));
            }
        }
    }
}

impl<T> Emptying<T> {
    /// The value, if it is there, and was not taken.
    pub(super) fn take(&mut self) -> Option<T> {
        if !self.has(FULL) {
            return None;
        }
        // SAFETY: it is `FULL`, and this end is here (2); that was an `Acquire` (3).
        self.value.with_mut(|place| unsafe { (&mut *place).take() })
    }
}

impl<T> Slot<T> {
    /// Does the word have one of `bits`?
    pub(super) fn has(&self, bits: u8) -> bool {
        // Pairs with the `Release` of whoever sets them.
        self.word.load(Acquire) & bits != 0
    }

    /// Adds `bits` to the word, and says what it was.
    pub(super) fn set(&self, bits: u8) -> u8 {
        self.word.fetch_or(bits, AcqRel)
    }

    /// Puts the task's waker where the other end looks for it. The news may be there already: look again.
    pub(super) fn wait(&self, who: u8, context: &Context<'_>) {
        let place = self.place(who);
        if self.has(who) && place.lock().unwrap().as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            return;
        }
        // It is cloned, and the one before it dropped, without the lock.
        let waker = context.waker().clone();
        let mut waiting = place.lock().unwrap();
        let stale = waiting.replace(waker);
        self.set(who);
        drop(waiting);
        drop(stale);
    }

    /// The waker of `who`, if the word says that it waits: to be woken or dropped without the lock.
    pub(super) fn waker(&self, who: u8, word: u8) -> Option<Waker> {
        if word & who == 0 { None } else { self.place(who).lock().unwrap().take() }
    }

    fn place(&self, who: u8) -> &Mutex<Option<Waker>> {
        if who == SENDER_WAITS { &self.sender_waits } else { &self.receiver_waits }
    }
}

impl<T> Deref for Filling<T> {
    type Target = Slot<T>;

    fn deref(&self) -> &Slot<T> {
        self.0.slot()
    }
}

impl<T> Deref for Emptying<T> {
    type Target = Slot<T>;

    fn deref(&self) -> &Slot<T> {
        self.0.slot()
    }
}

impl<T> End<T> {
    fn slot(&self) -> &Slot<T> {
        // SAFETY: this end has not left, so the memory is there (4).
        unsafe { self.slot.as_ref() }
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        let slot = self.slot();
        if slot.has(LEFT) || slot.word.fetch_or(LEFT, AcqRel) & LEFT != 0 {
            // SAFETY: `slot` made it of a box, and the other end has left (4).
            drop(unsafe { Box::from_raw(self.slot.as_ptr()) });
        }
    }
}
