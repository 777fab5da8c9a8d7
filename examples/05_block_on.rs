//! One future, and a thread that sleeps until it is told: by `park`, by a bell of our own, and the same in the finished runtime.
//!
//! ```console
//! cargo run --example 05_block_on
//! ```

// ANCHOR: imports
use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};
// ANCHOR_END: imports
use examples::Arguments;
use runtime::time;
use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    sync::mpsc,
    time::Duration,
};

// ANCHOR: park
/// A waker that is a thread's name.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}
// ANCHOR_END: park

// ANCHOR: ring
/// Ready when another thread has rung. Gives the number of polls that it took.
fn ring() -> impl Future<Output = u32> {
    let (leave, left) = mpsc::channel::<Waker>();
    let rung = Arc::new(AtomicBool::new(false));
    let bell = rung.clone();
    thread::spawn(move || {
        let waker = left.recv().expect("a poll leaves its waker");
        println!("    another thread: I have a waker; I ring, and wake");
        bell.store(true, Ordering::Release);
        waker.wake();
    });
    let mut polls = 0;
    poll_fn(move |context| {
        polls += 1;
        if rung.load(Ordering::Acquire) {
            println!("poll {polls}: it has rung. Ready");
            return Poll::Ready(polls);
        }
        println!("poll {polls}: it has not rung. I leave my waker. Pending");
        // After a poll for no reason the other thread has a waker already. That one will do: each poll here brings the same.
        let _ = leave.send(context.waker().clone());
        Poll::Pending
    })
}
// ANCHOR_END: ring

fn main() {
    let arguments = Arguments::parse(&[]);
    println!("with park:");
    println!("{} polls\n", block_on(ring()));
    println!("with a bell of our own:");
    println!("{} polls\n", stages::s05_block_on::block_on(ring()));

    println!("the finished runtime, and a sleep of a second, as its trace tells it:");
    let runtime = examples::runtime(arguments.builder().trace());
    runtime.block_on(async { time::sleep(Duration::from_secs(1)).await });
    print!("{}", runtime.trace());
}
