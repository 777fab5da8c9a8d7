//! The broadcast channel under loom: who sends, who receives, who goes.

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

/// A receiver that is polled during a send gets the message or is woken for it.
/// Broken by: `send` choosing nobody.
#[test]
fn a_message_is_seen_or_announced() {
    model("broadcast_send", 3, || {
        let (sender, mut receiver) = channel(1);
        let thread = thread::spawn(move || {
            assert_eq!(sender.send(1), Ok(1));
            sender
        });
        let (woken, waker) = Flag::waker();
        let mut recv = pin!(receiver.recv());
        let polled = poll(recv.as_mut(), &waker);
        let _sender = thread.join().unwrap();
        assert!(polled == Poll::Ready(Ok(1)) || woken.is_up() && poll(recv, &waker) == Poll::Ready(Ok(1)));
    });
}

/// A message that takes its time to be cloned.
struct Message(Arc<()>);

impl Clone for Message {
    fn clone(&self) -> Self {
        thread::yield_now();
        Self(self.0.clone())
    }
}

/// Two receivers see each of two messages, or are told how many they missed; and each message is dropped once, whoever takes it
/// and whoever clones it.
/// Broken by: the last one who sees a message leaving it in its place, because another one is still cloning it.
#[test]
fn every_receiver_sees_or_is_told() {
    model("broadcast_two", 2, || {
        let (sender, mut one) = channel(1);
        let mut two = sender.subscribe();
        let message = Arc::new(());
        let take = |receiver: &mut Receiver<Message>| {
            let mut accounted = 0;
            loop {
                match receiver.try_recv() {
                    Ok(_) => accounted += 1,
                    Err(TryRecvError::Lagged(missed)) => accounted += missed,
                    Err(_) => return accounted,
                }
            }
        };
        assert!(sender.send(Message(message.clone())).is_ok());
        let thread = thread::spawn(move || take(&mut one));
        assert!(sender.send(Message(message.clone())).is_ok());
        assert_eq!(take(&mut two), 2, "it was not told");
        let theirs = thread.join().unwrap();
        assert!(theirs <= 2, "something was seen twice");
        assert_eq!(Arc::strong_count(&message), 1, "a message is kept that all have seen");
        drop(sender);
    });
}

/// A receiver that goes while messages come keeps none: all is seen when the other one has seen it.
/// Broken by: `Receiver::drop` not walking over what it had not seen; or walking on to what was sent after it went.
#[test]
fn a_receiver_that_goes_keeps_nothing() {
    model("broadcast_receiver_dropped", 3, || {
        let (sender, goes) = channel(2);
        let mut stays = sender.subscribe();
        sender.send(1).unwrap();
        let thread = thread::spawn(move || drop(goes));
        sender.send(2).unwrap();
        assert_eq!(stays.try_recv(), Ok(1));
        assert_eq!(stays.try_recv(), Ok(2));
        thread.join().unwrap();
        assert!(sender.is_empty(), "it is kept for one who is gone");
    });
}

/// The end is announced, and comes after the last message.
/// Broken by: `Sender::drop` choosing nobody.
#[test]
fn the_end_comes_after_the_last_message() {
    model("broadcast_close", 3, || {
        let (sender, mut receiver) = channel(1);
        let thread = thread::spawn(move || _ = sender.send(1));
        let mut seen = Vec::new();
        loop {
            let (woken, waker) = Flag::waker();
            let mut recv = pin!(receiver.recv());
            let mut polled = poll(recv.as_mut(), &waker);
            if polled.is_pending() {
                while !woken.is_up() {
                    thread::yield_now();
                }
                polled = poll(recv, &waker);
            }
            match polled {
                Poll::Ready(Ok(message)) => seen.push(message),
                Poll::Ready(Err(error)) => break assert_eq!(error, RecvError::Closed),
                Poll::Pending => panic!("woken for nothing"),
            }
        }
        assert_eq!(seen, [1]);
        thread.join().unwrap();
    });
}
