//! A clean-up for when the task is asked to end.

use super::{Ended, Finally, scope::shielded};
use crate::{task::Panic, worker::Place};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What a future does when its task is asked to end.
///
/// ```
/// use runtime::{group::CancelExt, spawn, yield_now};
/// runtime::block_on(async {
///     let mut task = spawn(std::future::pending::<()>().on_cancel(async { println!("goodbye") }));
///     yield_now().await;
///     assert!(task.cancel().await.unwrap_err().is_cancelled());
/// });
/// ```
pub trait CancelExt: Future + Sized {
    /// Runs `cleanup` if the task is asked to end while this future is awaited.
    ///
    /// When the request comes, this future is dropped, then `cleanup` is polled to its end, then the task ends as
    /// [`Cancelled`](crate::JoinError::Cancelled): what stands after it in the task does not run. If no request comes, `cleanup` is
    /// dropped unpolled.
    ///
    /// (A [`sleep`](crate::time::sleep) counts from when it is made: in `cleanup`, make it in an `async` block.)
    ///
    /// Handlers nest: the innermost one cleans up first, then the one around it. With several side by side (in a
    /// [`join`](crate::future::join), say) all clean up, and then the one around them. A panic in `cleanup` is how the task ends; one in the
    /// drop of this future too, when `cleanup` is over.
    ///
    /// A request that comes just when this future is ready does not take its output away: it goes on to the handler around it,
    /// or the task is aborted at its next suspension. In the future that was given to `block_on` no request comes.
    ///
    /// # Cancel safety
    /// Dropped, it runs nothing: not by `abort`, not by the end of `block_on`, not by a `race` that it loses. So what must never
    /// be left undone belongs in a `Drop`. Dropped in the middle of `cleanup`, it passes the request on.
    /// Kept, but not polled (the other branch of a `select!`, a future that was leaked), it holds every request up.
    ///
    /// ```
    /// use runtime::{group::CancelExt, spawn, time::sleep};
    /// use std::{sync::{Arc, Mutex}, time::Duration};
    ///
    /// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
    /// let said = runtime.block_on(async {
    ///     let (second, said) = (Duration::from_secs(1), Arc::new(Mutex::new(Vec::new())));
    ///     let say = { let said = said.clone(); move |word| said.lock().unwrap().push(word) };
    ///     let mut task = spawn(async move {
    ///         let work = sleep(60 * second).on_cancel(async {
    ///             sleep(second).await;
    ///             say("inner");
    ///         });
    ///         work.on_cancel(async { say("outer") }).await;
    ///         say("never");
    ///     });
    ///     sleep(second).await;
    ///     assert!(task.cancel().await.is_err());
    ///     Arc::into_inner(said).unwrap().into_inner().unwrap()
    /// });
    /// assert_eq!(said, ["inner", "outer"]);
    /// ```
    fn on_cancel<C: Future<Output = ()>>(self, cleanup: C) -> OnCancel<Self, C> {
        OnCancel { stage: Stage::Body { body: self, cleanup: Some(cleanup) }, place: None }
    }

    /// Runs `exit` when this future has ended, however: with its output, by a panic, or because the task is asked to end
    /// ([`Ended`] says which). What `exit` gives is the output.
    ///
    /// While `exit` runs, no request interrupts it: one that comes takes effect after it. After [`Ended::Cancelled`] the task ends,
    /// and what `exit` gave is dropped; after [`Ended::Panicked`] `exit` may let the panic go on with
    /// [`resume_unwind`](std::panic::resume_unwind), or give an output instead.
    ///
    /// # Cancel safety
    /// As that of [`on_cancel`](CancelExt::on_cancel): dropped, it runs nothing.
    ///
    /// ```
    /// use runtime::group::{CancelExt, Ended};
    /// let text = runtime::block_on(async { 5 }.finally(async |ended| match ended {
    ///     Ended::Done(number) => format!("{number}"),
    ///     other => format!("no number: {other:?}"),
    /// }));
    /// assert_eq!(text, "5");
    /// ```
    fn finally<E, X>(self, exit: E) -> Finally<Self, E, X>
    where
        E: FnOnce(Ended<Self::Output>) -> X,
        X: Future,
    {
        Finally::new(self, exit)
    }
}

impl<F: Future> CancelExt for F {}

pin_project! {
    /// A future with a clean-up for when its task is asked to end. From [`CancelExt::on_cancel`].
    ///
    /// ```
    /// use runtime::group::{CancelExt, OnCancel};
    /// use std::future::{Ready, ready};
    /// let both: OnCancel<Ready<u8>, Ready<()>> = ready(5).on_cancel(ready(()));
    /// assert_eq!(runtime::block_on(both), 5);
    /// ```
    #[must_use = "it does nothing until it is awaited"]
    pub struct OnCancel<B, C> {
        #[pin]
        stage: Stage<B, C>,
        // After the stage: those inside go first.
        place: Option<Place>,
    }
}

pin_project! {
    #[project = StageProjected]
    enum Stage<B, C> {
        Body { #[pin] body: B, cleanup: Option<C> },
        // `panicked`: what the body panicked with when it was dropped.
        Cleanup { #[pin] cleanup: C, panicked: Option<Panic> },
        // It waits to be dropped, with all that is around it.
        Over,
        Ready,
    }
}

impl<B: Future, C: Future<Output = ()>> Future for OnCancel<B, C> {
    type Output = B::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<B::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjected::Body { body, cleanup } => {
                    keep_place(this.place, context);
                    if let Some(place) = this.place.as_ref().filter(|place| place.is_told(context.waker())) {
                        place.clean();
                        let cleanup = cleanup.take().expect("it is there until it is needed");
                        let stage = Stage::Cleanup { cleanup, panicked: None };
                        let dropped = catch_unwind(AssertUnwindSafe(|| this.stage.set(stage)));
                        if let (Err(payload), StageProjected::Cleanup { panicked, .. }) =
                            (dropped, this.stage.as_mut().project())
                        {
                            *panicked = Some(Panic::new(payload));
                        }
                        continue;
                    }
                    let output = ready!(match &*this.place {
                        Some(place) => place.around(|| body.poll(context)),
                        None => body.poll(context),
                    });
                    this.stage.set(Stage::Ready);
                    *this.place = None;
                    return Poll::Ready(output);
                }
                StageProjected::Cleanup { cleanup, panicked } => {
                    ready!(shielded(this.place.as_ref(), || cleanup.poll(context)));
                    let panicked = panicked.take();
                    this.stage.set(Stage::Over);
                    if let Some(panic) = panicked {
                        resume_unwind(panic.into_payload());
                    }
                    this.place.as_ref().expect("it was told there").is_over();
                }
                StageProjected::Over => return Poll::Pending,
                StageProjected::Ready => panic!("polled after it was ready"),
            }
        }
    }
}

/// Sees to it that a handler in its body has a place in the task that polls it.
pub(super) fn keep_place(place: &mut Option<Place>, context: &Context<'_>) {
    if place.as_ref().is_none_or(|place| !place.is_here()) {
        *place = Place::take(context.waker());
    }
}

impl<B, C> fmt::Debug for OnCancel<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Body { .. } => "OnCancel(not asked)",
            Stage::Cleanup { .. } => "OnCancel(cleans up)",
            Stage::Over => "OnCancel(cleaned up)",
            Stage::Ready => "OnCancel(ready)",
        })
    }
}
