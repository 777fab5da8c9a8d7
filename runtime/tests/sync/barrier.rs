//! `sync::Barrier`, seen from outside.

use super::{
    event::{keeps_no_waker, spend_all, stands_in_line_without_a_budget, virtual_clock, wakes_in_order},
    support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    spawn,
    sync::{Barrier, BarrierWaitResult, Broken},
    yield_now,
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
};

type Passes<'a> = Pin<Box<dyn Future<Output = Result<BarrierWaitResult, Broken>> + 'a>>;

/// So many wait, and are polled once.
fn waits(barrier: &Barrier, count: usize) -> Vec<Passes<'_>> {
    let mut waits: Vec<Passes<'_>> = (0..count).map(|_| Box::pin(barrier.wait()) as Passes<'_>).collect();
    waits.iter_mut().for_each(|wait| assert!(poll(wait.as_mut()).is_pending()));
    waits
}

fn index(passed: Poll<Result<BarrierWaitResult, Broken>>) -> usize {
    let Poll::Ready(Ok(passed)) = passed else { panic!("it was to pass: {passed:?}") };
    passed.index()
}

#[test]
fn all_pass_when_the_last_one_comes_and_each_has_an_index() {
    let barrier = Barrier::new(3);
    for _ in 0..2 {
        let mut first = waits(&barrier, 2);
        assert_eq!(barrier.n_waiting(), 2);
        let Poll::Ready(Ok(last)) = poll(pin!(barrier.wait())) else { panic!("it does not wait") };
        assert!(last.is_leader() && last.index() == 2);
        assert_eq!(barrier.n_waiting(), 0);
        let others: Vec<_> = first.iter_mut().map(|wait| index(poll(wait.as_mut()))).collect();
        assert_eq!(others, [0, 1]);
    }
}

#[test]
fn whoever_comes_while_a_round_leaves_is_in_the_next() {
    let barrier = Barrier::new(2);
    let mut slow = waits(&barrier, 1);
    assert_eq!(index(poll(pin!(barrier.wait()))), 1);
    let mut next = waits(&barrier, 1);
    assert_eq!(barrier.n_waiting(), 1);
    assert_eq!(index(poll(pin!(barrier.wait()))), 1);
    assert_eq!(index(poll(next[0].as_mut())), 0);
    assert_eq!(index(poll(slow[0].as_mut())), 0);
}

#[test]
fn one_who_goes_leaves_the_count_and_its_index() {
    let barrier = Barrier::new(3);
    let mut first = waits(&barrier, 2);
    drop(first.remove(0));
    assert_eq!(barrier.n_waiting(), 1);
    first.extend(waits(&barrier, 1));
    assert_eq!(index(poll(pin!(barrier.wait()))), 2);
    assert_eq!(first.iter_mut().map(|wait| index(poll(wait.as_mut()))).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn one_who_goes_after_the_round_was_complete_has_been_counted() {
    let barrier = Barrier::new(3);
    let mut first = waits(&barrier, 2);
    assert_eq!(index(poll(pin!(barrier.wait()))), 2);
    drop(first.remove(0));
    assert_eq!((index(poll(first[0].as_mut())), barrier.n_waiting()), (1, 0));
}

/// | | waits | comes later | was released, and has not run |
/// |---|---|---|---|
/// | reset | broken | waits | passes |
/// | abort | broken | broken | passes |
#[test]
fn what_breaks_and_what_does_not() {
    for aborts in [false, true] {
        let barrier = Barrier::new(2);
        let mut released = waits(&barrier, 1);
        assert_eq!(index(poll(pin!(barrier.wait()))), 1);
        let mut waiting = waits(&barrier, 1);
        if aborts {
            barrier.abort()
        } else {
            barrier.reset()
        }
        assert_eq!((barrier.n_waiting(), barrier.is_broken()), (0, aborts));
        let mut later = Box::pin(barrier.wait());
        assert_eq!(poll(later.as_mut()), if aborts { Poll::Ready(Err(Broken)) } else { Poll::Pending });
        assert_eq!(poll(waiting[0].as_mut()), Poll::Ready(Err(Broken)));
        assert_eq!(index(poll(released[0].as_mut())), 0, "its round was complete");
        drop(later);
        barrier.reset();
        assert!(!barrier.is_broken());
        let mut again = waits(&barrier, 1);
        assert_eq!((index(poll(pin!(barrier.wait()))), index(poll(again[0].as_mut()))), (1, 0));
    }
}

#[test]
#[should_panic(expected = "a barrier is for one party at least")]
fn no_parties_are_refused() {
    Barrier::new(0);
}

#[test]
fn all_are_woken_in_the_order_in_which_they_came() {
    let barrier = Barrier::new(6);
    wakes_in_order(|| barrier.wait(), || assert_eq!(index(poll(pin!(barrier.wait()))), 5));
    wakes_in_order(|| barrier.wait(), || barrier.reset());
    let barrier = Barrier::new(3);
    stands_in_line_without_a_budget(|| barrier.wait(), || barrier.abort());
}

/// With nothing left to spend, the last one goes on: a round has its leader. The others keep what they were told.
#[test]
fn a_round_has_its_leader_and_a_result_is_not_lost_without_a_budget() {
    let barrier = Barrier::new(2);
    let mut first = waits(&barrier, 1);
    runtime::block_on(poll_fn(|context| {
        spend_all(context);
        let last = pin!(barrier.wait()).poll(context);
        assert!(matches!(last, Poll::Ready(Ok(passed)) if passed.is_leader()));
        assert!(first[0].as_mut().poll(context).is_pending(), "there is nothing left to spend");
        Poll::Ready(())
    }));
    barrier.reset();
    assert_eq!(index(poll(first[0].as_mut())), 0);
}

/// Alone, it gives way: one who passes again and again does not starve the others.
#[test]
fn a_barrier_for_one_spends_its_budget() {
    virtual_clock().block_on(async {
        let other = spawn(async {});
        let barrier = Barrier::new(1);
        for _ in 0..1_000 {
            assert_eq!(barrier.wait().await.map(|passed| passed.index()), Ok(0));
        }
        assert!(other.is_finished());
    });
}

#[test]
fn wakers_leave_the_lock_before_they_are_used() {
    let barrier = Arc::new(Barrier::new(2));
    for breaks in [false, true] {
        let called = barrier.clone();
        wakers_may_call_back(
            || barrier.wait(),
            || if breaks { barrier.abort() } else { _ = poll(pin!(barrier.wait())) },
            move || assert!(called.n_waiting() < 2),
        );
    }
}

#[test]
fn it_keeps_no_waker() {
    let barrier = Barrier::new(3);
    keeps_no_waker(|| barrier.wait(), || barrier.reset());
}

/// One of three is cut at whichever poll, and somebody comes in its place if it was not counted: all pass.
#[test]
fn a_waiter_that_is_cut_at_any_poll_keeps_nobody() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let barrier = Arc::new(Barrier::new(3));
            let wait = |barrier: Arc<Barrier>| async move { barrier.wait().await.unwrap().index() };
            let cut = spawn(cut_after(polls, wait(barrier.clone())));
            let second = spawn(wait(barrier.clone()));
            yield_now().await;
            let counted = barrier.n_waiting() == 2;
            let third = spawn(wait(barrier.clone()));
            let fourth = (!counted).then(|| spawn(wait(barrier.clone())));
            second.await.unwrap();
            third.await.unwrap();
            if let Some(fourth) = fourth {
                fourth.await.unwrap();
            }
            assert_eq!(barrier.n_waiting(), 0);
            cut.await.unwrap().is_none()
        })
    });
}

#[test]
fn it_runs_on_any_executor() {
    const ROUNDS: usize = 100;
    async fn rounds(shared: Arc<(Barrier, AtomicUsize)>) {
        for round in 1..=ROUNDS {
            shared.1.fetch_add(1, Ordering::Relaxed);
            shared.0.wait().await.unwrap();
            assert_eq!(shared.1.load(Ordering::Relaxed), 2 * round, "somebody is missing");
            shared.0.wait().await.unwrap();
        }
    }
    async fn both_ways() {
        let shared = Arc::new((Barrier::new(2), AtomicUsize::new(0)));
        let thread = thread::spawn({
            let shared = shared.clone();
            move || by_hand(rounds(shared))
        });
        rounds(shared).await;
        thread.join().unwrap();
    }
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn a_wait_goes_to_another_thread() {
    fn may_go<T: Send + Sync>(_: &T) {}
    let barrier = Barrier::new(2);
    may_go(&barrier);
    may_go(&barrier.wait());
}
