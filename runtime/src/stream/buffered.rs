//! Several futures of a stream under way at once, and never more than so many.

use super::{Stream, one_by_one::Fuse};
use crate::future::FuturesUnordered;
use pin_project_lite::pin_project;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Outputs as they come.
    pub(super) struct BufferUnordered<S: Stream> {
        #[pin]
        stream: Fuse<S>,
        under_way: FuturesUnordered<S::Item>,
        most: usize,
    }
}

impl<S: Stream<Item: Future>> BufferUnordered<S> {
    #[track_caller]
    pub(super) fn new(stream: S, most: usize) -> Self {
        assert!(most > 0, "with no future under way there would never be an output");
        Self { stream: Fuse::new(stream), under_way: FuturesUnordered::new(), most }
    }
}

impl<S: Stream<Item: Future>> Stream for BufferUnordered<S> {
    type Item = <S::Item as Future>::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        while this.under_way.len() < *this.most
            && let Poll::Ready(Some(future)) = this.stream.as_mut().poll_next(context)
        {
            this.under_way.push(future);
        }
        match ready!(Pin::new(this.under_way).poll_next(context)) {
            // Nothing is under way; but more may come.
            None if !this.stream.has_ended() => Poll::Pending,
            output => Poll::Ready(output),
        }
    }
}

pin_project! {
    /// Outputs in the order of the futures.
    pub(super) struct Buffered<S: Stream<Item: Future>> {
        #[pin]
        stream: Fuse<S>,
        under_way: FuturesUnordered<Numbered<S::Item>>,
        // Those that are due next, from number `given` on: each with its output, if that came already.
        due: VecDeque<Option<<S::Item as Future>::Output>>,
        given: usize,
        most: usize,
    }
}

impl<S: Stream<Item: Future>> Buffered<S> {
    #[track_caller]
    pub(super) fn new(stream: S, most: usize) -> Self {
        assert!(most > 0, "with no future under way there would never be an output");
        let under_way = FuturesUnordered::new();
        Self { stream: Fuse::new(stream), under_way, due: VecDeque::new(), given: 0, most }
    }
}

impl<S: Stream<Item: Future>> Stream for Buffered<S> {
    type Item = <S::Item as Future>::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        // An output that waits for those before it keeps its place: so what is held is bounded too.
        while this.due.len() < *this.most
            && let Poll::Ready(Some(future)) = this.stream.as_mut().poll_next(context)
        {
            let number = this.given.wrapping_add(this.due.len());
            this.under_way.push(Numbered { number, future });
            this.due.push_back(None);
        }
        loop {
            if let Some(first) = this.due.front_mut()
                && let Some(output) = first.take()
            {
                this.due.pop_front();
                *this.given = this.given.wrapping_add(1);
                return Poll::Ready(Some(output));
            }
            match ready!(Pin::new(&mut *this.under_way).poll_next(context)) {
                Some((number, output)) => this.due[number.wrapping_sub(*this.given)] = Some(output),
                None if !this.stream.has_ended() => return Poll::Pending,
                None => return Poll::Ready(None),
            }
        }
    }
}

pin_project! {
    /// A future, with its place in the line.
    struct Numbered<F> {
        number: usize,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Numbered<F> {
    type Output = (usize, F::Output);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.future.poll(context).map(|output| (*this.number, output))
    }
}
