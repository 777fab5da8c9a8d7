//! Children that say when they are ready, before their starter goes on.

use super::{
    TaskGroup,
    child::Child,
    contained::Contained,
    failure::{Failure, StartError},
};
use crate::{
    sync::oneshot,
    task::{self, JoinError, Panic},
};
use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

/// A child tells its starter, with this, that it is up. From [`TaskGroup::start`].
///
/// To drop it says that the child will not come up.
///
/// ```
/// use runtime::group::{Started, TaskGroup, scope};
/// async fn serves(started: Started<u16>) -> Result<(), &'static str> {
///     started.send(8080); // it listens
///     Ok(())
/// }
/// runtime::block_on(scope(async |group: TaskGroup<&str>| {
///     assert_eq!(group.start(serves).await.unwrap(), 8080);
///     Ok(())
/// }))
/// .unwrap();
/// ```
#[must_use = "the starter waits for it"]
pub struct Started<V> {
    starter: oneshot::Sender<V>,
    said: Arc<AtomicBool>,
}

impl<V> Started<V> {
    /// The child is up. From now on, its failure is the group's.
    ///
    /// If nobody waits for it any more, the value is dropped (and the child is being aborted).
    pub fn send(self, value: V) {
        self.said.store(true, Ordering::Relaxed);
        drop(self.starter.send(value));
    }
}

impl<V> fmt::Debug for Started<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}

/// Waits until a child is up. From [`TaskGroup::start`].
///
/// ```
/// use runtime::group::{Start, Started, TaskGroup, scope};
/// runtime::block_on(scope(async |group: TaskGroup<&str>| {
///     let one: Start<u8, &str> = group.start(|started: Started<u8>| async { Ok(started.send(1)) });
///     let two = group.start(|started: Started<u8>| async { Ok(started.send(2)) });
///     assert_eq!(one.await.unwrap() + two.await.unwrap(), 3); // they came up side by side
///     Ok(())
/// }))
/// .unwrap();
/// ```
#[must_use = "dropping it aborts the child, unless that has started"]
pub struct Start<V, E> {
    started: oneshot::Receiver<V>,
    /// Its value is the failure that it had before it was up.
    child: Child<Option<Failure<E>>>,
    known: bool,
}

#[track_caller]
pub(super) fn start<V, E, F>(group: &TaskGroup<E>, child: impl FnOnce(Started<V>) -> F) -> Start<V, E>
where
    E: Send + 'static,
    V: Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
{
    let (starter, started) = oneshot::channel();
    let said = Arc::new(AtomicBool::new(false));
    let future = child(Started { starter, said: said.clone() });
    let future = Contained::new(future, group.roll.clone());
    let child = group.spawn_with(task::Builder::new(), async move {
        let mut future = pin!(future);
        let failure = match poll_fn(|context| future.as_mut().poll(context)).await {
            Ok(Ok(())) => return Ok(None),
            Ok(Err(error)) => Failure::Error(error),
            Err(payload) => Failure::Lost(JoinError::Panicked(Panic::new(payload))),
        };
        if said.load(Ordering::Relaxed) { Err(failure) } else { Ok(Some(failure)) }
    });
    Start { started, child, known: false }
}

/// Nothing in it is pinned.
impl<V, E> Unpin for Start<V, E> {}

impl<V, E> Future for Start<V, E> {
    type Output = Result<V, StartError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let found = match ready!(Pin::new(&mut self.started).poll(context)) {
            Ok(value) => Ok(value),
            // It is over, or will not come up: how it ends says why.
            Err(oneshot::Closed) => Err(match ready!(Pin::new(&mut self.child).poll(context)) {
                Ok(Some(failure)) => StartError::Failed(failure),
                Ok(None) => StartError::NotStarted,
                Err(_) => StartError::Cancelled,
            }),
        };
        self.known = true;
        Poll::Ready(found)
    }
}

impl<V, E> Drop for Start<V, E> {
    fn drop(&mut self) {
        if !self.known {
            self.child.abort();
        }
    }
}

impl<V, E> fmt::Debug for Start<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start").field("child", &self.child).finish_non_exhaustive()
    }
}
