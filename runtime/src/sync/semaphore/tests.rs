//! What can only be seen from inside.

use super::*;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// The word is also frozen while somebody has the lock and nobody is in line: that keeps nobody out for longer than that.
#[test]
fn a_word_that_is_frozen_for_nobody_keeps_nobody_out() {
    let permits = Permits::new(2);
    permits.freeze();
    assert_eq!(permits.try_take(1, KIND), Ok(()));
    permits.freeze();
    permits.give_back(1);
    assert_eq!(permits.free(), 2);
    permits.freeze();
    assert_eq!(permits.try_take(3, KIND), Err(Refused::NotNow));
    let mut wait = permits.acquire(2, KIND);
    let polled = Pin::new(&mut wait).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(Ok(())));
    permits.freeze();
    permits.close();
    assert_eq!(permits.try_take(1, KIND), Err(Refused::Closed));
}
