//! The deadlines of one worker: a hierarchical wheel.
//!
//! ```text
//!   level 0   64 slots of one tick (1.05 ms)      ──┐ what is due
//!   level 1   64 slots of 64 ticks (67 ms)        ──┘ when time reaches a slot, its entries move down
//!   …
//!   level 7   slots of 146 years: the wheel never wraps
//! ```
//!
//! An entry with deadline `d` stands on the level of the highest six-bit digit in which the ticks of `d` and of `elapsed`
//! differ, in the slot that this digit names. So everything on a level is due before anything on a higher one, and whatever
//! is due next stands in the first slot in use of the lowest level in use: one bit scan a level finds it.
//!
//! - Arm and cancel are O(1): a slab entry, and its place in a doubly linked list.
//! - The wheel only finds the slot; deadlines are kept to the nanosecond, and nothing fires before its own.
//! - Timers fire in the order of their deadlines; equal ones in the order in which they were armed.
//!
//! Source: Varghese and Lauck, *Hashed and Hierarchical Timing Wheels* (1987), scheme 7.

use super::Instant;
use slab::Slab;
use std::{sync::Mutex, task::Waker};

/// A tick is 2²⁰ ns.
const TICK_BITS: u32 = 20;
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// 8 digits of 6 bits hold the 44 bits that a 64-bit nanosecond count leaves above a tick.
const LEVELS: usize = 8;
/// A slot on a higher level with more entries than this is not searched for the earliest: the worker gets up when the slot
/// begins, and moves it down.
const SEARCHED: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<Wheel>);

/// Names an armed timer. Its number is never used again, so a key whose timer is gone finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    entry: usize,
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
struct Wheel {
    entries: Slab<Entry>,
    levels: [Level; LEVELS],
    /// The tick up to which the wheel has turned: no entry is before it, but for those that were late when they were armed.
    elapsed: u64,
    armed: u64,
    /// What `next_deadline` said last.
    announced: Option<Instant>,
}

/// The slots of a level: the head of each list, and a bit for each that is not empty.
#[derive(Debug)]
struct Level {
    in_use: u64,
    heads: [usize; SLOTS],
}

#[derive(Debug)]
struct Entry {
    deadline: Instant,
    number: u64,
    waker: Waker,
    level: usize,
    slot: usize,
    before: usize,
    after: usize,
}

/// No entry.
const NONE: usize = usize::MAX;

impl Default for Wheel {
    fn default() -> Self {
        let levels = std::array::from_fn(|_| Level { in_use: 0, heads: [NONE; SLOTS] });
        Self { entries: Slab::new(), levels, elapsed: 0, armed: 0, announced: None }
    }
}

impl Timers {
    /// Arms a timer. The flag: if the worker sleeps, it must get up earlier than it knew.
    pub(crate) fn arm(&self, deadline: Instant, waker: Waker) -> (Key, bool) {
        let mut wheel = self.0.lock().unwrap();
        let number = wheel.armed;
        wheel.armed += 1;
        let entry = Entry { deadline, number, waker, level: 0, slot: 0, before: NONE, after: NONE };
        let entry = wheel.entries.insert(entry);
        wheel.link(entry);
        (Key { entry, number }, wheel.announced.is_none_or(|announced| deadline < announced))
    }

    /// Puts another waker in an armed timer; gives back the one that must be dropped. `Err`: the timer has fired.
    pub(crate) fn replace(&self, key: Key, waker: Waker) -> Result<Waker, Waker> {
        match self.0.lock().unwrap().entries.get_mut(key.entry).filter(|entry| entry.number == key.number) {
            Some(entry) => Ok(std::mem::replace(&mut entry.waker, waker)),
            None => Err(waker),
        }
    }

    /// Takes a timer out, if it has not fired.
    pub(crate) fn cancel(&self, key: Key) -> Option<Waker> {
        let mut wheel = self.0.lock().unwrap();
        wheel.entries.get(key.entry).filter(|entry| entry.number == key.number)?;
        wheel.unlink(key.entry);
        Some(wheel.entries.remove(key.entry).waker)
    }

    /// When the worker must look again: the next deadline, or a moment before it. Noted under the lock: whoever arms a timer
    /// after this knows until when the worker means to sleep.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let mut wheel = self.0.lock().unwrap();
        wheel.announced = wheel.next_deadline();
        wheel.announced
    }

    /// Takes out all that is due at `now`, in the order in which it fires.
    pub(crate) fn take_due(&self, now: Instant, due: &mut Vec<Due>) {
        self.0.lock().unwrap().take_due(now, due);
        due.sort_unstable_by_key(|due| (due.deadline, due.number));
    }
}

fn tick(deadline: Instant) -> u64 {
    deadline.as_nanos() >> TICK_BITS
}

impl Wheel {
    /// Puts an entry in the slot of its deadline.
    fn link(&mut self, key: usize) {
        // What is late belongs to the present tick.
        let tick = tick(self.entries[key].deadline).max(self.elapsed);
        let differing = u64::BITS - (tick ^ self.elapsed).leading_zeros();
        let level = (differing.saturating_sub(1) / DIGIT_BITS) as usize;
        let slot = (tick >> (level as u32 * DIGIT_BITS)) as usize % SLOTS;
        let after = std::mem::replace(&mut self.levels[level].heads[slot], key);
        self.levels[level].in_use |= 1 << slot;
        if after != NONE {
            self.entries[after].before = key;
        }
        let entry = &mut self.entries[key];
        (entry.level, entry.slot, entry.before, entry.after) = (level, slot, NONE, after);
    }

    /// Takes an entry out of its slot.
    fn unlink(&mut self, key: usize) {
        let Entry { level, slot, before, after, .. } = self.entries[key];
        match before {
            NONE => self.levels[level].heads[slot] = after,
            before => self.entries[before].after = after,
        }
        if after != NONE {
            self.entries[after].before = before;
        }
        if self.levels[level].heads[slot] == NONE {
            self.levels[level].in_use &= !(1 << slot);
        }
    }

    /// The slot that is due first: its level, its number, and the tick with which it begins.
    fn first_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.levels.iter().position(|level| level.in_use != 0)?;
        let slot = self.levels[level].in_use.trailing_zeros() as usize;
        let low = level as u32 * DIGIT_BITS;
        // The digits above this level are those of `elapsed`; the digit is the slot's; those below are zero.
        let above = self.elapsed.checked_shr(low + DIGIT_BITS).unwrap_or(0).checked_shl(low + DIGIT_BITS).unwrap_or(0);
        Some((level, slot, above | (slot as u64) << low))
    }

    fn slot_entries(&self, level: usize, slot: usize) -> impl Iterator<Item = (usize, &Entry)> {
        let entry = |key: usize| self.entries.get(key).map(|entry| (key, entry));
        std::iter::successors(entry(self.levels[level].heads[slot]), move |(_, current)| entry(current.after))
    }

    fn next_deadline(&self) -> Option<Instant> {
        let (level, slot, begins) = self.first_slot()?;
        if level > 0 && self.slot_entries(level, slot).nth(SEARCHED).is_some() {
            return Some(Instant::from_nanos(begins << TICK_BITS));
        }
        self.slot_entries(level, slot).map(|(_, entry)| entry.deadline).min()
    }

    fn take_due(&mut self, now: Instant, due: &mut Vec<Due>) {
        while let Some((level, slot, begins)) = self.first_slot().filter(|(.., begins)| *begins <= tick(now)) {
            self.elapsed = begins.max(self.elapsed);
            if level == 0 {
                if !self.empty_slot(slot, now, due) {
                    return;
                }
            } else {
                self.move_down(level, slot);
            }
        }
        self.elapsed = tick(now).max(self.elapsed);
    }

    /// Takes what is due out of a slot of the lowest level. `false`: something stays, for later in this very tick.
    fn empty_slot(&mut self, slot: usize, now: Instant, due: &mut Vec<Due>) -> bool {
        let mut next = self.levels[0].heads[slot];
        while next != NONE {
            let key = next;
            next = self.entries[key].after;
            if self.entries[key].deadline <= now {
                self.unlink(key);
                let Entry { deadline, waker, number, .. } = self.entries.remove(key);
                due.push(Due { deadline, waker, number });
            }
        }
        self.levels[0].heads[slot] == NONE
    }

    /// Time has reached a slot of a higher level: its entries stand on lower ones now.
    fn move_down(&mut self, level: usize, slot: usize) {
        let mut next = std::mem::replace(&mut self.levels[level].heads[slot], NONE);
        self.levels[level].in_use &= !(1 << slot);
        while next != NONE {
            let key = next;
            next = self.entries[key].after;
            self.link(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    /// Random arming, cancelling and waiting against a sorted map: the same timers fire, in the same order, and the worker
    /// is never told to sleep past one. Started at several moments, some just before a level wraps (tokio #8334: the top
    /// level did).
    #[test]
    fn the_wheel_does_what_a_sorted_map_does() {
        let steps = if cfg!(miri) { 300 } else { 200_000 };
        for start in [0, (1 << (20 + 6)) - 1, (1 << (20 + 12)) - 1, (1 << 50) - 1, (1 << 62) - 1] {
            let mut random = Random(start + 88_172_645_463_325_252);
            let timers = Timers::default();
            let mut model = BTreeMap::new();
            let (mut now, mut announced) = (start, None);
            timers.take_due(Instant::from_nanos(now), &mut Vec::new());
            for step in 0..steps {
                match random.below(10) {
                    0..=4 => {
                        let magnitude = random.below(44);
                        let wait = random.below(2 << magnitude);
                        let deadline = Instant::from_nanos(now.saturating_add(wait));
                        let (key, sooner) = timers.arm(deadline, Waker::noop().clone());
                        let asleep_until = announced.unwrap_or(Instant::NEVER);
                        assert_eq!(sooner, deadline < asleep_until, "step {step}: is the worker told?");
                        model.insert((deadline, key.number), key);
                    }
                    5..=6 => {
                        if let Some((&place, &key)) = model.iter().nth(random.below(8) as usize) {
                            assert!(timers.cancel(key).is_some(), "step {step}");
                            assert!(timers.cancel(key).is_none(), "step {step}: cancelled twice");
                            model.remove(&place);
                        }
                    }
                    _ => {
                        let next = timers.next_deadline();
                        announced = next;
                        assert_eq!(next.is_some(), !model.is_empty(), "step {step}");
                        if let (Some(next), Some((first, _))) = (next, model.keys().next()) {
                            assert!(next <= *first, "step {step}: it would sleep past a deadline");
                        }
                        let magnitude = random.below(40);
                        let jump = random.below(2 << magnitude);
                        now = if random.below(2) == 0 {
                            next.map_or(now, |next| next.as_nanos().max(now))
                        } else {
                            now.saturating_add(jump)
                        };
                        let mut due = Vec::new();
                        timers.take_due(Instant::from_nanos(now), &mut due);
                        let later = model.split_off(&(Instant::from_nanos(now + 1), 0));
                        let expected: Vec<_> = std::mem::replace(&mut model, later).into_keys().collect();
                        let fired: Vec<_> = due.iter().map(|due| (due.deadline, due.number)).collect();
                        assert_eq!(fired, expected, "step {step}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_single_timer_is_announced_to_the_nanosecond() {
        for nanos in [1, 999, 1 << 20, (1 << 26) + 12_345, 3_600_000_000_000] {
            let timers = Timers::default();
            timers.arm(Instant::from_nanos(nanos), Waker::noop().clone());
            assert_eq!(timers.next_deadline(), Some(Instant::from_nanos(nanos)));
        }
    }
}
