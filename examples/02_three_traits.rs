//! `Future` grown in steps. A bell is rung by another thread; how often does the one who waits for it have to ask?
//!
//! ```console
//! cargo run --example 02_three_traits
//! ```

use std::{
    sync::{Arc, Mutex},
    task::Waker,
    thread::{self, sleep},
    time::Duration,
};

/// What the one who waits and the one who rings share.
#[derive(Default)]
struct Bell {
    rung: bool,
    waker: Option<Waker>,
}

/// A bell, and a thread that rings it after 20 ms.
fn bell() -> Arc<Mutex<Bell>> {
    let bell = Arc::new(Mutex::new(Bell::default()));
    let ringer = bell.clone();
    thread::spawn(move || {
        sleep(Duration::from_millis(20));
        let waker = {
            let mut bell = ringer.lock().unwrap();
            bell.rung = true;
            bell.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    bell
}

/// Only the question: "are you done?" When to ask it again, nobody knows: all the time, then.
mod first {
    use super::*;

    // ANCHOR: first
    pub(crate) trait Future {
        type Output;

        /// `Some` when it is done, `None` when not: ask again.
        fn poll(&mut self) -> Option<Self::Output>;
    }

    impl Future for Arc<Mutex<Bell>> {
        type Output = ();

        fn poll(&mut self) -> Option<()> {
            self.lock().unwrap().rung.then_some(())
        }
    }
    // ANCHOR_END: first

    pub(crate) fn wait(mut bell: Arc<Mutex<Bell>>) -> u32 {
        let mut asked = 1;
        while bell.poll().is_none() {
            asked += 1;
        }
        asked
    }
}

/// The real one: the question brings a waker that the future may keep, and hand to whoever will ring.
mod real {
    use super::*;
    use std::{
        future::Future,
        pin::Pin,
        task::{Context, Poll, Wake},
        thread::Thread,
    };

    // ANCHOR: real
    pub(crate) struct Ring(pub(crate) Arc<Mutex<Bell>>);

    impl Future for Ring {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut bell = self.0.lock().unwrap();
            if bell.rung {
                return Poll::Ready(());
            }
            bell.waker = Some(cx.waker().clone());
            Poll::Pending
        }
    }
    // ANCHOR_END: real

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    pub(crate) fn wait(bell: Arc<Mutex<Bell>>) -> u32 {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut ring = Ring(bell);
        let mut asked = 1;
        while Pin::new(&mut ring).poll(&mut Context::from_waker(&waker)).is_pending() {
            thread::park();
            asked += 1;
        }
        asked
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("poll(&mut self):            asked {:>9} times in 20 ms", first::wait(bell()));
    println!("poll(self: Pin<_>, &mut _): asked {:>9} times in 20 ms", real::wait(bell()));
}
