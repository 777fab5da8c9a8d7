//! Chapter 15: a number, and a line of those who wait.

use super::{
    Case, Ended, Handle, Mutex, Notify, Runtime, Semaphore,
    support::{AtOnce, Log, a_few_turns, cases, moves_to_another_task, waits},
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

cases! { 15:
    so_many_permits_and_no_more:
        "To acquire is to take one off the number, or to wait in line; a permit that is dropped comes back.",
    permits_are_given_as_they_were_asked_for:
        "The line is a queue: push at the back, choose at the front.",
    a_permit_comes_back_from_a_task_that_panics:
        "Give it back in the drop of the permit, not in a line of code that a panic never reaches.",
    a_permit_comes_back_from_a_task_that_is_aborted:
        "Give it back in the drop of the permit: an aborted task is dropped at its await.",
    one_that_stops_waiting_leaves_the_line:
        "Drop takes it out, wherever it stands. Otherwise the permit is given to nobody.",
    one_that_goes_after_its_turn_passes_it_on:
        "Chosen, and dropped before it was polled: the permit is its own, so its drop must give it to the next.",
    a_mutex_is_held_by_one:
        "A semaphore with one permit. The guard must live across an await.",
    a_mutex_whose_holder_panics_goes_on:
        "The guard's drop puts the value back, then gives the turn to the next.",
    a_note_is_kept_for_who_comes_later:
        "If nobody waits, remember that it was told: the next one need not wait.",
    two_notes_are_one:
        "A note says `look again`, not how often: at most one is kept.",
    a_notified_waiter_that_goes_passes_it_on:
        "Chosen, and dropped before it was polled: wake the next, or leave a note.",
    one_that_waits_may_move_to_another_task:
        "Each poll of one that is in line leaves its own waker, in the place of the one that is there: the latest counts.",
    one_that_waits_may_be_polled_by_its_waker:
        "Whoever gives still holds the lock when it wakes. Take the first out of the line, give the lock back, and wake then.",
}

fn so_many_permits_and_no_more<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(3);
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..10).map(|_| {
            let (semaphore, inside, most) = (semaphore.clone(), inside.clone(), most.clone());
            R::spawn_with_handle(async move {
                let _permit = semaphore.acquire().await;
                most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                a_few_turns::<R>().await;
                inside.fetch_sub(1, SeqCst);
            })
        });
        for job in jobs.collect::<Vec<_>>() {
            assert_eq!(job.await, Ok(()));
        }
        assert_eq!(most.load(SeqCst), 3, "the most that held a permit at the same time");
    });
}

fn permits_are_given_as_they_were_asked_for<R: Runtime>() {
    let log = Log::default();
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let held = semaphore.acquire().await;
        let mut jobs = Vec::new();
        for name in ["one", "two", "three"] {
            let (semaphore, log) = (semaphore.clone(), log.clone());
            jobs.push(R::spawn_with_handle(async move {
                let _permit = semaphore.acquire().await;
                log.say(name);
            }));
            a_few_turns::<R>().await;
        }
        drop(held);
        for job in jobs {
            assert_eq!(job.await, Ok(()));
        }
    });
    log.expect(&["one", "two", "three"]);
}

fn a_permit_comes_back_from_a_task_that_panics<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let permit = semaphore.acquire().await;
        let task = R::spawn_with_handle(async move {
            let _permit = permit;
            panic!("in its hands");
        });
        assert_eq!(task.await, Err::<(), _>(Ended::Panicked("in its hands".to_owned())));
        drop(semaphore.acquire().await);
    });
}

fn a_permit_comes_back_from_a_task_that_is_aborted<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let permit = semaphore.acquire().await;
        let task = R::spawn_with_handle(async move {
            let _permit = permit;
            std::future::pending::<()>().await;
        });
        a_few_turns::<R>().await;
        task.abort();
        assert_eq!(task.await, Err(Ended::Cancelled));
        drop(semaphore.acquire().await);
    });
}

fn one_that_stops_waiting_leaves_the_line<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let held = semaphore.acquire().await;
        let (mut first, mut second) = (Box::pin(semaphore.acquire()), Box::pin(semaphore.acquire()));
        waits!(first);
        waits!(second);
        drop(first);
        drop(held);
        drop(second.await);
    });
}

fn one_that_goes_after_its_turn_passes_it_on<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let held = semaphore.acquire().await;
        let (mut first, mut second) = (Box::pin(semaphore.acquire()), Box::pin(semaphore.acquire()));
        waits!(first);
        waits!(second);
        drop(held);
        drop(first);
        drop(second.await);
        drop(semaphore.acquire().await);
    });
}

fn a_mutex_is_held_by_one<R: Runtime>() {
    R::block_on(async {
        let total = R::mutex(0);
        let tasks = (0..5).map(|_| {
            let total = total.clone();
            R::spawn_with_handle(async move {
                for _ in 0..10 {
                    let mut total = total.lock().await;
                    let seen = *total;
                    R::yield_now().await;
                    *total = seen + 1;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*total.lock().await, 50, "five tasks added one, ten times each");
    });
}

fn a_mutex_whose_holder_panics_goes_on<R: Runtime>() {
    R::block_on(async {
        let value = R::mutex("before".to_owned());
        let taken = value.clone();
        let task = R::spawn_with_handle(async move {
            let mut value = taken.lock().await;
            value.push_str(", and half done");
            panic!("in its hands");
        });
        assert_eq!(task.await, Err::<(), _>(Ended::Panicked("in its hands".to_owned())));
        assert_eq!(*value.lock().await, "before, and half done");
    });
}

fn a_note_is_kept_for_who_comes_later<R: Runtime>() {
    R::block_on(async {
        let notify = R::notify();
        notify.notify_one();
        notify.notified().await;

        let told = notify.clone();
        R::spawn(async move {
            R::yield_now().await;
            told.notify_one();
        });
        notify.notified().await;
    });
}

fn two_notes_are_one<R: Runtime>() {
    R::block_on(async {
        let notify = R::notify();
        notify.notify_one();
        notify.notify_one();
        notify.notified().await;
        let mut again = Box::pin(notify.notified());
        waits!(again);
        notify.notify_one();
        again.await;
    });
}

fn a_notified_waiter_that_goes_passes_it_on<R: Runtime>() {
    R::block_on(async {
        let notify = R::notify();
        let (mut first, mut second) = (Box::pin(notify.notified()), Box::pin(notify.notified()));
        waits!(first);
        waits!(second);
        notify.notify_one();
        drop(first);
        second.await;

        let mut only = Box::pin(notify.notified());
        waits!(only);
        notify.notify_one();
        drop(only);
        notify.notified().await;
    });
}

fn one_that_waits_may_move_to_another_task<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let held = semaphore.acquire().await;
        let mut acquires = pin!(semaphore.acquire());
        let wakes = moves_to_another_task(acquires.as_mut());
        drop(held);
        assert!(wakes.get() > 0, "nobody woke the task that asked for a permit last");
        drop(acquires.await);

        let notify = R::notify();
        let mut notified = pin!(notify.notified());
        let wakes = moves_to_another_task(notified.as_mut());
        notify.notify_one();
        assert!(wakes.get() > 0, "nobody woke the task that asked for a note last");
        notified.await;
    });
}

fn one_that_waits_may_be_polled_by_its_waker<R: Runtime>() {
    R::block_on(async {
        let semaphore = R::semaphore(1);
        let held = semaphore.acquire().await;
        let later = || {
            let semaphore = semaphore.clone();
            AtOnce::start(async move { drop(semaphore.acquire().await) })
        };
        // Each of them gives it back on the spot, and so on: all inside the first drop.
        let jobs = [later(), later(), later()];
        drop(held);
        assert_eq!(jobs.map(|job| job.output()), [Some(()); 3], "which had the permit and gave it back");

        let notify = R::notify();
        let told = notify.clone();
        let waits = AtOnce::start(async move { told.notified().await });
        notify.notify_one();
        assert_eq!(waits.output(), Some(()), "the end of one that was notified");
    });
}
