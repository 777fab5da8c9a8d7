//! `sync::oneshot`, seen from outside, on our executor and on others.

use runtime::{
    spawn,
    sync::oneshot::{Closed, Receiver, Sender, TryRecvError, channel},
    yield_now,
};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// The smallest executor that there is: it parks its thread.
fn by_hand<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What must hold on any executor, with the other end on another thread.
async fn both_ways() {
    let (sender, receiver) = channel();
    let sending = thread::spawn(move || sender.send(1));
    assert_eq!(receiver.await, Ok(1));
    assert_eq!(sending.join().unwrap(), Ok(()));

    let (sender, receiver) = channel::<u8>();
    let dropping = thread::spawn(move || drop(sender));
    assert_eq!(receiver.await, Err(Closed));
    dropping.join().unwrap();

    let (mut sender, receiver) = channel::<u8>();
    let dropping = thread::spawn(move || drop(receiver));
    sender.closed().await;
    assert!(sender.is_closed());
    assert_eq!(sender.send(1), Err(1));
    dropping.join().unwrap();
}

#[test]
fn it_runs_on_any_executor() {
    runtime::block_on(both_ways());
    futures_lite::future::block_on(both_ways());
    by_hand(both_ways());
}

#[test]
fn between_tasks() {
    runtime::block_on(async {
        let (ask, question) = channel::<(u32, Sender<u32>)>();
        let answering = spawn(async move {
            let (number, answer) = question.await.unwrap();
            answer.send(number + 1).unwrap();
        });
        yield_now().await;
        let (sender, receiver) = channel();
        ask.send((41, sender)).unwrap();
        assert_eq!(receiver.await, Ok(42));
        answering.await.unwrap();
    });
}

#[test]
fn a_closed_channel_still_gives_what_was_sent_before() {
    let (sender, mut receiver) = channel();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(poll(&mut receiver), Poll::Ready(Ok(1)));
    assert_eq!(poll(&mut receiver), Poll::Ready(Err(Closed)), "and nothing after it");

    let (sender, mut receiver) = channel();
    receiver.close();
    assert!(sender.is_closed());
    assert_eq!(poll(&mut receiver), Poll::Ready(Err(Closed)), "nobody waits for a closed channel");
    assert_eq!(sender.send(1), Err(1));
}

#[test]
fn try_recv_says_whether_to_come_back() {
    let (sender, mut receiver) = channel::<u8>();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

/// Cancel safety: waiting is given up and taken up again, and the value is still there.
#[test]
fn a_wait_that_was_given_up_loses_nothing() {
    futures_lite::future::block_on(async {
        let (sender, mut receiver) = channel();
        assert!(futures_lite::future::poll_once(&mut receiver).await.is_none());
        sender.send(1).unwrap();
        assert_eq!(receiver.await, Ok(1));
    });
}

#[test]
fn a_value_that_nobody_took_is_dropped_once() {
    let value = Arc::new(());
    let (sender, receiver) = channel();
    sender.send(value.clone()).unwrap();
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

/// Counts how many of it there are, through its `Arc`.
struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

/// A waker keeps its task alive: one that is kept by a channel that nobody waits on leaks a task (tokio #7886, #8095).
#[test]
fn an_end_that_goes_takes_its_waker_with_it() {
    let counted = Arc::new(Nothing);
    let waker = Waker::from(counted.clone());
    let mut context = Context::from_waker(&waker);
    let (mut sender, mut receiver) = channel::<u8>();
    assert!(Pin::new(&mut receiver).poll(&mut context).is_pending());
    assert!(sender.poll_closed(&mut context).is_pending());
    assert_eq!(Arc::strong_count(&counted), 4);
    drop(receiver);
    assert_eq!(Arc::strong_count(&counted), 2, "the sender was woken, the receiver is gone");

    let (mut sender, receiver) = channel::<u8>();
    assert!(sender.poll_closed(&mut context).is_pending());
    drop(sender);
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(receiver);
}

/// Its wake, clone and drop come back to the channel: whoever calls them under its lock stands still for ever.
struct Meddling {
    other: Mutex<Option<Sender<u8>>>,
    receiver: Arc<Mutex<Option<Receiver<u8>>>>,
    calls: AtomicUsize,
}

impl Meddling {
    fn meddle(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut receiver) = self.receiver.try_lock()
            && let Some(receiver) = receiver.as_mut()
        {
            let _ = receiver.try_recv();
            receiver.close();
        }
        if let Some(sender) = self.other.lock().unwrap().take() {
            assert!(!sender.is_closed() || sender.send(1).is_err());
        }
    }
}

impl Wake for Meddling {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        self.meddle();
    }
}

#[test]
fn wakers_are_called_without_the_lock() {
    let (sender, mut receiver) = channel();
    let place = Arc::new(Mutex::new(None));
    let meddling = || {
        let (other, kept) = channel();
        let receiver = place.clone();
        drop(kept);
        Arc::new(Meddling { other: Mutex::new(Some(other)), receiver, calls: AtomicUsize::new(0) })
    };
    let (first, second) = (Waker::from(meddling()), meddling());
    assert!(Pin::new(&mut receiver).poll(&mut Context::from_waker(&first)).is_pending());
    // Only the channel holds it now, and drops it when another takes its place.
    drop(first);
    let waker = Waker::from(second.clone());
    assert!(Pin::new(&mut receiver).poll(&mut Context::from_waker(&waker)).is_pending());
    *place.lock().unwrap() = Some(receiver);
    assert_eq!(sender.send(5), Ok(()));
    assert_eq!(second.calls.load(Ordering::Relaxed), 1, "woken once");
    // The value came to whoever asked first: to the waker.
    assert_eq!(place.lock().unwrap().take().unwrap().try_recv(), Err(TryRecvError::Closed));
}

/// The ends can be sent and shared as far as their value can be sent.
#[test]
fn ends_go_to_other_threads() {
    fn both<T: Send + Sync>(_: &T) {}
    let (sender, receiver) = channel::<std::cell::Cell<u8>>();
    both(&sender);
    both(&receiver);
}
