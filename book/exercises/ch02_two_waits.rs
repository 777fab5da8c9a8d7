//! Chapter 2: the enum of a function that waits twice.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// A wait without a clock: so many polls find nothing, the next one finds the answer.
#[derive(Clone, Copy)]
pub(crate) struct Later {
    polls: u32,
    answer: u32,
}

impl Future for Later {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        if self.polls == 0 {
            return Poll::Ready(self.answer);
        }
        self.polls -= 1;
        Poll::Pending
    }
}

// ANCHOR: async
/// What you are to write by hand.
async fn difference(one: Later, other: Later) -> u32 {
    let one = one.await;
    let other = other.await;
    one.abs_diff(other)
}
// ANCHOR_END: async

mod starter {
    use super::*;

    // ANCHOR: starter
    /// TODO: a variant for each place where `difference` can stand.
    pub(crate) enum Difference {
        Start { one: Later, other: Later },
    }

    impl Future for Difference {
        type Output = u32;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
            match self.get_mut() {
                // TODO: wait for `one`, keep its answer, and go on to `other`.
                Difference::Start { one, other } => {
                    let _ = (one, other, cx);
                    Poll::Ready(0)
                }
            }
        }
    }
    // ANCHOR_END: starter

    pub(crate) fn start(one: Later, other: Later) -> Difference {
        Difference::Start { one, other }
    }
}

mod solution {
    use super::*;

    // ANCHOR: solution
    pub(crate) enum Difference {
        /// Nobody has asked yet, or `one` was not there.
        Start {
            one: Later,
            other: Later,
        },
        /// `one` is there.
        Other {
            one: u32,
            other: Later,
        },
        Done,
    }

    impl Future for Difference {
        type Output = u32;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
            let difference = self.get_mut();
            loop {
                match difference {
                    Difference::Start { one, other } => match Pin::new(one).poll(cx) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(one) => *difference = Difference::Other { one, other: *other },
                    },
                    Difference::Other { one, other } => match Pin::new(other).poll(cx) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(other) => {
                            let answer = one.abs_diff(other);
                            *difference = Difference::Done;
                            return Poll::Ready(answer);
                        }
                    },
                    Difference::Done => panic!("`Difference` polled after it was ready"),
                }
            }
        }
    }
    // ANCHOR_END: solution

    pub(crate) fn start(one: Later, other: Later) -> Difference {
        Difference::Start { one, other }
    }
}

/// The answer, and how many polls it took.
fn run(future: impl Future<Output = u32>) -> (u32, u32) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for polls in 1..100 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut cx) {
            return (answer, polls);
        }
    }
    panic!("still not ready after 99 polls");
}

/// Same answer and same number of polls as the `async fn`, however long each wait is.
fn check<F: Future<Output = u32>>(start: fn(Later, Later) -> F) {
    for (first, second) in (0..4).flat_map(|first| (0..4).map(move |second| (first, second))) {
        let one = Later { polls: first, answer: 7 };
        let other = Later { polls: second, answer: 30 };
        let (answer, polls) = run(start(one, other));
        let (expected, expected_polls) = run(difference(one, other));
        let waits = format!("with waits of {first} and {second} polls");
        assert_eq!(answer, expected, "{waits}: a wrong answer");
        assert!(
            polls <= expected_polls,
            "{waits}: {polls} polls instead of {expected_polls}: when one wait is over, go on to the next in the same poll"
        );
        assert_eq!(polls, expected_polls, "{waits}: too few polls");
    }
}

crate::judge! { check(start), the starter fails with "a wrong answer" }
