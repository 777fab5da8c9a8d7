//! A task is woken once more than needed: what happens when its executor keeps the finished future, and when it does not.
//!
//! ```console
//! cargo run --example 02_after_ready
//! ```

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

mod keeps {
    use super::*;

    // ANCHOR: keeps
    pub(crate) struct Task {
        pub(crate) future: BoxFuture,
    }

    impl Task {
        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> &'static str {
            match self.future.as_mut().poll(cx) {
                Poll::Pending => "pending",
                Poll::Ready(()) => "ready",
            }
        }
    }
    // ANCHOR_END: keeps
}

mod lets_go {
    use super::*;

    // ANCHOR: lets_go
    pub(crate) struct Task {
        pub(crate) future: Option<BoxFuture>,
    }

    impl Task {
        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> &'static str {
            let Some(future) = &mut self.future else {
                return "done already, left alone";
            };
            match future.as_mut().poll(cx) {
                Poll::Pending => "pending",
                Poll::Ready(()) => {
                    self.future = None;
                    "ready"
                }
            }
        }
    }
    // ANCHOR_END: lets_go
}

/// The smallest ready queue there is: how often the one task was woken and not yet polled.
struct Queue(AtomicU32);

impl Wake for Queue {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An executor of one task: a poll for each wake, until there are no more.
fn run(mut poll: impl FnMut(&mut Context<'_>) -> &'static str) {
    let queue = Arc::new(Queue(AtomicU32::new(1)));
    let waker = Waker::from(queue.clone());
    let mut cx = Context::from_waker(&waker);
    while queue.0.load(Ordering::Relaxed) > 0 {
        queue.0.fetch_sub(1, Ordering::Relaxed);
        println!("  poll: {}", poll(&mut cx));
    }
}

/// Wakes twice where once would do. The contract allows it: a wake means "ask again", and one may come too many.
async fn wakes_twice() {
    let mut asked = false;
    poll_fn(|cx| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        cx.waker().wake_by_ref();
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("the executor keeps the finished future:");
    set_hook(Box::new(|panic| println!("  poll: panic: {}", panic.payload_as_str().unwrap_or("?"))));
    let mut task = keeps::Task { future: Box::pin(wakes_twice()) };
    let _ = catch_unwind(AssertUnwindSafe(|| run(|cx| task.poll(cx))));

    println!("the executor lets it go:");
    let mut task = lets_go::Task { future: Some(Box::pin(wakes_twice())) };
    run(|cx| task.poll(cx));
}
