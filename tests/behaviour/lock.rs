//! Section 1, Lock, and what trio adds to it (section 16), held of [`runtime::sync::Mutex`].
//!
//! | case that does not apply | why |
//! |---|---|
//! | release_not_acquired; trio: release by a non-owner | only a guard gives a lock back, and there is one only while it is held |
//! | lock_by_with_statement, await lock | the compiler refuses them |
//! | trio: re-acquire by the owner is an error | a mutex knows no owner: it waits for itself, as `lock` says |
//! | trio: the owner exits without releasing | its guard is dropped with it, and gives the lock back: [`an_owner_that_exits_gives_the_lock_back`] |
//! | trio: every acquire is a checkpoint, even uncontended | by the budget: not each one gives way, but so many in a row do: [`locking_without_end_gives_way`] |

use runtime::{
    Runtime, spawn,
    sync::{Mutex, OwnedMutexGuard},
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

/// On one worker; a turn is a `yield_now`.
fn run<T>(case: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(case)
}

type Results = Arc<std::sync::Mutex<Vec<u32>>>;

/// Takes the lock, says so, and leaves it locked: the case gives it back.
fn takes(lock: &Arc<Mutex<()>>, results: &Results, number: u32) -> runtime::JoinHandle<OwnedMutexGuard<()>> {
    let (lock, results) = (lock.clone(), results.clone());
    spawn(async move {
        let guard = lock.lock_owned().await;
        results.lock().unwrap().push(number);
        guard
    })
}

#[test]
fn acquire() {
    run(async {
        let (lock, results) = (Arc::new(Mutex::new(())), Results::default());
        let seen = || results.lock().unwrap().clone();
        let held = lock.clone().lock_owned().await;
        let (one, two) = (takes(&lock, &results, 1), takes(&lock, &results, 2));
        yield_now().await;
        assert_eq!(seen(), []);
        drop(held);
        yield_now().await;
        assert_eq!(seen(), [1]);
        yield_now().await;
        assert_eq!(seen(), [1], "one for each release");
        let three = takes(&lock, &results, 3);
        drop(one.await);
        yield_now().await;
        assert_eq!(seen(), [1, 2]);
        drop(two.await);
        yield_now().await;
        assert_eq!(seen(), [1, 2, 3]);
        drop(three.await);
        assert!(lock.try_lock().is_ok());
    });
}

#[test]
fn acquire_cancel() {
    run(async {
        let (lock, results) = (Arc::new(Mutex::new(())), Results::default());
        let held = lock.clone().lock_owned().await;
        let waiter = takes(&lock, &results, 1);
        yield_now().await;
        waiter.abort();
        assert!(waiter.await.is_err_and(|error| error.is_cancelled()));
        drop(held);
        assert!(lock.try_lock().is_ok(), "nobody is in line");
    });
}

/// A's reason to wait ends, and in the same turn B is cancelled: A's release passes B over, and C has the lock.
#[test]
fn cancel_race() {
    run(async {
        let lock = Arc::new(Mutex::new(()));
        let (resolve, blocker) = runtime::sync::oneshot::channel::<()>();
        let a = spawn({
            let lock = lock.clone();
            async move {
                let _guard = lock.lock().await;
                blocker.await.unwrap();
            }
        });
        yield_now().await;
        let b = spawn(drop_guard(lock.clone()));
        let c = spawn(drop_guard(lock.clone()));
        yield_now().await;
        resolve.send(()).unwrap();
        b.abort();
        a.await.unwrap();
        assert!(b.await.is_err_and(|error| error.is_cancelled()));
        c.await.unwrap();
        assert!(lock.try_lock().is_ok());
    });
}

async fn drop_guard(lock: Arc<Mutex<()>>) {
    drop(lock.lock().await);
}

/// Issue 32734: three wait; the first is cancelled and the lock is given back, without a turn in between. One has it.
#[test]
fn cancel_release_race() {
    run(async {
        let lock = Arc::new(Mutex::new(()));
        let acquired = Arc::new(AtomicU32::new(0));
        let held = lock.clone().lock_owned().await;
        let waits = || {
            let (lock, acquired) = (lock.clone(), acquired.clone());
            spawn(async move {
                let _guard = lock.lock().await;
                acquired.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
            })
        };
        let (one, two, three) = (waits(), waits(), waits());
        yield_now().await;
        one.abort();
        drop(held);
        assert!(one.await.is_err_and(|error| error.is_cancelled()));
        yield_now().await;
        assert_eq!(acquired.load(Ordering::SeqCst), 1);
        two.abort();
        assert!(two.await.is_err());
        yield_now().await;
        assert_eq!(acquired.load(Ordering::SeqCst), 2, "it was the second that had it");
        three.abort();
        assert!(three.await.is_err());
    });
}

/// The release comes first here, so that it is the cancelled one that was given the lock.
#[test]
fn finished_waiter_cancelled() {
    run(async {
        for release_first in [false, true] {
            let (lock, results) = (Arc::new(Mutex::new(())), Results::default());
            let held = lock.clone().lock_owned().await;
            let tb = takes(&lock, &results, 1);
            yield_now().await;
            let tc = takes(&lock, &results, 2);
            yield_now().await;
            if release_first {
                drop(held);
                tb.abort();
            } else {
                tb.abort();
                drop(held);
            }
            assert!(tb.await.is_err_and(|error| error.is_cancelled()));
            yield_now().await;
            assert!(lock.try_lock().is_err(), "the third has it");
            drop(tc.await.unwrap());
            assert_eq!(*results.lock().unwrap(), [2]);
        }
    });
}

#[test]
fn release_no_waiters() {
    run(async {
        let lock = Mutex::new(());
        let guard = lock.lock().await;
        assert!(lock.try_lock().is_err());
        drop(guard);
        assert!(lock.try_lock().is_ok());
    });
}

/// The block of a guard is the context manager.
#[test]
fn context_manager() {
    run(async {
        let lock = Mutex::new(());
        {
            let _guard = lock.lock().await;
            assert!(lock.try_lock().is_err());
        }
        assert!(lock.try_lock().is_ok());
    });
}

// What trio adds -------------------------------------------------------------------------------------------------------

#[test]
fn fairness_hand_over() {
    run(async {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock().await;
        let waiter = spawn(drop_guard(lock.clone()));
        yield_now().await;
        drop(held);
        assert!(lock.try_lock().is_err(), "it belongs to the waiter");
        waiter.await.unwrap();
        assert!(lock.try_lock().is_ok());
    });
}

#[test]
fn generic_lock_fifo_fairness() {
    run(async {
        let (lock, record) = (Rc::new(Mutex::new(())), Rc::new(RefCell::new(Vec::new())));
        let workers: Vec<_> = (0..3)
            .map(|number| {
                let (lock, record) = (lock.clone(), record.clone());
                runtime::spawn_local(async move {
                    for _ in 0..5 {
                        let _guard = lock.lock().await;
                        record.borrow_mut().push(number);
                        yield_now().await;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(*record.borrow(), [0, 1, 2].repeat(5));
    });
}

#[test]
fn generic_lock_exclusion() {
    run(async {
        let (lock, inside, visits) = (Rc::new(Mutex::new(())), Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
        let workers: Vec<_> = (0..5)
            .map(|_| {
                let (lock, inside, visits) = (lock.clone(), inside.clone(), visits.clone());
                runtime::spawn_local(async move {
                    for _ in 0..10 {
                        let _guard = lock.lock().await;
                        assert!(!inside.replace(true), "two are inside");
                        yield_now().await;
                        yield_now().await;
                        inside.set(false);
                        visits.set(visits.get() + 1);
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(visits.get(), 50);
    });
}

#[test]
fn an_owner_that_exits_gives_the_lock_back() {
    run(async {
        let lock = Arc::new(Mutex::new(()));
        let owner = spawn({
            let lock = lock.clone();
            async move {
                let _guard = lock.lock().await;
                std::future::pending::<()>().await;
            }
        });
        yield_now().await;
        let waiter = spawn(drop_guard(lock.clone()));
        yield_now().await;
        owner.abort();
        assert!(owner.await.is_err());
        waiter.await.unwrap();
        drop_guard(lock).await;
    });
}

#[test]
fn locking_without_end_gives_way() {
    run(async {
        let stop = Arc::new(AtomicBool::new(false));
        let other = spawn({
            let stop = stop.clone();
            async move { stop.store(true, Ordering::SeqCst) }
        });
        let lock = Mutex::new(());
        while !stop.load(Ordering::SeqCst) {
            drop(lock.lock().await);
        }
        other.await.unwrap();
    });
}
