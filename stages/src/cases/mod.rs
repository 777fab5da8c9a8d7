//! What a piece of a runtime must do, whoever wrote it: each case is a function over a small trait.
//!
//! [`task_cell`] judges a task cell by itself. The others judge a whole [`Runtime`], a chapter at a time: those of the stages, the
//! one in `runtime`, tokio and smol, and a reader's own.

mod ch05_block_on;
mod ch06_executor;
mod ch08_join;
mod ch09_timers;
mod run;
mod runtime;
mod support;
pub mod task_cell;

pub use run::{Case, Outcome, all_pass, attempt, main, only_one_if_asked};
pub use runtime::{Ended, Handle, Missing, Runtime};

/// The cases of all chapters up to this one, in order. (Those of earlier chapters must go on passing.)
pub fn up_to<R: Runtime>(chapter: u8) -> Vec<Case> {
    let all =
        [ch05_block_on::cases::<R>(), ch06_executor::cases::<R>(), ch08_join::cases::<R>(), ch09_timers::cases::<R>()];
    all.into_iter().flatten().filter(|case| case.chapter <= chapter).collect()
}
