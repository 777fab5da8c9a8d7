//! Hearing of a request to end, as a future.

use crate::{awaits, budget, worker::Place};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Waits until the current task is asked to end; then the task may do so in its own time, or not at all.
///
/// From its first poll until it is ready or dropped, the task **heeds** requests: [`cancel`](crate::JoinHandle::cancel) does not abort
/// it. A request that comes when there is no such future aborts, also one from another worker while this one runs: so keep one
/// future for the whole loop, as below, instead of making one for each round. One that is kept, but not polled, holds every
/// request back.
///
/// Each request is told once: polled again, it waits for the next one. In the future given to `block_on`, and in the clean-up of
/// a handler, it never comes. An abort is no request.
///
/// # Cancel safety
/// Dropped when the request has come but was not seen yet, it passes the request on: to the handler around it, or the task is
/// aborted.
///
/// ```
/// use runtime::{future::{Either, race}, group::cancelled, time::sleep};
/// use std::{pin::pin, time::Duration};
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let mut counting = runtime::spawn(async {
///         let (mut asked, mut count) = (pin!(cancelled()), 0);
///         loop {
///             match race(asked.as_mut(), sleep(Duration::from_secs(1))).await {
///                 Either::Left(()) => return count,
///                 Either::Right(()) => count += 1,
///             }
///         }
///     });
///     sleep(Duration::from_millis(3500)).await;
///     assert_eq!(counting.cancel().await.unwrap(), 3); // it ended with a value
/// });
/// ```
pub fn cancelled() -> Cancelled {
    Cancelled { place: None }
}

/// Waits for a request to end. From [`cancelled`].
///
/// ```
/// use runtime::{future::{Either, race}, group::{Cancelled, cancelled}, yield_now};
/// runtime::block_on(async {
///     let asked: Cancelled = cancelled();
///     assert_eq!(race(asked, yield_now()).await, Either::Right(())); // nobody can ask the main future
/// });
/// ```
#[must_use = "waiting does nothing until it is awaited"]
pub struct Cancelled {
    place: Option<Place>,
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.place.as_ref().is_none_or(|place| !place.is_here()) {
            this.place = Place::take(context.waker());
        }
        let told = this.place.as_ref().is_some_and(|place| place.is_told(context.waker()));
        if !told {
            awaits::waits_for("a request to end", std::ptr::from_ref(this).addr());
            return Poll::Pending;
        }
        ready!(budget::spend_reserve(context));
        this.place.take().into_iter().for_each(Place::swallow);
        Poll::Ready(())
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").field("waits", &self.place.is_some()).finish()
    }
}
