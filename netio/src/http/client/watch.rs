//! The limits of an exchange while it goes on: all of it, and each time that nothing moves.

use super::{
    connection::Connection,
    timeouts::{TimeoutKind, Timeouts},
};
use runtime::time::{Instant, Sleep, sleep_until};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// A sleep that is used again and again.
pub(super) type Timer = Option<Pin<Box<Sleep>>>;

/// A point in time, and what is over then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) at: Instant,
    pub(super) kind: TimeoutKind,
    pub(super) length: Duration,
}

impl Limit {
    pub(super) fn after(length: Duration, kind: TimeoutKind) -> Self {
        Limit { at: Instant::now() + length, kind, length }
    }

    /// Whichever comes first.
    pub(super) fn or(self, other: Limit) -> Self {
        if self.at < other.at { self } else { other }
    }
}

/// Watches over an exchange. The timer is moved only when it fires: a byte that moves costs a look at the clock.
#[derive(Debug)]
pub(super) struct Watch {
    total: Limit,
    read: Duration,
    /// When something moved last, and how much had by then.
    since: Instant,
    moved: u64,
    armed: bool,
}

impl Watch {
    pub(super) fn new(total: Limit, timeouts: &Timeouts) -> Self {
        let read = timeouts.longest(TimeoutKind::Read);
        Watch { total, read, since: Instant::now(), moved: 0, armed: false }
    }

    /// Polled whenever the exchange cannot go on; ready when a limit is reached.
    pub(super) fn poll(&mut self, connection: &mut Connection, context: &mut Context<'_>) -> Poll<Limit> {
        let moved = connection.received + connection.sent;
        if moved != self.moved || connection.waits_for_body() {
            (self.moved, self.since) = (moved, Instant::now());
        }
        loop {
            let read = Limit { at: self.since + self.read, kind: TimeoutKind::Read, length: self.read };
            let limit = read.or(self.total);
            let timer = connection.timer.get_or_insert_with(|| Box::pin(sleep_until(limit.at)));
            if !self.armed || limit.at < timer.deadline() {
                timer.reset(limit.at);
                self.armed = true;
            }
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= limit.at {
                return Poll::Ready(limit);
            }
            timer.reset(limit.at);
        }
    }

    /// The exchange is over: nobody is to be woken.
    pub(super) fn disarm(&mut self, connection: &mut Connection) {
        if let Some(timer) = connection.timer.as_mut().filter(|_| self.armed) {
            timer.reset(Instant::now() + Duration::MAX);
            self.armed = false;
        }
    }
}
