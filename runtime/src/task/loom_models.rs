//! The cell under loom: every interleaving of two threads, as far as a preemption bound of two reaches.
//!
//! Each model states its claim, prints how many executions it took, and was seen to fail when the line named with it is
//! broken: a model that explores nothing would stay green too.

use super::*;
use crate::std_or_loom::{AtomicUsize, Mutex, Ordering, UnsafeCell, model};
use loom::{sync::Arc as LoomArc, thread};
use std::collections::VecDeque;

/// A queue as the scheduler; one for each model.
#[derive(Clone)]
struct Queue(LoomArc<Mutex<VecDeque<Task>>>);

impl Schedule for Queue {
    fn schedule(&self, task: Task) {
        // As the runtime does: the queue must not live in the task that is pushed.
        let queue = self.0.clone();
        queue.lock().unwrap().push_back(task);
    }
}

impl Queue {
    fn new() -> Self {
        Self(LoomArc::new(Mutex::new(VecDeque::new())))
    }

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

    fn pop(&self) -> Option<Task> {
        self.0.lock().unwrap().pop_front()
    }

    fn run(&self) {
        while let Some(task) = self.pop() {
            if let Ran::Again(again) = task.run() {
                self.schedule(again);
            }
        }
    }
}

/// What a waker wrote before it woke is seen by the poll that follows, even if the task was scheduled already.
/// Broken by: `State::wake` returning early on a load that sees SCHEDULED (tokio #7622).
#[test]
fn a_wake_hands_over_what_was_written_before_it() {
    model("a_wake_hands_over", 3, || {
        let queue = Queue::new();
        let data = LoomArc::new(AtomicUsize::new(0));
        let waker = LoomArc::new(Mutex::new(None));
        let (seen, stored) = (data.clone(), waker.clone());
        let handle = queue.spawn(std::future::poll_fn(move |context| {
            if seen.load(Ordering::Relaxed) == 2 {
                return Poll::Ready(());
            }
            *stored.lock().unwrap() = Some(context.waker().clone());
            Poll::Pending
        }));
        queue.run();
        let woken = waker.lock().unwrap().take().unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (data, woken) = (data.clone(), woken.clone());
                thread::spawn(move || {
                    data.fetch_add(1, Ordering::Relaxed);
                    woken.wake();
                })
            })
            .collect();
        drop(woken);
        queue.run();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        queue.run();
        assert!(handle.is_finished(), "the last wake was lost");
        drop(waker.lock().unwrap().take());
    });
}

/// A handle that is polled while the task completes either gets the output or is woken for it.
/// Broken by: `State::publish_join_waker` ignoring COMPLETE.
#[test]
fn the_output_is_given_or_announced() {
    model("the_output_is_given_or_announced", 3, || {
        let queue = Queue::new();
        let mut handle = queue.spawn(async { 7 });
        let runner = queue.clone();
        let thread = thread::spawn(move || runner.run());
        let woken = std::sync::Arc::new(Flag(std::sync::atomic::AtomicBool::new(false)));
        let waker = std::task::Waker::from(woken.clone());
        let mut polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            // Once more with another waker: the slot is taken back and changed.
            let other = std::task::Waker::from(woken.clone());
            polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&other));
        }
        thread.join().unwrap();
        match polled {
            Poll::Ready(output) => assert_eq!(output.unwrap(), 7),
            Poll::Pending => {
                assert!(woken.0.load(std::sync::atomic::Ordering::SeqCst), "complete, and nobody was told");
                assert!(matches!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(7))));
            }
        }
    });
}

struct Flag(std::sync::atomic::AtomicBool);

impl std::task::Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// A handle that is dropped while the task completes: the output is dropped once, by one of the two.
/// Broken by: `State::complete` never seeing the handle.
#[test]
fn a_dropped_handle_and_a_completing_task_drop_the_output_once() {
    model("a_dropped_handle", 3, || {
        let queue = Queue::new();
        let output = std::sync::Arc::new(());
        let kept = output.clone();
        let mut handle = queue.spawn(async move { kept });
        let runner = queue.clone();
        let thread = thread::spawn(move || runner.run());
        let _ = Pin::new(&mut handle).poll(&mut Context::from_waker(std::task::Waker::noop()));
        drop(handle);
        thread.join().unwrap();
        queue.run();
        assert_eq!(std::sync::Arc::strong_count(&output), 1, "the output was leaked");
    });
}

/// An abort and a wake at once: the future is dropped once, and the handle learns how it ended.
/// Broken by: `State::end` ignoring SCHEDULED.
#[test]
fn an_abort_ends_a_task_that_is_being_woken() {
    model("an_abort_ends", 3, || {
        let queue = Queue::new();
        let held = std::sync::Arc::new(());
        let kept = held.clone();
        let mut handle = queue.spawn(async move {
            let _kept = kept;
            yield_now().await;
            std::future::pending::<()>().await;
        });
        let aborting = handle.abort_handle();
        let thread = thread::spawn(move || aborting.abort());
        queue.run();
        thread.join().unwrap();
        queue.run();
        assert_eq!(std::sync::Arc::strong_count(&held), 1, "the future was not dropped");
        let ended = Pin::new(&mut handle).poll(&mut Context::from_waker(std::task::Waker::noop()));
        assert!(matches!(ended, Poll::Ready(Err(JoinError::Cancelled))));
    });
}

/// Runs a task as often as it is due, and touches what only its holder may touch.
fn hold(state: &state::State, future: &UnsafeCell<()>) {
    loop {
        let _ = state.start();
        future.with_mut(|_polled| ());
        if state.end() == state::Ended::Idle {
            return;
        }
    }
}

/// A worker runs a task that is woken twice meanwhile: nobody is told to push it while the worker holds it.
/// Broken by: `State::end` not taking back `HELD` after a late wake; `State::wake` not setting it.
#[test]
fn a_task_is_in_one_pair_of_hands() {
    model("one_pair_of_hands", 3, || {
        let task = LoomArc::new((state::State::new(), UnsafeCell::new(())));
        let waking = {
            let task = task.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    if task.0.wake() == state::Woken::Push {
                        hold(&task.0, &task.1);
                    }
                }
            })
        };
        hold(&task.0, &task.1);
        waking.join().unwrap();
    });
}

/// The part of a state word that a wake and a poll have in common.
trait Word: Send + Sync + 'static {
    /// Idle, but woken once already.
    fn new() -> Self;
    fn wake(&self);
    /// A poll begins.
    fn start(&self);
    /// A poll ends, pending. `true`: it was woken meanwhile, and is run again.
    fn end(&self) -> bool;
}

impl Word for state::State {
    fn new() -> Self {
        state::State::new()
    }

    fn wake(&self) {
        // Whoever it tells to push, here it is the runner who looks again.
        let _ = state::State::wake(self);
    }

    fn start(&self) {
        assert_eq!(state::State::start(self), state::Started::Poll);
    }

    fn end(&self) -> bool {
        state::State::end(self) == state::Ended::Again
    }
}

/// The twin: a wake that finds the task scheduled goes home without having written anything.
struct LooksFirst(AtomicUsize);

impl LooksFirst {
    const SCHEDULED: usize = 1;
}

impl Word for LooksFirst {
    fn new() -> Self {
        Self(AtomicUsize::new(Self::SCHEDULED))
    }

    fn wake(&self) {
        if self.0.load(Ordering::Acquire) & Self::SCHEDULED == 0 {
            self.0.fetch_or(Self::SCHEDULED, Ordering::AcqRel);
        }
    }

    fn start(&self) {
        self.0.fetch_and(!Self::SCHEDULED, Ordering::AcqRel);
    }

    fn end(&self) -> bool {
        self.0.load(Ordering::Acquire) & Self::SCHEDULED != 0
    }
}

/// A wake of a task that is scheduled already still hands over what was written before it, to the poll that is to come.
fn a_second_wake_hands_over<W: Word>(name: &str) {
    model(name, 3, || {
        let (word, data) = (LoomArc::new(W::new()), LoomArc::new(AtomicUsize::new(0)));
        let waking = {
            let (word, data) = (word.clone(), data.clone());
            thread::spawn(move || {
                data.store(1, Ordering::Relaxed);
                word.wake();
            })
        };
        word.start();
        let seen = data.load(Ordering::Relaxed) == 1;
        waking.join().unwrap();
        assert!(word.end() || seen, "the poll came after the wake, and did not see what it announced");
    });
}

/// R3, tokio #7622 and #7632. Broken by: `State::wake` without its read-modify-write, as in the twin.
#[test]
fn a_wake_of_a_scheduled_task_is_a_wake() {
    a_second_wake_hands_over::<state::State>("a_wake_of_a_scheduled_task_is_a_wake");
}

/// The twin of R3, seen to fail.
#[test]
#[should_panic = "did not see what it announced"]
fn a_wake_that_only_looks() {
    a_second_wake_hands_over::<LooksFirst>("a_wake_that_only_looks");
}

/// The part of a state word that counts its owners; two of them at first.
trait Owners: Send + Sync + 'static {
    fn two() -> Self;
    /// One owner fewer. `true`: it was the last.
    fn let_go(&self) -> bool;
}

impl Owners for state::State {
    fn two() -> Self {
        state::State::new()
    }

    fn let_go(&self) -> bool {
        self.release()
    }
}

/// The twin: a fast path that counts down, and orders nothing.
struct CountsOnly(AtomicUsize);

impl Owners for CountsOnly {
    fn two() -> Self {
        Self(AtomicUsize::new(2))
    }

    fn let_go(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

/// A handle writes to its cell and lets go of it; whoever lets go last frees it, after all that the others did to it.
fn the_last_owner_frees<O: Owners>(name: &str) {
    model(name, 3, || {
        // Freeing is an access like any other to loom, which reports two that nothing orders.
        let drop_one = |(owners, cell): &(O, UnsafeCell<()>)| {
            if owners.let_go() {
                cell.with_mut(|_freed| ());
            }
        };
        let cell = LoomArc::new((O::two(), UnsafeCell::new(())));
        let of_the_handle = cell.clone();
        let handle = thread::spawn(move || {
            of_the_handle.1.with_mut(|_waker_taken_out| ());
            drop_one(&of_the_handle);
        });
        drop_one(&cell);
        handle.join().unwrap();
    });
}

/// R44, tokio #2044. Broken by: `State::release` with `Relaxed`, as in the twin.
#[test]
fn letting_go_orders_the_end() {
    the_last_owner_frees::<state::State>("letting_go_orders_the_end");
}

/// The twin of R44, seen to fail.
#[test]
#[should_panic = "Causality violation"]
fn letting_go_that_orders_nothing() {
    the_last_owner_frees::<CountsOnly>("letting_go_that_orders_nothing");
}
