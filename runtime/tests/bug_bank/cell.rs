//! Mistakes inside a task cell. The twin is one small cell that makes the mistake it is told to make, and none besides; the
//! cases that it fails are those that `runtime::task` and the stage pass.

use crate::must_fail;
use stages::cases::task_cell::{self as cases, Ended, Handle, Tasks};
use std::{
    any::Any,
    cell::RefCell,
    collections::VecDeque,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, TryLockError, Weak},
    task::{Context, Poll, Wake, Waker},
    thread,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    None,
    KeepsTheFutureWhenReady,
    HasNoWordForCompleted,
    HoldsTheLockWhilePolling,
    QueuesEveryWake,
    ForgetsWakesWhileItRuns,
    DropsTheFutureInAbort,
    ForgetsTheAbortWithTheHandle,
    LetsTheOutputsDropUnwind,
    KeepsTheJoinWaker,
    KeepsTheFirstJoinWaker,
    WakesUnderTheLock,
    DropsWakersUnderTheLock,
}

/// Runs a case on the twin: it must fail with these words. What it leaves behind is cleared away, leaks that are the mistake
/// included.
#[track_caller]
fn fails(mistake: Mistake, words: &str, case: impl Fn(&dyn Fn() -> Queue)) {
    let made = RefCell::new(Vec::new());
    let make = || {
        let queue = Queue::with(mistake);
        made.borrow_mut().push(queue.clone());
        queue
    };
    must_fail(words, || case(&make));
    made.into_inner().iter().for_each(Queue::clear_away);
}

/// The cell without a mistake passes every case: so what a twin fails, it fails by its mistake.
mod without_a_mistake {
    stages::cases::task_cell::test_all!(|| super::Queue::with(super::Mistake::None));
}

/// T-a, mini-tokio `tutorial-code/mini-tokio`: `Task::poll` drops the result and keeps the future.
#[test]
fn keeping_the_future_when_it_is_ready() {
    fails(Mistake::KeepsTheFutureWhenReady, "polled after its end", |make| {
        cases::a_late_wake_finds_nothing_to_do(make)
    });
}

/// T-b, wg-async `barbara_builds_an_async_executor.md`: after `Ready`, the transition from POLLING to IDLE meets COMPLETED.
#[test]
fn having_no_word_for_completed() {
    fails(Mistake::HasNoWordForCompleted, "neither polling nor notified", |make| {
        cases::a_late_wake_finds_nothing_to_do(make)
    });
}

/// T-c, rustikon `08-final-demo.rs`: the guard of the set lives as long as the loop that polls.
#[test]
fn holding_the_lock_while_polling() {
    fails(Mistake::HoldsTheLockWhilePolling, "deadlock", |make| {
        cases::a_task_may_spawn_and_wake_while_it_is_polled(make)
    });
}

/// T-g, blog_os: `task_queue.push(id).expect("task_queue full")`, and no word for "queued already".
#[test]
fn queueing_every_wake() {
    fails(Mistake::QueuesEveryWake, "left: 101", |make| cases::a_task_is_queued_once_however_often_it_is_woken(make));
}

/// A wake while the task runs is not kept: what it announced came after the poll had looked.
#[test]
fn forgetting_wakes_while_the_task_runs() {
    fails(Mistake::ForgetsWakesWhileItRuns, "left: 1", |make| {
        cases::a_wake_during_the_poll_runs_the_task_again_once(make)
    });
}

/// R6, tokio #3929 (RUSTSEC-2021-0072, fix #3934): `abort` drops the future on the thread that calls it.
#[test]
fn dropping_the_future_where_abort_is_called() {
    fails(Mistake::DropsTheFutureInAbort, "an abort only asks", |make| {
        cases::an_abort_from_another_thread_drops_the_future_where_the_task_runs(make)
    });
}

/// R7, tokio #3964, fix #3965: after an abort and an immediate drop of the handle, the future is never dropped.
#[test]
fn forgetting_the_abort_with_the_handle() {
    fails(Mistake::ForgetsTheAbortWithTheHandle, "the future is gone", |make| {
        cases::an_aborted_task_lets_go_of_its_future(make)
    });
}

/// R8, tokio #4412 and #3967: the panic of an output's drop leaves the cell.
#[test]
fn letting_the_drop_of_an_output_unwind() {
    fails(Mistake::LetsTheOutputsDropUnwind, "in a drop", |make| cases::every_combination_drops_everything_once(make));
}

/// R9, tokio #4724 and #6986: the join waker stays in the cell until the cell dies.
#[test]
fn keeping_the_join_waker() {
    fails(Mistake::KeepsTheJoinWaker, "a waker was kept", |make| cases::the_join_waker_is_the_latest_one(make));
    fails(Mistake::KeepsTheJoinWaker, "a cell was leaked", |make| {
        cases::two_tasks_that_await_each_other_are_freed(make)
    });
    fails(Mistake::KeepsTheJoinWaker, "a waker was kept", |make| {
        cases::a_dropped_handle_lets_go_of_its_waker(make);
    });
}

/// The other half of `will_wake`: a waker that would wake somebody else must be replaced.
#[test]
fn keeping_the_first_join_waker() {
    fails(Mistake::KeepsTheFirstJoinWaker, "left: [1, 0]", |make| cases::the_join_waker_is_the_latest_one(make));
}

/// R11, tokio #5429, #4129, #5471, #5578, #8529, #8552, #8554, #8558, #8618: a foreign waker under our lock.
#[test]
fn waking_under_the_lock() {
    for mistake in [Mistake::WakesUnderTheLock, Mistake::DropsWakersUnderTheLock] {
        fails(mistake, "deadlock", |make| cases::a_join_waker_may_call_back(make));
    }
}

#[derive(Clone)]
struct Queue {
    tasks: Arc<Mutex<VecDeque<Arc<dyn Run>>>>,
    born: Arc<Mutex<Vec<Weak<dyn Run>>>>,
    mistake: Mistake,
}

trait Run: Send + Sync {
    fn run(self: Arc<Self>);

    /// Lets go of everything.
    fn empty(&self);
}

struct Cell<T> {
    state: Mutex<State<T>>,
    queue: Queue,
}

struct State<T> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    output: Option<Result<T, Ended>>,
    scheduled: bool,
    running: bool,
    complete: bool,
    aborted: bool,
    handle_alive: bool,
    join_waker: Option<Waker>,
}

/// Locks. If the lock does not come free, whoever holds it waits for us: a deadlock, which a test must survive.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    for _ in 0..10_000 {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => thread::yield_now(),
        }
    }
    panic!("deadlock: the lock is held by one who waits for us");
}

impl Queue {
    fn with(mistake: Mistake) -> Self {
        Self { tasks: Arc::default(), born: Arc::default(), mistake }
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == mistake
    }

    fn clear_away(&self) {
        let queued = mem::take(&mut *lock(&self.tasks));
        let born = mem::take(&mut *lock(&self.born));
        born.iter().filter_map(Weak::upgrade).for_each(|cell| cell.empty());
        drop(queued);
    }

    fn push(&self, task: Arc<dyn Run>) {
        lock(&self.tasks).push_back(task);
    }

    fn pop(&self) -> Option<Arc<dyn Run>> {
        lock(&self.tasks).pop_front()
    }
}

impl<T: Send + 'static> Run for Cell<T> {
    fn run(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut context = Context::from_waker(&waker);
        let (mut future, aborted) = {
            let mut state = lock(&self.state);
            (state.scheduled, state.running) = (false, true);
            let Some(future) = state.future.take() else { return };
            (future, state.aborted)
        };
        let held = self.queue.makes(Mistake::HoldsTheLockWhilePolling).then(|| lock(&self.queue.tasks));
        let polled = match aborted {
            true => Ok(Poll::Ready(Err(Ended::Cancelled))),
            false => catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context).map(Ok))),
        };
        drop(held);
        match polled {
            Ok(Poll::Pending) => self.suspend(future),
            Ok(Poll::Ready(output)) => self.complete(future, output),
            Err(payload) if text(&*payload).contains("deadlock") => std::panic::resume_unwind(payload),
            Err(payload) => self.complete(future, Err(Ended::Panicked(text(&*payload)))),
        }
    }

    fn empty(&self) {
        let mut state = lock(&self.state);
        let held = (state.future.take(), state.output.take(), state.join_waker.take());
        drop(state);
        let _ = contain(|| drop(held));
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map_or_else(|| payload.downcast_ref::<String>().cloned().unwrap_or_default(), |text| (*text).to_owned())
}

fn contain(foreign: impl FnOnce()) -> Result<(), Ended> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(|payload| Ended::Panicked(text(&*payload)))
}

impl<T: Send + 'static> Cell<T> {
    fn suspend(self: &Arc<Self>, future: Pin<Box<dyn Future<Output = T> + Send>>) {
        let again = {
            let mut state = lock(&self.state);
            state.future = Some(future);
            state.running = false;
            state.scheduled
        };
        if again {
            self.queue.push(self.clone());
        }
    }

    fn complete(self: &Arc<Self>, future: Pin<Box<dyn Future<Output = T> + Send>>, mut output: Result<T, Ended>) {
        let makes = |mistake| self.queue.makes(mistake);
        if makes(Mistake::KeepsTheFutureWhenReady) {
            let mut state = lock(&self.state);
            (state.future, state.output) = (Some(future), Some(output));
            (state.running, state.scheduled) = (false, false);
            return;
        }
        if let Err(panic) = contain(|| drop(future)) {
            let never_seen = mem::replace(&mut output, Err(panic));
            let _ = contain(|| drop(never_seen));
        }
        let mut state = lock(&self.state);
        (state.running, state.complete) = (false, true);
        let unwanted = if state.handle_alive { state.output.replace(output) } else { Some(output) };
        let waker = if makes(Mistake::KeepsTheJoinWaker) { state.join_waker.clone() } else { state.join_waker.take() };
        let held = makes(Mistake::WakesUnderTheLock).then_some(state);
        if makes(Mistake::LetsTheOutputsDropUnwind) {
            drop(unwanted);
        } else {
            let _ = contain(|| drop(unwanted));
        }
        let woken = contain(|| waker.into_iter().for_each(Waker::wake));
        drop(held);
        if let Err(Ended::Panicked(text)) = woken
            && text.contains("deadlock")
        {
            panic!("{text}");
        }
        if makes(Mistake::HasNoWordForCompleted) {
            let state = lock(&self.state);
            assert!(state.running, "neither polling nor notified");
        }
    }
}

impl<T: Send + 'static> Wake for Cell<T> {
    fn wake(self: Arc<Self>) {
        let makes = |mistake| self.queue.makes(mistake);
        let push = {
            let mut state = lock(&self.state);
            let noted = state.running && makes(Mistake::ForgetsWakesWhileItRuns);
            let before = mem::replace(&mut state.scheduled, !noted);
            !state.running && !state.complete && (!before || makes(Mistake::QueuesEveryWake))
        };
        if push {
            self.queue.push(self.clone());
        }
    }
}

impl<T: Send + 'static> Cell<T> {
    fn abort(self: &Arc<Self>) {
        let dropped_here = {
            let mut state = lock(&self.state);
            state.aborted = !self.queue.makes(Mistake::ForgetsTheAbortWithTheHandle) || state.handle_alive;
            if self.queue.makes(Mistake::DropsTheFutureInAbort) { state.future.take() } else { None }
        };
        drop(dropped_here);
        self.clone().wake();
    }
}

struct Joining<T: Send + 'static>(Arc<Cell<T>>);

impl<T: Send + 'static> Handle<T> for Joining<T> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<T, Ended>> {
        let makes = |mistake| self.0.queue.makes(mistake);
        let mut state = lock(&self.0.state);
        if let Some(output) = state.output.take() {
            return Poll::Ready(output);
        }
        if state.join_waker.is_some() && makes(Mistake::KeepsTheFirstJoinWaker) {
            return Poll::Pending;
        }
        let stale = state.join_waker.replace(waker.clone());
        let held = makes(Mistake::DropsWakersUnderTheLock).then_some(state);
        drop(stale);
        drop(held);
        Poll::Pending
    }

    fn is_finished(&self) -> bool {
        lock(&self.0.state).complete
    }

    fn abort_handle(&self) -> Box<dyn Fn() + Send> {
        let cell = self.0.clone();
        Box::new(move || cell.abort())
    }
}

impl<T: Send + 'static> Drop for Joining<T> {
    fn drop(&mut self) {
        let makes = |mistake| self.0.queue.makes(mistake);
        let mut state = lock(&self.0.state);
        state.handle_alive = false;
        state.aborted &= !makes(Mistake::ForgetsTheAbortWithTheHandle);
        let waker = if makes(Mistake::KeepsTheJoinWaker) { None } else { state.join_waker.take() };
        let unwanted = state.output.take();
        drop(state);
        drop(waker);
        if makes(Mistake::LetsTheOutputsDropUnwind) {
            drop(unwanted);
        } else {
            let _ = contain(|| drop(unwanted));
        }
    }
}

impl Tasks for Queue {
    type Handle<T: Send + 'static> = Joining<T>;

    fn spawn<F>(&self, future: F) -> Joining<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let state = State {
            future: Some(Box::pin(future)),
            output: None,
            scheduled: true,
            running: false,
            complete: false,
            aborted: false,
            handle_alive: true,
            join_waker: None,
        };
        let cell = Arc::new(Cell { state: Mutex::new(state), queue: self.clone() });
        let task: Arc<dyn Run> = cell.clone();
        lock(&self.born).push(Arc::downgrade(&task));
        self.push(task);
        Joining(cell)
    }

    fn run(&self, most: usize) -> usize {
        for polls in 0..most {
            let Some(task) = self.pop() else { return polls };
            task.run();
        }
        most
    }

    fn queued(&self) -> usize {
        lock(&self.tasks).len()
    }

    fn cells(&self) -> usize {
        lock(&self.born).iter().filter(|cell| cell.strong_count() > 0).count()
    }
}
