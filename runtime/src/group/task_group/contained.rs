//! A future that is polled and dropped with nothing getting out but what it gives: neither its panics, nor groups that it opens.

use super::roll::Outer;
use pin_project_lite::pin_project;
use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// What it panicked with, in a poll or when it was dropped.
pub(super) type Payload = Box<dyn Any + Send>;

thread_local! {
    /// The group that the code which runs now belongs to: as its child, or as its body.
    static WITHIN: Cell<Option<Arc<dyn Outer>>> = const { Cell::new(None) };
}

/// The group that the current code belongs to.
pub(super) fn outer_group() -> Option<Arc<dyn Outer>> {
    let outer = WITHIN.take();
    WITHIN.set(outer.clone());
    outer
}

pin_project! {
    /// A future of a group.
    pub(super) struct Contained<F> {
        #[pin]
        future: Option<F>,
        // Is in `WITHIN` during a poll: moved there and back, so that a poll counts no reference.
        group: Option<Arc<dyn Outer>>,
    }
}

impl<F> Contained<F> {
    pub(super) fn new(future: F, group: Arc<dyn Outer>) -> Self {
        Self { future: Some(future), group: Some(group) }
    }

    /// Polls the future. When it is ready, or has panicked, it is dropped by the time this returns.
    pub(super) fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<F::Output, Payload>>
    where
        F: Future,
    {
        let this = self.as_mut().project();
        let future = this.future.as_pin_mut().expect("it is not polled when it was let go");
        let around = WITHIN.replace(this.group.take());
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(context)));
        *this.group = WITHIN.replace(around);
        let output = match polled {
            Ok(polled) => Ok(ready!(polled)),
            Err(panic) => Err(panic),
        };
        let dropped = self.let_go();
        Poll::Ready(output.and_then(|output| dropped.map(|()| output)))
    }

    /// Drops the future, if it is still there.
    pub(super) fn let_go(self: Pin<&mut Self>) -> Result<(), Payload> {
        let mut future = self.project().future;
        catch_unwind(AssertUnwindSafe(|| future.set(None)))
    }
}
