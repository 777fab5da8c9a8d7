//! A child of a group: the future that its task runs, and the handle that its spawner has.

use super::{
    contained::Contained,
    failure::Failure,
    roll::{Entry, Membership},
};
use crate::task::{AbortHandle, JoinError, JoinHandle, Panic};
use pin_project_lite::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The future of a child's task. Its output is the child's value; an error or a panic goes to the group.
    ///
    /// However it ends, the child's own future goes first, and then the group is told.
    pub(super) struct ChildTask<E, F> {
        #[pin]
        child: Contained<F>,
        membership: Membership<E>,
    }

    impl<E, F> PinnedDrop for ChildTask<E, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Err(payload) = this.child.let_go() {
                this.membership.roll.fail(Failure::Lost(JoinError::Panicked(Panic::new(payload))));
            }
        }
    }
}

impl<E, F> ChildTask<E, F> {
    pub(super) fn new(child: Contained<F>, membership: Membership<E>) -> Self {
        Self { child, membership }
    }

    pub(super) fn entry(&self) -> Entry {
        self.membership.entry
    }
}

impl<E, F, V, X> Future for ChildTask<E, F>
where
    F: Future<Output = Result<V, X>>,
    X: Into<Failure<E>>,
{
    type Output = Option<V>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<V>> {
        let this = self.project();
        let failure = match ready!(this.child.poll(context)) {
            Ok(Ok(value)) => return Poll::Ready(Some(value)),
            Ok(Err(error)) => error.into(),
            Err(payload) => Failure::Lost(JoinError::Panicked(Panic::new(payload))),
        };
        this.membership.roll.fail(failure);
        Poll::Ready(None)
    }
}

/// Waits for the value of a child of a group. From [`TaskGroup::spawn`](super::TaskGroup::spawn).
///
/// Dropping it leaves the child where it is: in its group. A child without a value gives [`JoinError::Cancelled`]: it was aborted, or
/// not taken any more, or it failed, and its failure went to the group.
///
/// # Cancel safety
/// Awaiting it through `&mut` can be given up and taken up again; nothing is lost.
///
/// ```
/// use runtime::group::scope;
/// let sum = runtime::block_on(scope(async |group| {
///     let (one, two) = (group.spawn(async { Ok(1) }), group.spawn(async { Ok(2) }));
///     Ok::<_, &str>(one.await.unwrap() + two.await.unwrap())
/// }));
/// assert_eq!(sum.unwrap(), 3);
/// ```
pub struct Child<V>(
    /// `None`: the group did not take it.
    pub(super) Option<JoinHandle<Option<V>>>,
);

impl<V> Child<V> {
    /// Asks this child to end; the group goes on. See [`JoinHandle::abort`].
    ///
    /// ```
    /// use runtime::group::scope;
    /// let ended = runtime::block_on(scope(async |group| {
    ///     let child = group.spawn(std::future::pending::<Result<(), &str>>());
    ///     child.abort();
    ///     Ok(child.await.unwrap_err().is_cancelled())
    /// }));
    /// assert!(ended.unwrap());
    /// ```
    pub fn abort(&self) {
        self.0.iter().for_each(JoinHandle::abort);
    }

    /// Asks this child to end, clean-up and all; the group goes on. See [`JoinHandle::cancel`].
    ///
    /// ```
    /// use runtime::{group::{CancelExt, scope}, yield_now};
    /// let ended = runtime::block_on(scope(async |group| {
    ///     let child = group.spawn(std::future::pending::<Result<(), &str>>().on_cancel(yield_now()));
    ///     yield_now().await;
    ///     child.cancel();
    ///     Ok(child.await.unwrap_err().is_cancelled())
    /// }));
    /// assert!(ended.unwrap());
    /// ```
    pub fn cancel(&self) {
        self.0.iter().for_each(JoinHandle::ask);
    }

    /// A handle of the child's task; `None`: the group did not take it.
    ///
    /// ```
    /// use runtime::group::{TaskGroup, scope};
    /// runtime::block_on(scope(async |group: TaskGroup<()>| {
    ///     let (child, here) = (group.spawn(async { Ok(()) }), line!());
    ///     assert_eq!(child.abort_handle().unwrap().spawned_at().line(), here);
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    pub fn abort_handle(&self) -> Option<AbortHandle> {
        self.0.as_ref().map(JoinHandle::abort_handle)
    }

    /// Is it over?
    ///
    /// ```
    /// use runtime::group::{TaskGroup, scope};
    /// runtime::block_on(scope(async |group: TaskGroup<()>| {
    ///     let child = group.spawn(async { Ok(()) });
    ///     assert!(!child.is_finished());
    ///     runtime::yield_now().await;
    ///     assert!(child.is_finished());
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    pub fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl<V> Future for Child<V> {
    type Output = Result<V, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(handle) = &mut self.0 else { return Poll::Ready(Err(JoinError::Cancelled)) };
        Pin::new(handle).poll(context).map(|output| output?.ok_or(JoinError::Cancelled))
    }
}

impl<V> fmt::Debug for Child<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Child").field(&self.0).finish()
    }
}
