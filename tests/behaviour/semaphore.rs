//! Section 4, Semaphore and BoundedSemaphore, held of [`runtime::sync::Semaphore`].
//!
//! | case that does not apply | why |
//! |---|---|
//! | value < 0 | a number of permits has no sign |
//! | fifo_order_2, fifo_order_4: the order 1, 2, 3, 4 | held, and where it differs told, in [`fifo_order_2`] and [`fifo_order_4`]: a permit belongs to its waiter from the moment when it comes, not from when the waiter runs |
//! | Bounded: release beyond the initial value | a permit is given back once, by its drop; `add_permits` is meant to make more. There is no bounded semaphore because there is nothing for it to catch |

use runtime::{
    JoinHandle, Runtime, spawn,
    sync::{Permit, Semaphore},
    time::{sleep, timeout},
    yield_now,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// On one worker; a turn is a `yield_now`.
fn run<T>(case: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(case)
}

type Results = Arc<Mutex<Vec<u32>>>;

/// Takes a permit for good, as a bare `acquire` does there.
async fn acquire(semaphore: &Semaphore) {
    semaphore.acquire().await.unwrap().forget();
}

fn acquires(semaphore: &Arc<Semaphore>, results: &Results, number: u32) -> JoinHandle<()> {
    let (semaphore, results) = (semaphore.clone(), results.clone());
    spawn(async move {
        acquire(&semaphore).await;
        results.lock().unwrap().push(number);
    })
}

/// As `locked()` there: a permit cannot be had at once.
fn locked(semaphore: &Semaphore) -> bool {
    semaphore.try_acquire().is_err()
}

async fn turns(turns: u32) {
    for _ in 0..turns {
        yield_now().await;
    }
}

fn shared(permits: usize) -> (Arc<Semaphore>, Results) {
    (Arc::new(Semaphore::new(permits)), Results::default())
}

#[test]
fn initial_value_zero() {
    assert!(locked(&Semaphore::new(0)));
}

#[test]
fn release_no_waiters() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    assert!(locked(&semaphore));
    drop(permit);
    assert!(!locked(&semaphore));
}

#[test]
fn acquire_in_order() {
    run(async {
        let (semaphore, results) = shared(3);
        acquire(&semaphore).await;
        acquire(&semaphore).await;
        assert!(!locked(&semaphore));
        let [t1, t2, t3] = [1, 2, 3].map(|number| acquires(&semaphore, &results, number));
        yield_now().await;
        assert_eq!(*results.lock().unwrap(), [1]);
        assert!(locked(&semaphore) && t1.is_finished());
        let t4 = acquires(&semaphore, &results, 4);
        semaphore.add_permits(1);
        semaphore.add_permits(1);
        assert_eq!(semaphore.available_permits(), 0, "they go to those who wait");
        yield_now().await;
        assert_eq!(*results.lock().unwrap(), [1, 2, 3]);
        assert!(t2.is_finished() && t3.is_finished() && !t4.is_finished());
        semaphore.add_permits(1);
        t4.await.unwrap();
        assert_eq!(*results.lock().unwrap(), [1, 2, 3, 4]);
    });
}

#[test]
fn acquire_cancel() {
    run(async {
        let (semaphore, results) = shared(0);
        let waiter = acquires(&semaphore, &results, 1);
        yield_now().await;
        waiter.abort();
        assert!(waiter.await.is_err_and(|error| error.is_cancelled()));
        semaphore.add_permits(1);
        assert!(!locked(&semaphore), "nobody is in line");
    });
}

#[test]
fn acquire_cancel_before_awoken() {
    run(async {
        let (semaphore, results) = shared(0);
        let tasks = [1, 2, 3, 4].map(|number| acquires(&semaphore, &results, number));
        yield_now().await;
        tasks[0].abort();
        tasks[1].abort();
        semaphore.add_permits(1);
        turns(2).await;
        assert_eq!(tasks.each_ref().map(JoinHandle::is_finished), [true, true, true, false]);
        assert_eq!(*results.lock().unwrap(), [3]);
        tasks[3].abort();
    });
}

#[test]
fn acquire_hang() {
    run(async {
        let (semaphore, results) = shared(0);
        let [t1, t2] = [1, 2].map(|number| acquires(&semaphore, &results, number));
        yield_now().await;
        t1.abort();
        semaphore.add_permits(1);
        turns(2).await;
        assert!(t2.is_finished());
        assert!(locked(&semaphore), "no permit is lost, and none invented");
    });
}

/// One that is cancelled when it has been given its permit, by the very task that gave it.
#[test]
fn acquire_no_hang() {
    run(async {
        let semaphore = Arc::new(Semaphore::new(1));
        let (tell, t2) = runtime::sync::oneshot::channel::<JoinHandle<()>>();
        let c1 = spawn({
            let semaphore = semaphore.clone();
            async move {
                let permit = semaphore.acquire().await.unwrap();
                let t2 = t2.await.unwrap();
                drop(permit);
                t2.abort();
                assert!(t2.await.is_err_and(|error| error.is_cancelled()));
            }
        });
        yield_now().await;
        let t2 = spawn({
            let semaphore = semaphore.clone();
            async move { acquire(&semaphore).await }
        });
        yield_now().await;
        tell.send(t2).unwrap();
        c1.await.unwrap();
        timeout(Duration::from_secs(1), acquire(&semaphore)).await.expect("the permit was lost");
    });
}

#[test]
fn fifo_order() {
    run(async {
        let semaphore = Arc::new(Semaphore::new(1));
        let results = Arc::new(Mutex::new(Vec::new()));
        let tasks = ["c1", "c2", "c3"].map(|name| {
            let (semaphore, results) = (semaphore.clone(), results.clone());
            spawn(async move {
                for round in 1..=2 {
                    let _permit = semaphore.acquire().await.unwrap();
                    results.lock().unwrap().push(format!("{name}_{round}"));
                    sleep(Duration::from_millis(10)).await;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(results.lock().unwrap().join(" "), "c1_1 c2_1 c3_1 c1_2 c2_2 c3_2");
    });
}

/// One that gives its permit back and asks again stands behind those in line. (If both releases come before it runs, as there,
/// the third has its permit already, is not in line, and the one that comes back is free: then the second goes on at once.)
#[test]
fn fifo_order_2() {
    for (releases_at_once, order) in [(1, [1, 2, 3, 4]), (2, [1, 2, 4, 3])] {
        run(async {
            let (semaphore, results) = shared(1);
            let t1 = acquires(&semaphore, &results, 1);
            let t2 = spawn({
                let (semaphore, results) = (semaphore.clone(), results.clone());
                async move {
                    acquire(&semaphore).await;
                    results.lock().unwrap().push(2);
                    semaphore.add_permits(1);
                    acquire(&semaphore).await;
                    results.lock().unwrap().push(4);
                }
            });
            let t3 = acquires(&semaphore, &results, 3);
            yield_now().await;
            (0..releases_at_once).for_each(|_| semaphore.add_permits(1));
            turns(2).await;
            (releases_at_once..2).for_each(|_| semaphore.add_permits(1));
            for task in [t1, t2, t3] {
                task.await.unwrap();
            }
            assert_eq!(*results.lock().unwrap(), order);
            assert!(locked(&semaphore));
        });
    }
}

#[test]
fn fifo_order_3() {
    run(async {
        let (semaphore, results) = shared(0);
        let [t1, t2, t3] = [1, 2, 3].map(|number| acquires(&semaphore, &results, number));
        yield_now().await;
        t1.abort();
        semaphore.add_permits(1);
        semaphore.add_permits(1);
        t2.await.unwrap();
        t3.await.unwrap();
        assert!(t1.await.is_err());
        assert_eq!(*results.lock().unwrap(), [2, 3]);
    });
}

/// Three permits come while one waits, from a task that then asks itself. There all queue until the first has run, and the
/// result is 1, 2, 3, 4. Here the first has its permit when it comes, and the two that are left are free: who asks next has
/// them at once, and nobody was overtaken.
#[test]
fn fifo_order_4() {
    run(async {
        let (semaphore, results) = shared(0);
        let t1 = spawn({
            let (semaphore, results) = (semaphore.clone(), results.clone());
            async move {
                acquire(&semaphore).await;
                assert_eq!(semaphore.available_permits(), 0);
                let t4 = spawn({
                    let results = results.clone();
                    async move { results.lock().unwrap().push(4) }
                });
                results.lock().unwrap().push(1);
                t4.await.unwrap();
            }
        });
        let t2 = spawn({
            let (semaphore, results) = (semaphore.clone(), results.clone());
            async move {
                (0..3).for_each(|_| semaphore.add_permits(1));
                assert_eq!(semaphore.available_permits(), 2);
                acquire(&semaphore).await;
                results.lock().unwrap().push(2);
            }
        });
        let t3 = acquires(&semaphore, &results, 3);
        for task in [t1, t2, t3] {
            task.await.unwrap();
        }
        assert!(locked(&semaphore));
        assert_eq!(*results.lock().unwrap(), [2, 3, 1, 4]);
    });
}

// What trio adds -------------------------------------------------------------------------------------------------------

#[test]
fn fairness_hand_over() {
    run(async {
        let (semaphore, results) = shared(1);
        let permit = semaphore.acquire().await.unwrap();
        let waiter = acquires(&semaphore, &results, 1);
        yield_now().await;
        drop(permit);
        assert!(semaphore.try_acquire().is_err(), "it belongs to the waiter");
        waiter.await.unwrap();
        assert_eq!(semaphore.try_acquire().map(Permit::forget), Err(runtime::sync::TryAcquireError::NoPermits));
    });
}
