//! `sync::Event`, seen from outside; and what the tests of all that wakes share.

use super::support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back};
use runtime::{Runtime, spawn, sync::Event, yield_now};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// Notes who is woken, in which order.
pub(crate) struct Notes(usize, Arc<Mutex<Vec<usize>>>);

impl Notes {
    pub(crate) fn waker(number: usize, notes: &Arc<Mutex<Vec<usize>>>) -> Waker {
        Waker::from(Arc::new(Notes(number, notes.clone())))
    }
}

impl Wake for Notes {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// Five wait; what wakes them wakes them in the order in which they came. (Bug bank, R52.)
pub(crate) fn wakes_in_order<W: Future>(wait: impl Fn() -> W, happen: impl Fn()) {
    let notes = Arc::default();
    let mut waits: Vec<_> = (0..5).map(|_| Box::pin(wait())).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        assert!(wait.as_mut().poll(&mut Context::from_waker(&Notes::waker(number, &notes))).is_pending());
    }
    happen();
    assert_eq!(*notes.lock().unwrap(), [0, 1, 2, 3, 4], "out of turn");
}

/// No waker is kept of a wait that is gone, that was taken up by another task, or that was woken. (Bug bank, R10.)
pub(crate) fn keeps_no_waker<W: Future>(wait: impl Fn() -> W, happen: impl Fn()) {
    let counted = Arc::new(Notes(0, Arc::default()));
    let waker = Waker::from(counted.clone());
    let kept = || Arc::strong_count(&counted) - 2;
    let mut first = Box::pin(wait());
    let mut second = Box::pin(wait());
    for wait in [&mut first, &mut second] {
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(kept(), 2);
    drop(first);
    assert_eq!(kept(), 1, "of one that is gone");
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(kept(), 0, "of a task that does not wait any more");
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    happen();
    assert_eq!(kept(), 0, "of one that was woken");
}

/// Spends all that a poll by our runtime has to spend, its reserve too.
pub(crate) fn spend_all(context: &mut Context<'_>) {
    let set = Event::new();
    set.set();
    while pin!(set.wait()).poll(context).is_ready() {}
}

/// Two begin to wait in a poll that has nothing left to spend: they stand in line all the same. (Bug bank, R14.)
pub(crate) fn stands_in_line_without_a_budget<W: Future>(wait: impl Fn() -> W, happen: impl Fn()) {
    let notes = Arc::<Mutex<Vec<usize>>>::default();
    let mut waits = [Box::pin(wait()), Box::pin(wait())];
    runtime::block_on(poll_fn(|context| {
        spend_all(context);
        for (number, wait) in waits.iter_mut().enumerate() {
            assert!(wait.as_mut().poll(&mut Context::from_waker(&Notes::waker(number, &notes))).is_pending());
        }
        Poll::Ready(())
    }));
    notes.lock().unwrap().clear();
    happen();
    assert_eq!(*notes.lock().unwrap(), [0, 1], "they were not in line");
}

/// An event that makes the three mistakes: it asks for the budget before it gets in line; it wakes the last one first; and it keeps
/// the waker of whoever goes.
#[derive(Default)]
struct Twin(Mutex<Vec<Waker>>);

impl Twin {
    async fn wait(&self) {
        let always = Event::new();
        always.set();
        always.wait().await;
        poll_fn(|context| {
            self.0.lock().unwrap().push(context.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    }

    fn set(&self) {
        let mut wakers = std::mem::take(&mut *self.0.lock().unwrap());
        while let Some(waker) = wakers.pop() {
            waker.wake();
        }
    }
}

#[test]
fn the_broken_twin_fails() {
    let must_fail = |words: &str, test: &dyn Fn(&Twin)| {
        let twin = Twin::default();
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&twin))).unwrap_err();
        let said = payload.downcast_ref::<String>().expect("an assertion's text");
        assert!(said.contains(words), "it fails with `{said}`");
    };
    must_fail("out of turn", &|twin| wakes_in_order(|| twin.wait(), || twin.set()));
    must_fail("they were not in line", &|twin| stands_in_line_without_a_budget(|| twin.wait(), || twin.set()));
    must_fail("of one that is gone", &|twin| keeps_no_waker(|| twin.wait(), || twin.set()));
}

pub(crate) fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

#[test]
fn setting_it_wakes_all_in_the_order_in_which_they_came() {
    let event = Event::new();
    wakes_in_order(|| event.wait(), || event.set());
}

#[test]
fn whoever_waited_passes_though_it_is_cleared() {
    let event = Event::new();
    let mut waits = [Box::pin(event.wait()), Box::pin(event.wait())];
    waits.iter_mut().for_each(|wait| assert!(poll(wait.as_mut()).is_pending()));
    event.set();
    assert!(event.clear());
    let mut late = pin!(event.wait());
    assert!(poll(late.as_mut()).is_pending(), "it is not set any more");
    waits.iter_mut().for_each(|wait| assert!(poll(wait.as_mut()).is_ready()));
    assert!(!event.clear());
    event.set();
    assert!(poll(late).is_ready());
    assert!(event.is_set());
}

#[test]
fn one_who_saw_it_set_with_nothing_left_to_spend_passes_though_it_is_cleared() {
    let event = Event::new();
    event.set();
    let mut wait = pin!(event.wait());
    runtime::block_on(poll_fn(|context| {
        spend_all(context);
        assert!(wait.as_mut().poll(context).is_pending(), "there is nothing left to spend");
        Poll::Ready(())
    }));
    event.clear();
    assert!(poll(wait).is_ready());
}

#[test]
fn it_stands_in_line_without_a_budget() {
    let event = Event::new();
    stands_in_line_without_a_budget(|| event.wait(), || event.set());
}

#[test]
fn wakers_leave_the_lock_before_they_are_used() {
    static EVENT: Event = Event::new();
    wakers_may_call_back(
        || EVENT.wait(),
        || EVENT.set(),
        || _ = pin!(EVENT.wait()).poll(&mut Context::from_waker(Waker::noop())),
    );
}

#[test]
fn it_keeps_no_waker() {
    let event = Event::new();
    keeps_no_waker(|| event.wait(), || event.set());
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_being_woken() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker's own");
        }
    }
    let (event, notes) = (Event::new(), Arc::default());
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(event.wait())).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        let waker = if number == 1 { Waker::from(Arc::new(Panics)) } else { Notes::waker(number, &notes) };
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| event.set())).unwrap_err();
    assert_eq!(*notes.lock().unwrap(), [0, 2]);
    assert!(waits.iter_mut().all(|wait| poll(wait.as_mut()).is_ready()));
}

#[test]
fn a_wait_that_is_cut_at_any_poll_leaves_the_others_as_they_were() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let event = Arc::new(Event::new());
            let wait = |event: Arc<Event>| async move { event.wait().await };
            let first = spawn(wait(event.clone()));
            let cut = spawn(cut_after(polls, wait(event.clone())));
            let last = spawn(wait(event.clone()));
            yield_now().await;
            event.set();
            event.clear();
            first.await.unwrap();
            last.await.unwrap();
            cut.await.unwrap().is_none()
        })
    });
}

#[test]
fn it_runs_on_any_executor() {
    async fn both_ways() {
        let (here, there) = (Arc::new(Event::new()), Arc::new(Event::new()));
        let thread = thread::spawn({
            let (here, there) = (here.clone(), there.clone());
            move || {
                here.set();
                by_hand(there.wait());
            }
        });
        here.wait().await;
        there.set();
        thread.join().unwrap();
    }
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn a_wait_goes_to_another_thread() {
    fn may_go<T: Send + Sync>(_: &T) {}
    let event = Event::new();
    may_go(&event);
    may_go(&event.wait());
    let _unpin: Pin<&mut _> = Pin::new(&mut event.wait());
}
