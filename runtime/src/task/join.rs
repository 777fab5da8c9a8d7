//! What the spawner keeps of a task: the handle that waits for its output, and the handle that can only end it.

use super::{JoinError, TaskState, reference::Reference};
use crate::{budget, trace::TaskId};
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    panic::Location,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, ready},
};

/// Waits for the output of a task.
///
/// Dropping the handle **detaches** the task: it runs on, and its output is dropped when it comes.
///
/// # Cancel safety
/// Awaiting through `&mut handle` can be given up and taken up again; nothing is lost.
///
/// # Panics
/// Polling it again after it gave its output panics.
///
/// ```
/// runtime::block_on(async {
///     let answer = runtime::spawn(async { 6 * 7 });
///     assert_eq!(answer.await.unwrap(), 42);
/// });
/// ```
#[must_use = "dropping the handle detaches the task; `drop(handle)` says so"]
pub struct JoinHandle<T> {
    task: Reference,
    /// The handle takes the output out: so it may go where the output may go. (As a mutex does; and `&JoinHandle` takes nothing.)
    output: PhantomData<Mutex<T>>,
}

/// Nothing in it is pinned: the output lies in the cell.
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// `task` must be the one reference born with its cell, and `T` its output.
    pub(super) fn new(task: Reference) -> Self {
        Self { task, output: PhantomData }
    }

    /// Asks the task to end. Its future is dropped at its next suspension, by the thread that runs it; then this handle
    /// gives [`JoinError::Cancelled`]. A task that is already over is left alone, and its output is still given.
    ///
    /// [`cancel`](JoinHandle::cancel) lets it clean up first.
    ///
    /// ```
    /// use std::sync::Arc;
    /// runtime::block_on(async {
    ///     let file = Arc::new("a file that the task has open");
    ///     let task = runtime::spawn({
    ///         let file = file.clone();
    ///         async move { std::future::pending::<()>().await; drop(file) }
    ///     });
    ///     task.abort();
    ///     assert!(task.await.unwrap_err().is_cancelled());
    ///     assert_eq!(Arc::strong_count(&file), 1); // what the task had is dropped by now
    /// });
    /// ```
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Asks the task to end, and waits for nothing: what `cancel` does.
    pub(crate) fn ask(&self) {
        self.task.ask();
    }

    /// A handle that can only [`abort`](JoinHandle::abort), to be kept elsewhere.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(std::future::pending::<()>());
    ///     let stop = task.abort_handle();
    ///     let waiting = runtime::spawn(task); // it has the handle now
    ///     stop.abort();
    ///     assert!(waiting.await.unwrap().unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle(self.task.clone())
    }

    /// Is the task over, its future dropped?
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(async {});
    ///     assert!(!task.is_finished());
    ///     runtime::yield_now().await;
    ///     assert!(task.is_finished());
    /// });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.is_complete()
    }

    /// Where the task stands now, as one look at it tells: for reports and tests. By the time it is read, the task may have
    /// gone on, unless it is [`Completed`](TaskState::Completed), which it stays.
    ///
    /// ```
    /// use runtime::{TaskState, yield_now};
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(std::future::pending::<()>());
    ///     assert_eq!(task.state(), TaskState::Scheduled);
    ///     yield_now().await;
    ///     assert_eq!(task.state(), TaskState::Idle);
    ///     task.abort();
    ///     assert_eq!(task.state(), TaskState::Aborting);
    ///     yield_now().await;
    ///     assert_eq!(task.state(), TaskState::Completed);
    /// });
    /// ```
    pub fn state(&self) -> TaskState {
        self.task.state()
    }

    /// The task's number in its runtime.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let (one, other) = (runtime::spawn(async {}), runtime::spawn(async {}));
    ///     assert_ne!(one.id(), other.id());
    /// });
    /// ```
    pub fn id(&self) -> TaskId {
        self.task.birth().id
    }

    /// The name it was given by [`Builder::name`](super::Builder::name).
    ///
    /// ```
    /// runtime::block_on(async {
    ///     assert_eq!(runtime::task::Builder::new().name("counter").spawn(async {}).name(), Some("counter"));
    ///     assert_eq!(runtime::spawn(async {}).name(), None);
    /// });
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.task.birth().name.as_deref().map(|name| &**name)
    }

    /// The line that spawned it.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let (task, here) = (runtime::spawn(async {}), line!());
    ///     assert_eq!(task.spawned_at().line(), here);
    /// });
    /// ```
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.task.birth().place
    }
}

#[expect(unsafe_code, reason = "the handle is one of the owners in the cell's table")]
impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.task.is_complete() {
            ready!(budget::spend(context));
        }
        // SAFETY: this is the task's one handle, `T` is its output, and `&mut` excludes a second thread.
        match unsafe { self.task.poll_output(context.waker()) } {
            Some(output) => Poll::Ready(output),
            None => {
                self.task.note_wait();
                Poll::Pending
            }
        }
    }
}

#[expect(unsafe_code, reason = "the handle is one of the owners in the cell's table")]
impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        // SAFETY: the one handle, once, with the task's output type.
        unsafe { self.task.detach::<T>() };
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinHandle({:?})", self.task)
    }
}

/// Ends a task from anywhere; says nothing of its output. Cheap to clone.
///
/// ```
/// use runtime::{spawn, task::AbortHandle};
/// runtime::block_on(async {
///     let tasks: Vec<_> = (0..3).map(|_| spawn(std::future::pending::<()>())).collect();
///     let stops: Vec<AbortHandle> = tasks.iter().map(|task| task.abort_handle()).collect();
///     stops.iter().for_each(AbortHandle::abort);
///     for task in tasks {
///         assert!(task.await.unwrap_err().is_cancelled());
///     }
/// });
/// ```
#[derive(Clone)]
pub struct AbortHandle(pub(super) Reference);

impl AbortHandle {
    /// Asks the task to end: what `cancel` does.
    pub(crate) fn ask(&self) {
        self.0.ask();
    }

    /// As [`JoinHandle::abort`].
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let stop = runtime::spawn(std::future::pending::<()>()).abort_handle(); // detached, but not out of reach
    ///     stop.abort();
    ///     runtime::yield_now().await;
    ///     assert!(stop.is_finished());
    /// });
    /// ```
    pub fn abort(&self) {
        self.0.abort();
    }

    /// As [`JoinHandle::is_finished`].
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(async {});
    ///     let watch = task.abort_handle();
    ///     task.await.unwrap();
    ///     assert!(watch.is_finished());
    /// });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.0.is_complete()
    }

    /// As [`JoinHandle::state`].
    pub fn state(&self) -> TaskState {
        self.0.state()
    }

    /// As [`JoinHandle::id`].
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(async {});
    ///     assert_eq!(task.abort_handle().id(), task.id());
    /// });
    /// ```
    pub fn id(&self) -> TaskId {
        self.0.birth().id
    }

    /// As [`JoinHandle::name`].
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let stop = runtime::task::Builder::new().name("heartbeat").spawn(async {}).abort_handle();
    ///     assert_eq!(stop.name(), Some("heartbeat"));
    /// });
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.0.birth().name.as_deref().map(|name| &**name)
    }

    /// As [`JoinHandle::spawned_at`].
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let stop = runtime::spawn(async {}).abort_handle();
    ///     assert_eq!(stop.spawned_at().file(), file!());
    /// });
    /// ```
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.0.birth().place
    }
}

impl fmt::Debug for AbortHandle {
    /// The task: number, name, and where it was spawned.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
