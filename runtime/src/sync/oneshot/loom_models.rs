//! The channel under loom: each end on a thread of its own.

use super::*;
use crate::std_or_loom::{Flag, model};
use loom::thread;
use std::sync::Arc;

/// A receiver that is polled while the value is sent gets it or is woken for it, also if it is polled by another task the
/// second time.
/// Broken by: `wait` not looking again once the waker is in its place.
#[test]
fn a_value_is_given_or_announced() {
    model("oneshot_send", 3, || {
        let (sender, mut receiver) = channel();
        let thread = thread::spawn(move || sender.send(7));
        let (_, first) = Flag::waker();
        let (woken, second) = Flag::waker();
        let mut polled = Pin::new(&mut receiver).poll(&mut Context::from_waker(&first));
        if polled.is_pending() {
            polled = Pin::new(&mut receiver).poll(&mut Context::from_waker(&second));
        }
        assert_eq!(thread.join().unwrap(), Ok(()));
        match polled {
            Poll::Ready(value) => assert_eq!(value, Ok(7)),
            Poll::Pending => {
                assert!(woken.is_up(), "the value is there, and nobody was told");
                assert_eq!(receiver.try_recv(), Ok(7));
            }
        }
    });
}

/// A receiver does not wait for a sender that is gone.
/// Broken by: `Sender::drop` waking nobody.
#[test]
fn a_dropped_sender_is_announced() {
    model("oneshot_sender_dropped", 3, || {
        let (sender, mut receiver) = channel::<()>();
        let thread = thread::spawn(move || drop(sender));
        let (woken, waker) = Flag::waker();
        let polled = Pin::new(&mut receiver).poll(&mut Context::from_waker(&waker));
        thread.join().unwrap();
        assert!(polled == Poll::Ready(Err(Closed)) || woken.is_up());
    });
}

/// A value that is sent while the receiver closes, looks and goes is given to one of the two, once; the third thread's clone
/// of it counts. (tokio #4225: `close`, then `send` and `await` at once.)
/// Broken by: `fill` not asking whether the word is closed when it sets `FULL`.
#[test]
fn a_value_sent_to_a_closing_receiver_comes_to_one_of_the_two() {
    model("oneshot_close", 3, || {
        let (sender, mut receiver) = channel();
        let value = Arc::new(());
        let other = value.clone();
        let sending = thread::spawn(move || sender.send(other));
        let receiving = thread::spawn(move || {
            receiver.close();
            Pin::new(&mut receiver).poll(&mut Context::from_waker(Waker::noop()))
        });
        let sent = sending.join().unwrap();
        match receiving.join().unwrap() {
            Poll::Ready(Ok(_)) => assert!(sent.is_ok()),
            Poll::Ready(Err(Closed)) => assert!(sent.is_err(), "the value was taken, and nobody has it"),
            Poll::Pending => panic!("a closed receiver waits"),
        }
        drop(sent);
        assert_eq!(Arc::strong_count(&value), 1, "the value was leaked");
    });
}

/// A sender that waits for the end of its receiver hears of it, and then gets its value back.
/// Broken by: `Receiver::drop` not waking the sender.
#[test]
fn a_dropped_receiver_is_announced() {
    model("oneshot_receiver_dropped", 3, || {
        let (mut sender, receiver) = channel();
        let thread = thread::spawn(move || drop(receiver));
        let (woken, waker) = Flag::waker();
        let closed = sender.poll_closed(&mut Context::from_waker(&waker));
        thread.join().unwrap();
        assert!(closed.is_ready() || woken.is_up());
        assert_eq!(sender.send(3), Err(3));
    });
}

/// Whoever goes last drops what is left, once: here a value that is put in while the other end goes without a look.
/// Broken by: `End::drop` asking whether the other has left, and only then leaving.
#[test]
fn the_last_end_drops_what_is_left() {
    model("oneshot_last_end", 3, || {
        let (filling, emptying) = slot();
        let value = Arc::new(());
        let thread = thread::spawn(move || drop(emptying));
        drop(filling.fill(value.clone()));
        thread.join().unwrap();
        assert_eq!(Arc::strong_count(&value), 1, "the value was leaked");
    });
}
