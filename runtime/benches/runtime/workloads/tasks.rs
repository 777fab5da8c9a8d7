//! Tasks among themselves.

use super::{BATCH, CHAIN, PAIRS, YIELDERS, batches, sum_below};
use crate::side_by_side::{
    meter::{Meter, Sample},
    oneshot::{Sender, oneshot},
    sides::Side,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

pub(super) async fn spawn_join<S: Side>(operations: usize) -> Sample {
    let mut tasks = Vec::with_capacity(BATCH);
    let mut sum = 0;
    let meter = Meter::start();
    for batch in batches(operations) {
        tasks.extend((0..batch).map(|number| S::spawn(async move { number })));
        for task in tasks.drain(..) {
            sum += task.await;
        }
    }
    let sample = meter.spent(operations);
    assert_eq!(sum, operations / BATCH * sum_below(BATCH));
    sample
}

pub(super) async fn spawn_detached<S: Side>(operations: usize) -> Sample {
    let meter = Meter::start();
    for batch in batches(operations) {
        let (done, all_done) = oneshot();
        let left = Arc::new((AtomicUsize::new(batch), Mutex::new(Some(done))));
        for _ in 0..batch {
            let left = left.clone();
            S::detach(S::spawn(async move {
                if left.0.fetch_sub(1, Ordering::AcqRel) == 1 {
                    left.1.lock().unwrap().take().expect("there is one last task").send(());
                }
            }));
        }
        all_done.await;
    }
    meter.spent(operations)
}

pub(super) async fn yields<S: Side>(operations: usize) -> Sample {
    let each = operations / YIELDERS;
    let meter = Meter::start();
    let yielder = |_| {
        S::spawn(async move {
            for _ in 0..each {
                S::yield_now().await;
            }
            each
        })
    };
    let tasks: Vec<_> = (0..YIELDERS).map(yielder).collect();
    let mut yielded = 0;
    for task in tasks {
        yielded += task.await;
    }
    let sample = meter.spent(operations);
    assert_eq!(yielded, operations);
    sample
}

fn link<S: Side>(left: usize, end: Sender<usize>) {
    S::detach(S::spawn(async move {
        match left {
            0 => end.send(left),
            _ => link::<S>(left - 1, end),
        }
    }));
}

pub(super) async fn chained<S: Side>(operations: usize) -> Sample {
    let meter = Meter::start();
    for _ in 0..operations / CHAIN {
        let (end, ended) = oneshot();
        link::<S>(CHAIN - 1, end);
        assert_eq!(ended.await, 0);
    }
    meter.spent(operations)
}

pub(super) async fn ping_pong<S: Side>(operations: usize) -> Sample {
    let mut pairs = Vec::with_capacity(PAIRS);
    let mut pongs = 0;
    let meter = Meter::start();
    for _ in 0..operations / PAIRS {
        pairs.extend((0..PAIRS).map(|_| {
            S::spawn(async {
                let (ping, pinged) = oneshot();
                let (pong, ponged) = oneshot();
                S::detach(S::spawn(async { pong.send(pinged.await + 1) }));
                ping.send(0_usize);
                ponged.await
            })
        }));
        for pair in pairs.drain(..) {
            pongs += pair.await;
        }
    }
    let sample = meter.spent(operations);
    assert_eq!(pongs, operations);
    sample
}
