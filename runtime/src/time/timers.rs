//! The timers of one worker, as all threads may use them: the [wheel](super::wheel) behind a lock.
//!
//! ```text
//!   the worker    next_deadline ──> sleeps until then ──> take_due ──> wakes, out of the lock
//!                      │ announces                          │ takes the announcement back
//!   any thread        arm: is it sooner than what is announced? then the worker must be nudged
//! ```
//!
//! - The worker computes until when it sleeps, and says so, in one hold of the lock. So whoever arms a timer either is seen
//!   by it, or sees that it must be woken.
//! - While the worker is awake it announces nothing, and nobody nudges it: it looks here before it sleeps.
//! - No waker is woken, cloned or dropped in here; comparing two is not their code.

use super::{
    Instant,
    wheel::{Due, Key, Wheel},
};
use crate::std_or_loom::{Mutex, MutexGuard};
use std::task::Waker;

#[derive(Debug)]
pub(crate) struct Timers(Mutex<State>);

#[derive(Debug)]
struct State {
    wheel: Wheel,
    /// Up to here all that was due is taken out.
    turned: Instant,
    /// Until when the worker sleeps: the end of time if only something else can wake it, the beginning if it is awake.
    announced: Instant,
    /// The worker is gone, and nobody will look here again.
    closed: bool,
}

/// What became of a timer that was to be armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Armed {
    /// It is armed. `nudge`: the worker sleeps longer than that.
    Yes { key: Key, nudge: bool },
    /// The wheel has turned past its deadline already.
    Passed,
    /// Nobody would wake it.
    Closed,
}

/// What became of a timer that was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Armed,
    /// Armed, with a waker that wakes somebody else.
    ForAnother,
    Fired,
    Closed,
}

impl Timers {
    pub(super) fn new() -> Self {
        let state =
            State { wheel: Wheel::new(), turned: Instant::BEGINNING, announced: Instant::BEGINNING, closed: false };
        Self(Mutex::new(state))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Arms a timer, and takes its waker then; another is left where it is.
    pub(super) fn arm(&self, deadline: Instant, waker: &mut Option<Waker>) -> Armed {
        let mut state = self.state();
        if state.closed {
            return Armed::Closed;
        }
        match waker.take_if(|_| deadline > state.turned) {
            Some(waker) => Armed::Yes { key: state.wheel.insert(deadline, waker), nudge: deadline < state.announced },
            None => Armed::Passed,
        }
    }

    /// What has become of it?
    pub(super) fn find(&self, key: Key, waker: &Waker) -> Found {
        let State { wheel, closed, .. } = &mut *self.state();
        match wheel.waker(key) {
            Some(armed) if armed.will_wake(waker) => Found::Armed,
            Some(_) => Found::ForAnother,
            None if *closed => Found::Closed,
            None => Found::Fired,
        }
    }

    /// Puts another waker in a timer; gives back the one that it had. `Err`: it is no longer armed.
    pub(super) fn replace(&self, key: Key, waker: Waker) -> Result<Waker, Waker> {
        match self.state().wheel.waker(key) {
            Some(armed) => Ok(std::mem::replace(armed, waker)),
            None => Err(waker),
        }
    }

    /// Moves a timer that is still armed, as if it were armed anew. The flag: the worker sleeps longer than that.
    pub(super) fn reschedule(&self, key: Key, deadline: Instant) -> Option<(Key, bool)> {
        let mut state = self.state();
        let key = state.wheel.reschedule(key, deadline)?;
        Some((key, deadline < state.announced))
    }

    /// Takes a timer out, if it has not fired.
    pub(super) fn cancel(&self, key: Key) -> Option<Waker> {
        self.state().wheel.remove(key)
    }

    /// For the worker that is about to sleep: until when, at the latest. From here to its next [`take_due`](Timers::take_due)
    /// it is nudged for whatever is sooner.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let mut state = self.state();
        let next = state.wheel.next_deadline();
        state.announced = next.unwrap_or(Instant::NEVER);
        next
    }

    /// For the worker, which is awake: takes out all that is due at `now`, in the order in which it fires.
    pub(crate) fn take_due(&self, now: Instant, due: &mut Vec<Due>) {
        let mut state = self.state();
        state.announced = Instant::BEGINNING;
        state.take_due(now, due);
    }

    /// [`take_due`](Timers::take_due) for another thread, on behalf of a worker that does not get to it. If that one is asleep
    /// after all, it is still nudged for what is sooner.
    pub(crate) fn take_due_for_another(&self, now: Instant, due: &mut Vec<Due>) {
        self.state().take_due(now, due);
    }

    /// Is any timer armed?
    pub(crate) fn are_armed(&self) -> bool {
        self.state().wheel.next_deadline().is_some()
    }

    /// How many timers are armed.
    pub(crate) fn armed(&self) -> usize {
        self.state().wheel.len()
    }

    /// The end: from now on nothing is armed here. Gives out the wakers of what was.
    pub(super) fn close(&self) -> Vec<Waker> {
        let mut state = self.state();
        state.closed = true;
        state.wheel.clear()
    }
}

impl State {
    fn take_due(&mut self, now: Instant, due: &mut Vec<Due>) {
        self.turned = now.max(self.turned);
        self.wheel.take_due(now, due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeMap,
        sync::{Arc, Weak, atomic},
        task::Wake,
    };

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }

        /// Up to `2 << most`, of any magnitude.
        fn magnitude(&mut self, most: u64) -> u64 {
            let magnitude = self.below(most);
            self.below(2 << magnitude)
        }
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    /// What the timers should do, as a sorted map: deadline and order of arming, and the key.
    struct Model {
        timers: Timers,
        armed: BTreeMap<(Instant, u64), Key>,
        arrivals: u64,
        now: u64,
        /// Until when the worker sleeps, if it does.
        asleep: Option<Instant>,
    }

    impl Model {
        fn new(now: u64) -> Self {
            let timers = Timers::new();
            timers.take_due(at(now), &mut Vec::new());
            Self { timers, armed: BTreeMap::new(), arrivals: 0, now, asleep: None }
        }

        fn must_nudge(&self, deadline: Instant) -> bool {
            self.asleep.is_some_and(|until| deadline < until)
        }

        fn note(&mut self, deadline: Instant, key: Key) {
            self.arrivals += 1;
            self.armed.insert((deadline, self.arrivals), key);
        }

        fn arm(&mut self, wait: u64) {
            let deadline = at(self.now.saturating_add(wait));
            match self.timers.arm(deadline, &mut Some(waker())) {
                Armed::Yes { key, nudge } => {
                    assert!(wait > 0);
                    assert_eq!(nudge, self.must_nudge(deadline), "is the worker told?");
                    self.note(deadline, key);
                }
                Armed::Passed => assert_eq!(wait, 0),
                Armed::Closed => panic!("nobody closed it"),
            }
        }

        /// One of the first eight.
        fn pick(&self, random: &mut Random) -> Option<((Instant, u64), Key)> {
            let nth = random.below(8) as usize;
            self.armed.iter().nth(nth).map(|(place, key)| (*place, *key))
        }

        fn cancel(&mut self, random: &mut Random) {
            let Some((place, key)) = self.pick(random) else { return };
            assert!(self.timers.cancel(key).is_some());
            assert!(self.timers.cancel(key).is_none(), "cancelled twice");
            assert_eq!(self.timers.find(key, Waker::noop()), Found::Fired, "it is gone");
            self.armed.remove(&place);
        }

        /// To any moment, past ones too.
        fn reschedule(&mut self, random: &mut Random) {
            let Some((place, key)) = self.pick(random) else { return };
            let deadline = at(self.now.saturating_sub(1 << 22).saturating_add(random.magnitude(44)));
            let (moved, nudge) = self.timers.reschedule(key, deadline).expect("it is armed");
            assert_eq!(nudge, self.must_nudge(deadline), "is the worker told?");
            assert!(self.timers.cancel(key).is_none(), "the old key is void");
            self.armed.remove(&place);
            self.note(deadline, moved);
        }

        fn sleep(&mut self) {
            let next = self.timers.next_deadline();
            assert_eq!(next.is_some(), !self.armed.is_empty());
            if let (Some(next), Some(((first, _), _))) = (next, self.armed.first_key_value()) {
                assert!(next <= *first, "it would sleep past a deadline");
            }
            self.asleep = Some(next.unwrap_or(Instant::NEVER));
        }

        /// Time goes on; what fires may be armed again, as by wakers.
        fn turn(&mut self, random: &mut Random) {
            self.now = match self.asleep {
                Some(until) if until != Instant::NEVER && random.below(2) == 0 => until.as_nanos().max(self.now),
                _ => self.now.saturating_add(random.magnitude(40)),
            };
            let mut due = Vec::new();
            if random.below(4) == 0 {
                self.timers.take_due_for_another(at(self.now), &mut due);
            } else {
                self.timers.take_due(at(self.now), &mut due);
                self.asleep = None;
            }
            let later = self.armed.split_off(&(at(self.now + 1), 0));
            let expected = std::mem::replace(&mut self.armed, later);
            assert_eq!(due.len(), expected.len());
            for (due, ((deadline, _), key)) in due.iter().zip(expected) {
                assert_eq!(due.deadline, deadline, "in the order of deadlines, then of arming");
                assert!(due.is(key), "in the order of deadlines, then of arming");
                if random.below(3) == 0 {
                    self.arm(random.magnitude(30));
                }
            }
        }
    }

    /// Random arming, moving, cancelling and waiting against a sorted map: the same timers fire, in the same order, and the
    /// worker is never told to sleep past one. Started at several moments, some just before a level wraps (tokio #8334: the top
    /// level did).
    #[test]
    fn the_wheel_does_what_a_sorted_map_does() {
        let steps = if cfg!(miri) { 60 } else { 200_000 };
        for start in [0, (1 << 16) - 1, (1 << (10 + 18)) - 1, (1 << 50) - 1, (1 << 58) - 1, (1 << 62) - 1] {
            let mut random = Random(start + 88_172_645_463_325_252);
            let mut model = Model::new(start);
            for _ in 0..steps {
                match random.below(12) {
                    0..=4 => {
                        let wait = random.magnitude(44);
                        model.arm(wait);
                    }
                    5..=6 => model.cancel(&mut random),
                    7..=8 => model.reschedule(&mut random),
                    9 => model.sleep(),
                    _ => model.turn(&mut random),
                }
            }
        }
    }

    #[test]
    fn a_single_timer_is_announced_to_the_nanosecond() {
        for nanos in [1, 999, 1 << 20, (1 << 26) + 12_345, 3_600_000_000_000, u64::MAX - 1] {
            let timers = Timers::new();
            timers.arm(at(nanos), &mut Some(waker()));
            assert_eq!(timers.next_deadline(), Some(at(nanos)));
        }
    }

    /// The farthest jump turns the wheel as far as it goes, and no further.
    #[test]
    fn a_jump_to_the_end_of_time_fires_everything_in_order() {
        let timers = Timers::new();
        for bit in (1..64).rev() {
            timers.arm(at(1 << bit), &mut Some(waker()));
        }
        let mut due = Vec::new();
        timers.take_due(at(u64::MAX), &mut due);
        let fired: Vec<_> = due.iter().map(|due| due.deadline).collect();
        assert_eq!(fired, (1..64).map(|bit| at(1 << bit)).collect::<Vec<_>>());
    }

    /// Every order of arming two timers, cancelling one and turning to its tick (tokio #3229, #8252).
    #[test]
    fn a_timer_dropped_in_the_tick_in_which_it_is_due_does_not_fire() {
        for deadline in [at(1_000_000), at(1_000_500), at(70_000_000)] {
            let turn = |timers: &Timers, now| {
                let mut due = Vec::new();
                timers.take_due(now, &mut due);
                due.len()
            };
            let arm = |timers: &Timers| match timers.arm(deadline, &mut Some(waker())) {
                Armed::Yes { key, .. } => key,
                refused => panic!("{refused:?}"),
            };
            for turned_before in [0, deadline.as_nanos() - 1, deadline.as_nanos() & !1023] {
                for (first, second) in [(0, 1), (1, 0)] {
                    let timers = Timers::new();
                    turn(&timers, at(turned_before.min(deadline.as_nanos() - 1)));
                    let keys = [arm(&timers), arm(&timers)];
                    assert!(timers.cancel(keys[first]).is_some());
                    assert_eq!(turn(&timers, deadline), 1);
                    assert!(timers.cancel(keys[second]).is_none(), "it has fired");
                }
            }
        }
    }

    #[test]
    fn an_entry_is_small_and_a_burst_gives_its_memory_back() {
        let mut wheel = Wheel::new();
        let many = if cfg!(miri) { 2_000 } else { 100_000 };
        let keys: Vec<_> = (1..=many).map(|nanos| wheel.insert(at(nanos), waker())).collect();
        assert!(wheel.bytes_per_timer() <= 64);
        for key in &keys {
            assert!(wheel.remove(*key).is_some());
        }
        assert_eq!(wheel.places(), 0);
        wheel.insert(at(1), waker());
        assert!(keys.iter().all(|key| wheel.remove(*key).is_none()), "an old key names a new timer");
    }

    #[test]
    fn what_is_closed_hands_its_wakers_out_and_takes_no_more() {
        let timers = Timers::new();
        let Armed::Yes { key, .. } = timers.arm(at(10), &mut Some(waker())) else { panic!("it is open") };
        assert_eq!(timers.close().len(), 1);
        assert_eq!(timers.find(key, Waker::noop()), Found::Closed);
        assert!(matches!(timers.arm(at(20), &mut Some(waker())), Armed::Closed));
        assert_eq!(timers.reschedule(key, at(20)), None);
        assert!(timers.cancel(key).is_none());
        assert_eq!(timers.next_deadline(), None);
        assert!(timers.close().is_empty());
    }

    /// Two wakers may be the same and not know it: `will_wake` is only a guess.
    #[test]
    fn a_look_ends_even_if_no_waker_knows_its_own_clone() {
        let timers = Timers::new();
        let Armed::Yes { key, .. } = timers.arm(at(10), &mut Some(waker())) else { panic!("it is open") };
        assert_eq!(super::super::sleep::look(&timers, key, Waker::noop()), Found::Armed);
    }

    /// Arms a timer whenever it is woken, and whenever it is dropped.
    struct Rearms {
        timers: Weak<Timers>,
        left: Arc<atomic::AtomicU64>,
    }

    impl Rearms {
        fn arm(&self) {
            let left = self
                .left
                .fetch_update(atomic::Ordering::Relaxed, atomic::Ordering::Relaxed, |left| left.checked_sub(1));
            if let (Some(timers), Ok(left)) = (self.timers.upgrade(), left) {
                let again = Self { timers: self.timers.clone(), left: self.left.clone() };
                timers.arm(at(1 + left * 1000), &mut Some(Arc::new(again).into()));
            }
        }
    }

    impl Wake for Rearms {
        fn wake(self: Arc<Self>) {
            self.arm();
        }
    }

    impl Drop for Rearms {
        fn drop(&mut self) {
            self.arm();
        }
    }

    /// Wakers are foreign code, and may come back: while they are woken, while they are dropped, and at the end (tokio #8570).
    #[test]
    fn wakers_that_arm_timers_meet_no_lock() {
        let timers = Arc::new(Timers::new());
        let many: usize = if cfg!(miri) { 20 } else { 1_000 };
        let left = Arc::new(atomic::AtomicU64::new(2 * many as u64));
        let rearms = || Arc::new(Rearms { timers: Arc::downgrade(&timers), left: left.clone() });
        let mut keys = Vec::new();
        for _ in 0..many {
            if let Armed::Yes { key, .. } = timers.arm(at(u64::MAX - 1), &mut Some(rearms().into())) {
                keys.push(key);
            }
        }
        for key in keys.drain(..many / 2) {
            drop(timers.cancel(key));
        }
        let mut due = Vec::new();
        for now in 0..100 {
            timers.take_due(at(now * 10_000), &mut due);
            due.drain(..).for_each(|due| due.waker.wake());
        }
        timers.close().into_iter().for_each(Waker::wake);
        assert!(timers.close().is_empty());
        assert!(left.load(atomic::Ordering::Relaxed) < many as u64);
    }
}
