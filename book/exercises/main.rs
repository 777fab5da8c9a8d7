//! The exercises: starter and solution side by side in one file, and one check that judges both.
//!
//! A chapter shows both, cut from here. The tests show that each starter fails in the way its TODO says and that each solution
//! passes. A third test is the reader's, and is left out until it is asked for. A reader edits the starter where it stands, and runs the test that the chapter names:
//!
//! ```console
//! cargo test --test exercises ch02_two_waits -- --ignored
//! ```

mod ch00_idle;
mod ch01_all_at_once;
mod ch02_two_waits;
mod ch03_join2;
mod ch04_newest;
mod ch05_loom;
mod ch06_fair_queue;
mod ch07_no_arrow;
mod ch08_drop_cancels;
mod ch09_cancel;
mod ch10_tick;
mod ch11_simulated;
mod ch12_both_ways;
mod ch13_who_woke;
mod ch14_close;
mod ch15_pass_on;
mod ch16_every_poll;
mod ch16_first_answer;
mod ch16_in_flight;
mod ch17_bounded;
mod ch18_send;
mod ch19_asleep;
mod ch19_clock;
mod ch20_five;
mod ch21_slow_client;
mod ch22_retry;
mod ch29_place;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The three tests of an exercise. `judge! { check(NAME, …), the starter fails with "TEXT" }` stands at the end of its file; the
/// names are items that `mod starter` and `mod solution` both have, and `check` takes.
macro_rules! judge {
    ($check:ident($($item:ident),+ $(,)?), the starter fails with $todo:literal $(,)?) => {
        #[test]
        fn the_starter_fails_as_its_todo_says() {
            crate::must_fail(|| $check($(starter::$item),+), $todo);
        }

        #[test]
        fn the_solution_passes() {
            $check($(solution::$item),+);
        }

        #[test]
        #[ignore = "yours to make pass: edit the starter, then run this with --ignored"]
        fn your_attempt() {
            $check($(starter::$item),+);
        }
    };
}
pub(crate) use judge;

/// Runs what must panic, and compares what it says. A reader who has solved the exercise shall not see the tests fail for it: only
/// in CI, where the book is made, must the starter be unsolved.
fn must_fail(attempt: impl FnOnce(), todo: &str) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(attempt)) else {
        assert!(std::env::var_os("CI").is_none(), "the starter passes its check: the book wants it unsolved");
        return println!("the starter passes its check: well done");
    };
    let said = message(&*panic);
    assert!(said.contains(todo), "the starter was to fail with `{todo}`, and fails with `{said}`");
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<String>() {
        Some(said) => said,
        None => panic.downcast_ref::<&str>().copied().unwrap_or("(a panic without words)"),
    }
}
