//! First versions: what the reader builds before the real thing, and what the real thing is explained by.
//!
//! A stage stays for ever: it is compiled, tested, and shown in the book. It has no unsafe code, and no dependency but `std` and, from the
//! reactor on, `mio`; each of its files stands alone. What it must do is written once, in [`cases`], and the same cases judge the stage, the real
//! one in `runtime`, and a reader's own.
//!
//! | stage | what it becomes | judged by |
//! |---|---|---|
//! | [`task_cell`] | `runtime::task` | [`cases::task_cell`] |

#![forbid(unsafe_code)]

pub mod cases;
pub mod s05_block_on;
pub mod s06_executor;
pub mod s08_join;
pub mod s09_timers;
pub mod task_cell;
