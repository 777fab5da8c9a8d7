//! Chapter 14: values go from task to task, and nobody runs ahead.

use super::{
    Case, Receiver, Runtime, Sender,
    support::{AtOnce, Count, Dropped, Gate, Log, a_few_turns, cases, moves_to_another_task, waits},
};
use std::pin::pin;

cases! { 14:
    a_oneshot_gives_its_value:
        "To send is to fill the slot and then to wake the receiver; one that comes later finds the slot full.",
    a_oneshot_ends_when_its_sender_goes:
        "A sender that is dropped wakes the receiver, which finds the slot empty and nobody left to fill it.",
    a_oneshot_without_a_receiver_gives_the_value_back:
        "The receiver says in its drop that it is gone; then `send` returns the value as an error.",
    values_come_in_their_order:
        "A queue, not a stack; and who is in line is served before who comes later.",
    a_full_channel_makes_its_sender_wait:
        "When all slots are full, leave the waker in the senders' line, and return Pending.",
    an_empty_channel_makes_its_receiver_wait:
        "The receiver leaves its waker; who fills a slot takes that waker and wakes it, after the lock is given back.",
    senders_are_served_as_they_came:
        "A slot that is free again belongs to whoever is first in line: wake that one, and no other.",
    the_last_sender_ends_the_channel:
        "Count the senders, in clone and in drop. None left: what is there is still received, then comes None.",
    a_waiting_receiver_hears_of_the_end:
        "The drop of the last sender wakes the receiver.",
    senders_hear_that_the_receiver_is_gone:
        "The drop of the receiver wakes all that are in line, and each gets its value back.",
    a_sender_that_stops_waiting_leaves_the_line:
        "A send that is dropped takes itself out of the line, wherever it stands. Otherwise a slot is given to nobody.",
    a_sender_that_goes_after_its_turn_loses_no_slot:
        "It was woken, and dropped before it was polled: its slot must go to the next in line.",
    what_nobody_received_is_dropped_once:
        "The values that are left belong to the channel, and go with it.",
    a_oneshot_may_move_to_another_task:
        "Each poll that finds nothing leaves its own waker, in the place of the one that is there: the latest counts.",
    a_recv_may_move_to_another_task:
        "Each poll that finds nothing leaves its own waker, in the place of the one that is there: the latest counts.",
    a_send_may_move_to_another_task:
        "A send that is polled while it is in line replaces the waker that it left there: the latest counts.",
    a_oneshot_may_be_polled_by_its_waker:
        "Whoever wakes still holds the lock. Take the waker out, give the lock back, and wake then: also in the sender's drop.",
    a_recv_may_be_polled_by_its_waker:
        "Whoever wakes still holds the lock. Take the waker out, give the lock back, and wake then: in send, and when the last sender goes.",
    a_send_may_be_polled_by_its_waker:
        "Whoever wakes still holds the lock. Take the waker out, give the lock back, and wake then: in recv, and when the receiver goes.",
}

fn a_oneshot_gives_its_value<R: Runtime>() {
    R::block_on(async {
        let (send, receiver) = R::oneshot();
        assert_eq!(send("first"), Ok(()));
        assert_eq!(receiver.await, Some("first"));

        let (send, receiver) = R::oneshot();
        R::spawn(async move { assert_eq!(send("later"), Ok(())) });
        assert_eq!(receiver.await, Some("later"));
    });
}

fn a_oneshot_ends_when_its_sender_goes<R: Runtime>() {
    R::block_on(async {
        let (send, receiver) = R::oneshot::<u8>();
        R::spawn(async move { drop(send) });
        assert_eq!(receiver.await, None);
    });
}

fn a_oneshot_without_a_receiver_gives_the_value_back<R: Runtime>() {
    R::block_on(async {
        let (send, receiver) = R::oneshot();
        drop(receiver);
        assert_eq!(send(7), Err(7));
    });
}

fn values_come_in_their_order<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(3);
        R::spawn(async move {
            for number in 0..100 {
                assert_eq!(sender.send(number).await, Ok(()));
            }
        });
        for number in 0..100 {
            assert_eq!(receiver.recv().await, Some(number));
        }
        assert_eq!(receiver.recv().await, None);
    });
}

fn a_full_channel_makes_its_sender_wait<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(2);
        let sent = Count::default();
        let count = sent.clone();
        R::spawn(async move {
            for number in 0..5 {
                assert_eq!(sender.send(number).await, Ok(()));
                count.up();
            }
        });
        a_few_turns::<R>().await;
        assert_eq!(sent.get(), 2, "how many went into two slots");
        assert_eq!(receiver.recv().await, Some(0));
        a_few_turns::<R>().await;
        assert_eq!(sent.get(), 3, "how many were sent when one was received");
    });
}

fn an_empty_channel_makes_its_receiver_wait<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        // The other sender stays: it is the value that wakes the receiver, and not the end.
        let (gate, other) = (Gate::default(), sender.clone());
        let opened = gate.clone();
        R::spawn(async move {
            opened.await;
            assert_eq!(sender.send(7).await, Ok(()));
        });
        let mut receives = Box::pin(receiver.recv());
        a_few_turns::<R>().await;
        waits!(receives);
        gate.open();
        assert_eq!(receives.await, Some(7));
        drop(other);
    });
}

fn senders_are_served_as_they_came<R: Runtime>() {
    let log = Log::default();
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        assert_eq!(sender.send("in the slot").await, Ok(()));
        for name in ["one", "two", "three"] {
            let (sender, log) = (sender.clone(), log.clone());
            R::spawn(async move {
                assert_eq!(sender.send(name).await, Ok(()));
                log.say(name);
            });
            a_few_turns::<R>().await;
        }
        drop(sender);
        while let Some(value) = receiver.recv().await {
            log.say(format!("received: {value}"));
            a_few_turns::<R>().await;
        }
    });
    log.expect(&["received: in the slot", "one", "received: one", "two", "received: two", "three", "received: three"]);
}

fn the_last_sender_ends_the_channel<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(4);
        let other = sender.clone();
        assert_eq!(sender.send(1).await, Ok(()));
        drop(sender);
        assert_eq!(other.send(2).await, Ok(()));
        drop(other);
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, None);
        assert_eq!(receiver.recv().await, None, "asked once more");
    });
}

fn a_waiting_receiver_hears_of_the_end<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel::<u8>(1);
        R::spawn(async move {
            R::yield_now().await;
            drop(sender);
        });
        assert_eq!(receiver.recv().await, None);
    });
}

fn senders_hear_that_the_receiver_is_gone<R: Runtime>() {
    R::block_on(async {
        let (sender, receiver) = R::channel(1);
        assert_eq!(sender.send(1).await, Ok(()));
        let waiting = [2, 3].map(|value| {
            let sender = sender.clone();
            R::spawn_with_handle(async move { sender.send(value).await })
        });
        a_few_turns::<R>().await;
        drop(receiver);
        let mut back = Vec::new();
        for waiting in waiting {
            back.push(waiting.await.expect("it does not panic"));
        }
        assert_eq!(back, [Err(2), Err(3)], "of those that waited");
        assert_eq!(sender.send(4).await, Err(4), "of one that comes later");
    });
}

fn a_sender_that_stops_waiting_leaves_the_line<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        assert_eq!(sender.send(0).await, Ok(()));
        let (one, two) = (sender.clone(), sender.clone());
        let (mut first, mut second) = (Box::pin(one.send(1)), Box::pin(two.send(2)));
        waits!(first);
        waits!(second);
        drop(first);
        assert_eq!(receiver.recv().await, Some(0));
        assert_eq!(second.await, Ok(()));
        assert_eq!(receiver.recv().await, Some(2), "the value of one that stopped waiting was sent");
    });
}

fn a_sender_that_goes_after_its_turn_loses_no_slot<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        assert_eq!(sender.send(0).await, Ok(()));
        let (one, two) = (sender.clone(), sender.clone());
        let (mut first, mut second) = (Box::pin(one.send(1)), Box::pin(two.send(2)));
        waits!(first);
        waits!(second);
        assert_eq!(receiver.recv().await, Some(0));
        drop(first);
        // Its value may have been sent, or not; the slot is free again either way, in the end.
        let rest = async {
            match receiver.recv().await {
                Some(1) => receiver.recv().await,
                other => other,
            }
        };
        assert_eq!(R::join(second, rest).await, (Ok(()), Some(2)));
    });
}

fn what_nobody_received_is_dropped_once<R: Runtime>() {
    R::block_on(async {
        let drops = Count::default();
        let (sender, receiver) = R::channel(3);
        for _ in 0..3 {
            assert!(sender.send(Dropped(drops.clone())).await.is_ok());
        }
        assert_eq!(drops.get(), 0);
        drop((sender, receiver));
        assert_eq!(drops.get(), 3);
    });
}

fn a_oneshot_may_move_to_another_task<R: Runtime>() {
    R::block_on(async {
        let (send, receiver) = R::oneshot();
        let mut receiver = pin!(receiver);
        let wakes = moves_to_another_task(receiver.as_mut());
        assert_eq!(send(7), Ok(()));
        assert!(wakes.get() > 0, "nobody woke the task that asked last");
        assert_eq!(receiver.await, Some(7));
    });
}

fn a_recv_may_move_to_another_task<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        let mut receives = pin!(receiver.recv());
        let wakes = moves_to_another_task(receives.as_mut());
        assert_eq!(sender.send(7).await, Ok(()));
        assert!(wakes.get() > 0, "nobody woke the task that asked last");
        assert_eq!(receives.await, Some(7));
    });
}

fn a_send_may_move_to_another_task<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        assert_eq!(sender.send(1).await, Ok(()));
        let mut sends = pin!(sender.send(2));
        let wakes = moves_to_another_task(sends.as_mut());
        assert_eq!(receiver.recv().await, Some(1));
        assert!(wakes.get() > 0, "nobody woke the task that asked last");
        assert_eq!(sends.await, Ok(()));
    });
}

fn a_oneshot_may_be_polled_by_its_waker<R: Runtime>() {
    R::block_on(async {
        let (send, receiver) = R::oneshot();
        let receives = AtOnce::start(receiver);
        assert_eq!(send(7), Ok(()));
        assert_eq!(receives.output(), Some(Some(7)), "received while it was sent");

        let (send, receiver) = R::oneshot::<u8>();
        let receives = AtOnce::start(receiver);
        drop(send);
        assert_eq!(receives.output(), Some(None), "received while the sender went");
    });
}

fn a_recv_may_be_polled_by_its_waker<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        let receives = AtOnce::start(async move { (receiver.recv().await, receiver) });
        assert_eq!(sender.send(7).await, Ok(()));
        let (value, mut receiver) = receives.output().expect("send wakes the receiver");
        assert_eq!(value, Some(7), "received while it was sent");

        let receives = AtOnce::start(async move { receiver.recv().await });
        drop(sender);
        assert_eq!(receives.output(), Some(None), "received while the last sender went");
    });
}

fn a_send_may_be_polled_by_its_waker<R: Runtime>() {
    R::block_on(async {
        let (sender, mut receiver) = R::channel(1);
        assert_eq!(sender.send(1).await, Ok(()));
        let later = |value| {
            let sender = sender.clone();
            AtOnce::start(async move { sender.send(value).await })
        };
        let (second, third) = (later(2), later(3));
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(second.output(), Some(Ok(())), "sent while there was room again");
        drop(receiver);
        assert_eq!(third.output(), Some(Err(3)), "came back while the receiver went");
    });
}
