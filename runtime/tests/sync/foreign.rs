//! The primitives, futures and streams on executors that are not ours: a bare loop that parks its thread, tokio's two, and
//! smol's. And with the other end on a thread that is nobody's.

use crate::support::by_hand;
use runtime::{
    future::{Either, as_completed, join, join_all, race, try_join_all},
    select,
    stream::{self, StreamExt},
    sync::{
        Barrier, Condvar, Event, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot,
        queue::{PriorityQueue, Queue, Stack},
        watch,
    },
};
use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Runs `scenario` on each of them.
fn on_each<F: Future<Output = ()> + Send + 'static>(scenario: impl Fn() -> F) {
    by_hand(scenario());
    runtime::block_on(scenario());
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tokio.block_on(scenario());
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    tokio.block_on(async { tokio::spawn(scenario()).await.unwrap() });
    let smol = async_executor::Executor::new();
    futures_lite::future::block_on(smol.run(smol.spawn(scenario())));
}

/// The other end: a thread of its own.
fn elsewhere<F: Future<Output: Send + 'static> + Send + 'static>(future: F) -> thread::JoinHandle<F::Output> {
    thread::spawn(|| by_hand(future))
}

const ROUNDS: usize = if cfg!(miri) { 5 } else { 200 };

#[test]
fn locks_and_permits_go_from_thread_to_thread() {
    on_each(|| async {
        let mutex = Arc::new(Mutex::new(0));
        let (lock, most) = (Arc::new(RwLock::new(0)), Arc::new((AtomicUsize::new(0), AtomicUsize::new(0))));
        let semaphore = Arc::new(Semaphore::new(2));
        let work = |mutex: Arc<Mutex<usize>>, lock: Arc<RwLock<usize>>, semaphore: Arc<Semaphore>| {
            let most = most.clone();
            async move {
                for _ in 0..ROUNDS {
                    *mutex.lock().await += 1;
                    assert!(*lock.read().await <= 3 * ROUNDS);
                    *lock.write().await += 1;
                    let _permit = semaphore.acquire().await.unwrap();
                    most.1.fetch_max(most.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    most.0.fetch_sub(1, Ordering::SeqCst);
                }
            }
        };
        let threads: Vec<_> = (0..2).map(|_| elsewhere(work(mutex.clone(), lock.clone(), semaphore.clone()))).collect();
        work(mutex.clone(), lock.clone(), semaphore.clone()).await;
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((*mutex.lock().await, *lock.read().await), (3 * ROUNDS, 3 * ROUNDS));
        assert!(most.1.load(Ordering::SeqCst) <= 2, "more permits than there are");
    });
}

#[test]
fn whoever_waits_is_told() {
    on_each(|| async {
        let (event, notify, barrier) = (Arc::new(Event::new()), Arc::new(Notify::new()), Arc::new(Barrier::new(2)));
        let (state, changed) = (Arc::new(Mutex::new(0)), Arc::new(Condvar::new()));
        let once = Arc::new(OnceCell::new());
        let other = elsewhere({
            let (event, notify, barrier) = (event.clone(), notify.clone(), barrier.clone());
            let (state, changed, once) = (state.clone(), changed.clone(), once.clone());
            async move {
                event.wait().await;
                notify.notify_one();
                for round in 1..=ROUNDS {
                    barrier.wait().await.unwrap();
                    *state.lock().await = round;
                    changed.notify_all();
                }
                *once.get_or_init(async || 7).await
            }
        });
        event.set();
        notify.notified().await;
        for round in 1..=ROUNDS {
            barrier.wait().await.unwrap();
            let guard = changed.wait_while(state.lock().await, |state| *state < round).await;
            assert_eq!(*guard, round);
        }
        assert_eq!(*once.get_or_init(async || 7).await, other.join().unwrap());
    });
}

#[test]
fn channels_carry_from_thread_to_thread() {
    on_each(|| async {
        let (sender, mut receiver) = mpsc::bounded(2);
        let sending: Vec<_> = (0..2)
            .map(|_| {
                let sender = sender.clone();
                elsewhere(async move {
                    for number in 0..ROUNDS {
                        sender.send(number).await.unwrap();
                    }
                })
            })
            .collect();
        drop(sender);
        let mut sum = 0;
        while let Some(number) = receiver.recv().await {
            sum += number;
        }
        sending.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(sum, ROUNDS * (ROUNDS - 1));

        let (sender, mut heard) = broadcast::channel(ROUNDS);
        let (news, mut newest) = watch::channel(0);
        let (answer, question) = oneshot::channel();
        let speaking = elsewhere(async move {
            question.await.unwrap();
            for number in 1..=ROUNDS {
                sender.send(number).unwrap();
                news.send(number).unwrap();
            }
        });
        answer.send(()).unwrap();
        for number in 1..=ROUNDS {
            assert_eq!(heard.recv().await, Ok(number));
        }
        assert_eq!(*newest.wait_for(|number| *number == ROUNDS).await.unwrap(), ROUNDS);
        assert_eq!(heard.recv().await, Err(broadcast::RecvError::Closed));
        assert!(newest.changed().await.is_err());
        speaking.join().unwrap();
    });
}

#[test]
fn work_is_put_in_and_taken_out() {
    on_each(|| async {
        let (queue, urgent, stack) = (Queue::bounded(3), PriorityQueue::unbounded(), Stack::unbounded());
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let queue = queue.clone();
                elsewhere(async move {
                    let mut done = 0;
                    while let Ok(_item) = queue.get().await {
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        for number in 0..ROUNDS {
            queue.put(number).await.unwrap();
        }
        queue.join().await;
        queue.close();
        assert_eq!(workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>(), ROUNDS);
        for item in [(2, 'b'), (1, 'a'), (2, 'c')] {
            urgent.put(item).await.unwrap();
            stack.put(item.1).await.unwrap();
        }
        assert_eq!(urgent.get().await.unwrap().1, 'a');
        assert_eq!(*stack.get().await.unwrap(), 'c');
    });
}

#[test]
fn futures_and_streams_run_in_one_task() {
    on_each(|| async {
        let (sender, receiver) = oneshot::channel();
        let sent = join(receiver, async { sender.send(5) }).await;
        assert_eq!(sent, (Ok(5), Ok(())));
        assert_eq!(join_all((0..20).map(async |number| number)).await, (0..20).collect::<Vec<_>>());
        assert_eq!(try_join_all([async { Err::<(), _>("no") }]).await, Err("no"));
        assert_eq!(race(pending::<()>(), async { 1 }).await, Either::Right(1));
        let first = select! {
            () = pending() => "for ever",
            number = async { 3 }, if true => if number == 3 { "three" } else { "another" },
        };
        assert_eq!(first, "three");
        assert_eq!(as_completed((0..20).map(async |number| number)).count().await, 20);

        let (news, mut newest) = watch::channel(0);
        let waking = elsewhere(async move { (1..=ROUNDS).for_each(|number| news.send(number).unwrap()) });
        newest.wait_for(|number| *number == ROUNDS).await.unwrap();
        waking.join().unwrap();

        let squares =
            stream::iter(0..10).filter_async(async |number| number % 2 == 0).then(async |number| number * number);
        assert_eq!(squares.collect::<Vec<_>>().await, [0, 4, 16, 36, 64]);
        let words = stream::generate(async |words| {
            for word in ["poll", "wake", "park"] {
                words.emit(word).await;
            }
        });
        assert_eq!(words.chunks(2).collect::<Vec<_>>().await, [vec!["poll", "wake"], vec!["park"]]);
        let slow = stream::iter(0..5).map(async |number| number).buffered(3);
        assert_eq!(slow.collect::<Vec<_>>().await, [0, 1, 2, 3, 4]);
    });
}
