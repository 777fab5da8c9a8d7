//! Who waits for whom: tasks that wait for each other in a circle, and turns that nobody takes.
//!
//! ```text
//!   task ──waits for──> resource ──held by──> task          task ──joins──> task
//! ```
//!
//! A task that waits for several things may need all of them (a join) or one (a select): its poll does not say which. So a
//! circle is a **deadlock** only if nothing that any of its tasks waits for can come: each is the end of a task that is itself
//! stuck so, or a lock that only tasks hold that are stuck so. A timer, a socket, a channel can always bring something; and to a
//! semaphore anybody can add permits.

use super::{
    Dump, Task,
    dump::{Holder, Resource, Wait},
};
use crate::task::{TaskId, TaskState};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Formatter},
};

/// Tasks that wait for each other in a circle. From [`Dump::find_cycles`].
///
/// ```
/// use runtime::{Handle, Runtime, spawn, sync::Mutex, yield_now};
/// use std::sync::Arc;
/// let runtime = Runtime::builder().virtual_clock().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let lock = Arc::new(Mutex::new(0));
///     let twice = spawn(async move {
///         let _first = lock.lock().await;
///         *lock.lock().await = 1;
///     });
///     yield_now().await;
///     let cycles = Handle::current().tasks().find_cycles();
///     assert!(cycles[0].is_deadlock());
///     assert_eq!(cycles[0].tasks(), [twice.id()]);
///     assert_eq!(cycles[0].to_string(), "deadlock: task #1 waits for mutex 1, held by task #1");
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Cycle {
    tasks: Vec<TaskId>,
    deadlock: bool,
    text: String,
}

impl Cycle {
    /// The tasks, each waiting for the next, and the last for the first. One alone waits for itself.
    pub fn tasks(&self) -> &[TaskId] {
        &self.tasks
    }

    /// Can nothing that any of them waits for still come? If not, somebody may yet get out of it: by a timeout, say.
    pub fn is_deadlock(&self) -> bool {
        self.deadlock
    }
}

/// `deadlock: task #3 "a" waits for mutex 1, held by task #4 "b", which waits for …`
impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.deadlock { "deadlock: " } else { "a circle, if nothing else comes: " })?;
        f.write_str(&self.text)
    }
}

/// A lock that nobody holds, and that tasks wait for all the same. From [`Dump::find_untaken`].
///
/// ```
/// use runtime::{Handle, Runtime, future::race, spawn, sync::Mutex, yield_now};
/// use std::{pin::pin, sync::Arc};
/// let runtime = Runtime::builder().virtual_clock().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let lock = Arc::new(Mutex::new(()));
///     let held = lock.lock().await;
///     let theirs = lock.clone();
///     drop(spawn(async move {
///         let mut turn = pin!(theirs.lock());
///         race(turn.as_mut(), yield_now()).await; // it lines up, and is not polled again
///         theirs.lock().await;
///     }));
///     yield_now().await;
///     yield_now().await;
///     drop(held);
///     yield_now().await;
///     let untaken = Handle::current().tasks().find_untaken();
///     assert_eq!(untaken[0].resource.to_string(), "mutex 1");
/// });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Untaken {
    /// What.
    pub resource: Resource,
    /// Who waits for it. Often one of them has the turn, in a future that it does not poll.
    pub waiting: Vec<TaskId>,
}

impl fmt::Display for Untaken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let waiting: Vec<String> = self.waiting.iter().map(|task| format!("task {task}")).collect();
        write!(
            f,
            "granted, not taken: nobody holds {}, and {} waits for it: a future that has its turn is not polled",
            self.resource,
            waiting.join(" and ")
        )
    }
}

/// What only its holders can give back. With nobody to hold it, it is free.
const LOCKS: [&str; 2] = ["mutex", "rwlock"];

impl Resource {
    fn is_lock(&self) -> bool {
        LOCKS.contains(&self.kind())
    }
}

/// What a task waits for, and whose turn it is then.
type Edge = (Wait, TaskId);

fn is_waiting(task: &Task) -> bool {
    task.state == TaskState::Idle && !task.waits_for.is_empty()
}

fn edges(dump: &Dump, task: &Task) -> Vec<Edge> {
    if !is_waiting(task) {
        return Vec::new();
    }
    let of = |wait: &Wait| match *wait {
        Wait::Task(other) => vec![(*wait, other)],
        Wait::Resource(resource) => {
            let tasks = dump.holders(resource).iter().filter_map(|holder| match holder {
                Holder::Task(task) => Some(*task),
                Holder::Elsewhere => None,
            });
            tasks.map(|task| (*wait, task)).collect()
        }
        _ => Vec::new(),
    };
    let waits = task.waits_for.iter().flat_map(of);
    waits.filter(|(_, other)| dump.find(*other).is_some()).collect()
}

/// A search in depth that keeps its path: an edge back into it closes a circle.
pub(super) fn find_cycles(dump: &Dump) -> Vec<Cycle> {
    let edges: BTreeMap<TaskId, Vec<Edge>> = dump.tasks.iter().map(|task| (task.id, edges(dump, task))).collect();
    let mut circles: Vec<Vec<Edge>> = Vec::new();
    let (mut seen, mut told) = (BTreeSet::new(), BTreeSet::new());
    for start in edges.keys() {
        if !seen.insert(*start) {
            continue;
        }
        // A task on the path, and the edge that it goes on by.
        let mut path: Vec<(TaskId, usize)> = vec![(*start, 0)];
        while let Some((task, next)) = path.last_mut() {
            let Some((_, to)) = edges[task].get(*next) else {
                path.pop();
                continue;
            };
            *next += 1;
            if seen.insert(*to) {
                path.push((*to, 0));
            } else if let Some(place) = path.iter().position(|(on_path, _)| on_path == to) {
                let circle = &path[place..];
                if circle.iter().all(|(task, _)| !told.contains(task)) {
                    told.extend(circle.iter().map(|(task, _)| *task));
                    // Each task with what it waits for.
                    circles.push(circle.iter().map(|(task, next)| (edges[task][next - 1].0, *task)).collect());
                }
            }
        }
    }
    let stuck = if circles.is_empty() { BTreeSet::new() } else { find_stuck(dump) };
    circles.into_iter().map(|circle| cycle(dump, circle, &stuck)).collect()
}

fn cycle(dump: &Dump, circle: Vec<Edge>, stuck: &BTreeSet<TaskId>) -> Cycle {
    let name = |id: TaskId| dump.find(id).map(|task| task.short().to_string()).unwrap_or_default();
    let mut text = name(circle[0].1);
    for (place, (wait, _)) in circle.iter().enumerate() {
        let which = if place == 0 { "" } else { ", which" };
        let next = name(circle[(place + 1) % circle.len()].1);
        text += &match wait {
            Wait::Resource(resource) => format!("{which} waits for {resource}, held by {next}"),
            _ => format!("{which} waits for {next}"),
        };
    }
    let tasks: Vec<TaskId> = circle.iter().map(|(_, task)| *task).collect();
    Cycle { deadlock: tasks.iter().all(|task| stuck.contains(task)), tasks, text }
}

/// The tasks for which nothing can come: the largest set in which each waits only for others of it.
fn find_stuck(dump: &Dump) -> BTreeSet<TaskId> {
    let mut stuck: BTreeSet<TaskId> = dump.tasks.iter().filter(|task| is_waiting(task)).map(|task| task.id).collect();
    loop {
        let can_come = |wait: &Wait| match *wait {
            Wait::Task(other) => !stuck.contains(&other),
            Wait::Resource(resource) => {
                let holders = dump.holders(resource);
                let free = |holder: &Holder| !matches!(holder, Holder::Task(task) if stuck.contains(task));
                !resource.is_lock() || holders.is_empty() || holders.iter().any(free)
            }
            _ => true,
        };
        let released: Vec<TaskId> = dump
            .tasks
            .iter()
            .filter(|task| stuck.contains(&task.id) && task.waits_for.iter().any(can_come))
            .map(|task| task.id)
            .collect();
        if released.is_empty() {
            return stuck;
        }
        for task in &released {
            stuck.remove(task);
        }
    }
}

pub(super) fn find_untaken(dump: &Dump) -> Vec<Untaken> {
    let waits = dump.tasks.iter().flat_map(|task| &task.waits_for);
    let awaited: BTreeSet<&Resource> = waits
        .filter_map(|wait| match wait {
            Wait::Resource(resource) => Some(resource),
            _ => None,
        })
        .collect();
    let mut untaken = Vec::new();
    for resource in awaited.into_iter().filter(|resource| resource.is_lock() && dump.holders(**resource).is_empty()) {
        let wants = |task: &&Task| task.waits_for.contains(&Wait::Resource(*resource));
        // One of them that is about to run may be about to take it.
        if dump.tasks.iter().filter(wants).all(|task| task.state == TaskState::Idle) {
            let waiting = dump.tasks.iter().filter(wants).map(|task| task.id).collect();
            untaken.push(Untaken { resource: *resource, waiting });
        }
    }
    untaken
}
