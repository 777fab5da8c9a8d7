//! Chapter 3: two futures in one, each pinned in its place.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Waits for both, and gives both outputs.
    pub(crate) struct Join2<A: Future, B: Future> {
        one: Pin<Box<A>>,
        other: Pin<Box<B>>,
        // TODO: a place for each output, until the other one is there too.
    }

    impl<A: Future<Output: Unpin>, B: Future<Output: Unpin>> Future for Join2<A, B> {
        type Output = (A::Output, B::Output);

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            let join = self.get_mut();
            // TODO: this forgets an output that comes first, and polls again what is over.
            match (join.one.as_mut().poll(cx), join.other.as_mut().poll(cx)) {
                (Poll::Ready(one), Poll::Ready(other)) => Poll::Ready((one, other)),
                _ => Poll::Pending,
            }
        }
    }
    // ANCHOR_END: starter

    pub(crate) fn join<A: Future, B: Future>(one: A, other: B) -> Join2<A, B> {
        Join2 { one: Box::pin(one), other: Box::pin(other) }
    }
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// A future until it is over, then its output until somebody takes it.
    enum Side<F: Future> {
        Waits(Pin<Box<F>>),
        Done(F::Output),
        Taken,
    }

    impl<F: Future> Side<F> {
        /// Is the output there?
        fn go_on(&mut self, cx: &mut Context<'_>) -> bool {
            if let Side::Waits(future) = self
                && let Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *self = Side::Done(output);
            }
            matches!(self, Side::Done(_))
        }

        fn take(&mut self) -> F::Output {
            match std::mem::replace(self, Side::Taken) {
                Side::Done(output) => output,
                _ => panic!("`Join2` polled after it was ready"),
            }
        }
    }

    /// Waits for both, and gives both outputs.
    pub(crate) struct Join2<A: Future, B: Future> {
        one: Side<A>,
        other: Side<B>,
    }

    impl<A: Future<Output: Unpin>, B: Future<Output: Unpin>> Future for Join2<A, B> {
        type Output = (A::Output, B::Output);

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            // `get_mut` is allowed: boxes may be moved, so a `Join2` may be.
            let join = self.get_mut();
            // Not `&&`: it would leave out the other as long as the one is not there.
            let there = (join.one.go_on(cx), join.other.go_on(cx));
            if there == (true, true) { Poll::Ready((join.one.take(), join.other.take())) } else { Poll::Pending }
        }
    }
    // ANCHOR_END: solution

    pub(crate) fn join<A: Future, B: Future>(one: A, other: B) -> Join2<A, B> {
        Join2 { one: Side::Waits(Box::pin(one)), other: Side::Waits(Box::pin(other)) }
    }
}

/// What is joined: two futures of one type, which is a box only so that `join` has a name to be handed around by.
type Waits = Pin<Box<dyn Future<Output = u32>>>;

/// A wait of so many polls, that must not be polled when it is over.
async fn later(polls: u32, answer: u32) -> u32 {
    let mut left = polls;
    poll_fn(|_| match left.checked_sub(1) {
        Some(less) => {
            left = less;
            Poll::Pending
        }
        None => Poll::Ready(()),
    })
    .await;
    answer
}

/// As many polls as the longer of the two needs, and none of a side that is over.
fn check<F: Future<Output = (u32, u32)>>(join: fn(Waits, Waits) -> F) {
    for (first, second) in (0..4).flat_map(|first| (0..4).map(move |second| (first, second))) {
        let mut future = pin!(join(Box::pin(later(first, 1)), Box::pin(later(second, 2))));
        let mut cx = Context::from_waker(Waker::noop());
        let waits = format!("with waits of {first} and {second} polls");
        let polled = (1..20).find_map(|polls| match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => Some((polls, output)),
            Poll::Pending => None,
        });
        let (polls, output) = polled.unwrap_or_else(|| panic!("{waits}: still pending after 19 polls"));
        assert_eq!(output, (1, 2), "{waits}: a wrong output");
        assert_eq!(polls, first.max(second) + 1, "{waits}: poll both sides in each poll");
    }
}

crate::judge! { check(join), the starter fails with "resumed after completion" }
