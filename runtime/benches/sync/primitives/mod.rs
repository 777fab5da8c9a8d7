//! The primitives that are compared, behind one trait: each workload is written once, and compiled for each side.

mod ours_and_tokio;
mod smol;

use crate::side_by_side::sides::Side;
use std::{future::Future, ops::DerefMut};

/// Primitives of a side. What is made here does not fail: the workloads close nothing.
pub(crate) trait Primitives: Side {
    type Mutex: Send + Sync + 'static;
    fn mutex() -> Self::Mutex;
    fn lock(mutex: &Self::Mutex) -> impl Future<Output = impl DerefMut<Target = u64> + Send> + Send;

    type RwLock: Send + Sync + 'static;
    fn rwlock() -> Self::RwLock;
    fn read(lock: &Self::RwLock) -> impl Future<Output = u64> + Send;

    type Semaphore: Send + Sync + 'static;
    fn semaphore(permits: usize) -> Self::Semaphore;
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = impl Send> + Send;

    type Sender: Clone + Send + Sync + 'static;
    type Receiver: Send + 'static;
    fn channel(capacity: usize) -> (Self::Sender, Self::Receiver);
    fn send(sender: &Self::Sender, value: usize) -> impl Future<Output = ()> + Send;
    /// `None`: all senders are gone.
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<usize>> + Send;
    /// From whichever has something, in one `select`, until both have come to their end: the sum of all.
    fn select_all(one: Self::Receiver, other: Self::Receiver) -> impl Future<Output = usize> + Send;

    /// A value on its way through a new oneshot channel.
    fn oneshot(value: usize) -> impl Future<Output = usize> + Send;

    type BroadcastSender: Send + 'static;
    type BroadcastReceiver: Send + 'static;
    fn broadcast(capacity: usize, receivers: usize) -> (Self::BroadcastSender, Vec<Self::BroadcastReceiver>);
    fn broadcast_send(sender: &Self::BroadcastSender, value: usize);
    fn broadcast_receive(receiver: &mut Self::BroadcastReceiver) -> impl Future<Output = usize> + Send;

    type WatchSender: Send + 'static;
    type WatchReceiver: Send + 'static;
    fn watch(receivers: usize) -> (Self::WatchSender, Vec<Self::WatchReceiver>);
    fn watch_send(sender: &Self::WatchSender, value: usize);
    /// The next value that was not seen yet.
    fn watch_changed(receiver: &mut Self::WatchReceiver) -> impl Future<Output = usize> + Send;

    fn join_all<F: Future<Output = usize> + Send>(futures: Vec<F>) -> impl Future<Output = Vec<usize>> + Send;
    /// The sum of their outputs, in the order in which they come.
    fn unordered<F: Future<Output = usize> + Send>(futures: Vec<F>) -> impl Future<Output = usize> + Send;
}
