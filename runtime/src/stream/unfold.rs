//! Streams written as the step from one state to the next.

use super::Stream;
use crate::budget;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A stream of values that follow from a state: `step` gives the next value and the state after it, or `None` for the end.
///
/// # Cancel safety
/// Dropping the stream drops a `step` that is under way. Giving up [`next`](super::StreamExt::next) loses nothing.
///
/// ```
/// use runtime::stream::{self, StreamExt};
/// let powers = stream::unfold(1_u8, async |n: u8| Some((n, n.checked_mul(3)?)));
/// assert_eq!(runtime::block_on(powers.collect::<Vec<_>>()), [1, 3, 9, 27, 81]);
/// ```
pub fn unfold<S, T, F>(start: S, step: F) -> impl Stream<Item = T> + Unpin + use<S, T, F>
where
    F: AsyncFnMut(S) -> Option<(T, S)>,
{
    let begin = async |mut step: F, state| {
        let next = step(state).await;
        (step, next)
    };
    Unfold { state: Some((step, start)), next: Box::pin(None), begin }
}

/// The step may borrow from itself while it works. So it moves, with the state, into one future (which `begin` makes), and
/// comes back out of it.
struct Unfold<S, F, B, N> {
    /// Here while no step is under way.
    state: Option<(F, S)>,
    /// One place on the heap for all steps, one after the other.
    next: Pin<Box<Option<N>>>,
    begin: B,
}

/// What must stay in its place is in a box.
impl<S, F, B, N> Unpin for Unfold<S, F, B, N> {}

impl<S, T, F, B, N> Stream for Unfold<S, F, B, N>
where
    B: FnMut(F, S) -> N,
    N: Future<Output = (F, Option<(T, S)>)>,
{
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if budget::spend(context).is_pending() {
            return Poll::Pending;
        }
        if let Some((step, state)) = this.state.take() {
            this.next.set(Some((this.begin)(step, state)));
        }
        // Neither a state nor a step: that was the end.
        let Some(next) = this.next.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Poll::Ready((step, next)) = next.poll(context) else {
            budget::give_back();
            return Poll::Pending;
        };
        this.next.set(None);
        Poll::Ready(next.map(|(value, state)| {
            this.state = Some((step, state));
            value
        }))
    }
}
