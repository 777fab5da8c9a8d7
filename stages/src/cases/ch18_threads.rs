//! Chapter 18: several threads run the tasks.

use super::{
    Case, Ended, Runtime,
    support::{Count, Dropped, Gate, cases, polled},
};
use std::{
    collections::HashSet,
    future::{Future, pending, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

cases! { 18:
    two_tasks_run_at_the_same_time:
        "block_on_workers(2, …) has two threads, and each runs the loop: the one that calls it, and one that it starts.",
    the_main_future_stays_on_its_thread:
        "The main future need not be Send: only the thread that called block_on_workers may poll it. The others must leave it in the queue.",
    the_main_future_is_woken_among_many_workers:
        "notify_one may wake a thread that can do nothing with the main future, and the wake is lost. Tell the right thread, or tell all.",
    every_task_runs_once:
        "A task must be taken out of the queue under the lock, and a task that is queued must not be queued again.",
    a_task_is_polled_by_one_thread_at_a_time:
        "A task that is woken while it is polled must not go into the queue at once: another worker would take it. Note the wake, and queue it after the poll.",
    a_wake_during_a_poll_is_kept_among_many_workers:
        "A worker that finds a task in another's hands must not drop the wake. Note it in the task; whoever polls it looks after the poll.",
    no_wake_between_threads_is_lost:
        "Look at the queue and fall asleep under one lock, or the push between the two wakes nobody.",
    a_blocking_task_holds_up_nobody_else:
        "While one worker is stuck in a poll the others go on. Is a lock held while a task is polled?",
    a_panic_ends_no_worker:
        "Catch the panic around the poll: a worker's thread must outlive its tasks.",
    a_task_moves_with_what_it_owns:
        "What a task wrote in one poll it must find in the next one, on whatever thread: hand it over through a lock, or with Release and Acquire.",
    a_timer_rings_beside_a_worker_that_is_stuck:
        "Whoever arms a timer nearer than all others must tell a sleeping worker, whose sleep is too long now.",
    what_is_left_is_dropped_and_nothing_runs_on:
        "At the end: tell the workers, join their threads, and only then drop what is left.",
    workers_without_work_use_no_processor:
        "A worker with nothing to run sleeps until it is told. Does one of them ask in a loop?",
}

fn meet(meeting: &Barrier) {
    meeting.wait();
}

fn two_tasks_run_at_the_same_time<R: Runtime>() {
    R::block_on_workers(2, async {
        let meeting = Arc::new(Barrier::new(2));
        // Each blocks its thread until the other is there: on one thread, for ever.
        let handles = [meeting.clone(), meeting].map(|meeting| R::spawn_with_handle(async move { meet(&meeting) }));
        for handle in handles {
            handle.await.unwrap();
        }
    });
}

fn the_main_future_stays_on_its_thread<R: Runtime>() {
    let here = Rc::new(thread::current().id());
    R::block_on_workers(4, async {
        for _ in 0..100 {
            R::spawn(async {});
            R::yield_now().await;
            assert_eq!(*here, thread::current().id());
            R::spawn_with_handle(async {}).await.unwrap();
            assert_eq!(*here, thread::current().id());
        }
    });
}

fn the_main_future_is_woken_among_many_workers<R: Runtime>() {
    R::block_on_workers(4, async {
        for _ in 0..20 {
            let gate = Gate::default();
            // Long enough for all workers to fall asleep.
            let opener = gate.open_later(Duration::from_millis(3));
            gate.await;
            opener.join().unwrap();
        }
    });
}

fn every_task_runs_once<R: Runtime>() {
    const TASKS: usize = 5_000;
    let runs: Arc<Vec<Count>> = Arc::new((0..TASKS).map(|_| Count::default()).collect());
    R::block_on_workers(4, async {
        let mut handles = Vec::new();
        for task in 0..TASKS {
            let runs = runs.clone();
            handles.push(R::spawn_with_handle(async move {
                R::yield_now().await;
                runs[task].up();
                R::yield_now().await;
            }));
        }
        for handle in handles {
            handle.await.unwrap();
        }
    });
    let wrong = runs.iter().filter(|runs| runs.get() != 1).count();
    assert_eq!(wrong, 0, "tasks that did not run exactly once");
}

/// Ready after so many polls. Sees whether two of them overlap.
struct Alone {
    inside: Arc<AtomicBool>,
    overlaps: Count,
    polls_left: usize,
    wakers: mpsc::Sender<Waker>,
}

impl Future for Alone {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.inside.swap(true, Ordering::AcqRel) {
            self.overlaps.up();
        }
        // Woken at once, by itself and from elsewhere, and then it stays a while.
        context.waker().wake_by_ref();
        let _ = self.wakers.send(context.waker().clone());
        let since = Instant::now();
        while since.elapsed() < Duration::from_micros(50) {
            std::hint::spin_loop();
        }
        self.inside.store(false, Ordering::Release);
        if self.polls_left == 0 {
            return Poll::Ready(());
        }
        self.polls_left -= 1;
        Poll::Pending
    }
}

fn a_task_is_polled_by_one_thread_at_a_time<R: Runtime>() {
    let overlaps = Count::default();
    let (wakers, to_wake) = mpsc::channel::<Waker>();
    let nagging = thread::spawn(move || to_wake.into_iter().for_each(Waker::wake));
    R::block_on_workers(4, async {
        let mut handles = Vec::new();
        for _ in 0..8 {
            let alone =
                Alone { inside: Arc::default(), overlaps: overlaps.clone(), polls_left: 300, wakers: wakers.clone() };
            // Not an `async` block: that would refuse an overlap with a panic of its own.
            handles.push(R::spawn_with_handle(alone));
        }
        for handle in handles {
            handle.await.unwrap();
        }
    });
    drop(wakers);
    nagging.join().unwrap();
    assert_eq!(overlaps.get(), 0, "polls of a task while another thread polled it");
}

fn a_wake_during_a_poll_is_kept_among_many_workers<R: Runtime>() {
    R::block_on_workers(2, async {
        for _ in 0..200 {
            let mut polls_left = 5;
            let task = poll_fn(move |context| {
                if polls_left == 0 {
                    return Poll::Ready(());
                }
                polls_left -= 1;
                context.waker().wake_by_ref();
                // Time for the other worker to find what the wake has put into the queue.
                thread::sleep(Duration::from_micros(20));
                Poll::Pending
            });
            R::spawn_with_handle(task).await.unwrap();
        }
    });
}

fn no_wake_between_threads_is_lost<R: Runtime>() {
    R::block_on_workers(2, async {
        for round in 0..5_000 {
            assert_eq!(R::spawn_with_handle(async move { round }).await, Ok(round));
        }
    });
}

fn a_blocking_task_holds_up_nobody_else<R: Runtime>() {
    R::block_on_workers(2, async {
        let (end, ended) = mpsc::channel::<()>();
        let blocking = R::spawn_with_handle(async move { ended.recv().is_ok() });
        // In a task: the thread that is stuck may be the one that polls the main future.
        R::spawn(async move {
            for _ in 0..100 {
                R::spawn_with_handle(async { R::yield_now().await }).await.unwrap();
            }
            end.send(()).unwrap();
        });
        assert_eq!(blocking.await, Ok(true));
    });
}

fn a_panic_ends_no_worker<R: Runtime>() {
    R::block_on_workers(4, async {
        for _ in 0..20 {
            let handle = R::spawn_with_handle(async {
                R::yield_now().await;
                panic!("as the case wants")
            });
            assert_eq!(handle.await, Err::<(), _>(Ended::Panicked("as the case wants".to_owned())));
            // And where nobody will hear of it.
            R::spawn(async { panic!("as the case wants") });
        }
        let meeting = Arc::new(Barrier::new(2));
        let handles = [meeting.clone(), meeting].map(|meeting| R::spawn_with_handle(async move { meet(&meeting) }));
        for handle in handles {
            handle.await.unwrap();
        }
    });
}

fn a_task_moves_with_what_it_owns<R: Runtime>() {
    let threads = Arc::new(Mutex::new(HashSet::new()));
    R::block_on_workers(4, async {
        let mut handles = Vec::new();
        for _ in 0..16 {
            let threads = threads.clone();
            handles.push(R::spawn_with_handle(async move {
                let mut own = Box::new(0_u64);
                for turn in 0..500 {
                    assert_eq!(*own, turn, "what the task wrote before it gave way");
                    *own += 1;
                    threads.lock().unwrap().insert(thread::current().id());
                    R::yield_now().await;
                }
                *own
            }));
        }
        for handle in handles {
            assert_eq!(handle.await, Ok(500));
        }
    });
}

fn a_timer_rings_beside_a_worker_that_is_stuck<R: Runtime>() {
    /// A waker that tells a thread.
    struct Tells(mpsc::Sender<()>);
    impl Wake for Tells {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }
    R::block_on_workers(2, async {
        // Somebody sleeps until a much later deadline.
        R::spawn(R::sleep(Duration::from_secs(3_600)));
        R::sleep(Duration::from_millis(5)).await;
        let stuck = R::spawn_with_handle(async {
            // Until the other worker sleeps, and until the deadline that it knows.
            thread::sleep(Duration::from_millis(10));
            let (rang, ring) = mpsc::channel();
            let mut timer = Box::pin(R::sleep(Duration::from_millis(20)));
            assert!(timer.as_mut().poll(&mut Context::from_waker(&Arc::new(Tells(rang)).into())).is_pending());
            // Its worker is stuck here: the timer is the other one's.
            ring.recv_timeout(Duration::from_secs(2))
        });
        assert_eq!(stuck.await, Ok(Ok(())), "the other worker has two seconds for a timer of 20 ms");
    });
}

fn what_is_left_is_dropped_and_nothing_runs_on<R: Runtime>() {
    for _ in 0..10 {
        let (drops, polls, late) = (Count::default(), Count::default(), Arc::new(AtomicUsize::new(0)));
        R::block_on_workers(4, async {
            for _ in 0..3 {
                // In the midst of a poll at the end, perhaps: that poll is waited for.
                let owned = Dropped(drops.clone());
                R::spawn(async move {
                    let _owned = owned;
                    loop {
                        thread::sleep(Duration::from_millis(2));
                        R::yield_now().await;
                    }
                });
            }
            for _ in 0..20 {
                let (owned, late) = (Dropped(drops.clone()), late.clone());
                R::spawn(polled(&polls, async move {
                    let _owned = owned;
                    loop {
                        late.fetch_add(1, Ordering::SeqCst);
                        R::yield_now().await;
                    }
                }));
                let owned = Dropped(drops.clone());
                R::spawn(async move {
                    let _owned = owned;
                    pending::<()>().await;
                });
            }
            R::yield_now().await;
        });
        assert_eq!(drops.get(), 43, "drops of what the tasks own, when block_on_workers returns");
        let runs = late.load(Ordering::SeqCst);
        thread::sleep(Duration::from_millis(1));
        assert_eq!(late.load(Ordering::SeqCst), runs, "a task ran after block_on_workers had returned");
    }
}

fn workers_without_work_use_no_processor<R: Runtime>() {
    let Some(before) = processor_time() else { return };
    R::block_on_workers(4, async {
        for _ in 0..20 {
            R::spawn_with_handle(async {}).await.unwrap();
        }
        let gate = Gate::default();
        let opener = gate.open_later(Duration::from_millis(400));
        gate.await;
        opener.join().unwrap();
    });
    let used = processor_time().expect("it was there before").saturating_sub(before);
    assert!(used < Duration::from_millis(120), "{used:?} of processor time in 400 ms of waiting");
}

/// What all threads of this process have computed so far, on a system that says so in `/proc`.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || after_name.next()?.parse::<u64>().ok();
    // A tick is a hundredth of a second wherever Linux runs.
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}
