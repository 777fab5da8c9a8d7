//! How many at once? As many as the other side bears, and that it tells by getting slow.
//!
//! AIMD, as TCP does it: while all goes well a little more is dared, and when it does not, more is taken back than was dared.
//! TCP halves; two less is the gentler step of a downloader with ten connections. Source: Chiu and Jain, *Analysis of the
//! Increase and Decrease Algorithms for Congestion Avoidance* (1989).
//!
//! ```text
//!   limit = permits that are free + permits in use - permits owed
//! ```
//!
//! - The limit goes up at once: whoever waits longest gets the new permit.
//! - It goes down at once as far as permits are free. The rest is **owed**: so many permits that come back are not given out
//!   again. Nothing that runs is cut short.

use runtime::sync::{OwnedPermit, Semaphore};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// A limit on how many run at once, that finds its own height.
///
/// It judges once a round, which is as many samples as the limit is high: then each that may run has told how it went once. A
/// round that reaches the [goal](Goal) raises the limit by one, and one that does not lowers it by two (both can be
/// [changed](Self::steps)), within the bounds.
///
/// Cloning it is cheap, and the clones share the limit.
///
/// ```
/// use netio::policy::{AdaptiveLimit, Goal};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let limit = AdaptiveLimit::new(5..=10, Goal::Speed(100_000.0));
///     assert_eq!(limit.limit(), 10);
///     for _ in 0..10 {
///         let permit = limit.acquire().await;
///         // … a download of 50 kB …
///         drop(permit);
///         limit.record(50_000, Duration::from_secs(1));
///     }
///     assert_eq!(limit.limit(), 8);
/// });
/// ```
#[derive(Clone, Debug)]
pub struct AdaptiveLimit(Arc<Shared>);

/// What is good enough, on the average of a round.
///
/// ```
/// use netio::policy::{AdaptiveLimit, Goal};
/// use std::time::Duration;
/// let quick = AdaptiveLimit::new(1..=1, Goal::Latency(Duration::from_millis(200)));
/// quick.record(0, Duration::from_millis(150));
/// assert_eq!(quick.limit(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// At least so many bytes a second, each.
    Speed(f64),
    /// At most this time, each.
    Latency(Duration),
}

/// Leave to run, until it is dropped. It borrows nothing: it can go to a task of its own.
#[derive(Debug)]
#[must_use = "a permit that is not kept is given back at once"]
pub struct AdaptivePermit {
    shared: Arc<Shared>,
    /// `None`: it is on its way out.
    permit: Option<OwnedPermit>,
}

#[derive(Debug)]
struct Shared {
    min: usize,
    max: usize,
    goal: Goal,
    semaphore: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// So many permits that come back are not given out again.
    owed: usize,
    increase: usize,
    decrease: usize,
    round: Round,
}

/// The samples since the last verdict.
#[derive(Debug, Default)]
struct Round {
    samples: usize,
    bytes: u64,
    took: Duration,
    failed: bool,
}

impl AdaptiveLimit {
    /// Between these bounds, both included. It starts at the upper one, and goes down when it has to.
    ///
    /// # Panics
    /// When the range is empty or holds zero: with a limit of zero there is never a sample that could raise it.
    pub fn new(bounds: std::ops::RangeInclusive<usize>, goal: Goal) -> Self {
        let (min, max) = bounds.into_inner();
        assert!(0 < min && min <= max, "an adaptive limit lies between one and more, and {min}..={max} does not");
        AdaptiveLimit(Arc::new(Shared {
            min,
            max,
            goal,
            semaphore: Arc::new(Semaphore::new(max)),
            state: Mutex::new(State { limit: max, owed: 0, increase: 1, decrease: 2, round: Round::default() }),
        }))
    }

    /// By how much a good round raises the limit, and a bad one lowers it.
    ///
    /// ```
    /// use netio::policy::{AdaptiveLimit, Goal};
    /// let limit = AdaptiveLimit::new(1..=8, Goal::Speed(1e6)).steps(1, 4);
    /// (0..8).for_each(|_| limit.record_failure());
    /// assert_eq!(limit.limit(), 4);
    /// ```
    pub fn steps(self, increase: usize, decrease: usize) -> Self {
        {
            let mut state = self.0.state();
            (state.increase, state.decrease) = (increase, decrease);
        }
        self
    }

    /// The limit from now on, within the bounds; a new round begins.
    ///
    /// ```
    /// use netio::policy::{AdaptiveLimit, Goal};
    /// let limit = AdaptiveLimit::new(2..=100, Goal::Speed(1e6)).starting_at(10);
    /// assert_eq!(limit.limit(), 10);
    /// assert_eq!(limit.starting_at(1).limit(), 2);
    /// ```
    pub fn starting_at(self, limit: usize) -> Self {
        self.0.resize(self.0.state(), limit);
        self
    }

    /// Waits for leave to run. First come, first served.
    ///
    /// # Cancel safety
    /// Whoever stops waiting loses its place, and nothing else: a permit that it had been given goes to the next.
    pub async fn acquire(&self) -> AdaptivePermit {
        let shared = self.0.clone();
        let permit = shared.semaphore.clone().acquire_owned().await.expect("nobody closes this semaphore");
        AdaptivePermit { shared, permit: Some(permit) }
    }

    /// How one of those that ran has done: so many bytes in this time. For a goal of [latency](Goal::Latency) the bytes say
    /// nothing, and may be zero.
    pub fn record(&self, bytes: u64, took: Duration) {
        self.0.sample(bytes, took, false);
    }

    /// One of those that ran has failed for want of room on the other side: it was refused, or timed out. Its round misses the
    /// goal, whatever the others say. (Ten that fail together are one sign, not ten.)
    pub fn record_failure(&self) {
        self.0.sample(0, Duration::ZERO, true);
    }

    /// How many may run at once.
    pub fn limit(&self) -> usize {
        self.0.state().limit
    }

    /// How many run: more than the limit, for a while, after it was lowered.
    ///
    /// ```
    /// use netio::policy::{AdaptiveLimit, Goal};
    /// runtime::block_on(async {
    ///     let limit = AdaptiveLimit::new(1..=2, Goal::Speed(1e6));
    ///     let permits = (limit.acquire().await, limit.acquire().await);
    ///     let limit = limit.starting_at(1);
    ///     assert_eq!((limit.in_use(), limit.limit()), (2, 1));
    ///     drop(permits);
    ///     assert_eq!(limit.in_use(), 0);
    /// });
    /// ```
    pub fn in_use(&self) -> usize {
        let state = self.0.state();
        (state.limit + state.owed).saturating_sub(self.0.semaphore.available_permits())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code that could panic runs under this lock")
    }

    fn sample(&self, bytes: u64, took: Duration, failed: bool) {
        let mut state = self.state();
        let round = &mut state.round;
        round.samples += 1;
        round.bytes = round.bytes.saturating_add(bytes);
        round.took = round.took.saturating_add(took);
        round.failed |= failed;
        if round.samples < state.limit {
            return;
        }
        let to = match state.round.reaches(self.goal) {
            true => state.limit.saturating_add(state.increase),
            false => state.limit.saturating_sub(state.decrease),
        };
        self.resize(state, to);
    }

    fn resize(&self, mut state: MutexGuard<'_, State>, to: usize) {
        let (from, to) = (state.limit, to.clamp(self.min, self.max));
        state.limit = to;
        state.round = Round::default();
        if to <= from {
            state.owed += from - to;
            self.settle(&mut state);
            return;
        }
        let paid = state.owed.min(to - from);
        state.owed -= paid;
        // New permits wake those who wait, and that is not done under a lock.
        drop(state);
        self.semaphore.add_permits(to - from - paid);
        // If the limit was lowered meanwhile, they may have become free again too late to be seen.
        self.settle(&mut self.state());
    }

    /// Takes back what is owed, as far as it is free.
    fn settle(&self, state: &mut State) {
        if state.owed > 0 {
            state.owed -= self.semaphore.forget_permits(state.owed);
        }
    }
}

impl Round {
    fn reaches(&self, goal: Goal) -> bool {
        let took = self.took.as_secs_f64();
        !self.failed
            && match goal {
                Goal::Speed(bytes_per_second) => self.bytes as f64 >= bytes_per_second * took,
                Goal::Latency(longest) => took <= longest.as_secs_f64() * self.samples as f64,
            }
    }
}

impl Drop for AdaptivePermit {
    fn drop(&mut self) {
        let owed = {
            let mut state = self.shared.state();
            let owed = state.owed > 0;
            state.owed -= usize::from(owed);
            owed
        };
        let Some(permit) = self.permit.take() else { return };
        if owed {
            return permit.forget();
        }
        // Without the lock: it may go to one who waits, and wake it. If the limit was lowered just before, it was not seen.
        drop(permit);
        self.shared.settle(&mut self.shared.state());
    }
}
