//! Once more: how often, after how long, and for which errors.
//!
//! ```text
//!   try ──> Ok ──────────────────────────────────────────> the value
//!    ^      Err ──> judge: Stop ─────────────────────────┐
//!    │               │ Retry, RetryAfter                 │
//!    │               ├──> it was the last try ───────────┼──> that error
//!    │               ├──> the wait would be too long ────┘
//!    └──── wait <────┘
//! ```
//!
//! - It waits only if a try follows: never after the last one.
//! - The judge decides, and has no default: an error that will be the same next time (a mistake of ours, a page that is not
//!   there) is not worth a second try, and what was done once may not be done twice.
//! - Dropped, it is gone, and so is the try that was running: there is nothing that could be tried again.

mod backoff;
mod http;

pub use backoff::{Backoff, Jitter, Waits};
pub use http::{HttpFailure, HttpRetry, retry_after};

use runtime::time::{Instant, sleep};
use std::{
    fmt::{self, Display},
    future::Future,
    sync::Arc,
    time::Duration,
};

/// Tries again what failed.
///
/// | | unless told otherwise |
/// |---|---|
/// | the waits | [`Backoff::default`]: 1 s, doubled, at most 10 s, with full jitter |
/// | all tries together | no [limit](Retry::time_limit) |
/// | a wait that the judge asks for | at most [60 s](Retry::longest_retry_after) |
///
/// ```
/// use netio::policy::{Backoff, Retry, Verdict};
/// use runtime::{Runtime, time::Instant};
/// use std::time::Duration;
///
/// Runtime::builder().virtual_clock().build().unwrap().block_on(async {
///     let retry = Retry::new(3).backoff(Backoff::list([1, 3, 5].map(Duration::from_secs)));
///     let start = Instant::now();
///     let answer = retry.run(
///         |attempt| async move { if attempt < 3 { Err("the line is busy") } else { Ok("hello") } },
///         |error| if error.contains("busy") { Verdict::Retry } else { Verdict::Stop },
///     );
///     assert_eq!(answer.await, Ok("hello"));
///     assert_eq!(start.elapsed(), Duration::from_secs(1 + 3));
/// });
/// ```
#[derive(Clone)]
pub struct Retry {
    name: String,
    attempts: u32,
    backoff: Backoff,
    time_limit: Option<Duration>,
    longest_retry_after: Duration,
    observer: Option<Arc<Observer>>,
}

type Observer = dyn Fn(&Failure<'_>) + Send + Sync;

/// Whether an error is worth another try.
///
/// ```
/// use netio::policy::Verdict;
/// let judge = |status: u16| if status == 503 { Verdict::Retry } else { Verdict::Stop };
/// assert_eq!(judge(404), Verdict::Stop);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, when the [`Backoff`] says.
    Retry,
    /// Yes, and the other side has said when. This wait takes the place of the backoff's.
    RetryAfter(Duration),
    /// No.
    Stop,
}

/// A try that failed, as the [observer](Retry::on_failure) sees it. Printed, it is a line for a log.
///
/// ```
/// use netio::policy::{Failure, Then};
/// use std::time::Duration;
/// let failure = Failure { name: "fetch", attempt: 2, error: &"HTTP 503", then: Then::Wait(Duration::from_secs(3)) };
/// assert_eq!(failure.to_string(), "fetch: failure 2, retrying in 3s: HTTP 503");
/// ```
#[derive(Clone, Copy)]
pub struct Failure<'a> {
    /// What the retry was [named](Retry::name).
    pub name: &'a str,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// Why it failed.
    pub error: &'a dyn Display,
    /// What comes now.
    pub then: Then,
}

/// What comes after a try that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// A wait, and the next try.
    Wait(Duration),
    /// Nothing: the judge said [`Verdict::Stop`].
    Stop,
    /// Nothing: it was the last try.
    NoTriesLeft,
    /// Nothing: the next try would begin after the [time limit](Retry::time_limit).
    NoTimeLeft,
}

impl Retry {
    /// So many tries in all, the first one counted. None are as good as one: that it is tried is certain.
    ///
    /// ```
    /// use netio::policy::Retry;
    /// let failing = async |attempt| Err::<(), _>(attempt);
    /// assert_eq!(runtime::block_on(Retry::new(0).retry_if(failing, |_| true)), Err(1));
    /// ```
    pub fn new(attempts: u32) -> Self {
        Retry {
            name: "retry".to_owned(),
            attempts: attempts.max(1),
            backoff: Backoff::default(),
            time_limit: None,
            longest_retry_after: Duration::from_secs(60),
            observer: None,
        }
    }

    /// How long to wait between the tries.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// No try begins later than this after the first one began. If the next wait would end later, it is not begun, and the
    /// last error is the result at once.
    ///
    /// A try that runs is not cut short. For that there is [`runtime::time::timeout`]: inside, around each try, or outside,
    /// around all of them.
    ///
    /// ```
    /// use netio::policy::{Backoff, Retry};
    /// use runtime::{Runtime, time::Instant};
    /// use std::time::Duration;
    /// Runtime::builder().virtual_clock().build().unwrap().block_on(async {
    ///     let second = Duration::from_secs(1);
    ///     let retry = Retry::new(1_000).backoff(Backoff::list([second])).time_limit(5 * second / 2);
    ///     let start = Instant::now();
    ///     assert_eq!(retry.retry_if(async |attempt| Err::<(), _>(attempt), |_| true).await, Err(3));
    ///     assert_eq!(start.elapsed(), 2 * second);
    /// });
    /// ```
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// A [`Verdict::RetryAfter`] with more than this waits this long: nobody else decides that we sleep for a year.
    pub fn longest_retry_after(mut self, longest: Duration) -> Self {
        self.longest_retry_after = longest;
        self
    }

    /// What is tried, for the observer.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Is told of each try that fails, before the wait. It runs in the task that tries, and should be quick.
    ///
    /// ```
    /// use netio::policy::Retry;
    /// let retry = Retry::new(5).name("fetch").on_failure(|failure| eprintln!("{failure}"));
    /// ```
    pub fn on_failure(mut self, observer: impl Fn(&Failure<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Tries until it succeeds, the judge says [`Verdict::Stop`], or no tries or no time are left. `operation` is given the
    /// number of the try, from 1.
    ///
    /// # Errors
    /// The error of the last try.
    ///
    /// # Cancel safety
    /// Dropped, it drops the try that runs, and no other follows. What that try has done, it has done.
    pub async fn run<T, E: Display, F: Future<Output = Result<T, E>>>(
        &self,
        mut operation: impl FnMut(u32) -> F,
        mut judge: impl FnMut(&E) -> Verdict,
    ) -> Result<T, E> {
        let start = Instant::now();
        let mut waits = self.backoff.waits();
        let mut attempt = 1;
        loop {
            let error = match operation(attempt).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let then = self.then(attempt, start, judge(&error), &mut waits);
            if let Some(observer) = &self.observer {
                observer(&Failure { name: &self.name, attempt, error: &error, then });
            }
            let Then::Wait(wait) = then else { return Err(error) };
            // It may hold what the next try needs: a connection, a permit.
            drop(error);
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// [`run`](Self::run) with a judge that says yes or no.
    ///
    /// # Errors
    /// The error of the last try.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    ///
    /// ```
    /// use netio::policy::Retry;
    /// let asked = std::cell::Cell::new(0);
    /// let missing = |_| {
    ///     asked.set(asked.get() + 1);
    ///     async { Err::<(), _>(404) }
    /// };
    /// assert_eq!(runtime::block_on(Retry::new(3).retry_if(missing, |status| *status >= 500)), Err(404));
    /// assert_eq!(asked.get(), 1);
    /// ```
    pub async fn retry_if<T, E: Display, F: Future<Output = Result<T, E>>>(
        &self,
        operation: impl FnMut(u32) -> F,
        mut worth_it: impl FnMut(&E) -> bool,
    ) -> Result<T, E> {
        self.run(operation, |error| if worth_it(error) { Verdict::Retry } else { Verdict::Stop }).await
    }

    fn then(&self, attempt: u32, start: Instant, verdict: Verdict, waits: &mut Waits<'_>) -> Then {
        if verdict == Verdict::Stop {
            return Then::Stop;
        }
        if attempt >= self.attempts {
            return Then::NoTriesLeft;
        }
        let mut wait = waits.next().unwrap_or_default();
        if let Verdict::RetryAfter(asked) = verdict {
            wait = asked.min(self.longest_retry_after);
        }
        match self.time_limit {
            Some(limit) if start.elapsed().saturating_add(wait) > limit => Then::NoTimeLeft,
            _ => Then::Wait(wait),
        }
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("name", &self.name)
            .field("attempts", &self.attempts)
            .field("backoff", &self.backoff)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

impl Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: failure {}, ", self.name, self.attempt)?;
        match self.then {
            Then::Wait(wait) => write!(f, "retrying in {wait:?}")?,
            Then::Stop => f.write_str("another try would not help")?,
            Then::NoTriesLeft => f.write_str("all retries failed")?,
            Then::NoTimeLeft => f.write_str("no time is left for another try")?,
        }
        write!(f, ": {}", self.error)
    }
}

impl fmt::Debug for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({self})")
    }
}
