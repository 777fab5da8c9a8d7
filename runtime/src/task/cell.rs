//! The cell: one allocation that holds all there is of a task.
//!
//! ```text
//!            ┌──────────────── Header (the same for every task) ─────────────────┐
//!   Task ───>│ state │ vtable │ id, name, place of spawn │ join waker │ listed    │ scheduler │ stage: future | output │
//!  Waker ───>└───────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Who may touch what:
//!
//! | field | who |
//! |---|---|
//! | `state` | anyone who holds a reference: it is atomic |
//! | `vtable`, `birth`, `scheduler` | anyone who holds a reference: never written after birth |
//! | `listed` | the thread that runs it (`HELD`); the state word orders one run after another, so it is `Relaxed` |
//! | `stage` | the thread that runs it (`HELD`); after `COMPLETE`, the handle (or, if it is gone, whoever completed) |
//! | `join_waker` | the handle while `JOIN_WAKER` is unset; the runtime once it is set |
//!
//! The pointers are raw because several owners with different rights share the cell, and because its type is erased: a
//! [`Task`] in a queue does not know which future it carries. Every `unsafe` block below leans on one row of this table, or
//! on the one rule for memory: *whoever uses the cell holds a reference to it*. A queue holds none of its own; it borrows
//! the future's, which lasts until the task is complete, and a task in a queue is not. (Once the task has waited, the list of
//! its worker holds the future's reference for it.)
#![expect(unsafe_code, reason = "the task cell is the one hand-made memory structure; its rules stand above")]

use super::{
    AbortHandle, JoinError, Panic,
    reference::Reference,
    state::{Completed, Ended, Started, State, Woken},
};
use crate::{
    std_or_loom::UnsafeCell,
    trace::{Outcome, TaskId},
};
use std::{
    fmt,
    future::Future,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, Location, catch_unwind},
    pin::Pin,
    ptr::NonNull,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
};

/// Where woken tasks go.
pub(crate) trait Schedule: Send + Sync + 'static {
    /// Puts a runnable task on a queue.
    ///
    /// The task may run, end and be freed on another thread before this returns; an implementation must not count on `self`
    /// living in the task. (The callers hold a reference to the cell across the call.)
    fn schedule(&self, task: Task);

    /// Must a task of this scheduler run where it was spawned? Then it is in no queue that another worker takes from.
    const PINNED: bool = false;

    /// A task became runnable: it is about to be scheduled, or will be when its poll ends. For the trace.
    fn woken(&self, _task: TaskId) {}

    /// The task was asked to end. `false`: it does not heed that, and must be aborted.
    fn asked(&self, _task: AbortHandle) -> bool {
        false
    }

    /// A task waits for the first time: from now on it may be in no queue, and only a list can find it. Called while it is
    /// still `HELD`; the answer comes back with [`Ran::Done`].
    ///
    /// `task` is the future's own reference, which moves into the list: what takes it out, after the task is over, drops it.
    /// `Err`: there is no list, and the reference stays with the future.
    fn waits(&self, task: AbortHandle) -> Result<Listed, AbortHandle> {
        Err(task)
    }

    /// Who wants to know how tasks end, if anybody does.
    fn observer(&self) -> Option<&dyn Observer> {
        None
    }
}

/// Wants to know how tasks end: the registry, when a runtime is debugged.
pub(crate) trait Observer: Sync {
    /// The runtime's number, among those that are observed.
    fn runtime(&self) -> usize;

    /// The task is about to be complete; nobody can have seen it complete before this returns. `error`: it has no output.
    fn ends(&self, task: TaskId, error: Option<&JoinError>);

    /// The task is over, and whatever it ended with was dropped unseen.
    fn unobserved(&self, task: TaskId);
}

/// The place of a waiting task in the list of the worker that saw it wait first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) worker: u32,
    pub(crate) place: u32,
}

/// `Option<Listed>` in one atomic word, all ones for `None`. (Atomic only because a `Cell` would not be `Sync`.)
struct ListedWord(AtomicU64);

impl ListedWord {
    const NOWHERE: u64 = u64::MAX;

    #[inline]
    fn get(&self) -> Option<Listed> {
        let word = self.0.load(Relaxed);
        (word != Self::NOWHERE).then_some(Listed { worker: (word >> 32) as u32, place: word as u32 })
    }

    fn set(&self, Listed { worker, place }: Listed) {
        self.0.store(u64::from(worker) << 32 | u64::from(place), Relaxed);
    }
}

/// What is known of a task from its birth.
#[derive(Clone, Debug)]
pub(crate) struct Birth {
    pub(crate) id: TaskId,
    pub(crate) place: &'static Location<'static>,
    /// In a box of its own: few tasks have one, and every task pays for the word.
    pub(crate) name: Option<Box<Arc<str>>>,
}

/// Number, name, and the line that spawned it.
impl fmt::Display for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " \"{name}\"")?;
        }
        write!(f, " (spawned at {})", self.place)
    }
}

pub(super) struct Header {
    pub(super) state: State,
    pub(super) vtable: &'static Vtable,
    pub(super) birth: Birth,
    pub(super) join_waker: UnsafeCell<Option<Waker>>,
    listed: ListedWord,
}

/// A look at an observer.
type Look<'look> = &'look mut dyn FnMut(&dyn Observer);

/// What depends on the type of the future and of the scheduler.
pub(super) struct Vtable {
    run: unsafe fn(NonNull<Header>) -> Ran,
    schedule: unsafe fn(NonNull<Header>),
    woken: unsafe fn(NonNull<Header>),
    pub(super) asked: unsafe fn(NonNull<Header>, AbortHandle) -> bool,
    /// Moves the output out; the second pointer is to an `Option<Result<T, JoinError>>` of the task's `T`.
    pub(super) take_output: unsafe fn(NonNull<Header>, NonNull<()>),
    free: unsafe fn(NonNull<Header>),
    /// Shows the observer to a function, if there is one.
    pub(super) observer: unsafe fn(NonNull<Header>, Look<'_>),
    pinned: bool,
}

// ANCHOR: cell
/// `repr(C)`: a pointer to the cell is a pointer to its header.
#[repr(C)]
struct Cell<F: Future, S> {
    header: Header,
    scheduler: S,
    stage: UnsafeCell<Stage<F>>,
}

enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, JoinError>),
    Empty,
}
// ANCHOR_END: cell

/// What a run came to.
#[must_use = "a task that asks to be run again must be queued"]
pub(crate) enum Ran {
    /// Pending. The task belongs to its wakers.
    Idle,
    /// Pending, and woken meanwhile: queue it again.
    Again(Task),
    /// Over; its future is gone. If it ever waited, its entry in that list must go too.
    Done(Outcome, Option<Listed>),
}

/// A runnable task: the licence to run it once. At most one exists for a task at any time.
///
/// It must be run; dropping it leaks the task (and that is all that happens).
#[must_use = "a runnable task must be run or queued"]
pub(crate) struct Task(NonNull<Header>);

// SAFETY: `spawn` asks for a future, an output and a scheduler that are `Send`, and everything else in the cell is atomic,
// immutable or guarded by the table at the top.
unsafe impl Send for Task {}

/// Makes a task: scheduled already, so the caller must queue the `Task`.
///
/// The output need not be `Send`: only the handle moves it to another thread, and the handle is `Send` only if the output is.
pub(crate) fn new<F, S>(birth: Birth, scheduler: S, future: F) -> (Task, Reference)
where
    F: Future + Send + 'static,
    S: Schedule,
{
    let cell = Box::new(Cell {
        header: Header {
            state: State::new(),
            vtable: const { &Vtable::of::<F, S>() },
            birth,
            join_waker: UnsafeCell::new(None),
            listed: ListedWord(AtomicU64::new(ListedWord::NOWHERE)),
        },
        scheduler,
        stage: UnsafeCell::new(Stage::Future(future)),
    });
    let header = NonNull::from(Box::leak(cell)).cast::<Header>();
    // The state word was born with the handle's reference counted: this is it.
    (Task(header), Reference::counted(header))
}

impl Task {
    pub(crate) fn birth(&self) -> &Birth {
        // SAFETY: a runnable task is not complete, so the future's own reference keeps the cell alive.
        &unsafe { self.0.as_ref() }.birth
    }

    /// Must it run on the worker where it was spawned?
    pub(crate) fn is_pinned(&self) -> bool {
        // SAFETY: as in `birth`.
        unsafe { self.0.as_ref() }.vtable.pinned
    }

    /// The licence as one word, for a queue of words.
    pub(crate) fn into_word(self) -> NonNull<()> {
        self.0.cast()
    }

    /// # Safety
    /// `word` comes from [`into_word`](Task::into_word), and is turned back once.
    pub(crate) unsafe fn from_word(word: NonNull<()>) -> Self {
        Self(word.cast())
    }

    /// The coming run will drop the future instead of polling it.
    pub(crate) fn abort(&self) {
        // SAFETY: as in `birth`.
        let woken = unsafe { self.0.as_ref() }.state.abort();
        debug_assert_eq!(woken, Woken::Nothing, "we hold the licence");
    }

    /// Polls the future, or drops it if the task was aborted. Contains every panic of the future and of its output.
    pub(crate) fn run(self) -> Ran {
        // SAFETY: as in `birth`; and `self` is the licence that `run` asks for.
        unsafe { (self.0.as_ref().vtable.run)(self.0) }
    }
}

impl Vtable {
    const fn of<F: Future, S: Schedule>() -> Self {
        Self {
            pinned: S::PINNED,
            run: run::<F, S>,
            schedule: schedule::<F, S>,
            woken: woken::<F, S>,
            asked: asked::<F, S>,
            take_output: take_output::<F, S>,
            free: free::<F, S>,
            observer: observer::<F, S>,
        }
    }
}

/// # Safety
/// `header` heads a live `Cell<F, S>`, and the caller holds the licence.
unsafe fn run<F: Future, S: Schedule>(header: NonNull<Header>) -> Ran {
    // SAFETY: the cell is live, and only its shared parts are reached through this reference.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    let output = match cell.header.state.start() {
        Started::Cancel => Err(JoinError::Cancelled),
        Started::Poll => {
            // The waker borrows the future's own reference, which outlives this poll: so it is not counted, and not dropped.
            // SAFETY: `WAKER`'s functions expect a live header, as this is.
            let waker = ManuallyDrop::new(unsafe { Waker::from_raw(raw_waker(header)) });
            let mut context = Context::from_waker(&waker);
            let polled = catch_unwind(AssertUnwindSafe(|| {
                cell.stage.with_mut(|stage| {
                    // SAFETY: we hold the task, and with it the stage.
                    match unsafe { &mut *stage } {
                        Stage::Future(future) => {
                            // SAFETY: it never moves until it is dropped: the cell is on the heap.
                            unsafe { Pin::new_unchecked(future) }.poll(&mut context)
                        }
                        _ => unreachable!("a completed task is never polled"),
                    }
                })
            }));
            match polled {
                Ok(Poll::Ready(output)) => Ok(output),
                Err(payload) => Err(JoinError::Panicked(Panic::new(payload))),
                Ok(Poll::Pending) => {
                    // Listed while it is ours: after `end` it may run, and be gone, elsewhere.
                    if cell.header.listed.get().is_none() {
                        match cell.scheduler.waits(AbortHandle(Reference::counted(header))) {
                            Ok(listed) => cell.header.listed.set(listed),
                            // It is the future's still.
                            Err(own) => std::mem::forget(own),
                        }
                    }
                    return match cell.header.state.end() {
                        Ended::Idle => Ran::Idle,
                        Ended::Again => Ran::Again(Task(header)),
                    };
                }
            }
        }
    };
    let listed = cell.header.listed.get();
    // SAFETY: we hold the task.
    let outcome = unsafe { complete::<F, S>(header, output) };
    if listed.is_none() {
        // SAFETY: this is the future's own reference, given back once: here, or by the list.
        unsafe { release(header) };
    }
    Ran::Done(outcome, listed)
}

/// The end of a task: future dropped, output in place, handle told.
///
/// # Safety
/// `header` heads a live `Cell<F, S>`, and the caller holds the licence. The future's own reference is still to be given back.
unsafe fn complete<F: Future, S: Schedule>(
    header: NonNull<Header>,
    mut output: Result<F::Output, JoinError>,
) -> Outcome {
    // SAFETY: live, by the future's own reference.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    // The future goes first, before `COMPLETE` can be seen. If its drop panics, that is how the task ended.
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the stage is ours until `complete` below.
        cell.stage.with_mut(|stage| unsafe { *stage = Stage::Empty });
    }));
    if let Err(payload) = dropped {
        contain(|| drop(std::mem::replace(&mut output, Err(JoinError::Panicked(Panic::new(payload))))));
    }
    let id = cell.header.birth.id;
    if let Some(observer) = cell.scheduler.observer() {
        observer.ends(id, output.as_ref().err());
    }
    let outcome = match &output {
        Ok(_) => Outcome::Ready,
        Err(JoinError::Cancelled) => Outcome::Cancelled,
        Err(JoinError::Panicked(_)) => Outcome::Panicked,
    };
    // SAFETY: as above. The stage is `Empty`, so nothing is dropped by the assignment.
    cell.stage.with_mut(|stage| unsafe { *stage = Stage::Output(output) });

    let Completed { handle_alive, join_waker } = cell.header.state.complete();
    if join_waker {
        // SAFETY: `JOIN_WAKER` was set before `COMPLETE`: the slot is the runtime's for good.
        let waker = cell.header.join_waker.with_mut(|slot| unsafe { (*slot).take() });
        contain(|| waker.into_iter().for_each(Waker::wake));
    }
    if !handle_alive {
        // SAFETY: the handle was gone before `COMPLETE`, so the output is ours.
        let unwanted = cell.stage.with_mut(|stage| std::mem::replace(unsafe { &mut *stage }, Stage::Empty));
        contain(|| drop(unwanted));
        cell.scheduler.observer().into_iter().for_each(|observer| observer.unobserved(id));
    }
    outcome
}

/// Runs foreign code that must not unwind into ours. Its panic has been printed by the panic hook.
pub(crate) fn contain(foreign: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(foreign)) {
        // A payload may panic in its own drop; what that panics with is let go without another try.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
    }
}

/// # Safety
/// `header` heads a live `Cell<F, S>`; the caller holds a reference across the call, and the licence.
unsafe fn schedule<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: as the caller promises.
    unsafe { header.cast::<Cell<F, S>>().as_ref() }.scheduler.schedule(Task(header));
}

/// # Safety
/// `header` heads a live `Cell<F, S>`.
unsafe fn woken<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: as the caller promises.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    cell.scheduler.woken(cell.header.birth.id);
}

/// # Safety
/// `header` heads a live `Cell<F, S>`, and `task` refers to it.
unsafe fn asked<F: Future, S: Schedule>(header: NonNull<Header>, task: AbortHandle) -> bool {
    // SAFETY: as the caller promises.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    cell.scheduler.asked(task)
}

/// # Safety
/// `header` heads a live `Cell<F, S>`, and the caller holds a reference across the call.
unsafe fn observer<F: Future, S: Schedule>(header: NonNull<Header>, look: Look<'_>) {
    // SAFETY: as the caller promises.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    cell.scheduler.observer().into_iter().for_each(look);
}

/// # Safety
/// `header` heads a live, complete `Cell<F, S>` whose output belongs to the caller; `into` points to an
/// `Option<Result<F::Output, JoinError>>`.
unsafe fn take_output<F: Future, S: Schedule>(header: NonNull<Header>, into: NonNull<()>) {
    // SAFETY: as the caller promises.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    // SAFETY: the output, and with it the stage, is the caller's.
    let stage = cell.stage.with_mut(|stage| std::mem::replace(unsafe { &mut *stage }, Stage::Empty));
    if let Stage::Output(output) = stage {
        // SAFETY: as the caller promises.
        unsafe { *into.cast::<Option<Result<F::Output, JoinError>>>().as_mut() = Some(output) };
    }
}

/// # Safety
/// `header` heads a `Cell<F, S>` to which no reference is left.
unsafe fn free<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: it was made by `Box` in `new`, and nobody else can reach it.
    drop(unsafe { Box::from_raw(header.cast::<Cell<F, S>>().as_ptr()) });
}

/// # Safety
/// The caller gives up one reference.
pub(super) unsafe fn release(header: NonNull<Header>) {
    // SAFETY: the reference given up here kept the header alive until now.
    let header_ref = unsafe { header.as_ref() };
    if header_ref.state.release() {
        let free = header_ref.vtable.free;
        // SAFETY: it was the last one.
        unsafe { free(header) };
    }
}

/// Wakes or aborts through a live header: pushes the task if the transition gave the licence.
///
/// # Safety
/// The caller holds a reference across the call.
pub(super) unsafe fn deliver(header: NonNull<Header>, transition: fn(&State) -> Woken) {
    // SAFETY: as the caller promises.
    let Header { state, vtable, .. } = unsafe { header.as_ref() };
    match transition(state) {
        Woken::Nothing => {}
        // SAFETY: as the caller promises.
        Woken::Noted => unsafe { (vtable.woken)(header) },
        // SAFETY: as the caller promises; and `Push` is the licence.
        Woken::Push => unsafe {
            (vtable.woken)(header);
            (vtable.schedule)(header);
        },
    }
}

// ANCHOR: waker
static WAKER: RawWakerVTable = RawWakerVTable::new(waker_clone, waker_wake, waker_wake_by_ref, waker_drop);

fn raw_waker(header: NonNull<Header>) -> RawWaker {
    RawWaker::new(header.as_ptr().cast::<()>().cast_const(), &WAKER)
}

fn header_of(data: *const ()) -> NonNull<Header> {
    NonNull::new(data.cast_mut().cast()).expect("a waker of ours points at a cell")
}

// SAFETY of the four: `Waker` calls them with the pointer of `raw_waker`, and a waker holds a reference (or, in `run`,
// borrows one for as long as it lives).
unsafe fn waker_clone(data: *const ()) -> RawWaker {
    let header = header_of(data);
    // SAFETY: see above.
    unsafe { header.as_ref() }.state.retain();
    raw_waker(header)
}

unsafe fn waker_wake(data: *const ()) {
    // SAFETY: see above; the waker's reference is given up only after the push.
    unsafe {
        waker_wake_by_ref(data);
        waker_drop(data);
    }
}

unsafe fn waker_wake_by_ref(data: *const ()) {
    // SAFETY: see above.
    unsafe { deliver(header_of(data), State::wake) };
}

unsafe fn waker_drop(data: *const ()) {
    // SAFETY: see above; the waker's reference ends here.
    unsafe { release(header_of(data)) };
}
// ANCHOR_END: waker
