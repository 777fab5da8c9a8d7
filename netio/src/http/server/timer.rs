//! One timer for all the waits of a connection.
//!
//! Most deadlines of a busy connection are never reached: each is replaced by a later one when the next request comes. So
//! the timer stays armed for an earlier moment, and only when that comes does it look how far the deadline has moved.

use runtime::time::{Instant, Sleep, sleep_until};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

#[derive(Debug)]
pub(super) struct Timer {
    deadline: Instant,
    /// Ends at the deadline or before it.
    sleep: Option<Sleep>,
}

impl Timer {
    pub(super) fn new() -> Self {
        Timer { deadline: Instant::now(), sleep: None }
    }

    pub(super) fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if self.sleep.as_ref().is_some_and(|sleep| sleep.deadline() > self.deadline) {
            self.sleep = None;
        }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.deadline;
            let sleep = self.sleep.get_or_insert_with(|| sleep_until(deadline));
            ready!(Pin::new(&mut *sleep).poll(context));
            let reached = sleep.deadline() == deadline;
            self.sleep = None;
            if reached {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, time::Duration};

    #[test]
    fn a_deadline_that_moves_is_met_where_it_is_now() {
        runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            let start = Instant::now();
            let mut timer = Timer::new();
            for (seconds, total) in [(5, 5), (0, 5), (60, 65)] {
                timer.set(Instant::now() + Duration::from_secs(20));
                assert!(futures_lite::future::poll_once(poll_fn(|context| timer.poll(context))).await.is_none());
                timer.set(Instant::now() + Duration::from_secs(seconds));
                poll_fn(|context| timer.poll(context)).await;
                assert_eq!(start.elapsed(), Duration::from_secs(total));
            }
        });
    }
}
