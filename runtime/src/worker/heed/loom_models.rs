//! The table under loom: whoever asks against a handler that comes and goes.

use super::*;
use crate::{
    std_or_loom::model,
    task::{self, Birth, JoinHandle, Schedule, Task, TaskState},
};
use loom::thread;

/// The task is never run while the model runs: it is only asked and aborted.
struct Nowhere;

impl Schedule for Nowhere {
    fn schedule(&self, _task: Task) {
        unreachable!("it is scheduled all the time");
    }
}

const TASK: TaskId = TaskId(1);

fn a_task() -> (Task, JoinHandle<()>) {
    let birth = Birth { id: TASK, name: None, place: std::panic::Location::caller() };
    task::new(birth, Nowhere, async {})
}

fn ask(heeding: &Heeding, task: &JoinHandle<()>) {
    if !heeding.ask(task.abort_handle()) {
        task.abort();
    }
}

/// A request is seen by the handler, or it aborts the task; and in the end nothing is left in the table.
/// Broken by: `remove` raising nothing for a handler that was told (`Step::Told => false`).
#[test]
fn a_request_is_seen_or_aborts() {
    model("a_request_is_seen_or_aborts", 3, || {
        let heeding = Arc::new(Heeding::default());
        let (task, handle) = a_task();
        let polls = {
            let heeding = heeding.clone();
            thread::spawn(move || {
                let place = heeding.register(TASK, Waker::noop()).unwrap();
                let told = place.is_told(Waker::noop());
                if told {
                    place.swallow();
                }
                told
            })
        };
        ask(&heeding, &handle);
        let seen = polls.join().unwrap();
        assert!(seen || handle.state() == TaskState::Aborting);
        assert_eq!(heeding.tasks(), 0);
        drop(task.run());
    });
}

/// A handler that leaves on another thread, where its future was dropped, does not take the others with it.
/// Broken by: `forget` not looking whether another one has come.
#[test]
fn the_last_to_leave_does_not_forget_one_who_comes() {
    model("the_last_to_leave", 3, || {
        let heeding = Arc::new(Heeding::default());
        let (task, handle) = a_task();
        let wanders = heeding.register(TASK, Waker::noop()).unwrap();
        let leaves = thread::spawn(move || drop(wanders));
        let stays = heeding.register(TASK, Waker::noop()).unwrap();
        leaves.join().unwrap();
        ask(&heeding, &handle);
        assert!(stays.is_told(Waker::noop()));
        stays.swallow();
        assert_eq!(heeding.tasks(), 0);
        drop(task.run());
    });
}
