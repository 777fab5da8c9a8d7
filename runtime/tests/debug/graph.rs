//! Who waits for whom.

use super::*;
use runtime::{
    Handle, JoinHandle, TaskId,
    debug::Cycle,
    future::join_all,
    sync::oneshot,
    time::{sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);

fn cycles() -> Vec<Cycle> {
    Handle::current().tasks().find_cycles()
}

/// So many tasks in a circle, each of which awaits the next; the last one gives up after `patience`. Gives their numbers, the
/// last one's first.
async fn circle(length: usize, patience: Option<Duration>) -> Vec<TaskId> {
    let (give, take) = oneshot::channel::<JoinHandle<()>>();
    let mut next = spawn(async move {
        let first = take.await.unwrap();
        match patience {
            None => first.await.unwrap(),
            Some(patience) => drop(timeout(patience, first).await),
        }
    });
    let mut ids = vec![next.id()];
    for _ in 1..length {
        next = spawn(async { next.await.unwrap() });
        ids.push(next.id());
    }
    give.send(next).unwrap();
    yield_now().await;
    ids
}

#[test]
fn tasks_that_await_each_other_are_a_deadlock() {
    for length in 1..5 {
        debugged().block_on(async {
            let ids = circle(length, None).await;
            let found = cycles();
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].is_deadlock());
            let mut members = found[0].tasks().to_vec();
            members.sort();
            assert_eq!(members, ids);
            let text = found[0].to_string();
            assert!(text.starts_with("deadlock: task #1 waits for task #"), "{text}");
            assert_eq!(text.matches(" waits for ").count(), length, "{text}");
            assert!(text.ends_with(" waits for task #1"), "{text}");
        });
    }
}

#[test]
fn a_circle_with_a_way_out_is_no_deadlock() {
    debugged().block_on(async {
        let ids = circle(3, Some(SECOND)).await;
        let found = cycles();
        assert_eq!(found.len(), 1);
        assert!(!found[0].is_deadlock(), "{}", found[0]);
        assert_eq!(found[0].tasks().len(), ids.len());
        // And so it comes.
        sleep(2 * SECOND).await;
        assert!(cycles().is_empty());
        assert_eq!(Handle::current().metrics().live, 0);
    });
}

#[test]
fn those_who_wait_for_a_deadlock_are_not_in_it() {
    debugged().block_on(async {
        let mut ids = circle(2, None).await;
        // Another circle beside it, and a chain to nowhere.
        let others = circle(3, None).await;
        let chain = spawn(spawn(spawn(std::future::pending::<()>())));
        yield_now().await;
        let found = cycles();
        assert_eq!(found.len(), 2, "{found:?}");
        let mut members: Vec<_> = found.iter().flat_map(|cycle| cycle.tasks().to_vec()).collect();
        members.sort();
        ids.extend(others);
        ids.sort();
        assert_eq!(members, ids);
        chain.abort();
    });
}

#[test]
fn there_is_no_circle_where_there_is_none() {
    debugged().block_on(async {
        let tree = |depth| async move {
            let leaves = (0..3).map(|_| spawn(sleep(depth * SECOND)));
            join_all(leaves).await;
        };
        let tasks: Vec<_> = (1..4).map(|depth| spawn(tree(depth))).collect();
        for _ in 0..4 {
            assert!(cycles().is_empty());
            sleep(SECOND / 2).await;
        }
        join_all(tasks).await;
    });
}

/// A task that was woken and has not run yet waits for nothing, whatever its last poll said.
#[test]
fn a_task_that_is_about_to_run_waits_for_nobody() {
    debugged().block_on(async {
        let (give, take) = oneshot::channel::<JoinHandle<()>>();
        let (wake, woken) = oneshot::channel::<()>();
        let one = spawn(async move {
            let other = take.await.unwrap();
            drop(runtime::future::race(other, woken).await);
        });
        let other = spawn(async { one.await.unwrap() });
        give.send(other).unwrap();
        yield_now().await;
        assert_eq!(cycles().len(), 1);
        wake.send(()).unwrap();
        assert!(cycles().is_empty());
    });
}

#[test]
fn the_report_of_a_deadlock_tells_who_waits_for_whom() {
    let deadlock = || {
        let told = std::panic::catch_unwind(|| {
            debugged().block_on(async {
                circle(2, None).await;
                std::future::pending::<()>().await;
            });
        });
        *told.unwrap_err().downcast::<String>().unwrap()
    };
    let text = deadlock();
    assert!(text.starts_with("deadlock: nothing is runnable, no timer is armed"), "{text}");
    assert!(text.contains("\n  main: idle for 0ns"), "{text}");
    assert!(text.contains("): idle for 0ns, waits for task #2"), "{text}");
    assert!(text.contains("\n  deadlock: task #1 waits for task #2, which waits for task #1"), "{text}");
    assert_eq!(text, deadlock(), "the same each time");
}
