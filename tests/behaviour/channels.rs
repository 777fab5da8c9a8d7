//! Memory channels, section 16: trio's channel has many senders and many receivers. Ours with one receiver is `sync::mpsc`, and
//! with many `sync::queue`; each case is held of the one that it is about.
//!
//! | not here | why |
//! |---|---|
//! | a capacity of zero is a rendezvous; `unbuffered` | refused: a value stays with its sender until there is a slot. A rendezvous is a value that takes a `oneshot` along |
//! | `use of a closed handle` is `ClosedResource`, also while blocked | cannot be written: a handle is closed by dropping it, and what waits borrows it |
//! | the counts of `statistics`: open handles, tasks waiting, used | only `len` and `capacity`; that a cancelled waiter leaves the counts is `cancelled_waiters_leave_no_trace` |

use runtime::{
    Runtime, spawn,
    sync::{
        mpsc::{SendError, TryRecvError, TrySendError, bounded},
        queue::{Queue, TryGetError},
    },
    time::timeout,
    yield_now,
};
use std::time::Duration;

#[test]
fn channel() {
    runtime::block_on(async {
        let (sender, mut receiver) = bounded(2);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let sending = spawn({
            let sender = sender.clone();
            async move {
                for number in 1..=2 {
                    sender.send(number).await.unwrap();
                }
            }
        });
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.recv().await, Some(2));
        sending.await.unwrap();
        sender.try_send(3).unwrap();
        sender.try_send(4).unwrap();
        assert_eq!(sender.try_send(5), Err(TrySendError::Full(5)));
        drop(sender);
        assert_eq!(receiver.recv().await, Some(3), "the buffer is drained");
        assert_eq!(receiver.recv().await, Some(4));
        assert_eq!(receiver.recv().await, None, "and then comes the end");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn channel_multiple_producers() {
    runtime::block_on(async {
        let (sender, mut receiver) = bounded(1);
        for producer in 0..10 {
            let sender = sender.clone();
            drop(spawn(async move {
                for number in producer * 3..(producer + 1) * 3 {
                    sender.send(number).await.unwrap();
                }
            }));
        }
        drop(sender);
        let mut all = Vec::new();
        while let Some(number) = receiver.recv().await {
            all.push(number);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..30));
    });
}

#[test]
fn channel_multiple_consumers() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        let consumers: Vec<_> = (0..5)
            .map(|_| {
                let queue = queue.clone();
                spawn(async move {
                    let mut got = Vec::new();
                    while let Ok(item) = queue.get().await {
                        got.push(*item);
                    }
                    got
                })
            })
            .collect();
        for number in 0..10 {
            queue.put(number).await.unwrap();
        }
        queue.close();
        let mut all = Vec::new();
        for consumer in consumers {
            let got = consumer.await.unwrap();
            assert!(!got.is_empty(), "each gets some");
            all.extend(got);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..10));
    });
}

#[test]
fn close_basics() {
    runtime::block_on(async {
        // The last receiver goes: blocked senders hear of it, and new ones.
        let (sender, receiver) = bounded(1);
        sender.send(0).await.unwrap();
        let blocked = spawn({
            let sender = sender.clone();
            async move { sender.send(1).await }
        });
        yield_now().await;
        drop(receiver);
        assert_eq!(blocked.await.unwrap(), Err(SendError(1)));
        assert_eq!(sender.try_send(2), Err(TrySendError::Closed(2)));
        assert_eq!(sender.send(3).await, Err(SendError(3)));

        // The last sender goes: a blocked receiver hears of it.
        let (sender, mut receiver) = bounded::<u8>(1);
        let blocked = spawn(async move { receiver.recv().await });
        yield_now().await;
        drop(sender);
        assert_eq!(blocked.await.unwrap(), None);
    });
}

#[test]
fn close_multiple_send_handles() {
    runtime::block_on(async {
        let (sender, mut receiver) = bounded(1);
        let (one, two) = (sender.clone(), sender.clone());
        drop(sender);
        one.send("first").await.unwrap();
        let blocked = spawn(async move { two.send("second").await });
        yield_now().await;
        drop(one);
        yield_now().await;
        assert!(!blocked.is_finished(), "another's end does not disturb it");
        assert_eq!(receiver.recv().await, Some("first"));
        assert_eq!(receiver.recv().await, Some("second"));
        assert_eq!(blocked.await.unwrap(), Ok(()));
        assert_eq!(receiver.recv().await, None);
    });
}

#[test]
fn close_multiple_receive_handles() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        let waiting = |queue: Queue<u8>| spawn(async move { queue.get().await.map(|item| *item) });
        let (one, two) = (waiting(queue.clone()), waiting(queue.clone()));
        yield_now().await;
        one.abort();
        yield_now().await;
        assert!(one.is_finished() && !two.is_finished(), "another's end does not disturb it");
        queue.put(1).await.unwrap();
        assert_eq!(two.await.unwrap(), Ok(1));
    });
}

/// A queued receiver owns the next item, a queued sender the next slot.
#[test]
fn channel_fairness() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        let waiting = spawn({
            let queue = queue.clone();
            async move { queue.get().await.map(|item| *item) }
        });
        yield_now().await;
        queue.try_put(1).unwrap();
        assert_eq!(queue.try_get(), Err(TryGetError::Empty), "it is the waiting one's");
        assert_eq!(waiting.await.unwrap(), Ok(1));

        let (sender, mut receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let waiting = spawn({
            let sender = sender.clone();
            async move { sender.send(2).await }
        });
        yield_now().await;
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)), "it is the waiting one's");
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}

/// trio #553: a receive that timed out must not swallow what is sent later.
#[test]
fn issue_553() {
    Runtime::simulated(553).block_on(async {
        let (sender, mut receiver) = bounded(1);
        let queue = Queue::bounded(1);
        assert!(timeout(Duration::from_secs(10), receiver.recv()).await.is_err());
        assert!(timeout(Duration::from_secs(10), queue.get()).await.is_err());
        sender.send("hello").await.unwrap();
        queue.put("hello").await.unwrap();
        assert_eq!(receiver.try_recv(), Ok("hello"));
        assert_eq!(queue.try_get().as_deref(), Ok(&"hello"));
    });
}

#[test]
fn statistics() {
    let (sender, mut receiver) = bounded(2);
    assert_eq!((sender.capacity(), sender.len(), receiver.len()), (Some(2), 0, 0));
    sender.try_send(1).unwrap();
    assert_eq!((sender.len(), receiver.len()), (1, 1));
    receiver.try_recv().unwrap();
    assert_eq!((sender.len(), receiver.len()), (0, 0));
}

#[test]
fn cancelled_waiters_leave_no_trace() {
    runtime::block_on(async {
        let (sender, mut receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let waiting = spawn({
            let sender = sender.clone();
            async move { sender.send(2).await }
        });
        yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(sender.try_send(3), Ok(()), "the slot is nobody's");
    });
}
