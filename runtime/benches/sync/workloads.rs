//! What is measured. Each workload runs as a task of its side, and checks what came out.

use crate::{
    primitives::Primitives,
    side_by_side::{
        Kind, Workload,
        meter::{Meter, Sample},
        on_each_side,
        oneshot::oneshot as plain_oneshot,
        sides::{Name, Side},
    },
};
use std::{future::Future, iter, sync::Arc};

const TASKS: usize = 16;
/// So many of a primitive, each with tasks of its own: a single one would leave a single task to run, and what is measured would
/// be how a runtime idles.
const GROUPS: usize = 16;
const CHILDREN: usize = 1_000;
const LISTENERS: usize = 8;
/// Less than the messages of one round, which all listeners hear before the next.
const ROUND: usize = 50;

/// A row that every side has, if it does not say otherwise.
const ROW: Workload = Workload {
    name: "",
    title: "",
    operation: "",
    operations: 256_000,
    quick: 25_600,
    counted: 10_240,
    system_calls: false,
    sides: &Name::ALL,
    kind: Kind::Here(|_, _, _, _| Vec::new()),
};

pub(crate) const ALL: [Workload; 14] = [
    Workload {
        name: "mutex-free",
        title: "mutex: locked by one task again and again",
        operation: "a lock",
        operations: 2_000_000,
        quick: 200_000,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, mutex_free::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "mutex-contended",
        title: "mutex: 16 tasks hold it over a yield, in turn (and 15 more such mutexes)",
        operation: "a lock",
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, mutex_contended::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "rwlock-read",
        title: "rwlock: 16 tasks that only read",
        operation: "a read",
        operations: 1_600_000,
        quick: 160_000,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, rwlock_read::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "semaphore-free",
        title: "semaphore: a permit taken and given back by one task",
        operation: "an acquire",
        operations: 2_000_000,
        quick: 200_000,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, semaphore_free::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "semaphore-contended",
        title: "semaphore: 16 tasks hold 2 permits over a yield, in turn (and 15 more)",
        operation: "an acquire",
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, semaphore_contended::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "mpsc-ping-pong",
        title: "mpsc: two tasks, a message there and one back",
        operation: "a round trip",
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, ping_pong::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "mpsc-fan-in",
        title: "mpsc: 16 tasks send to one, room for 100",
        operation: "a message",
        operations: 800_000,
        quick: 80_000,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, fan_in::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "oneshot",
        title: "oneshot: made, sent, received",
        operation: "a value",
        operations: 500_000,
        quick: 50_000,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, oneshot::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "broadcast",
        title: "broadcast: one task to 8, 50 messages a round",
        operation: "a message heard",
        operations: 1_000 * ROUND * LISTENERS,
        quick: 100 * ROUND * LISTENERS,
        counted: 10 * ROUND * LISTENERS,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, broadcast::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "watch",
        title: "watch: one task tells 8, and waits until all have seen it",
        operation: "a change seen",
        operations: 20_000 * LISTENERS,
        quick: 2_000 * LISTENERS,
        counted: 1_000 * LISTENERS,
        sides: &[Name::Ours, Name::Tokio],
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, watch::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "join-all",
        title: "join_all: 1,000 children, each yields once (peers: futures-util)",
        operation: "a child",
        operations: 200 * CHILDREN,
        quick: 20 * CHILDREN,
        counted: 10 * CHILDREN,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, join_all::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "unordered",
        title: "FuturesUnordered: 1,000 children, each yields once (peers: futures-util)",
        operation: "a child",
        operations: 200 * CHILDREN,
        quick: 20 * CHILDREN,
        counted: 10 * CHILDREN,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, unordered::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "unordered-late",
        title: "FuturesUnordered: 1,000 children, woken one by one (peers: futures-util)",
        operation: "a child",
        operations: 200 * CHILDREN,
        quick: 20 * CHILDREN,
        counted: 10 * CHILDREN,
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, unordered_late::<S>(n)))),
        ..ROW
    },
    Workload {
        name: "select-loop",
        title: "select in a loop: two channels, a sender each, room for 10",
        operation: "a message",
        kind: Kind::Here(on_each_side!(Primitives, |side: S, n| on(side, select_loop::<S>(n)))),
        ..ROW
    },
];

/// Runs `workload` as a task, so that it is a worker that does the work on every side.
fn on<S: Side>(side: &S, workload: impl Future<Output = Sample> + Send + 'static) -> Sample {
    side.block_on(async { S::spawn(workload).await })
}

/// So many tasks do the same, and end.
async fn in_tasks<S: Side, F: Future<Output = ()> + Send + 'static>(tasks: usize, task: impl Fn() -> F) {
    let tasks: Vec<_> = (0..tasks).map(|_| S::spawn(task())).collect();
    for task in tasks {
        task.await;
    }
}

async fn mutex_free<S: Primitives>(operations: usize) -> Sample {
    let mutex = S::mutex();
    let meter = Meter::start();
    for _ in 0..operations {
        *S::lock(&mutex).await += 1;
    }
    let sample = meter.spent(operations);
    assert_eq!(*S::lock(&mutex).await, operations as u64);
    sample
}

async fn mutex_contended<S: Primitives>(operations: usize) -> Sample {
    let each = operations / GROUPS / TASKS;
    let mutexes: Vec<_> = (0..GROUPS).map(|_| Arc::new(S::mutex())).collect();
    let meter = Meter::start();
    let mut tasks = Vec::with_capacity(GROUPS * TASKS);
    for mutex in mutexes.iter().flat_map(|mutex| iter::repeat_n(mutex.clone(), TASKS)) {
        tasks.push(S::spawn(async move {
            for _ in 0..each {
                let mut value = S::lock(&mutex).await;
                let seen = *value;
                S::yield_now().await;
                *value = seen + 1;
            }
        }));
    }
    for task in tasks {
        task.await;
    }
    let sample = meter.spent(operations);
    for mutex in mutexes {
        assert_eq!(*S::lock(&mutex).await, (TASKS * each) as u64);
    }
    sample
}

async fn rwlock_read<S: Primitives>(operations: usize) -> Sample {
    let lock = Arc::new(S::rwlock());
    let meter = Meter::start();
    in_tasks::<S, _>(TASKS, || {
        let lock = lock.clone();
        async move {
            let mut sum = 0;
            for _ in 0..operations / TASKS {
                sum += S::read(&lock).await;
            }
            assert_eq!(sum, (operations / TASKS) as u64);
        }
    })
    .await;
    meter.spent(operations)
}

async fn semaphore_free<S: Primitives>(operations: usize) -> Sample {
    let semaphore = S::semaphore(2);
    let meter = Meter::start();
    for _ in 0..operations {
        drop(S::acquire(&semaphore).await);
    }
    meter.spent(operations)
}

async fn semaphore_contended<S: Primitives>(operations: usize) -> Sample {
    let each = operations / GROUPS / TASKS;
    let semaphores = (0..GROUPS).map(|_| Arc::new(S::semaphore(2)));
    let meter = Meter::start();
    let mut tasks = Vec::with_capacity(GROUPS * TASKS);
    for semaphore in semaphores.flat_map(|semaphore| iter::repeat_n(semaphore, TASKS)) {
        tasks.push(S::spawn(async move {
            for _ in 0..each {
                let _permit = S::acquire(&semaphore).await;
                S::yield_now().await;
            }
        }));
    }
    for task in tasks {
        task.await;
    }
    meter.spent(operations)
}

async fn ping_pong<S: Primitives>(operations: usize) -> Sample {
    let ((ping, mut pinged), (pong, mut ponged)) = (S::channel(1), S::channel(1));
    let other = S::spawn(async move {
        while let Some(value) = S::receive(&mut pinged).await {
            S::send(&pong, value + 1).await;
        }
    });
    let meter = Meter::start();
    for number in 0..operations {
        S::send(&ping, number).await;
        assert_eq!(S::receive(&mut ponged).await, Some(number + 1));
    }
    let sample = meter.spent(operations);
    drop(ping);
    other.await;
    sample
}

/// Sends so many numbers from so many tasks.
fn feed<S: Primitives>(sender: S::Sender, tasks: usize, operations: usize) {
    for _ in 0..tasks {
        let sender = sender.clone();
        S::detach(S::spawn(async move {
            for _ in 0..operations / tasks {
                S::send(&sender, 1).await;
            }
        }));
    }
}

async fn fan_in<S: Primitives>(operations: usize) -> Sample {
    let (sender, mut receiver) = S::channel(100);
    let meter = Meter::start();
    feed::<S>(sender, TASKS, operations);
    let mut sum = 0;
    while let Some(value) = S::receive(&mut receiver).await {
        sum += value;
    }
    let sample = meter.spent(operations);
    assert_eq!(sum, operations);
    sample
}

async fn select_loop<S: Primitives>(operations: usize) -> Sample {
    let ((one, from_one), (other, from_other)) = (S::channel(10), S::channel(10));
    let meter = Meter::start();
    feed::<S>(one, 1, operations / 2);
    feed::<S>(other, 1, operations / 2);
    assert_eq!(S::select_all(from_one, from_other).await, operations);
    meter.spent(operations)
}

async fn oneshot<S: Primitives>(operations: usize) -> Sample {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..operations {
        sum += S::oneshot(1).await;
    }
    assert_eq!(sum, operations);
    meter.spent(operations)
}

async fn broadcast<S: Primitives>(operations: usize) -> Sample {
    let rounds = operations / LISTENERS / ROUND;
    let (sender, receivers) = S::broadcast(ROUND, LISTENERS);
    let (heard, mut all_heard) = S::channel(LISTENERS);
    let meter = Meter::start();
    for mut receiver in receivers {
        let heard = heard.clone();
        S::detach(S::spawn(async move {
            for _ in 0..rounds {
                let mut sum = 0;
                for _ in 0..ROUND {
                    sum += S::broadcast_receive(&mut receiver).await;
                }
                S::send(&heard, sum).await;
            }
        }));
    }
    for _ in 0..rounds {
        (0..ROUND).for_each(|_| S::broadcast_send(&sender, 1));
        for _ in 0..LISTENERS {
            assert_eq!(S::receive(&mut all_heard).await, Some(ROUND));
        }
    }
    meter.spent(operations)
}

async fn watch<S: Primitives>(operations: usize) -> Sample {
    let rounds = operations / LISTENERS;
    let (sender, receivers) = S::watch(LISTENERS);
    let (seen, mut all_seen) = S::channel(LISTENERS);
    let meter = Meter::start();
    for mut receiver in receivers {
        let seen = seen.clone();
        S::detach(S::spawn(async move {
            for _ in 0..rounds {
                let value = S::watch_changed(&mut receiver).await;
                S::send(&seen, value).await;
            }
        }));
    }
    for round in 1..=rounds {
        S::watch_send(&sender, round);
        for _ in 0..LISTENERS {
            assert_eq!(S::receive(&mut all_seen).await, Some(round));
        }
    }
    meter.spent(operations)
}

/// Children that yield once, for a set of them.
fn children<S: Side>() -> Vec<impl Future<Output = usize> + Send> {
    let child = |_| async {
        S::yield_now().await;
        1
    };
    (0..CHILDREN).map(child).collect()
}

async fn join_all<S: Primitives>(operations: usize) -> Sample {
    let meter = Meter::start();
    for _ in 0..operations / CHILDREN {
        assert_eq!(S::join_all(children::<S>()).await.len(), CHILDREN);
    }
    meter.spent(operations)
}

async fn unordered<S: Primitives>(operations: usize) -> Sample {
    let meter = Meter::start();
    for _ in 0..operations / CHILDREN {
        assert_eq!(S::unordered(children::<S>()).await, CHILDREN);
    }
    meter.spent(operations)
}

/// The set waits; a task wakes its children one after the other, and gives way after each.
async fn unordered_late<S: Primitives>(operations: usize) -> Sample {
    let meter = Meter::start();
    for _ in 0..operations / CHILDREN {
        let (senders, children): (Vec<_>, Vec<_>) = (0..CHILDREN).map(|_| plain_oneshot()).unzip();
        S::detach(S::spawn(async move {
            for sender in senders {
                sender.send(1_usize);
                S::yield_now().await;
            }
        }));
        assert_eq!(S::unordered(children).await, CHILDREN);
    }
    meter.spent(operations)
}
