//! Chapter 7: a task knows where it stands, whoever wakes it, and whenever.

use super::{
    Case, Runtime,
    support::{Count, Gate, cases, polled},
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

cases! { 7:
    a_task_has_the_same_waker_at_every_poll:
        "The cell is the waker: make it from the same Arc each time. A future that sees an old friend (will_wake) need not clone it again.",
    a_wake_in_the_last_poll_is_nothing:
        "When the poll comes back Ready, the word may say Woken as well as Running. Both lead to Complete, and neither to the queue.",
    a_task_that_wakes_itself_while_it_is_dropped_stays_over:
        "Drop the future while the word still says Running, and forget the wakes of that time when you complete.",
    no_wake_from_another_thread_is_lost:
        "Woken while it runs: note it in the word, and let the one who polls put the task back into the queue. Look and change must be one instruction.",
    what_was_written_before_a_wake_is_seen:
        "Also a wake that finds the task scheduled must write (fetch_or, not a load): or what its thread did may not be seen by the poll.",
    a_waker_may_outlive_its_executor:
        "At the end each task that is left becomes Complete: a late wake finds that, and puts nothing into a queue that nobody empties.",
}

fn a_task_has_the_same_waker_at_every_poll<R: Runtime>() {
    R::block_on(async {
        let done = Gate::default();
        let opener = done.clone();
        let mut first: Option<Waker> = None;
        let mut left = 3;
        R::spawn(async move {
            poll_fn(|context| {
                let waker = context.waker();
                assert!(first.get_or_insert_with(|| waker.clone()).will_wake(waker), "another waker at another poll");
                left -= 1;
                waker.wake_by_ref();
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            opener.open();
        });
        // A task that panics opens nothing: so not for ever.
        for _ in 0..100 {
            if done.is_open() {
                return;
            }
            R::yield_now().await;
        }
        panic!(
            "the task has not come to its end: its waker was another one at another poll, or it was not polled again"
        );
    });
}

fn a_wake_in_the_last_poll_is_nothing<R: Runtime>() {
    R::block_on(async {
        let (polls, done) = (Count::default(), Gate::default());
        let opener = done.clone();
        let last = poll_fn(move |context| {
            context.waker().wake_by_ref();
            let waker = context.waker().clone();
            thread::spawn(move || waker.wake()).join().unwrap();
            opener.open();
            Poll::Ready(())
        });
        R::spawn(polled(&polls, last));
        done.await;
        for _ in 0..5 {
            R::yield_now().await;
        }
        assert_eq!(polls.get(), 1, "polls of a task that was ready at its first");
    });
}

/// Wakes its own task when it is dropped.
struct WakesInDrop(Option<Waker>);

impl Future for WakesInDrop {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0 = Some(context.waker().clone());
        Poll::Ready(())
    }
}

impl Drop for WakesInDrop {
    fn drop(&mut self) {
        self.0.iter().for_each(Waker::wake_by_ref);
    }
}

fn a_task_that_wakes_itself_while_it_is_dropped_stays_over<R: Runtime>() {
    R::block_on(async {
        let polls = Count::default();
        R::spawn(polled(&polls, WakesInDrop(None)));
        for _ in 0..5 {
            R::yield_now().await;
        }
        assert_eq!(polls.get(), 1, "polls of a task that was ready at its first");
    });
}

/// A task that adds up what `threads` threads bring, each `rounds` times with a wake. Ready when all is there.
fn brought_by_threads<R: Runtime>(threads: usize, rounds: usize) {
    R::block_on(async {
        let (brought, waker) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None::<Waker>)));
        let (polls, done, busy) = (Count::default(), Gate::default(), AtomicBool::new(false));
        let (seen, stored, opener) = (brought.clone(), waker.clone(), done.clone());
        let adds_up = poll_fn(move |context| {
            assert!(!busy.swap(true, Ordering::SeqCst), "polled by two at the same time");
            stored.lock().unwrap().get_or_insert_with(|| context.waker().clone());
            let all = seen.load(Ordering::Relaxed) == threads * rounds;
            busy.store(false, Ordering::SeqCst);
            if all { Poll::Ready(()) } else { Poll::Pending }
        });
        R::spawn(polled(&polls, async move {
            adds_up.await;
            opener.open();
        }));
        R::yield_now().await;
        let waker: Waker = waker.lock().unwrap().take().expect("the task had its turn");
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let (brought, waker) = (brought.clone(), waker.clone());
                thread::spawn(move || {
                    for _ in 0..rounds {
                        brought.fetch_add(1, Ordering::Relaxed);
                        waker.wake_by_ref();
                    }
                })
            })
            .collect();
        done.await;
        let wakes = threads.len() * rounds;
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(polls.get() <= wakes + 1, "{} polls for {wakes} wakes", polls.get());
    });
}

fn no_wake_from_another_thread_is_lost<R: Runtime>() {
    brought_by_threads::<R>(1, 10_000);
    brought_by_threads::<R>(4, 2_000);
}

fn what_was_written_before_a_wake_is_seen<R: Runtime>() {
    for _ in 0..200 {
        brought_by_threads::<R>(2, 1);
    }
}

fn a_waker_may_outlive_its_executor<R: Runtime>() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let stored = kept.clone();
    R::block_on(async {
        R::spawn(poll_fn::<(), _>(move |context| {
            stored.lock().unwrap().push(context.waker().clone());
            Poll::Pending
        }));
        // One that is over is not left alone by its waker either; the second wake finds it over already.
        let stored = kept.clone();
        R::spawn(poll_fn(move |context| {
            context.waker().wake_by_ref();
            stored.lock().unwrap().push(context.waker().clone());
            Poll::Ready(())
        }));
        R::yield_now().await;
        R::yield_now().await;
    });
    let wakers = std::mem::take(&mut *kept.lock().unwrap());
    assert_eq!(wakers.len(), 2, "polls of two tasks that nobody waits for");
    wakers.iter().for_each(Waker::wake_by_ref);
    thread::spawn(move || wakers.into_iter().for_each(Waker::wake)).join().unwrap();
    R::block_on(async { R::yield_now().await });
}
