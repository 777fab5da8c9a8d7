//! `sync::queue`, seen from outside. (Against a model, with random steps: `queue/model.rs`.)

mod model;

use crate::{
    mpsc::has,
    support::{Wakes, at_every_poll, by_hand, cut_after, poll, wakers_may_call_back},
};
use runtime::{
    Runtime, spawn,
    sync::{
        mpsc,
        queue::{Closed, Item, PriorityQueue, PutError, Queue, Stack, TryGetError, TryPutError, Unfinished},
    },
    yield_now,
};
use std::{
    cell::Cell,
    cmp::Ordering,
    future::{Future, poll_fn},
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    thread,
};

/// What must hold on any executor, with putters and getters on other threads.
async fn both_ways() {
    let queue = Queue::bounded(2);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let queue = queue.clone();
            thread::spawn(move || {
                by_hand(async move {
                    let mut sum = 0;
                    while let Ok(number) = queue.get().await {
                        sum += *number;
                    }
                    sum
                })
            })
        })
        .collect();
    for number in 1..=100 {
        queue.put(number).await.unwrap();
    }
    queue.join().await;
    assert_eq!(queue.unfinished(), 0);
    queue.close();
    assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>(), 5050);
}

#[test]
fn it_runs_on_any_executor() {
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn a_queue_without_slots_is_refused() {
    let refused = catch_unwind(|| Queue::<u8>::bounded(0)).unwrap_err();
    assert_eq!(refused.downcast_ref::<&str>(), Some(&"a queue needs at least one slot: its capacity cannot be 0"));
}

#[test]
fn nobody_passes_those_in_line() {
    let queue = Queue::bounded(1);
    let mut gets: Vec<_> = (0..2).map(|_| Box::pin(queue.get())).collect();
    gets.iter_mut().for_each(|get| assert!(poll(get.as_mut()).is_pending()));
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_get(), Err(TryGetError::Empty), "the item is the first one's");
    assert!(poll(gets[1].as_mut()).is_pending());
    assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)), "it is still in the queue");
    let Poll::Ready(Ok(item)) = poll(gets[0].as_mut()) else { panic!("it was its turn") };
    assert_eq!(*item, 1);
    drop(gets);

    queue.try_put(3).unwrap();
    let mut puts: Vec<_> = (4..=5).map(|number| Box::pin(queue.put(number))).collect();
    puts.iter_mut().for_each(|put| assert!(poll(put.as_mut()).is_pending()));
    assert_eq!(*queue.try_get().unwrap(), 3);
    assert_eq!(queue.try_put(9), Err(TryPutError::Full(9)), "the slot is the first one's");
    assert!(poll(puts[1].as_mut()).is_pending());
    assert_eq!(poll(puts[0].as_mut()), Poll::Ready(Ok(())));
    assert_eq!(*queue.try_get().unwrap(), 4);
    assert_eq!(poll(puts[1].as_mut()), Poll::Ready(Ok(())));
}

/// Bug bank, R14: one that is told to come again, because its task's budget is spent, has its place in line all the same.
#[test]
fn a_spent_budget_does_not_cost_the_place_in_line() {
    runtime::block_on(async {
        let (spend, mut always) = mpsc::unbounded();
        (0..1_000).for_each(|_| spend.try_send(()).unwrap());
        let queue = Queue::bounded(3);
        queue.try_put(1).unwrap();
        let (mut has_one, mut first, mut second) = (pin!(queue.get()), pin!(queue.get()), pin!(queue.get()));
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                while always.poll_recv(context).is_ready() {}
                assert!(has_one.as_mut().poll(context).is_pending());
                assert_eq!(queue.try_get(), Err(TryGetError::Empty), "the item is the first one's");
                assert!(first.as_mut().poll(context).is_pending());
                assert!(second.as_mut().poll(context).is_pending());
                queue.try_put(2).unwrap();
                return Poll::Pending;
            }
            assert!(second.as_mut().poll(context).is_pending(), "it is the turn of another");
            let Poll::Ready(Ok(two)) = first.as_mut().poll(context) else { panic!("it was its turn") };
            let Poll::Ready(Ok(one)) = has_one.as_mut().poll(context) else { panic!("it had one") };
            assert_eq!(*one + *two, 3);
            Poll::Ready(())
        })
        .await;
    });
}

// Done, and not done.

#[test]
fn an_item_is_the_value_and_is_done_once_however_it_goes() {
    let queue = Queue::unbounded();
    (0..4).for_each(|number| queue.try_put(vec![number]).unwrap());
    let mut item = queue.try_get().unwrap();
    item.push(9);
    assert_eq!(*item, [0, 9]);
    assert_eq!(queue.unfinished(), 4);
    drop(item);
    assert_eq!(queue.unfinished(), 3);

    let (value, unfinished) = queue.try_get().unwrap().into_parts();
    assert_eq!((value, queue.unfinished()), (vec![1], 3));
    drop(unfinished);
    assert_eq!(queue.unfinished(), 2);

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _item = queue.try_get();
        panic!("in the middle of the work");
    }));
    assert!(panicked.is_err());
    assert_eq!(queue.unfinished(), 1);
    drop(queue.try_get());
    assert!(poll(pin!(queue.join())).is_ready());
}

#[test]
fn the_value_is_dropped_before_it_counts_as_done() {
    struct Looks(Queue<Looks>, Arc<Mutex<Vec<(usize, usize)>>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.lock().unwrap().push((self.0.len(), self.0.unfinished()));
        }
    }
    let seen = Arc::default();
    let queue = Queue::bounded(2);
    let value = || Looks(queue.clone(), Arc::clone(&seen));
    assert!(queue.try_put(value()).is_ok() && queue.try_put(value()).is_ok());
    assert!(queue.try_put(value()).is_err());
    drop(queue.try_get());
    drop(queue.close_now());
    assert!(by_hand(queue.put(value())).is_err());
    assert_eq!(*seen.lock().unwrap(), [(2, 2), (1, 2), (0, 0), (0, 0)]);
}

#[test]
fn join_ends_at_the_moment_in_which_all_is_done() {
    let queue = Queue::unbounded();
    let (wakes, waker) = Wakes::waker();
    let mut context = Context::from_waker(&waker);
    queue.try_put(1).unwrap();
    let mut join = pin!(queue.join());
    assert!(join.as_mut().poll(&mut context).is_pending());
    let one = queue.try_get().unwrap();
    queue.try_put(2).unwrap();
    drop(one);
    assert_eq!(wakes.count(), 0, "one is left");
    drop(queue.try_get());
    assert_eq!(wakes.count(), 1);
    queue.try_put(3).unwrap();
    assert!(join.as_mut().poll(&mut context).is_ready(), "there was such a moment");
    assert!(poll(pin!(queue.join())).is_pending());
}

// How it ends: the table in the documentation, cell by cell.

#[test]
fn close_was_called() {
    let queue = Queue::bounded(2);
    (1..=2).for_each(|number| queue.try_put(number).unwrap());
    let (mut turn, mut waiting) = (Box::pin(queue.put(3)), Box::pin(queue.put(4)));
    assert!(poll(turn.as_mut()).is_pending() && poll(waiting.as_mut()).is_pending());
    let in_hand = queue.try_get().unwrap(); // it is the turn of `turn`
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(poll(turn.as_mut()), Poll::Ready(Err(PutError(3))), "it had its turn, and had put nothing");
    assert_eq!(poll(waiting.as_mut()), Poll::Ready(Err(PutError(4))));
    assert_eq!(by_hand(queue.put(5)), Err(PutError(5)));
    assert_eq!(queue.try_put(6), Err(TryPutError::Closed(6)));
    let mut join = pin!(queue.join());
    assert!(poll(join.as_mut()).is_pending());
    assert_eq!(by_hand(queue.get()).as_deref(), Ok(&2));
    assert_eq!(by_hand(queue.get()), Err(Closed));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    assert!(poll(join.as_mut()).is_pending());
    drop(in_hand);
    assert!(poll(join.as_mut()).is_ready());
}

#[test]
fn close_now_was_called() {
    let queue = Queue::bounded(3);
    (1..=3).for_each(|number| queue.try_put(number).unwrap());
    let (mut turn, mut waiting) = (Box::pin(queue.put(4)), Box::pin(queue.put(5)));
    assert!(poll(turn.as_mut()).is_pending() && poll(waiting.as_mut()).is_pending());
    let in_hand = queue.try_get().unwrap();
    let mut join = pin!(queue.join());
    assert!(poll(join.as_mut()).is_pending());
    assert_eq!(queue.close_now(), [2, 3]);
    assert_eq!(queue.close_now(), [], "again");
    assert!(queue.is_closed());
    assert_eq!(poll(turn.as_mut()), Poll::Ready(Err(PutError(4))));
    assert_eq!(poll(waiting.as_mut()), Poll::Ready(Err(PutError(5))));
    assert_eq!(by_hand(queue.put(6)), Err(PutError(6)));
    assert_eq!(queue.try_put(7), Err(TryPutError::Closed(7)));
    assert_eq!(by_hand(queue.get()), Err(Closed));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    assert!(poll(join.as_mut()).is_pending(), "one is in hand");
    drop(in_hand);
    assert!(poll(join.as_mut()).is_ready());
}

#[test]
fn getters_that_wait_hear_of_the_end() {
    for now in [false, true] {
        let queue = Queue::<u8>::unbounded();
        let (mut promised, mut waiting) = (pin!(queue.get()), pin!(queue.get()));
        assert!(poll(promised.as_mut()).is_pending() && poll(waiting.as_mut()).is_pending());
        queue.try_put(1).unwrap();
        if now {
            assert_eq!(queue.close_now(), [1], "promised, and not yet taken");
        } else {
            queue.close();
        }
        assert_eq!(poll(waiting), Poll::Ready(Err(Closed)));
        let Poll::Ready(got) = poll(promised) else { panic!("it waits for ever") };
        assert_eq!(got.as_deref(), if now { Err(&Closed) } else { Ok(&1) });
        assert!(poll(pin!(queue.join())).is_ready() || !now);
    }
}

// Nothing is lost.

/// A getter that was promised the last item of a closed queue goes; another, which was told of the end and has not run yet, has
/// the item.
#[test]
fn an_item_that_comes_back_is_for_one_who_was_refused() {
    let queue = Queue::unbounded();
    let (mut promised, mut refused) = (Box::pin(queue.get()), pin!(queue.get()));
    assert!(poll(promised.as_mut()).is_pending() && poll(refused.as_mut()).is_pending());
    queue.try_put(1).unwrap();
    queue.close();
    drop(promised);
    let Poll::Ready(got) = poll(refused) else { panic!("it waits at a queue that is closed") };
    assert_eq!(got.as_deref(), Ok(&1));
}

/// Where nothing is left to wait for, this fails instead of hanging.
fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test)
}

/// A getter that is cut at every poll, and one behind it: every item comes out, once.
#[test]
fn a_get_that_is_cut_loses_no_item() {
    at_every_poll(|polls| {
        in_virtual_time(async {
            let queue = Queue::bounded(1);
            let cut = spawn({
                let queue = queue.clone();
                cut_after(polls, async move { queue.get().await.map(|item| *item) })
            });
            yield_now().await;
            let others = spawn({
                let queue = queue.clone();
                async move {
                    let mut got = Vec::new();
                    while let Ok(item) = queue.get().await {
                        got.push(*item);
                    }
                    got
                }
            });
            yield_now().await;
            for number in 1..=3 {
                queue.put(number).await.unwrap();
            }
            queue.join().await;
            queue.close();
            let mut got = others.await.unwrap();
            let first = cut.await.unwrap();
            got.extend(first.map(Result::unwrap));
            got.sort_unstable();
            assert_eq!(got, [1, 2, 3]);
            first.is_none()
        })
    });
}

#[test]
fn a_put_that_is_cut_loses_no_slot() {
    at_every_poll(|polls| {
        in_virtual_time(async {
            let queue = Queue::bounded(1);
            queue.put(0).await.unwrap();
            let cut = spawn({
                let queue = queue.clone();
                cut_after(polls, async move { queue.put(1).await })
            });
            yield_now().await;
            let other = spawn({
                let queue = queue.clone();
                async move { queue.put(2).await }
            });
            yield_now().await;
            let mut got = Vec::new();
            while got.last() != Some(&2) {
                got.push(*queue.get().await.unwrap());
            }
            let put = cut.await.unwrap();
            other.await.unwrap().unwrap();
            assert_eq!(got, if put.is_some() { vec![0, 1, 2] } else { vec![0, 2] });
            assert!(queue.is_empty() && queue.unfinished() == 0);
            assert_eq!(queue.try_put(3), Ok(()), "the slot is lost");
            put.is_none()
        })
    });
}

#[test]
fn a_join_that_is_cut_disturbs_nobody() {
    at_every_poll(|polls| {
        in_virtual_time(async {
            let queue = Queue::bounded(1);
            queue.put(0).await.unwrap();
            let join = |polls| {
                let queue = queue.clone();
                spawn(cut_after(polls, async move { queue.join().await }))
            };
            let (cut, other) = (join(polls), join(usize::MAX));
            yield_now().await;
            drop(queue.get().await);
            assert!(other.await.unwrap().is_some());
            cut.await.unwrap().is_none()
        })
    });
}

/// Cancel safety of those who were chosen: the order of a stack or a priority queue is that of the moment.
#[test]
fn what_a_getter_was_promised_is_an_item_and_which_one_the_order_says() {
    let stack = Stack::unbounded();
    let mut get = pin!(stack.get());
    assert!(poll(get.as_mut()).is_pending());
    (1..=2).for_each(|number| stack.try_put(number).unwrap());
    let Poll::Ready(Ok(item)) = poll(get) else { panic!("there are two") };
    assert_eq!(*item, 2);

    let queue = PriorityQueue::unbounded();
    let mut get = pin!(queue.get());
    assert!(poll(get.as_mut()).is_pending());
    (1..=2).for_each(|number| queue.try_put((9 - number, number)).unwrap());
    let Poll::Ready(Ok(item)) = poll(get) else { panic!("there are two") };
    assert_eq!(*item, (7, 2));
}

// Priorities.

#[test]
fn payloads_are_never_compared_and_equals_come_in_the_order_of_their_coming() {
    struct NoOrder(&'static str);
    let queue = PriorityQueue::unbounded();
    for pair in [(2, "e"), (1, "b"), (2, "f"), (0, "a"), (1, "c"), (1, "d"), (2, "g")] {
        by_hand(queue.put((pair.0, NoOrder(pair.1)))).unwrap_or_else(|_| panic!("it is open"));
    }
    let names: String = queue.close_now().into_iter().map(|(_, NoOrder(name))| name).collect();
    assert_eq!(names, "abcdefg");
}

/// A comparison that panics comes out of the `put` that asked for it, and of nothing else: no slot is lost, no lock is poisoned,
/// and who waits is served.
#[test]
fn a_comparison_that_panics_costs_only_its_own_pair() {
    #[derive(PartialEq, Eq, Debug)]
    struct Moody(u8);
    impl Ord for Moody {
        fn cmp(&self, other: &Self) -> Ordering {
            assert!(self.0 != 13 && other.0 != 13, "not with that one");
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Moody {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    let queue = PriorityQueue::bounded(2);
    let token = Arc::new(());
    queue.try_put((Moody(5), token.clone())).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| queue.try_put((Moody(13), token.clone())))).is_err());
    assert_eq!((queue.len(), queue.unfinished(), Arc::strong_count(&token)), (1, 1, 2));
    queue.try_put((Moody(3), token.clone())).unwrap();

    // One that has waited for its slot, and one behind it.
    let (mut moody, mut next) =
        (pin!(queue.put((Moody(13), token.clone()))), pin!(queue.put((Moody(1), token.clone()))));
    assert!(poll(moody.as_mut()).is_pending());
    assert!(poll(next.as_mut()).is_pending());
    assert_eq!(queue.try_get().unwrap().0, Moody(3));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(moody.as_mut()))).is_err());
    assert_eq!(poll(next), Poll::Ready(Ok(())));
    let left: Vec<_> = queue.close_now().into_iter().map(|(priority, _)| priority).collect();
    assert_eq!(left, [Moody(1), Moody(5)]);
    assert!(poll(pin!(queue.join())).is_ready());
}

// The bug bank.

/// R10: a waker keeps its task alive, and one that a queue keeps for nobody leaks it.
#[test]
fn a_wait_that_is_given_up_takes_its_waker_with_it() {
    let (counted, waker) = Wakes::waker();
    let mut context = Context::from_waker(&waker);
    let before = Arc::strong_count(&counted);
    let queue = Queue::bounded(1);
    assert!(pin!(queue.get()).poll(&mut context).is_pending());
    assert_eq!(Arc::strong_count(&counted), before);
    queue.try_put(1).unwrap();
    assert!(pin!(queue.put(2)).poll(&mut context).is_pending());
    assert!(pin!(queue.join()).poll(&mut context).is_pending());
    assert_eq!(Arc::strong_count(&counted), before);
}

/// R11: a waker may use the queue, whether it is cloned, dropped or woken.
#[test]
fn wakers_may_use_the_queue() {
    let queue = Queue::bounded(1);
    let looks = || {
        let queue = queue.clone();
        move || {
            let _ = (queue.len(), queue.unfinished(), queue.try_get(), poll(pin!(queue.join())));
        }
    };
    wakers_may_call_back(|| queue.get(), || queue.try_put(1).unwrap(), looks());
    let looks = || {
        let queue = queue.clone();
        move || {
            let _ = (queue.len(), queue.unfinished(), poll(pin!(queue.join())));
        }
    };
    drop(queue.try_get());
    queue.try_put(1).unwrap();
    wakers_may_call_back(|| queue.put(2), || drop(queue.try_get()), looks());
    queue.try_put(1).unwrap();
    wakers_may_call_back(|| queue.join(), || drop(queue.try_get()), looks());
    queue.try_put(1).unwrap();
    wakers_may_call_back(|| queue.put(2), || queue.close(), looks());
    drop(queue.try_get());
    let empty = Queue::<u8>::bounded(1);
    let other = empty.clone();
    wakers_may_call_back(|| empty.get(), || empty.close(), move || drop((other.len(), other.try_get())));
    queue.close_now();
}

/// R47: a queue is shared if its values may go to another thread; an item, if they may be shared.
#[test]
fn handles_let_through_what_may_pass() {
    assert!(has!(Queue<Cell<u8>>: Send) && has!(Queue<Cell<u8>>: Sync));
    assert!(has!(Stack<Cell<u8>>: Sync) && has!(PriorityQueue<Cell<u8>, Cell<u8>>: Sync));
    assert!(!has!(Queue<Rc<u8>>: Send) && !has!(Queue<Rc<u8>>: Sync));
    assert!(!has!(PriorityQueue<Rc<u8>, u8>: Send) && !has!(PriorityQueue<u8, Rc<u8>>: Send));
    assert!(has!(Item<Cell<u8>>: Send) && !has!(Item<Cell<u8>>: Sync) && !has!(Item<Rc<u8>>: Send));
    assert!(has!(Unfinished: Send) && has!(Unfinished: Sync));
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let queue = Queue::bounded(1);
    drop(is_send(queue.put(Cell::new(1))));
    drop(is_send(queue.get()));
    drop(is_send(queue.join()));
}
