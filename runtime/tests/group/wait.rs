//! `wait`: it takes what has ended, and leaves the rest as it was.

use super::{
    millis,
    support::{at_every_poll, cut_after},
    virtual_time,
};
use runtime::{
    Runtime,
    group::{JoinSet, ReturnWhen, wait},
    spawn,
    time::{Instant, sleep},
    yield_now,
};

fn sleepers(times: impl IntoIterator<Item = u64>) -> JoinSet<u64> {
    let sleeper = |time| {
        spawn(async move {
            sleep(millis(time)).await;
            time
        })
    };
    times.into_iter().map(sleeper).collect()
}

#[test]
fn a_wait_that_is_cut_at_any_poll_loses_no_output_and_ends_no_task() {
    at_every_poll(|polls| {
        virtual_time().block_on(async {
            let mut set = sleepers([3, 1, 2, 1]);
            let cut = cut_after(polls, wait(&mut set, ReturnWhen::All, Some(millis(50)))).await;
            let mut outputs = cut.clone_values();
            outputs.extend(wait(&mut set, ReturnWhen::All, None).await.into_iter().map(|(_, output)| output.unwrap()));
            assert_eq!(outputs, [1, 1, 2, 3]);
            cut.is_none()
        })
    });
}

trait CloneValues {
    fn clone_values(&self) -> Vec<u64>;
}

impl<K> CloneValues for Option<Vec<(K, Result<u64, runtime::JoinError>)>> {
    fn clone_values(&self) -> Vec<u64> {
        self.iter().flatten().map(|(_, output)| *output.as_ref().unwrap()).collect()
    }
}

#[test]
fn waits_on_several_workers_take_each_output_once() {
    for workers in [1, 2, 4] {
        Runtime::builder().workers(workers).build().unwrap().block_on(async {
            let work = |number: usize| {
                spawn(async move {
                    for _ in 0..number % 7 {
                        yield_now().await;
                    }
                    number
                })
            };
            let mut set: JoinSet<usize> = (0..2000).map(work).collect();
            let mut seen = vec![0; 2000];
            while !set.is_empty() {
                for (_, number) in wait(&mut set, ReturnWhen::First, None).await {
                    seen[number.unwrap()] += 1;
                }
            }
            assert!(seen.iter().all(|times| *times == 1));
        });
    }
}

#[test]
fn a_timeout_of_zero_only_looks() {
    virtual_time().block_on(async {
        let mut set = sleepers([0, 5]);
        yield_now().await;
        let start = Instant::now();
        let done = wait(&mut set, ReturnWhen::All, Some(millis(0))).await;
        assert_eq!((done.len(), set.len()), (1, 1));
        assert_eq!(start.elapsed(), millis(0));
    });
}

#[test]
fn a_first_error_is_found_among_those_that_came_before() {
    virtual_time().block_on(async {
        let mut set: JoinSet<Result<u64, &str>> = JoinSet::new();
        set.spawn(async { Ok(1) });
        set.spawn(async { Err("no") });
        set.spawn(std::future::pending());
        yield_now().await;
        assert_eq!(wait(&mut set, ReturnWhen::first_error(), None).await.len(), 2);
        let abort = set.spawn(std::future::pending());
        abort.abort();
        assert_eq!(wait(&mut set, ReturnWhen::first_error(), None).await.len(), 1);
        assert_eq!(set.len(), 1);
    });
}
