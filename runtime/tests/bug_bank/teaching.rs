//! Mistakes of published teaching executors. Each twin is the executor that made one, cut to its bones; the test is run on it
//! and on ours.

use crate::{Boxed, Executor, Ours, must_fail, noted, runtimes};
use stages::task_cell::{JoinHandle, Queue as Stage};
use std::{
    collections::VecDeque,
    future::poll_fn,
    mem,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
};

/// The first task cell, with the first loop.
impl Executor for Stage {
    fn run(&self, tasks: Vec<Boxed>, done: &dyn Fn() -> bool) {
        let handles: Vec<_> = tasks.into_iter().map(|task| self.spawn(task)).collect();
        while !done() && self.run_one() {}
        handles.iter().for_each(JoinHandle::abort);
        while self.run_one() {}
    }
}

fn on_every_right_one(test: impl Fn(&dyn Executor)) {
    test(&Stage::default());
    runtimes().into_iter().for_each(|runtime| test(&Ours(runtime)));
}

/// Gives way `times` times.
async fn yields(times: usize) {
    for _ in 0..times {
        runtime::yield_now().await;
    }
}

// T-d ------------------------------------------------------------------------------------------------------------------

/// A waker is used after its executor has returned.
fn a_waker_outlives_its_executor(executor: &dyn Executor) {
    let (waker, done) = (Arc::new(Mutex::new(None::<Waker>)), Arc::new(AtomicBool::new(false)));
    let (stored, set) = (waker.clone(), done.clone());
    let task = poll_fn(move |context| {
        *stored.lock().unwrap() = Some(context.waker().clone());
        set.store(true, Ordering::Relaxed);
        Poll::Ready(())
    });
    executor.run(vec![Box::pin(task)], &|| done.load(Ordering::Relaxed));
    let late = waker.lock().unwrap().take().unwrap();
    let another = late.clone();
    late.wake();
    another.wake_by_ref();
}

/// T-d, extreme: the data pointer of the `RawWaker` is the address of a local variable of the executor. Here the stack is a
/// list of frames that knows which are gone, so that the use of one that is gone is seen without undefined behaviour.
#[test]
fn a_waker_that_points_into_the_stack() {
    struct Frames(Mutex<Vec<bool>>);
    struct PointsAt(Arc<Frames>, usize);

    impl Wake for PointsAt {
        fn wake(self: Arc<Self>) {
            let live = self.0.0.lock().unwrap()[self.1];
            assert!(live, "use after return");
        }
    }

    impl Executor for Frames {
        fn run(&self, tasks: Vec<Boxed>, _: &dyn Fn() -> bool) {
            let frames = Arc::new(Frames(Mutex::new(vec![true])));
            let waker = Waker::from(Arc::new(PointsAt(frames.clone(), 0)));
            for mut task in tasks {
                while task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {}
            }
            frames.0.lock().unwrap()[0] = false;
        }
    }

    on_every_right_one(a_waker_outlives_its_executor);
    must_fail("use after return", || a_waker_outlives_its_executor(&Frames(Mutex::default())));
}

// T-e ------------------------------------------------------------------------------------------------------------------

/// The waker carries the load: who is not woken is not polled.
fn who_is_not_woken_is_not_polled(executor: &dyn Executor) {
    let (polls, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counted, set) = (polls.clone(), done.clone());
    let waits = poll_fn(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    });
    let busy = async move {
        yields(100).await;
        set.store(true, Ordering::Relaxed);
    };
    executor.run(vec![Box::pin(waits), Box::pin(busy)], &|| done.load(Ordering::Relaxed));
    assert!(done.load(Ordering::Relaxed));
    assert!(polls.load(Ordering::Relaxed) <= 1, "polled without being woken");
}

/// T-e, whorl: its loop polls whatever there is, so it runs as well with a waker that does nothing.
#[test]
fn an_executor_that_needs_no_waker() {
    struct PollsAll;

    impl Executor for PollsAll {
        fn run(&self, mut tasks: Vec<Boxed>, done: &dyn Fn() -> bool) {
            while !done() {
                tasks.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
        }
    }

    on_every_right_one(who_is_not_woken_is_not_polled);
    must_fail("polled without being woken", || who_is_not_woken_is_not_polled(&PollsAll));
}

// T-f ------------------------------------------------------------------------------------------------------------------

/// One poll wakes more tasks than any bounded queue of wakes has room for.
fn one_poll_wakes_a_thousand(executor: &dyn Executor) {
    const SLEEPERS: usize = 1_000;
    let (woken, waiting) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let mut tasks: Vec<Boxed> = Vec::new();
    for _ in 0..SLEEPERS {
        let (woken, waiting, mut waited) = (woken.clone(), waiting.clone(), false);
        tasks.push(Box::pin(poll_fn(move |context| {
            if mem::replace(&mut waited, true) {
                woken.fetch_add(1, Ordering::Relaxed);
                return Poll::Ready(());
            }
            waiting.lock().unwrap().push(context.waker().clone());
            Poll::Pending
        })));
    }
    tasks.push(Box::pin(async move {
        while waiting.lock().unwrap().len() < SLEEPERS {
            runtime::yield_now().await;
        }
        let all = mem::take(&mut *waiting.lock().unwrap());
        all.into_iter().for_each(Waker::wake);
    }));
    executor.run(tasks, &|| woken.load(Ordering::Relaxed) == SLEEPERS);
    assert_eq!(woken.load(Ordering::Relaxed), SLEEPERS, "woken, and never run");
}

/// T-f, async-book: until PR #189 its `wake` blocked in `sync_channel.send`, on the very thread that empties the channel;
/// since then it panics when the channel is full.
#[test]
fn a_wake_that_blocks_on_a_full_queue() {
    const ROOM: usize = 100;

    struct Channel;
    struct Task(Mutex<Option<Boxed>>, mpsc::SyncSender<Arc<Task>>);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            let sent = self.1.try_send(self.clone());
            assert!(sent.is_ok(), "full: `send` would wait for ever, for this thread is the one that receives");
        }
    }

    impl Executor for Channel {
        fn run(&self, tasks: Vec<Boxed>, done: &dyn Fn() -> bool) {
            let (sender, receiver) = mpsc::sync_channel(ROOM);
            for task in tasks {
                let task = Arc::new(Task(Mutex::new(Some(task)), sender.clone()));
                poll_one(&task);
            }
            while !done() {
                let Ok(task) = receiver.try_recv() else { return };
                poll_one(&task);
            }
        }
    }

    fn poll_one(task: &Arc<Task>) {
        let waker = Waker::from(task.clone());
        let mut future = task.0.lock().unwrap().take();
        let polled = future.as_mut().map(|future| future.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_some_and(|polled| polled.is_pending()) {
            *task.0.lock().unwrap() = future;
        }
    }

    on_every_right_one(one_poll_wakes_a_thousand);
    must_fail("would wait for ever", || one_poll_wakes_a_thousand(&Channel));
}

// T-h ------------------------------------------------------------------------------------------------------------------

/// A task that wakes itself in each poll, and another that wants its turn.
fn a_task_that_wakes_itself_leaves_room_for_others(executor: &dyn Executor) {
    let done = Arc::new(AtomicBool::new(false));
    let other = noted(async { yields(10).await }, &done);
    let greedy = poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    });
    executor.run(vec![other, Box::pin(greedy)], &|| done.load(Ordering::Relaxed));
    assert!(done.load(Ordering::Relaxed), "starved");
}

/// T-h, Packt's executor: the ready queue is a `Vec` and its next task the last one.
#[test]
fn a_ready_queue_that_takes_the_last() {
    on_every_right_one(a_task_that_wakes_itself_leaves_room_for_others);
    must_fail("starved", || a_task_that_wakes_itself_leaves_room_for_others(&Toy::new(VecDeque::pop_back)));
    // The same toy, first in, first out, is right.
    a_task_that_wakes_itself_leaves_room_for_others(&Toy::new(VecDeque::pop_front));
}

/// An executor as small as can be, for mistakes that are a matter of the order: `next` takes the next task from the queue.
pub(crate) struct Toy<N> {
    queue: Arc<Mutex<VecDeque<Arc<ToyTask>>>>,
    next: N,
    /// Called after each so many polls.
    turn: Option<(usize, Box<dyn Fn()>)>,
}

/// How long a toy tries.
const MOST_POLLS: usize = 10_000;

pub(crate) struct ToyTask {
    future: Mutex<Option<Boxed>>,
    queued: AtomicBool,
    queue: Weak<Mutex<VecDeque<Arc<ToyTask>>>>,
}

impl Wake for ToyTask {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed)
            && let Some(queue) = self.queue.upgrade()
        {
            queue.lock().unwrap().push_back(self.clone());
        }
    }
}

impl<N: Fn(&mut VecDeque<Arc<ToyTask>>) -> Option<Arc<ToyTask>>> Toy<N> {
    pub(crate) fn new(next: N) -> Self {
        Self { queue: Arc::default(), next, turn: None }
    }

    /// Calls `turn` after each `polls` polls.
    pub(crate) fn turning(self, polls: usize, turn: impl Fn() + 'static) -> Self {
        Self { turn: Some((polls, Box::new(turn))), ..self }
    }
}

impl<N: Fn(&mut VecDeque<Arc<ToyTask>>) -> Option<Arc<ToyTask>>> Executor for Toy<N> {
    fn run(&self, tasks: Vec<Boxed>, done: &dyn Fn() -> bool) {
        for task in tasks {
            let queue = Arc::downgrade(&self.queue);
            Arc::new(ToyTask { future: Mutex::new(Some(task)), queued: AtomicBool::new(false), queue }).wake();
        }
        for poll in 1..=MOST_POLLS {
            let next = (self.next)(&mut self.queue.lock().unwrap());
            let Some(task) = next.filter(|_| !done()) else { break };
            task.queued.store(false, Ordering::Relaxed);
            let waker = Waker::from(task.clone());
            let mut future = task.future.lock().unwrap();
            if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
                *future = None;
            }
            drop(future);
            if let Some((_, turn)) = self.turn.as_ref().filter(|(polls, _)| poll % polls == 0) {
                turn();
            }
        }
    }
}
