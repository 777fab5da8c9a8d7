//! The scope: its body, then the wait for all children.

use super::{
    TaskGroup,
    body::Body,
    contained::{Contained, Payload, outer_group},
    failure::{Failure, GroupError},
    roll::Roll,
};
use crate::{group::on_cancel::keep_place, worker::Place};
use pin_project_lite::pin_project;
use std::{
    fmt,
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

pin_project! {
    /// Runs the body of a group and waits for its children. From [`scope`](super::scope).
    ///
    /// ```
    /// use runtime::group::{GroupScope, TaskGroup, scope};
    /// use std::future::{Ready, ready};
    /// type Answer = Ready<Result<u8, &'static str>>;
    /// let scope: GroupScope<_, Answer, u8, &str> = scope(|_: TaskGroup<&str>| ready(Ok(42)));
    /// assert_eq!(runtime::block_on(scope).unwrap(), 42);
    /// ```
    #[must_use = "a scope does nothing until it is awaited"]
    pub struct GroupScope<B, F, T, E> {
        // Until the first poll.
        start: Option<B>,
        #[pin]
        body: Option<Body<F>>,
        // How the body ended: with a value, without one (it failed, or was to end), or in a panic.
        ended: Option<Result<Option<T>, Payload>>,
        roll: Arc<Roll<E>>,
        // The task was asked to end: it does when the children have.
        asked: bool,
        over: bool,
        // After the body: those inside go first.
        place: Option<Place>,
    }

    impl<B, F, T, E> PinnedDrop for GroupScope<B, F, T, E> {
        fn drop(this: Pin<&mut Self>) {
            this.roll.scope_goes();
        }
    }
}

impl<B, F, T, E> GroupScope<B, F, T, E> {
    pub(super) fn new(start: B) -> Self {
        Self {
            start: Some(start),
            body: None,
            ended: None,
            roll: Arc::default(),
            asked: false,
            over: false,
            place: None,
        }
    }
}

impl<B, F, T, E> Future for GroupScope<B, F, T, E>
where
    E: Send + 'static,
    B: FnOnce(TaskGroup<E>) -> F,
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, GroupError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if *this.over {
            return Poll::Pending;
        }
        keep_place(this.place, context);
        if let Some(start) = this.start.take() {
            this.roll.is_inside(outer_group());
            let future = start(TaskGroup { roll: this.roll.clone() });
            this.body.set(Some(Body::new(Contained::new(future, this.roll.clone()))));
        }
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            let closed = this.roll.poll_closed(context).is_ready();
            let polled = match &*this.place {
                Some(place) => place.around(|| body.poll(closed, context)),
                None => body.poll(closed, context),
            };
            let ended = match ready!(polled) {
                Ok(Some(Ok(value))) => Ok(Some(value)),
                Ok(Some(Err(error))) => {
                    this.roll.fail(Failure::Error(error));
                    Ok(None)
                }
                Ok(None) => Ok(None),
                Err(panic) => {
                    this.roll.close();
                    Err(panic)
                }
            };
            this.body.set(None);
            *this.ended = Some(ended);
        }
        let mut over = this.roll.poll_over(context);
        if over.is_pending()
            && !*this.asked
            && let Some(place) = this.place.as_ref().filter(|place| place.is_told(context.waker()))
        {
            // From here on the task waits for its children, and no second request keeps it from that.
            place.clean();
            *this.asked = true;
            this.roll.close();
            over = this.roll.poll_over(context);
        }
        let failures = ready!(over);
        let ended = this.ended.take().expect("polled after it was ready");
        let value = ended.unwrap_or_else(|panic| resume_unwind(panic));
        match (GroupError::of(failures), value) {
            // Where the task was asked too, it ends at its next suspension: the place, when it goes, passes that on.
            (Some(error), _) => {
                *this.place = None;
                Poll::Ready(Err(error))
            }
            (None, Some(value)) if !*this.asked => {
                *this.place = None;
                Poll::Ready(Ok(value))
            }
            // The task was asked, and everybody has ended: so does the task.
            (None, _) => {
                *this.over = true;
                this.place.as_ref().into_iter().for_each(Place::is_over);
                Poll::Pending
            }
        }
    }
}

impl<B, F, T, E> fmt::Debug for GroupScope<B, F, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupScope").field("children", &self.roll.len()).finish_non_exhaustive()
    }
}
