//! The bug bank: mistakes that shipped in published runtimes and tutorials, each with a test that fails on it.
//!
//! A test here is named after the mistake. It judges ours, and then a small **broken twin** that makes the mistake: on the twin
//! it must fail, and with the words that say why ([`must_fail`]). A test that the twin passes proves nothing, and fails.
//!
//! Where a row is proved beside the code (a loom model, a test of something that is not public), it is named here and not
//! written again; `the_table_names_tests_that_exist` reads this table. Such a test was seen to fail on the mistaken version:
//! where there is no twin, the line to break is named.
//!
//! | row | mistake | proved by |
//! |---|---|---|
//! | T-a | polled after completion | `cell.rs` `keeping_the_future_when_it_is_ready` |
//! | T-b | no word for "completed" | `cell.rs` `having_no_word_for_completed` |
//! | T-c | the lock held while polling | `cell.rs` `holding_the_lock_while_polling` |
//! | T-d | a waker that points into the stack | `teaching.rs` `a_waker_that_points_into_the_stack` |
//! | T-e | a waker that is never needed | `teaching.rs` `an_executor_that_needs_no_waker` |
//! | T-f | a wake that blocks on a full queue | `teaching.rs` `a_wake_that_blocks_on_a_full_queue` |
//! | T-g | a bounded queue without "queued already" | `cell.rs` `queueing_every_wake` |
//! | T-h | last in, first out | `teaching.rs` `a_ready_queue_that_takes_the_last` |
//! | T-i | one waker for both directions | `readiness.rs` `one_waker_for_both_directions` |
//! | T-j | not drained before the wait | `readiness.rs` `one_read_for_an_event` |
//! | R1 | work pushed past one who goes to sleep | `src/worker/loom_models.rs` `a_push_is_seen_by_the_sleeper_or_the_sleeper_by_the_push` `a_look_for_sleepers_without_a_fence`, `scheduling.rs` `nobody_sleeps_on_work` |
//! | R2 | the last one who searches goes to sleep | `src/worker/loom_models.rs` `the_last_searcher_sends_another` (break: `end_search` says `false`), `scheduling.rs` `nobody_sleeps_on_work` |
//! | R3 | a wake that only looks | `src/task/loom_models.rs` `a_wake_of_a_scheduled_task_is_a_wake` `a_wake_that_only_looks` |
//! | R4 | the executor touched after the push | `task.rs` `touching_the_executor_after_the_push` `wakes_race_with_the_end_of_the_runtime` |
//! | R5 | the schedule function freed while it runs | `src/task/tests.rs` `a_scheduler_outlives_the_push_of_its_last_task` (sanitizer; break: `waker_wake` gives its reference up before it wakes) |
//! | R6 | the future dropped where `abort` is called | `cell.rs` `dropping_the_future_where_abort_is_called`, `task.rs` `an_abort_from_outside_drops_nothing_there` |
//! | R7 | the abort forgotten with the handle | `cell.rs` `forgetting_the_abort_with_the_handle`, `task.rs` `every_combination_drops_everything_once` |
//! | R8 | the panic of an output's drop | `cell.rs` `letting_the_drop_of_an_output_unwind`, `task.rs` `every_combination_drops_everything_once` |
//! | R9 | the join waker kept | `cell.rs` `keeping_the_join_waker` |
//! | R10 | the waker of one who left | `../oneshot.rs` `an_end_that_goes_takes_its_waker_with_it` (break: the receiver's drop leaves the waker), `../sync/event.rs` `keeps_no_waker` `the_broken_twin_fails` `it_keeps_no_waker`, `../sync/notify.rs` `it_keeps_no_waker`, `../sync/condvar.rs` `it_keeps_no_waker`, `../sync/barrier.rs` `it_keeps_no_waker`, `../sync/mpsc.rs` `an_end_that_goes_takes_its_wakers_with_it` (break: `Receiver::drop` leaves the waker), `../sync/queue.rs` `a_wait_that_is_given_up_takes_its_waker_with_it` |
//! | R11 | foreign wakers under a lock | `cell.rs` `waking_under_the_lock`, `task.rs` `calling_foreign_wakers_under_a_lock`, `../sync/semaphore.rs` `wakers_may_call_back_into_the_semaphore`, `../sync/mutex.rs` `wakers_may_call_back_into_the_mutex`, `../sync/rwlock.rs` `wakers_may_call_back_into_the_lock`, `../sync/once_cell.rs` `wakers_may_call_back_into_the_cell`, `../sync/event.rs` `wakers_leave_the_lock_before_they_are_used`, `../sync/notify.rs` `wakers_leave_the_lock_before_they_are_used`, `../sync/condvar.rs` `wakers_leave_the_lock_before_they_are_used`, `../sync/barrier.rs` `wakers_leave_the_lock_before_they_are_used`, `../sync/watch.rs` `wakers_leave_the_lock_before_they_are_used` `no_code_of_the_values_runs_under_the_lock`, `../sync/broadcast.rs` `wakers_leave_the_lock_before_they_are_used` `no_code_of_the_messages_runs_under_the_lock`, `../sync/mpsc.rs` `wakers_may_use_the_channel` (break: `try_send` wakes before the lock is given back), `../sync/queue.rs` `wakers_may_use_the_queue` (break: `Progress::done` wakes under its lock) |
//! | R12 | a release that wakes from a list of its own | `src/sync/semaphore/loom_models.rs` `a_waiter_that_gives_up_passes_its_permit_on` `batch_acquire_and_release_with_cancellation` |
//! | R13 | a waiter that goes and tells nobody | `../sync/semaphore.rs` `the_first_in_line_goes_and_the_next_is_told`, `src/sync/semaphore/loom_models.rs` `a_waiter_that_gives_up_passes_its_permit_on` |
//! | R14 | the budget asked before the place is taken | `../sync/semaphore.rs` `a_budget_that_is_spent_costs_nobody_its_place` `one_without_a_budget_has_its_permit_before_it_says_so`, `../sync/mutex.rs` `a_budget_that_is_spent_costs_nobody_its_place`, `../sync/rwlock.rs` `a_budget_that_is_spent_costs_nobody_its_place`, `../sync/event.rs` `it_stands_in_line_without_a_budget` `the_broken_twin_fails`, `../sync/notify.rs` `it_stands_in_line_without_a_budget`, `../sync/condvar.rs` `it_stands_in_line_without_a_budget`, `../sync/mpsc.rs` `a_spent_budget_does_not_cost_the_place_in_line` (break: `Ticket::take_place` does nothing), `../sync/queue.rs` `a_spent_budget_does_not_cost_the_place_in_line` |
//! | R15 | a slot that comes back to a closed channel tells nobody | `src/sync/mpsc/loom_models.rs` `a_reservation_that_goes_ends_the_wait_of_a_closed_receiver`, `../sync/mpsc.rs` `whoever_gives_the_last_slot_back_tells_the_receiver_of_a_closed_channel` (break: `State::give_back` only gives the slot) |
//! | R16 | closed while slots have owners; lengths; `recv_many` at the end | `../sync/mpsc/model.rs` `the_channel_does_what_a_queue_and_a_line_do` (break: `no_more_come` does not count owners), `../sync/mpsc.rs` `recv_many_takes_what_is_there_and_no_more_than_it_may`, `../sync/queue/model.rs` `a_queue_does_what_its_model_does` |
//! | R17 | a close and a send at once | `src/sync/oneshot/loom_models.rs` `a_value_sent_to_a_closing_receiver_comes_to_one_of_the_two` |
//! | R19 | a truncated tick | `src/reactor/source.rs` `a_stale_clear_erases_nothing` (break: the tick as a `u8`) |
//! | R20 | one tick for both directions | `src/reactor/source.rs` `directions_do_not_disturb_each_other` (break: every event counts for both) |
//! | R21 | a clear that reopens | `src/reactor/source.rs` `a_closed_source_fails_and_stays_so` (break: `blocked` sets `closed` to false), `readiness.rs` `a_source_of_a_runtime_that_ended_fails_and_never_waits` |
//! | R22 | an event between the attempt and the wait | `readiness.rs` `an_event_between_the_attempt_and_the_wait` |
//! | R23 | a wait that the end never tells | `src/reactor/loom_models.rs` `nobody_waits_in_a_reactor_that_was_closed` |
//! | R24 | a source freed too early | `readiness.rs` `sources_come_and_go_on_two_threads` (sanitizer) |
//! | R25 | a stale token | `readiness.rs` `a_token_that_names_only_a_place` |
//! | R26 | a deadline announced too late | `src/time/loom_models.rs` `an_earlier_timer_is_not_slept_past` |
//! | R27 | a nearer deadline interrupts nothing | `timers.rs` `a_nearer_deadline_that_interrupts_nothing` |
//! | R28 | a timer dropped in the tick of its arming | `src/time/timers.rs` `the_wheel_does_what_a_sorted_map_does` (break: `unlink` leaves the bit of an empty slot), `timers.rs` `a_sleep_that_was_cancelled_leaves_no_timer` |
//! | R29 | the top level wraps | `src/time/timers.rs` `the_wheel_does_what_a_sorted_map_does` (break: one level fewer) |
//! | R30 | the end fires timers that arm others | `timers.rs` `timers_that_are_armed_while_the_end_fires_them` |
//! | R31 | zero, huge and overflowing waits | `timers.rs` `a_deadline_beyond_the_end_of_time`, `../time.rs` `zero_and_endless_durations_behave` |
//! | R32 | a pair that starves the rest | `scheduling.rs` `a_next_task_slot_without_a_limit` |
//! | R33 | a next task that cannot be stolen | `scheduling.rs` `a_next_task_slot_that_nobody_can_steal` |
//! | R34 | a driver stuck with its worker | `scheduling.rs` `a_driver_that_is_stuck_with_its_worker` |
//! | R35 | a yield before the driver's turn | `scheduling.rs` `a_driver_that_waits_until_all_is_idle` |
//! | R36 | a set that polls as long as anybody wakes | `../futures/fairness.rs` `children_that_wake_themselves_do_not_keep_the_task` |
//! | R37 | a wake between the push and the first poll | `../futures/unordered.rs` `what_happens_between_a_push_and_the_first_poll_is_not_lost` `a_push_from_the_side_is_heard_by_who_waits`, `src/future/loom_models.rs` `a_child_that_wakes_is_found_or_announced` |
//! | R39 | each poll starts with the first branch | `../futures/fairness.rs` `a_first_branch_that_spends_the_budget_starves_nobody` `a_join_that_starts_with_the_first_branch_in_each_poll_starves_the_others` |
//! | R40 | a pool that counts a thread that leaves, or one that cannot start | `src/blocking/loom_models.rs` `a_job_for_a_thread_that_is_about_to_leave_is_run`, `src/blocking/tests.rs` `a_job_for_which_no_thread_can_be_started_is_cancelled` |
//! | R42 | "nobody listens", read too early | `src/sync/notify/loom_models.rs` `a_fast_path_with_fences` `a_fast_path_without_a_fence` `a_notification_is_given_or_kept` `notify_waiters_reaches_whoever_looked_too_early`, `src/sync/event/loom_models.rs` `a_set_beside_a_clear_announces` `a_set_that_only_looks`, `src/sync/semaphore/loom_models.rs` `a_release_is_seen_by_one_who_lines_up_or_sees_it` (break: `add` looks for `LINE` and then adds) |
//! | R43 | two words that say who sleeps | `src/worker/loom_models.rs` `the_last_searcher_sends_another` (one lock guards both) |
//! | R44 | a count that orders nothing | `src/task/loom_models.rs` `letting_go_orders_the_end` `letting_go_that_orders_nothing` |
//! | R45 | an item that two took | `src/queue/loom_models.rs` `two_thieves_take_different_items` (break: `claim` without its comparison), `src/queue/ring.rs` `every_item_comes_out_once` |
//! | R46 | positions that come round | `src/queue/ring.rs` `first_in_first_out_across_the_end_of_the_positions` |
//! | R47 | `Send` and `Sync` by mistake | `task.rs` `handles_that_let_through_what_must_not_pass`, `../sync/broadcast.rs` `a_message_that_must_not_be_cloned_by_two_threads_at_once_stays_on_its_thread`, `../sync/mutex.rs` `a_guard_is_sent_and_shared_as_its_value_is`, `../sync/rwlock.rs` `a_guard_is_sent_and_shared_as_its_value_is`, `../sync/once_cell.rs` `a_cell_is_sent_and_shared_as_its_value_is`, `../sync/semaphore.rs` `a_permit_may_go_to_another_thread`, `../sync/mpsc.rs` `ends_let_through_what_may_pass`, `../sync/queue.rs` `handles_let_through_what_may_pass` |
//! | R48 | a virtual clock outruns the outside | `timers.rs` `a_virtual_clock_that_outruns_the_outside` |
//! | R49 | a turn handed to a future that nobody polls | `../sync/mutex.rs` `a_lock_that_was_granted_waits_for_its_owner_to_be_polled`, `../debug/locks.rs` `a_lock_handed_to_a_future_that_nobody_polls_is_told` `a_lock_that_is_just_being_handed_over_is_not_told` |
//! | R50 | a dump that polls under the lock | `../debug/dump.rs` `a_dump_that_polls_under_the_lock` `a_dump_while_tasks_come_and_go` |
//! | R51 | a runtime in a `thread_local` | `task.rs` `a_runtime_in_a_thread_local` |
//! | R52 | woken in the wrong order | `task.rs` `waking_the_last_one_first`, `../sync/event.rs` `setting_it_wakes_all_in_the_order_in_which_they_came` `the_broken_twin_fails`, `../sync/notify.rs` `notifications_go_to_those_who_wait_longest`, `../sync/condvar.rs` `notifications_go_to_those_who_wait_longest`, `../sync/barrier.rs` `all_are_woken_in_the_order_in_which_they_came` |
//!
//! Not ours to make: R41 (`block_in_place` with `block_on` inside: neither is here; a worker that must block gives the work to
//! `spawn_blocking`); R18 (a list of blocks whose index wraps: our channel is a `VecDeque`, whose positions stay below its
//! capacity); R38 (`shared`: there is none; where many want one output, the cache hands the duty to load from one to the next,
//! see `../cache.rs`).

mod cell;
mod readiness;
mod scheduling;
mod task;
mod teaching;
mod timers;

use runtime::Runtime;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

/// How many workers the runtimes of these tests have.
const WORKERS: [usize; 2] = [1, 2];

fn with_workers(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().unwrap()
}

/// The runtimes that a test is run on.
fn runtimes() -> Vec<Runtime> {
    WORKERS.into_iter().map(with_workers).collect()
}

/// Those of them that have several workers: for what cannot be asked of one.
fn runtimes_with_several_workers() -> Vec<Runtime> {
    WORKERS.into_iter().filter(|workers| *workers > 1).map(with_workers).collect()
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that runs tasks, for tests of the order in which it does.
trait Executor {
    /// Runs `tasks` until `done`, or for a bounded number of steps. What is left then is dropped.
    fn run(&self, tasks: Vec<Boxed>, done: &dyn Fn() -> bool);
}

struct Ours(Runtime);

impl Executor for Ours {
    fn run(&self, tasks: Vec<Boxed>, done: &dyn Fn() -> bool) {
        self.0.block_on(async {
            tasks.into_iter().for_each(|task| drop(runtime::spawn(task)));
            turn_until(done).await;
        });
    }
}

/// Gives way until `done`, but not for ever. And sometimes waits: a worker that always has something to run is never idle, and
/// only one who is looks after a neighbour that is stuck.
async fn turn_until(done: impl Fn() -> bool) {
    for turn in 1..=if cfg!(miri) { 2_000 } else { 1_000_000 } {
        if done() {
            break;
        }
        match turn % 1_000 {
            0 => runtime::time::sleep(Duration::from_millis(1)).await,
            _ => runtime::yield_now().await,
        }
    }
}

/// `future`, and a note of its end.
fn noted(future: impl Future<Output = ()> + Send + 'static, done: &Arc<AtomicBool>) -> Boxed {
    let done = done.clone();
    Box::pin(async move {
        future.await;
        done.store(true, Ordering::Release);
    })
}

/// Runs a test on a broken twin: it must fail, and with these words, lest it fail for another reason.
#[track_caller]
fn must_fail(words: &str, test: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(test)) else {
        panic!("the broken twin passes: the test proves nothing");
    };
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a payload that is no text");
    assert!(said.contains(words), "the broken twin was to fail with `{words}`, and fails with `{said}`");
}

/// Runs `test` on a thread of its own. One that hangs fails.
#[track_caller]
fn within<T: Send + 'static>(patience: Duration, test: impl FnOnce() -> T + Send + 'static) -> T {
    let (give, take) = mpsc::channel();
    let thread = std::thread::spawn(move || give.send(test()));
    match take.recv_timeout(patience) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(thread.join().unwrap_err()),
    }
}

/// Each test that the table at the top names is where it says.
#[test]
fn the_table_names_tests_that_exist() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bug_bank");
    let mut named = 0;
    for row in include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let (number, proofs) = (row.split(' ').next().unwrap(), row.rsplit('|').nth(1).unwrap());
        // What stands in brackets is no name.
        let proofs: String = proofs.split('(').map(|part| part.rsplit(')').next().unwrap()).collect();
        let mut source = String::new();
        for word in proofs.split('`').skip(1).step_by(2) {
            if word.ends_with(".rs") {
                let file = if word.starts_with("src/") { here.join("../..").join(word) } else { here.join(word) };
                source = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{number}: {word}: {error}"));
            } else {
                assert!(source.contains(&format!("fn {word}")), "{number}: no test is named {word}");
                named += 1;
            }
        }
    }
    assert!(named > 0, "the table was not found");
}
