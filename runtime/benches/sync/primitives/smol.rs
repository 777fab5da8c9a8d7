//! smol's: async-lock, async-channel, async-broadcast; and for what they lack, futures-util's. A oneshot is a channel with room
//! for one. There is no watch: its row leaves this side out.

use super::Primitives;
use crate::side_by_side::sides::Smol;
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{future::Future, ops::DerefMut};

const NO_WATCH: &str = "smol has no watch: the row leaves it out";

impl Primitives for Smol {
    type Mutex = async_lock::Mutex<u64>;

    fn mutex() -> Self::Mutex {
        async_lock::Mutex::new(0)
    }

    async fn lock(mutex: &Self::Mutex) -> impl DerefMut<Target = u64> + Send {
        mutex.lock().await
    }

    type RwLock = async_lock::RwLock<u64>;

    fn rwlock() -> Self::RwLock {
        async_lock::RwLock::new(1)
    }

    async fn read(lock: &Self::RwLock) -> u64 {
        *lock.read().await
    }

    type Semaphore = async_lock::Semaphore;

    fn semaphore(permits: usize) -> Self::Semaphore {
        async_lock::Semaphore::new(permits)
    }

    async fn acquire(semaphore: &Self::Semaphore) -> impl Send {
        semaphore.acquire().await
    }

    type Sender = async_channel::Sender<usize>;
    type Receiver = async_channel::Receiver<usize>;

    fn channel(capacity: usize) -> (Self::Sender, Self::Receiver) {
        async_channel::bounded(capacity)
    }

    async fn send(sender: &Self::Sender, value: usize) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<usize> {
        receiver.recv().await.ok()
    }

    async fn select_all(one: Self::Receiver, other: Self::Receiver) -> usize {
        let mut sum = 0;
        loop {
            let first = async { (one.recv().await, &other) };
            let second = async { (other.recv().await, &one) };
            let (value, rest) = futures_lite::future::race(first, second).await;
            match value {
                Ok(value) => sum += value,
                Err(_) => {
                    while let Ok(value) = rest.recv().await {
                        sum += value;
                    }
                    return sum;
                }
            }
        }
    }

    async fn oneshot(value: usize) -> usize {
        let (sender, receiver) = async_channel::bounded(1);
        sender.send(value).await.expect("the receiver is there");
        receiver.recv().await.expect("it was sent")
    }

    type BroadcastSender = async_broadcast::Sender<usize>;
    type BroadcastReceiver = async_broadcast::Receiver<usize>;

    fn broadcast(capacity: usize, receivers: usize) -> (Self::BroadcastSender, Vec<Self::BroadcastReceiver>) {
        let (sender, receiver) = async_broadcast::broadcast(capacity);
        let mut all = vec![receiver];
        all.extend((1..receivers).map(|_| sender.new_receiver()));
        (sender, all)
    }

    fn broadcast_send(sender: &Self::BroadcastSender, value: usize) {
        sender.try_broadcast(value).expect("there are receivers, and there is room");
    }

    async fn broadcast_receive(receiver: &mut Self::BroadcastReceiver) -> usize {
        receiver.recv().await.expect("nobody lags")
    }

    type WatchSender = ();
    type WatchReceiver = ();

    fn watch(_: usize) -> ((), Vec<()>) {
        unreachable!("{NO_WATCH}")
    }

    fn watch_send((): &(), _: usize) {
        unreachable!("{NO_WATCH}")
    }

    async fn watch_changed((): &mut ()) -> usize {
        unreachable!("{NO_WATCH}")
    }

    fn join_all<F: Future<Output = usize> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<usize>> + Send {
        futures_util::future::join_all(futures)
    }

    async fn unordered<F: Future<Output = usize> + Send>(futures: Vec<F>) -> usize {
        let mut set: FuturesUnordered<F> = futures.into_iter().collect();
        let mut sum = 0;
        while let Some(value) = set.next().await {
            sum += value;
        }
        sum
    }
}
