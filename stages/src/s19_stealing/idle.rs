//! Who sleeps, who searches, and who must be woken so that no task lies in a queue while all workers sleep.
//!
//! (The locks of this stage's queues would order a push and a look by themselves. A queue without a lock would not; so the fences
//! are here, and the protocol holds for either.)

// ANCHOR: imports
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering, fence},
};
// ANCHOR_END: imports

// ANCHOR: idle
/// How many sleep (low half of the word), and how many search (high half). One word, so that it changes in one step.
pub(super) struct Idle {
    counts: AtomicUsize,
    /// Those who sleep, the latest last. Changed together with the count.
    sleepers: Mutex<Vec<usize>>,
}

const SLEEPING: usize = 1;
const SEARCHING: usize = 1 << (usize::BITS / 2);

fn sleeping(counts: usize) -> usize {
    counts & (SEARCHING - 1)
}

fn searching(counts: usize) -> usize {
    counts / SEARCHING
}

impl Idle {
    pub(super) fn new() -> Self {
        Idle { counts: AtomicUsize::new(0), sleepers: Mutex::new(Vec::new()) }
    }

    pub(super) fn begin_search(&self) {
        self.counts.fetch_add(SEARCHING, Ordering::SeqCst);
    }

    /// The search is over, whatever was found. `true`: nobody else searches, so if there is more, wake another.
    pub(super) fn end_search(&self) -> bool {
        let last = searching(self.counts.fetch_sub(SEARCHING, Ordering::SeqCst)) == 1;
        // Pairs with the fence in `wake_one`: whoever still saw this search is seen by the caller's look.
        fence(Ordering::SeqCst);
        last
    }

    /// The worker, which has searched, sleeps from here on, even if it is still awake. It must look at all queues once more.
    pub(super) fn fall_asleep(&self, worker: usize) {
        let mut sleepers = self.sleepers.lock().unwrap();
        sleepers.push(worker);
        // One fewer searches and one more sleeps, in one step.
        self.counts.fetch_add(SLEEPING.wrapping_sub(SEARCHING), Ordering::SeqCst);
        drop(sleepers);
        // Pairs with the fence in `wake_one`: of a push and a falling asleep at the same time, at least one sees the other.
        fence(Ordering::SeqCst);
    }

    /// The worker is up, and searches: because somebody has said so in `wake_one`, or by itself.
    pub(super) fn get_up(&self, worker: usize) {
        let mut sleepers = self.sleepers.lock().unwrap();
        if let Some(place) = sleepers.iter().position(|sleeper| *sleeper == worker) {
            sleepers.remove(place);
            self.counts.fetch_add(SEARCHING.wrapping_sub(SLEEPING), Ordering::SeqCst);
        }
    }

    /// After a push: the worker to wake, if one must be. While somebody searches none must: that one will find the task.
    pub(super) fn wake_one(&self) -> Option<usize> {
        // Pairs with the fence in `fall_asleep`.
        fence(Ordering::SeqCst);
        let must_wake = |counts| searching(counts) == 0 && sleeping(counts) > 0;
        if !must_wake(self.counts.load(Ordering::Relaxed)) {
            return None;
        }
        let mut sleepers = self.sleepers.lock().unwrap();
        // Under the lock, for two pushers may have come here at once.
        if !must_wake(self.counts.load(Ordering::SeqCst)) {
            return None;
        }
        let worker = sleepers.pop()?;
        self.counts.fetch_add(SEARCHING.wrapping_sub(SLEEPING), Ordering::SeqCst);
        Some(worker)
    }
}
// ANCHOR_END: idle
