//! Stage 8: whoever spawned a task hears of its end.
//!
//! ```text
//!   task ── puts ──> [ Slot: an output, and who waits for it ] ── gives ──> JoinHandle
//!                              <── asks to end ──
//! ```
//!
//! Nothing in the executor changes: the task that it runs is one that puts its output into a slot.

// ANCHOR: imports
use std::{
    any::Any,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};
// ANCHOR_END: imports

// ANCHOR: slot
/// Why a task has no output.
#[derive(Debug)]
pub enum JoinError {
    /// It was aborted, or its executor has ended.
    Cancelled,
    /// It panicked, with this.
    Panicked(Box<dyn Any + Send>),
}

/// What a task and its handle share.
struct Slot<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    output: Output<T>,
    /// The task is to end. Seen by its next poll.
    aborted: bool,
    /// Wakes the task, once it has been polled. Before that it is in the queue anyway, and after
    /// an abort it is woken already.
    task: Option<Waker>,
}

enum Output<T> {
    /// Not there yet; perhaps somebody waits.
    Awaited(Option<Waker>),
    There(Result<T, JoinError>),
    /// It was taken, or nobody will take it.
    Unwanted,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("nothing that can panic runs under this lock")
    }

    fn put(&self, output: Result<T, JoinError>) {
        let mut state = self.lock();
        let task = state.task.take();
        let before = mem::replace(&mut state.output, Output::Unwanted);
        let (waker, unwanted) = match before {
            Output::Awaited(waker) => {
                state.output = Output::There(output);
                (waker, None)
            }
            _ => (None, Some(output)),
        };
        drop(state);
        // Not under the lock: what is dropped or woken here is anybody's code.
        drop((task, unwanted));
        waker.into_iter().for_each(Waker::wake);
    }
}
// ANCHOR_END: slot

// ANCHOR: task
/// A future that gives its output to a slot: this is what the executor runs.
struct Joinable<F: Future> {
    /// Gone before the output is put into the slot.
    future: Option<Pin<Box<F>>>,
    slot: Arc<Slot<F::Output>>,
}

impl<F: Future> Future for Joinable<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.slot.lock();
        let aborted = state.aborted;
        let stale = state.task.replace(waker);
        drop(state);
        drop(stale);
        let future = self.future.as_mut().expect("it is not polled again after its end");
        let output = if aborted {
            Err(JoinError::Cancelled)
        } else {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Ok(output),
                Err(panic) => Err(JoinError::Panicked(panic)),
            }
        };
        self.future = None;
        self.slot.put(output);
        Poll::Ready(())
    }
}

impl<F: Future> Drop for Joinable<F> {
    fn drop(&mut self) {
        // Dropped before its end: the executor is over.
        if self.future.take().is_some() {
            self.slot.put(Err(JoinError::Cancelled));
        }
    }
}
// ANCHOR_END: task

// ANCHOR: joinable
/// Makes a task of a future, and a handle for its output. The task is then spawned like any other.
pub fn joinable<F>(future: F) -> (impl Future<Output = ()> + Send + 'static, JoinHandle<F::Output>)
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let state = State { output: Output::Awaited(None), aborted: false, task: None };
    let slot = Arc::new(Slot { state: Mutex::new(state) });
    (Joinable { future: Some(Box::pin(future)), slot: slot.clone() }, JoinHandle { slot })
}
// ANCHOR_END: joinable

// ANCHOR: handle
/// Waits for the output of a task. Dropping it detaches the task: it runs on, and nobody hears of its output.
pub struct JoinHandle<T> {
    slot: Arc<Slot<T>>,
}

impl<T> JoinHandle<T> {
    /// Asks the task to end, at its next suspension. One that is over is left alone.
    pub fn abort(&self) {
        let mut state = self.slot.lock();
        state.aborted = true;
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(Waker::wake);
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker().clone();
        let mut state = self.slot.lock();
        match mem::replace(&mut state.output, Output::Unwanted) {
            Output::There(output) => Poll::Ready(output),
            Output::Unwanted => {
                // A panic under the lock would poison it, and `drop` wants it.
                drop(state);
                panic!("a JoinHandle was polled after it had given its output")
            }
            Output::Awaited(stale) => {
                state.output = Output::Awaited(Some(waker));
                drop(state);
                drop(stale);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let mut state = self.slot.lock();
        let left = mem::replace(&mut state.output, Output::Unwanted);
        drop(state);
        drop(left);
    }
}
// ANCHOR_END: handle

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The states of a slot and the ways between them: the book draws its picture from it.
    const TRANSITIONS: &str = include_str!("s08_join.states");

    const POLLED: &str = "handle polled";
    const DROPPED: &str = "handle dropped";
    const ENDS: &str = "task ends";

    /// How to get to a state, and what can happen there.
    const STATES: [(&[&str], &[&str]); 4] = [
        (&[], &[POLLED, ENDS, DROPPED]),
        (&[ENDS], &[POLLED, DROPPED]),
        (&[DROPPED], &[ENDS]),
        (&[ENDS, POLLED], &[DROPPED]),
    ];

    fn name<T>(slot: &Slot<T>) -> &'static str {
        match slot.lock().output {
            Output::Awaited(_) => "Awaited",
            Output::There(_) => "There",
            Output::Unwanted => "Unwanted",
        }
    }

    #[test]
    fn the_slot_walks_every_arrow_of_the_table_and_no_other() {
        let mut walked = BTreeSet::new();
        for (way, events) in STATES {
            for event in events {
                let (mut task, handle) = joinable(async { 7 });
                let (slot, mut handle) = (handle.slot.clone(), Some(handle));
                let mut happen = |event: &str| {
                    let mut context = Context::from_waker(Waker::noop());
                    match event {
                        POLLED => drop(Pin::new(handle.as_mut().unwrap()).poll(&mut context)),
                        DROPPED => drop(handle.take()),
                        _ => assert!(Pin::new(&mut task).poll(&mut context).is_ready()),
                    }
                };
                way.iter().for_each(|event| happen(event));
                let before = name(&slot);
                happen(event);
                walked.insert(format!("{before} --{event}--> {}", name(&slot)));
            }
        }
        let lines = TRANSITIONS.lines().filter(|line| !line.starts_with('#'));
        let table = lines.map(|line| {
            let arrow = line.split(" : ").next().unwrap();
            arrow.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        assert_eq!(walked, table.collect());
    }
}
