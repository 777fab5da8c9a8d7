//! Chapter 6: a queue and a loop.

use super::{
    Case, Runtime,
    support::{Count, Dropped, Gate, Log, cases, polled},
};
use std::{
    future::{Future, pending, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

cases! { 6:
    a_task_runs_while_the_main_future_waits:
        "spawn puts the task into the queue; block_on must empty the queue before it sleeps.",
    tasks_take_turns:
        "A task that yields goes to the back of the queue: all others that can run have their turn before its next one.",
    a_task_may_spawn_another:
        "spawn must find the executor from inside a task too (and must not need a lock that is held while tasks are polled).",
    a_task_is_polled_once_a_wake:
        "A task that is in the queue already must not be put into it again: keep a flag, and clear it before the poll, not after.",
    a_wake_during_the_poll_is_kept:
        "Clear the flag that says `queued` before you poll: a wake that comes during the poll must queue the task again.",
    a_task_that_is_over_is_not_polled_again:
        "Wakers may outlive the task. Drop the future when it is ready, and let later wakes find nothing.",
    a_wake_from_another_thread_reaches_a_sleeping_executor:
        "The queue must be shared between threads, and whoever pushes must wake the thread that sleeps.",
    a_task_that_is_always_ready_starves_nobody:
        "The main future is one among the others: give it its turn, however many tasks there are.",
    the_main_future_that_is_always_ready_starves_nobody:
        "If the main future wakes itself, tasks must still have their turns.",
    what_is_left_is_dropped_at_the_end:
        "When block_on returns, tasks that are not over are dropped, and with them what they own. Beware of a waker that keeps its own task alive.",
    a_task_may_spawn_while_it_is_dropped:
        "Take the tasks out of the queue before you drop them: a drop is anybody's code, and may call spawn or wake.",
    ten_thousand_tasks:
        "Nothing may look at all tasks each time: take the next one from the queue.",
}

fn a_task_runs_while_the_main_future_waits<R: Runtime>() {
    R::block_on(async {
        let gate = Gate::default();
        let opener = gate.clone();
        R::spawn(async move { opener.open() });
        gate.await;
    });
}

fn tasks_take_turns<R: Runtime>() {
    let (turns, gate) = (Log::default(), Gate::default());
    R::block_on(async {
        let left = Count::default();
        for _ in ["ping", "pong"] {
            let (turns, left, gate) = (turns.clone(), left.clone(), gate.clone());
            R::spawn(async move {
                for turn in 1..=3 {
                    turns.say(format!("turn {turn}"));
                    R::yield_now().await;
                }
                left.up();
                if left.get() == 2 {
                    gate.open();
                }
            });
        }
        gate.clone().await;
    });
    turns.expect(&["turn 1", "turn 1", "turn 2", "turn 2", "turn 3", "turn 3"]);
}

fn a_task_may_spawn_another<R: Runtime>() {
    R::block_on(async {
        let gate = Gate::default();
        let opener = gate.clone();
        R::spawn(async move {
            R::spawn(async move {
                R::yield_now().await;
                R::spawn(async move { opener.open() });
            });
        });
        gate.await;
    });
}

fn a_task_is_polled_once_a_wake<R: Runtime>() {
    R::block_on(async {
        let (polls, gate, done) = (Count::default(), Gate::default(), Gate::default());
        let (opened, opener) = (gate.clone(), done.clone());
        let mut waker = None;
        let (send, receive) = std::sync::mpsc::channel();
        let task = poll_fn(move |context| {
            if waker.is_none() {
                waker = Some(context.waker().clone());
                send.send(context.waker().clone()).unwrap();
            }
            Pin::new(&mut gate.clone()).poll(context)
        });
        R::spawn(polled(&polls, async move {
            task.await;
            opener.open();
        }));
        R::yield_now().await;
        assert_eq!(polls.get(), 1, "polls after one turn");
        let waker = receive.recv().unwrap();
        (0..5).for_each(|_| waker.wake_by_ref());
        R::yield_now().await;
        R::yield_now().await;
        R::yield_now().await;
        assert_eq!(polls.get(), 2, "polls after five wakes in a row: they are one");
        opened.open();
        done.await;
        assert_eq!(polls.get(), 3);
    });
}

fn a_wake_during_the_poll_is_kept<R: Runtime>() {
    R::block_on(async {
        let done = Gate::default();
        let opener = done.clone();
        let mut left = 5;
        R::spawn(async move {
            poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            opener.open();
        });
        done.await;
    });
}

fn a_task_that_is_over_is_not_polled_again<R: Runtime>() {
    R::block_on(async {
        let (done, drops) = (Gate::default(), Count::default());
        let (opener, owned) = (done.clone(), Dropped(drops.clone()));
        let (send, receive) = std::sync::mpsc::channel();
        // Wakes itself in its last poll: an `async` block panics when it is polled after its end.
        R::spawn(async move {
            let _owned = owned;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                send.send(context.waker().clone()).unwrap();
                Poll::Ready(())
            })
            .await;
            opener.open();
        });
        done.await;
        let waker = receive.recv().unwrap();
        waker.wake_by_ref();
        R::yield_now().await;
        R::yield_now().await;
        assert_eq!(drops.get(), 1, "the future is dropped when it is ready, although a waker is still there");
        waker.wake();
        R::yield_now().await;
    });
}

fn a_wake_from_another_thread_reaches_a_sleeping_executor<R: Runtime>() {
    R::block_on(async {
        let (gate, done) = (Gate::default(), Gate::default());
        let (waiting, opener) = (gate.clone(), done.clone());
        R::spawn(async move {
            waiting.await;
            opener.open();
        });
        let thread = gate.open_later(Duration::from_millis(20));
        done.await;
        thread.join().unwrap();
    });
}

fn a_task_that_is_always_ready_starves_nobody<R: Runtime>() {
    R::block_on(async {
        R::spawn(async {
            loop {
                R::yield_now().await;
            }
        });
        let gate = Gate::default();
        let opener = gate.clone();
        R::spawn(async move { opener.open() });
        gate.await;
        for _ in 0..10 {
            R::yield_now().await;
        }
    });
}

fn the_main_future_that_is_always_ready_starves_nobody<R: Runtime>() {
    let ran = Count::default();
    R::block_on(async {
        let counted = ran.clone();
        R::spawn(async move { counted.up() });
        for _ in 0..1000 {
            if ran.get() == 1 {
                return;
            }
            R::yield_now().await;
        }
        panic!("the main future has yielded a thousand times, and the task has not run");
    });
}

fn what_is_left_is_dropped_at_the_end<R: Runtime>() {
    let drops = Count::default();
    R::block_on(async {
        for polled_before in [true, false] {
            let owned = Dropped(drops.clone());
            R::spawn(async move {
                let _owned = owned;
                // Keeps its own waker, as a real leaf future does.
                let mut kept = Vec::new();
                poll_fn::<(), _>(move |context| {
                    kept.push(context.waker().clone());
                    Poll::Pending
                })
                .await
            });
            if polled_before {
                R::yield_now().await;
            }
        }
        assert_eq!(drops.get(), 0);
    });
    assert_eq!(drops.get(), 2, "what the two tasks owned");
}

fn a_task_may_spawn_while_it_is_dropped<R: Runtime>() {
    struct Spawns<R: Runtime>(std::marker::PhantomData<fn() -> R>);
    impl<R: Runtime> Drop for Spawns<R> {
        fn drop(&mut self) {
            R::spawn(async {});
        }
    }
    R::block_on(async {
        let (spawns, done) = (Spawns::<R>(std::marker::PhantomData), Gate::default());
        let opener = done.clone();
        R::spawn(async move {
            drop(spawns);
            opener.open();
        });
        done.await;
        R::spawn(pending());
        R::yield_now().await;
    });
}

fn ten_thousand_tasks<R: Runtime>() {
    const TASKS: usize = 10_000;
    let ran = Count::default();
    R::block_on(async {
        let done = Gate::default();
        for _ in 0..TASKS {
            let (ran, done) = (ran.clone(), done.clone());
            R::spawn(async move {
                R::yield_now().await;
                ran.up();
                if ran.get() == TASKS {
                    done.open();
                }
            });
        }
        done.await;
    });
    assert_eq!(ran.get(), TASKS);
}
