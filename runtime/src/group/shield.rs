//! What a dropped handle does to its task: nothing ([`Shield`]), or end it ([`AbortOnDropHandle`]).

use crate::task::{JoinError, JoinHandle};
use std::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

/// Waits for `task`, and whatever becomes of the wait, the task runs on.
///
/// Dropping a [`JoinHandle`] detaches its task in any case. The shield says that this is what is meant, and takes away the means to
/// abort: whoever is handed the wait cannot end the work. If the task is aborted by somebody else, the wait gives
/// [`JoinError::Cancelled`]. (A task without a runtime, and what `block_on` leaves behind, has no shield: the end of the runtime
/// is the end of its tasks.)
///
/// # Cancel safety
/// Awaiting it through `&mut` can be given up and taken up again. Dropping it drops the output when it comes.
///
/// ```
/// use runtime::{group::shield, time::{sleep, timeout}};
/// use std::{sync::Arc, time::Duration};
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let saved = Arc::new(runtime::sync::Event::new());
///     let task = runtime::spawn({
///         let saved = saved.clone();
///         async move {
///             sleep(Duration::from_secs(2)).await;
///             saved.set();
///         }
///     });
///     assert!(timeout(Duration::from_secs(1), shield(task)).await.is_err()); // the wait is over,
///     saved.wait().await; // the work is not
/// });
/// ```
pub fn shield<T>(task: JoinHandle<T>) -> Shield<T> {
    Shield(task)
}

/// A wait for a task that cannot end it. From [`shield`].
///
/// ```
/// use runtime::{group::{Shield, shield}, spawn};
/// let waits: Shield<u8> = runtime::block_on(async { shield(spawn(async { 5 })) });
/// assert!(runtime::block_on(waits).is_err()); // a shield does not outlive the runtime of its task
/// ```
#[derive(Debug)]
#[must_use = "a shield is a wait: await it, or drop the handle of the task to detach it"]
pub struct Shield<T>(JoinHandle<T>);

impl<T> Future for Shield<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

/// A handle whose drop **aborts** the task: for work that nobody wants any more when the wait for it is given up. The drop does not wait
/// until the task has ended.
///
/// It is a [`JoinHandle`] for the rest.
///
/// ```
/// use runtime::{group::AbortOnDropHandle, spawn};
/// runtime::block_on(async {
///     let task = AbortOnDropHandle::new(spawn(std::future::pending::<()>()));
///     let watch = task.abort_handle();
///     drop(task);
///     runtime::yield_now().await;
///     assert!(watch.is_finished());
/// });
/// ```
#[derive(Debug)]
#[must_use = "dropping the handle aborts the task"]
pub struct AbortOnDropHandle<T>(
    /// Until it is detached.
    Option<JoinHandle<T>>,
);

impl<T> AbortOnDropHandle<T> {
    /// Aborts `task` when it is dropped.
    ///
    /// ```
    /// use runtime::{group::AbortOnDropHandle, spawn};
    /// runtime::block_on(async { assert_eq!(AbortOnDropHandle::new(spawn(async { 5 })).await.unwrap(), 5) });
    /// ```
    pub fn new(task: JoinHandle<T>) -> Self {
        Self(Some(task))
    }

    /// Lets the task run on after all.
    ///
    /// ```
    /// use runtime::{group::AbortOnDropHandle, spawn};
    /// runtime::block_on(async {
    ///     let task = AbortOnDropHandle::new(spawn(async { 5 }));
    ///     assert_eq!(task.detach().await.unwrap(), 5);
    /// });
    /// ```
    pub fn detach(mut self) -> JoinHandle<T> {
        self.0.take().expect("detaching takes the handle")
    }
}

impl<T> From<JoinHandle<T>> for AbortOnDropHandle<T> {
    fn from(task: JoinHandle<T>) -> Self {
        Self::new(task)
    }
}

impl<T> Deref for AbortOnDropHandle<T> {
    type Target = JoinHandle<T>;

    fn deref(&self) -> &JoinHandle<T> {
        self.0.as_ref().expect("it is there until it is detached")
    }
}

impl<T> Future for AbortOnDropHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(self.0.as_mut().expect("it is there until it is detached")).poll(context)
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
