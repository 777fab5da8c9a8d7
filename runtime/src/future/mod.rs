//! Several futures in one task: all of them, the first of them, each as it comes.
//!
//! | to wait for | a few, of any types | many of one type |
//! |---|---|---|
//! | all | [`join!`](crate::join), [`join`] | [`join_all`] |
//! | all, or the first error | [`try_join!`](crate::try_join), [`try_join`] | [`try_join_all`] |
//! | the first; the others are dropped | [`select!`](crate::select), [`race`] | [`race_all`] |
//! | the first; the others are kept | [`select`] | [`FuturesUnordered`] |
//! | each as it comes | | [`as_completed`], [`FuturesUnordered`] |
//!
//! They run on any executor: nothing here knows the runtime. All of it happens in one task, so the futures run by turns and not
//! in parallel; for that, spawn them, and wait here for their handles.
//!
//! - **Only the child that woke is polled.** Each child has a waker of its own, which notes who it was before it wakes the
//!   task. A thousand sleeps cost a thousand polls, not a million. (What holds only a few children does without for its first
//!   two polls, for most are over by then: no child waker is made, and nothing is allocated.)
//! - **Nobody starves.** A poll of a set ends after as many polls of children as it has children, however often these wake
//!   themselves. When a child has spent the task's budget, the poll ends there, and the next one goes on with
//!   the child behind it.
//! - **What is done is dropped at once,** not when the others are done too.
//!
//!
//! ```
//! use runtime::{future::{Either, join, join_all, race}, time::sleep};
//! use std::time::Duration;
//! let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
//! runtime.block_on(async {
//!     let after = |seconds| async move {
//!         sleep(Duration::from_secs(seconds)).await;
//!         seconds
//!     };
//!     assert_eq!(join(after(2), after(1)).await, (2, 1));
//!     assert_eq!(join_all([3, 1, 2].map(after)).await, [3, 1, 2]);
//!     assert_eq!(race(after(2), after(1)).await, Either::Right(1));
//! });
//! ```

// `race` is written with it.
#[macro_use]
mod select;

mod child_wakers;
mod children;
mod few;
mod join;
mod join_all;
mod race;
mod try_join;
mod unordered;

#[cfg(all(test, runtime_loom))]
mod loom_models;

pub use join::join;
pub use join_all::{JoinAll, TryJoinAll, join_all, try_join_all};
pub use race::{Either, RaceAll, race, race_all, select};
pub use try_join::try_join;
pub use unordered::{FuturesUnordered, as_completed};

/// What the macros are made of. Not for others.
#[doc(hidden)]
pub mod support {
    pub use super::{few::Few, join::MaybeDone};
}
