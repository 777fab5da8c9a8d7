//! Who sleeps, who searches, and who must be woken so that no runnable task waits while a worker sleeps.
//!
//! ```text
//!   a worker that runs out of tasks                          whoever makes a task runnable for others
//!   ───────────────────────────────                          ────────────────────────────────────────
//!   searching += 1                                           push it
//!   look everywhere ── found: searching -= 1;                fence
//!                      the last one wakes another            nobody searches, and somebody sleeps?
//!   sleeping += 1, searching -= 1                                wake the one that fell asleep last:
//!   fence                                                        sleeping -= 1, searching += 1
//!   look everywhere once more ── found: get up again
//!   sleep
//! ```
//!
//! The two fences are the whole point: of a push and a falling asleep at the same time, at least one side sees the other.
//! Either the worker finds the task in its second look, or the pusher finds the sleeper. (tokio #1768 had a plain load in
//! the place of the right-hand fence, and tasks sat for ever.)
//!
//! - While somebody searches nobody else is woken: a searcher finds the task, or falls asleep by the left column. So a herd
//!   does not wake for one task; and whoever stops searching *because it found something* wakes the next one, for there may be more.
//! - At most half of the workers search at the same time.

use crate::std_or_loom::{AtomicUsize, Mutex, Ordering, fence};

/// How many sleep (low half of the word) and search (high half).
#[derive(Debug)]
pub(super) struct Idle {
    counts: AtomicUsize,
    /// Those who sleep, the latest last. Changed together with the count.
    sleepers: Mutex<Vec<usize>>,
    workers: usize,
}

const SLEEPING: usize = 1;
const SEARCHING: usize = 1 << 32;

fn sleeping(counts: usize) -> usize {
    counts & (SEARCHING - 1)
}

fn searching(counts: usize) -> usize {
    counts / SEARCHING
}

impl Idle {
    pub(super) fn new(workers: usize) -> Self {
        Self { counts: AtomicUsize::new(0), sleepers: Mutex::new(Vec::with_capacity(workers)), workers }
    }

    /// May one more search?
    pub(super) fn begin_search(&self) -> bool {
        let counts = self.counts.load(Ordering::Relaxed);
        if 2 * searching(counts) >= self.workers {
            return false;
        }
        self.counts.fetch_add(SEARCHING, Ordering::SeqCst);
        true
    }

    /// The search found something. `true`: nobody else searches now, so the caller must look whether to
    /// [`wake_one`](Idle::wake_one).
    #[must_use]
    pub(super) fn end_search(&self) -> bool {
        let last = searching(self.counts.fetch_sub(SEARCHING, Ordering::SeqCst)) == 1;
        // Pairs with the fence in `wake_one`: a pusher who still saw us search is seen by the caller's look.
        fence(Ordering::SeqCst);
        last
    }

    /// The worker falls asleep. `true`: nobody searches any more, so it must look everywhere once more, and
    /// [`get_up`](Idle::get_up) if it finds something. (As long as somebody searches, that one will look.)
    #[must_use]
    pub(super) fn fall_asleep(&self, worker: usize, was_searching: bool) -> bool {
        let mut sleepers = self.sleepers.lock().unwrap();
        sleepers.push(worker);
        let change = SLEEPING.wrapping_sub(if was_searching { SEARCHING } else { 0 });
        let counts = self.counts.fetch_add(change, Ordering::SeqCst).wrapping_add(change);
        drop(sleepers);
        // Pairs with the fence in `wake_one`.
        fence(Ordering::SeqCst);
        searching(counts) == 0
    }

    /// The worker is up. `true`: somebody woke it to search, and it counts as searching already.
    pub(super) fn get_up(&self, worker: usize) -> bool {
        let mut sleepers = self.sleepers.lock().unwrap();
        match sleepers.iter().rposition(|sleeper| *sleeper == worker) {
            Some(place) => {
                sleepers.remove(place);
                self.counts.fetch_sub(SLEEPING, Ordering::SeqCst);
                false
            }
            None => true,
        }
    }

    /// After something was pushed where siblings can find it: the worker to wake, if one must be.
    #[must_use]
    pub(super) fn wake_one(&self) -> Option<usize> {
        // Pairs with the fence in `fall_asleep`.
        fence(Ordering::SeqCst);
        if !Self::must_wake(self.counts.load(Ordering::Relaxed)) {
            return None;
        }
        let mut sleepers = self.sleepers.lock().unwrap();
        // Under the lock, for two pushers may have come here at once.
        if !Self::must_wake(self.counts.load(Ordering::SeqCst)) {
            return None;
        }
        let worker = sleepers.pop()?;
        self.counts.fetch_add(SEARCHING - SLEEPING, Ordering::SeqCst);
        Some(worker)
    }

    fn must_wake(counts: usize) -> bool {
        searching(counts) == 0 && sleeping(counts) > 0
    }

    /// The one who has slept longest, if any does.
    pub(super) fn a_sleeper(&self) -> Option<usize> {
        if self.sleeping() == 0 { None } else { self.sleepers.lock().unwrap().first().copied() }
    }

    /// How many sleep, a moment ago.
    pub(super) fn sleeping(&self) -> usize {
        sleeping(self.counts.load(Ordering::Relaxed))
    }
}
