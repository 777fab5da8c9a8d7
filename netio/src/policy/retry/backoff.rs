//! How long to wait between two tries, and how chance spreads it.

use runtime::random;
use std::time::Duration;

/// How long to wait before the second try, the third, and so on for ever.
///
/// ```
/// use netio::policy::{Backoff, Jitter};
/// use std::time::Duration;
/// let seconds = |backoff: &Backoff| backoff.waits().map(|wait| wait.as_secs()).take(5).collect::<Vec<_>>();
///
/// let doubled = Backoff::exponential(Duration::from_secs(1), 2.0, Duration::from_secs(10)).jitter(Jitter::None);
/// assert_eq!(seconds(&doubled), [1, 2, 4, 8, 10]);
/// let listed = Backoff::list([1, 3, 5].map(Duration::from_secs));
/// assert_eq!(seconds(&listed), [1, 3, 5, 5, 5]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    delays: Delays,
    jitter: Jitter,
}

#[derive(Clone, Debug, PartialEq)]
enum Delays {
    Exponential { base: Duration, factor: f64, max: Duration },
    List(Vec<Duration>),
}

/// How chance changes a delay.
///
/// Without it, a thousand clients that failed at the same moment come back at the same moment, and fail again: a backoff that
/// only grows makes these waves rarer, not smaller. Source: Marc Brooker, [Exponential Backoff And
/// Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) (2015).
///
/// ```
/// use netio::policy::{Backoff, Jitter};
/// use std::time::Duration;
/// let ten = Duration::from_secs(10);
/// for (jitter, shortest) in [(Jitter::None, 10), (Jitter::Full, 0), (Jitter::Equal, 5), (Jitter::Decorrelated, 10)] {
///     let wait = Backoff::exponential(ten, 2.0, 3 * ten).jitter(jitter).waits().next().unwrap();
///     assert!(wait.as_secs() >= shortest && wait <= 3 * ten);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jitter {
    /// The delay as it is.
    None,
    /// Anything from nothing to the delay: the best spread.
    #[default]
    Full,
    /// Half of the delay, and anything up to the other half: never at once.
    Equal,
    /// From the first delay to three times the last wait, and never more than the longest delay: it grows by chance alone.
    Decorrelated,
}

/// One second, doubled each time, ten seconds at most, with full jitter.
impl Default for Backoff {
    fn default() -> Self {
        Backoff::exponential(Duration::from_secs(1), 2.0, Duration::from_secs(10))
    }
}

impl Backoff {
    /// `base`, then each time `factor` times as long, but never longer than `max`; with [`Jitter::Full`], unless told otherwise.
    ///
    /// # Panics
    /// When the factor is less than one, or not a finite number.
    ///
    /// ```
    /// use netio::policy::{Backoff, Jitter};
    /// use std::time::Duration;
    /// let backoff = Backoff::exponential(Duration::from_millis(100), 1.5, Duration::from_secs(60)).jitter(Jitter::None);
    /// assert_eq!(backoff.waits().nth(1), Some(Duration::from_millis(150)));
    /// assert_eq!(backoff.waits().nth(1_000), Some(Duration::from_secs(60)));
    /// ```
    pub fn exponential(base: Duration, factor: f64, max: Duration) -> Self {
        assert!(factor >= 1.0 && factor.is_finite(), "a backoff's factor is 1 or more, and {factor} is not");
        Backoff { delays: Delays::Exponential { base, factor, max }, jitter: Jitter::Full }
    }

    /// These delays; the last one repeats. An empty list waits for nothing. No jitter, unless told otherwise.
    ///
    /// ```
    /// use netio::policy::Backoff;
    /// use std::time::Duration;
    /// assert_eq!(Backoff::list([]).waits().next(), Some(Duration::ZERO));
    /// ```
    pub fn list(delays: impl IntoIterator<Item = Duration>) -> Self {
        Backoff { delays: Delays::List(delays.into_iter().collect()), jitter: Jitter::None }
    }

    /// How chance changes the delays.
    ///
    /// ```
    /// use netio::policy::{Backoff, Jitter};
    /// let backoff = Backoff::default().jitter(Jitter::Equal);
    /// assert!(backoff.waits().next().unwrap().as_millis() >= 500);
    /// ```
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The waits, one after the other; it never ends. Each call draws anew.
    ///
    /// ```
    /// use netio::policy::Backoff;
    /// let draw = |seed| runtime::Runtime::simulated(seed).block_on(async { Backoff::default().waits().nth(3) });
    /// assert_eq!(draw(1), draw(1));
    /// assert_ne!(draw(1), draw(2));
    /// ```
    pub fn waits(&self) -> Waits<'_> {
        Waits { backoff: self, number: 0, last: self.delay(0) }
    }

    /// The delay before the try with this number, counted from zero, before chance changes it.
    fn delay(&self, number: u32) -> Duration {
        match &self.delays {
            Delays::Exponential { base, factor, max } => {
                let exponent = i32::try_from(number).unwrap_or(i32::MAX);
                // Finite, so that nothing stays nothing, however often it is multiplied.
                let growth = factor.powi(exponent).min(f64::MAX);
                let seconds = base.as_secs_f64() * growth;
                // What is beyond the longest may be infinite, and no `Duration`.
                if seconds < max.as_secs_f64() { Duration::from_secs_f64(seconds) } else { *max }
            }
            Delays::List(delays) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                delays.get(number).or(delays.last()).copied().unwrap_or_default()
            }
        }
    }

    fn longest(&self) -> Duration {
        match &self.delays {
            Delays::Exponential { max, .. } => *max,
            Delays::List(delays) => delays.iter().max().copied().unwrap_or_default(),
        }
    }
}

/// What [`Backoff::waits`] gives.
#[derive(Clone, Debug)]
pub struct Waits<'backoff> {
    backoff: &'backoff Backoff,
    number: u32,
    last: Duration,
}

impl Iterator for Waits<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = self.backoff.delay(self.number);
        self.number = self.number.saturating_add(1);
        self.last = match self.backoff.jitter {
            Jitter::None => delay,
            Jitter::Full => between(Duration::ZERO, delay),
            Jitter::Equal => between(delay / 2, delay),
            Jitter::Decorrelated => {
                let longest = self.backoff.longest();
                between(self.backoff.delay(0), self.last.saturating_mul(3)).min(longest)
            }
        };
        Some(self.last)
    }
}

/// Any duration from the one to the other, both included.
fn between(least: Duration, most: Duration) -> Duration {
    let span = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX - 1);
    least + Duration::from_nanos(random::below(span.saturating_add(1)))
}
