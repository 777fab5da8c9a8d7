//! A bounded queue with one owner who pushes and pops, and thieves who take half.
//!
//! ```text
//!             head (everybody moves it, by compare-and-swap)     tail (the owner alone moves it)
//!               v                                                  v
//!   … │ free │ a │ b │ c │ d │ e │ f │ g │ … │ z │ free │ …     positions count up for ever; the slot is position % N
//! ```
//!
//! Who takes moves `head` over what it takes, after it has **copied** it: if the swap succeeds, nobody else took any of it,
//! and the owner has not written over it (the owner writes only where `head` has passed). If it fails, the copies are
//! forgotten: they are plain words until then, and only a successful swap turns them back into tasks.
//!
//! - Only the owner writes slots and `tail`.
//! - What lies between `head` and `tail` belongs to whoever moves `head` over it.
//! - Positions are whole words: they come round after centuries, so a thief that slept cannot mistake one lap for another.
//!
//! Source: the run queue of Go's scheduler (`runqput`, `runqgrab` in `runtime/proc.go`). There the slots are plain memory,
//! which a thief may read while the owner writes; in Rust that would be a data race, so ours are atomic: on every machine of
//! today a relaxed load is the same instruction.
#![expect(unsafe_code, reason = "a word read from a slot is a task only for the one who won the swap")]

use crate::std_or_loom::{AtomicPtr, AtomicUsize, Ordering};
use std::{marker::PhantomData, ptr::NonNull, sync::Mutex};

/// Something that is owned and fits in one word.
///
/// # Safety
/// `from_word(into_word(x))` is `x`.
pub(crate) unsafe trait WholeWord: Sized {
    fn into_word(self) -> NonNull<()>;

    /// # Safety
    /// `word` came from `into_word`, and is turned back once.
    unsafe fn from_word(word: NonNull<()>) -> Self;
}

// SAFETY: `Task` says so itself.
unsafe impl WholeWord for crate::task::Task {
    fn into_word(self) -> NonNull<()> {
        crate::task::Task::into_word(self)
    }

    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: as the caller promises.
        unsafe { crate::task::Task::from_word(word) }
    }
}

/// Room for one, taken and given by exchange.
pub(crate) struct Slot<T> {
    word: AtomicPtr<()>,
    /// As a mutex does: it hands an item from thread to thread, and never shares one.
    item: PhantomData<Mutex<T>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { word: AtomicPtr::new(std::ptr::null_mut()), item: PhantomData }
    }
}

impl<T: WholeWord> Slot<T> {
    pub(crate) fn swap(&self, item: Option<T>) -> Option<T> {
        let word = item.map_or(std::ptr::null_mut(), |item| item.into_word().as_ptr());
        // Whoever takes the item sees what was written before it was put here.
        let before = self.word.swap(word, Ordering::AcqRel);
        // SAFETY: the exchange took it out: nobody else has this word.
        NonNull::new(before).map(|word| unsafe { T::from_word(word) })
    }

    pub(crate) fn take(&self) -> Option<T> {
        // A look first: an exchange costs as much as everything else here together.
        if self.is_empty() { None } else { self.swap(None) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Relaxed).is_null()
    }
}

/// Holds `N` at most. See the top of the file.
pub(crate) struct Ring<T, const N: usize> {
    /// On cache lines of their own: thieves write the one, the owner writes the other.
    head: Apart<AtomicUsize>,
    tail: Apart<AtomicUsize>,
    slots: Box<[AtomicPtr<()>]>,
    /// As a mutex does: it hands an item from thread to thread, and never shares one.
    item: PhantomData<Mutex<T>>,
}

#[repr(align(64))]
struct Apart<T>(T);

impl<T, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self::starting_at(0)
    }
}

impl<T, const N: usize> Ring<T, N> {
    fn starting_at(position: usize) -> Self {
        Self {
            head: Apart(AtomicUsize::new(position)),
            tail: Apart(AtomicUsize::new(position)),
            slots: (0..N).map(|_| AtomicPtr::new(std::ptr::null_mut())).collect(),
            item: PhantomData,
        }
    }

    fn slot(&self, position: usize) -> &AtomicPtr<()> {
        &self.slots[position % N]
    }

    /// Owner only: how many there were, a moment ago.
    pub(crate) fn len(&self) -> usize {
        self.tail.0.load(Ordering::Relaxed).wrapping_sub(self.head.0.load(Ordering::Relaxed))
    }

    /// From any thread: how many there were, about a moment ago. (The head first: the tail is never behind it.)
    pub(crate) fn len_from_outside(&self) -> usize {
        let head = self.head.0.load(Ordering::Acquire);
        self.tail.0.load(Ordering::Acquire).wrapping_sub(head).min(N)
    }

    /// Was it empty, a moment ago?
    pub(crate) fn is_empty(&self) -> bool {
        self.head.0.load(Ordering::Acquire) == self.tail.0.load(Ordering::Acquire)
    }
}

impl<T: WholeWord, const N: usize> Ring<T, N> {
    /// Owner only. `Err`: there is no room.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let tail = self.tail.0.load(Ordering::Relaxed);
        // Acquire: pairs with a taker's swap, whose copies were made before it: we may write over them.
        let head = self.head.0.load(Ordering::Acquire);
        if tail.wrapping_sub(head) >= N {
            return Err(item);
        }
        self.slot(tail).store(item.into_word().as_ptr(), Ordering::Relaxed);
        // Release: a taker that sees the new tail sees the slot, and all that the item brings with it.
        self.tail.0.store(tail.wrapping_add(1), Ordering::Release);
        Ok(())
    }

    /// Owner only.
    pub(crate) fn pop(&self) -> Option<T> {
        let tail = self.tail.0.load(Ordering::Relaxed);
        let mut head = self.head.0.load(Ordering::Relaxed);
        while head != tail {
            let word = self.slot(head).load(Ordering::Relaxed);
            match self.claim(head, 1) {
                // SAFETY: the swap succeeded: the word is ours alone.
                Ok(()) => return Some(unsafe { from_slot(word) }),
                Err(moved) => head = moved,
            }
        }
        None
    }

    /// Owner only: takes half of what is there out, to make room.
    pub(crate) fn take_half(&self) -> impl Iterator<Item = T> + use<T, N> {
        let tail = self.tail.0.load(Ordering::Relaxed);
        let mut head = self.head.0.load(Ordering::Relaxed);
        let words = loop {
            let half = tail.wrapping_sub(head) / 2;
            let words: Vec<_> =
                (0..half).map(|nth| self.slot(head.wrapping_add(nth)).load(Ordering::Relaxed)).collect();
            match self.claim(head, half) {
                Ok(()) => break words,
                Err(moved) => head = moved,
            }
        };
        // SAFETY: the swap succeeded: the words are ours alone.
        words.into_iter().map(|word| unsafe { from_slot(word) })
    }

    /// For the owner of `into`: takes half of ours, rounded up, as far as `into` has room. The last one is handed out, the
    /// others stand in `into`.
    pub(crate) fn steal_into(&self, into: &Self) -> Option<T> {
        let start = into.tail.0.load(Ordering::Relaxed);
        // Acquire: as in `push`. (Who steals from `into` meanwhile only makes more room.)
        let room = N - start.wrapping_sub(into.head.0.load(Ordering::Acquire));
        let mut head = self.head.0.load(Ordering::Acquire);
        loop {
            // Acquire: pairs with `push`: we see the slots below this tail.
            let length = self.tail.0.load(Ordering::Acquire).wrapping_sub(head);
            let half = length - length / 2;
            if half == 0 {
                return None;
            }
            if half > N / 2 {
                // `head` is old: others have moved it on since, and the owner its tail. Look again.
                head = self.head.0.load(Ordering::Acquire);
                continue;
            }
            // What is handed out needs no room.
            let half = half.min(room + 1);
            let last = self.slot(head.wrapping_add(half - 1)).load(Ordering::Relaxed);
            for nth in 0..half - 1 {
                // Beyond `into`'s tail: nobody reads there yet.
                let word = self.slot(head.wrapping_add(nth)).load(Ordering::Relaxed);
                into.slot(start.wrapping_add(nth)).store(word, Ordering::Relaxed);
            }
            match self.claim(head, half) {
                Ok(()) => {
                    into.tail.0.store(start.wrapping_add(half - 1), Ordering::Release);
                    // SAFETY: the swap succeeded: the words are ours alone.
                    return Some(unsafe { from_slot(last) });
                }
                Err(moved) => head = moved,
            }
        }
    }

    /// Moves `head` over what was copied. `Err`: somebody else was here first, and this is where `head` is now.
    fn claim(&self, head: usize, count: usize) -> Result<(), usize> {
        // Release: the owner writes these slots again only after it has seen this. Acquire: what the items bring with them.
        self.head.0.compare_exchange(head, head.wrapping_add(count), Ordering::AcqRel, Ordering::Acquire).map(drop)
    }
}

/// # Safety
/// `word` was in a slot that the caller has claimed.
unsafe fn from_slot<T: WholeWord>(word: *mut ()) -> T {
    let word = NonNull::new(word).expect("a claimed slot was filled");
    // SAFETY: `push` put it there with `into_word`, and a position is claimed once.
    unsafe { T::from_word(word) }
}

#[cfg(all(test, not(runtime_loom)))]
mod tests {
    use super::*;
    use std::{
        iter,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicUsize},
        },
        thread,
    };

    // SAFETY: a box is a pointer, and is made again from it.
    unsafe impl WholeWord for Box<usize> {
        fn into_word(self) -> NonNull<()> {
            NonNull::from(Box::leak(self)).cast()
        }

        unsafe fn from_word(word: NonNull<()>) -> Self {
            // SAFETY: as the caller promises.
            unsafe { Box::from_raw(word.cast().as_ptr()) }
        }
    }

    type Numbers = Ring<Box<usize>, 4>;

    #[test]
    fn first_in_first_out_across_the_end_of_the_positions() {
        let ring = Numbers::starting_at(usize::MAX - 2);
        for round in 0..4 {
            for number in 0..4 {
                ring.push(Box::new(round * 4 + number)).unwrap();
            }
            assert_eq!(*ring.push(Box::new(99)).unwrap_err(), 99, "it is full");
            for number in 0..4 {
                assert_eq!(*ring.pop().unwrap(), round * 4 + number);
            }
            assert!(ring.pop().is_none());
        }
    }

    #[test]
    fn a_thief_takes_the_older_half() {
        let (victim, thief) = (Numbers::default(), Numbers::default());
        (0..4).for_each(|number| victim.push(Box::new(number)).unwrap());
        assert_eq!(*victim.steal_into(&thief).unwrap(), 1);
        assert_eq!(*thief.pop().unwrap(), 0);
        assert!(thief.pop().is_none());
        assert_eq!(*victim.steal_into(&thief).unwrap(), 2);
        assert_eq!(*victim.steal_into(&thief).unwrap(), 3);
        assert!(victim.steal_into(&thief).is_none());
    }

    /// A thief may have something already: it takes what it has room for, and writes over nothing.
    #[test]
    fn a_thief_takes_no_more_than_it_has_room_for() {
        for own in 0..=4 {
            let (victim, thief) = (Numbers::default(), Numbers::default());
            (0..4).for_each(|number| victim.push(Box::new(number)).unwrap());
            (4..4 + own).for_each(|number| thief.push(Box::new(number)).unwrap());
            let handed_out = iter::from_fn(|| victim.steal_into(&thief));
            let mut all: Vec<_> = handed_out.map(|number| *number).collect();
            assert!(victim.is_empty());
            all.extend(iter::from_fn(|| thief.pop()).map(|number| *number));
            all.sort();
            assert_eq!(all, Vec::from_iter(0..4 + own), "a thief that had {own}");
        }
    }

    /// One owner, two thieves, a ring of four: every number comes out once (crossbeam #726: one came out twice).
    #[test]
    fn every_item_comes_out_once() {
        const ITEMS: usize = if cfg!(miri) { 200 } else { 100_000 };
        let ring = Arc::new(Ring::<Box<usize>, 4>::starting_at(usize::MAX - 100));
        let seen: Arc<Vec<AtomicUsize>> = Arc::new((0..ITEMS).map(|_| AtomicUsize::new(0)).collect());
        let done = Arc::new(AtomicBool::new(false));
        let thieves: Vec<_> = (0..2)
            .map(|_| {
                let (ring, seen, done) = (ring.clone(), seen.clone(), done.clone());
                thread::spawn(move || {
                    let own = Numbers::default();
                    let mut last_round = false;
                    loop {
                        while let Some(number) = own.pop().or_else(|| ring.steal_into(&own)) {
                            seen[*number].fetch_add(1, Ordering::Relaxed);
                        }
                        if last_round {
                            break;
                        }
                        last_round = done.load(Ordering::Acquire);
                        thread::yield_now();
                    }
                })
            })
            .collect();
        for number in 0..ITEMS {
            let mut item = Box::new(number);
            while let Err(back) = ring.push(item) {
                item = back;
                for taken in ring.take_half() {
                    seen[*taken].fetch_add(1, Ordering::Relaxed);
                }
            }
            if number % 3 == 0
                && let Some(popped) = ring.pop()
            {
                seen[*popped].fetch_add(1, Ordering::Relaxed);
            }
        }
        while let Some(popped) = ring.pop() {
            seen[*popped].fetch_add(1, Ordering::Relaxed);
        }
        done.store(true, Ordering::Release);
        thieves.into_iter().for_each(|thief| thief.join().unwrap());
        assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }
}
