//! An executor whose queue is bounded, and whose wake waits for a place in it: it waits for itself. And the same, mended.
//!
//! ```console
//! cargo run --example 14_wake_blocks
//! ```

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::mpsc::channel,
    task::Poll,
    thread,
    time::Duration,
};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

mod bounded {
    use super::Work;
    use std::{
        sync::{
            Arc, Mutex,
            mpsc::{SyncSender, sync_channel},
        },
        task::{Context, Wake},
    };

    // ANCHOR: bounded
    struct Task {
        work: Mutex<Work>,
        queue: SyncSender<Arc<Task>>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            let _ = self.queue.clone().send(self);
        }
    }

    pub(super) fn run(work: Work) {
        let (queue, turns) = sync_channel(1);
        Arc::new(Task { work: Mutex::new(work), queue }).wake();
        while let Ok(task) = turns.recv() {
            let waker = task.clone().into();
            let poll = task.work.lock().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
            if poll.is_ready() {
                return;
            }
        }
    }
    // ANCHOR_END: bounded
}

mod counted {
    use super::Work;
    use std::{
        sync::{
            Arc, Mutex,
            atomic::{AtomicBool, Ordering},
            mpsc::{Sender, channel},
        },
        task::{Context, Wake},
    };

    // ANCHOR: counted
    struct Task {
        work: Mutex<Work>,
        queue: Sender<Arc<Task>>,
        queued: AtomicBool,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            if !self.queued.swap(true, Ordering::AcqRel) {
                let _ = self.queue.clone().send(self);
            }
        }
    }

    pub(super) fn run(work: Work) {
        let (queue, turns) = channel();
        Arc::new(Task { work: Mutex::new(work), queue, queued: AtomicBool::new(false) }).wake();
        while let Ok(task) = turns.recv() {
            task.queued.swap(false, Ordering::AcqRel);
            let waker = task.clone().into();
            let poll = task.work.lock().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
            if poll.is_ready() {
                return;
            }
        }
    }
    // ANCHOR_END: counted
}

// ANCHOR: twice
/// Ready in its third poll. Until then each poll wakes the task twice, which the contract allows.
fn wakes_twice() -> Work {
    let mut polls = 0;
    Box::pin(poll_fn(move |context| {
        polls += 1;
        if polls == 3 {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}
// ANCHOR_END: twice

fn main() {
    examples::Arguments::parse(&[]);
    for (name, run) in [("bounded queue", bounded::run as fn(Work)), ("each task once", counted::run)] {
        let (over, is_over) = channel();
        // On a thread of its own: what hangs shall not take us along.
        thread::spawn(move || {
            run(wakes_twice());
            over.send(())
        });
        let ended = is_over.recv_timeout(Duration::from_millis(300)).is_ok();
        println!("{name:>14}: {}", if ended { "over" } else { "hangs: its wake waits for a place in its own queue" });
    }
}
