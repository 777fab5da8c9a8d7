//! Everything at once, at random: tasks that sleep, yield, panic, end, are aborted, and are woken from other threads.
//!
//! Two thousand tasks by default; `STRESS_SECONDS=600` runs round after round for that long.

use runtime::{JoinError, Runtime, spawn, spawn_blocking, time::sleep, yield_now};
use std::{
    future::poll_fn,
    panic,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::Duration,
};

/// Where every task ends up, exactly once.
#[derive(Default)]
struct Counts {
    dropped: AtomicU64,
    completed: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
}

struct Guard(Arc<Counts>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// xorshift, seeded: a failure can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Gives its waker to another thread and waits to be woken by it.
async fn woken_from_outside(wakers: mpsc::Sender<(Waker, Arc<Mutex<bool>>)>) {
    let done = Arc::new(Mutex::new(false));
    let mut sent = false;
    poll_fn(|context| {
        if *done.lock().unwrap() {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut sent, true) {
            wakers.send((context.waker().clone(), done.clone())).unwrap();
        }
        Poll::Pending
    })
    .await;
}

fn round(seed: u64, workers: usize, tasks: u64) {
    let counts = Arc::new(Counts::default());
    let (wakers, to_wake) = mpsc::channel::<(Waker, Arc<Mutex<bool>>)>();
    let waking = thread::spawn(move || {
        for (waker, done) in to_wake {
            waker.wake_by_ref();
            *done.lock().unwrap() = true;
            waker.wake();
        }
    });
    let runtime = Runtime::builder().workers(workers).build().unwrap();
    runtime.block_on(async {
        let mut random = Random(seed);
        let mut handles = Vec::new();
        for _ in 0..tasks {
            let (kind, wait) = (random.below(6), Duration::from_micros(random.below(3000)));
            let (guard, wakers) = (Guard(counts.clone()), wakers.clone());
            handles.push(spawn(async move {
                let _guard = guard;
                match kind {
                    0 => sleep(wait).await,
                    1 => (0..wait.as_micros() % 5).for_each(drop),
                    2 => yield_now().await,
                    3 => woken_from_outside(wakers).await,
                    4 => spawn_blocking(|| ()).await.unwrap(),
                    _ => {
                        yield_now().await;
                        panic::resume_unwind(Box::new("on purpose"));
                    }
                }
            }));
            if random.below(4) == 0 {
                handles[random.below(handles.len() as u64) as usize].abort();
            }
            if random.below(16) == 0 {
                yield_now().await;
            }
        }
        for handle in handles {
            let count = match handle.await {
                Ok(()) => &counts.completed,
                Err(JoinError::Cancelled) => &counts.cancelled,
                Err(JoinError::Panicked(_)) => &counts.panicked,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    drop((runtime, wakers));
    waking.join().unwrap();
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    assert_eq!(read(&counts.dropped), tasks, "seed {seed}: futures dropped");
    let ended = read(&counts.completed) + read(&counts.cancelled) + read(&counts.panicked);
    assert_eq!(ended, tasks, "seed {seed}: tasks ended");
    assert_eq!(Arc::strong_count(&counts), 1, "seed {seed}: a future was leaked");
}

#[test]
fn nothing_is_lost_in_a_storm() {
    let seconds = std::env::var("STRESS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let end = std::time::Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    let mut rounds = 0;
    loop {
        for workers in [1, 2, 4] {
            round(seed, workers, 2_000);
            rounds += 1;
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if std::time::Instant::now() >= end {
            break;
        }
    }
    println!("{rounds} rounds of 2,000 tasks");
}
