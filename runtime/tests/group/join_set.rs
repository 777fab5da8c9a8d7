//! `JoinSet`, `as_completed`, `gather`: whoever ends is given once, in order, whatever the wait goes through.

use super::{
    Census, millis,
    support::{Wakes, at_every_poll, by_hand, cut_after},
    virtual_time,
};
use futures_core::Stream as _;
use runtime::{
    JoinError, JoinHandle, Runtime,
    group::{AbortOnDropHandle, AsCompleted, Gather, JoinSet, Shield, as_completed, gather, shield, try_gather},
    spawn,
    time::sleep,
    yield_now,
};
use std::{
    future::pending,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Context,
};

#[test]
fn outputs_come_in_the_order_of_the_ends_whenever_somebody_looks() {
    virtual_time().block_on(async {
        let mut set: JoinSet<u64> = JoinSet::new();
        for number in [30, 10, 20] {
            set.spawn(async move {
                sleep(millis(number)).await;
                number
            });
        }
        sleep(millis(100)).await;
        let mut order = Vec::new();
        while let Some(output) = set.try_join_next() {
            order.push(output.unwrap());
        }
        assert_eq!(order, [10, 20, 30]);
    });
}

#[test]
fn a_join_that_is_cut_at_any_poll_loses_no_output() {
    at_every_poll(|polls| {
        virtual_time().block_on(async {
            let mut set: JoinSet<u64> = (0..5)
                .map(|number| {
                    spawn(async move {
                        (0..number % 3).for_each(drop);
                        yield_now().await;
                        number
                    })
                })
                .collect();
            let mut taken = Vec::new();
            let drained = cut_after(polls, async {
                while let Some(output) = set.join_next().await {
                    taken.push(output.unwrap());
                    // A cut may fall between two.
                    yield_now().await;
                }
            })
            .await;
            while let Some(output) = set.join_next().await {
                taken.push(output.unwrap());
            }
            taken.sort_unstable();
            assert_eq!(taken, [0, 1, 2, 3, 4]);
            drained.is_none()
        })
    });
}

#[test]
fn dropping_the_set_aborts_its_tasks_and_detaching_them_does_not() {
    virtual_time().block_on(async {
        let census = Census::default();
        let mut set = JoinSet::new();
        for _ in 0..3 {
            let alive = census.born();
            set.spawn(async move {
                sleep(millis(10)).await;
                drop(alive);
            });
        }
        yield_now().await;
        set.detach_all();
        drop(set);
        yield_now().await;
        assert_eq!(census.alive(), 3);
        sleep(millis(20)).await;
        assert_eq!(census.alive(), 0);

        let mut set = JoinSet::new();
        let alive = census.born();
        set.spawn(async move {
            pending::<()>().await;
            drop(alive);
        });
        yield_now().await;
        drop(set);
        yield_now().await;
        assert_eq!(census.alive(), 0);
    });
}

#[test]
fn after_shutdown_nobody_is_left() {
    for workers in [1, 2, 4] {
        Runtime::builder().workers(workers).build().unwrap().block_on(async {
            let census = Census::default();
            let mut set = JoinSet::new();
            for number in 0..100 {
                let alive = census.born();
                set.spawn(async move {
                    let _alive = alive;
                    if number % 2 == 0 {
                        pending::<()>().await;
                    }
                });
            }
            set.shutdown().await;
            assert_eq!((census.alive(), set.len()), (0, 0));
        });
    }
}

#[test]
fn places_that_are_used_again_mix_up_nobody() {
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().block_on(async {
            let (mut set, mut seen, mut next) = (JoinSet::new(), vec![0; 3000], 0);
            while next < seen.len() || !set.is_empty() {
                for _ in 0..7 {
                    if next < seen.len() {
                        let number = next;
                        set.spawn(async move {
                            for _ in 0..number % 4 {
                                yield_now().await;
                            }
                            number
                        });
                        next += 1;
                    }
                }
                for _ in 0..5 {
                    if let Some(number) = set.join_next().await {
                        seen[number.unwrap()] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|times| *times == 1));
        });
    }
}

#[test]
fn a_set_may_be_waited_for_on_any_executor() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let mut set = JoinSet::new();
    for number in 0..50u32 {
        set.spawn_on(
            async move {
                yield_now().await;
                number
            },
            runtime.handle(),
        );
    }
    assert_eq!(by_hand(set.join_all()).into_iter().map(Result::unwrap).sum::<u32>(), 49 * 25);
}

#[test]
fn on_a_runtime_that_has_ended_the_task_is_cancelled_and_told() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let mut set = JoinSet::new();
    set.spawn_on(async {}, &handle);
    assert!(by_hand(set.join_next()).unwrap().unwrap_err().is_cancelled());
}

#[test]
fn a_task_that_was_over_before_it_came_in_is_found_also_without_budget() {
    virtual_time().block_on(async {
        let tasks: Vec<_> = (0..1000).map(|number| spawn(async move { number })).collect();
        yield_now().await;
        // More than a poll may complete: some are taken in without a budget.
        let mut set: JoinSet<_> = tasks.into_iter().collect();
        let mut sum = 0;
        while let Some(number) = set.join_next().await {
            sum += number.unwrap();
        }
        assert_eq!(sum, 999 * 500);
    });
}

#[test]
fn a_task_that_was_over_before_it_came_in_stands_behind_those_that_were_and_wakes_who_waits() {
    virtual_time().block_on(async {
        let over = spawn(async { "came in when it was over" });
        let mut set: JoinSet<&str> = JoinSet::new();
        set.spawn(async { "was over before" });
        yield_now().await;
        set.insert(over);
        assert_eq!(set.try_join_next().unwrap().unwrap(), "was over before");
        assert_eq!(set.try_join_next().unwrap().unwrap(), "came in when it was over");

        set.spawn(pending());
        let over = spawn(async { "over" });
        yield_now().await;
        let (wakes, waker) = Wakes::waker();
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut set).poll_next(&mut context).is_pending());
        set.insert(over);
        assert_eq!(wakes.count(), 1);
        assert!(Pin::new(&mut set).poll_next(&mut context).is_ready());
    });
}

#[test]
fn a_set_that_is_never_empty_lets_others_run() {
    virtual_time().block_on(async {
        let mut set: JoinSet<()> = (0..10_000).map(|_| spawn(async {})).collect();
        yield_now().await;
        let (ran, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let other = spawn({
            let (ran, seen) = (ran.clone(), seen.clone());
            async move {
                ran.store(true, Ordering::SeqCst);
                seen.load(Ordering::SeqCst)
            }
        });
        while set.join_next().await.is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        assert!(ran.load(Ordering::SeqCst));
        assert!(other.await.unwrap() <= 256, "it was starved");
    });
}

#[test]
fn a_gather_that_is_cut_at_any_poll_aborts_all_that_run() {
    for with_failures in [false, true] {
        at_every_poll(|polls| {
            virtual_time().block_on(async {
                let census = Census::default();
                let work = |number: u64| {
                    let alive = census.born();
                    spawn(async move {
                        let _alive = alive;
                        sleep(millis(number)).await;
                        Ok::<_, ()>(number)
                    })
                };
                let tasks = [3, 1, 2].map(work);
                let cut = if with_failures {
                    let gathered = cut_after(polls, try_gather(tasks)).await;
                    gathered.map(|values| assert_eq!(values.unwrap(), [3, 1, 2])).is_none()
                } else {
                    cut_after(polls, gather(tasks)).await.is_none()
                };
                yield_now().await;
                assert_eq!(census.alive(), 0, "cut after {polls} polls");
                cut
            })
        });
    }
}

#[test]
fn what_lost_a_try_gather_runs_on() {
    virtual_time().block_on(async {
        let census = Census::default();
        let alive = census.born();
        let slow = spawn(async move {
            sleep(millis(20)).await;
            drop(alive);
            Ok(())
        });
        let failing = spawn(async {
            sleep(millis(10)).await;
            Err("no")
        });
        assert_eq!(try_gather([slow, failing]).await.unwrap_err().to_string(), "no");
        sleep(millis(5)).await;
        assert_eq!(census.alive(), 1);
        sleep(millis(10)).await;
        assert_eq!(census.alive(), 0);
    });
}

#[test]
fn nothing_remains_of_a_set() {
    virtual_time().block_on(async {
        let value = Arc::new(());
        let held = || {
            let value = value.clone();
            spawn(async move {
                yield_now().await;
                value
            })
        };
        let mut set: JoinSet<_> = (0..5).map(|_| held()).collect();
        set.join_next().await.unwrap().unwrap();
        drop(set);
        let mut tasks = as_completed([held(), held()]);
        tasks.next().await.unwrap().1.unwrap();
        drop(tasks);
        drop(gather([held()]));
        for _ in 0..5 {
            yield_now().await;
        }
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

#[test]
fn auto_traits_follow_the_output() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn unpin<T: Unpin>() {}
    type OnlySend = std::cell::Cell<u8>;
    send::<JoinSet<OnlySend>>();
    send::<AsCompleted<OnlySend>>();
    send::<Gather<OnlySend>>();
    sync::<JoinSet<u8>>();
    unpin::<Gather<std::marker::PhantomPinned>>();
    unpin::<Shield<std::marker::PhantomPinned>>();
    unpin::<AbortOnDropHandle<std::marker::PhantomPinned>>();
    let _: fn(JoinHandle<OnlySend>) -> Shield<OnlySend> = shield;
    fn is_error<T: std::error::Error>() {}
    is_error::<JoinError>();
}
