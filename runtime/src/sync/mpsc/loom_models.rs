//! The channel under loom: each end on a thread of its own.

use super::*;
use crate::std_or_loom::{Flag, model};
use loom::thread;
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// A receiver that is polled while a value is sent gets it or is woken for it, also if another task polls the second time.
/// Broken by: `Receiver::poll` putting the waker in its place without a look under the same lock.
#[test]
fn a_value_is_given_or_announced() {
    model("mpsc_send", 3, || {
        let (sender, mut receiver) = bounded(1);
        let thread = thread::spawn(move || {
            assert_eq!(sender.try_send(7), Ok(()));
            sender
        });
        let (_, first) = Flag::waker();
        let (woken, second) = Flag::waker();
        let mut polled = receiver.poll_recv(&mut Context::from_waker(&first));
        if polled.is_pending() {
            polled = receiver.poll_recv(&mut Context::from_waker(&second));
        }
        let _sender = thread.join().unwrap();
        match polled {
            Poll::Ready(value) => assert_eq!(value, Some(7)),
            Poll::Pending => {
                assert!(woken.is_up(), "the value is there, and nobody was told");
                assert_eq!(receiver.try_recv(), Ok(7));
            }
        }
    });
}

/// A sender that waits for a slot has it or is woken for it when the receiver takes a value.
/// Broken by: `State::pop` not giving the slot.
#[test]
fn a_slot_is_given_or_announced() {
    model("mpsc_slot", 3, || {
        let (sender, mut receiver) = bounded(1);
        assert_eq!(sender.try_send(1), Ok(()));
        let thread = thread::spawn(move || {
            assert_eq!(receiver.try_recv(), Ok(1));
            receiver
        });
        let (woken, waker) = Flag::waker();
        let mut send = pin!(sender.send(2));
        let polled = poll(send.as_mut(), &waker);
        let mut receiver = thread.join().unwrap();
        if polled.is_pending() {
            assert!(woken.is_up(), "a slot is free, and nobody was told");
            assert_eq!(poll(send.as_mut(), &waker), Poll::Ready(Ok(())));
        }
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}

/// A receiver does not wait for senders that are gone, however they go.
/// Broken by: `Sender::drop` waking nobody.
#[test]
fn the_last_sender_is_announced() {
    model("mpsc_senders_dropped", 3, || {
        let (sender, mut receiver) = bounded::<()>(1);
        let other = sender.clone();
        let one = thread::spawn(move || drop(sender));
        let two = thread::spawn(move || drop(other));
        let (woken, waker) = Flag::waker();
        let polled = receiver.poll_recv(&mut Context::from_waker(&waker));
        one.join().unwrap();
        two.join().unwrap();
        assert!(polled == Poll::Ready(None) || woken.is_up());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

/// A value that is sent while the receiver closes, looks and goes is with one of the two, once, and is dropped once.
/// Broken by: `Slots::refuses` saying no.
#[test]
fn a_value_sent_to_a_closing_receiver_comes_to_one_of_the_two() {
    model("mpsc_close", 3, || {
        let (sender, mut receiver) = bounded(1);
        let value = Arc::new(());
        let other = value.clone();
        let sending = thread::spawn(move || pin_send(&sender, other));
        let receiving = thread::spawn(move || {
            receiver.close();
            receiver.poll_recv(&mut Context::from_waker(Waker::noop()))
        });
        let sent = sending.join().unwrap();
        match receiving.join().unwrap() {
            Poll::Ready(Some(_)) => assert!(sent.is_ok()),
            Poll::Ready(None) => assert!(sent.is_err(), "the value was taken, and nobody has it"),
            Poll::Pending => panic!("a closed receiver waits, and no slot has an owner"),
        }
        drop(sent);
        assert_eq!(Arc::strong_count(&value), 1, "the value was leaked");
    });
}

/// With a slot free it does not wait.
fn pin_send<T>(sender: &Sender<T>, value: T) -> Result<(), SendError<T>> {
    let mut send = pin!(sender.send(value));
    match poll(send.as_mut(), Waker::noop()) {
        Poll::Ready(sent) => sent,
        Poll::Pending => panic!("a slot is free, and it waits"),
    }
}

/// A sender that waits when the receiver goes hears of it and has its value back; and so has the owner of a slot.
/// Broken by: `State::close` refusing nobody; `State::push` not asking whether the receiver is gone.
#[test]
fn a_dropped_receiver_frees_all_who_wait() {
    model("mpsc_receiver_dropped", 3, || {
        let (sender, receiver) = bounded(1);
        let permit = sender.try_reserve().unwrap();
        let thread = thread::spawn(move || drop(receiver));
        let (woken, waker) = Flag::waker();
        let mut send = pin!(sender.send(2));
        let mut polled = poll(send.as_mut(), &waker);
        thread.join().unwrap();
        if polled.is_pending() {
            assert!(woken.is_up(), "it waits for a receiver that is gone");
            polled = poll(send.as_mut(), &waker);
        }
        assert_eq!(polled, Poll::Ready(Err(SendError(2))));
        assert_eq!(permit.send(1), Err(SendError(1)));
    });
}

/// The receiver closes and waits for the owner of a slot, while a reservation is pending behind it; both go, and then their
/// sender. The receiver hears of the end. (tokio #8260, #8075.)
/// Broken by: `State::give_back` only giving the slot.
#[test]
fn a_reservation_that_goes_ends_the_wait_of_a_closed_receiver() {
    model("mpsc_reserve_close", 3, || {
        let (sender, mut receiver) = bounded::<u8>(1);
        let thread = thread::spawn(move || {
            let permit = sender.try_reserve();
            let mut pending = Box::pin(sender.reserve());
            let _ = poll(pending.as_mut(), Waker::noop());
            drop(permit);
            drop(pending);
            sender
        });
        receiver.close();
        let (woken, waker) = Flag::waker();
        let polled = receiver.poll_recv(&mut Context::from_waker(&waker));
        let sender = thread.join().unwrap();
        assert!(polled == Poll::Ready(None) || woken.is_up(), "no slot has an owner, and the receiver waits");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        drop(sender);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

/// Two wait for a slot; the first is given up while the receiver makes one free. The second has it.
/// Broken by: `Ticket::drop` not giving back.
#[test]
fn a_sender_that_is_given_up_passes_its_slot_on() {
    model("mpsc_cancel", 3, || {
        let (sender, mut receiver) = bounded(1);
        let other = sender.clone();
        assert_eq!(sender.try_send(1), Ok(()));
        let mut first = Box::pin(async move { sender.send(2).await });
        assert!(poll(first.as_mut(), Waker::noop()).is_pending());
        let (woken, waker) = Flag::waker();
        let mut second = pin!(other.send(3));
        assert!(poll(second.as_mut(), &waker).is_pending());
        let thread = thread::spawn(move || drop(first));
        assert_eq!(receiver.try_recv(), Ok(1));
        thread.join().unwrap();
        assert!(woken.is_up(), "a slot is free, and the one who waits was not told");
        assert_eq!(poll(second.as_mut(), &waker), Poll::Ready(Ok(())));
        assert_eq!(receiver.try_recv(), Ok(3));
    });
}
