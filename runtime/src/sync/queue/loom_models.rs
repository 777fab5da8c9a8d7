//! The work queue under loom: putters and getters on threads of their own.

use super::*;
use crate::std_or_loom::{Flag, model};
use loom::thread;
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Two getters wait; the first is given up while an item is put. The item is the second's.
/// Broken by: `Ticket::drop` not giving back.
#[test]
fn a_getter_that_is_given_up_passes_its_item_on() {
    model("queue_get_cancelled", 3, || {
        let queue = Queue::bounded(1);
        let (putter, getter) = (queue.clone(), queue.clone());
        let mut first = Box::pin(async move { getter.get().await });
        assert!(poll(first.as_mut(), Waker::noop()).is_pending());
        let (woken, waker) = Flag::waker();
        let mut second = pin!(queue.get());
        assert!(poll(second.as_mut(), &waker).is_pending());
        let giving_up = thread::spawn(move || drop(first));
        assert_eq!(putter.try_put(7), Ok(()));
        giving_up.join().unwrap();
        assert!(woken.is_up(), "an item is there, and the one who waits was not told");
        let Poll::Ready(Ok(item)) = poll(second.as_mut(), &waker) else { panic!("the item is lost") };
        assert_eq!(*item, 7);
    });
}

/// Who waits in `join` hears of the last item's end, also if another item is done at the same time, and sees what was done.
/// Broken by: `Progress::done` waking only if it finds the line not empty before it counts; `join` looking at the count outside
/// of the lock.
#[test]
fn the_last_done_ends_the_join() {
    model("queue_join", 3, || {
        let queue = Queue::bounded(2);
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        let (one, two) = (queue.try_get().unwrap(), queue.try_get().unwrap());
        let first = thread::spawn(move || drop(one));
        let second = thread::spawn(move || drop(two));
        let (woken, waker) = Flag::waker();
        let mut join = pin!(queue.join());
        let polled = poll(join.as_mut(), &waker);
        if polled.is_ready() {
            assert_eq!(queue.unfinished(), 0);
        }
        first.join().unwrap();
        second.join().unwrap();
        assert!(polled.is_ready() || woken.is_up(), "all is done, and nobody was told");
        if polled.is_pending() {
            assert!(poll(join.as_mut(), &waker).is_ready());
        }
    });
}

/// A value that is put while the queue is closed at once is with one of the two, and `join` ends.
/// Broken by: `put` not asking whether the queue is closed; `close_now` not counting what it takes as done.
#[test]
fn a_value_put_into_a_closing_queue_comes_to_one_of_the_two() {
    model("queue_close", 3, || {
        let queue = Queue::bounded(1);
        let other = queue.clone();
        let putting = thread::spawn(move || {
            let mut put = pin!(other.put(7));
            match poll(put.as_mut(), Waker::noop()) {
                Poll::Ready(put) => put.is_ok(),
                Poll::Pending => panic!("a slot is free, and it waits"),
            }
        });
        let left = queue.close_now();
        let put = putting.join().unwrap();
        assert_eq!(left.len(), usize::from(put), "the value is in two places, or in none");
        assert!(poll(pin!(queue.join()), Waker::noop()).is_ready());
        assert_eq!(queue.try_get().map(drop), Err(TryGetError::Closed));
    });
}

/// Two getters, an item, and then the end: one of the two has the item, and the other hears of the end.
/// Broken by: `close` refusing no getters.
#[test]
fn getters_hear_of_the_end() {
    model("queue_get_close", 3, || {
        let queue = Queue::bounded(1);
        let other = queue.clone();
        let closing = thread::spawn(move || {
            other.try_put(7).unwrap();
            other.close();
        });
        let mut gets = [0, 1].map(|_| (Box::pin(queue.get()), Flag::waker()));
        let polled = gets.each_mut().map(|(get, (_, waker))| poll(get.as_mut(), waker));
        closing.join().unwrap();
        let mut items = 0;
        for ((mut get, (woken, waker)), polled) in gets.into_iter().zip(polled) {
            let got = match polled {
                Poll::Ready(got) => got,
                Poll::Pending => {
                    assert!(woken.is_up(), "it waits at a queue that is closed");
                    let Poll::Ready(got) = poll(get.as_mut(), &waker) else { panic!("it was woken, and waits") };
                    got
                }
            };
            match got {
                Ok(item) => items += *item,
                Err(Closed) => {}
            }
        }
        assert_eq!(items, 7, "the item is lost");
    });
}

/// One in line and one who only tries want one item: one of the two has it, and while somebody is in line nothing is free.
/// Broken by: `Turns::give` making it free though somebody waits.
#[test]
fn an_item_is_taken_once() {
    model("queue_take_once", 3, || {
        let queue = Queue::bounded(1);
        let (putter, taker) = (queue.clone(), queue.clone());
        let putting = thread::spawn(move || putter.try_put(7).unwrap());
        let taking = thread::spawn(move || taker.try_get().is_ok());
        let (woken, waker) = Flag::waker();
        let mut get = Box::pin(queue.get());
        let mut polled = poll(get.as_mut(), &waker);
        putting.join().unwrap();
        let taken = taking.join().unwrap();
        if polled.is_pending() && woken.is_up() {
            polled = poll(get.as_mut(), &waker);
        }
        assert_eq!(usize::from(taken) + usize::from(polled.is_ready()), 1);
    });
}
