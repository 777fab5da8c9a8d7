//! The cell under every combination of what can happen to it, on a queue of its own: no runtime, no threads but those of the
//! test. Written for the sanitizers and Miri as much as for the assertions.

use super::*;
use std::{
    collections::VecDeque,
    future::{pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// A scheduler that only collects.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Task>>>);

impl Schedule for Queue {
    fn schedule(&self, task: Task) {
        self.0.lock().unwrap().push_back(task);
    }
}

impl Queue {
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let birth = Birth { id: TaskId(1), name: None, place: std::panic::Location::caller() };
        let (task, handle) = new(birth, self.clone(), future);
        self.schedule(task);
        handle
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Runs what is queued until nothing is, at most `most` polls. Gives the number of polls.
    fn run(&self, most: usize) -> usize {
        for polls in 0..most {
            let Some(task) = self.0.lock().unwrap().pop_front() else { return polls };
            if let Ran::Again(again) = task.run() {
                self.schedule(again);
            }
        }
        most
    }
}

/// Counts its drops; panics in them if told to.
struct Tracked {
    drops: Arc<AtomicUsize>,
    panic: bool,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        if self.panic && !std::thread::panicking() {
            panic!("in a drop");
        }
    }
}

/// A future that holds something until it is dropped: an `async` block would let go of it when it returns.
struct Holding<F> {
    future: F,
    _held: Tracked,
}

impl<F: Future> Holding<F> {
    fn new(held: Tracked, future: F) -> Holding<Pin<Box<F>>> {
        Holding { future: Box::pin(future), _held: held }
    }
}

impl<F: Future + Unpin> Future for Holding<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut self.future).poll(context)
    }
}

fn poll<T>(handle: &mut JoinHandle<T>) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Handled {
    DroppedFirst,
    Kept,
    Polled,
    DroppedAfterPoll,
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

/// {handle} x {abort} x {panic}: future and output are each dropped exactly once, and nothing unwinds into the scheduler
/// (tokio #3964, #4412, #4724 were cells of this matrix).
#[test]
fn every_combination_drops_everything_once() {
    use Abort::*;
    for handled in [Handled::DroppedFirst, Handled::Kept, Handled::Polled, Handled::DroppedAfterPoll] {
        for abort in [Never, BeforeTheFirstPoll, WhileItWaits, WhenOver] {
            for panics in [Panics::Nowhere, Panics::InPoll, Panics::InTheDropOfTheFuture, Panics::InTheDropOfTheOutput]
            {
                let case = format!("{handled:?}, abort {abort:?}, panic {panics:?}");
                one_combination(handled, abort, panics, &case);
            }
        }
    }
}

fn one_combination(handled: Handled, abort: Abort, panics: Panics, case: &str) {
    let queue = Queue::default();
    let (future_drops, output_drops) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let in_future = Tracked { drops: future_drops.clone(), panic: panics == Panics::InTheDropOfTheFuture };
    let output = (output_drops.clone(), panics == Panics::InTheDropOfTheOutput);
    let made_output = Arc::new(AtomicUsize::new(0));
    let made = made_output.clone();
    let mut waited = false;
    let mut handle = Some(queue.spawn(Holding::new(in_future, async move {
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        if panics == Panics::InPoll {
            panic!("in a poll");
        }
        made.fetch_add(1, Ordering::Relaxed);
        Tracked { drops: output.0, panic: output.1 }
    })));
    let aborting = handle.as_ref().unwrap().abort_handle();
    if abort == Abort::BeforeTheFirstPoll {
        aborting.abort();
    }
    match handled {
        Handled::DroppedFirst => drop(handle.take()),
        Handled::Polled | Handled::DroppedAfterPoll => assert!(poll(handle.as_mut().unwrap()).is_pending()),
        Handled::Kept => {}
    }
    if handled == Handled::DroppedAfterPoll {
        drop(handle.take());
    }
    queue.run(1);
    if abort == Abort::WhileItWaits {
        aborting.abort();
    }
    assert!(queue.run(10) < 10, "{case}: it never ends");
    if abort == Abort::WhenOver {
        aborting.abort();
    }
    assert!(aborting.is_finished(), "{case}");
    assert_eq!(queue.len(), 0, "{case}: queued after its end");

    if let Some(mut handle) = handle {
        let result = poll(&mut handle);
        let cancelled = matches!(abort, Abort::BeforeTheFirstPoll | Abort::WhileItWaits);
        match &result {
            Poll::Pending => panic!("{case}: over, and the handle waits"),
            Poll::Ready(Ok(_)) => assert!(!cancelled, "{case}"),
            Poll::Ready(Err(JoinError::Cancelled)) => assert!(cancelled, "{case}"),
            Poll::Ready(Err(error @ JoinError::Panicked(_))) => {
                assert!(error.panic_message().unwrap().starts_with("in a "), "{case}");
            }
        }
        // The output is the test's now, and may panic in its drop.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
    }
    drop(aborting);
    assert_eq!(future_drops.load(Ordering::Relaxed), 1, "{case}: drops of the future");
    assert_eq!(
        output_drops.load(Ordering::Relaxed),
        made_output.load(Ordering::Relaxed),
        "{case}: drops of the output"
    );
}

/// tokio #4724: two tasks that await each other's handles, both aborted, kept each other alive.
#[test]
fn two_tasks_that_await_each_other_are_freed() {
    let queue = Queue::default();
    let drops = Arc::new(AtomicUsize::new(0));
    let slots: [Arc<Mutex<Option<JoinHandle<()>>>>; 2] = Default::default();
    let handles: Vec<_> = (0..2)
        .map(|index| {
            let (slot, held) = (slots[index].clone(), Tracked { drops: drops.clone(), panic: false });
            queue.spawn(async move {
                let _held = &held;
                let mut other = slot.lock().unwrap().take().expect("filled before the run");
                let _ = (&mut other).await;
            })
        })
        .collect();
    let aborts: Vec<_> = handles.iter().map(JoinHandle::abort_handle).collect();
    for (slot, handle) in slots.iter().zip(handles.into_iter().rev()) {
        *slot.lock().unwrap() = Some(handle);
    }
    queue.run(10);
    assert_eq!(drops.load(Ordering::Relaxed), 0, "each waits for the other");
    aborts.iter().for_each(AbortHandle::abort);
    queue.run(10);
    assert_eq!(drops.load(Ordering::Relaxed), 2);
    assert_eq!(Arc::strong_count(&queue.0), 1 + 2, "the cells live on in the abort handles alone");
    drop(aborts);
    assert_eq!(Arc::strong_count(&queue.0), 1, "a cell was leaked");
}

#[test]
fn a_wake_during_the_poll_runs_the_task_again_once() {
    let queue = Queue::default();
    let mut polls = 0;
    let handle = queue.spawn(poll_fn(move |context| {
        polls += 1;
        if polls == 1 {
            // However often: it is queued once.
            (0..5).for_each(|_| context.waker().wake_by_ref());
            return Poll::Pending;
        }
        Poll::Ready(polls)
    }));
    assert_eq!(queue.run(10), 2);
    assert!(handle.is_finished());
}

/// mini-tokio kept the future and dropped its result: a wake after the end polled it again (bug T-a).
#[test]
fn a_late_wake_finds_nothing_to_do() {
    let queue = Queue::default();
    let stored = Arc::new(Mutex::new(None));
    let task_stored = stored.clone();
    drop(queue.spawn(poll_fn(move |context| {
        *task_stored.lock().unwrap() = Some(context.waker().clone());
        Poll::Ready(())
    })));
    assert_eq!(queue.run(10), 1);
    stored.lock().unwrap().take().unwrap().wake();
    assert_eq!(queue.run(10), 0);
}

#[test]
fn the_join_waker_is_the_latest_one() {
    struct Flag(AtomicUsize);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let queue = Queue::default();
    let mut handle = queue.spawn(async {});
    let [first, second] = [0, 1].map(|_| Arc::new(Flag(AtomicUsize::new(0))));
    for flag in [&first, &second, &second] {
        let waker = Waker::from(flag.clone());
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    queue.run(1);
    assert_eq!(first.0.load(Ordering::Relaxed), 0);
    assert_eq!(second.0.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::strong_count(&second), 1, "the waker is not kept");
}

#[test]
fn a_task_that_waits_for_nothing_is_freed_with_its_last_reference() {
    let queue = Queue::default();
    let drops = Arc::new(AtomicUsize::new(0));
    let held = Tracked { drops: drops.clone(), panic: false };
    let handle = queue.spawn(async move {
        let _held = &held;
        pending::<()>().await;
    });
    queue.run(1);
    handle.abort();
    queue.run(1);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}
