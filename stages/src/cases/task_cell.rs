//! What a task cell must do, on a queue of its own: no runtime, and no threads but those of a case.
//!
//! Each case makes what it needs with `make`, so that it can be run on any cell: the stage, the one in `runtime`, a reader's,
//! and broken ones, on which it must fail. Written for the sanitizers and Miri as much as for the assertions.

use std::{
    future::{Future, pending, poll_fn},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// A queue, and the tasks spawned on it. A clone is the same queue.
pub trait Tasks: Clone + Send + Sync + 'static {
    /// Waits for a task. Dropping it detaches the task.
    type Handle<T: Send + 'static>: Handle<T> + 'static;

    /// Makes a task and queues it.
    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Runs what is queued, first in, first out, until nothing is; at most `most` polls. Gives their number.
    fn run(&self, most: usize) -> usize;

    /// How many tasks are queued.
    fn queued(&self) -> usize;

    /// How many cells have not been freed.
    fn cells(&self) -> usize;
}

/// The spawner's side of a task.
pub trait Handle<T>: Send {
    /// The output, or `waker` is woken for it.
    fn poll(&mut self, waker: &Waker) -> Poll<Result<T, Ended>>;

    /// Is the task over, its future dropped?
    fn is_finished(&self) -> bool;

    /// What aborts the task, to be kept elsewhere.
    fn abort_handle(&self) -> Box<dyn Fn() + Send>;
}

/// Why a task has no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was aborted.
    Cancelled,
    /// It panicked, with this text.
    Panicked(String),
}

/// Makes a test of each case: `cases::task_cell::test_all!(MyTasks::default);`.
#[macro_export]
macro_rules! task_cell_cases {
    ($make:expr) => {
        $crate::task_cell_cases!($make;
            every_combination_drops_everything_once,
            two_tasks_that_await_each_other_are_freed,
            a_wake_during_the_poll_runs_the_task_again_once,
            a_task_is_queued_once_however_often_it_is_woken,
            a_late_wake_finds_nothing_to_do,
            a_task_may_spawn_and_wake_while_it_is_polled,
            an_abort_from_another_thread_drops_the_future_where_the_task_runs,
            an_aborted_task_lets_go_of_its_future,
            the_join_waker_is_the_latest_one,
            a_dropped_handle_lets_go_of_its_waker,
            a_join_waker_may_call_back,
            a_join_waker_that_panics_ends_nothing_but_itself,
            no_wake_from_another_thread_is_lost,
        );
    };
    ($make:expr; $($case:ident),+ $(,)?) => {
        $(#[test]
        fn $case() {
            $crate::cases::task_cell::$case($make);
        })+
    };
}
pub use task_cell_cases as test_all;

/// Counts its drops; panics in them if told to.
struct Tracked {
    drops: Arc<AtomicUsize>,
    panic: bool,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        if self.panic && !thread::panicking() {
            panic!("in a drop");
        }
    }
}

/// A future that holds something until it is dropped: an `async` block would let go of it when it returns.
struct Holding<F> {
    future: Pin<Box<F>>,
    _held: Tracked,
}

impl<F: Future> Future for Holding<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().poll(context)
    }
}

/// What a waker does when it is woken, and when it is dropped.
struct Calls<W: Fn() + Send + Sync, D: Fn() + Send + Sync> {
    woken: W,
    dropped: D,
}

impl<W: Fn() + Send + Sync, D: Fn() + Send + Sync> Wake for Calls<W, D> {
    fn wake(self: Arc<Self>) {
        (self.woken)();
    }
}

impl<W: Fn() + Send + Sync, D: Fn() + Send + Sync> Drop for Calls<W, D> {
    fn drop(&mut self) {
        (self.dropped)();
    }
}

/// Waits once: wakes itself, and is ready at its second poll.
async fn one_wait() {
    let mut waited = false;
    poll_fn(move |context| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Handled {
    DroppedFirst,
    Kept,
    Polled,
    DroppedAfterPoll,
    DroppedWhenOver,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Abort {
    Never,
    BeforeTheFirstPoll,
    WhileItWaits,
    WhenOver,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Panics {
    Nowhere,
    InPoll,
    InTheDropOfTheFuture,
    InTheDropOfTheOutput,
}

/// {handle} x {abort} x {panic}: future and output are each dropped exactly once, and nothing unwinds into the queue
/// (tokio #3964, #4412, #4724 were cells of this matrix).
pub fn every_combination_drops_everything_once<T: Tasks>(make: impl Fn() -> T) {
    use Abort::*;
    use Handled::*;
    for handled in [DroppedFirst, Kept, Polled, DroppedAfterPoll, DroppedWhenOver] {
        for abort in [Never, BeforeTheFirstPoll, WhileItWaits, WhenOver] {
            for panics in [Panics::Nowhere, Panics::InPoll, Panics::InTheDropOfTheFuture, Panics::InTheDropOfTheOutput]
            {
                let case = format!("{handled:?}, abort {abort:?}, panic {panics:?}");
                one_combination(&make(), handled, abort, panics, &case);
            }
        }
    }
}

fn one_combination<T: Tasks>(tasks: &T, handled: Handled, abort: Abort, panics: Panics, case: &str) {
    let (future_drops, output_drops) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let in_future = Tracked { drops: future_drops.clone(), panic: panics == Panics::InTheDropOfTheFuture };
    let (in_output, panics_there) = (output_drops.clone(), panics == Panics::InTheDropOfTheOutput);
    let made_output = Arc::new(AtomicUsize::new(0));
    let made = made_output.clone();
    let body = async move {
        one_wait().await;
        if panics == Panics::InPoll {
            panic!("in a poll");
        }
        made.fetch_add(1, Ordering::Relaxed);
        Tracked { drops: in_output, panic: panics_there }
    };
    let mut handle = Some(tasks.spawn(Holding { future: Box::pin(body), _held: in_future }));
    let abort_it = handle.as_ref().unwrap().abort_handle();
    if abort == Abort::BeforeTheFirstPoll {
        abort_it();
    }
    if matches!(handled, Handled::Polled | Handled::DroppedAfterPoll) {
        assert!(handle.as_mut().unwrap().poll(Waker::noop()).is_pending(), "{case}");
    }
    if matches!(handled, Handled::DroppedFirst | Handled::DroppedAfterPoll) {
        drop(handle.take());
    }
    tasks.run(1);
    if abort == Abort::WhileItWaits {
        abort_it();
    }
    assert!(tasks.run(10) < 10, "{case}: it never ends");
    if abort == Abort::WhenOver {
        abort_it();
    }
    assert_eq!(tasks.queued(), 0, "{case}: queued after its end");
    assert_eq!(future_drops.load(Ordering::Relaxed), 1, "{case}: drops of the future");

    if handled == Handled::DroppedWhenOver {
        drop(handle.take());
    }
    if let Some(mut handle) = handle {
        assert!(handle.is_finished(), "{case}");
        let Poll::Ready(result) = handle.poll(Waker::noop()) else { panic!("{case}: over, and the handle waits") };
        let cancelled = matches!(abort, Abort::BeforeTheFirstPoll | Abort::WhileItWaits);
        match &result {
            Ok(_) => assert!(!cancelled, "{case}"),
            Err(Ended::Cancelled) => assert!(cancelled, "{case}"),
            Err(Ended::Panicked(text)) => assert!(text.starts_with("in a "), "{case}: {text}"),
        }
        // The output is the case's now, and may panic in its drop.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
    }
    drop(abort_it);
    let (dropped, made) = (output_drops.load(Ordering::Relaxed), made_output.load(Ordering::Relaxed));
    assert_eq!(dropped, made, "{case}: drops of the output");
    assert_eq!(tasks.cells(), 0, "{case}: the cell was leaked");
}

/// tokio #4724: two tasks that await each other's handles, both aborted, kept each other alive.
pub fn two_tasks_that_await_each_other_are_freed<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let drops = Arc::new(AtomicUsize::new(0));
    let slots = [0, 1].map(|_| Arc::new(Mutex::new(None::<T::Handle<()>>)));
    let handles: Vec<_> = (0..2)
        .map(|index| {
            let (slot, held) = (slots[index].clone(), Tracked { drops: drops.clone(), panic: false });
            tasks.spawn(async move {
                let _held = &held;
                let mut other = slot.lock().unwrap().take().expect("filled before the run");
                let _ = poll_fn(|context| other.poll(context.waker())).await;
            })
        })
        .collect();
    let aborts: Vec<_> = handles.iter().map(Handle::abort_handle).collect();
    for (slot, handle) in slots.iter().zip(handles.into_iter().rev()) {
        *slot.lock().unwrap() = Some(handle);
    }
    assert!(tasks.run(10) < 10);
    assert_eq!(drops.load(Ordering::Relaxed), 0, "each waits for the other");
    aborts.iter().for_each(|abort| abort());
    assert!(tasks.run(10) < 10);
    assert_eq!(drops.load(Ordering::Relaxed), 2, "the futures are gone");
    assert_eq!(tasks.cells(), 2, "the cells live on in the abort handles alone");
    drop(aborts);
    assert_eq!(tasks.cells(), 0, "a cell was leaked");
}

/// However often: the wakes of one poll are one more poll.
pub fn a_wake_during_the_poll_runs_the_task_again_once<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let mut polls = 0;
    let handle = tasks.spawn(poll_fn(move |context| {
        polls += 1;
        if polls == 1 {
            (0..5).for_each(|_| context.waker().wake_by_ref());
            return Poll::Pending;
        }
        Poll::Ready(polls)
    }));
    assert_eq!(tasks.run(10), 2);
    assert!(handle.is_finished());
}

/// blog_os queued a task as often as it was woken, in a queue of a hundred places (bug T-g).
pub fn a_task_is_queued_once_however_often_it_is_woken<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let (waker, polls) = (Arc::new(Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
    let (stored, counted) = (waker.clone(), polls.clone());
    let handle = tasks.spawn(poll_fn(move |context| {
        *stored.lock().unwrap() = Some(context.waker().clone());
        counted.fetch_add(1, Ordering::Relaxed);
        Poll::<()>::Pending
    }));
    tasks.run(1);
    let waker: Waker = waker.lock().unwrap().take().unwrap();
    (0..101).for_each(|_| waker.wake_by_ref());
    assert_eq!(tasks.queued(), 1);
    assert_eq!(tasks.run(200), 1);
    assert_eq!(polls.load(Ordering::Relaxed), 2);
    handle.abort_handle()();
    tasks.run(1);
}

/// mini-tokio kept the future and dropped its result: a wake after the end polled it again (bug T-a). wg-async's executor
/// had no word for "completed" in the transition after a poll (bug T-b).
pub fn a_late_wake_finds_nothing_to_do<T: Tasks>(make: impl Fn() -> T) {
    // Woken when it is over; and woken while it is polled for the last time as well. Both are legal, and nothing.
    for wakes_itself in [false, true] {
        let tasks = make();
        let stored = Arc::new(Mutex::new(None));
        let task_stored = stored.clone();
        let mut handle = tasks.spawn(poll_fn(move |context| {
            *task_stored.lock().unwrap() = Some(context.waker().clone());
            if wakes_itself {
                context.waker().wake_by_ref();
            }
            Poll::Ready(())
        }));
        assert_eq!(tasks.run(10), 1);
        stored.lock().unwrap().take().unwrap().wake();
        assert_eq!(tasks.run(10), 0, "polled after its end");
        assert_eq!(handle.poll(Waker::noop()), Poll::Ready(Ok(())));
    }
}

/// No lock is held while a task is polled: it may use the queue that it runs from (bug T-c).
pub fn a_task_may_spawn_and_wake_while_it_is_polled<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let inner = tasks.clone();
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let stored = waker.clone();
    let mut first_poll = true;
    let mut sleeper = tasks.spawn(poll_fn(move |context| {
        if mem::replace(&mut first_poll, false) {
            *stored.lock().unwrap() = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }));
    let mut busy = tasks.spawn(async move {
        let mut child = inner.spawn(async { 3 });
        assert!(child.poll(Waker::noop()).is_pending());
        waker.lock().unwrap().take().expect("the sleeper ran first").wake();
        one_wait().await;
        inner.queued()
    });
    assert_eq!(tasks.run(100), 5, "sleeper, busy, child, sleeper, busy");
    assert_eq!(sleeper.poll(Waker::noop()), Poll::Ready(Ok(())));
    assert_eq!(busy.poll(Waker::noop()), Poll::Ready(Ok(0)));
}

/// tokio #3929 (RUSTSEC-2021-0072): `abort` dropped the future on the thread that called it.
pub fn an_abort_from_another_thread_drops_the_future_where_the_task_runs<T: Tasks>(make: impl Fn() -> T) {
    struct SaysWhere(Arc<Mutex<Vec<thread::ThreadId>>>);
    impl Drop for SaysWhere {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(thread::current().id());
        }
    }
    for first_runs in [0, 1] {
        let tasks = make();
        let dropped_on = Arc::new(Mutex::new(Vec::new()));
        let held = SaysWhere(dropped_on.clone());
        let handle = tasks.spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        tasks.run(first_runs);
        let abort = handle.abort_handle();
        thread::spawn(move || {
            abort();
            drop(handle);
        })
        .join()
        .unwrap();
        assert_eq!(*dropped_on.lock().unwrap(), [], "an abort only asks");
        tasks.run(10);
        assert_eq!(*dropped_on.lock().unwrap(), [thread::current().id()]);
    }
}

/// tokio #3964: an abort, and then the handle dropped at once, and the future was never dropped.
pub fn an_aborted_task_lets_go_of_its_future<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let drops = Arc::new(AtomicUsize::new(0));
    let held = Tracked { drops: drops.clone(), panic: false };
    // Somebody may wake it some day: so the cell lives on. The future must not.
    let waker = Arc::new(Mutex::new(None));
    let stored = waker.clone();
    let handle = tasks.spawn(async move {
        let _held = &held;
        poll_fn(|context| {
            *stored.lock().unwrap() = Some(context.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    });
    assert_eq!(tasks.run(10), 1);
    let abort = handle.abort_handle();
    abort();
    drop((handle, abort));
    assert_eq!(tasks.run(10), 1);
    assert_eq!(drops.load(Ordering::Relaxed), 1, "the future is gone");
    assert_eq!(tasks.cells(), 1, "the waker holds the cell");
    drop(waker.lock().unwrap().take());
    assert_eq!(tasks.cells(), 0, "and nobody else does");
}

/// A handle may be polled by one task after another: the last one is woken, and no waker is kept.
pub fn the_join_waker_is_the_latest_one<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let mut handle = tasks.spawn(async {});
    let wakes = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
    let wakers = wakes.clone().map(|wakes| {
        let woken = move || {
            wakes.fetch_add(1, Ordering::Relaxed);
        };
        Arc::new(Calls { woken, dropped: || () })
    });
    for index in [0, 1, 1] {
        assert!(handle.poll(&Waker::from(wakers[index].clone())).is_pending());
    }
    tasks.run(1);
    assert_eq!(wakes.map(|wakes| wakes.load(Ordering::Relaxed)), [0, 1]);
    assert_eq!(wakers.map(|waker| Arc::strong_count(&waker)), [1, 1], "a waker was kept");
}

/// A handle that is dropped takes its waker along: the one who waited is not kept by what it waited for.
pub fn a_dropped_handle_lets_go_of_its_waker<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let mut handle = tasks.spawn(pending::<()>());
    tasks.run(1);
    let waker = Arc::new(Calls { woken: || (), dropped: || () });
    assert!(handle.poll(&Waker::from(waker.clone())).is_pending());
    let abort = handle.abort_handle();
    drop(handle);
    assert_eq!(Arc::strong_count(&waker), 1, "a waker was kept");
    abort();
    tasks.run(1);
}

/// A foreign waker runs any code when it is woken and when it is dropped: also such as uses the very task that holds it (nine
/// fixes in tokio, from #5429 to #8618, were locks held meanwhile).
pub fn a_join_waker_may_call_back<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let calls = Arc::new(AtomicUsize::new(0));
    let mut handle = tasks.spawn(async { 7 });
    let calling = || {
        let (tasks, abort, calls) = (tasks.clone(), Mutex::new(handle.abort_handle()), calls.clone());
        move || {
            drop(tasks.spawn(async {}));
            abort.lock().unwrap()();
            calls.fetch_add(1, Ordering::Relaxed);
        }
    };
    let [replaced, stays] = [0, 1].map(|_| Waker::from(Arc::new(Calls { woken: calling(), dropped: || () })));
    let drops_back = Waker::from(Arc::new(Calls { woken: || (), dropped: calling() }));
    assert!(handle.poll(&drops_back).is_pending());
    drop(drops_back);
    // Replaced, it is dropped: and calls back. That aborts the task.
    assert!(handle.poll(&replaced).is_pending());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(handle.poll(&stays).is_pending());
    assert!(tasks.run(100) < 100);
    assert_eq!(calls.load(Ordering::Relaxed), 2, "one dropped, one woken");
    assert_eq!(handle.poll(Waker::noop()), Poll::Ready(Err(Ended::Cancelled)));
    drop((handle, replaced, stays));
    assert!(tasks.run(100) < 100);
    assert_eq!(tasks.cells(), 0);
}

/// The panic of a foreign waker stays with its task.
pub fn a_join_waker_that_panics_ends_nothing_but_itself<T: Tasks>(make: impl Fn() -> T) {
    let tasks = make();
    let mut handle = tasks.spawn(async { 7 });
    let mut other = tasks.spawn(async { 8 });
    let woken = || std::panic::resume_unwind(Box::new("a foreign waker"));
    assert!(handle.poll(&Waker::from(Arc::new(Calls { woken, dropped: || () }))).is_pending());
    assert_eq!(tasks.run(10), 2);
    assert_eq!(handle.poll(Waker::noop()), Poll::Ready(Ok(7)));
    assert_eq!(other.poll(Waker::noop()), Poll::Ready(Ok(8)));
}

/// What was written before a wake is seen by a poll that follows it, whatever the task was doing.
pub fn no_wake_from_another_thread_is_lost<T: Tasks>(make: impl Fn() -> T) {
    let rounds = if cfg!(miri) { 20 } else { 2_000 };
    let tasks = make();
    let (brought, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let (seen, noted, stored) = (brought.clone(), taken.clone(), waker.clone());
    let handle = tasks.spawn(poll_fn(move |context| {
        stored.lock().unwrap().get_or_insert_with(|| context.waker().clone());
        let now = seen.load(Ordering::Relaxed);
        noted.store(now, Ordering::Relaxed);
        if now == rounds { Poll::Ready(()) } else { Poll::Pending }
    }));
    tasks.run(1);
    let waker = waker.lock().unwrap().take().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds {
                brought.store(round, Ordering::Relaxed);
                waker.wake_by_ref();
                // A wake too many now and then, while it is polled.
                (0..round % 3).for_each(|_| waker.wake_by_ref());
            }
        });
        while brought.load(Ordering::Relaxed) < rounds {
            tasks.run(10);
            thread::yield_now();
        }
    });
    // Every wake has been: what they left in the queue must be enough.
    assert!(tasks.run(10) < 10);
    assert_eq!(taken.load(Ordering::Relaxed), rounds, "the last wake was lost");
    assert!(handle.is_finished());
}
