//! A signal to stop, for as many tasks as hear it, and below it signals for some of them.
//!
//! ```text
//!   token ──strong──> node <──strong── token's clones, children's nodes
//!                      │ weak, in a slab
//!                      └──> child's node: takes its entry out when it goes
//! ```
//!
//! - A node that is cancelled has no children in its slab, and takes no more: one made below it is born cancelled.
//! - Every node below is marked before anybody is woken.
//! - Neither the walk down (`cancel`) nor the way up (a chain that is dropped) recurses, however deep the tree is.

#[cfg(all(test, runtime_loom))]
mod loom_models;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

use crate::{
    future::{Either, race},
    std_or_loom::{AtomicUsize, Mutex, Ordering},
    sync::Event,
};
use slab::Slab;
use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Weak},
};

/// A signal to stop that is given once, and heard by all who hold it. Clones are the same signal.
///
/// A [child](CancellationToken::child_token) is cancelled with its parent; never the other way round, and never with its siblings. Dropping
/// a token cancels nothing, and a dropped child leaves nothing behind in its parent. (A parent's node stays for as long as it has
/// children: a chain of ever more generations grows.) It runs on any executor.
///
/// ```
/// use runtime::{group::CancellationToken, spawn, time::sleep};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let shutdown = CancellationToken::new();
///     let workers: Vec<_> = (0..3)
///         .map(|_| {
///             let stop = shutdown.child_token();
///             spawn(async move {
///                 let work = sleep(Duration::from_secs(3600));
///                 stop.run_until_cancelled(work).await.is_none()
///             })
///         })
///         .collect();
///     shutdown.cancel();
///     for worker in workers {
///         assert!(worker.await.unwrap());
///     }
/// });
/// ```
#[derive(Clone)]
pub struct CancellationToken(Arc<Node>);

struct Node {
    /// Written under the lock of `children`.
    cancelled: AtomicUsize,
    children: Mutex<Slab<Weak<Node>>>,
    /// Set after the mark: for those who wait.
    stop: Event,
    /// And our place among its children, if it was not cancelled already.
    parent: Option<(Arc<Node>, usize)>,
}

impl Node {
    fn new(cancelled: bool, parent: Option<(Arc<Node>, usize)>) -> Self {
        let stop = Event::new();
        if cancelled {
            stop.set();
        }
        Self { cancelled: AtomicUsize::new(cancelled.into()), children: Mutex::new(Slab::new()), stop, parent }
    }

    fn is_cancelled(&self) -> bool {
        // Acquire: whoever stops sees why. Pairs with the store in `mark`.
        self.cancelled.load(Ordering::Acquire) != 0
    }

    /// Marks this node, and gives those below it. `None`: it is marked already.
    fn mark(&self) -> Option<Slab<Weak<Node>>> {
        let mut children = self.children.lock().unwrap();
        if self.is_cancelled() {
            return None;
        }
        self.cancelled.store(1, Ordering::Release);
        Some(std::mem::take(&mut *children))
    }

    /// Takes our entry out of the parent, which may be the last to hold that: it is given back.
    fn leave_parent(&mut self) -> Option<Arc<Node>> {
        let (parent, key) = self.parent.take()?;
        // It may have given its children away: then it has no others, and never will.
        let gone = parent.children.lock().unwrap().try_remove(key);
        // Perhaps the last reference to our memory: not under the lock.
        drop(gone);
        Some(parent)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut parent = self.leave_parent();
        while let Some(mut node) = parent.and_then(Arc::into_inner) {
            parent = node.leave_parent();
        }
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl CancellationToken {
    /// One that is not cancelled, below no other.
    ///
    /// ```
    /// assert!(!runtime::group::CancellationToken::new().is_cancelled());
    /// ```
    pub fn new() -> Self {
        Self(Arc::new(Node::new(false, None)))
    }

    /// One that is cancelled with this one, or by itself. Below a cancelled one it is cancelled from the start.
    ///
    /// ```
    /// use runtime::group::CancellationToken;
    /// let parent = CancellationToken::new();
    /// let (one, other) = (parent.child_token(), parent.child_token());
    /// one.cancel();
    /// assert!(!parent.is_cancelled() && !other.is_cancelled());
    /// parent.cancel();
    /// assert!(other.is_cancelled() && parent.child_token().is_cancelled());
    /// ```
    pub fn child_token(&self) -> CancellationToken {
        let mut children = self.0.children.lock().unwrap();
        if self.0.is_cancelled() {
            drop(children);
            return Self(Arc::new(Node::new(true, None)));
        }
        let entry = children.vacant_entry();
        let parent = Some((self.0.clone(), entry.key()));
        let child = Arc::new(Node::new(false, parent));
        entry.insert(Arc::downgrade(&child));
        Self(child)
    }

    /// Cancels this token and all below it, then wakes those who wait. Again: nothing. (If another thread is just cancelling this
    /// token, what is below it may be marked only when that thread is done.)
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// let token = runtime::group::CancellationToken::new();
    /// token.cancel();
    /// assert!(token.is_cancelled()); // for ever
    /// ```
    pub fn cancel(&self) {
        let Some(children) = self.0.mark() else { return };
        let mut below = Vec::new();
        let mut look_into = vec![children];
        while let Some(children) = look_into.pop() {
            for node in children.into_iter().filter_map(|(_, child)| child.upgrade()) {
                look_into.extend(node.mark());
                below.push(node);
            }
        }
        let mut panicked = None;
        for node in std::iter::once(&self.0).chain(&below) {
            panicked = panicked.or(catch_unwind(AssertUnwindSafe(|| node.stop.set())).err());
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }

    /// Is it cancelled?
    ///
    /// ```
    /// let token = runtime::group::CancellationToken::new();
    /// let same = token.clone();
    /// same.cancel();
    /// assert!(token.is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is cancelled; at once, if it is.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// ```
    /// use runtime::{future::join, group::CancellationToken};
    /// runtime::block_on(async {
    ///     let token = CancellationToken::new();
    ///     join(token.cancelled(), async { token.cancel() }).await;
    /// });
    /// ```
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + Sync + Unpin + '_ {
        self.0.stop.wait()
    }

    /// Cancels the token when it is dropped, unless it is [disarmed](DropGuard::disarm) before.
    ///
    /// ```
    /// let token = runtime::group::CancellationToken::new();
    /// drop(token.clone().drop_guard());
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }

    /// Runs `future` until the token is cancelled: then it is dropped, and the answer is `None`. If both come at once, the future
    /// has won; but on a cancelled token it is not polled at all.
    ///
    /// # Cancel safety
    /// As that of `future`, which is dropped with it.
    ///
    /// ```
    /// use runtime::group::CancellationToken;
    /// runtime::block_on(async {
    ///     let token = CancellationToken::new();
    ///     assert_eq!(token.run_until_cancelled(async { 5 }).await, Some(5));
    ///     token.cancel();
    ///     assert_eq!(token.run_until_cancelled(async { 5 }).await, None);
    /// });
    /// ```
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        match race(future, self.cancelled()).await {
            Either::Left(output) => Some(output),
            Either::Right(()) => None,
        }
    }

    #[cfg(test)]
    fn children(&self) -> usize {
        self.0.children.lock().unwrap().len()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// Cancels a token when it is dropped. From [`CancellationToken::drop_guard`].
///
/// ```
/// use runtime::group::{CancellationToken, DropGuard};
/// let token = CancellationToken::new();
/// let guard: DropGuard = token.clone().drop_guard();
/// drop(guard);
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "dropped at once, it cancels at once"]
pub struct DropGuard {
    /// There, until it is disarmed.
    token: Option<CancellationToken>,
}

impl DropGuard {
    /// Gives the token back, which is not cancelled.
    ///
    /// ```
    /// let guard = runtime::group::CancellationToken::new().drop_guard();
    /// assert!(!guard.disarm().is_cancelled());
    /// ```
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect("it is disarmed once")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}
