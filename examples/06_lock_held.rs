//! An executor that holds the lock of its queue while it polls, and a task that wakes itself. A published demo has this loop.
//!
//! ```console
//! cargo run --example 06_lock_held
//! ```

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

type Ready = Arc<Mutex<Vec<usize>>>;
type Tasks = Vec<Pin<Box<dyn Future<Output = ()>>>>;

struct TaskWaker {
    task: usize,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap().push(self.task);
    }
}

fn poll(tasks: &mut Tasks, task: usize, ready: &Ready) {
    let waker = Waker::from(Arc::new(TaskWaker { task, ready: ready.clone() }));
    let _ = tasks[task].as_mut().poll(&mut Context::from_waker(&waker));
}

mod holds {
    use super::*;

    // ANCHOR: holds
    pub(crate) fn turn(tasks: &mut Tasks, ready: &Ready) {
        for task in ready.lock().unwrap().drain(..) {
            poll(tasks, task, ready);
        }
    }
    // ANCHOR_END: holds
}

mod lets_go {
    use super::*;

    // ANCHOR: lets_go
    pub(crate) fn turn(tasks: &mut Tasks, ready: &Ready) {
        let batch = std::mem::take(&mut *ready.lock().unwrap());
        for task in batch {
            poll(tasks, task, ready);
        }
    }
    // ANCHOR_END: lets_go
}

/// Wakes itself in its poll, as `yield_now` does.
fn wakes_itself() -> impl Future<Output = ()> {
    poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// One turn of a loop, on a thread of its own: is it over after half a second?
fn try_it(turn: fn(&mut Tasks, &Ready)) {
    let (sender, over) = mpsc::channel();
    thread::spawn(move || {
        let (mut tasks, ready): (Tasks, _) = (vec![Box::pin(wakes_itself())], Ready::default());
        ready.lock().unwrap().push(0);
        turn(&mut tasks, &ready);
        sender.send(ready.lock().unwrap().len()).unwrap();
    });
    match over.recv_timeout(Duration::from_millis(500)) {
        Ok(queued) => println!("  the turn is over, tasks in the queue: {queued}"),
        Err(_) => println!("  after half a second the turn is not over: it waits for a lock that it holds itself"),
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("the lock is held during the poll:");
    try_it(holds::turn);
    println!("the lock is held while the queue is emptied, and not longer:");
    try_it(lets_go::turn);
}
