//! `sync::broadcast`, seen from outside.

use super::{
    event::{keeps_no_waker, spend_all, stands_in_line_without_a_budget, virtual_clock, wakes_in_order},
    support::{at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    spawn,
    sync::broadcast::{Receiver, RecvError, Sender, TryRecvError, channel},
    yield_now,
};
use std::{
    cell::Cell,
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
};

#[test]
fn every_receiver_sees_all_that_was_sent_since_it_subscribed() {
    let (sender, mut first) = channel(8);
    assert_eq!(sender.send(1), Ok(1));
    let mut second = sender.subscribe();
    let mut third = first.resubscribe();
    assert_eq!(sender.send(2), Ok(3));
    assert_eq!((first.try_recv(), first.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((second.try_recv(), third.try_recv()), (Ok(2), Ok(2)));
    for receiver in [&mut first, &mut second, &mut third] {
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_slow_receiver_is_told_what_it_missed_and_goes_on_with_the_oldest() {
    for capacity in [1, 2, 3, 7] {
        let (sender, mut slow) = channel(capacity);
        let mut fast = sender.subscribe();
        for number in 0..20 {
            sender.send(number).unwrap();
            assert_eq!(fast.try_recv(), Ok(number));
        }
        assert_eq!((slow.len(), sender.len()), (capacity, capacity));
        let missed = 20 - capacity as u64;
        assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(missed)));
        for number in missed..20 {
            assert_eq!(slow.try_recv(), Ok(number));
        }
        assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn what_each_end_finds_when_the_other_is_gone() {
    let (sender, mut receiver) = channel(2);
    for number in 1..=3 {
        sender.send(number).unwrap();
    }
    let other = sender.clone();
    drop(sender);
    drop(other);
    assert_eq!(poll(pin!(receiver.recv())), Poll::Ready(Err(RecvError::Lagged(1))));
    assert_eq!(poll(pin!(receiver.recv())), Poll::Ready(Ok(2)));
    assert_eq!(receiver.try_recv(), Ok(3));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(poll(pin!(receiver.recv())), Poll::Ready(Err(RecvError::Closed)));

    let (sender, receiver) = channel(2);
    drop(receiver);
    assert_eq!((sender.send(1), sender.receiver_count(), sender.len()), (Err(1), 0, 0));
    let mut late = sender.subscribe();
    assert_eq!((sender.send(2), late.try_recv()), (Ok(1), Ok(2)));
}

#[test]
fn a_message_that_nobody_has_to_see_is_dropped() {
    let message = Arc::new(());
    let kept = || Arc::strong_count(&message) - 1;
    let (sender, mut one) = channel(2);
    let two = sender.subscribe();
    sender.send(message.clone()).unwrap();
    sender.send(message.clone()).unwrap();
    assert_eq!(kept(), 2);
    drop(one.try_recv().unwrap());
    assert_eq!(kept(), 2, "the other one has to see it");
    drop(two);
    assert_eq!(kept(), 1, "the one that only it had not seen is gone");
    sender.send(message.clone()).unwrap();
    sender.send(message.clone()).unwrap();
    assert_eq!(kept(), 2, "the ring was full");
    drop(one);
    assert_eq!((kept(), sender.len()), (0, 0));
}

/// The last one to see a message gets that very message.
#[test]
fn one_receiver_needs_no_clone() {
    struct NotCloned(u32);
    impl Clone for NotCloned {
        fn clone(&self) -> Self {
            panic!("it was cloned");
        }
    }
    let (sender, mut receiver) = channel(2);
    for number in 0..5 {
        assert!(sender.send(NotCloned(number)).is_ok());
        assert_eq!(receiver.try_recv().map(|message| message.0), Ok(number));
    }
}

/// A message's own code (its clone, its drop) may use the channel.
#[test]
fn no_code_of_the_messages_runs_under_the_lock() {
    type Calls = Arc<AtomicUsize>;
    struct CallsBack(Sender<CallsBack>, Calls);
    impl CallsBack {
        fn call(&self) {
            assert!(self.0.len() < 9);
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    impl Clone for CallsBack {
        fn clone(&self) -> Self {
            self.call();
            Self(self.0.clone(), self.1.clone())
        }
    }
    impl Drop for CallsBack {
        fn drop(&mut self) {
            self.call();
        }
    }
    let calls = Calls::default();
    let called = |expected: usize| assert_eq!(calls.swap(0, Ordering::SeqCst), expected);
    let (sender, mut one) = channel(1);
    let two = sender.subscribe();
    let send = || assert!(sender.send(CallsBack(sender.clone(), calls.clone())).is_ok());
    send();
    send();
    called(1); // the first one was replaced
    assert!(one.try_recv().is_err_and(|error| error == TryRecvError::Lagged(1)));
    let message = one.try_recv().ok();
    called(1); // cloned
    drop(message);
    called(1);
    drop(two);
    called(1); // the one that only it had not seen
}

#[test]
fn receivers_are_woken_in_the_order_in_which_they_came() {
    let (sender, _receiver) = channel(8);
    let wait = || {
        let mut receiver = sender.subscribe();
        async move { receiver.recv().await }
    };
    wakes_in_order(wait, || _ = sender.send(1));
    stands_in_line_without_a_budget(wait, || _ = sender.send(2));
    keeps_no_waker(wait, || _ = sender.send(3));
}

#[test]
fn wakers_leave_the_lock_before_they_are_used() {
    let (sender, receiver) = channel(8);
    let receiver = Arc::new(receiver);
    let called = receiver.clone();
    let wait = || {
        let mut receiver = receiver.resubscribe();
        async move { receiver.recv().await }
    };
    wakers_may_call_back(wait, || _ = sender.send(1), move || assert!(called.len() < 9));
    let (called, sender) = (receiver.clone(), Cell::new(Some(sender)));
    wakers_may_call_back(wait, || drop(sender.take()), move || assert!(called.len() < 9));
}

#[test]
fn a_message_counts_as_seen_only_when_it_is_told_of() {
    let (sender, mut receiver) = channel(1);
    sender.send(1).unwrap();
    runtime::block_on(poll_fn(|context| {
        spend_all(context);
        assert!(pin!(receiver.recv()).poll(context).is_pending(), "there is nothing left to spend");
        Poll::Ready(())
    }));
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn a_receive_that_is_cut_at_any_poll_loses_no_message() {
    at_every_poll(|polls| {
        virtual_clock().block_on(async {
            let (sender, mut receiver) = channel(4);
            let receiving = spawn(async move {
                let cut = cut_after(polls, receiver.recv()).await;
                let first = match cut {
                    Some(message) => message,
                    None => receiver.recv().await,
                };
                assert_eq!((first, receiver.recv().await), (Ok(1), Ok(2)));
                assert_eq!(receiver.recv().await, Err(RecvError::Closed));
                cut.is_none()
            });
            yield_now().await;
            sender.send(1).unwrap();
            yield_now().await;
            sender.send(2).unwrap();
            drop(sender);
            receiving.await.unwrap()
        })
    });
}

/// Against the plainest thing that does the same: a list for each receiver. Steps are drawn from a seed.
#[test]
fn it_does_what_a_list_for_each_receiver_does() {
    struct Model {
        receiver: Receiver<u32>,
        list: VecDeque<u32>,
        missed: u64,
    }
    for seed in 1..=50_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let capacity = 1 + draw(5) as usize;
        let (sender, receiver) = channel(capacity);
        let mut models = vec![Model { receiver, list: VecDeque::new(), missed: 0 }];
        for number in 0..500 {
            match draw(10) {
                0 => models.push(Model { receiver: sender.subscribe(), list: VecDeque::new(), missed: 0 }),
                1 if !models.is_empty() => drop(models.swap_remove(draw(models.len() as u64) as usize)),
                2..6 => {
                    let expected = if models.is_empty() { Err(number) } else { Ok(models.len()) };
                    assert_eq!(sender.send(number), expected);
                    for model in &mut models {
                        model.list.push_back(number);
                        if model.list.len() > capacity {
                            model.list.pop_front();
                            model.missed += 1;
                        }
                    }
                }
                _ if !models.is_empty() => {
                    let chosen = draw(models.len() as u64) as usize;
                    let model = &mut models[chosen];
                    let expected = match std::mem::take(&mut model.missed) {
                        0 => model.list.pop_front().ok_or(TryRecvError::Empty),
                        missed => Err(TryRecvError::Lagged(missed)),
                    };
                    assert_eq!(model.receiver.try_recv(), expected, "seed {seed}");
                }
                _ => {}
            }
            assert!(models.iter().all(|model| model.receiver.len() == model.list.len()), "seed {seed}");
            assert_eq!(sender.len(), models.iter().map(|model| model.list.len()).max().unwrap_or(0), "seed {seed}");
        }
    }
}

/// A receiver sees all in the order in which they were sent, or is told how many it missed: with senders and receivers on
/// threads of their own, all is accounted for.
#[test]
fn nothing_goes_unaccounted_between_threads() {
    const EACH: u64 = 2_000;
    let (sender, receiver) = channel(64);
    let receiving: Vec<_> = (0..2)
        .map(|_| {
            let mut receiver = receiver.resubscribe();
            thread::spawn(move || {
                by_hand(async move {
                    let (mut accounted, mut latest) = (0, [None; 2]);
                    loop {
                        match receiver.recv().await {
                            Ok((who, number)) => {
                                assert!(latest[who] < Some(number), "out of order");
                                latest[who] = Some(number);
                                accounted += 1;
                            }
                            Err(RecvError::Lagged(missed)) => accounted += missed,
                            Err(RecvError::Closed) => return accounted,
                        }
                    }
                })
            })
        })
        .collect();
    drop(receiver);
    let sending: Vec<_> = (0..2)
        .map(|who| {
            let sender = sender.clone();
            thread::spawn(move || (0..EACH).for_each(|number| assert_eq!(sender.send((who, number)), Ok(2))))
        })
        .collect();
    drop(sender);
    sending.into_iter().for_each(|thread| thread.join().unwrap());
    for thread in receiving {
        assert_eq!(thread.join().unwrap(), 2 * EACH);
    }
}

#[test]
fn it_runs_on_any_executor() {
    async fn both_ways() {
        let (sender, mut receiver) = channel(4);
        let (answer, mut answers) = channel(4);
        let thread = thread::spawn(move || {
            by_hand(async move {
                while let Ok(number) = receiver.recv().await {
                    answer.send(number).unwrap();
                }
            });
        });
        for number in 1..=100 {
            sender.send(number).unwrap();
            assert_eq!(answers.recv().await, Ok(number));
        }
        drop(sender);
        assert_eq!(answers.recv().await, Err(RecvError::Closed));
        thread.join().unwrap();
    }
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

/// Whether a type has a marker trait: an inherent constant, if its bound holds, hides that of the trait.
macro_rules! has {
    ($type:ty: $marker:ident) => {{
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        trait Otherwise {
            const HAS: bool = false;
        }
        #[allow(dead_code, reason = "only its type is asked")]
        struct Probe<T>(std::marker::PhantomData<T>);
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        impl<T: $marker> Probe<T> {
            const HAS: bool = true;
        }
        Probe::<$type>::HAS
    }};
}

/// R47, tokio #7232 (RUSTSEC-2025-0023): receivers on several threads clone one message at once. So what is `Send`, but may
/// not be used by two threads at once, stays on its thread; the watch channel hands out the value itself, and must do likewise.
#[test]
fn a_message_that_must_not_be_cloned_by_two_threads_at_once_stays_on_its_thread() {
    use runtime::sync::watch;
    type NotShared = Cell<u32>; // `Send` and `Clone`, and not `Sync`
    type NotSent = std::sync::MutexGuard<'static, u32>; // `Sync`, and not `Send`
    assert!(has!(NotShared: Send) && !has!(NotShared: Sync));
    // The broken twin: one lock around it all, which guards what is in it from two threads, but not its clones.
    assert!(has!(Arc<std::sync::Mutex<NotShared>>: Send) && has!(Arc<std::sync::Mutex<NotShared>>: Sync));
    assert!(has!(Sender<u32>: Send) && has!(Sender<u32>: Sync));
    assert!(has!(Receiver<u32>: Send) && has!(Receiver<u32>: Sync));
    assert!(!has!(Sender<NotShared>: Send) && !has!(Sender<NotShared>: Sync));
    assert!(!has!(Receiver<NotShared>: Send) && !has!(Receiver<NotShared>: Sync));
    assert!(!has!(Sender<NotSent>: Send) && !has!(Receiver<NotSent>: Send));
    assert!(!has!(watch::Sender<NotShared>: Send) && !has!(watch::Sender<NotShared>: Sync));
    assert!(!has!(watch::Receiver<NotShared>: Send) && !has!(watch::Receiver<NotShared>: Sync));
    assert!(!has!(watch::Sender<NotSent>: Send) && !has!(watch::Receiver<NotSent>: Send));
}
