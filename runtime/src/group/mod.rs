//! Structured concurrency: tasks that end with their group, and two ways of ending one.
//!
//! | to | use |
//! |---|---|
//! | end a task now: its future is dropped where it stands | [`JoinHandle::abort`](crate::JoinHandle::abort) |
//! | ask a task to end, and wait until it has | [`JoinHandle::cancel`](crate::JoinHandle::cancel) |
//! | the same, but not for ever | [`JoinHandle::cancel_within`](crate::JoinHandle::cancel_within) |
//! | wait for a task, and end it when it takes too long | [`JoinHandle::timeout`](crate::JoinHandle::timeout) |
//! | clean up when a task is asked to end | [`CancelExt::on_cancel`] |
//! | hear that it is asked, and go on | [`cancelled`] |
//! | acquire, use, and release whatever happens | [`with`], [`CancelExt::finally`] |
//! | release many things, the last one first | [`ExitStack`] |
//! | stop a part of a task, at a moment that can be moved | [`CancelScope`] |
//! | tell many tasks to stop, or some of them | [`CancellationToken`] |
//! | end all tasks when one fails, and wait for them | [`scope`], [`TaskGroup`] |
//! | take outputs as they come | [`JoinSet`], [`as_completed`] |
//! | wait for some tasks, and keep the rest | [`wait`] |
//! | all outputs, in the order of the tasks | [`gather`], [`try_gather`] |
//! | a dropped wait that ends nothing, or its task | [`shield`], [`AbortOnDropHandle`] |
//!
//! Rust ends a future by dropping it: what it owns is dropped too, and nothing can be awaited. So there are two verbs. **Abort**
//! is the drop. **Cancel** is a request: a task that has a handler for it does what it has to do first, awaits included; one that
//! has none is aborted.
//!
//! - `cancel` gives its result when the task has really ended, clean-up and all.
//! - Handlers act from the innermost outward, as an exception would go. A clean-up is not interrupted by a second request, but
//!   by an abort; and the end of `block_on` aborts.
//! - Dropping a future that has a handler (by [`race`](crate::future::race), by [`time::timeout`](crate::time::timeout)) is no request: it
//!   is dropped. A [`CancelScope`] asks before it drops.
//!
//! ```
//! use runtime::{group::CancelExt, time::{Instant, sleep}};
//! use std::time::Duration;
//!
//! let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
//! runtime.block_on(async {
//!     let (start, second) = (Instant::now(), Duration::from_secs(1));
//!     let mut task = runtime::spawn(sleep(60 * second).on_cancel(async move {
//!         sleep(second).await; // says goodbye to its peer
//!     }));
//!     sleep(second).await;
//!     let ended = task.cancel().await;
//!     assert!(ended.unwrap_err().is_cancelled());
//!     assert_eq!(start.elapsed(), 2 * second);
//! });
//! ```

mod arrivals;
mod as_completed;
mod cancel;
mod cancelled;
mod exit_stack;
mod finally;
mod gather;
mod join_set;
mod on_cancel;
mod scope;
mod shield;
mod task_group;
mod token;
mod wait;

pub use as_completed::{AsCompleted, as_completed};
pub use cancel::Cancelling;
pub use cancelled::{Cancelled, cancelled};
pub use exit_stack::{ExitErrors, ExitStack};
pub use finally::{Ended, Finally, with};
pub use gather::{Gather, TryGather, gather, try_gather};
pub use join_set::JoinSet;
pub use on_cancel::{CancelExt, OnCancel};
pub use scope::{CancelScope, Run, ScopeCancelled, fail_after, move_on_after};
pub use shield::{AbortOnDropHandle, Shield, shield};
pub use task_group::{Child, Failure, GroupError, GroupScope, Start, StartError, Started, TaskGroup, scope};
pub use token::{CancellationToken, DropGuard};
pub use wait::{ReturnWhen, wait};
