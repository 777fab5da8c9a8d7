//! Chapter 9: the executor sleeps exactly until the nearest deadline.

use super::{
    Case, Runtime,
    support::{Count, Dropped, Gate, Log, Woken, cases, poll_once, polled},
};
use std::{
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

cases! { 9:
    a_sleep_is_never_short:
        "Compare with the deadline when the thread wakes up; a rounded timeout may come early.",
    sleeps_pass_at_the_same_time:
        "A sleep must register its deadline and return Pending, not sleep on the thread.",
    deadlines_come_in_their_order:
        "Take the earliest deadline first (a heap), whatever the order in which they were registered.",
    nothing_is_polled_while_all_sleep:
        "Sleep until the nearest deadline with park_timeout, and poll only tasks whose deadline has passed.",
    a_wake_cuts_the_sleep_short:
        "The thread that sleeps until a deadline must also wake up when a task is queued.",
    a_sleep_that_another_thread_polls_is_in_time:
        "A sleep may be armed by another thread, while this one sleeps until a later deadline: then it must be told that there is a nearer one.",
    a_sleep_that_is_over_is_ready_at_once:
        "A deadline in the past needs no timer.",
    the_latest_waker_is_woken:
        "A sleep may move to another task between two polls: replace the waker at each poll.",
    a_dropped_sleep_wakes_nobody:
        "Take the timer out when the sleep is dropped, or at least do not wake its task.",
    ten_thousand_sleeps:
        "Arming and taking out must not look at all timers each time.",
    a_sleep_without_end_can_be_armed:
        "Instant + Duration may overflow: treat such a deadline as never.",
    a_timeout_drops_what_takes_too_long:
        "Poll the future first, then the sleep; on timeout the future is dropped before the answer is given.",
    a_timeout_gives_what_is_in_time:
        "If the future is ready, its output counts, even if the deadline has passed at the same time.",
    the_time_counts_from_the_call:
        "The body of an async fn runs at its first poll. So make the deadline in a plain fn, which then returns the future.",
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn a_sleep_is_never_short<R: Runtime>() {
    R::block_on(async {
        for micros in [1, 300, 999, 1000, 1001, 2500, 7777] {
            let (time, begin) = (Duration::from_micros(micros), Instant::now());
            R::sleep(time).await;
            assert!(begin.elapsed() >= time, "{:?} instead of {time:?}", begin.elapsed());
        }
    });
}

fn sleeps_pass_at_the_same_time<R: Runtime>() {
    let begin = Instant::now();
    R::block_on(async {
        let (left, done) = (Count::default(), Gate::default());
        for _ in 0..20 {
            let (left, done) = (left.clone(), done.clone());
            R::spawn(async move {
                R::sleep(millis(100)).await;
                left.up();
                if left.get() == 20 {
                    done.open();
                }
            });
        }
        done.await;
    });
    assert!(begin.elapsed() < millis(1000), "twenty sleeps of 100 ms took {:?}", begin.elapsed());
}

fn deadlines_come_in_their_order<R: Runtime>() {
    let (log, done) = (Log::default(), Gate::default());
    R::block_on(async {
        for time in [60, 20, 100, 40, 80] {
            let (log, done) = (log.clone(), done.clone());
            R::spawn(async move {
                R::sleep(millis(time)).await;
                log.say(time.to_string());
                if time == 100 {
                    done.open();
                }
            });
        }
        done.clone().await;
    });
    log.expect(&["20", "40", "60", "80", "100"]);
}

fn nothing_is_polled_while_all_sleep<R: Runtime>() {
    let (of_main, of_task) = (Count::default(), Count::default());
    R::block_on(async {
        R::spawn(polled(&of_task, pending()));
        polled(&of_main, R::sleep(millis(50))).await;
    });
    assert!(of_main.get() <= 3, "{} polls of one sleep", of_main.get());
    assert_eq!(of_task.get(), 1, "polls of a task that nobody wakes");
}

fn a_wake_cuts_the_sleep_short<R: Runtime>() {
    let begin = Instant::now();
    R::block_on(async {
        let (gate, done) = (Gate::default(), Gate::default());
        let (waiting, opener) = (gate.clone(), done.clone());
        R::spawn(R::sleep(Duration::from_secs(60)));
        R::spawn(async move {
            waiting.await;
            opener.open();
        });
        let thread = gate.open_later(millis(20));
        done.await;
        thread.join().unwrap();
    });
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
}

fn a_sleep_that_another_thread_polls_is_in_time<R: Runtime>() {
    let begin = Instant::now();
    R::block_on(async {
        let (done, sleep) = (Gate::default(), R::sleep(millis(200)));
        let opener = done.clone();
        let other = thread::spawn(move || {
            // By now the first thread sleeps, for a minute.
            thread::sleep(millis(50));
            R::block_on(sleep);
            opener.open();
        });
        assert_eq!(R::timeout(Duration::from_secs(60), done).await, Some(()));
        other.join().unwrap();
    });
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
}

fn a_sleep_that_is_over_is_ready_at_once<R: Runtime>() {
    R::block_on(async {
        R::sleep(Duration::ZERO).await;
        let sleep = R::sleep(millis(1));
        thread::sleep(millis(5));
        sleep.await;
    });
}

fn the_latest_waker_is_woken<R: Runtime>() {
    R::block_on(async {
        let counts = [Count::default(), Count::default()];
        let mut sleep = Box::pin(R::sleep(millis(20)));
        for count in &counts {
            let waker = Waker::from(Arc::new(Woken(count.clone())));
            assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        R::sleep(millis(60)).await;
        assert_eq!(counts.map(|count| count.get()), [0, 1], "wakes of the first waker, and of the second");
        sleep.await;
    });
}

fn a_dropped_sleep_wakes_nobody<R: Runtime>() {
    R::block_on(async {
        let polls = Count::default();
        let mut sleep = Some(Box::pin(R::sleep(millis(20))));
        R::spawn(polled(
            &polls,
            poll_fn::<(), _>(move |context| {
                if let Some(mut sleep) = sleep.take() {
                    assert!(Pin::new(&mut sleep).poll(context).is_pending());
                }
                Poll::Pending
            }),
        ));
        R::sleep(millis(60)).await;
        assert_eq!(polls.get(), 1, "polls of a task whose sleep was dropped");
    });
}

fn ten_thousand_sleeps<R: Runtime>() {
    const SLEEPS: usize = 10_000;
    let begin = Instant::now();
    R::block_on(async {
        let (over, done) = (Count::default(), Gate::default());
        for number in 0..SLEEPS {
            let (over, done) = (over.clone(), done.clone());
            R::spawn(async move {
                R::sleep(millis(50 + number as u64 % 100)).await;
                over.up();
                if over.get() == SLEEPS {
                    done.open();
                }
            });
        }
        done.await;
    });
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
}

fn a_sleep_without_end_can_be_armed<R: Runtime>() {
    R::block_on(async {
        let mut endless = Box::pin(R::sleep(Duration::MAX));
        poll_fn(|context| {
            assert!(endless.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        R::sleep(millis(5)).await;
    });
}

fn a_timeout_drops_what_takes_too_long<R: Runtime>() {
    R::block_on(async {
        let drops = Count::default();
        let owned = Dropped(drops.clone());
        let slow = async move {
            let _owned = owned;
            pending::<()>().await;
        };
        let begin = Instant::now();
        assert_eq!(R::timeout(millis(20), slow).await, None);
        assert!(begin.elapsed() >= millis(20));
        assert_eq!(drops.get(), 1);
    });
}

fn a_timeout_gives_what_is_in_time<R: Runtime>() {
    R::block_on(async {
        assert_eq!(R::timeout(Duration::from_secs(60), async { 7 }).await, Some(7));
        assert_eq!(
            R::timeout(Duration::from_secs(60), async {
                R::sleep(millis(5)).await;
                8
            })
            .await,
            Some(8)
        );
        assert_eq!(R::timeout(Duration::ZERO, async { 9 }).await, Some(9), "ready at its first poll");
    });
}

fn the_time_counts_from_the_call<R: Runtime>() {
    R::block_on(async {
        let mut sleep = pin!(R::sleep(millis(50)));
        let mut limited = pin!(R::timeout(millis(50), pending::<()>()));
        R::sleep(millis(100)).await;
        assert!(poll_once(sleep.as_mut()).await.is_ready(), "a sleep of 50 ms, made 100 ms ago, waits");
        assert!(poll_once(limited.as_mut()).await.is_ready(), "a timeout of 50 ms, made 100 ms ago, waits");
    });
}
