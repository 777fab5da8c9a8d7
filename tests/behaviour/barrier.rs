//! Section 5: `sync::Barrier`, as asyncio's `BarrierTests` have theirs.
//!
//! Theirs has a state in which a complete round drains, and what is done to the barrier then depends on who has left it. Ours
//! has none: a round is complete in one moment, and lets all of its parties go, whenever they run. So:
//!
//! | case | why it is not here, or not as it was |
//! |---|---|
//! | draining_state | there is none |
//! | reset_when_tasks_half_draining, …_half_blocking, abort_when_tasks_half_draining_half_blocking | those who were released pass, whether they have run or not; those who wait for the next round are told (`reset_half_drained`, `abort_half_drained`) |
//! | context_manager | theirs waits on entry and gives the index: `wait` does |
//! | negative parties | a number of parties has no sign |
//! | repr | Python's text for an object |

use super::condition::single;
use runtime::{
    JoinHandle, spawn,
    sync::{Barrier, Broken},
    yield_now,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const N: usize = 5;

/// What so many tasks, all with one barrier, come to.
async fn gather<F, T>(count: usize, barrier: &Arc<Barrier>, task: impl Fn(Arc<Barrier>) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|_| spawn(task(barrier.clone()))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// A task that waits once: with its index, or with why not.
fn waits(barrier: &Arc<Barrier>) -> JoinHandle<Result<usize, Broken>> {
    let barrier = barrier.clone();
    spawn(async move { index(&barrier).await })
}

async fn index(barrier: &Barrier) -> Result<usize, Broken> {
    barrier.wait().await.map(|passed| passed.index())
}

fn sorted(mut indices: Vec<usize>) -> Vec<usize> {
    indices.sort_unstable();
    indices
}

#[track_caller]
fn as_new(barrier: &Barrier) {
    assert!(barrier.n_waiting() == 0 && !barrier.is_broken(), "{barrier:?}");
}

#[test]
fn barrier() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let indices = gather(N, &barrier, async |barrier| index(&barrier).await.unwrap()).await;
        assert_eq!(sorted(indices), [0, 1, 2, 3, 4]);
        as_new(&barrier);
    });
}

#[test]
#[should_panic(expected = "a barrier is for one party at least")]
fn barrier_parties() {
    Barrier::new(0);
}

#[test]
fn filling_one_task() {
    single().block_on(async {
        let barrier = Barrier::new(1);
        assert_eq!(index(&barrier).await, Ok(0));
        as_new(&barrier);
    });
}

#[test]
fn filling_one_task_twice() {
    single().block_on(async {
        let barrier = Barrier::new(1);
        assert_eq!((index(&barrier).await, index(&barrier).await), (Ok(0), Ok(0)));
        as_new(&barrier);
    });
}

#[test]
fn filling_task_by_task() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(3));
        let mut tasks = Vec::new();
        for there in 1..3 {
            tasks.push(waits(&barrier));
            yield_now().await;
            assert_eq!(barrier.n_waiting(), there);
        }
        tasks.push(waits(&barrier));
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        as_new(&barrier);
    });
}

#[test]
fn filling_tasks_wait_twice() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let first = Arc::new(AtomicUsize::new(0));
        gather(N, &barrier, |barrier| {
            let first = first.clone();
            async move {
                barrier.wait().await.unwrap();
                first.fetch_add(1, Ordering::Relaxed);
                barrier.wait().await.unwrap();
                assert_eq!(first.load(Ordering::Relaxed), N, "one is in the second round before the first one left");
            }
        })
        .await;
        as_new(&barrier);
    });
}

#[test]
fn filling_tasks_check_return_value() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let indices = gather(N, &barrier, async |barrier| {
            barrier.wait().await.unwrap();
            index(&barrier).await.unwrap()
        });
        assert_eq!(sorted(indices.await), [0, 1, 2, 3, 4]);
        as_new(&barrier);
    });
}

#[test]
fn blocking_tasks_while_draining() {
    single().block_on(async {
        const AGAIN: usize = 2;
        let barrier = Arc::new(Barrier::new(N));
        let others = Arc::new(Barrier::new(N - AGAIN));
        let passed = Arc::new(AtomicUsize::new(0));
        gather(N, &barrier, |barrier| {
            let (others, passed) = (others.clone(), passed.clone());
            async move {
                barrier.wait().await.unwrap();
                // The first ones to leave wait again at once, for the next round.
                if passed.fetch_add(1, Ordering::Relaxed) >= AGAIN {
                    others.wait().await.unwrap();
                }
                barrier.wait().await.unwrap();
            }
        })
        .await;
        as_new(&barrier);
        as_new(&others);
    });
}

#[test]
fn filling_tasks_cancel_one() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(3));
        let first = waits(&barrier);
        yield_now().await;
        let second = waits(&barrier);
        yield_now().await;
        assert_eq!(barrier.n_waiting(), 2);
        first.abort();
        yield_now().await;
        assert_eq!(barrier.n_waiting(), 1);
        assert!(first.await.unwrap_err().is_cancelled());
        let third = waits(&barrier);
        yield_now().await;
        assert_eq!(barrier.n_waiting(), 2);
        let fourth = waits(&barrier);
        let mut indices = Vec::new();
        for task in [second, third, fourth] {
            indices.push(task.await.unwrap().unwrap());
        }
        assert_eq!(sorted(indices), [0, 1, 2]);
        as_new(&barrier);
    });
}

#[test]
fn reset_barrier() {
    let barrier = Barrier::new(1);
    barrier.reset();
    as_new(&barrier);
}

#[test]
fn reset_barrier_while_tasks_waiting() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let tasks: Vec<_> = (1..N).map(|_| waits(&barrier)).collect();
        yield_now().await;
        barrier.reset();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Err(Broken));
        }
        as_new(&barrier);
    });
}

/// Half of a complete round has run, and one of them aborts while others wait for the next round.
#[test]
fn abort_half_drained() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let passed = Arc::new(AtomicUsize::new(0));
        let broken = gather(N, &barrier, |barrier| {
            let passed = passed.clone();
            async move {
                barrier.wait().await.expect("their round was complete");
                if passed.fetch_add(1, Ordering::Relaxed) == N / 2 {
                    barrier.abort();
                    return false;
                }
                barrier.wait().await.is_err()
            }
        });
        let broken = broken.await.into_iter().filter(|broken| *broken).count();
        assert_eq!(broken, N - 1, "there is no next one");
        assert!(barrier.is_broken() && barrier.n_waiting() == 0);
    });
}

/// The same with a reset: those who wait for the next round are told, those who come later are not.
#[test]
fn reset_half_drained() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let passed = Arc::new(AtomicUsize::new(0));
        let broken = gather(N, &barrier, |barrier| {
            let passed = passed.clone();
            async move {
                barrier.wait().await.expect("their round was complete");
                if passed.fetch_add(1, Ordering::Relaxed) == N / 2 {
                    barrier.reset();
                }
                let broken = barrier.wait().await.is_err();
                if broken {
                    barrier.wait().await.unwrap();
                }
                broken
            }
        });
        let broken = broken.await.into_iter().filter(|broken| *broken).count();
        assert_eq!(broken, N / 2, "those who waited for the next round already");
        as_new(&barrier);
    });
}

#[test]
fn reset_barrier_while_tasks_waiting_and_waiting_again() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let tasks: Vec<_> = (1..N)
            .map(|_| {
                let barrier = barrier.clone();
                spawn(async move { (barrier.wait().await.map(drop), barrier.wait().await.map(drop)) })
            })
            .collect();
        yield_now().await;
        barrier.reset();
        yield_now().await;
        let last = waits(&barrier);
        for task in tasks {
            assert_eq!(task.await.unwrap(), (Err(Broken), Ok(())));
        }
        last.await.unwrap().unwrap();
        as_new(&barrier);
    });
}

#[test]
fn reset_barrier_while_tasks_draining() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let passed = Arc::new(AtomicUsize::new(0));
        let tasks = gather(N, &barrier, |barrier| {
            let passed = passed.clone();
            async move {
                barrier.wait().await.unwrap();
                if passed.fetch_add(1, Ordering::Relaxed) == N - 1 {
                    // The last one to leave: the others wait again, and hear of it.
                    barrier.reset();
                    return 0;
                }
                usize::from(barrier.wait().await.is_err())
            }
        });
        let broken: usize = tasks.await.into_iter().sum();
        assert_eq!(broken, N - 1);
        assert_eq!(passed.load(Ordering::Relaxed), N, "nobody who was released was kept");
        let indices = gather(N, &barrier, async |barrier| index(&barrier).await.unwrap()).await;
        assert_eq!(sorted(indices), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn abort_barrier() {
    single().block_on(async {
        let barrier = Barrier::new(1);
        barrier.abort();
        assert!(barrier.is_broken() && barrier.n_waiting() == 0);
        assert_eq!(index(&barrier).await, Err(Broken));
    });
}

/// One of them fails after the first round, and says that it will not come to the second.
async fn one_fails(barrier: &Barrier) -> Option<Result<usize, Broken>> {
    if index(barrier).await == Ok(N / 2) {
        barrier.abort();
        return None;
    }
    Some(index(barrier).await)
}

#[test]
fn abort_barrier_when_exception() {
    single().block_on(async {
        let barrier = Arc::new(Barrier::new(N));
        let results = gather(N, &barrier, async |barrier| one_fails(&barrier).await).await;
        let told = results.iter().flatten();
        assert_eq!((told.clone().count(), told.filter(|told| told.is_err()).count()), (N - 1, N - 1));
        assert!(barrier.is_broken() && barrier.n_waiting() == 0);
    });
}

#[test]
fn abort_barrier_when_exception_then_resetting() {
    single().block_on(async {
        let (barrier, meeting) = (Arc::new(Barrier::new(N)), Arc::new(Barrier::new(N)));
        let passed = gather(N, &barrier, |barrier| {
            let meeting = meeting.clone();
            async move {
                one_fails(&barrier).await;
                // All have left it, before it is mended; and it is mended before anybody comes back.
                if meeting.wait().await.unwrap().is_leader() {
                    barrier.reset();
                }
                meeting.wait().await.unwrap();
                index(&barrier).await.unwrap()
            }
        });
        assert_eq!(sorted(passed.await), [0, 1, 2, 3, 4]);
        as_new(&barrier);
    });
}
