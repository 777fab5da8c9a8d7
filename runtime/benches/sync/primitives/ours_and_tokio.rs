//! Ours and tokio's, whose names are the same; and for what tokio lacks, futures-util's.

use super::Primitives;
use crate::side_by_side::sides::{Ours, Tokio};
use futures_util::StreamExt;
use std::{future::Future, ops::DerefMut};

macro_rules! primitives {
    ($side:ident, $its:ident, $newest:ident, $join_all:path, $set:ident) => {
        use $its::sync::{Mutex, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};

        impl Primitives for $side {
            type Mutex = Mutex<u64>;

            fn mutex() -> Mutex<u64> {
                Mutex::new(0)
            }

            async fn lock(mutex: &Mutex<u64>) -> impl DerefMut<Target = u64> + Send {
                mutex.lock().await
            }

            type RwLock = RwLock<u64>;

            fn rwlock() -> RwLock<u64> {
                RwLock::new(1)
            }

            async fn read(lock: &RwLock<u64>) -> u64 {
                *lock.read().await
            }

            type Semaphore = Semaphore;

            fn semaphore(permits: usize) -> Semaphore {
                Semaphore::new(permits)
            }

            async fn acquire(semaphore: &Semaphore) -> impl Send {
                semaphore.acquire().await.expect("it is not closed")
            }

            type Sender = mpsc::Sender<usize>;
            type Receiver = mpsc::Receiver<usize>;

            fn channel(capacity: usize) -> (Self::Sender, Self::Receiver) {
                mpsc::channel(capacity)
            }

            async fn send(sender: &Self::Sender, value: usize) {
                sender.send(value).await.expect("the receiver is there");
            }

            async fn receive(receiver: &mut Self::Receiver) -> Option<usize> {
                receiver.recv().await
            }

            async fn select_all(mut one: Self::Receiver, mut other: Self::Receiver) -> usize {
                let mut sum = 0;
                loop {
                    let (value, rest) = $its::select! {
                        value = one.recv() => (value, &mut other),
                        value = other.recv() => (value, &mut one),
                    };
                    match value {
                        Some(value) => sum += value,
                        None => {
                            while let Some(value) = rest.recv().await {
                                sum += value;
                            }
                            return sum;
                        }
                    }
                }
            }

            async fn oneshot(value: usize) -> usize {
                let (sender, receiver) = oneshot::channel();
                sender.send(value).expect("the receiver is there");
                receiver.await.expect("it was sent")
            }

            type BroadcastSender = broadcast::Sender<usize>;
            type BroadcastReceiver = broadcast::Receiver<usize>;

            fn broadcast(capacity: usize, receivers: usize) -> (Self::BroadcastSender, Vec<Self::BroadcastReceiver>) {
                let (sender, _) = broadcast::channel(capacity);
                let receivers = (0..receivers).map(|_| sender.subscribe()).collect();
                (sender, receivers)
            }

            fn broadcast_send(sender: &Self::BroadcastSender, value: usize) {
                sender.send(value).expect("there are receivers");
            }

            async fn broadcast_receive(receiver: &mut Self::BroadcastReceiver) -> usize {
                receiver.recv().await.expect("nobody lags")
            }

            type WatchSender = watch::Sender<usize>;
            type WatchReceiver = watch::Receiver<usize>;

            fn watch(receivers: usize) -> (Self::WatchSender, Vec<Self::WatchReceiver>) {
                let (sender, receiver) = watch::channel(0);
                (sender, (0..receivers).map(|_| receiver.clone()).collect())
            }

            fn watch_send(sender: &Self::WatchSender, value: usize) {
                sender.send(value).expect("there are receivers");
            }

            async fn watch_changed(receiver: &mut Self::WatchReceiver) -> usize {
                receiver.changed().await.expect("the sender is there");
                *receiver.$newest()
            }

            fn join_all<F: Future<Output = usize> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<usize>> + Send {
                $join_all(futures)
            }

            async fn unordered<F: Future<Output = usize> + Send>(futures: Vec<F>) -> usize {
                let mut set: $set<F> = futures.into_iter().collect();
                let mut sum = 0;
                while let Some(value) = set.next().await {
                    sum += value;
                }
                sum
            }
        }
    };
}

mod ours {
    use super::*;
    use runtime::future::FuturesUnordered;

    primitives!(Ours, runtime, get_and_update, runtime::future::join_all, FuturesUnordered);
}

mod tokios {
    use super::*;
    use futures_util::stream::FuturesUnordered;

    primitives!(Tokio, tokio, borrow_and_update, futures_util::future::join_all, FuturesUnordered);
}
