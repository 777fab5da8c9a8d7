use super::*;
use crate::task::{self, Birth, Ran, Schedule, TaskId};
use std::{iter, panic::Location};

/// The tasks are run by hand.
struct Nowhere;

impl Schedule for Nowhere {
    fn schedule(&self, _task: Task) {
        unreachable!("it is scheduled until it runs");
    }
}

fn a_task(number: u64) -> Task {
    let birth = Birth { id: TaskId(number), name: None, place: Location::caller() };
    task::new(birth, Nowhere, async {}).0
}

fn run(task: Task) -> u64 {
    let number = task.birth().id.0;
    assert!(matches!(task.run(), Ran::Done(..)));
    number
}

/// A sibling's queue, and what it takes from `victim`: as one does that looks after a worker that is stuck.
fn take_all(victim: &Shelf) -> Vec<u64> {
    let (sibling, overflow) = (Local::new(Arc::default(), false, None), Injector::default());
    let steal = || sibling.steal_from(victim, Take::All);
    let mut taken = Vec::new();
    for task in iter::from_fn(steal) {
        sibling.push_back(task, &overflow);
        while let Some(Runnable::Task(task)) = sibling.pop() {
            taken.push(run(task));
        }
    }
    taken.sort();
    taken
}

/// A worker stole a task; before it ran it, timers woke others, and the first of those never returned.
#[test]
fn what_a_worker_stole_can_be_taken_from_it() {
    let (victim, overflow) = (Shelf::default(), Injector::default());
    (0..3).for_each(|number| victim.ring.push(a_task(number)).ok().unwrap());
    let stuck = Local::new(Arc::default(), false, None);
    let stolen = stuck.steal_from(&victim, Take::Half).unwrap();
    stuck.push(Runnable::Task(stolen), &overflow);
    (10..12).for_each(|number| stuck.push(Runnable::Task(a_task(number)), &overflow));
    let Some(Runnable::Task(runs)) = stuck.pop() else { panic!("there are four") };
    assert_eq!(run(runs), 11, "the last that came");
    assert_eq!(take_all(&stuck.shelf), [0, 1, 10]);
    assert_eq!(take_all(&victim), [2]);
}

/// What comes from outside finds no room in the ring: one is taken all the same, the others stay where siblings find them.
#[test]
fn a_full_ring_takes_one_more() {
    let (full, injector) = (Local::new(Arc::default(), false, None), Injector::default());
    let tasks = RING as u64;
    (0..tasks).for_each(|number| full.push_back(a_task(number), &injector));
    (0..5).for_each(|number| injector.push(a_task(tasks + number)));
    full.take_from(&injector, 1);
    assert_eq!(injector.len(), 4);
    assert_eq!(take_all(&full.shelf), Vec::from_iter(0..tasks));
    let Some(Runnable::Task(kept)) = full.pop() else { panic!("it kept one") };
    assert_eq!(run(kept), tasks);
    injector.take_share(1, usize::MAX, |task| assert!(run(task) > tasks));
}
