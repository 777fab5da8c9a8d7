//! Chapter 19: each worker has a queue of its own, and takes from the others when it is empty.

use super::{
    Case, Runtime,
    support::{Count, Gate, cases},
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Barrier, Condvar, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

cases! { 19:
    a_worker_with_much_to_do_is_relieved:
        "What a task spawns goes into the queue of its own worker. The others must steal from there, and must be woken for it.",
    a_blocking_task_does_not_keep_what_it_has_spawned:
        "The queue of a worker that is stuck in a poll must be open to the others: no lock may be held, and no queue borrowed, while a task is polled.",
    the_last_searcher_sends_another:
        "While a worker searches, nobody else is woken: so when it finds something it must wake another, for there may be more.",
    nobody_sleeps_past_a_push:
        "Say that you sleep, then look at all queues once more; push first, then look who sleeps. In any other order a task can lie there while all sleep.",
    nobody_sleeps_past_a_wake_from_outside:
        "Say that you sleep, then look at all queues once more, the one for all among them. Without that second look a push can come between the first look and the sleep.",
    a_timer_is_not_forgotten_by_who_finds_a_task:
        "The one sleeper that knew the nearest deadline has found a task, and computes. Before it does, somebody else must be woken, to look at the deadlines and sleep no longer than that.",
    a_timer_is_not_forgotten_by_who_polls_the_main_future:
        "Worker 0 may be the one sleeper that knew the nearest deadline. Before it polls the main future, somebody else must be woken, to look at the deadlines and sleep no longer than that.",
    a_pair_that_wakes_each_other_starves_nobody:
        "The task woken last may run next, but only a few times in a row: two that wake each other would keep the rest waiting for ever.",
    what_is_woken_from_outside_is_run:
        "A thread that is no worker has no queue of its own: it pushes into the shared one. Does every worker look there, before it sleeps and now and then?",
    the_shared_queue_is_not_forgotten:
        "A worker whose own queue is never empty must look into the shared queue now and then.",
    tasks_that_spawn_tasks_all_run:
        "None may fall between two queues: a task that is stolen is in the thief's hands or in the thief's queue, and nowhere else.",
}

fn a_worker_with_much_to_do_is_relieved<R: Runtime>() {
    R::block_on_workers(3, async {
        let threads = Arc::new(Mutex::new(std::collections::HashSet::new()));
        let seen = threads.clone();
        let parent = R::spawn_with_handle(async move {
            let mut handles = Vec::new();
            for _ in 0..60 {
                let seen = seen.clone();
                handles.push(R::spawn_with_handle(async move {
                    thread::sleep(Duration::from_millis(2));
                    seen.lock().unwrap().insert(thread::current().id());
                }));
            }
            for handle in handles {
                handle.await.unwrap();
            }
        });
        parent.await.unwrap();
        let threads = threads.lock().unwrap().len();
        assert!(threads > 1, "60 tasks of 2 ms, and one of three workers has run them all");
    });
}

fn a_blocking_task_does_not_keep_what_it_has_spawned<R: Runtime>() {
    const CHILDREN: usize = 8;
    R::block_on_workers(3, async {
        let done = Arc::new((Mutex::new(0), Condvar::new()));
        let counted = done.clone();
        let parent = R::spawn_with_handle(async move {
            for _ in 0..CHILDREN {
                let done = counted.clone();
                R::spawn(async move {
                    *done.0.lock().unwrap() += 1;
                    done.1.notify_one();
                });
            }
            // Blocks its thread. The one spawned last may wait for it, in a place where nobody takes it: tokio has such a place.
            let (done, told) = &*counted;
            let all_but_one = |done: &mut usize| *done < CHILDREN - 1;
            let wait = told.wait_timeout_while(done.lock().unwrap(), Duration::from_secs(2), all_but_one);
            !wait.unwrap().1.timed_out()
        });
        assert_eq!(
            parent.await,
            Ok(true),
            "seven of eight tasks should have run while their parent blocked its thread"
        );
    });
}

fn meet(meeting: &Barrier) {
    meeting.wait();
}

fn the_last_searcher_sends_another<R: Runtime>() {
    const WORKERS: usize = 4;
    R::block_on_workers(WORKERS, async {
        for _ in 0..20 {
            // Until the others sleep.
            R::sleep(Duration::from_millis(2)).await;
            // Each blocks a thread until all are there, so all workers must be up. The first push wakes one of them, which takes a
            // while to rise: the other pushes see that one searches, and wake nobody.
            let meeting = Arc::new(Barrier::new(WORKERS));
            let handles = [(); WORKERS].map(|()| {
                let meeting = meeting.clone();
                R::spawn_with_handle(async move { meet(&meeting) })
            });
            for handle in handles {
                handle.await.unwrap();
            }
        }
    });
}

fn nobody_sleeps_past_a_push<R: Runtime>() {
    R::block_on_workers(3, async {
        let mut players = Vec::new();
        for _ in 0..3 {
            players.push(R::spawn_with_handle(async {
                for round in 0..1_500 {
                    assert_eq!(R::spawn_with_handle(async move { round }).await, Ok(round));
                }
            }));
        }
        for player in players {
            player.await.unwrap();
        }
    });
}

/// Woken again and again by a thread that is no worker, each time a little later after its poll: some of these wakes come in the very
/// moment in which the worker, which has nothing else to do, falls asleep.
fn nobody_sleeps_past_a_wake_from_outside<R: Runtime>() {
    let (wakers, to_wake) = mpsc::channel::<Waker>();
    let outside = thread::spawn(move || {
        for round in 0.. {
            // Not asleep: it would take too long to rise.
            let waker = loop {
                match to_wake.try_recv() {
                    Ok(waker) => break waker,
                    Err(mpsc::TryRecvError::Empty) => thread::yield_now(),
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            };
            (0..round % 300).for_each(|_| std::hint::spin_loop());
            waker.wake();
        }
    });
    let begin = Instant::now();
    R::block_on_workers(1, async {
        let woken = poll_fn(move |context| {
            if begin.elapsed() > Duration::from_millis(300) {
                return Poll::Ready(());
            }
            wakers.send(context.waker().clone()).unwrap();
            Poll::Pending
        });
        R::spawn_with_handle(woken).await.unwrap();
    });
    outside.join().unwrap();
}

/// A waker that tells a thread.
struct Tells(mpsc::Sender<()>);

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

/// Long enough for all who have nothing to do to fall asleep.
fn let_the_others_sleep() {
    thread::sleep(Duration::from_millis(10));
}

/// Arms a timer, has a sleeper learn of it, keeps that one busy, and blocks until the timer has rung. Did it ring?
fn rings_although<R: Runtime>(keep_busy: impl FnOnce()) -> bool {
    let (rang, ring) = mpsc::channel();
    let mut timer = Box::pin(R::sleep(Duration::from_millis(40)));
    assert!(timer.as_mut().poll(&mut Context::from_waker(&Arc::new(Tells(rang)).into())).is_pending());
    let_the_others_sleep();
    keep_busy();
    ring.recv_timeout(Duration::from_secs(1)).is_ok()
}

/// Blocks its thread until `over` is dropped.
fn block_until(over: &Mutex<mpsc::Receiver<()>>) {
    let _ = over.lock().unwrap().recv();
}

fn a_timer_is_not_forgotten_by_who_finds_a_task<R: Runtime>() {
    R::block_on_workers(4, async {
        for _ in 0..5 {
            let rang = R::spawn_with_handle(async {
                let_the_others_sleep();
                let (_busy, over) = mpsc::channel();
                let (_busy_too, over_too) = mpsc::channel();
                rings_although::<R>(|| {
                    // Two, for the last to be spawned may wait for this one. That leaves one worker of four.
                    for over in [over, over_too].map(Mutex::new) {
                        R::spawn(async move { block_until(&over) });
                    }
                })
            });
            assert_eq!(
                rang.await,
                Ok(true),
                "one of four workers sleeps, and a timer of 40 ms has not rung within a second"
            );
        }
    });
}

fn a_timer_is_not_forgotten_by_who_polls_the_main_future<R: Runtime>() {
    R::block_on_workers(3, async {
        for _ in 0..5 {
            let (up, busy) = (Gate::default(), Gate::default());
            let (end, over) = mpsc::channel();
            let gates = (up.clone(), busy.clone());
            let rang = R::spawn_with_handle(async move {
                let _end: mpsc::Sender<()> = end;
                let_the_others_sleep();
                // The thread of the main future falls asleep as the last one: the likeliest to be told of a timer.
                gates.0.open();
                let_the_others_sleep();
                rings_although::<R>(|| gates.1.open())
            });
            up.await;
            busy.await;
            block_until(&Mutex::new(over));
            assert_eq!(
                rang.await,
                Ok(true),
                "one of three workers sleeps, and a timer of 40 ms has not rung within a second"
            );
        }
    });
}

fn a_pair_that_wakes_each_other_starves_nobody<R: Runtime>() {
    const TURNS: usize = 100;
    for workers in [1, 2] {
        R::block_on_workers(workers, async {
            let throws = Count::default();
            for _ in 0..workers {
                let (ping, pong) = (Ball::default(), Ball::default());
                for (mine, other) in [(ping.clone(), pong.clone()), (pong, ping)] {
                    let throws = throws.clone();
                    R::spawn(async move {
                        loop {
                            throws.up();
                            other.throw();
                            mine.clone().await;
                        }
                    });
                }
            }
            let (mut turns_left, mut before) = (TURNS, None);
            let others = R::spawn_with_handle(poll_fn(move |context| {
                // The pairs may have been at it for a while when this begins.
                let before = *before.get_or_insert(throws.get());
                if turns_left == 0 {
                    return Poll::Ready(throws.get() - before);
                }
                turns_left -= 1;
                context.waker().wake_by_ref();
                Poll::Pending
            }));
            let throws = others.await.unwrap();
            // (On two threads the pairs go on meanwhile, and no number says anything.)
            assert!(workers > 1 || throws < 20 * TURNS, "the pair had {throws} turns while another task had {TURNS}");
        });
    }
}

/// Thrown by one task, caught by another. Never stays anywhere for long.
#[derive(Clone, Default)]
struct Ball(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Ball {
    fn throw(&self) {
        let wakers = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            std::mem::take(&mut state.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Future for Ball {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if std::mem::take(&mut state.0) {
            return Poll::Ready(());
        }
        state.1.push(context.waker().clone());
        Poll::Pending
    }
}

fn what_is_woken_from_outside_is_run<R: Runtime>() {
    R::block_on_workers(3, async {
        let gates: Vec<Gate> = (0..500).map(|_| Gate::default()).collect();
        let mut handles = Vec::new();
        for gate in gates.clone() {
            handles.push(R::spawn_with_handle(gate));
        }
        let outside = thread::spawn(move || gates.iter().for_each(Gate::open));
        for handle in handles {
            handle.await.unwrap();
        }
        outside.join().unwrap();
    });
}

fn the_shared_queue_is_not_forgotten<R: Runtime>() {
    R::block_on_workers(2, async {
        // Two for each worker, for ever.
        for _ in 0..4 {
            R::spawn(async {
                loop {
                    R::yield_now().await;
                }
            });
        }
        let gate = Gate::default();
        let waiting = R::spawn_with_handle(gate.clone());
        R::yield_now().await;
        let outside = gate.open_later(Duration::from_millis(5));
        waiting.await.unwrap();
        outside.join().unwrap();
    });
}

fn tasks_that_spawn_tasks_all_run<R: Runtime>() {
    fn tree<R: Runtime>(depth: u32, leaves: Count, done: Gate) {
        R::spawn(async move {
            if depth > 0 {
                tree::<R>(depth - 1, leaves.clone(), done.clone());
                tree::<R>(depth - 1, leaves, done);
                return;
            }
            leaves.up();
            if leaves.get() == LEAVES {
                done.open();
            }
        });
    }
    const DEPTH: u32 = 11;
    const LEAVES: usize = 1 << DEPTH;
    let leaves = Count::default();
    R::block_on_workers(4, async {
        let done = Gate::default();
        tree::<R>(DEPTH, leaves.clone(), done.clone());
        done.await;
    });
    assert_eq!(leaves.get(), LEAVES);
}
