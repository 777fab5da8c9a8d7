//! A hierarchical timer wheel: which timer is due next, and which are due by now. It knows no clock and no threads.
//!
//! ```text
//!   level 0   64 slots of one tick (1 µs)         ──┐ what is due
//!   level 1   64 slots of 64 ticks (66 µs)        ──┘ when time reaches a slot, its entries move down
//!   …
//!   level 8   slots of 9 years: the wheel never wraps
//! ```
//!
//! An entry with deadline `d` stands on the level of the highest six-bit digit in which the ticks of `d` and of `elapsed`
//! differ, in the slot that this digit names. So everything on a level is due before anything on a higher one, and whatever
//! is due next stands in the first slot in use of the lowest level in use: one bit scan a level finds it.
//!
//! - Arm, move and cancel are O(1): an entry in a vector, and its place in a doubly linked list.
//! - The wheel only finds the slot; deadlines are kept to the nanosecond, and nothing is due before its own.
//! - Timers are due in the order of their deadlines; equal ones in the order in which they were armed.
//! - A place that is free again is used for the next timer, under another number.
//!
//! Source: Varghese and Lauck, *Hashed and Hierarchical Timing Wheels* (1987), scheme 7.

use super::Instant;
use std::task::Waker;

/// A tick is 2¹⁰ ns. So short that hardly two timers share one: to look for the earliest in a slot is to look at one entry.
const TICK_BITS: u32 = 10;
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// 9 digits of 6 bits hold the 54 bits that a 64-bit nanosecond count leaves above a tick.
const LEVELS: usize = 9;
/// A slot on a higher level with more entries than this is not searched for the earliest: the worker gets up when the slot
/// begins, and moves it down.
const SEARCHED: usize = 32;

/// Names an armed timer. Its number is never used again, so a key whose timer is gone finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    entry: u32,
    number: u64,
}

/// A timer that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) deadline: Instant,
    pub(crate) waker: Waker,
    number: u64,
}

#[derive(Debug)]
pub(super) struct Wheel {
    entries: Vec<Entry>,
    /// The first of the free places: a list through `after`.
    free: u32,
    /// How many places are not free.
    armed: usize,
    /// For each level, a bit for each slot that is not empty.
    in_use: [u64; LEVELS],
    /// The head of each slot's list, level after level.
    heads: [u32; LEVELS * SLOTS],
    /// The tick up to which the wheel has turned: no entry is before it, but for those that were late when they were armed.
    elapsed: u64,
    /// The number of the next timer.
    number: u64,
}

/// A timer's place. 48 bytes.
#[derive(Debug)]
struct Entry {
    deadline: Instant,
    number: u64,
    /// `None`: the place is free.
    waker: Option<Waker>,
    before: u32,
    after: u32,
    /// The slot that it stands in: an index into `heads`.
    slot: u16,
}

/// No entry.
const NONE: u32 = u32::MAX;

/// A burst that needed more places than this gives them back when its last timer is gone.
const KEPT: usize = 1024;

fn tick(deadline: Instant) -> u64 {
    deadline.as_nanos() >> TICK_BITS
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: NONE,
            armed: 0,
            in_use: [0; LEVELS],
            heads: [NONE; LEVELS * SLOTS],
            elapsed: 0,
            number: 0,
        }
    }

    /// How many timers are in it.
    pub(super) fn len(&self) -> usize {
        self.armed
    }

    /// Puts a timer in.
    pub(super) fn insert(&mut self, deadline: Instant, waker: Waker) -> Key {
        let number = self.next_number();
        let new = self.entries.len();
        let key = match self.free {
            NONE => u32::try_from(new).ok().filter(|key| *key != NONE).expect("four billion timers"),
            free => free,
        };
        let (slot, after) = self.lead(key, deadline);
        let entry = Entry { deadline, number, waker: Some(waker), before: NONE, after, slot };
        if key as usize == new {
            self.entries.push(entry);
        } else {
            let place = &mut self.entries[key as usize];
            self.free = place.after;
            *place = entry;
        }
        self.armed += 1;
        Key { entry: key, number }
    }

    /// The waker of a timer that is in.
    pub(super) fn waker(&mut self, key: Key) -> Option<&mut Waker> {
        let entry = self.entries.get_mut(key.entry as usize).filter(|entry| entry.number == key.number)?;
        entry.waker.as_mut()
    }

    /// Takes a timer out.
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        let waker = self.waker(key).is_some().then(|| self.take(key.entry))?;
        self.give_back();
        Some(waker)
    }

    /// Gives a timer another deadline, as if it were armed anew.
    pub(super) fn reschedule(&mut self, key: Key, deadline: Instant) -> Option<Key> {
        self.waker(key)?;
        let number = self.next_number();
        let Entry { slot, before, after, .. } = self.entries[key.entry as usize];
        self.close_gap(slot, before, after);
        let entry = &mut self.entries[key.entry as usize];
        (entry.deadline, entry.number) = (deadline, number);
        self.link(key.entry);
        Some(Key { number, ..key })
    }

    /// Takes all out, in no order.
    pub(super) fn clear(&mut self) -> Vec<Waker> {
        let number = self.number;
        let old = std::mem::replace(self, Self { number, ..Self::new() });
        old.entries.into_iter().filter_map(|entry| entry.waker).collect()
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Puts an entry in the slot of its deadline.
    fn link(&mut self, key: u32) {
        let (slot, after) = self.lead(key, self.entries[key as usize].deadline);
        let entry = &mut self.entries[key as usize];
        (entry.slot, entry.before, entry.after) = (slot, NONE, after);
    }

    /// Makes `key` the head of the slot of `deadline`. Gives the slot, and what was its head.
    fn lead(&mut self, key: u32, deadline: Instant) -> (u16, u32) {
        // What is late belongs to the present tick.
        let tick = tick(deadline).max(self.elapsed);
        let highest_differing = ((tick ^ self.elapsed) | 1).ilog2();
        let level = highest_differing / DIGIT_BITS;
        let digit = (tick >> (level * DIGIT_BITS)) as usize % SLOTS;
        let slot = level as usize * SLOTS + digit;
        self.in_use[level as usize] |= 1 << digit;
        let after = std::mem::replace(&mut self.heads[slot], key);
        if let Some(after) = self.entries.get_mut(after as usize) {
            after.before = key;
        }
        (slot as u16, after)
    }

    /// Joins the neighbours of an entry that leaves its slot.
    fn close_gap(&mut self, slot: u16, before: u32, after: u32) {
        if let Some(after) = self.entries.get_mut(after as usize) {
            after.before = before;
        }
        if let Some(before) = self.entries.get_mut(before as usize) {
            before.after = after;
            return;
        }
        let slot = usize::from(slot);
        self.heads[slot] = after;
        if after == NONE {
            self.in_use[slot / SLOTS] &= !(1 << (slot % SLOTS));
        }
    }

    /// Takes an armed entry out of its slot, and makes its place free.
    fn take(&mut self, key: u32) -> Waker {
        let entry = &mut self.entries[key as usize];
        let waker = entry.waker.take().expect("what stands in a slot is armed");
        let (slot, before) = (entry.slot, entry.before);
        let after = std::mem::replace(&mut entry.after, self.free);
        self.free = key;
        self.armed -= 1;
        self.close_gap(slot, before, after);
        waker
    }

    /// Gives the memory of a burst back. Keys of its timers find nothing: their numbers are gone.
    fn give_back(&mut self) {
        if self.armed == 0 && self.entries.len() > KEPT {
            (self.entries, self.free) = (Vec::new(), NONE);
        }
    }

    /// The slot that is due first: its level, its index, and the tick with which it begins.
    fn first_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.in_use.iter().position(|in_use| *in_use != 0)?;
        let digit = self.in_use[level].trailing_zeros() as usize;
        let low = level as u32 * DIGIT_BITS;
        // The digits above this level are those of `elapsed`; the digit is the slot's; those below are zero.
        let above = self.elapsed & u64::MAX.checked_shl(low + DIGIT_BITS).unwrap_or(0);
        Some((level, level * SLOTS + digit, above | (digit as u64) << low))
    }

    fn slot_entries(&self, slot: usize) -> impl Iterator<Item = &Entry> {
        let entry = |key: u32| self.entries.get(key as usize);
        std::iter::successors(entry(self.heads[slot]), move |current| entry(current.after))
    }

    /// When to look again: the next deadline, or a moment before it.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let (level, slot, begins) = self.first_slot()?;
        if level > 0 && self.slot_entries(slot).nth(SEARCHED).is_some() {
            return Some(Instant::from_nanos(begins << TICK_BITS));
        }
        self.slot_entries(slot).map(|entry| entry.deadline).min()
    }

    /// Turns up to `now`, and takes out all that is due: in the order of their deadlines, if `due` is empty.
    pub(super) fn take_due(&mut self, now: Instant, due: &mut Vec<Due>) {
        while let Some((level, slot, begins)) = self.first_slot().filter(|(.., begins)| *begins <= tick(now)) {
            self.elapsed = begins.max(self.elapsed);
            if level > 0 {
                self.move_down(level, slot);
            } else if !self.empty_slot(slot, now, due) {
                break;
            }
        }
        self.elapsed = tick(now).max(self.elapsed);
        self.give_back();
        due.sort_unstable_by_key(|due| (due.deadline, due.number));
    }

    /// Takes what is due out of a slot of the lowest level. `false`: something stays, for later in this very tick.
    fn empty_slot(&mut self, slot: usize, now: Instant, due: &mut Vec<Due>) -> bool {
        let mut next = self.heads[slot];
        while next != NONE {
            let key = next;
            let Entry { deadline, number, after, .. } = self.entries[key as usize];
            next = after;
            if deadline <= now {
                due.push(Due { deadline, waker: self.take(key), number });
            }
        }
        self.heads[slot] == NONE
    }

    /// Time has reached a slot of a higher level: its entries stand on lower ones now.
    fn move_down(&mut self, level: usize, slot: usize) {
        let mut next = std::mem::replace(&mut self.heads[slot], NONE);
        self.in_use[level] &= !(1 << (slot % SLOTS));
        while next != NONE {
            let key = next;
            next = self.entries[key as usize].after;
            self.link(key);
        }
    }
}

#[cfg(test)]
impl Wheel {
    /// Used and free ones.
    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes_per_timer(&self) -> usize {
        size_of::<Entry>()
    }
}

#[cfg(test)]
impl Due {
    /// Was this its key?
    pub(super) fn is(&self, key: Key) -> bool {
        self.number == key.number
    }
}
