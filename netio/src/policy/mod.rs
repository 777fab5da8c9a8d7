//! Whether to try, when, and how many at once: plain values that any future, and any client, can use.
//!
//! | the other side | use | it says |
//! |---|---|---|
//! | fails now and then | [`Retry`] with a [`Backoff`] | whether once more, and after how long |
//! | allows so many a second | [`RateLimiter`] | when the next one may go |
//! | is down | [`CircuitBreaker`] | that there is no use in asking now |
//! | gets slow when asked too much at once | [`AdaptiveLimit`] | how many may ask at once |
//!
//! - None of them knows a socket, or what the future does that it is given. What an HTTP exchange allows, [`HttpRetry`] says.
//! - All time is the runtime's, and all chance: under a virtual clock the waits cost nothing, and a seed repeats them.
//! - No lock is held while a future is polled, or while anybody else's code runs.
//! - A future that is dropped takes nothing with it: no permit, no slot, no probe.
//!
//! Together they go from the outside in: a retry around a breaker around a limit, so that a try that is refused costs nothing,
//! and each try waits for its turn.
//!
//! ```
//! use netio::policy::{Backoff, CircuitBreaker, RateLimiter, Retry};
//! use runtime::Runtime;
//! use std::time::Duration;
//!
//! Runtime::builder().virtual_clock().build().unwrap().block_on(async {
//!     let retry = Retry::new(3).backoff(Backoff::list([Duration::from_secs(1), Duration::from_secs(3)]));
//!     let (breaker, limiter) = (CircuitBreaker::new(), RateLimiter::new(10.0).unwrap());
//!     let ask = async |attempt: u32| if attempt < 3 { Err("not now") } else { Ok("here it is") };
//!     let (ask, breaker, limiter) = (&ask, &breaker, &limiter);
//!     let answer = retry.retry_if(
//!         move |attempt| {
//!             breaker.call(async move {
//!                 limiter.until_ready().await;
//!                 ask(attempt).await
//!             })
//!         },
//!         |error| !error.is_refused(),
//!     );
//!     assert_eq!(answer.await, Ok("here it is"));
//! });
//! ```

mod adaptive;
mod breaker;
mod rate_limit;
mod retry;

pub use adaptive::{AdaptiveLimit, AdaptivePermit, Goal};
pub use breaker::{BreakerError, BreakerPermit, BreakerState, BreakerStats, CircuitBreaker, Refused, Window};
pub use rate_limit::{RateError, RateLimiter};
pub use retry::{Backoff, Failure, HttpFailure, HttpRetry, Jitter, Retry, Then, Verdict, Waits, retry_after};
