//! `sync::mpsc`, seen from outside. (Against a model, with random steps: `mpsc/model.rs`.)

mod model;
mod pipeline;

use crate::support::{Wakes, at_every_poll, by_hand, cut_after, poll, wakers_may_call_back};
use futures_lite::StreamExt;
use runtime::{
    Runtime, spawn,
    sync::mpsc::{
        Closed, Permit, Receiver, SendError, Sender, TryRecvError, TrySendError, WeakSender, bounded, channel,
        unbounded,
    },
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
};

/// What must hold on any executor, with the other end on another thread.
async fn both_ways() {
    let (sender, mut receiver) = bounded(2);
    let sending = thread::spawn(move || by_hand(async move { send_all(&sender, 0..100).await }));
    for number in 0..100 {
        assert_eq!(receiver.recv().await, Some(number));
    }
    assert_eq!(receiver.recv().await, None);
    sending.join().unwrap();

    let (sender, mut receiver) = channel(2);
    let receiving = thread::spawn(move || {
        by_hand(async move {
            let received = [receiver.recv().await, receiver.recv().await];
            receiver.close();
            received
        })
    });
    send_all(&sender, 0..2).await;
    sender.closed().await;
    assert_eq!(sender.send(2).await, Err(SendError(2)));
    assert_eq!(receiving.join().unwrap(), [Some(0), Some(1)]);
}

async fn send_all(sender: &Sender<u32>, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        sender.send(number).await.unwrap();
    }
}

#[test]
fn it_runs_on_any_executor() {
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn many_threads_lose_nothing_and_keep_each_senders_order() {
    const SENDERS: u32 = 4;
    const EACH: u32 = 2_000;
    let (sender, mut receiver) = bounded(3);
    let threads: Vec<_> = (0..SENDERS)
        .map(|number| {
            let sender = sender.clone();
            thread::spawn(move || by_hand(async move { send_all(&sender, number * EACH..(number + 1) * EACH).await }))
        })
        .collect();
    drop(sender);
    let mut next = [0, 1, 2, 3].map(|number| number * EACH);
    by_hand(async {
        while let Some(number) = receiver.recv().await {
            let next = &mut next[(number / EACH) as usize];
            assert_eq!(number, *next);
            *next += 1;
        }
    });
    assert_eq!(next, [1, 2, 3, 4].map(|number| number * EACH));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_channel_without_slots_is_refused() {
    let refused = catch_unwind(|| bounded::<u8>(0)).unwrap_err();
    assert_eq!(refused.downcast_ref::<&str>(), Some(&"a channel needs at least one slot: its capacity cannot be 0"));
}

#[test]
fn an_unbounded_channel_never_makes_wait() {
    let (sender, mut receiver) = unbounded();
    by_hand(send_all(&sender, 0..10_000));
    assert_eq!((sender.len(), receiver.len(), sender.capacity()), (10_000, 10_000, None));
    drop(sender);
    let mut all = Vec::new();
    assert_eq!(by_hand(receiver.recv_many(&mut all, usize::MAX)), 10_000);
    assert!(all.is_sorted());
}

#[test]
fn it_is_a_stream() {
    let (sender, receiver) = bounded(1);
    let sum = runtime::block_on(async {
        drop(spawn(async move { send_all(&sender, 1..=10).await }));
        receiver.fold(0, |sum, number| sum + number).await
    });
    assert_eq!(sum, 55);
}

// In order

#[test]
fn senders_have_their_slots_in_the_order_in_which_they_came() {
    let (sender, mut receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let mut sends: Vec<_> = (1..=3).map(|number| Box::pin(sender.send(number))).collect();
    sends.iter_mut().for_each(|send| assert!(poll(send.as_mut()).is_pending()));
    for number in 0..3 {
        assert_eq!(receiver.try_recv(), Ok(number));
        assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)), "the slot is the next one's");
        assert!(sender.try_reserve().is_err());
        assert_eq!(poll(sends.remove(0).as_mut()), Poll::Ready(Ok(())));
    }
    assert_eq!(receiver.try_recv(), Ok(3));
    assert_eq!(sender.try_send(9), Ok(()));
}

/// A sender whose turn has come owns the slot though its task has not run; so does a permit.
#[test]
fn reservations_and_sends_stand_in_one_line() {
    let (sender, mut receiver) = bounded(2);
    let (one, two) = (sender.try_reserve().unwrap(), sender.try_reserve().unwrap());
    let (mut send, mut reserve) = (Box::pin(sender.send(3)), Box::pin(sender.reserve()));
    assert!(poll(send.as_mut()).is_pending() && poll(reserve.as_mut()).is_pending());
    two.send(2).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2), "a permit is used when it pleases");
    assert_eq!(poll(send.as_mut()), Poll::Ready(Ok(())));
    assert!(poll(reserve.as_mut()).is_pending());
    drop(one);
    let Poll::Ready(Ok(permit)) = poll(reserve.as_mut()) else { panic!("the slot of the dropped permit is lost") };
    permit.send(4).unwrap();
    let mut both = Vec::new();
    assert_eq!(by_hand(receiver.recv_many(&mut both, 10)), 2);
    assert_eq!(both, [3, 4]);
}

/// Bug bank, R14: one that is told to come again, because its task's budget is spent, has its place in line all the same.
#[test]
fn a_spent_budget_does_not_cost_the_place_in_line() {
    runtime::block_on(async {
        let (spend, mut always) = unbounded();
        (0..1_000).for_each(|_| spend.try_send(()).unwrap());
        let (sender, mut receiver) = bounded(1);
        let (mut first, mut second) = (pin!(sender.send(1)), pin!(sender.send(2)));
        let mut done = Vec::new();
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                while always.poll_recv(context).is_ready() {}
                assert!(first.as_mut().poll(context).is_pending() && second.as_mut().poll(context).is_pending());
                assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)), "the slot is the first one's");
                return Poll::Pending;
            }
            // The second is asked first.
            if !done.contains(&2) && second.as_mut().poll(context).is_ready() {
                done.push(2);
            }
            if !done.contains(&1) && first.as_mut().poll(context).is_ready() {
                done.push(1);
            }
            if done.is_empty() {
                return Poll::Pending;
            }
            if done.len() == 1 {
                assert_eq!(receiver.try_recv(), Ok(1));
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        assert_eq!(done, [1, 2]);
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}

#[test]
fn recv_many_takes_what_is_there_and_no_more_than_it_may() {
    let (sender, mut receiver) = bounded(4);
    let mut values = vec![0];
    assert_eq!(by_hand(receiver.recv_many(&mut values, 0)), 0, "it does not wait for nothing");
    (1..=4).for_each(|number| sender.try_send(number).unwrap());
    let mut waiting: Vec<_> = (5..=7).map(|number| Box::pin(sender.send(number))).collect();
    waiting.iter_mut().for_each(|send| assert!(poll(send.as_mut()).is_pending()));
    assert_eq!(by_hand(receiver.recv_many(&mut values, 2)), 2);
    assert_eq!(values, [0, 1, 2]);
    let sent = waiting.iter_mut().map(|send| poll(send.as_mut()).is_ready()).collect::<Vec<_>>();
    assert_eq!(sent, [true, true, false], "two slots, for the first two");
    assert_eq!(by_hand(receiver.recv_many(&mut values, 100)), 4);
    assert_eq!(values, [0, 1, 2, 3, 4, 5, 6]);
    drop(waiting);
    drop(sender);
    assert_eq!(by_hand(receiver.recv_many(&mut values, 100)), 0);
    assert_eq!(by_hand(receiver.recv_many(&mut values, 100)), 0, "and again (tokio #7991)");
}

// How it ends: the table in the documentation, cell by cell

#[test]
fn the_senders_are_gone() {
    let (sender, mut receiver) = bounded(2);
    let other = sender.clone();
    sender.try_send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "one is left");
    other.try_send(2).unwrap();
    drop(other);
    assert_eq!(by_hand(receiver.recv()), Some(2));
    assert_eq!(by_hand(receiver.recv()), None);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn close_was_called() {
    let (sender, mut receiver) = bounded(3);
    sender.try_send(1).unwrap();
    let permit = sender.try_reserve().unwrap();
    let later = sender.try_reserve().unwrap();
    let (mut turn, mut send, mut reserve) =
        (Box::pin(sender.send(2)), Box::pin(sender.send(3)), Box::pin(sender.reserve()));
    assert!(poll(turn.as_mut()).is_pending() && poll(send.as_mut()).is_pending());
    assert!(poll(reserve.as_mut()).is_pending());
    let mut closed = pin!(sender.closed());
    assert!(poll(closed.as_mut()).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1)); // it is the turn of `turn`
    receiver.close();
    receiver.close();

    assert!(sender.is_closed());
    assert!(poll(closed.as_mut()).is_ready());
    assert_eq!(poll(send.as_mut()), Poll::Ready(Err(SendError(3))), "it waited");
    assert!(matches!(poll(reserve.as_mut()), Poll::Ready(Err(Closed))), "it waited");
    assert_eq!(by_hand(sender.send(4)), Err(SendError(4)), "it is new");
    assert_eq!(by_hand(sender.reserve()).err(), Some(Closed), "it is new");
    assert_eq!(sender.try_send(5), Err(TrySendError::Closed(5)));
    assert_eq!(sender.try_reserve().err(), Some(TrySendError::Closed(())));

    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "three have a slot");
    permit.send(6).unwrap();
    assert_eq!(poll(turn.as_mut()), Poll::Ready(Ok(())), "a slot is a promise");
    assert_eq!(by_hand(receiver.recv()), Some(6));
    assert_eq!(by_hand(receiver.recv()), Some(2));
    assert!(poll(pin!(receiver.recv())).is_pending(), "one has a slot");
    drop(later);
    assert_eq!(by_hand(receiver.recv()), None);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn the_receiver_is_gone() {
    let (sender, mut receiver) = bounded(2);
    sender.try_send(1).unwrap();
    let permit = sender.try_reserve().unwrap();
    let (mut turn, mut send, mut reserve) =
        (Box::pin(sender.send(2)), Box::pin(sender.send(3)), Box::pin(sender.reserve()));
    assert!(poll(turn.as_mut()).is_pending() && poll(send.as_mut()).is_pending());
    assert!(poll(reserve.as_mut()).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1)); // it is the turn of `turn`
    drop(receiver);

    assert!(sender.is_closed());
    by_hand(sender.closed());
    assert_eq!(poll(turn.as_mut()), Poll::Ready(Err(SendError(2))), "it had its turn");
    assert_eq!(poll(send.as_mut()), Poll::Ready(Err(SendError(3))), "it waited");
    assert!(matches!(poll(reserve.as_mut()), Poll::Ready(Err(Closed))), "it waited");
    assert_eq!(permit.send(4), Err(SendError(4)));
    assert_eq!(by_hand(sender.send(5)), Err(SendError(5)), "it is new");
    assert_eq!(by_hand(sender.reserve()).err(), Some(Closed), "it is new");
    assert_eq!(sender.try_send(6), Err(TrySendError::Closed(6)));
    assert_eq!(sender.len(), 0);
}

/// Bug bank, R15 (tokio #8260, #8075): the receiver of a closed channel waits until no slot has an owner; the last to give one
/// back tells it, be it a permit, a sender that had its turn, or a reservation that had.
#[test]
fn whoever_gives_the_last_slot_back_tells_the_receiver_of_a_closed_channel() {
    for owner in 0..3 {
        let (sender, mut receiver) = bounded::<u8>(1);
        let full = sender.try_reserve().unwrap();
        let (mut send, mut reserve) = (Box::pin(sender.send(1)), Box::pin(sender.reserve()));
        let mut full = Some(full);
        if owner == 1 {
            assert!(poll(send.as_mut()).is_pending());
            full = None;
        }
        if owner == 2 {
            assert!(poll(reserve.as_mut()).is_pending());
            full = None;
        }
        receiver.close();
        let (wakes, waker) = Wakes::waker();
        let mut context = Context::from_waker(&waker);
        assert!(receiver.poll_recv(&mut context).is_pending());
        drop((full, send, reserve));
        assert_eq!(wakes.count(), 1, "owner {owner} gave the slot back, and the receiver waits");
        assert_eq!(receiver.poll_recv(&mut context), Poll::Ready(None));
    }
}

#[test]
fn a_forgotten_permit_does_not_keep_the_receiver_for_ever() {
    let (sender, mut receiver) = bounded::<u8>(1);
    std::mem::forget(sender.try_reserve().unwrap());
    receiver.close();
    drop(sender);
    assert_eq!(by_hand(receiver.recv()), None);
}

#[test]
fn a_weak_sender_keeps_nothing_open() {
    let (sender, mut receiver) = bounded(1);
    let weak = sender.downgrade();
    let again = weak.clone().upgrade().unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    again.try_send(1).unwrap();
    drop(again);
    assert_eq!(by_hand(receiver.recv()), Some(1));
    assert_eq!(by_hand(receiver.recv()), None);
    assert!(weak.upgrade().is_none());
}

// Nothing is lost

/// Where nothing is left to wait for, this fails instead of hanging.
fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test)
}

/// Two senders and a receiver; the middle one is cut at every poll. What it says it sent is received, and what not, not; and the
/// others are not disturbed.
#[test]
fn a_send_that_is_cut_loses_no_slot() {
    at_every_poll(|polls| {
        in_virtual_time(async {
            let (sender, mut receiver) = bounded(1);
            sender.send(0).await.unwrap();
            let cut = spawn({
                let sender = sender.clone();
                cut_after(polls, async move { sender.send(1).await })
            });
            yield_now().await;
            let other = spawn(async move { sender.send(2).await });
            yield_now().await;
            let mut received = Vec::new();
            while let Some(number) = receiver.recv().await {
                received.push(number);
            }
            let sent = cut.await.unwrap();
            other.await.unwrap().unwrap();
            assert_eq!(received, if sent.is_some() { vec![0, 1, 2] } else { vec![0, 2] });
            sent.is_none()
        })
    });
}

#[test]
fn a_reservation_that_is_cut_loses_no_slot() {
    at_every_poll(|polls| {
        in_virtual_time(async {
            let (sender, mut receiver) = bounded(1);
            let permit = sender.reserve().await.unwrap();
            let cut = spawn({
                let sender = sender.clone();
                cut_after(polls, async move { sender.reserve().await.map(|permit| permit.send(1)).is_ok() })
            });
            yield_now().await;
            let other = sender.clone();
            let other = spawn(async move { other.send(2).await });
            yield_now().await;
            permit.send(0).unwrap();
            drop(sender);
            let mut received = Vec::new();
            while let Some(number) = receiver.recv().await {
                received.push(number);
            }
            let sent = cut.await.unwrap();
            other.await.unwrap().unwrap();
            assert_eq!(received, if sent.is_some() { vec![0, 1, 2] } else { vec![0, 2] });
            sent.is_none()
        })
    });
}

/// Whatever the receiver has not said that it received, the next one gets.
#[test]
fn a_receive_that_is_cut_loses_no_value() {
    for many in [false, true] {
        at_every_poll(|polls| {
            in_virtual_time(async {
                let (sender, mut receiver) = bounded(1);
                let cut = spawn(async move {
                    let mut received = Vec::new();
                    let receive = async {
                        match many {
                            true => receiver.recv_many(&mut received, 2).await > 0,
                            false => receiver.recv().await.map(|number| received.push(number)).is_some(),
                        }
                    };
                    let cut = cut_after(polls, receive).await.is_none();
                    while let Some(number) = receiver.recv().await {
                        received.push(number);
                    }
                    (cut, received)
                });
                yield_now().await;
                send_all(&sender, 1..=3).await;
                drop(sender);
                let (cut, received) = cut.await.unwrap();
                assert_eq!(received, [1, 2, 3]);
                cut
            })
        });
    }
}

/// Values are user code: their `drop` may use the channel.
#[test]
fn values_are_dropped_when_the_lock_is_given_back() {
    struct Looks(Sender<Looks>, Arc<Mutex<Vec<usize>>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0.len());
        }
    }
    let seen = Arc::default();
    let (sender, mut receiver) = bounded(3);
    for _ in 0..3 {
        assert!(sender.try_send(Looks(sender.clone(), Arc::clone(&seen))).is_ok());
    }
    assert!(receiver.try_recv().is_ok());
    drop(receiver);
    assert!(by_hand(sender.send(Looks(sender.clone(), Arc::clone(&seen)))).is_err());
    let permitless = sender.try_send(Looks(sender.clone(), Arc::clone(&seen)));
    drop(permitless);
    assert_eq!(*seen.lock().unwrap(), [2, 0, 0, 0, 0]);
}

#[test]
fn a_waker_that_panics_keeps_no_sender_from_hearing_of_the_end() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a bad waker");
        }
    }
    let (sender, receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let (mut bad, mut good) = (pin!(sender.send(1)), pin!(sender.send(2)));
    assert!(bad.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::new(Panics)))).is_pending());
    let (wakes, waker) = Wakes::waker();
    assert!(good.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(receiver))).is_err());
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(good), Poll::Ready(Err(SendError(2))));
}

// The bug bank

/// R10 (tokio #7886, #8095): a waker keeps its task alive, and one that a channel keeps for nobody leaks it.
#[test]
fn an_end_that_goes_takes_its_wakers_with_it() {
    let (counted, waker) = Wakes::waker();
    let mut context = Context::from_waker(&waker);
    let before = Arc::strong_count(&counted);

    let (sender, mut receiver) = bounded::<u8>(1);
    assert!(receiver.poll_recv(&mut context).is_pending());
    assert_eq!(Arc::strong_count(&counted), before + 1);
    drop(receiver);
    assert_eq!(Arc::strong_count(&counted), before, "the receiver is gone");
    drop(sender);

    let (sender, mut receiver) = bounded(1);
    {
        let mut recv = pin!(receiver.recv());
        assert!(recv.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(Arc::strong_count(&counted), before, "the wait was given up");
    sender.try_send(0).unwrap();
    {
        let (mut send, mut reserve, mut closed) = (pin!(sender.send(1)), pin!(sender.reserve()), pin!(sender.closed()));
        assert!(send.as_mut().poll(&mut context).is_pending());
        assert!(reserve.as_mut().poll(&mut context).is_pending());
        assert!(closed.as_mut().poll(&mut context).is_pending());
        assert_eq!(Arc::strong_count(&counted), before + 3);
    }
    assert_eq!(Arc::strong_count(&counted), before, "three waits were given up");
}

/// R11: a waker may use the channel, whether it is cloned, dropped or woken.
#[test]
fn wakers_may_use_the_channel() {
    let (sender, receiver) = bounded(1);
    let receiver = RefCell::new(receiver);
    let receive = || poll_fn(|context| receiver.borrow_mut().poll_recv(context));
    let looks = sender.clone();
    wakers_may_call_back(receive, || sender.try_send(1).unwrap(), move || assert!(looks.len() <= 1));
    // It is full now.
    let looks = sender.clone();
    wakers_may_call_back(
        || sender.send(2),
        || assert!(receiver.borrow_mut().try_recv().is_ok()),
        move || assert!(looks.len() <= 1),
    );
    sender.try_send(1).unwrap();
    let looks = sender.clone();
    wakers_may_call_back(
        || sender.reserve(),
        || assert!(receiver.borrow_mut().try_recv().is_ok()),
        move || assert!(looks.len() <= 1),
    );
    let looks = sender.clone();
    wakers_may_call_back(|| sender.closed(), || receiver.borrow_mut().close(), move || assert!(looks.len() <= 1));

    let (sender, receiver) = bounded::<u8>(1);
    let receiver = RefCell::new(receiver);
    let looks = sender.downgrade();
    let mut sender = RefCell::new(Some(sender));
    let receive = || poll_fn(|context| receiver.borrow_mut().poll_recv(context));
    let gone = || drop(sender.borrow_mut().take());
    wakers_may_call_back(receive, gone, move || drop(looks.upgrade()));
    assert!(sender.get_mut().is_none());
}

/// Whether a type has a marker trait: an inherent constant, if its bound holds, hides that of the trait.
macro_rules! has {
    ($type:ty: $marker:ident) => {{
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        trait Otherwise {
            const HAS: bool = false;
        }
        struct Probe<T>(#[allow(dead_code, reason = "only its type is asked")] PhantomData<T>);
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "one of the two constants is hidden")]
        impl<T: $marker> Probe<T> {
            const HAS: bool = true;
        }
        Probe::<$type>::HAS
    }};
}
pub(crate) use has;

/// R47: an end goes to another thread if the values may, and is shared if they may go: nobody looks at a value in the channel.
#[test]
fn ends_let_through_what_may_pass() {
    assert!(has!(Sender<Cell<u8>>: Send) && has!(Sender<Cell<u8>>: Sync));
    assert!(has!(Receiver<Cell<u8>>: Send) && has!(Receiver<Cell<u8>>: Sync));
    assert!(has!(Permit<'static, Cell<u8>>: Send) && has!(WeakSender<Cell<u8>>: Sync));
    assert!(!has!(Sender<Rc<u8>>: Send) && !has!(Sender<Rc<u8>>: Sync));
    assert!(!has!(Receiver<Rc<u8>>: Send) && !has!(Receiver<Rc<u8>>: Sync));
    assert!(!has!(Permit<'static, Rc<u8>>: Send) && !has!(WeakSender<Rc<u8>>: Send));
    assert!(has!(Receiver<std::marker::PhantomPinned>: Unpin), "it is a stream that need not be pinned");
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (sender, mut receiver) = bounded(1);
    drop(is_send(sender.send(Cell::new(1))));
    drop(is_send(sender.reserve()));
    drop(is_send(receiver.recv()));
}

/// The same seed, the same order of things.
#[test]
fn it_repeats_itself_on_the_simulated_runtime() {
    let run = |seed| {
        Runtime::simulated(seed).block_on(async {
            let (sender, mut receiver) = bounded(2);
            for number in 0..10 {
                let sender = sender.clone();
                drop(spawn(async move { sender.send(number).await }));
            }
            drop(sender);
            let mut order = Vec::new();
            while let Some(number) = receiver.recv().await {
                order.push(number);
            }
            order
        })
    };
    for seed in 0..20 {
        let order = run(seed);
        assert_eq!(order.len(), 10);
        assert_eq!(order, run(seed));
    }
}
