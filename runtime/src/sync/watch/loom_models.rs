//! The newest value under loom: who sends, who looks, who goes.

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

/// A receiver that is polled during a send sees the version or is woken for it; and a version is never seen before its value.
/// Broken by: `look` in `poll_news` finding nothing, so that what came since the look without the lock is waited for; or
/// `replace` storing the version before it takes the lock.
#[test]
fn a_value_is_seen_or_announced() {
    model("watch_send", 3, || {
        let (sender, mut receiver) = channel(0);
        let thread = thread::spawn(move || {
            sender.send(1).unwrap();
            sender
        });
        let (woken, waker) = Flag::waker();
        let polled = poll(pin!(receiver.changed()), Waker::noop());
        if polled.is_ready() {
            assert_eq!(*receiver.get(), 1, "the version came before the value");
            drop(thread.join().unwrap());
            return;
        }
        let mut changed = pin!(receiver.changed());
        let polled = poll(changed.as_mut(), &waker);
        let _sender = thread.join().unwrap();
        assert!(polled.is_ready() || woken.is_up(), "there is a value, and nobody was told");
        assert!(polled.is_ready() || poll(changed, &waker) == Poll::Ready(Ok(())));
    });
}

/// The last value is seen before the end, whatever comes in between.
/// Broken by: `news` looking at `CLOSED` before the version.
#[test]
fn the_last_value_comes_before_the_end() {
    model("watch_close", 3, || {
        let (sender, mut receiver) = channel(0);
        let thread = thread::spawn(move || sender.send(1).unwrap());
        let mut seen = 0;
        loop {
            let (woken, waker) = Flag::waker();
            let polled = {
                let mut changed = pin!(receiver.changed());
                match poll(changed.as_mut(), &waker) {
                    Poll::Pending => {
                        while !woken.is_up() {
                            thread::yield_now();
                        }
                        poll(changed, &waker)
                    }
                    polled => polled,
                }
            };
            match polled {
                Poll::Ready(Ok(())) => seen = *receiver.get_and_update(),
                Poll::Ready(Err(Closed)) => break,
                Poll::Pending => panic!("woken for nothing"),
            }
        }
        assert_eq!(seen, 1, "it heard of the end, and not of the value");
        thread.join().unwrap();
    });
}

/// Two senders that change what they see: no change is lost.
/// Broken by: `send_if_modified` replacing whatever is there.
#[test]
fn two_changes_are_both_there() {
    model("watch_modify", 3, || {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn({
            let sender = sender.clone();
            move || sender.send_modify(|number| *number += 1)
        });
        sender.send_modify(|number| *number += 10);
        thread.join().unwrap();
        assert_eq!(*receiver.get(), 11, "a change was overwritten");
    });
}

/// A sender that waits for the end of the receivers hears of it.
/// Broken by: `Receiver::drop` choosing nobody.
#[test]
fn the_end_of_the_receivers_is_announced() {
    model("watch_unwatched", 3, || {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn(move || drop(receiver));
        let (woken, waker) = Flag::waker();
        let mut closed = pin!(sender.closed());
        let polled = poll(closed.as_mut(), &waker);
        thread.join().unwrap();
        assert!(polled.is_ready() || woken.is_up() && poll(closed, &waker).is_ready());
    });
}
