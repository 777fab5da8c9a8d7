//! A group of tasks that ends as one: the first failure ends all, and nobody outlives the scope.
//!
//! ```text
//!   scope ──> body ──spawn──> children          a failure, of a child or of the body,
//!     │         │                │              or a request to end:
//!     │ <───────┴──── ended ─────┘                 all others are asked to end, and waited for
//!     └──> the body's value, or all failures
//! ```
//!
//! Read in this order: `scope` (what is awaited), `body`, `roll` (who is in, and when it is over), `child` (what a child's task runs),
//! `contained` (polls without surprises), `start`, `failure`.
//!
//! - When the scope's future is ready, each child's future has been dropped, exactly once.
//! - Whatever failed is told: no error and no panic is lost, and none is made up of a cancellation.
//! - The group keeps nothing of a child that is over.
//! - A group inside a group keeps the outer one open until its children are gone, even when its own scope was dropped and could
//!   not wait for them.

mod body;
mod child;
mod contained;
mod failure;
mod roll;
mod scope;
mod start;

pub use child::Child;
pub use failure::{Failure, GroupError, StartError};
pub use scope::GroupScope;
pub use start::{Start, Started};

use crate::{
    runtime,
    task::{self, JoinHandle},
};
use child::ChildTask;
use contained::Contained;
use roll::{Entry, Roll};
use std::{fmt, sync::Arc};

/// Runs `body` with a group of tasks, waits until it and all children have ended, and gives its value.
///
/// When a child or the body fails, nobody else is taken, and all others are asked to end, as by [`cancel`](crate::JoinHandle::cancel):
/// those that have a handler clean up, the others are dropped where they wait. So is the body. Then all children are waited for.
/// A child that is aborted by somebody else disturbs nobody.
///
/// A child's panic is a failure like any other: [`Failure::Lost`]. A panic of the body itself goes on, when the children have ended.
///
/// When the scope's own task is asked to end, the scope asks its body and its children, and waits for them; then the task ends as
/// cancelled. If one of them failed meanwhile, the scope gives that, and the task ends at its next suspension. An abort of the
/// task is not waited for: it is a drop.
///
/// # Errors
/// [`GroupError`]: all that failed, the first first.
///
/// # Cancel safety
/// Dropping the scope drops the body and aborts all children. A drop cannot wait: they end at their next suspension, each on its own
/// worker. The group *around* it, if there is one, does wait for them. To wait for them in any case, let the scope have a task of its
/// own, and await that.
///
/// ```
/// use runtime::{group::scope, time::sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let page = |number: u64| async move {
///         sleep(Duration::from_secs(number)).await;
///         if number < 3 { Ok(number * 10) } else { Err("no such page") }
///     };
///     let sum = scope(async |group| {
///         let (one, two) = (group.spawn(page(1)), group.spawn(page(2)));
///         Ok(one.await.unwrap() + two.await.unwrap())
///     });
///     assert_eq!(sum.await.unwrap(), 30);
///
///     let failed = scope(async |group| {
///         group.spawn(page(3));
///         group.spawn(async { Ok(sleep(Duration::from_secs(1000)).await) }); // aborted
///         Ok(())
///     });
///     assert_eq!(failed.await.unwrap_err().to_string(), "no such page");
/// });
/// ```
pub fn scope<B, F, T, E>(body: B) -> GroupScope<B, F, T, E>
where
    E: Send + 'static,
    B: FnOnce(TaskGroup<E>) -> F,
    F: Future<Output = Result<T, E>>,
{
    GroupScope::new(body)
}

/// Spawns children of a group. From [`scope`]. Cheap to clone: children may spawn children.
///
/// A group that has failed, was asked to end, or is over, takes no children: their futures are dropped at once, and their handles say
/// [`JoinError::Cancelled`](crate::JoinError::Cancelled).
///
/// ```
/// use runtime::group::{TaskGroup, scope};
/// fn count(group: TaskGroup<&'static str>, number: u32) {
///     if number > 0 {
///         let inside = group.clone();
///         group.spawn(async move { Ok(count(inside, number - 1)) });
///     }
/// }
/// runtime::block_on(scope(async |group| Ok(count(group, 10)))).unwrap();
/// ```
pub struct TaskGroup<E> {
    roll: Arc<Roll<E>>,
}

impl<E: Send + 'static> TaskGroup<E> {
    /// Spawns a child on the current runtime. Its value, if somebody wants it, is given by its handle; its error goes to the group.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// use runtime::group::scope;
    /// let result = runtime::block_on(scope(async |group| {
    ///     group.spawn(async { Ok(()) }); // nobody need wait for it: the scope does
    ///     group.spawn(async { Ok(6 * 7) }).await.map_err(|_| "aborted")
    /// }));
    /// assert_eq!(result.unwrap(), 42);
    /// ```
    #[track_caller]
    pub fn spawn<V, F>(&self, future: F) -> Child<V>
    where
        V: Send + 'static,
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.spawn_with(task::Builder::new(), future)
    }

    /// Spawns a child with a name, which the trace, errors and reports then use.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// ```
    /// runtime::block_on(runtime::group::scope(async |group| {
    ///     let child = group.spawn_named("fetch", async { Ok::<_, &str>(()) });
    ///     assert_eq!(child.abort_handle().unwrap().name(), Some("fetch"));
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    #[track_caller]
    pub fn spawn_named<V, F>(&self, name: impl Into<Arc<str>>, future: F) -> Child<V>
    where
        V: Send + 'static,
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.spawn_with(task::Builder::new().name(name), future)
    }

    /// Spawns a child that stays on this thread.
    ///
    /// # Panics
    /// Where no worker is: see [`spawn_local`](crate::spawn_local).
    ///
    /// ```
    /// use std::rc::Rc;
    /// let shared = Rc::new(5);
    /// let value = runtime::block_on(runtime::group::scope(async |group| {
    ///     let child = group.spawn_local(async move { Ok::<_, &str>(*shared) });
    ///     Ok(child.await.unwrap())
    /// }));
    /// assert_eq!(value.unwrap(), 5);
    /// ```
    #[track_caller]
    pub fn spawn_local<V, F>(&self, future: F) -> Child<V>
    where
        V: 'static,
        F: Future<Output = Result<V, E>> + 'static,
    {
        let Some(child) = self.take_in(future) else { return Child(None) };
        let entry = child.entry();
        // The roll is not locked: a runtime that has ended drops the child here and now.
        self.runs(entry, runtime::spawn_local(child))
    }

    /// Spawns a child and waits until it says that it is up: that it listens, say. What it says is the value.
    ///
    /// The child is spawned by this call; what it returns need only be awaited. A child that fails before it is up has failed its
    /// starter, not the group; from then on it is a child like others.
    ///
    /// # Errors
    /// [`StartError`]: the child failed, ended, or was cancelled before it was up; or the group takes no children any more.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Cancel safety
    /// Dropping the wait aborts the child, unless it has started.
    ///
    /// ```
    /// use runtime::{group::scope, sync::oneshot};
    /// let answer = runtime::block_on(scope(async |group| {
    ///     let ask = group
    ///         .start(|started| async move {
    ///             let (ask, question) = oneshot::channel();
    ///             started.send(ask);
    ///             question.await.map_err(|_| "nobody asked")
    ///         })
    ///         .await
    ///         .map_err(|_| "the server did not come up")?;
    ///     ask.send(()).map_err(|()| "the server is gone")
    /// }));
    /// assert!(answer.is_ok());
    /// ```
    #[track_caller]
    pub fn start<V, F>(&self, child: impl FnOnce(Started<V>) -> F) -> Start<V, E>
    where
        V: Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        start::start(self, child)
    }

    #[track_caller]
    fn spawn_with<V, X, F>(&self, task: task::Builder, future: F) -> Child<V>
    where
        V: Send + 'static,
        X: Into<Failure<E>> + 'static,
        F: Future<Output = Result<V, X>> + Send + 'static,
    {
        let Some(child) = self.take_in(future) else { return Child(None) };
        let entry = child.entry();
        // The roll is not locked: a runtime that has ended drops the child here and now.
        self.runs(entry, task.spawn(child))
    }

    fn take_in<F>(&self, future: F) -> Option<ChildTask<E, F>> {
        let membership = self.roll.come()?;
        Some(ChildTask::new(Contained::new(future, self.roll.clone()), membership))
    }

    fn runs<V>(&self, entry: Entry, handle: JoinHandle<Option<V>>) -> Child<V> {
        self.roll.runs(entry, handle.abort_handle());
        Child(Some(handle))
    }
}

impl<E> TaskGroup<E> {
    /// Asks all children that run to end; the group goes on, and takes others.
    ///
    /// ```
    /// let result = runtime::block_on(runtime::group::scope(async |group| {
    ///     group.spawn(std::future::pending::<Result<(), &str>>()); // it helps as long as it is needed
    ///     runtime::yield_now().await;
    ///     group.abort_all();
    ///     Ok("all is done")
    /// }));
    /// assert_eq!(result.unwrap(), "all is done");
    /// ```
    pub fn abort_all(&self) {
        self.roll.abort_all();
    }

    /// Does it take no children any more? It has failed, was asked to end, or is over.
    ///
    /// ```
    /// use runtime::group::{TaskGroup, scope};
    /// let group = runtime::block_on(scope(async |group: TaskGroup<()>| {
    ///     assert!(!group.is_closed());
    ///     Ok(group)
    /// }));
    /// assert!(group.unwrap().is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.roll.is_closed()
    }

    /// How many children there are that have not ended.
    ///
    /// ```
    /// runtime::block_on(runtime::group::scope(async |group| {
    ///     let child = group.spawn(async { Ok::<_, &str>(()) });
    ///     assert_eq!(group.len(), 1);
    ///     child.await.unwrap();
    ///     assert!(group.is_empty());
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    pub fn len(&self) -> usize {
        self.roll.len()
    }

    /// Are there no children that have not ended?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> Self {
        Self { roll: self.roll.clone() }
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.is_closed();
        f.debug_struct("TaskGroup").field("len", &self.len()).field("closed", &closed).finish_non_exhaustive()
    }
}
