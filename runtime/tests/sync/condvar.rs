//! `sync::Condvar`, seen from outside.

use super::{
    event::{keeps_no_waker, stands_in_line_without_a_budget, virtual_clock, wakes_in_order},
    support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    spawn,
    sync::{Condvar, Mutex},
    yield_now,
};
use std::{pin::pin, sync::Arc, task::Poll, thread};

/// What the tests guard, and wait for changes of.
#[derive(Default)]
struct Shared {
    number: Mutex<u32>,
    changed: Condvar,
}

impl Shared {
    /// Locks in its first poll, and waits.
    async fn wait(&self) {
        drop(self.changed.wait(self.number.try_lock().unwrap()).await);
    }

    /// Takes one as soon as there is one.
    async fn take(&self) {
        *self.changed.wait_while(self.number.lock().await, |number| *number == 0).await -= 1;
    }

    async fn give(&self, count: u32) {
        *self.number.lock().await += count;
    }
}

#[test]
fn notifications_go_to_those_who_wait_longest() {
    let shared = Shared::default();
    let changed = &shared.changed;
    wakes_in_order(|| shared.wait(), || (0..5).for_each(|_| changed.notify_one()));
    wakes_in_order(|| shared.wait(), || changed.notify_many(7));
    wakes_in_order(|| shared.wait(), || changed.notify_all());
}

#[test]
fn nothing_is_kept_for_those_to_come() {
    let shared = Shared::default();
    shared.changed.notify_one();
    shared.changed.notify_all();
    let mut wait = pin!(shared.wait());
    assert!(poll(wait.as_mut()).is_pending());
    shared.changed.notify_many(0);
    assert!(poll(wait.as_mut()).is_pending());
    assert!(shared.number.try_lock().is_ok(), "the lock is free while it waits");
}

/// It is in line before the lock is free: whoever gets the lock after it can notify it.
#[test]
fn it_is_in_line_before_the_lock_is_free() {
    let shared = Shared::default();
    let mut locks = pin!(shared.number.lock());
    let mut wait = pin!(shared.wait());
    assert!(poll(wait.as_mut()).is_pending());
    assert!(poll(locks.as_mut()).is_ready());
    shared.changed.notify_one();
    assert!(poll(wait).is_ready());
}

#[test]
fn wait_while_looks_first_and_looks_again() {
    virtual_clock().block_on(async {
        let shared = Arc::new(Shared::default());
        shared.give(1).await;
        shared.take().await;
        let takes = spawn({
            let shared = shared.clone();
            async move { shared.take().await }
        });
        for _ in 0..3 {
            yield_now().await;
            shared.changed.notify_all();
        }
        yield_now().await;
        assert!(!takes.is_finished(), "there is none");
        shared.give(1).await;
        shared.changed.notify_one();
        takes.await.unwrap();
        assert_eq!(*shared.number.lock().await, 0);
    });
}

/// The one who was notified is dropped: before it ran; and while it waited for the lock. The other one hears of it.
#[test]
fn one_who_goes_before_it_has_the_lock_passes_its_notification_on() {
    for polled_again in [false, true] {
        let shared = Shared::default();
        let (mut goes, mut stays) = (Box::pin(shared.wait()), pin!(shared.wait()));
        assert!(poll(goes.as_mut()).is_pending() && poll(stays.as_mut()).is_pending());
        let held = shared.number.try_lock().unwrap();
        shared.changed.notify_one();
        if polled_again {
            assert!(poll(goes.as_mut()).is_pending(), "somebody has the lock");
        }
        drop(goes);
        drop(held);
        assert!(poll(stays).is_ready(), "the notification is lost");
    }
}

#[test]
fn one_who_was_notified_with_all_others_passes_nothing_on() {
    let shared = Shared::default();
    let (mut goes, mut late) = (Box::pin(shared.wait()), pin!(shared.wait()));
    assert!(poll(goes.as_mut()).is_pending());
    shared.changed.notify_all();
    assert!(poll(late.as_mut()).is_pending());
    drop(goes);
    assert!(poll(late).is_pending());
}

#[test]
fn one_who_has_the_lock_again_passes_nothing_on() {
    let shared = Shared::default();
    let (mut first, mut second) = (pin!(shared.wait()), pin!(shared.wait()));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    shared.changed.notify_one();
    assert!(poll(first).is_ready());
    assert!(poll(second).is_pending());
}

#[test]
fn it_stands_in_line_without_a_budget() {
    let shared = Shared::default();
    stands_in_line_without_a_budget(
        || async {
            let guard = shared.number.try_lock().unwrap();
            drop(shared.changed.wait(guard).await);
        },
        || shared.changed.notify_all(),
    );
}

#[test]
fn wakers_leave_the_lock_before_they_are_used() {
    static NUMBER: Mutex<u32> = Mutex::new(0);
    static CHANGED: Condvar = Condvar::new();
    let wait = || async { drop(CHANGED.wait(NUMBER.try_lock().unwrap()).await) };
    let call_back = || {
        CHANGED.notify_many(0);
        assert!(format!("{CHANGED:?}").contains("waiting"));
    };
    wakers_may_call_back(wait, || CHANGED.notify_one(), call_back);
    wakers_may_call_back(wait, || CHANGED.notify_all(), call_back);
}

#[test]
fn it_keeps_no_waker() {
    let shared = Shared::default();
    keeps_no_waker(|| shared.wait(), || shared.changed.notify_one());
}

/// Two wait for one; the first one is cut at whichever poll: the other one gets it, or the next.
#[test]
fn a_waiter_that_is_cut_at_any_poll_loses_no_notification() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let shared = Arc::new(Shared::default());
            let take = |shared: Arc<Shared>| async move { shared.take().await };
            let cut = spawn(cut_after(polls, take(shared.clone())));
            let other = spawn(take(shared.clone()));
            yield_now().await;
            {
                // With the lock held, so that the one who is woken has to wait for it.
                let mut number = shared.number.lock().await;
                *number += 1;
                shared.changed.notify_one();
                yield_now().await;
            }
            let cut = cut.await.unwrap();
            if cut.is_some() {
                shared.give(1).await;
                shared.changed.notify_one();
            }
            other.await.unwrap();
            cut.is_none()
        })
    });
}

#[test]
fn it_runs_on_any_executor() {
    async fn both_ways() {
        let shared = Arc::new(Shared::default());
        let thread = thread::spawn({
            let shared = shared.clone();
            move || {
                by_hand(async {
                    for _ in 0..100 {
                        shared.give(1).await;
                        shared.changed.notify_one();
                    }
                });
            }
        });
        for _ in 0..100 {
            shared.take().await;
        }
        thread.join().unwrap();
    }
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn a_wait_goes_to_another_thread() {
    fn may_go<T: Send>(value: T) -> T {
        value
    }
    fn may_be_shared<T: Sync>(_: &T) {}
    let shared = Shared::default();
    may_be_shared(&shared.changed);
    let wait = may_go(shared.wait());
    assert!(poll(pin!(wait)).is_pending());
    let guard = shared.number.try_lock().unwrap();
    assert!(
        matches!(poll(pin!(may_go(shared.changed.wait_while(guard, |_| false)))), Poll::Ready(guard) if *guard == 0)
    );
}
