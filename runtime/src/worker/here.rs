//! A worker as its own thread sees it: reached through a slot of the thread, without a lock.

use super::{
    heed::Heeding,
    home::{Bound, Home},
    look::add,
    seat::Seat,
    shared::Shared,
};
use crate::{
    current::{self, Slot},
    network,
    queue::{Local, Runnable},
    reactor::Reactor,
    task::{self, Birth, BoundToThread, JoinHandle, TaskId},
    trace::Cause,
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    ops::Range,
    panic::Location,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
};

/// The part of a worker that only its own thread sees.
pub(crate) struct Here {
    pub(super) shared: Arc<Shared>,
    pub(super) worker: usize,
    pub(super) local: Local,
    home: Arc<Home>,
    /// What the thread is doing now: the cause of whatever happens next.
    pub(super) doing: Cell<Cause>,
    /// Numbers for tasks, taken from the common counter a few at a time.
    ids: RefCell<Range<u64>>,
}

thread_local! {
    static CURRENT: Slot<Rc<Here>> = const { RefCell::new(None) };
}

/// The current thread's slots; they are put back when this is dropped.
struct Entered<H, T> {
    _here: H,
    _time: T,
    _reactor: current::Entered<Arc<Reactor>>,
    _network: network::Entered,
}

impl<H, T> Drop for Entered<H, T> {
    fn drop(&mut self) {}
}

/// How many task numbers a worker takes at once.
const IDS: u64 = 64;

impl Here {
    pub(super) fn new(shared: &Arc<Shared>, worker: usize) -> Rc<Self> {
        let pick = shared.simulation.as_ref().map(|simulation| simulation.pick.clone());
        Rc::new(Self {
            shared: shared.clone(),
            worker,
            local: Local::new(shared.seats[worker].shelf.clone(), shared.is_single(), pick),
            home: Arc::new(Home { shared: shared.clone(), worker }),
            doing: Cell::new(Cause::Runtime),
            ids: RefCell::new(0..0),
        })
    }

    /// The worker that the current thread is.
    pub(crate) fn current() -> Option<Rc<Here>> {
        current::get(&CURRENT)
    }

    /// Looks at the task that this thread polls, and at the table of those that heed a request. `look` must not run user code.
    pub(super) fn task<R>(look: impl FnOnce(&Arc<Heeding>, TaskId) -> R) -> Option<R> {
        current::with(&CURRENT, |here| match here.doing.get() {
            Cause::Task(task) => Some(look(&here.shared.heeding, task)),
            _ => None,
        })
        .flatten()
    }

    /// Makes this thread the worker's.
    pub(super) fn enter(self: &Rc<Self>) -> impl Drop + use<> {
        let seat = self.seat();
        self.shared.enter_seat(seat, current::enter(&CURRENT, self.clone()), true)
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(super) fn seat(&self) -> &Seat {
        &self.shared.seats[self.worker]
    }

    /// A number for a new task.
    pub(crate) fn next_id(&self) -> TaskId {
        let mut ids = self.ids.borrow_mut();
        if ids.is_empty() {
            // Where somebody reads the numbers they stand in the order of spawning, whoever spawns.
            let block = if self.shared.is_watched { 1 } else { IDS };
            let first = self.shared.next_task.fetch_add(block, Ordering::Relaxed);
            *ids = first..first + block;
        }
        TaskId(ids.next().expect("it was filled just now"))
    }

    pub(crate) fn spawn<F>(
        &self,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let birth = self.birth(name, place);
        let (task, handle) = task::new(birth, self.home.clone(), future);
        self.push(Runnable::Task(task));
        handle
    }

    /// Spawns a task that stays on this thread.
    pub(crate) fn spawn_local<F>(
        &self,
        name: Option<Box<Arc<str>>>,
        place: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let birth = self.birth(name, place);
        let (task, handle) = task::new(birth, Bound(self.home.clone()), BoundToThread::new(future));
        self.push(Runnable::Task(task));
        handle
    }

    fn birth(&self, name: Option<Box<Arc<str>>>, place: &'static Location<'static>) -> Birth {
        let birth = Birth { id: self.next_id(), place, name };
        add(&self.seat().counters.spawned, 1);
        self.shared.trace_spawn(&birth, self.doing.get());
        birth
    }

    pub(super) fn push(&self, runnable: Runnable) {
        self.local.push(runnable, &self.shared.injector);
    }

    /// After something that may have made tasks runnable: if siblings could run any of them, one is woken.
    pub(super) fn share(&self) {
        if self.local.take_note() {
            self.shared.wake_one();
        }
    }
}

impl Shared {
    /// Gives the current thread, which is no worker, time and reactor: those of the last worker, which is there even between
    /// two `block_on`s, if it is not the only one.
    pub(crate) fn enter_from_outside(&self) -> impl Drop + use<> {
        self.enter_seat(self.seats.last().expect("a runtime has a worker"), (), false)
    }

    /// Puts what is at a seat into the current thread's slots. (`here`: the slot that is only a worker's, filled already.)
    fn enter_seat<H>(&self, seat: &Seat, here: H, worker: bool) -> impl Drop + use<H> {
        Entered {
            _here: here,
            _time: seat.time.enter(worker),
            _reactor: seat.reactor.enter(),
            _network: network::enter(self.simulation.as_ref().map(|simulation| &simulation.network)),
        }
    }

    /// Looks at the current thread's worker, if it is one of ours.
    pub(super) fn here<R>(&self, look: impl FnOnce(&Here) -> R) -> Option<R> {
        current::with(&CURRENT, |here| std::ptr::eq(Arc::as_ptr(&here.shared), self).then(|| look(here))).flatten()
    }

    pub(super) fn cause(&self) -> Cause {
        self.here(|here| here.doing.get()).unwrap_or(Cause::Outside)
    }
}
