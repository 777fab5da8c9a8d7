//! `sync::watch`, seen from outside.

use super::{
    event::{keeps_no_waker, spend_all, stands_in_line_without_a_budget, virtual_clock, wakes_in_order},
    support::{Wakes, at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    spawn,
    sync::watch::{Closed, Receiver, Sender, channel},
    yield_now,
};
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
};

fn waits(receiver: &mut Receiver<u32>) -> bool {
    poll(pin!(receiver.changed())).is_pending()
}

#[test]
fn a_receiver_sees_the_newest_value_and_skips_the_others() {
    let (sender, mut receiver) = channel(0);
    assert!(waits(&mut receiver), "the first value counts as seen");
    for number in 1..=3 {
        sender.send(number).unwrap();
    }
    assert_eq!(poll(pin!(receiver.changed())), Poll::Ready(Ok(())));
    assert_eq!(*receiver.get(), 3);
    assert!(waits(&mut receiver));
}

#[test]
fn a_look_does_not_count_unless_it_says_so() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).unwrap();
    assert_eq!((*receiver.get(), receiver.has_changed()), (1, Ok(true)));
    assert_eq!((*receiver.get_and_update(), receiver.has_changed()), (1, Ok(false)));
}

/// The same value once more is news too: it is not compared.
#[test]
fn an_equal_value_is_a_new_one() {
    let (sender, mut receiver) = channel(7);
    sender.send(7).unwrap();
    assert_eq!(poll(pin!(receiver.changed())), Poll::Ready(Ok(())));
}

#[test]
fn a_clone_has_seen_what_the_original_has_and_a_subscriber_the_newest() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).unwrap();
    let mut clone = receiver.clone();
    let mut subscriber = sender.subscribe();
    assert!(!waits(&mut clone) && !waits(&mut receiver) && waits(&mut subscriber));
    assert_eq!(sender.receiver_count(), 3);
}

#[test]
fn what_each_end_finds_when_the_other_is_gone() {
    // The senders, with the newest value seen, and not seen.
    for seen in [true, false] {
        let (sender, mut receiver) = channel(0);
        sender.send(1).unwrap();
        if seen {
            receiver.get_and_update();
        }
        let other = sender.clone();
        drop(sender);
        assert_eq!(receiver.has_changed(), Ok(!seen), "one is left");
        drop(other);
        assert_eq!(receiver.has_changed(), if seen { Err(Closed) } else { Ok(true) });
        if !seen {
            assert_eq!(poll(pin!(receiver.changed())), Poll::Ready(Ok(())));
        }
        assert_eq!(poll(pin!(receiver.changed())), Poll::Ready(Err(Closed)));
        assert_eq!((*receiver.get(), *receiver.get_and_update()), (1, 1), "the last value stays");
        assert!(matches!(poll(pin!(receiver.wait_for(|number| *number == 1))), Poll::Ready(Ok(one)) if *one == 1));
        assert_eq!(poll(pin!(receiver.wait_for(|number| *number == 2))), Poll::Ready(Err(Closed)));
    }
    // The receivers.
    let (sender, receiver) = channel(0);
    let mut closed = pin!(sender.closed());
    assert!(poll(closed.as_mut()).is_pending() && !sender.is_closed());
    drop(receiver);
    assert!(poll(closed.as_mut()).is_ready() && sender.is_closed());
    assert_eq!((sender.send(1), *sender.get()), (Err(1), 0), "it is not put there");
    assert_eq!((*sender.send_replace(2), *sender.get()), (0, 2), "this one is");
    sender.send_modify(|number| *number += 1);
    let mut late = sender.subscribe();
    assert!(!sender.is_closed() && waits(&mut late));
    assert_eq!((*late.get(), sender.send(4), *late.get_and_update()), (3, Ok(()), 4));
}

#[test]
fn one_who_heard_of_the_end_of_the_receivers_returns_though_another_came() {
    let (sender, receiver) = channel(0);
    let mut closed = pin!(sender.closed());
    assert!(poll(closed.as_mut()).is_pending());
    drop(receiver);
    let _late = sender.subscribe();
    assert!(poll(closed).is_ready());
    assert!(poll(pin!(sender.closed())).is_pending());
}

#[test]
fn a_change_that_is_none_wakes_nobody() {
    let (sender, mut receiver) = channel(0);
    let (wakes, waker) = Wakes::waker();
    let mut changed = pin!(receiver.changed());
    assert!(changed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(!sender.send_if_modified(|number| {
        *number = 5;
        false
    }));
    assert_eq!((wakes.count(), *sender.get()), (0, 0));
    assert!(sender.send_if_modified(|number| {
        *number = 5;
        true
    }));
    assert_eq!((wakes.count(), *sender.get()), (1, 5));
}

/// A change runs without a lock, and again if somebody else was faster.
#[test]
fn a_change_that_was_overtaken_is_made_again() {
    let (sender, receiver) = channel(vec![0]);
    let mut calls = 0;
    sender.send_modify(|list| {
        calls += 1;
        if calls == 1 {
            sender.send(vec![1, 2]).unwrap();
        }
        list.push(9);
    });
    assert_eq!((calls, &**receiver.get()), (2, &[1, 2, 9][..]));
}

#[test]
fn a_change_that_panics_sends_nothing() {
    let (sender, receiver) = channel(1);
    let panics = || sender.send_modify(|_| panic!("the closure's own"));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!((receiver.has_changed(), *receiver.get()), (Ok(false), 1));
    sender.send(2).unwrap();
    assert_eq!(*receiver.get(), 2);
}

/// A snapshot keeps nobody waiting, and is what it was.
#[test]
fn a_snapshot_is_held_as_long_as_one_likes() {
    let (sender, receiver) = channel(1);
    let one = receiver.get();
    for number in 2..=4 {
        sender.send(number).unwrap();
    }
    assert_eq!((*one, *receiver.get()), (1, 4));
}

/// The values' own code (a drop, a clone, a predicate) may use the channel.
#[test]
fn no_code_of_the_values_runs_under_the_lock() {
    struct CallsBack(Receiver<Option<CallsBack>>, Arc<AtomicUsize>);
    impl Drop for CallsBack {
        fn drop(&mut self) {
            drop(self.0.get());
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    impl Clone for CallsBack {
        fn clone(&self) -> Self {
            drop(self.0.get());
            self.1.fetch_add(100, Ordering::SeqCst);
            Self(self.0.clone(), self.1.clone())
        }
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let (sender, mut receiver) = channel(None);
    let value = || Some(CallsBack(receiver.clone(), calls.clone()));
    assert!(sender.send(value()).is_ok());
    assert!(sender.send(value()).is_ok());
    drop(sender.send_replace(value()));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    sender.send_modify(|value| assert!(value.is_some() && sender.get().is_some()));
    assert_eq!(calls.load(Ordering::SeqCst), 103);
    let wait = receiver.wait_for(|value| value.is_some() && sender.get().is_some());
    assert!(matches!(poll(pin!(wait)), Poll::Ready(Ok(_))));
    // Whose drop would keep its own channel.
    drop(sender.send_replace(None));
    assert_eq!(calls.load(Ordering::SeqCst), 104);
}

#[test]
fn receivers_are_woken_in_the_order_in_which_they_came() {
    let (sender, receiver) = channel(0);
    let wait = || {
        let mut receiver = sender.subscribe();
        async move { receiver.changed().await }
    };
    wakes_in_order(wait, || sender.send(1).unwrap());
    stands_in_line_without_a_budget(wait, || sender.send(2).unwrap());
    keeps_no_waker(wait, || sender.send(3).unwrap());
    drop(receiver);
    let receiver = std::cell::RefCell::new(Some(sender.subscribe()));
    let unwatched = || drop(receiver.borrow_mut().take());
    wakes_in_order(|| sender.closed(), unwatched);
    *receiver.borrow_mut() = Some(sender.subscribe());
    stands_in_line_without_a_budget(|| sender.closed(), unwatched);
    *receiver.borrow_mut() = Some(sender.subscribe());
    keeps_no_waker(|| sender.closed(), unwatched);
}

#[test]
fn wakers_leave_the_lock_before_they_are_used() {
    let (sender, receiver) = channel(0);
    let called = sender.clone();
    let call_back = move || assert!(called.receiver_count() < 9);
    let wait = || {
        let mut receiver = receiver.clone();
        async move { receiver.changed().await }
    };
    wakers_may_call_back(wait, || sender.send(1).unwrap(), call_back.clone());
    drop(call_back);

    // The end of the senders, the last of which the callback cannot have.
    let (sender, receiver) = channel(0);
    let sender = Cell::new(Some(sender));
    let called = receiver.clone();
    let wait = || {
        let mut receiver = receiver.clone();
        async move { receiver.changed().await }
    };
    wakers_may_call_back(wait, || drop(sender.take()), move || assert_eq!(*called.get(), 0));

    // And of the receivers.
    let (sender, receiver) = channel(0);
    let (receiver, called) = (Cell::new(Some(receiver)), sender.clone());
    wakers_may_call_back(|| sender.closed(), || drop(receiver.take()), move || assert!(called.receiver_count() < 9));
}

#[test]
fn a_value_counts_as_seen_only_when_it_is_told_of() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).unwrap();
    runtime::block_on(poll_fn(|context| {
        spend_all(context);
        assert!(pin!(receiver.changed()).poll(context).is_pending(), "there is nothing left to spend");
        Poll::Ready(())
    }));
    assert_eq!(receiver.has_changed(), Ok(true));
}

#[test]
fn a_wait_that_is_cut_at_any_poll_loses_no_value() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let (sender, mut receiver) = channel(0);
            let receiving = spawn(async move {
                let cut = cut_after(polls, receiver.changed()).await.is_none();
                if cut {
                    receiver.changed().await.unwrap();
                }
                assert_eq!((*receiver.get_and_update(), receiver.has_changed()), (1, Ok(false)));
                cut
            });
            yield_now().await;
            sender.send(1).unwrap();
            receiving.await.unwrap()
        })
    });
}

#[test]
fn it_runs_on_any_executor() {
    async fn both_ways() {
        let (sender, mut receiver) = channel(0);
        let (answer, mut answers) = channel(0);
        let thread = thread::spawn(move || {
            by_hand(async move {
                while receiver.changed().await.is_ok() {
                    let _ = answer.send(*receiver.get());
                }
            });
        });
        for number in 1..=100 {
            sender.send(number).unwrap();
            answers.wait_for(|answer| *answer == number).await.unwrap();
        }
        drop(sender);
        assert_eq!(answers.wait_for(|answer| *answer > 100).await, Err(Closed));
        thread.join().unwrap();
    }
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn its_ends_go_to_another_thread_with_what_may_be_shared() {
    fn may_go<T: Send + Sync>(_: &T) {}
    let (sender, mut receiver) = channel(0);
    may_go::<Sender<u32>>(&sender);
    may_go::<Receiver<u32>>(&receiver);
    may_go(&receiver.changed());
    may_go(&sender.closed());
}
