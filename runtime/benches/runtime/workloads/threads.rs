//! Tasks and threads that are no workers.

use super::{BATCH, batches, sum_below};
use crate::side_by_side::{
    meter::{Meter, Sample},
    oneshot::{Sender, oneshot},
    sides::Side,
};
use std::{
    future::poll_fn,
    hint::black_box,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
    thread,
};

pub(super) async fn spawn_from_outside<S: Side>(remote: S::Remote, operations: usize) -> Sample {
    let (asks, asked) = mpsc::channel::<Sender<Vec<S::Joined<usize>>>>();
    let outside = thread::spawn(move || {
        for answer in asked {
            let spawn = |number| S::spawn_from_outside(&remote, async move { number });
            answer.send((0..BATCH).map(spawn).collect());
        }
    });
    let mut sum = 0;
    let meter = Meter::start();
    for _ in batches(operations) {
        let (answer, tasks) = oneshot();
        asks.send(answer).expect("the thread is there");
        for task in tasks.await {
            sum += task.await;
        }
    }
    let sample = meter.spent(operations);
    drop(asks);
    outside.join().expect("the thread ends well");
    assert_eq!(sum, operations / BATCH * sum_below(BATCH));
    sample
}

/// Whose turn it is: the thread counts up and wakes the task; the task answers and unparks the thread.
#[derive(Default)]
struct Turns {
    called: Mutex<(usize, Option<Waker>)>,
    answered: AtomicUsize,
}

impl Turns {
    fn call(&self, turn: usize) {
        let waker = {
            let mut called = self.called.lock().unwrap();
            called.0 = turn;
            called.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
        while self.answered.load(Ordering::Acquire) < turn {
            thread::park();
        }
    }

    fn poll_called(&self, turn: usize, context: &Context<'_>) -> Poll<()> {
        let mut called = self.called.lock().unwrap();
        if called.0 == turn {
            return Poll::Ready(());
        }
        called.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

pub(super) async fn wake_from_thread(operations: usize) -> Sample {
    let turns = Arc::new(Turns::default());
    let thread = thread::spawn({
        let turns = turns.clone();
        move || (1..=operations + 1).for_each(|turn| turns.call(turn))
    });
    // The first turn is for the thread to start.
    let mut meter = None;
    for turn in 1..=operations + 1 {
        poll_fn(|context| turns.poll_called(turn, context)).await;
        meter.get_or_insert_with(Meter::start);
        turns.answered.store(turn, Ordering::Release);
        thread.thread().unpark();
    }
    let sample = meter.expect("there was a first turn").spent(operations);
    thread.join().expect("the thread ends well");
    sample
}

pub(super) async fn blocking<S: Side>(at_once: usize, operations: usize) -> Sample {
    let mut jobs = Vec::with_capacity(at_once);
    let mut sum = 0;
    let meter = Meter::start();
    for _ in 0..operations / at_once {
        jobs.extend((0..at_once).map(|number| S::spawn_blocking(move || black_box(number) + 1)));
        for job in jobs.drain(..) {
            sum += job.await;
        }
    }
    let sample = meter.spent(operations);
    assert_eq!(sum, operations / at_once * sum_below(at_once + 1));
    sample
}
