//! A future that keeps the first waker that it was given, and one that keeps the newest: what becomes of a task that is polled by another.
//!
//! ```console
//! cargo run --example 04_stale
//! ```

use examples::Arguments;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

// ANCHOR: door
/// A door, and whoever waits for it.
#[derive(Default)]
pub(crate) struct Door {
    open: bool,
    waiting: Option<Waker>,
}

type Shared = Arc<Mutex<Door>>;

fn open(door: &Shared) {
    let waiting = {
        let mut door = door.lock().unwrap();
        door.open = true;
        door.waiting.take()
    };
    // Outside of the lock: a waker runs code of somebody else.
    waiting.into_iter().for_each(Waker::wake);
}
// ANCHOR_END: door

mod first {
    use super::*;

    // ANCHOR: first
    pub(crate) struct Opened(pub(crate) Shared);

    impl Future for Opened {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut door = self.0.lock().unwrap();
            if door.open {
                return Poll::Ready(());
            }
            door.waiting.get_or_insert_with(|| cx.waker().clone());
            Poll::Pending
        }
    }
    // ANCHOR_END: first
}

mod newest {
    use super::*;

    // ANCHOR: newest
    pub(crate) struct Opened(pub(crate) Shared);

    impl Future for Opened {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut door = self.0.lock().unwrap();
            if door.open {
                return Poll::Ready(());
            }
            if !door.waiting.as_ref().is_some_and(|kept| kept.will_wake(cx.waker())) {
                let stale = door.waiting.replace(cx.waker().clone());
                drop(door);
                drop(stale);
            }
            Poll::Pending
        }
    }
    // ANCHOR_END: newest
}

/// Says who was woken.
struct Named(&'static str);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        println!("  woken: {}", self.0);
    }
}

// ANCHOR: handed_on
/// The future is polled by one task, and then by another: it was sent through a channel, or its race was over.
fn handed_on(mut opened: impl Future<Output = ()> + Unpin, door: &Shared) {
    for task in ["the first task", "the second task"] {
        let waker = Waker::from(Arc::new(Named(task)));
        let poll = Pin::new(&mut opened).poll(&mut Context::from_waker(&waker));
        println!("  polled by {task}: {}", if poll.is_ready() { "ready" } else { "pending" });
    }
    println!("  the door opens");
    open(door);
}
// ANCHOR_END: handed_on

fn main() {
    Arguments::parse(&[]);
    let (one, other) = (Shared::default(), Shared::default());
    println!("it keeps the first waker:");
    handed_on(first::Opened(one.clone()), &one);
    println!("it keeps the newest:");
    handed_on(newest::Opened(other.clone()), &other);
}
