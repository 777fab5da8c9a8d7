//! Mistakes around deadlines. (The wheel itself is judged beside its code, against a sorted map.)

use crate::{must_fail, runtimes, within};
use runtime::{
    AsyncFd, Runtime, spawn,
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};
use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    io::{Read, Write},
    os::unix::net::UnixStream,
    pin::Pin,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

// R27 ------------------------------------------------------------------------------------------------------------------

/// Something that calls when a time is over.
trait Alarm: Send + 'static {
    fn arm(&self, after: Duration, call: Box<dyn FnOnce() + Send>);
}

/// While it sleeps for an hour, short waits are asked for from another thread.
fn a_nearer_deadline_ends_the_sleep(alarm: impl Alarm, patience: Duration) {
    alarm.arm(Duration::from_secs(3600), Box::new(|| ()));
    for round in 0..20 {
        let (give, called) = mpsc::channel();
        alarm.arm(Duration::from_millis(1), Box::new(move || give.send(()).unwrap_or(())));
        assert!(called.recv_timeout(patience).is_ok(), "round {round}: slept on");
    }
}

/// R27, tokio #3190: a new and nearer deadline does not interrupt the wait of the driver. R26, tokio #6682, is the same with a
/// smaller window: its model stands beside the timers.
#[test]
fn a_nearer_deadline_that_interrupts_nothing() {
    /// A thread that sleeps until the first deadline that it knows.
    #[derive(Default)]
    struct Thread {
        state: Mutex<State>,
        changed: Condvar,
    }

    #[derive(Default)]
    struct State {
        calls: BTreeMap<(std::time::Instant, usize), Box<dyn FnOnce() + Send>>,
        armed: usize,
        ended: bool,
    }

    impl Thread {
        fn serve(&self) {
            let mut state = self.state.lock().unwrap();
            while !state.ended {
                let now = std::time::Instant::now();
                if let Some(first) = state.calls.first_entry().filter(|first| first.key().0 <= now) {
                    first.remove()();
                    continue;
                }
                let wait = state.calls.first_key_value().map_or(PATIENCE, |((first, _), _)| *first - now);
                state = self.changed.wait_timeout(state, wait).unwrap().0;
            }
        }
    }

    struct Served {
        shared: Arc<Thread>,
        thread: Option<thread::JoinHandle<()>>,
        interrupts: bool,
    }

    impl Served {
        fn new(interrupts: bool) -> Self {
            let shared = Arc::new(Thread::default());
            let serving = shared.clone();
            Self { shared, thread: Some(thread::spawn(move || serving.serve())), interrupts }
        }
    }

    impl Alarm for Served {
        fn arm(&self, after: Duration, call: Box<dyn FnOnce() + Send>) {
            let mut state = self.shared.state.lock().unwrap();
            let deadline = std::time::Instant::now() + after;
            state.armed += 1;
            let number = state.armed;
            state.calls.insert((deadline, number), call);
            // The twin has it right for the first one only: then the thread slept for ever.
            if self.interrupts || number == 1 {
                self.shared.changed.notify_all();
            }
        }
    }

    impl Drop for Served {
        fn drop(&mut self) {
            self.shared.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).ended = true;
            self.shared.changed.notify_all();
            self.thread.take().unwrap().join().unwrap();
        }
    }

    /// A runtime that runs on a thread of its own; each wait is a task from outside.
    struct Outside(runtime::Handle);

    impl Alarm for Outside {
        fn arm(&self, after: Duration, call: Box<dyn FnOnce() + Send>) {
            drop(self.0.spawn(async move {
                sleep(after).await;
                call();
            }));
        }
    }

    a_nearer_deadline_ends_the_sleep(Served::new(true), PATIENCE);
    // Before the thread sleeps until the far deadline, a few may still come in time: that it hears of them is chance.
    must_fail("slept on", || a_nearer_deadline_ends_the_sleep(Served::new(false), Duration::from_millis(200)));

    for runtime in runtimes() {
        let handle = runtime.handle().clone();
        let (stop, stopped) = futures_channel();
        let running = thread::spawn(move || runtime.block_on(stopped));
        a_nearer_deadline_ends_the_sleep(Outside(handle), PATIENCE);
        stop();
        running.join().unwrap();
    }
}

/// What ends a future from another thread, and the future.
fn futures_channel() -> (impl FnOnce(), impl Future<Output = ()>) {
    let event = Arc::new(runtime::sync::Event::new());
    let waiting = event.clone();
    (move || event.set(), async move { waiting.wait().await })
}

// R30 ------------------------------------------------------------------------------------------------------------------

/// Timers whose wakers, woken or dropped, arm the next.
trait Shutdown: Sized {
    /// Arms `timers` such timers, and ends. It may give up after a bounded number of steps.
    fn end_with(self, timers: usize);
}

/// Polls and drops another sleep when it is woken, and when it is dropped.
struct ArmsAgain(Arc<AtomicUsize>);

impl ArmsAgain {
    fn arm(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        if runtime::Handle::try_current().is_some() {
            let next = Box::pin(sleep(Duration::from_secs(60)));
            drop(poll(next, Waker::noop()));
        }
    }
}

impl Wake for ArmsAgain {
    fn wake(self: Arc<Self>) {
        self.arm();
    }
}

impl Drop for ArmsAgain {
    fn drop(&mut self) {
        self.arm();
    }
}

fn poll(mut sleep: Pin<Box<Sleep>>, waker: &Waker) -> Pin<Box<Sleep>> {
    assert!(sleep.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    sleep
}

impl Shutdown for Runtime {
    fn end_with(self, timers: usize) {
        let armed = Arc::new(AtomicUsize::new(0));
        let outliving = self.block_on(async {
            let sleeps = (0..timers).map(|number| {
                let waker = Waker::from(Arc::new(ArmsAgain(armed.clone())));
                poll(Box::pin(sleep(Duration::from_secs(3600 + number as u64))), &waker)
            });
            let mut sleeps: Vec<_> = sleeps.collect();
            let outliving = sleeps.split_off(timers / 2);
            // One half ends with a task that is cancelled at the end, the other outlives the runtime.
            drop(spawn(async move {
                let _sleeps = sleeps;
                std::future::pending::<()>().await;
            }));
            outliving
        });
        drop(self);
        drop(outliving);
        let woken = timers / 2;
        assert_eq!(
            armed.load(Ordering::Relaxed),
            timers + woken,
            "each was dropped; those that outlived the end were woken by it"
        );
    }
}

/// R30, tokio #8570: the end, by turning the wheel to the end of time, while wakers arm new timers.
#[test]
fn timers_that_are_armed_while_the_end_fires_them() {
    /// Fires whatever is there until nothing is.
    struct FiresAll;

    impl Shutdown for FiresAll {
        fn end_with(self, timers: usize) {
            let mut armed = VecDeque::from_iter(0..timers);
            for _ in 0..10 * timers {
                let Some(timer) = armed.pop_front() else { return };
                // Its waker arms it again.
                armed.push_back(timer);
            }
            panic!("the end does not come");
        }
    }

    let timers = if cfg!(miri) { 100 } else { 10_000 };
    must_fail("the end does not come", || FiresAll.end_with(timers));
    for runtime in runtimes() {
        within(PATIENCE, move || runtime.end_with(timers));
    }
}

// R31 ------------------------------------------------------------------------------------------------------------------

/// R31, tokio #3069, #3551 and #8385: a deadline that does not fit. (What zero and the longest duration do is in `time.rs`.)
#[test]
fn a_deadline_beyond_the_end_of_time() {
    fn judge<I>(later: impl Fn(Duration) -> I) {
        for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(u64::MAX), Duration::MAX] {
            later(duration);
        }
    }

    must_fail("overflow", || judge(|duration| std::time::Instant::now() + duration));
    judge(|duration| Instant::now() + duration);

    let runtime = Runtime::builder().virtual_clock().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(start.elapsed(), Duration::from_nanos(1));
        let ends_of_time = [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_nanos(u64::MAX)];
        for endless in ends_of_time.into_iter().flat_map(|wait| [sleep(wait), sleep_until(start + wait)]) {
            assert!(timeout(Duration::from_secs(86_400 * 365), endless).await.is_err());
        }
        // The longest that is not endless.
        let almost = Duration::from_nanos(u64::MAX - 1) - start.elapsed();
        assert!(timeout(Duration::from_secs(1), sleep(almost)).await.is_err());
    });
}

// R48 ------------------------------------------------------------------------------------------------------------------

/// A clock that stands still while anything can happen.
trait Clock {
    /// A reader and a timer of an hour are waited for; the bytes are on their way already. Which comes first?
    fn bytes_come_before_the_hour(&self) -> bool;
}

impl Clock for Runtime {
    fn bytes_come_before_the_hour(&self) -> bool {
        self.block_on(async {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            let ours = AsyncFd::new(ours);
            let start = Instant::now();
            let hour = Duration::from_secs(3600);
            for _ in 0..100 {
                let mut byte = [0];
                let mut read = std::pin::pin!(timeout(hour, ours.read_with(|mut io| io.read(&mut byte))));
                // It waits first, so that only an event can help it.
                assert!(futures_lite::future::poll_once(&mut read).await.is_none());
                (&theirs).write_all(b"x").unwrap();
                if read.await.is_err() {
                    return false;
                }
            }
            start.elapsed() == Duration::ZERO
        })
    }
}

/// R48, tokio #8595: a paused clock advances although the outside has just woken a task.
#[test]
fn a_virtual_clock_that_outruns_the_outside() {
    /// A loop that looks at the clock before it looks outside, or after.
    struct Toy {
        looks_outside_first: bool,
    }

    impl Clock for Toy {
        fn bytes_come_before_the_hour(&self) -> bool {
            let (mut runnable, mut outside, mut hour) = (VecDeque::new(), VecDeque::from(["bytes"]), Some("hour"));
            loop {
                if let Some(first) = runnable.pop_front() {
                    return first == "bytes";
                }
                if self.looks_outside_first {
                    runnable.extend(outside.pop_front());
                }
                if runnable.is_empty() {
                    runnable.extend(hour.take());
                }
                runnable.extend(outside.pop_front());
            }
        }
    }

    fn judge(clock: &impl Clock) {
        assert!(clock.bytes_come_before_the_hour(), "the clock outran the outside");
    }

    judge(&Runtime::builder().virtual_clock().build().unwrap());
    judge(&Toy { looks_outside_first: true });
    must_fail("the clock outran the outside", || judge(&Toy { looks_outside_first: false }));
}

/// R28, tokio #3229 and #8252, from outside: a timer that is dropped leaves nothing in the wheel. (asyncio's `sleep_cancel`.)
#[test]
fn a_sleep_that_was_cancelled_leaves_no_timer() {
    let runtime = Runtime::builder().virtual_clock().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let mut given_up = Box::pin(sleep(Duration::from_secs(5)));
        assert_eq!(given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        drop(given_up);
        sleep(Duration::from_secs(7)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(7));
    });
}
