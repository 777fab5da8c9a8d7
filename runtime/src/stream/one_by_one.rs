//! Adaptors that look at one value after the other.

use super::Stream;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Calls a function for each value: it gives another one, lets this one fall, or ends the stream.
    pub(super) struct Each<S, F> {
        #[pin]
        stream: Fuse<S>,
        function: F,
    }
}

/// What becomes of a value.
pub(super) enum Verdict<T> {
    Give(T),
    Skip,
    End,
}

impl<S, F> Each<S, F> {
    pub(super) fn new(stream: S, function: F) -> Self {
        Self { stream: Fuse::new(stream), function }
    }
}

impl<S: Stream, T, F: FnMut(S::Item) -> Verdict<T>> Stream for Each<S, F> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        loop {
            let Some(value) = ready!(this.stream.as_mut().poll_next(context)) else { return Poll::Ready(None) };
            match (this.function)(value) {
                Verdict::Give(value) => return Poll::Ready(Some(value)),
                Verdict::Skip => {}
                Verdict::End => this.stream.as_mut().end(),
            }
        }
    }
}

pin_project! {
    /// Calls an async function for each value, and asks for the next one when that has answered.
    ///
    /// The function may borrow from itself and from the value until it has answered. So it moves, with the value, into one
    /// future (which `begin` makes), and comes back out of it. There is one place on the heap for all those futures, one after
    /// the other: so the stream may be moved.
    pub(super) struct EachAsync<S, F, B, A> {
        #[pin]
        stream: Fuse<S>,
        answer: Pin<Box<Option<A>>>,
        // Here while there is no answer under way.
        function: Option<F>,
        begin: B,
    }
}

impl<S, F, B, A> EachAsync<S, F, B, A> {
    pub(super) fn new(stream: S, function: F, begin: B) -> Self {
        Self { stream: Fuse::new(stream), answer: Box::pin(None), function: Some(function), begin }
    }
}

impl<S, F, B, A, T> Stream for EachAsync<S, F, B, A>
where
    S: Stream,
    B: FnMut(F, S::Item) -> A,
    A: Future<Output = (F, Option<T>)>,
{
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        loop {
            if let Some(answer) = this.answer.as_mut().as_pin_mut() {
                let (function, value) = ready!(answer.poll(context));
                this.answer.set(None);
                *this.function = Some(function);
                if value.is_some() {
                    return Poll::Ready(value);
                }
            }
            let Some(value) = ready!(this.stream.as_mut().poll_next(context)) else { return Poll::Ready(None) };
            let function = this.function.take().expect("asked again after it had panicked");
            this.answer.set(Some((this.begin)(function, value)));
        }
    }
}

pin_project! {
    /// Drops the stream at its end, and says so again and again.
    pub(super) struct Fuse<S> {
        #[pin]
        stream: Option<S>,
    }
}

impl<S> Fuse<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream: Some(stream) }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.stream.is_none()
    }

    /// That was all.
    pub(super) fn end(self: Pin<&mut Self>) {
        self.project().stream.set(None);
    }
}

impl<S: Stream> Stream for Fuse<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Some(stream) = self.as_mut().project().stream.as_pin_mut() else { return Poll::Ready(None) };
        let value = ready!(stream.poll_next(context));
        if value.is_none() {
            self.end();
        }
        Poll::Ready(value)
    }
}

pin_project! {
    /// The first so many values. The stream is let go with the last of them.
    pub(super) struct Take<S> {
        #[pin]
        stream: Fuse<S>,
        left: usize,
    }
}

impl<S> Take<S> {
    pub(super) fn new(stream: S, left: usize) -> Self {
        Self { stream: Fuse::new(stream), left }
    }
}

impl<S: Stream> Stream for Take<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.left == 0 {
            this.stream.end();
            return Poll::Ready(None);
        }
        let value = ready!(this.stream.as_mut().poll_next(context));
        *this.left -= 1;
        if *this.left == 0 {
            this.stream.end();
        }
        Poll::Ready(value)
    }
}

pin_project! {
    /// All until a future is ready.
    pub(super) struct TakeUntil<S, U> {
        #[pin]
        stream: Fuse<S>,
        until: Pin<Box<U>>,
    }
}

impl<S, U> TakeUntil<S, U> {
    pub(super) fn new(stream: S, until: U) -> Self {
        Self { stream: Fuse::new(stream), until: Box::pin(until) }
    }
}

impl<S: Stream, U: Future> Stream for TakeUntil<S, U> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        // Once it was ready, `until` is not polled again: the stream has ended then.
        if !this.stream.has_ended() && this.until.as_mut().poll(context).is_ready() {
            this.stream.as_mut().end();
        }
        this.stream.poll_next(context)
    }
}
