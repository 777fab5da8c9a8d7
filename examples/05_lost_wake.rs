//! A wake that comes between the look and the sleep: lost without a token, kept with one.
//!
//! ```console
//! cargo run --example 05_lost_wake
//! ```

use examples::Arguments;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Condvar, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

/// A thread that has slept for so long without being told will not be told any more.
const LONG: Duration = Duration::from_millis(200);

mod forgets {
    use super::*;

    // ANCHOR: forgets
    #[derive(Default)]
    pub(crate) struct Bell {
        lock: Mutex<()>,
        told: Condvar,
    }

    impl Bell {
        /// `false`: it slept, and nobody told it.
        pub(crate) fn wait(&self) -> bool {
            let guard = self.lock.lock().unwrap();
            let (_guard, slept) = self.told.wait_timeout(guard, LONG).unwrap();
            !slept.timed_out()
        }
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.told.notify_one();
        }
    }
    // ANCHOR_END: forgets
}

mod remembers {
    use super::*;

    // ANCHOR: remembers
    #[derive(Default)]
    pub(crate) struct Bell {
        rung: Mutex<bool>,
        told: Condvar,
    }

    impl Bell {
        /// `false`: it slept, and nobody told it.
        pub(crate) fn wait(&self) -> bool {
            let rung = self.rung.lock().unwrap();
            let (mut rung, slept) = self.told.wait_timeout_while(rung, LONG, |rung| !*rung).unwrap();
            *rung = false;
            !slept.timed_out()
        }
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            *self.rung.lock().unwrap() = true;
            self.told.notify_one();
        }
    }
    // ANCHOR_END: remembers
}

// ANCHOR: too_early
/// Woken before its first poll has returned: another thread was quick.
fn woken_early() -> impl Future<Output = &'static str> {
    let mut first = true;
    poll_fn(move |context| {
        if !std::mem::take(&mut first) {
            return Poll::Ready("done");
        }
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake()).join().expect("it only wakes");
        Poll::Pending
    })
}
// ANCHOR_END: too_early

fn block_on<F: Future>(future: F, waker: &Waker, wait: impl Fn() -> bool) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if !wait() {
            return None;
        }
    }
}

fn main() {
    Arguments::parse(&[]);
    let (one, other) = (Arc::new(forgets::Bell::default()), Arc::new(remembers::Bell::default()));
    let forgot = block_on(woken_early(), &Waker::from(one.clone()), || one.wait());
    let kept = block_on(woken_early(), &Waker::from(other.clone()), || other.wait());
    println!("a bell that only rings: {}", forgot.unwrap_or("woken, and asleep all the same"));
    println!("a bell that remembers:  {}", kept.unwrap_or("woken, and asleep all the same"));
}
