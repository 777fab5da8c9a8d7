//! A task: a future on its own, with a handle to wait for it.
//!
//! Read in this order: [`state`] (the word and its transitions), [`cell`] (the memory and who may touch it), [`mod@reference`] (how
//! the handle gets the output), [`join`] (the handles).
//!
//! - A wake that follows the start of a poll is never lost; a task is polled by at most one thread at a time.
//! - A task is in at most one queue, once. A completed task is never polled again.
//! - Its future is dropped exactly once, before its handle resolves; its output is dropped exactly once.
//! - A panic in a task becomes its [`JoinError`] and touches nothing else.
//!
//! ```
//! use runtime::{JoinError, spawn};
//! runtime::block_on(async {
//!     let (fine, bad, idle) = (spawn(async { 1 }), spawn(async { panic!("no") }), spawn(std::future::pending::<()>()));
//!     idle.abort();
//!     assert!(matches!(fine.await, Ok(1)));
//!     assert!(matches!(bad.await, Err::<(), _>(JoinError::Panicked(panic)) if panic.message() == Some("no")));
//!     assert!(matches!(idle.await, Err(JoinError::Cancelled)));
//! });
//! ```

mod cell;
mod join;
mod local;
#[cfg(all(test, runtime_loom))]
mod loom_models;
mod reference;
mod state;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

pub use crate::trace::TaskId;
pub use join::{AbortHandle, JoinHandle};
pub use state::TaskState;

pub(crate) use cell::{Birth, Listed, Observer, Ran, Schedule, Task, contain};
pub(crate) use local::BoundToThread;

use std::{
    any::Any,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

/// Why a task has no output.
///
/// ```
/// use runtime::JoinError;
/// let said = runtime::block_on(async {
///     match runtime::spawn(async { panic!("out of cheese") }).await {
///         Ok(()) => "it went well".to_string(),
///         Err(JoinError::Cancelled) => "somebody stopped it".to_string(),
///         Err(error @ JoinError::Panicked(_)) => error.to_string(),
///     }
/// });
/// assert_eq!(said, "the task panicked: out of cheese");
/// ```
pub enum JoinError {
    /// It was aborted, or ended as it was asked to, or its runtime ended first.
    Cancelled,
    /// Its future panicked.
    Panicked(Panic),
}

/// What a task panicked with.
///
/// One word: every task has room for it in its cell.
///
/// ```
/// use runtime::JoinError;
/// let error = runtime::block_on(async { runtime::spawn(async { panic!("number {}", 5) }).await.unwrap_err() });
/// let JoinError::Panicked(panic) = error else { unreachable!() };
/// assert_eq!(panic.message(), Some("number 5"));
/// ```
pub struct Panic(Box<Panicked>);

struct Panicked {
    message: Option<Box<str>>,
    /// The lock is never taken: it makes the payload, which is only `Send`, shareable by nobody ever sharing it.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let message = text.or_else(|| payload.downcast_ref::<&str>().copied()).map(Box::from);
        Self(Box::new(Panicked { message, payload: Mutex::new(payload) }))
    }

    /// The text, where it was one (as from `panic!("…")`).
    ///
    /// ```
    /// use runtime::JoinError;
    /// use std::panic::panic_any;
    /// let error = runtime::block_on(async { runtime::spawn(async { panic_any(404) }).await.unwrap_err() });
    /// assert!(matches!(error, JoinError::Panicked(panic) if panic.message().is_none())); // no text
    /// ```
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The payload, as [`std::panic::catch_unwind`] gives it: for [`std::panic::resume_unwind`], or to be downcast.
    ///
    /// ```
    /// use runtime::JoinError;
    /// use std::panic::panic_any;
    /// let error = runtime::block_on(async { runtime::spawn(async { panic_any(404) }).await.unwrap_err() });
    /// let JoinError::Panicked(panic) = error else { unreachable!() };
    /// assert_eq!(*panic.into_payload().downcast::<i32>().unwrap(), 404);
    /// ```
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JoinError {
    /// Was the task aborted?
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(std::future::pending::<()>());
    ///     task.abort();
    ///     assert!(task.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled)
    }

    /// Did the task panic?
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(async { panic!("no") });
    ///     assert!(task.await.is_err_and(|error| error.is_panic()));
    /// });
    /// ```
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    fn panic_message(&self) -> Option<&str> {
        if let JoinError::Panicked(panic) = self { panic.message() } else { None }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.panic_message()) {
            (JoinError::Cancelled, _) => f.write_str("the task was cancelled"),
            (_, Some(message)) => write!(f, "the task panicked: {message}"),
            (_, None) => f.write_str("the task panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("Cancelled"),
            JoinError::Panicked(panic) => write!(f, "Panicked({panic:?})"),
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.message().unwrap_or("a payload that is no text"))
    }
}

impl std::error::Error for JoinError {}

/// Makes a task and its handle. The caller must queue the task, and may keep the abort handle.
pub(crate) fn new<F, S>(birth: Birth, scheduler: S, future: F) -> (Task, JoinHandle<F::Output>)
where
    F: Future + Send + 'static,
    S: Schedule,
{
    let (task, reference) = cell::new(birth, scheduler, future);
    (task, JoinHandle::new(reference))
}

/// Spawns a task with a name, which the trace, errors and reports then use.
///
/// ```
/// runtime::block_on(async {
///     let task = runtime::task::Builder::new().name("fetch /index").spawn(async { 1 });
///     assert_eq!(task.name(), Some("fetch /index"));
///     assert_eq!(task.await.unwrap(), 1);
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    name: Option<Arc<str>>,
}

impl Builder {
    /// A task without a name.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::task::Builder::new().spawn(async {});
    ///     assert_eq!(task.name(), None);
    /// });
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it a name.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let named = |number| runtime::task::Builder::new().name(format!("peer {number}"));
    ///     let task = named(7).spawn(async {});
    ///     assert_eq!(task.name(), Some("peer 7"));
    /// });
    /// ```
    pub fn name(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()) }
    }

    pub(crate) fn into_name(self) -> Option<Box<Arc<str>>> {
        self.name.map(Box::new)
    }
}

/// Gives way: the task goes to the back of its worker's queue, and goes on when its turn comes; the timers and the reactor have
/// theirs before. (In a simulated runtime the seed says whose turn it is.)
///
/// # Cancel safety
/// Nothing is lost.
///
/// ```
/// runtime::block_on(async {
///     let other = runtime::spawn(async { "ran" });
///     runtime::yield_now().await;
///     assert!(other.is_finished());
/// });
/// ```
pub async fn yield_now() {
    YieldNow { yielded: false }.await;
}

struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        // Woken while it runs, the task goes to the back of the queue when this poll ends.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
