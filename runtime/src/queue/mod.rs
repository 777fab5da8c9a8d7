//! What is ready to run: each worker's own queue, and the injector through which everybody else adds to it.
//!
//! ```text
//!                                ┌── next ──── the task woken last: it runs next, its data still in the cache
//!   wake on a worker's thread ───┼── ring ──── all others, first in, first out; idle workers steal half of it
//!                                └── bound ─── what nobody may take: the future of `block_on`, local tasks
//!   wake on any other thread ─────> Injector ──(a worker takes its share)──> its queue
//! ```
//!
//! A worker without siblings puts everything in `bound`: nobody could steal, so it pays for no atomics, and its queue is
//! strictly first in, first out. A simulated worker takes one out of turn now and then, as its seed says.

#[cfg(all(test, runtime_loom))]
mod loom_models;
mod ring;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

use ring::{Ring, Slot};

use crate::{
    random::Pick,
    std_or_loom::{AtomicUsize, Mutex, Ordering},
    task::Task,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::Arc,
};

/// Something to run.
pub(crate) enum Runnable {
    /// The future given to `block_on`. It lives on the stack of the worker's thread.
    Main,
    /// A spawned task.
    Task(Task),
}

/// How often in a row `next` may go before the ring: two tasks that wake each other must not starve the rest.
const NEXT_IN_A_ROW: u32 = 3;

/// How many slots a worker's ring has.
const RING: usize = if cfg!(runtime_loom) { 4 } else { 256 };

/// The part of a worker's queue that its siblings can reach.
#[derive(Default)]
pub(crate) struct Shelf {
    next: Slot<Task>,
    ring: Ring<Task, RING>,
}

/// What a thief may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Half of the ring. The victim runs `next` itself in a moment.
    Half,
    /// `next` too: the victim is stuck.
    All,
}

impl Shelf {
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty() && self.next.is_empty()
    }

    /// How much is on it, as seen from any thread, a moment ago.
    pub(crate) fn len(&self) -> usize {
        self.ring.len_from_outside() + usize::from(!self.next.is_empty())
    }

    /// Nothing that a thief takes from a worker that is not stuck.
    pub(crate) fn has_nothing_to_steal(&self) -> bool {
        self.ring.is_empty()
    }
}

/// A worker's queue, as the worker has it. Borrowed for a push or a pop, never while anything runs.
pub(crate) struct Local {
    shelf: Arc<Shelf>,
    bound: RefCell<VecDeque<Runnable>>,
    alone: bool,
    /// Of a simulated worker, which is alone: chooses which comes next.
    pick: Option<Arc<Pick>>,
    next_in_a_row: Cell<u32>,
    /// Which of ring and bound had its turn last.
    bound_is_next: Cell<bool>,
    /// Something went into the ring since [`take_note`](Local::take_note): a sibling could run it.
    shared_some: Cell<bool>,
}

impl Local {
    /// `alone`: there is no sibling. `pick` chooses which comes next; without it, the first.
    pub(crate) fn new(shelf: Arc<Shelf>, alone: bool, pick: Option<Arc<Pick>>) -> Self {
        Self {
            shelf,
            bound: RefCell::default(),
            alone,
            pick,
            next_in_a_row: Cell::new(0),
            bound_is_next: Cell::new(false),
            shared_some: Cell::new(false),
        }
    }

    /// Something new to run. It goes before what waits in the ring; `overflow` takes what the ring has no room for.
    pub(crate) fn push(&self, runnable: Runnable, overflow: &Injector) {
        match runnable {
            Runnable::Task(task) if !self.alone && !task.is_pinned() => {
                if let Some(displaced) = self.shelf.next.swap(Some(task)) {
                    self.push_to_ring(displaced, overflow);
                }
            }
            runnable => self.bound.borrow_mut().push_back(runnable),
        }
    }

    /// Something that has just run and wants to run again: behind everything else.
    pub(crate) fn push_back(&self, task: Task, overflow: &Injector) {
        if self.alone || task.is_pinned() {
            self.bound.borrow_mut().push_back(Runnable::Task(task));
        } else {
            self.push_to_ring(task, overflow);
        }
    }

    fn push_to_ring(&self, task: Task, overflow: &Injector) {
        self.shared_some.set(true);
        if let Err(task) = self.shelf.ring.push(task) {
            // Half of the ring makes room, under one lock of the injector.
            overflow.extend(self.shelf.ring.take_half().chain([task]));
        }
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        if self.alone {
            let mut runnables = self.bound.borrow_mut();
            return match &self.pick {
                None => runnables.pop_front(),
                Some(pick) => {
                    let place = pick.among(runnables.len());
                    runnables.remove(place)
                }
            };
        }
        if self.next_in_a_row.get() < NEXT_IN_A_ROW
            && let Some(task) = self.shelf.next.take()
        {
            self.next_in_a_row.set(self.next_in_a_row.get() + 1);
            return Some(Runnable::Task(task));
        }
        self.next_in_a_row.set(0);
        // Turn and turn about; whoever has nothing gives way.
        let bound_first = self.bound_is_next.replace(!self.bound_is_next.get());
        let bound = || self.bound.borrow_mut().pop_front();
        let ring = || self.shelf.ring.pop().map(Runnable::Task);
        let popped = if bound_first { bound().or_else(ring) } else { ring().or_else(bound) };
        popped.or_else(|| self.shelf.next.take().map(Runnable::Task))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bound.borrow().is_empty() && self.shelf.is_empty()
    }

    /// How much there is to run, as far as siblings let us know.
    pub(crate) fn len(&self) -> usize {
        let shelf = if self.alone { 0 } else { self.shelf.ring.len() + usize::from(!self.shelf.next.is_empty()) };
        self.bound.borrow().len() + shelf
    }

    /// Has anything gone into the ring since this was asked last?
    pub(crate) fn take_note(&self) -> bool {
        self.shared_some.replace(false)
    }

    /// Takes from a sibling's shelf: one task to run now, the others into our own ring, as far as it has room.
    ///
    /// The one is to be [pushed](Local::push), not kept: whatever this worker runs before it may get stuck, and then a sibling must
    /// find it.
    pub(crate) fn steal_from(&self, victim: &Shelf, take: Take) -> Option<Task> {
        let stolen = victim.ring.steal_into(&self.shelf.ring);
        stolen.or_else(|| if take == Take::All { victim.next.take() } else { None })
    }

    /// Takes this worker's share of what came from outside: all of it if it is alone.
    pub(crate) fn take_from(&self, injector: &Injector, workers: usize) {
        // One even if there is no room: a ring that is always full must not starve those who wait outside.
        let room = (RING - self.shelf.ring.len()).clamp(1, RING / 2);
        injector.take_share(workers, if self.alone { usize::MAX } else { room }, |task| {
            if self.alone || task.is_pinned() {
                self.bound.borrow_mut().push_back(Runnable::Task(task));
            } else if let Err(task) = self.shelf.ring.push(task) {
                // No room after all: it stays with us, out of the siblings' reach.
                self.bound.borrow_mut().push_back(Runnable::Task(task));
            }
        });
    }
}

/// The way in for tasks that are woken or spawned where no worker is. Pushing does not wake a worker: the caller does, after.
#[derive(Default)]
pub(crate) struct Injector {
    queue: Mutex<Injected>,
    /// As long as the queue: lets workers see that it is empty without the lock.
    length: AtomicUsize,
}

#[derive(Default)]
struct Injected {
    tasks: VecDeque<Task>,
    refuses_new: bool,
    /// How many newborn tasks have come this way.
    taken_new: u64,
}

impl Injector {
    /// A task that lives already.
    pub(crate) fn push(&self, task: Task) {
        self.extend([task]);
    }

    /// A newborn task. `Err`: none are taken now.
    pub(crate) fn push_new(&self, task: Task) -> Result<(), Task> {
        let mut queue = self.queue.lock().unwrap();
        if queue.refuses_new {
            return Err(task);
        }
        queue.tasks.push_back(task);
        queue.taken_new += 1;
        self.length.store(queue.tasks.len(), Ordering::Release);
        Ok(())
    }

    /// How many newborn tasks have come this way.
    pub(crate) fn taken_new(&self) -> u64 {
        self.queue.lock().unwrap().taken_new
    }

    /// How many wait here, a moment ago.
    pub(crate) fn len(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// From now on, are newborn tasks taken?
    pub(crate) fn set_open(&self, open: bool) {
        self.queue.lock().unwrap().refuses_new = !open;
    }

    fn extend(&self, tasks: impl IntoIterator<Item = Task>) {
        let mut queue = self.queue.lock().unwrap();
        queue.tasks.extend(tasks);
        self.length.store(queue.tasks.len(), Ordering::Release);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length.load(Ordering::Acquire) == 0
    }

    /// Gives at least one task (if there is any), and at most one worker's share of all of them, or `most`.
    fn take_share(&self, workers: usize, most: usize, mut give: impl FnMut(Task)) {
        if self.is_empty() {
            return;
        }
        let mut queue = self.queue.lock().unwrap();
        let share = queue.tasks.len().div_ceil(workers).min(most);
        queue.tasks.drain(..share).for_each(&mut give);
        self.length.store(queue.tasks.len(), Ordering::Release);
    }
}
