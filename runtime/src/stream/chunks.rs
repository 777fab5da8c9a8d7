//! Several values at once.

use super::{Stream, one_by_one::Fuse};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Collects until there are so many, or it has waited long enough for more.
    pub(super) struct Chunks<S: Stream, D, F> {
        #[pin]
        stream: Fuse<S>,
        size: usize,
        held: Vec<S::Item>,
        // Begins the wait for more, with the first value of a chunk; if there is to be an end of it.
        delay: D,
        patience: Pin<Box<Option<F>>>,
    }
}

impl<S: Stream, D: FnMut() -> Option<F>, F: Future<Output = ()>> Chunks<S, D, F> {
    #[track_caller]
    pub(super) fn new(stream: S, size: usize, delay: D) -> Self {
        assert!(size > 0, "a chunk of no values would never be full");
        Self { stream: Fuse::new(stream), size, held: Vec::new(), delay, patience: Box::pin(None) }
    }
}

impl<S: Stream, D: FnMut() -> Option<F>, F: Future<Output = ()>> Stream for Chunks<S, D, F> {
    type Item = Vec<S::Item>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        let ended = loop {
            match this.stream.as_mut().poll_next(context) {
                Poll::Ready(Some(value)) => {
                    if this.held.is_empty() {
                        // Not all at once: a large size may be there only as a bound.
                        this.held.reserve((*this.size).min(64));
                        this.patience.set((this.delay)());
                    }
                    this.held.push(value);
                    if this.held.len() == *this.size {
                        break false;
                    }
                }
                Poll::Ready(None) => break true,
                Poll::Pending => {
                    let Some(patience) = this.patience.as_mut().as_pin_mut() else { return Poll::Pending };
                    ready!(patience.poll(context));
                    break false;
                }
            }
        };
        this.patience.set(None);
        let chunk = mem::take(this.held);
        Poll::Ready(if ended && chunk.is_empty() { None } else { Some(chunk) })
    }
}
