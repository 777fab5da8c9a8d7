//! Time, real and virtual.

use runtime::{
    Runtime,
    future::join_all,
    spawn,
    time::{Instant, MissedTicks, interval_at, sleep, sleep_until, timeout, timeout_at, wall_clock},
};
use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

fn virtual_clock() -> Runtime {
    Runtime::builder().virtual_clock().build().unwrap()
}

#[test]
fn virtual_sleeps_take_exactly_what_they_say_and_cost_nothing() {
    let real = std::time::Instant::now();
    let elapsed = virtual_clock().block_on(async {
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
    virtual_clock().block_on(async move {
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
    virtual_clock().block_on(async {
        sleep(Duration::ZERO).await;
        assert!(timeout(Duration::from_secs(10), sleep(Duration::MAX)).await.is_err());
        assert_eq!(timeout(Duration::MAX, async { 1 }).await, Ok(1));
        assert_eq!(timeout(Duration::ZERO, async { 1 }).await, Ok(1), "a ready future wins");
        assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
    });
}

#[test]
fn a_dropped_sleep_is_disarmed() {
    let runtime = virtual_clock();
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
    virtual_clock().block_on(async {
        let job = runtime::spawn_blocking(|| std::fs::read_dir("/").unwrap().count());
        assert!(timeout(Duration::from_secs(1), job).await.is_ok(), "time jumped over a job");
    });
}

/// The table in the documentation of `MissedTicks`.
#[test]
fn missed_ticks_follow_their_policy() {
    let ticks_with = |policy| {
        virtual_clock().block_on(async move {
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
    virtual_clock().block_on(async {
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
    virtual_clock().block_on(async {
        sleep(Duration::from_secs(5)).await;
        let since = wall_clock().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::from_secs(1_000_000_005));
    });
}

#[test]
#[should_panic(expected = "deadlock: nothing is runnable, no timer is armed and no source is waited for")]
fn a_deadlock_is_reported() {
    virtual_clock().block_on(async {
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
    virtual_clock().block_on(async {
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
    virtual_clock().block_on(async {
        let panics = std::task::Waker::from(Arc::new(Panics));
        let mut early = std::pin::pin!(sleep(Duration::from_secs(1)));
        assert!(early.as_mut().poll(&mut std::task::Context::from_waker(&panics)).is_pending());
        sleep(Duration::from_secs(2)).await;
    });
}
