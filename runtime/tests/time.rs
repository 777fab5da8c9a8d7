//! Time, real and virtual.

use runtime::{
    Runtime,
    future::join_all,
    spawn,
    time::{
        Deadline, Instant, MissedTicks, interval, interval_at, sleep, sleep_until, timeout, timeout_at, virtual_clock,
        wall_clock,
    },
    yield_now,
};
use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, SystemTime},
};

const SECOND: Duration = Duration::from_secs(1);

fn on_virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

#[test]
fn virtual_sleeps_take_exactly_what_they_say_and_cost_nothing() {
    let real = std::time::Instant::now();
    let elapsed = on_virtual_clock().block_on(async {
        let start = Instant::now();
        join_all((1..=1000).map(|hours| sleep(Duration::from_secs(3600 * hours)))).await;
        start.elapsed()
    });
    assert_eq!(elapsed, Duration::from_secs(3600 * 1000));
    assert!(real.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_real_sleep_is_never_early() {
    runtime::block_on(async {
        for micros in [1, 100, 999, 1000, 1001, 2500] {
            let (start, wait) = (Instant::now(), Duration::from_micros(micros));
            sleep(wait).await;
            assert!(start.elapsed() >= wait, "{micros} µs");
        }
    });
}

#[test]
fn equal_deadlines_fire_in_the_order_in_which_they_were_armed() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    on_virtual_clock().block_on(async move {
        let deadline = Instant::now() + Duration::from_secs(1);
        let tasks = (0..10).map(|number| {
            let seen = seen.clone();
            spawn(async move {
                sleep_until(deadline).await;
                seen.lock().unwrap().push(number);
            })
        });
        join_all(tasks.collect::<Vec<_>>()).await;
    });
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[test]
fn zero_and_endless_durations_behave() {
    on_virtual_clock().block_on(async {
        sleep(Duration::ZERO).await;
        assert!(timeout(Duration::from_secs(10), sleep(Duration::MAX)).await.is_err());
        assert_eq!(timeout(Duration::MAX, async { 1 }).await, Ok(1));
        assert_eq!(timeout(Duration::ZERO, async { 1 }).await, Ok(1), "a ready future wins");
        assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
    });
}

#[test]
fn a_dropped_sleep_is_disarmed() {
    let runtime = on_virtual_clock();
    let elapsed = runtime.block_on(async {
        let start = Instant::now();
        let _ = timeout(Duration::from_secs(1), sleep(Duration::from_secs(100))).await;
        sleep(Duration::from_secs(1)).await;
        start.elapsed()
    });
    assert_eq!(elapsed, Duration::from_secs(2), "the clock stopped at a timer that was gone");
}

#[test]
fn the_virtual_clock_waits_for_blocking_jobs() {
    on_virtual_clock().block_on(async {
        let job = runtime::spawn_blocking(|| std::fs::read_dir("/").unwrap().count());
        assert!(timeout(Duration::from_secs(1), job).await.is_ok(), "time jumped over a job");
    });
}

/// The table in the documentation of `MissedTicks`.
#[test]
fn missed_ticks_follow_their_policy() {
    let ticks_with = |policy| {
        on_virtual_clock().block_on(async move {
            let start = Instant::now();
            let second = Duration::from_secs(1);
            let mut ticks = interval_at(start + 10 * second, 10 * second).missed_ticks(policy);
            sleep(35 * second).await;
            let mut seen = Vec::new();
            while seen.len() < 4 {
                ticks.tick().await;
                seen.push(start.elapsed().as_secs());
            }
            seen
        })
    };
    assert_eq!(ticks_with(MissedTicks::Burst), [35, 35, 35, 40]);
    assert_eq!(ticks_with(MissedTicks::Delay), [35, 45, 55, 65]);
    assert_eq!(ticks_with(MissedTicks::Skip), [35, 40, 50, 60]);
}

#[test]
fn a_deadline_can_be_moved_both_ways() {
    on_virtual_clock().block_on(async {
        let start = Instant::now();
        let mut moved = sleep(Duration::from_secs(10));
        assert!(timeout(Duration::from_secs(1), &mut moved).await.is_err());
        moved.reset(start + Duration::from_secs(20));
        (&mut moved).await;
        assert_eq!(start.elapsed(), Duration::from_secs(20));
        moved.reset(start + Duration::from_secs(25));
        assert!(timeout_at(start + Duration::from_secs(24), &mut moved).await.is_err());
        moved.reset(start);
        moved.await;
        assert_eq!(start.elapsed(), Duration::from_secs(24));
    });
}

#[test]
fn the_wall_clock_is_virtual_too() {
    on_virtual_clock().block_on(async {
        sleep(Duration::from_secs(5)).await;
        let since = wall_clock().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::from_secs(1_000_000_005));
    });
}

#[test]
#[should_panic(expected = "deadlock: nothing is runnable, no timer is armed and no source is waited for")]
fn a_deadlock_is_reported() {
    on_virtual_clock().block_on(async {
        drop(runtime::task::Builder::new().name("waits for ever").spawn(pending::<()>()));
        pending::<()>().await;
    });
}

#[test]
#[should_panic(expected = "a sleep was polled outside a runtime")]
fn a_sleep_outside_a_runtime_says_so() {
    let mut sleep = std::pin::pin!(sleep(Duration::from_secs(1)));
    let _ = sleep.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
}

/// The whole point of a trace: the same program leaves the same one, every time.
#[test]
fn the_trace_of_a_virtual_run_is_the_same_every_time() {
    let run = || {
        let runtime = Runtime::builder().virtual_clock().trace().build().unwrap();
        runtime.block_on(async {
            let tasks = [3u64, 1, 2].map(|seconds| spawn(sleep(Duration::from_secs(seconds))));
            join_all(tasks).await;
        });
        runtime.trace()
    };
    let (first, second) = (run(), run());
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(first.timeline_svg(), second.timeline_svg());
    assert!(first.to_string().contains("park     until 1000.000 ms"), "{first}");
}

/// A blocking thread arms a timer while the worker sleeps without a deadline: the worker must hear of it.
#[test]
fn a_sleep_on_a_blocking_thread_wakes_the_worker() {
    runtime::block_on(async {
        runtime::spawn_blocking(|| futures_lite::future::block_on(sleep(Duration::from_millis(5)))).await.unwrap();
    });
}

/// The timer fires on the worker's thread while its sleep is polled on another.
#[test]
fn a_sleep_that_fires_while_it_is_polled_elsewhere_is_ready() {
    runtime::block_on(async {
        let polling = runtime::spawn_blocking(|| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            for _ in 0..2_000 {
                let mut sleep = std::pin::pin!(sleep(Duration::from_micros(30)));
                while sleep.as_mut().poll(&mut context).is_pending() {}
            }
        });
        while !polling.is_finished() {
            runtime::yield_now().await;
        }
        polling.await.unwrap();
    });
}

#[test]
fn a_sleep_can_move_to_another_runtime() {
    let mut moved = Box::pin(sleep(Duration::from_millis(20)));
    runtime::block_on(async { assert!(futures_lite::future::poll_once(&mut moved).await.is_none()) });
    runtime::block_on(moved);
}

/// A job that came back just now has woken whoever waited for it: time must not jump first.
#[test]
fn the_virtual_clock_does_not_jump_past_a_job_that_is_back() {
    on_virtual_clock().block_on(async {
        for spin in 0..5_000 {
            let start = Instant::now();
            let job = runtime::spawn_blocking(move || (0..spin % 400).for_each(|_| std::hint::spin_loop()));
            timeout(Duration::from_secs(3600), job).await.unwrap().unwrap();
            assert_eq!(start.elapsed(), Duration::ZERO, "round {spin}");
        }
    });
}

/// A foreign waker that panics takes nobody with it.
#[test]
fn a_panicking_waker_ends_nothing_but_itself() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            std::panic::resume_unwind(Box::new("a foreign waker"));
        }
    }
    on_virtual_clock().block_on(async {
        let panics = std::task::Waker::from(Arc::new(Panics));
        let mut early = std::pin::pin!(sleep(Duration::from_secs(1)));
        assert!(early.as_mut().poll(&mut std::task::Context::from_waker(&panics)).is_pending());
        sleep(Duration::from_secs(2)).await;
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicU64);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// tokio #3190, #6682: the worker sleeps until a late deadline, and another thread arms an earlier one.
#[test]
fn an_earlier_timer_of_another_thread_interrupts_the_sleep() {
    runtime::block_on(async {
        let late = spawn(sleep(600 * SECOND));
        for _ in 0..200 {
            let early = runtime::spawn_blocking(|| futures_lite::future::block_on(sleep(Duration::from_micros(200))));
            timeout(60 * SECOND, early).await.expect("the earlier timer was slept past").unwrap();
        }
        late.abort();
    });
}

/// The same with a timer that is armed already, and moved to an earlier moment by another thread.
#[test]
fn a_timer_moved_to_earlier_by_another_thread_interrupts_the_sleep() {
    runtime::block_on(async {
        for _ in 0..200 {
            let sleeping = Arc::new(Mutex::new(sleep(600 * SECOND)));
            let mover = sleeping.clone();
            let polled = poll_fn(|context| poll_with(&mut *sleeping.lock().unwrap(), context.waker()));
            let moving = spawn(async move {
                let moved = runtime::spawn_blocking(move || mover.lock().unwrap().reset(Instant::now()));
                moved.await.unwrap();
            });
            timeout(60 * SECOND, polled).await.expect("the earlier deadline was slept past");
            moving.await.unwrap();
        }
    });
}

#[test]
fn extreme_durations_behave_everywhere() {
    on_virtual_clock().block_on(async {
        sleep(SECOND).await;
        let start = Instant::now();
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        let end = start + Duration::MAX;
        for huge in [Duration::MAX, Duration::MAX - Duration::from_nanos(1), Duration::from_nanos(u64::MAX)] {
            assert_eq!(start + huge, end);
            assert!(timeout(SECOND, sleep(huge)).await.is_err());
            assert_eq!(timeout(huge, async { 1 }).await, Ok(1));
            assert!(timeout(SECOND, Deadline::after(huge).wait()).await.is_err());
            assert!(timeout(SECOND, interval_at(end, SECOND).tick()).await.is_err());
        }
        assert!(timeout(SECOND, sleep_until(end)).await.is_err());
        assert!(timeout(SECOND, timeout_at(end, pending::<()>())).await.is_err());
        // The last moment at which something can still happen.
        let before = Instant::now();
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(before.elapsed(), Duration::from_nanos(1));
        sleep(century).await;
        assert_eq!(before.elapsed(), century + Duration::from_nanos(1));
        assert!(futures_lite::future::poll_once(sleep(Duration::ZERO)).await.is_some());
        assert!(futures_lite::future::poll_once(sleep_until(start)).await.is_some());
        assert!(futures_lite::future::poll_once(sleep_until(Instant::now())).await.is_some());
        assert!(Deadline::after(Duration::ZERO).limit(pending::<()>()).await.is_err());
    });
}

#[test]
fn an_interval_with_an_endless_period_ticks_once() {
    for policy in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
        on_virtual_clock().block_on(async {
            let mut ticks = interval(Duration::MAX).missed_ticks(policy);
            ticks.tick().await;
            assert!(timeout(1000 * SECOND, ticks.tick()).await.is_err());
        });
    }
}

/// A century of nanoseconds is skipped by arithmetic, not by a loop.
#[test]
fn a_century_of_missed_ticks_costs_nothing() {
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    let nano = Duration::from_nanos(1);
    for policy in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
        on_virtual_clock().block_on(async {
            let start = Instant::now();
            let mut ticks = interval(nano).missed_ticks(policy);
            assert_eq!(ticks.tick().await, start);
            sleep(century).await;
            assert_eq!(ticks.tick().await, start + nano);
            let next = ticks.tick().await;
            match policy {
                MissedTicks::Burst => assert_eq!(next, start + 2 * nano),
                _ => assert_eq!(next, start + century + nano),
            }
        });
    }
}

#[test]
fn a_storm_of_resets_leaves_one_timer() {
    let runtime = Runtime::builder().virtual_clock().trace().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let mut moved = Box::pin(sleep(SECOND));
        for step in 0..100_000_u64 {
            assert!(futures_lite::future::poll_once(&mut moved).await.is_none());
            moved.as_mut().reset(start + SECOND + Duration::from_nanos(step * 7919 % 1_000_003));
        }
        moved.as_mut().reset(start + 2 * SECOND);
        moved.await;
        assert_eq!(start.elapsed(), 2 * SECOND);
        sleep(SECOND).await;
    });
    let fired = runtime.trace().to_string().lines().filter(|line| line.contains(" timer ")).count();
    assert_eq!(fired, 2, "{}", runtime.trace());
}

/// A sleep that is moved while it is awaited wakes whoever waits at the new moment, though nobody polls it again.
#[test]
fn a_reset_moves_the_timer_at_once() {
    on_virtual_clock().block_on(async {
        let start = Instant::now();
        let sleeping = Arc::new(Mutex::new(sleep(100 * SECOND)));
        let waiting = spawn({
            let sleeping = sleeping.clone();
            async move {
                poll_fn(|context| poll_with(&mut *sleeping.lock().unwrap(), context.waker())).await;
                start.elapsed()
            }
        });
        yield_now().await;
        sleeping.lock().unwrap().reset(start + 5 * SECOND);
        assert_eq!(waiting.await.unwrap(), 5 * SECOND);
    });
}

/// Two timers are due in the same turn; the first one's task drops the second one.
#[test]
fn a_timer_can_be_dropped_in_the_tick_in_which_it_fires() {
    on_virtual_clock().block_on(async {
        let count = Arc::new(Count::default());
        let second = Arc::new(Mutex::new(None));
        let dropper = spawn({
            let second = second.clone();
            async move {
                sleep(SECOND).await;
                drop(second.lock().unwrap().take());
            }
        });
        yield_now().await;
        let mut sleeping = Box::pin(sleep(SECOND));
        assert!(poll_with(&mut sleeping, &count.clone().into()).is_pending());
        *second.lock().unwrap() = Some(sleeping);
        dropper.await.unwrap();
        assert!(second.lock().unwrap().is_none());
        sleep(SECOND).await;
        assert_eq!(count.get(), 1, "both fired in that turn");
    });
}

/// tokio #8570: wakers that arm timers while the runtime ends; and panic, because it has.
#[test]
fn a_runtime_ends_under_timers_whose_wakers_arm_more() {
    struct Rearms(Arc<AtomicU64>);
    impl Wake for Rearms {
        fn wake(self: Arc<Self>) {
            // A panic takes its time: not all of them.
            if !self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000) {
                return;
            }
            let waker = Waker::from(Arc::new(Rearms(self.0.clone())));
            let mut sleep = Box::pin(sleep(SECOND));
            let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll_with(&mut sleep, &waker)));
            assert!(refused.is_err(), "a timer was armed in a runtime that is over");
        }
    }
    let woken = Arc::new(AtomicU64::new(0));
    let runtime = Runtime::new().unwrap();
    let outliving: Vec<_> = runtime.block_on(async {
        let armed = |_| {
            let mut sleep = Box::pin(sleep(3600 * SECOND));
            assert!(poll_with(&mut sleep, &Arc::new(Rearms(woken.clone())).into()).is_pending());
            sleep
        };
        (0..10_000).map(armed).collect()
    });
    assert_eq!(woken.load(Ordering::Relaxed), 0);
    drop(runtime);
    assert_eq!(woken.load(Ordering::Relaxed), 10_000);
    drop(outliving);
}

#[test]
fn a_sleep_that_survives_its_runtime_is_woken_and_waits_in_another() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut moved = Box::pin(sleep(3600 * SECOND));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async { assert!(poll_with(&mut moved, &waker).is_pending()) });
    assert_eq!(count.get(), 0);
    drop(runtime);
    assert_eq!(count.get(), 1, "it waits for a runtime that is gone");
    runtime::block_on(async {
        assert!(poll_with(&mut moved, &waker).is_pending());
        moved.as_mut().reset(Instant::now() + Duration::from_millis(1));
        moved.await;
    });
}

/// A task that was busy finds that its time is up, before the timers have had their turn.
#[test]
fn a_deadline_that_has_passed_is_ready_at_the_next_poll() {
    runtime::block_on(async {
        let mut sleeping = Box::pin(sleep(Duration::from_millis(2)));
        assert!(futures_lite::future::poll_once(&mut sleeping).await.is_none());
        while Instant::now() < sleeping.deadline() {
            std::hint::spin_loop();
        }
        assert!(futures_lite::future::poll_once(&mut sleeping).await.is_some());
    });
}

/// tokio #8595: a source is ready, and nobody has seen it yet: time must not jump.
#[test]
fn the_virtual_clock_does_not_jump_past_a_source_that_is_ready() {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };
    on_virtual_clock().block_on(async {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = runtime::AsyncFd::new(ours);
        for round in 0..200 {
            let start = Instant::now();
            let writer = spawn({
                let mut theirs = theirs.try_clone().unwrap();
                async move { theirs.write_all(b"x").unwrap() }
            });
            let reading = ours.read_with(|mut ours| ours.read(&mut [0]));
            assert_eq!(timeout(SECOND, reading).await.expect("time jumped over it").unwrap(), 1);
            assert_eq!(start.elapsed(), Duration::ZERO, "round {round}");
            writer.await.unwrap();
        }
    });
}

mod deadline {
    use super::*;

    #[test]
    fn those_who_wait_follow_it_to_later_and_to_earlier() {
        on_virtual_clock().block_on(async {
            let (start, deadline) = (Instant::now(), Deadline::after(10 * SECOND));
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    let deadline = deadline.clone();
                    spawn(async move {
                        deadline.wait().await;
                        start.elapsed()
                    })
                })
                .collect();
            sleep(5 * SECOND).await;
            deadline.set(start + 60 * SECOND);
            sleep(20 * SECOND).await;
            assert!(waiting.iter().all(|task| !task.is_finished()), "they kept to the old moment");
            assert_eq!(deadline.remaining(), 35 * SECOND);
            deadline.set_after(SECOND);
            for task in waiting {
                assert_eq!(task.await.unwrap(), 26 * SECOND);
            }
        });
    }

    #[test]
    fn it_can_be_taken_away_and_set_again() {
        on_virtual_clock().block_on(async {
            let (start, deadline) = (Instant::now(), Deadline::after(10 * SECOND));
            let mut waiting = Box::pin(deadline.wait());
            assert!(futures_lite::future::poll_once(&mut waiting).await.is_none());
            deadline.clear();
            assert!(timeout(100 * SECOND, &mut waiting).await.is_err());
            assert!(!deadline.passed());
            deadline.set_after(SECOND);
            waiting.await;
            assert_eq!(start.elapsed(), 101 * SECOND);
            assert!(deadline.passed());
            deadline.extend(SECOND);
            assert!(!deadline.passed(), "a level, not an event");
            assert_eq!(deadline.remaining(), SECOND);
        });
    }

    #[test]
    fn a_limit_reports_how_long_it_gave() {
        on_virtual_clock().block_on(async {
            let deadline = Deadline::after(3 * SECOND);
            let mover = deadline.clone();
            let limited = deadline.limit(async {
                sleep(SECOND).await;
                mover.extend(4 * SECOND);
                pending::<()>().await
            });
            assert_eq!(limited.await.unwrap_err().to_string(), "timed out after 7s");
            assert_eq!(deadline.limit(async { 1 }).await, Ok(1), "a ready future wins");
        });
    }

    #[test]
    fn those_who_went_away_are_not_woken() {
        on_virtual_clock().block_on(async {
            let deadline = Deadline::never();
            let counts: Vec<_> = (0..4).map(|_| Arc::new(Count::default())).collect();
            let mut waiting: Vec<_> = counts
                .iter()
                .map(|count| {
                    let mut wait = Box::pin(deadline.wait());
                    assert!(poll_with(&mut wait, &count.clone().into()).is_pending());
                    wait
                })
                .collect();
            drop(waiting.remove(1));
            // The third is now polled by another.
            assert!(poll_with(&mut waiting[1], &counts[1].clone().into()).is_pending());
            deadline.set_after(Duration::ZERO);
            let woken: Vec<_> = counts.iter().map(|count| count.get()).collect();
            assert_eq!(woken, [1, 1, 0, 1]);
            // Later moves wake nobody: each looks again when its timer fires.
            deadline.set_after(SECOND);
            let waker = Waker::from(counts[0].clone());
            assert!(waiting.iter_mut().all(|wait| poll_with(wait, &waker).is_pending()));
            deadline.extend(SECOND);
            assert_eq!(counts[0].get(), 1);
        });
    }

    /// Threads of no runtime move it about while a task waits for it.
    #[test]
    fn it_can_be_moved_from_any_thread() {
        runtime::block_on(async {
            let (start, deadline) = (Instant::now(), Deadline::after(600 * SECOND));
            std::thread::scope(|threads| {
                let done = Arc::new(AtomicU64::new(0));
                for seed in 0..2_u64 {
                    let (deadline, done) = (deadline.clone(), done.clone());
                    threads.spawn(move || {
                        for step in 0..2_000 {
                            deadline.set_after(Duration::from_secs(300 + (step * 7919 + seed) % 300));
                            deadline.extend(SECOND);
                        }
                        // The last one to be done ends it.
                        if done.fetch_add(1, Ordering::AcqRel) == 1 {
                            deadline.set(start);
                        }
                    });
                }
                futures_lite::future::block_on(async {
                    let mut wait = pin!(deadline.wait());
                    poll_fn(|context| wait.as_mut().poll(context)).await;
                });
            });
            assert!(start.elapsed() < 300 * SECOND);
        });
    }

    #[test]
    fn a_task_parked_in_the_reactor_hears_of_a_move_from_outside() {
        for _ in 0..100 {
            let deadline = Deadline::after(600 * SECOND);
            let mover = deadline.clone();
            let thread = std::thread::spawn(move || mover.set(Instant::now()));
            let start = Instant::now();
            runtime::block_on(async { deadline.wait().await });
            assert!(start.elapsed() < 300 * SECOND);
            thread.join().unwrap();
        }
    }

    /// A waker that panics keeps nobody else from being woken.
    #[test]
    fn a_panicking_waker_stops_no_move() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                std::panic::resume_unwind(Box::new("a foreign waker"));
            }
        }
        let (deadline, count) = (Deadline::never(), Arc::new(Count::default()));
        let (mut first, mut second) = (Box::pin(deadline.wait()), Box::pin(deadline.wait()));
        assert!(poll_with(&mut first, &Arc::new(Panics).into()).is_pending());
        assert!(poll_with(&mut second, &count.clone().into()).is_pending());
        deadline.set(Instant::now());
        assert_eq!(count.get(), 1);
    }
}

mod paused {
    use super::*;

    /// What happened, and when by the clock.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<(u64, &'static str)>>>);

    impl Log {
        fn note(&self, start: Instant, what: &'static str) {
            self.0.lock().unwrap().push((start.elapsed().as_secs(), what));
        }

        fn take(&self) -> Vec<(u64, &'static str)> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    #[test]
    fn an_advance_stops_at_every_deadline_on_its_way() {
        on_virtual_clock().block_on(async {
            virtual_clock::pause();
            let (start, log) = (Instant::now(), Log::default());
            for (seconds, name) in [(3, "late"), (1, "early"), (2, "middle"), (9, "beyond")] {
                let log = log.clone();
                drop(spawn(async move {
                    sleep(seconds * SECOND).await;
                    log.note(start, name);
                    // Armed on the way, and met on the way.
                    sleep(SECOND / 2).await;
                    yield_now().await;
                    log.note(start, name);
                }));
            }
            virtual_clock::advance(3 * SECOND).await;
            assert_eq!(start.elapsed(), 3 * SECOND);
            let expected = [(1, "early"), (1, "early"), (2, "middle"), (2, "middle"), (3, "late")];
            assert_eq!(log.take(), expected);
            virtual_clock::advance(3 * SECOND).await;
            assert_eq!(log.take(), [(3, "late")]);
            assert_eq!(start.elapsed(), 6 * SECOND);
        });
    }

    #[test]
    fn advances_are_over_when_their_own_moment_comes() {
        on_virtual_clock().block_on(async {
            let (start, log) = (Instant::now(), Log::default());
            let tasks = [(4, "four"), (2, "two"), (2, "two again"), (0, "zero")].map(|(seconds, name)| {
                let log = log.clone();
                spawn(async move {
                    virtual_clock::advance(seconds * SECOND).await;
                    log.note(start, name);
                })
            });
            let given_up = spawn(timeout(SECOND, virtual_clock::advance(100 * SECOND)));
            join_all(tasks).await;
            assert_eq!(log.take(), [(0, "zero"), (2, "two"), (2, "two again"), (4, "four")]);
            assert!(given_up.await.unwrap().is_err());
            sleep(SECOND).await;
            assert_eq!(start.elapsed(), 5 * SECOND);
        });
    }

    /// Whoever advances comes last: all that was due has run.
    #[test]
    fn an_advance_of_zero_lets_all_others_run() {
        on_virtual_clock().block_on(async {
            virtual_clock::pause();
            let count = Arc::new(Count::default());
            for _ in 0..5 {
                let count = count.clone();
                drop(spawn(async move {
                    for _ in 0..100 {
                        yield_now().await;
                    }
                    count.0.fetch_add(1, Ordering::Relaxed);
                }));
            }
            virtual_clock::advance(Duration::ZERO).await;
            assert_eq!(count.get(), 5);
        });
    }

    #[test]
    fn what_is_due_at_the_end_of_an_advance_has_run_when_it_returns() {
        on_virtual_clock().block_on(async {
            let advancing = spawn(virtual_clock::advance(SECOND));
            yield_now().await;
            let due = spawn(async {
                sleep(SECOND).await;
                yield_now().await;
            });
            advancing.await.unwrap();
            assert!(due.is_finished());
        });
    }

    #[test]
    #[should_panic(expected = "deadlock: nothing is runnable, the virtual clock is paused (advance it, or resume it)")]
    fn waiting_for_a_timer_while_nobody_moves_the_clock_is_a_deadlock() {
        on_virtual_clock().block_on(async {
            virtual_clock::pause();
            sleep(SECOND).await;
        });
    }

    /// The pause belongs to the runtime's clock, and outlives a `block_on`.
    #[test]
    fn a_blocking_job_can_let_the_clock_run_again() {
        let runtime = on_virtual_clock();
        runtime.block_on(async { virtual_clock::pause() });
        runtime.block_on(async {
            let sleeping = spawn(sleep(3600 * SECOND));
            runtime::spawn_blocking(virtual_clock::resume).await.unwrap();
            sleeping.await.unwrap();
        });
    }

    #[test]
    fn a_job_cannot_wait_for_a_clock_that_waits_for_the_job() {
        on_virtual_clock().block_on(async {
            let job = runtime::spawn_blocking(|| futures_lite::future::block_on(virtual_clock::advance(SECOND)));
            assert!(job.await.is_err());
        });
    }

    #[test]
    #[should_panic(expected = "the clock of this runtime is real")]
    fn a_real_clock_cannot_be_paused() {
        runtime::block_on(async { virtual_clock::pause() });
    }

    #[test]
    #[should_panic(expected = "the clock of this runtime is real")]
    fn a_real_clock_cannot_be_advanced() {
        runtime::block_on(virtual_clock::advance(SECOND));
    }

    #[test]
    #[should_panic(expected = "not inside a runtime: there is no virtual clock here")]
    fn outside_a_runtime_there_is_no_virtual_clock() {
        virtual_clock::resume();
    }
}

/// A hundred timers, twenty microseconds apart: with slack they are served by a few wake-ups, and none fires early.
#[test]
fn with_slack_one_wake_up_serves_many_timers() {
    let slack = Duration::from_millis(50);
    let runtime = Runtime::builder().timer_slack(slack).trace().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let sleeps: Vec<_> = (1..=100)
            .map(|number| {
                spawn(async move {
                    let wait = number * Duration::from_micros(20);
                    sleep_until(start + wait).await;
                    assert!(start.elapsed() >= wait);
                })
            })
            .collect();
        for sleep in sleeps {
            sleep.await.unwrap();
        }
    });
    let parks =
        runtime.trace().events().iter().filter(|event| matches!(event.kind, runtime::trace::Kind::Park { .. })).count();
    assert!(parks <= 2, "{parks} wake-ups for a hundred timers");
}
