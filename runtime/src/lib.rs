//! An async runtime made to be read.
//!
//! Five sentences explain it:
//!
//! 1. A **task** is one heap cell: a state word, a future or its output, and a waker that points back at the cell ([`task`]).
//! 2. A **worker** is one thread with one run queue, one reactor and one timer wheel; the thread that calls
//!    [`block_on`](Runtime::block_on) is the first, so a runtime with one thread is simply one with one worker.
//! 3. To **wake** a task is to push its cell on a run queue once; to **poll** it is to pop it, run it, and leave it alone.
//! 4. A worker with nothing to run steals; with nothing to steal it parks, and **to park is to wait in its own reactor** until
//!    the next deadline, a readiness event, or another worker's nudge.
//! 5. A source registers with the reactor of the worker on which it **first has to wait** ([`AsyncFd`]).
//!
//! ```
//! use std::time::Duration;
//! use runtime::time::sleep;
//!
//! let words = runtime::block_on(async {
//!     let slow = runtime::spawn(async {
//!         sleep(Duration::from_millis(2)).await;
//!         "world"
//!     });
//!     let quick = runtime::spawn(async { "hello" });
//!     format!("{} {}", quick.await.unwrap(), slow.await.unwrap())
//! });
//! assert_eq!(words, "hello world");
//! ```
//!
//! The rooms, ground floor first; each uses only those before it: `budget`, `awaits`, [`random`], [`trace`], [`task`], `queue`,
//! [`time`], `network`, `reactor`, `blocking`, [`debug`], `worker`, `runtime`, then [`process`], [`signal`], [`world`], [`io`],
//! [`fs`], [`group`] and [`cache`]; and beside them [`sync`], [`future`] and [`stream`], which know nothing of the runtime.

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!(
    "the runtime runs on Linux and macOS: it needs epoll or kqueue, and to be told when a child process ends"
);

mod awaits;
mod blocking;
mod budget;
pub mod cache;
mod current;
pub mod debug;
pub mod fs;
pub mod future;
pub mod group;
pub mod io;
mod network;
pub mod process;
mod queue;
pub mod random;
mod reactor;
mod runtime;
pub mod signal;
mod std_or_loom;
pub mod stream;
pub mod sync;
pub mod task;
pub mod time;
pub mod trace;
mod worker;
pub mod world;

pub use blocking::BlockingStats;
pub use reactor::{AsyncFd, Backend};
pub use runtime::{Builder, Handle, LeftTask, Runtime, ShutdownReport, block_on, spawn, spawn_blocking, spawn_local};
pub use task::{AbortHandle, JoinError, JoinHandle, TaskId, TaskState, yield_now};
