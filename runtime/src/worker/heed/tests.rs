use super::*;
use crate::{
    JoinHandle, Runtime,
    future::{join, join_all, race},
    group::{CancelExt, cancelled, move_on_after, with},
    spawn,
    time::sleep,
    yield_now,
};
use std::{future::pending, time::Duration};

/// How many tasks are in the table of the current runtime.
fn heeding() -> usize {
    Here::current().unwrap().shared.heeding.tasks()
}

async fn busy() {
    let bracket = with(async { Ok::<_, ()>(()) }, async |()| yield_now().await, async |(), _| Ok(()));
    let all = async {
        race(cancelled(), yield_now()).await;
        bracket.await.unwrap();
        move_on_after(Duration::from_secs(1), async |_| pending::<()>().on_cancel(yield_now()).await).await;
        join(sleep(Duration::from_secs(1)).on_cancel(yield_now()), pending::<()>().on_cancel(yield_now())).await;
    };
    all.on_cancel(yield_now()).await;
}

#[test]
fn the_table_is_empty_when_all_have_ended_however() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        Runtime::simulated(seed).block_on(async {
            let mut tasks: Vec<JoinHandle<()>> = (0..10).map(|_| spawn(busy())).collect();
            sleep(Duration::from_millis(500)).await;
            assert_eq!(heeding(), 10);
            for (number, task) in tasks.iter_mut().enumerate() {
                sleep(Duration::from_millis(200)).await;
                if number % 2 == 0 {
                    task.abort();
                } else {
                    task.cancel();
                }
                assert!(task.await.is_err());
            }
            assert_eq!(heeding(), 0);
        });
    }
}

#[test]
fn a_task_without_handlers_is_not_in_it() {
    Runtime::simulated(1).block_on(async {
        let mut task = spawn(pending::<()>());
        yield_now().await;
        assert_eq!(heeding(), 0);
        assert!(task.cancel().await.is_err());
    });
}

/// Were each that comes or goes to look at all the others, this would take minutes.
#[test]
fn ten_thousands_of_handlers_in_one_task_are_not_in_each_others_way() {
    let start = std::time::Instant::now();
    Runtime::simulated(1).block_on(async {
        let count = if cfg!(miri) { 30 } else { 30_000 };
        let many = move || (0..count).map(|_| pending::<()>().on_cancel(async {}));
        let mut task = spawn(async move {
            race(join_all((0..count).map(|_| yield_now().on_cancel(async {}))), join_all(many())).await;
            join_all(many()).await;
        });
        while heeding() == 0 {
            yield_now().await;
        }
        assert!(task.cancel().await.is_err());
        assert_eq!(heeding(), 0);
    });
    assert!(start.elapsed() < Duration::from_secs(30));
}
