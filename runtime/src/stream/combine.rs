//! Two streams made into one.

use super::{Stream, one_by_one::Fuse};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Whichever has a value. Who gave the last one is asked last.
    pub(super) struct Merge<A, B> {
        #[pin]
        a: Fuse<A>,
        #[pin]
        b: Fuse<B>,
        b_first: bool,
    }
}

impl<A, B> Merge<A, B> {
    pub(super) fn new(a: A, b: B) -> Self {
        Self { a: Fuse::new(a), b: Fuse::new(b), b_first: false }
    }
}

impl<A: Stream, B: Stream<Item = A::Item>> Stream for Merge<A, B> {
    type Item = A::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A::Item>> {
        let mut this = self.project();
        let b_first = *this.b_first;
        let mut pending = false;
        for ask_b in [b_first, !b_first] {
            let asked = if ask_b { this.b.as_mut().poll_next(context) } else { this.a.as_mut().poll_next(context) };
            match asked {
                Poll::Ready(Some(value)) => {
                    *this.b_first = !ask_b;
                    return Poll::Ready(Some(value));
                }
                Poll::Ready(None) => {}
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(None) }
    }
}

pin_project! {
    /// One after the other.
    pub(super) struct Chain<A, B> {
        #[pin]
        a: Fuse<A>,
        #[pin]
        b: Fuse<B>,
    }
}

impl<A, B> Chain<A, B> {
    pub(super) fn new(a: A, b: B) -> Self {
        Self { a: Fuse::new(a), b: Fuse::new(b) }
    }
}

impl<A: Stream, B: Stream<Item = A::Item>> Stream for Chain<A, B> {
    type Item = A::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A::Item>> {
        let this = self.project();
        match ready!(this.a.poll_next(context)) {
            None => this.b.poll_next(context),
            value => Poll::Ready(value),
        }
    }
}

pin_project! {
    /// In pairs, as long as both have values.
    pub(super) struct Zip<A: Stream, B: Stream> {
        #[pin]
        a: Fuse<A>,
        #[pin]
        b: Fuse<B>,
        // Came already, and waits for its other half.
        halves: (Option<A::Item>, Option<B::Item>),
    }
}

impl<A: Stream, B: Stream> Zip<A, B> {
    pub(super) fn new(a: A, b: B) -> Self {
        Self { a: Fuse::new(a), b: Fuse::new(b), halves: (None, None) }
    }
}

impl<A: Stream, B: Stream> Stream for Zip<A, B> {
    type Item = (A::Item, B::Item);

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<(A::Item, B::Item)>> {
        let mut this = self.project();
        let (left, right) = this.halves;
        if left.is_none()
            && let Poll::Ready(value) = this.a.as_mut().poll_next(context)
        {
            *left = value;
        }
        if right.is_none()
            && let Poll::Ready(value) = this.b.as_mut().poll_next(context)
        {
            *right = value;
        }
        match (left.take(), right.take()) {
            (Some(a), Some(b)) => return Poll::Ready(Some((a, b))),
            halves => (*left, *right) = halves,
        }
        // Whose half is missing, and will not come?
        if (left.is_none() && this.a.has_ended()) || (right.is_none() && this.b.has_ended()) {
            this.a.end();
            this.b.end();
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}
