//! `sync::Notify`, seen from outside.

use super::{
    event::{keeps_no_waker, spend_all, stands_in_line_without_a_budget, virtual_clock, wakes_in_order},
    support::{Wakes, at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    spawn,
    sync::{Notified, Notify},
    yield_now,
};
use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    thread,
};

fn in_line(notify: &Notify, count: usize) -> Vec<std::pin::Pin<Box<Notified<'_>>>> {
    let mut waits: Vec<_> = (0..count).map(|_| Box::pin(notify.notified())).collect();
    waits.iter_mut().for_each(|wait| assert!(poll(wait.as_mut()).is_pending()));
    waits
}

#[test]
fn one_permit_is_kept_and_no_more() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    assert!(poll(pin!(notify.notified())).is_ready());
    assert!(poll(pin!(notify.notified())).is_pending());
}

#[test]
fn a_permit_is_taken_by_one_who_polls_and_not_by_one_who_is_made() {
    let notify = Notify::new();
    let idle = notify.notified();
    notify.notify_one();
    assert!(poll(pin!(notify.notified())).is_ready());
    drop(idle);
    assert!(poll(pin!(notify.notified())).is_pending());
}

#[test]
fn notifications_go_to_those_who_wait_longest() {
    let notify = Notify::new();
    wakes_in_order(|| notify.notified(), || notify.notify_waiters());
    wakes_in_order(|| notify.notified(), || (0..5).for_each(|_| notify.notify_one()));
    assert!(poll(pin!(notify.notified())).is_ready(), "those that went kept one permit for the next");
    let mut waits = in_line(&notify, 3);
    for next in 0..3 {
        notify.notify_one();
        let ready: Vec<_> = waits.iter_mut().map(|wait| poll(wait.as_mut()).is_ready()).collect();
        assert_eq!(ready, (0..3).map(|number| number <= next).collect::<Vec<_>>());
    }
}

#[test]
fn notify_waiters_keeps_nothing_and_takes_nothing() {
    let notify = Notify::new();
    notify.notify_waiters();
    assert!(poll(pin!(notify.notified())).is_pending(), "it is for those who wait");
    notify.notify_one();
    notify.notify_waiters();
    assert!(poll(pin!(notify.notified())).is_ready(), "the permit is still there");
}

/// Its place counts from when it was made: whoever looks after that, and finds nothing, is told.
#[test]
fn notify_waiters_reaches_those_that_were_made_before_it() {
    let notify = Notify::new();
    let early = notify.notified();
    let mut waits = in_line(&notify, 2);
    notify.notify_waiters();
    let late = notify.notified();
    assert!(poll(pin!(early)).is_ready());
    waits.iter_mut().for_each(|wait| assert!(poll(wait.as_mut()).is_ready()));
    assert!(poll(pin!(late)).is_pending());
}

#[test]
fn one_that_is_enabled_is_in_line_and_keeps_its_place_and_its_waker() {
    let notify = Notify::new();
    let (mut first, mut second) = (notify.notified(), notify.notified());
    assert!(!second.enable() && !first.enable() && !second.enable());
    let (wakes, waker) = Wakes::waker();
    let mut second = pin!(second);
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(!second.enable());
    notify.notify_one();
    assert_eq!(wakes.count(), 1, "it was first, and its waker is there");
    assert!(second.enable() && !first.enable());
    assert!(poll(second).is_ready());

    let mut takes = notify.notified();
    drop(first);
    notify.notify_one();
    assert!(takes.enable(), "the permit");
    drop(takes);
    assert!(poll(pin!(notify.notified())).is_ready(), "it had not told of it");
}

#[test]
fn one_who_goes_passes_its_notification_on() {
    let notify = Notify::new();
    let mut waits = in_line(&notify, 3);
    notify.notify_one();
    drop(waits.remove(0));
    assert!(poll(waits[0].as_mut()).is_ready(), "to the next in line");
    notify.notify_one();
    drop(waits.remove(1));
    assert!(poll(pin!(notify.notified())).is_ready(), "or it is kept");

    let mut waits = in_line(&notify, 2);
    notify.notify_waiters();
    waits.clear();
    assert!(poll(pin!(notify.notified())).is_pending(), "the others had it as well");
}

#[test]
fn one_who_has_passed_passes_nothing_on() {
    let notify = Notify::new();
    notify.notify_one();
    {
        let mut notified = pin!(notify.notified());
        assert!(poll(notified.as_mut()).is_ready());
        assert!(poll(notified.as_mut()).is_ready(), "and it may be polled again");
    }
    assert!(poll(pin!(notify.notified())).is_pending());
}

/// The permit is taken when it is seen: with nothing left to spend it is held, and passed on by one who goes.
#[test]
fn one_with_nothing_left_to_spend_keeps_its_notification_or_passes_it_on() {
    let notify = Notify::new();
    let refused = || {
        let mut notified = Box::pin(notify.notified());
        notify.notify_one();
        runtime::block_on(poll_fn(|context| {
            spend_all(context);
            assert!(notified.as_mut().poll(context).is_pending(), "there is nothing left to spend");
            Poll::Ready(())
        }));
        notified
    };
    let mut holds = refused();
    assert!(poll(pin!(notify.notified())).is_pending(), "it is somebody's already");
    assert!(poll(holds.as_mut()).is_ready());
    drop(holds);
    drop(refused());
    assert!(poll(pin!(notify.notified())).is_ready(), "it was lost");
}

#[test]
fn it_stands_in_line_without_a_budget() {
    let notify = Notify::new();
    stands_in_line_without_a_budget(|| notify.notified(), || (0..2).for_each(|_| notify.notify_one()));
}

#[test]
fn wakers_leave_the_lock_before_they_are_used() {
    static NOTIFY: Notify = Notify::new();
    let call_back = || assert!(!NOTIFY.notified().enable());
    wakers_may_call_back(|| NOTIFY.notified(), || NOTIFY.notify_waiters(), call_back);
    wakers_may_call_back(|| NOTIFY.notified(), || NOTIFY.notify_one(), call_back);
}

#[test]
fn it_keeps_no_waker() {
    let notify = Notify::new();
    keeps_no_waker(|| notify.notified(), || notify.notify_one());
}

/// Two take from a list, each item announced once. Whichever poll the first one is cut at, the other takes all that is left.
#[test]
fn a_consumer_that_is_cut_at_any_poll_loses_no_notification() {
    #[derive(Default)]
    struct Shared {
        items: Mutex<VecDeque<u32>>,
        added: Notify,
    }
    async fn take(shared: Arc<Shared>) -> u32 {
        loop {
            shared.added.notified().await;
            let item = shared.items.lock().unwrap().pop_front();
            if let Some(item) = item {
                return item;
            }
        }
    }
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let shared = Arc::<Shared>::default();
            let cut = spawn(cut_after(polls, take(shared.clone())));
            let other = spawn({
                let shared = shared.clone();
                async move { take(shared).await }
            });
            yield_now().await;
            shared.items.lock().unwrap().push_back(1);
            shared.added.notify_one();
            let cut = cut.await.unwrap();
            if cut.is_some() {
                shared.items.lock().unwrap().push_back(1);
                shared.added.notify_one();
            }
            assert_eq!(other.await.unwrap(), 1);
            cut.is_none()
        })
    });
}

#[test]
fn it_runs_on_any_executor() {
    async fn both_ways() {
        let (here, there) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let thread = thread::spawn({
            let (here, there) = (here.clone(), there.clone());
            move || {
                for _ in 0..100 {
                    by_hand(there.notified());
                    here.notify_one();
                }
            }
        });
        for _ in 0..100 {
            there.notify_one();
            here.notified().await;
        }
        thread.join().unwrap();
    }
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn a_wait_goes_to_another_thread() {
    fn may_go<T: Send + Sync>(_: &T) {}
    let notify = Notify::new();
    may_go(&notify);
    may_go(&notify.notified());
}
