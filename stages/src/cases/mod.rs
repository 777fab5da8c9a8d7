//! What a piece of a runtime must do, whoever wrote it: each case is a function over a small trait.
//!
//! [`task_cell`] judges a task cell by itself. The others judge a whole [`Runtime`], a chapter at a time: those of the stages, the
//! one in `runtime`, tokio and smol, and a reader's own.

mod ch05_block_on;
mod ch06_executor;
mod ch07_task_cell;
mod ch08_join;
mod ch09_timers;
mod ch10_reactor;
mod ch12_tcp;
mod ch13_select;
mod ch14_channels;
mod ch15_permits;
mod ch18_threads;
mod ch19_stealing;
mod run;
mod runtime;
mod support;
pub mod task_cell;

pub use run::{Case, Outcome, all_pass, attempt, main, only_one_if_asked};
pub use runtime::{Ended, Handle, Listener, Missing, Mutex, Notify, Receiver, Runtime, Semaphore, Sender, Stream};

/// The cases of all chapters up to this one, in order. (Those of earlier chapters must go on passing.)
pub fn up_to<R: Runtime>(chapter: u8) -> Vec<Case> {
    let all = [
        ch05_block_on::cases::<R>(),
        ch06_executor::cases::<R>(),
        ch07_task_cell::cases::<R>(),
        ch08_join::cases::<R>(),
        ch09_timers::cases::<R>(),
        ch10_reactor::cases::<R>(),
        ch12_tcp::cases::<R>(),
        ch13_select::cases::<R>(),
        ch14_channels::cases::<R>(),
        ch15_permits::cases::<R>(),
        ch18_threads::cases::<R>(),
        ch19_stealing::cases::<R>(),
    ];
    all.into_iter().flatten().filter(|case| case.chapter <= chapter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Runtime for Nothing {}

    /// A case is asked for by its name: of two with one name, the second would never run.
    #[test]
    fn no_two_cases_have_one_name() {
        let mut names: Vec<_> = up_to::<Nothing>(u8::MAX).iter().map(|case| case.name).collect();
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        assert_eq!(twice, [""; 0]);
    }
}
