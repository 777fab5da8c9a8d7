//! Section 3: `sync::Condvar` with `sync::Mutex`, as asyncio's `ConditionTests` have their `Condition`, and trio's `test_Condition`
//! (section 16).
//!
//! A condition of theirs has its lock in it; ours is given a guard of one, and gives it back. A future that is dropped holds
//! nothing: so one that is cancelled while it waits ends **without** the lock, where theirs take it again first. What
//! must hold all the same is that the lock is free or somebody's, and that no notification is lost.
//!
//! | case | why it is not here, or not as it was |
//! |---|---|
//! | wait_unacquired, notify_unacquired, notify_all_unacquired, trio's "without the lock" | `wait` takes a guard, so it cannot be called without the lock; `notify` may be called without it, as with `std`'s |
//! | wait_for_unacquired | the same: `wait_while` takes a guard |
//! | context_manager | a guard is one |
//! | ambiguous_loops | a mutex belongs to no runtime |
//! | cancelled_error_wakeup, cancelled_error_re_aquire | the message of an exception: a dropped future is told nothing |
//! | repr | Python's text for an object |
//! | trio: acquire by the owner is an error | the mutex's own (section 1) |

use runtime::{
    JoinHandle, Runtime, spawn,
    sync::{Condvar, Mutex},
    time::timeout,
    yield_now,
};
use std::{future::Future, sync, sync::Arc, time::Duration};

/// One worker, and time that jumps: a turn is a `yield_now`, and a wait for ever is an error.
pub(crate) fn single() -> Runtime {
    Runtime::builder().workers(1).virtual_clock().build().unwrap()
}

#[derive(Default)]
struct Condition {
    lock: Mutex<i32>,
    changed: Condvar,
    /// Who got past its wait, in which order.
    results: sync::Mutex<Vec<u32>>,
}

impl Condition {
    fn results(&self) -> Vec<u32> {
        self.results.lock().unwrap().clone()
    }

    fn locked(&self) -> bool {
        self.lock.try_lock().is_err()
    }

    /// A task that waits once, and writes down its number.
    fn waits(self: &Arc<Self>, number: u32) -> JoinHandle<()> {
        self.spawn(async move |this| {
            let _guard = this.changed.wait(this.lock.lock().await).await;
            this.results.lock().unwrap().push(number);
        })
    }

    /// A task that takes what there is, until there is less than nothing.
    fn consumes(self: &Arc<Self>) -> JoinHandle<()> {
        self.spawn(async move |this| {
            let mut state = this.lock.lock().await;
            loop {
                state = this.changed.wait_while(state, |state| *state == 0).await;
                if *state < 0 {
                    return;
                }
                *state -= 1;
                // Whoever waits for all to be gone.
                this.changed.notify_all();
            }
        })
    }

    fn spawn<F, T>(self: &Arc<Self>, task: impl FnOnce(Arc<Self>) -> F) -> JoinHandle<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        spawn(task(self.clone()))
    }
}

#[test]
fn wait() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let tasks = [1, 2, 3].map(|number| condition.waits(number));
        yield_now().await;
        assert!(condition.results().is_empty() && !condition.locked(), "the lock is free while they wait");

        let guard = condition.lock.lock().await;
        condition.changed.notify_many(1);
        yield_now().await;
        assert!(condition.results().is_empty(), "we have the lock");
        drop(guard);
        yield_now().await;
        assert_eq!(condition.results(), [1]);

        let guard = condition.lock.lock().await;
        condition.changed.notify_many(2);
        yield_now().await;
        assert_eq!(condition.results(), [1]);
        drop(guard);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(condition.results(), [1, 2, 3], "first come, first served");
    });
}

#[test]
fn wait_cancel() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let waits = condition.waits(1);
        yield_now().await;
        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        assert!(format!("{:?}", condition.changed).contains("waiting: 0"), "nobody waits");
        assert!(!condition.locked(), "a dropped future holds nothing");
    });
}

/// It was notified while we had the lock. Then it is cancelled and the lock given back, in either order: it has the lock, and
/// ends with it; or it is gone, and the lock is free.
#[test]
fn wait_cancel_contested() {
    for release_first in [false, true] {
        single().block_on(async {
            let condition = Arc::new(Condition::default());
            let waits = condition.waits(1);
            yield_now().await;
            let guard = condition.lock.lock().await;
            condition.changed.notify_one();
            yield_now().await;
            if release_first {
                drop(guard);
                waits.abort();
            } else {
                waits.abort();
                drop(guard);
            }
            let passed = waits.await.is_ok();
            assert_eq!(condition.results().len(), usize::from(passed));
            assert!(!condition.locked());
        });
    }
}

#[test]
fn wait_cancel_after_notify() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let waits = condition.waits(1);
        yield_now().await;
        let guard = condition.lock.lock().await;
        condition.changed.notify_one();
        yield_now().await; // it waits for the lock
        waits.abort();
        yield_now().await;
        drop(guard);
        assert!(waits.await.unwrap_err().is_cancelled());
        drop(condition.lock.lock().await);
    });
}

#[test]
fn wait_for() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let waits =
            condition.spawn(async |this| *this.changed.wait_while(this.lock.lock().await, |state| *state == 0).await);
        yield_now().await;
        {
            let _guard = condition.lock.lock().await;
            condition.changed.notify_one();
        }
        yield_now().await;
        assert!(!waits.is_finished(), "it is not so yet");
        *condition.lock.lock().await = 7;
        condition.changed.notify_one();
        assert_eq!(waits.await.unwrap(), 7);
    });
}

#[test]
fn notify() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let tasks = [1, 2, 3].map(|number| condition.waits(number));
        yield_now().await;
        {
            let _guard = condition.lock.lock().await;
            condition.changed.notify_many(1);
        }
        yield_now().await;
        assert_eq!(condition.results(), [1]);
        {
            let _guard = condition.lock.lock().await;
            condition.changed.notify_many(1);
            condition.changed.notify_many(2048);
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(condition.results(), [1, 2, 3]);
    });
}

#[test]
fn notify_all() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let tasks = [1, 2].map(|number| condition.waits(number));
        yield_now().await;
        {
            let _guard = condition.lock.lock().await;
            condition.changed.notify_all();
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(condition.results(), [1, 2]);
    });
}

/// One mutex with two conditions, for two things to wait for.
#[test]
fn explicit_lock() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let other = Arc::new(Condvar::new());
        let waits = condition.spawn({
            let other = other.clone();
            async move |this| drop(other.wait(this.lock.lock().await).await)
        });
        yield_now().await;
        let guard = condition.lock.lock().await;
        assert!(condition.locked());
        condition.changed.notify_all();
        other.notify_all();
        yield_now().await;
        assert!(!waits.is_finished(), "the lock is one and the same");
        drop(guard);
        waits.await.unwrap();
    });
}

#[test]
fn timeout_in_block() {
    single().block_on(async {
        let condition = Condition::default();
        let guard = condition.lock.lock().await;
        assert!(timeout(Duration::from_millis(500), condition.changed.wait(guard)).await.is_err());
        assert!(!condition.locked(), "whoever needs it again takes it again");
    });
}

/// One of two is notified, and cancelled before it ran; or a turn later, when it waits for the lock. The other one takes what
/// there is.
async fn the_other_one_consumes(cancelled_while_it_waits_for_the_lock: bool) {
    let condition = Arc::new(Condition::default());
    let [first, second] = [condition.consumes(), condition.consumes()];
    yield_now().await;
    let mut state = condition.lock.lock().await;
    *state += 1;
    condition.changed.notify_many(1);
    if cancelled_while_it_waits_for_the_lock {
        yield_now().await;
    }
    first.abort();
    let mut state = condition.changed.wait_while(state, |state| *state != 0).await;
    *state = -1;
    drop(state);
    condition.changed.notify_all();
    second.await.unwrap();
    assert!(first.await.unwrap_err().is_cancelled());
}

#[test]
fn cancelled_wakeup() {
    single().block_on(the_other_one_consumes(false));
}

#[test]
fn cancelled_wakeup_relock() {
    single().block_on(the_other_one_consumes(true));
}

/// trio: those who are notified under the lock move to the lock's own line, and get it one after the other.
#[test]
fn trio_condition() {
    single().block_on(async {
        let condition = Arc::new(Condition::default());
        let tasks = [0, 1, 2].map(|number| condition.waits(number));
        yield_now().await;
        condition.changed.notify_one();
        yield_now().await;
        assert_eq!(condition.results(), [0]);
        condition.changed.notify_all();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(condition.results(), [0, 1, 2]);

        let tasks = [3, 4, 5].map(|number| condition.waits(number));
        yield_now().await;
        let guard = condition.lock.lock().await;
        condition.changed.notify_many(2);
        yield_now().await;
        assert!(
            format!("{:?}", condition.changed).contains("waiting: 1"),
            "two wait for the lock, one for the condition"
        );
        drop(guard);
        assert!(condition.locked(), "it is the first one's already");
        for results in [&[3][..], &[3, 4]] {
            yield_now().await;
            assert_eq!(&condition.results()[3..], results, "from hand to hand");
        }
        condition.changed.notify_one();
        for task in tasks {
            task.await.unwrap();
        }
    });
}
