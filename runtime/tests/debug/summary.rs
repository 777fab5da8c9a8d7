//! What has run.

use super::*;
use runtime::{Handle, TaskId, debug::Outcome, future::join_all, time::sleep};
use std::collections::HashSet;

const SECOND: Duration = Duration::from_secs(1);

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

#[test]
fn the_times_of_a_task_are_busy_and_scheduled_by_the_machine_and_idle_by_its_clock() {
    let limit = Duration::from_millis(2);
    debugged().block_on(async {
        let works = named("works").spawn(async move {
            hold(limit);
            sleep(3 * SECOND).await;
            hold(2 * limit);
            yield_now().await;
        });
        // It waits for its turn meanwhile.
        hold(limit);
        works.await.unwrap();
        let summary = Handle::current().summary();
        let work = summary.ended()[0].work;
        assert_eq!(work.polls, 3);
        assert_eq!(work.idle, 3 * SECOND);
        assert!(work.busy >= 3 * limit && work.longest_poll >= 2 * limit && work.longest_poll < work.busy, "{work:?}");
        assert!(work.scheduled >= limit && work.scheduled < 3 * SECOND, "{work:?}");
        assert_eq!(summary.ended()[0].lived, 3 * SECOND);
    });
}

#[test]
fn each_ending_has_its_word() {
    debugged().block_on(async {
        let fails = runtime::debug::fallible(async { Err::<(), _>("no route") });
        let works = runtime::debug::fallible(async { Ok::<_, String>(5) });
        assert!(named("fails").spawn(fails).await.unwrap().is_err());
        assert_eq!(named("works").spawn(works).await.unwrap(), Ok(5));
        let panics = named("panics").spawn(async { std::panic::resume_unwind(Box::new("on purpose")) });
        assert!(panics.await.is_err_and(|error: runtime::JoinError| error.is_panic()));
        let stopped = named("stopped").spawn(std::future::pending::<()>());
        yield_now().await;
        stopped.abort();
        stopped.await.unwrap_err();
        let never = named("never").spawn(async {});
        never.abort();
        never.await.unwrap_err();
        let lives = named("lives").spawn(sleep(SECOND));
        let summary = Handle::current().summary();
        let endings: Vec<_> = summary
            .ended()
            .iter()
            .map(|ended| format!("{}: {}", ended.name.as_deref().unwrap_or_default(), ended.outcome))
            .collect();
        assert_eq!(
            endings,
            [
                "fails: failed - no route",
                "works: completed",
                "panics: panicked - on purpose",
                "stopped: cancelled",
                "never: cancelled"
            ]
        );
        assert_eq!(summary.counts().to_string(), "Total 6, Running 1, Completed 1, Failed 2, Cancelled 2");
        lives.await.unwrap();
    });
}

/// The record is written before the handle can see the end: no second task, and no wait, is needed for a right summary.
#[test]
fn whoever_joined_a_task_finds_it_in_the_summary() {
    for workers in [1, 2, 4] {
        let runtime = Runtime::builder().workers(workers).debug(true).build().unwrap();
        runtime.block_on(async {
            for round in 1..200 {
                let task = spawn(async {});
                let id = task.id();
                task.await.unwrap();
                let summary = Handle::current().summary();
                assert!(summary.ended().iter().any(|ended| ended.id == id && ended.outcome == Outcome::Completed));
                assert_eq!((summary.counts().completed, summary.counts().running), (round, 0));
            }
        });
    }
}

/// Many short tasks: each has a number of its own (Python's `id()` of a dead task is given to the next), and what is kept of
/// them does not grow.
#[test]
fn short_tasks_by_the_thousand_leave_a_bounded_registry() {
    const TASKS: usize = if cfg!(miri) { 1_000 } else { 100_000 };
    debugged().block_on(async {
        let mut ids: HashSet<TaskId> = HashSet::new();
        for first in (0..TASKS).step_by(500) {
            let tasks: Vec<_> = (first..first + 500)
                // A name each, which is what a program may well do.
                .map(|number| named(&format!("task {number}")).spawn(async {}))
                .collect();
            ids.extend(tasks.iter().map(|task| task.id()));
            join_all(tasks).await;
        }
        assert_eq!(ids.len(), TASKS);
        let summary = Handle::current().summary();
        assert_eq!(summary.counts().completed, TASKS as u64);
        assert!(summary.groups().len() <= 1002, "{}", summary.groups().len());
        assert!(summary.ended().len() <= 256);
        // No task is lost from the sums.
        assert_eq!(summary.groups().iter().map(|group| group.tasks).sum::<u64>(), TASKS as u64 + 1);
        assert_eq!(Handle::current().tasks().tasks().len(), 1, "the main future alone lives");
    });
}

#[test]
fn the_table_has_the_busiest_first() {
    let runtime = Runtime::builder().profile(true).debug(false).build().unwrap();
    runtime.block_on(async {
        let work = |name: &str, length| {
            named(name).spawn(async move {
                for _ in 0..3 {
                    hold(Duration::from_millis(length));
                    yield_now().await;
                }
            })
        };
        join_all([work("cool", 0), work("hot", 4), work("warm", 1), work("hot", 4)]).await;
    });
    let summary = runtime.handle().summary();
    let groups: Vec<_> = summary.groups().iter().map(|group| (group.label.as_str(), group.tasks)).collect();
    assert_eq!(groups[..2], [("hot", 2), ("warm", 1)]);
    assert!(groups.contains(&("cool", 1)) && groups.contains(&("main", 1)));
    let table = summary.to_string();
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(
        rows[0].split_whitespace().collect::<Vec<_>>().join(" "),
        "task tasks polls busy ms scheduled ms idle ms longest ms"
    );
    assert!(rows[1].starts_with("hot ") && rows[2].starts_with("warm "), "{table}");
    let columns: Vec<_> = rows[1].split_whitespace().collect();
    assert_eq!(columns[1..3], ["2", "8"], "{table}");
    assert!(rows.iter().all(|row| row.chars().count() == rows[0].chars().count()), "{table}");
}
