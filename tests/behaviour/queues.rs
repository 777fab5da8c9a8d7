//! Queue, LifoQueue and PriorityQueue, section 6. Where a case is not about the order, it is held of all three.
//!
//! | not here | why |
//! |---|---|
//! | `repr`, `format`, `generic_alias` | Python's |
//! | `float_maxsize` | a capacity is a whole number by its type |
//! | `task_done_underflow`, an extra `task_done` after a shutdown | cannot be written: done is an `Item` that is dropped, once |
//! | maxsize of zero or less is unbounded | `unbounded()` says so by its name; `bounded(0)` is refused |

use runtime::{
    JoinHandle, Runtime, spawn,
    sync::queue::{
        Closed, Fifo, Item, LeastFirst, Lifo, Order, PriorityQueue, PutError, Queue, Stack, TryGetError, TryPutError,
        WorkQueue,
    },
    time::timeout,
    yield_now,
};
use std::{
    panic::catch_unwind,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// An order, with numbers to put in it.
trait Kind: Order<Value: Send> + Send + 'static {
    fn value(number: u32) -> Self::Value;

    fn number(value: &Self::Value) -> u32;

    fn put(queue: &WorkQueue<Self>, number: u32) -> impl Future<Output = Result<(), Closed>> + Send {
        async move {
            queue.put(Self::value(number)).await.map_err(|error| (assert_eq!(Self::number(&error.0), number), Closed).1)
        }
    }

    fn try_put(queue: &WorkQueue<Self>, number: u32) -> bool {
        queue.try_put(Self::value(number)).is_ok()
    }

    fn try_get(queue: &WorkQueue<Self>) -> Result<u32, TryGetError> {
        queue.try_get().map(|item| Self::number(&item))
    }
}

impl Kind for Fifo<u32> {
    fn value(number: u32) -> u32 {
        number
    }

    fn number(value: &u32) -> u32 {
        *value
    }
}

impl Kind for Lifo<u32> {
    fn value(number: u32) -> u32 {
        number
    }

    fn number(value: &u32) -> u32 {
        *value
    }
}

impl Kind for LeastFirst<u32, ()> {
    fn value(number: u32) -> (u32, ()) {
        (number, ())
    }

    fn number(value: &(u32, ())) -> u32 {
        value.0
    }
}

/// Holds a case of all three kinds.
macro_rules! of_each {
    ($case:ident) => {
        runtime::block_on(async {
            $case::<Fifo<u32>>().await;
            $case::<Lifo<u32>>().await;
            $case::<LeastFirst<u32, ()>>().await;
        })
    };
}

fn getter(queue: &Queue<u32>) -> JoinHandle<Result<u32, Closed>> {
    let queue = queue.clone();
    spawn(async move { queue.get().await.map(|item| *item) })
}

fn putter(queue: &Queue<u32>, number: u32) -> JoinHandle<Result<(), PutError<u32>>> {
    let queue = queue.clone();
    spawn(async move { queue.put(number).await })
}

/// Aborts a task, and waits until it is gone: `None`, or what it came to before that.
async fn cancelled<T>(task: JoinHandle<T>) -> Option<T> {
    task.abort();
    match task.await {
        Ok(output) => Some(output),
        Err(error) => (assert!(error.is_cancelled()), None).1,
    }
}

// Size and order.

#[test]
fn empty() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        assert!(queue.is_empty());
        K::put(&queue, 1).await.unwrap();
        assert!(!queue.is_empty());
        assert_eq!(K::try_get(&queue), Ok(1));
        assert!(queue.is_empty());
    }
    of_each!(case);
}

#[test]
fn full() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        assert!((0..1_000).all(|number| K::try_put(&queue, number)), "an unbounded one is never full");
        let queue = WorkQueue::<K>::bounded(1);
        K::put(&queue, 1).await.unwrap();
        assert!(!K::try_put(&queue, 2));
    }
    of_each!(case);
    assert!(catch_unwind(|| Queue::<u32>::bounded(0)).is_err());
}

#[test]
fn order() {
    fn drain<K: Kind>() -> Vec<u32> {
        let queue = WorkQueue::<K>::unbounded();
        [1, 3, 2].into_iter().for_each(|number| assert!(K::try_put(&queue, number)));
        std::iter::from_fn(|| K::try_get(&queue).ok()).collect()
    }
    assert_eq!(drain::<Fifo<u32>>(), [1, 3, 2]);
    assert_eq!(drain::<Lifo<u32>>(), [2, 3, 1]);
    assert_eq!(drain::<LeastFirst<u32, ()>>(), [1, 2, 3]);
}

#[test]
fn maxsize() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::bounded(2);
        assert_eq!(queue.capacity(), Some(2));
        let have_been_put = Arc::new(AtomicU32::new(0));
        let putter = spawn({
            let (queue, count) = (queue.clone(), have_been_put.clone());
            async move {
                for number in 0..3 {
                    K::put(&queue, number).await.unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        yield_now().await;
        assert_eq!((have_been_put.load(Ordering::Relaxed), queue.len()), (2, 2), "it blocks after two");
        let mut got = vec![K::try_get(&queue).unwrap()];
        yield_now().await;
        assert_eq!(have_been_put.load(Ordering::Relaxed), 3, "a get lets it finish on the next turn");
        got.extend(std::iter::from_fn(|| K::try_get(&queue).ok()));
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2]);
        putter.await.unwrap();
    }
    of_each!(case);
    runtime::block_on(async {
        let queue = Queue::bounded(2);
        let putter = spawn({
            let queue = queue.clone();
            async move {
                for number in 0..3 {
                    queue.put(number).await.unwrap();
                }
            }
        });
        for number in 0..3 {
            assert_eq!(*queue.get().await.unwrap(), number, "all three come out in order");
        }
        putter.await.unwrap();
    });
}

// To get.

#[test]
fn blocking_get() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        assert!(K::try_put(&queue, 1));
        assert_eq!(queue.get().await.map(|item| K::number(&item)), Ok(1));
    }
    of_each!(case);
}

#[test]
fn get_with_putters() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        queue.try_put(1).unwrap();
        let waiting = putter(&queue, 2);
        yield_now().await;
        assert_eq!(queue.get().await.as_deref(), Ok(&1));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(*queue.try_get().unwrap(), 2);
    });
}

#[test]
fn blocking_get_wait() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::bounded(1);
        let getter = spawn({
            let queue = queue.clone();
            async move { queue.get().await.map(|item| K::number(&item)) }
        });
        yield_now().await;
        assert!(!getter.is_finished());
        K::put(&queue, 1).await.unwrap();
        assert_eq!(getter.await.unwrap(), Ok(1));
    }
    of_each!(case);
}

#[test]
fn nonblocking_get() {
    let queue = Queue::unbounded();
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_get().as_deref(), Ok(&1));
}

#[test]
fn nonblocking_get_exception() {
    assert_eq!(Queue::<u32>::unbounded().try_get(), Err(TryGetError::Empty));
    assert_eq!(Stack::<u32>::unbounded().try_get(), Err(TryGetError::Empty));
    assert_eq!(PriorityQueue::<u32, ()>::unbounded().try_get(), Err(TryGetError::Empty));
}

#[test]
fn get_cancelled_race() {
    runtime::block_on(async {
        let queue = Queue::unbounded();
        let (one, two) = (getter(&queue), getter(&queue));
        yield_now().await;
        one.abort();
        queue.try_put(7).unwrap();
        assert_eq!(two.await.unwrap(), Ok(7));
        assert!(one.await.is_err_and(|error| error.is_cancelled()));
    });
}

#[test]
fn get_with_waiting_putters() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        let (a, b) = (putter(&queue, 1), putter(&queue, 2));
        yield_now().await;
        assert!(!b.is_finished());
        assert_eq!(queue.get().await.as_deref(), Ok(&1));
        assert_eq!(queue.get().await.as_deref(), Ok(&2));
        assert_eq!((a.await.unwrap(), b.await.unwrap()), (Ok(()), Ok(())));
    });
}

#[test]
fn why_are_getters_waiting() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::bounded(1);
        let producer = spawn({
            let queue = queue.clone();
            async move {
                for number in 0..5 {
                    K::put(&queue, number).await.unwrap();
                }
            }
        });
        let consumer = spawn(async move {
            for _ in 0..5 {
                drop(queue.get().await);
            }
        });
        producer.await.unwrap();
        consumer.await.unwrap();
    }
    of_each!(case);
}

/// The line is empty: the next item is nobody's.
#[test]
fn cancelled_getters_not_being_held() {
    Runtime::simulated(1).block_on(async {
        let queue = Queue::bounded(5);
        assert!(timeout(Duration::from_millis(100), queue.get()).await.is_err());
        queue.try_put(1).unwrap();
        assert_eq!(queue.try_get().as_deref(), Ok(&1));
    });
}

// To put.

#[test]
fn blocking_put() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        K::put(&queue, 1).await.unwrap();
        assert_eq!(K::try_get(&queue), Ok(1));
    }
    of_each!(case);
}

#[test]
fn blocking_put_wait() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::bounded(1);
        assert!(K::try_put(&queue, 1));
        let putter = spawn({
            let queue = queue.clone();
            async move { K::put(&queue, 2).await }
        });
        yield_now().await;
        assert!(!putter.is_finished());
        assert_eq!(K::try_get(&queue), Ok(1));
        assert_eq!(putter.await.unwrap(), Ok(()));
        assert_eq!(K::try_get(&queue), Ok(2));
    }
    of_each!(case);
}

#[test]
fn nonblocking_put_exception() {
    let queue = Queue::bounded(1);
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
}

#[test]
fn get_cancel_drop_one_pending_reader() {
    runtime::block_on(async {
        let queue = Queue::unbounded();
        let reader = getter(&queue);
        yield_now().await;
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        let first = match cancelled(reader).await {
            Some(read) => read.unwrap(),
            None => *queue.get().await.unwrap(),
        };
        assert_eq!(first, 1, "the item is lost");
        assert_eq!(queue.try_get().as_deref(), Ok(&2));
    });
}

#[test]
fn get_cancel_drop_many_pending_readers() {
    runtime::block_on(async {
        let queue = Queue::unbounded();
        let (one, two, three) = (getter(&queue), getter(&queue), getter(&queue));
        yield_now().await;
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        assert_eq!(cancelled(one).await, None);
        let mut got = [two.await.unwrap().unwrap(), three.await.unwrap().unwrap()];
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn put_cancel_drop() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        queue.try_put(1).unwrap();
        let writer = putter(&queue, 2);
        yield_now().await;
        assert_eq!(queue.try_get().as_deref(), Ok(&1));
        if cancelled(writer).await.is_none() {
            queue.put(2).await.unwrap();
        }
        assert_eq!(queue.try_get().as_deref(), Ok(&2));
        assert_eq!((queue.len(), queue.unfinished()), (0, 0));
    });
}

#[test]
fn put_cancelled() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        queue.try_put(1).unwrap();
        let waiting = putter(&queue, 2);
        yield_now().await;
        assert_eq!(cancelled(waiting).await, None);
        assert_eq!(queue.try_get().as_deref(), Ok(&1));
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    });
}

#[test]
fn put_cancelled_race() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        let (a, b, x) = (putter(&queue, 1), putter(&queue, 2), putter(&queue, 3));
        yield_now().await;
        assert!(a.is_finished() && !b.is_finished());
        assert_eq!(cancelled(x).await, None);
        assert_eq!(queue.try_get().as_deref(), Ok(&1));
        yield_now().await;
        assert_eq!(queue.try_get().as_deref(), Ok(&2));
        assert_eq!(b.await.unwrap(), Ok(()));
    });
}

#[test]
fn put_with_waiting_getters() {
    runtime::block_on(async {
        let queue = Queue::unbounded();
        let waiting = getter(&queue);
        yield_now().await;
        queue.put(1).await.unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(1));
    });
}

#[test]
fn why_are_putters_waiting() {
    runtime::block_on(async {
        let queue = Queue::bounded(2);
        let batch = spawn({
            let queue = queue.clone();
            async move {
                yield_now().await;
                (0..queue.len()).for_each(|_| drop(queue.try_get()));
            }
        });
        let putters: Vec<_> = (0..4).map(|number| putter(&queue, number)).collect();
        batch.await.unwrap();
        for putter in putters {
            assert_eq!(putter.await.unwrap(), Ok(()));
        }
    });
}

/// The line is empty: the next slot is nobody's.
#[test]
fn cancelled_puts_not_being_held() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        queue.put(1).await.unwrap();
        let waiting = putter(&queue, 2);
        yield_now().await;
        assert_eq!(cancelled(waiting).await, None);
        drop(queue.try_get());
        assert_eq!(queue.try_put(3), Ok(()));
    });
}

/// The put had its slot already when it was cancelled.
#[test]
fn cancelled_put_silence_value_error_exception() {
    runtime::block_on(async {
        let queue = Queue::bounded(1);
        queue.try_put(1).unwrap();
        let waiting = putter(&queue, 1);
        yield_now().await;
        drop(queue.try_get());
        assert_eq!(cancelled(waiting).await, None);
        assert_eq!(queue.try_put(2), Ok(()), "the slot is lost");
    });
}

// Done.

#[test]
fn task_done() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        assert!((0..100).all(|number| K::try_put(&queue, number)));
        let sum = Arc::new(AtomicU32::new(0));
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let (queue, sum) = (queue.clone(), sum.clone());
                spawn(async move {
                    while let Ok(item) = queue.get().await {
                        yield_now().await;
                        sum.fetch_add(K::number(&item), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        queue.join().await;
        assert_eq!(sum.load(Ordering::Relaxed), (0..100).sum());
        queue.close();
        for worker in workers {
            worker.await.unwrap();
        }
    }
    of_each!(case);
}

#[test]
fn join_empty_queue() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        queue.join().await;
        queue.join().await;
    }
    of_each!(case);
}

// The end.

#[test]
fn shutdown_empty() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        let pending = spawn({
            let queue = queue.clone();
            async move { queue.get().await.map(drop) }
        });
        yield_now().await;
        queue.close();
        assert_eq!(pending.await.unwrap(), Err(Closed));
        assert_eq!(K::put(&queue, 1).await, Err(Closed));
        assert!(!K::try_put(&queue, 1));
        assert_eq!(queue.get().await.map(drop), Err(Closed));
        assert_eq!(K::try_get(&queue), Err(TryGetError::Closed));
        queue.join().await;
    }
    of_each!(case);
}

#[test]
fn shutdown_nonempty() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::bounded(1);
        K::put(&queue, 1).await.unwrap();
        let pending = spawn({
            let queue = queue.clone();
            async move { K::put(&queue, 2).await }
        });
        yield_now().await;
        queue.close();
        assert_eq!(pending.await.unwrap(), Err(Closed));
        let join = spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        let item = queue.get().await.unwrap();
        assert_eq!(K::number(&item), 1);
        assert_eq!(queue.get().await.map(drop), Err(Closed));
        yield_now().await;
        assert!(!join.is_finished());
        drop(item);
        join.await.unwrap();
    }
    of_each!(case);
}

#[test]
fn shutdown_immediate() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        assert!((1..=2).all(|number| K::try_put(&queue, number)));
        let join = spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        yield_now().await;
        assert_eq!(queue.close_now().len(), 2);
        assert_eq!((queue.len(), queue.unfinished()), (0, 0));
        assert_eq!(queue.get().await.map(drop), Err(Closed));
        join.await.unwrap();
    }
    of_each!(case);
}

#[test]
fn shutdown_immediate_with_unfinished() {
    async fn case<K: Kind>() {
        let queue = WorkQueue::<K>::unbounded();
        assert!((1..=2).all(|number| K::try_put(&queue, number)));
        let in_hand: Item<K::Value> = queue.get().await.unwrap();
        let join = spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        yield_now().await;
        assert_eq!(queue.close_now().len(), 1);
        yield_now().await;
        assert!(!join.is_finished(), "one is in hand");
        drop(in_hand);
        join.await.unwrap();
    }
    of_each!(case);
}
