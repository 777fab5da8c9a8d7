//! A value that somebody else will bring: first with `oneshot`, then with a future written by hand.
//!
//! ```console
//! cargo run --example custom_future
//! ```
//!
//! The mistakes that it avoids: to set a result twice (here the sender is used up by sending: it does not compile); to wait
//! for ever for somebody who is gone (a dropped sender is an error that the receiver gets; the one by hand lacks that); and,
//! by hand, to look in one lock and to store the waker in another, so that the value comes in between and wakes nobody.

use examples::seconds;
use runtime::{spawn, sync::oneshot, yield_now};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

// ANCHOR: promise
/// The one who waits. Its value is in a place that it shares with the [`Promise`].
struct Promised(Arc<Mutex<Shared>>);

/// The one who brings it.
struct Promise(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    value: Option<u32>,
    waker: Option<Waker>,
}

impl Promise {
    fn keep(self, value: u32) {
        let waker = {
            let mut shared = self.0.lock().unwrap();
            shared.value = Some(value);
            shared.waker.take()
        };
        // Outside the lock: a waker is anybody's code.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Promised {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        let mut shared = self.0.lock().unwrap();
        if let Some(value) = shared.value.take() {
            return Poll::Ready(value);
        }
        println!("  polled: not there yet, here is my waker");
        shared.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
// ANCHOR_END: promise

fn promise() -> (Promise, Promised) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    (Promise(shared.clone()), Promised(shared))
}

fn main() {
    examples::run(&[], async |_| {
        // ANCHOR: oneshot
        println!("oneshot:");
        let (sender, receiver) = oneshot::channel();
        drop(spawn(async move {
            seconds(1.0).await;
            sender.send("Future result").expect("somebody waits");
        }));
        println!("  {}", receiver.await.expect("it was sent"));

        let (sender, receiver) = oneshot::channel::<&str>();
        drop(sender);
        println!("  from a sender that is gone: {:?}", receiver.await);
        // ANCHOR_END: oneshot

        println!("by hand:");
        let (promise, promised) = promise();
        drop(spawn(async move {
            seconds(1.0).await;
            println!("  kept: the waker is called");
            promise.keep(42);
        }));
        println!("  {}", promised.await);

        println!("completed from the start:");
        println!("  std::future::ready: {}", std::future::ready(true).await);
        let task = spawn(async {});
        yield_now().await;
        println!("  a task with nothing to do, one turn later: finished? {}", task.is_finished());
    });
}
