//! First versions: what the reader builds before the real thing, and what the real thing is explained by.
//!
//! A stage stays for ever: it is compiled, tested, and shown in the book. It has no unsafe code, and no dependency but `std` and, from the
//! reactor on, `mio`; each of its files stands alone. What it must do is written once, in [`cases`], and the same cases judge the stage, the real
//! one in `runtime`, and a reader's own.
//!
//! | stage | what it becomes | judged by the cases of |
//! |---|---|---|
//! | [`s05_block_on`] | `runtime::worker`: park | chapter 5 |
//! | [`s06_executor`] | `runtime::worker`, with one thread | chapter 6 |
//! | [`s07_task_cell`] | `runtime::task` | chapter 7 |
//! | [`s08_join`] | `runtime::task::join` | chapter 8 |
//! | [`s09_timers`] | `runtime::time` | chapter 9 |
//! | [`s10_reactor`] | `runtime::reactor` | chapter 10 |
//! | [`s12_tcp`] | `netio::net` | chapter 12 |
//! | [`s13_join_select`] | `runtime::future` | chapter 13 |
//! | [`s14_channels`] | `runtime::sync`: oneshot, mpsc | chapter 14 |
//! | [`s15_permits`] | `runtime::sync`: semaphore, mutex, notify | chapter 15 |
//! | [`s18_shared_queue`] | `runtime::worker`, with one queue for all | chapter 18 |
//! | [`s19_stealing`] | `runtime::worker`, `runtime::queue` | chapter 19 |
//! | [`task_cell`] | `runtime::task`, as its model | [`cases::task_cell`] |

#![forbid(unsafe_code)]

pub mod cases;
pub mod s05_block_on;
pub mod s06_executor;
pub mod s07_task_cell;
pub mod s08_join;
pub mod s09_timers;
pub mod s10_reactor;
pub mod s12_tcp;
pub mod s13_join_select;
pub mod s14_channels;
pub mod s15_permits;
pub mod s18_shared_queue;
pub mod s19_stealing;
pub mod task_cell;
