//! Which tasks heed a request to end, and how far each of their handlers is.
//!
//! A task that is asked to end is aborted, unless it has a **handler**: a future in it that wants to do something first. The
//! handlers of a task stand in a tree, as they stand around each other in its code. Only tasks that have one are in the table.
//!
//! ```text
//!            asked, and none inside it lives        it acts            its clean-up is over
//!   Waiting ────────────────────────────────> Told ─────────> Cleaning ────────────────────> Over: waits to be dropped
//!      ^                                       │ goes unheeded   │ goes in the middle          │
//!      └── the handler around it <── raises ───┴─────────────────┴─────────────────────────────┘
//! ```
//!
//! - A request tells the innermost handlers. One that is done with it **raises** it to the one around it, as an exception would
//!   go; that one is told when none that lives is left inside. What is raised around all of them aborts the task.
//! - A request is never lost: a handler that was told and goes without having acted raises it. (But a
//!   [swallowed](Place::swallow) one is heeded.)
//! - One that was told, and has not acted, hands the request on to a handler that comes inside it: what has begun there would be
//!   dropped otherwise without its clean-up.
//! - Under a handler into which a request was raised, every innermost one is told, also one that comes later.
//! - One that cleans up is shielded: no request reaches it, nor what it runs.
//! - Of a task that has ten thousand, one that comes or goes looks at those around it and at no others.
//!
//! No lock is held while wakers are cloned, woken or dropped, nor while a task is aborted.

#[cfg(all(test, runtime_loom))]
mod loom_models;
#[cfg(all(test, not(runtime_loom)))]
mod tests;

use super::here::Here;
use crate::{
    std_or_loom::Mutex,
    task::{AbortHandle, TaskId, contain},
};
use slab::Slab;
use std::{cell::Cell, collections::HashMap, mem, sync::Arc, task::Waker};

/// The tasks of a runtime that have a handler.
#[derive(Default)]
pub(crate) struct Heeding(Mutex<HashMap<TaskId, Arc<Handlers>>>);

/// Those of one task.
struct Handlers {
    task: TaskId,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    handlers: Slab<Handler>,
    /// Those that have none around them.
    outermost: Slab<Key>,
    /// How many are not over.
    live: usize,
    /// A request was raised around all of them.
    raised: bool,
    /// Ends the task; there from the first request on.
    task: Option<AbortHandle>,
}

type Key = usize;

struct Handler {
    around: Option<Key>,
    /// Its place among those that the one around it has directly inside.
    place: usize,
    /// Those directly inside.
    inner: Slab<Key>,
    /// How many of them are not over.
    inside: usize,
    step: Step,
    /// One of those inside has raised a request to it.
    raised: bool,
    /// It is a scope that has asked those inside: what they raise it catches.
    scope: bool,
    /// A request has come that it held back, or that is not for its scope: raised when it goes.
    owed: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Waiting,
    Told,
    Cleaning,
    /// It does what must not be cut short, though nobody has asked: as `Cleaning`, but it raises only what has come meanwhile.
    Holding,
    Over,
}

/// What is to be done without the lock.
#[derive(Default)]
#[must_use = "handlers wait to be woken"]
struct Rest {
    wakers: Vec<Waker>,
    abort: Option<AbortHandle>,
}

impl Rest {
    fn see_to_it(self) {
        self.wakers.into_iter().for_each(|waker| contain(|| waker.wake()));
        self.abort.into_iter().for_each(|task| task.abort());
    }
}

impl State {
    fn insert(&mut self, around: Option<Key>, waker: Waker) -> Key {
        let mut step = if self.is_under_raised(around) { Step::Told } else { Step::Waiting };
        if let Some(around) = around
            && step == Step::Waiting
            && self.handlers[around].step == Step::Told
        {
            // It was told in this very poll, as the innermost; now this one is.
            (self.handlers[around].step, step) = (Step::Waiting, Step::Told);
        }
        let (inner, waker) = (Slab::new(), Some(waker));
        let key = self.handlers.insert(Handler {
            around,
            place: 0,
            inner,
            inside: 0,
            step,
            raised: false,
            scope: false,
            owed: false,
            waker,
        });
        self.put_inside(key, around);
        self.live += 1;
        key
    }

    /// Those directly inside `around`, or inside none.
    fn siblings(&mut self, around: Option<Key>) -> &mut Slab<Key> {
        match around {
            Some(around) => &mut self.handlers[around].inner,
            None => &mut self.outermost,
        }
    }

    fn put_inside(&mut self, key: Key, around: Option<Key>) {
        let place = self.siblings(around).insert(key);
        let handler = &mut self.handlers[key];
        (handler.around, handler.place) = (around, place);
        let live = usize::from(handler.step != Step::Over);
        if let Some(around) = around {
            self.handlers[around].inside += live;
        }
    }

    /// It is over, or goes: for the one around it that is the same.
    fn ends(&mut self, around: Option<Key>) {
        self.live -= 1;
        if let Some(around) = around {
            self.handlers[around].inside -= 1;
        }
    }

    /// Was a request raised to `key`, or to any around it?
    fn is_under_raised(&self, mut key: Option<Key>) -> bool {
        while let Some(handler) = key.map(|key| &self.handlers[key]) {
            if handler.raised {
                return true;
            }
            key = handler.around;
        }
        self.raised
    }

    /// All that are inside `scope`, however deep, or all.
    fn all_inside(&mut self, scope: Option<Key>) -> Vec<Key> {
        let mut all: Vec<Key> = self.siblings(scope).iter().map(|(_, key)| *key).collect();
        let mut looked_into = 0;
        while let Some(key) = all.get(looked_into) {
            all.extend(self.handlers[*key].inner.iter().map(|(_, key)| *key));
            looked_into += 1;
        }
        all
    }

    /// Tells it, if it is an innermost one.
    fn tell(&mut self, key: Key, rest: &mut Rest) {
        let handler = &mut self.handlers[key];
        if handler.step == Step::Waiting && handler.inside == 0 {
            handler.step = Step::Told;
            rest.wakers.extend(handler.waker.take());
        }
    }

    /// A request for all that is inside `scope`, or for the whole task.
    fn ask(&mut self, scope: Option<Key>, rest: &mut Rest) {
        for key in self.all_inside(scope) {
            let handler = &mut self.handlers[key];
            handler.owed |= handler.scope || handler.step == Step::Holding;
            self.tell(key, rest);
        }
    }

    fn raise(&mut self, around: Option<Key>, rest: &mut Rest) {
        let raised = match around {
            Some(around) => {
                let handler = &mut self.handlers[around];
                handler.owed |= handler.step == Step::Holding;
                &mut handler.raised
            }
            None => &mut self.raised,
        };
        // Once: those that come later are told when they come.
        if !mem::replace(raised, true) {
            self.all_inside(around).into_iter().for_each(|key| self.tell(key, rest));
        }
    }

    /// Keeps the promises at the top of the file, after one has ended inside `around`.
    fn settle(&mut self, around: Option<Key>, rest: &mut Rest) {
        if let Some(key) = around
            && self.is_under_raised(around)
        {
            self.tell(key, rest);
        }
        if self.raised && self.live == 0 {
            rest.abort = self.task.clone();
        }
    }

    /// Does the request that it was told of end at this scope?
    fn catches(&self, key: Key) -> bool {
        let Handler { scope, owed, around, .. } = self.handlers[key];
        scope && !owed && !self.is_under_raised(around)
    }

    fn is_over(&mut self, key: Key, rest: &mut Rest) {
        let handler = &mut self.handlers[key];
        handler.step = Step::Over;
        let around = handler.around;
        self.ends(around);
        self.raise(around, rest);
        self.settle(around, rest);
    }

    fn remove(&mut self, key: Key, rest: &mut Rest) -> Handler {
        let raises = match self.handlers[key].step {
            Step::Told => !self.catches(key),
            Step::Cleaning => true,
            Step::Waiting | Step::Holding => self.handlers[key].owed,
            Step::Over => false,
        };
        let mut handler = self.handlers.remove(key);
        let around = handler.around;
        self.siblings(around).remove(handler.place);
        // A future that was polled in its body, and outlives it, is inside the one around it now.
        for (_, inner) in mem::take(&mut handler.inner) {
            self.put_inside(inner, around);
        }
        if handler.step != Step::Over {
            self.ends(around);
        }
        if raises {
            self.raise(around, rest);
        }
        self.settle(around, rest);
        handler
    }
}

impl Heeding {
    /// Asks a task to end. `false`: it does not heed that, and must be aborted.
    pub(crate) fn ask(&self, task: AbortHandle) -> bool {
        let Some(handlers) = self.0.lock().unwrap().get(&task.id()).cloned() else { return false };
        let mut rest = Rest::default();
        {
            let mut state = handlers.state.lock().unwrap();
            if state.live == 0 {
                return false;
            }
            state.task.get_or_insert_with(|| task.clone());
            state.ask(None, &mut rest);
        }
        rest.see_to_it();
        true
    }

    fn register(self: &Arc<Self>, task: TaskId, waker: &Waker) -> Option<Place> {
        let waker = waker.clone();
        let mut tasks = self.0.lock().unwrap();
        let fresh = || Arc::new(Handlers { task, state: Mutex::default() });
        let handlers = tasks.entry(task).or_insert_with(fresh).clone();
        let key = {
            let mut state = handlers.state.lock().unwrap();
            match WITHIN.get().filter(|within| within.handlers == Arc::as_ptr(&handlers)) {
                Some(Within { around: None, .. }) => return None,
                Some(Within { around, .. }) => state.insert(around, waker),
                None => state.insert(None, waker),
            }
        };
        drop(tasks);
        Some(Place { heeding: self.clone(), handlers, key })
    }

    /// The last handler has left, unless another one has come.
    fn forget(&self, handlers: &Arc<Handlers>) {
        let forgotten = {
            let mut tasks = self.0.lock().unwrap();
            let ours = tasks.get(&handlers.task).is_some_and(|found| Arc::ptr_eq(found, handlers));
            let empty = handlers.state.lock().unwrap().handlers.is_empty();
            if ours && empty { tasks.remove(&handlers.task) } else { None }
        };
        drop(forgotten);
    }

    #[cfg(test)]
    fn tasks(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

thread_local! {
    /// Whose body is being polled.
    static WITHIN: Cell<Option<Within>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Within {
    /// Never read through: it only tells whether two are the same.
    handlers: *const Handlers,
    /// The innermost handler; `None`: it cleans up, and what it runs is shielded with it.
    around: Option<Key>,
}

/// A handler's place among those of its task, until it is dropped.
pub(crate) struct Place {
    heeding: Arc<Heeding>,
    handlers: Arc<Handlers>,
    key: Key,
}

impl Place {
    /// A place in the current task, inside the handler whose body is being polled. `None`: this thread polls no task of ours, or
    /// a clean-up.
    pub(crate) fn take(waker: &Waker) -> Option<Place> {
        let (heeding, task) = Here::task(|heeding, task| (heeding.clone(), task))?;
        heeding.register(task, waker)
    }

    /// Is it a place in the task that this thread polls? A future may have gone from one task to another.
    pub(crate) fn is_here(&self) -> bool {
        let ours = |heeding: &Arc<Heeding>, task| task == self.handlers.task && Arc::ptr_eq(heeding, &self.heeding);
        Here::task(ours).unwrap_or(false)
    }

    /// Has it been told? If not, `waker` is woken when it is.
    pub(crate) fn is_told(&self, waker: &Waker) -> bool {
        let mut fresh = None;
        loop {
            let mut state = self.handlers.state.lock().unwrap();
            let handler = &mut state.handlers[self.key];
            if handler.step == Step::Told {
                drop(state);
                return true;
            }
            if handler.waker.as_ref().is_some_and(|stored| stored.will_wake(waker)) {
                drop(state);
                return false;
            }
            let Some(waker) = fresh.take() else {
                drop(state);
                fresh = Some(waker.clone());
                continue;
            };
            let stale = handler.waker.replace(waker);
            drop(state);
            drop(stale);
            return false;
        }
    }

    /// Polls the body: handlers that come meanwhile are inside this one.
    pub(crate) fn around<R>(&self, poll: impl FnOnce() -> R) -> R {
        self.within(Some(self.key), poll)
    }

    /// Polls the clean-up, which is shielded.
    pub(crate) fn shielding<R>(&self, poll: impl FnOnce() -> R) -> R {
        self.within(None, poll)
    }

    fn within<R>(&self, around: Option<Key>, poll: impl FnOnce() -> R) -> R {
        /// The poll may unwind.
        struct Restore(Option<Within>);
        impl Drop for Restore {
            fn drop(&mut self) {
                WITHIN.set(self.0);
            }
        }
        let _restore = Restore(WITHIN.replace(Some(Within { handlers: Arc::as_ptr(&self.handlers), around })));
        poll()
    }

    /// It heeds the request: from now on it is shielded.
    pub(crate) fn clean(&self) {
        self.change(|handler| handler.step = Step::Cleaning);
    }

    /// Nobody may have asked; but from now on it is shielded, and requests wait until it goes.
    pub(crate) fn hold(&self) {
        self.change(|handler| {
            handler.owed |= matches!(handler.step, Step::Told | Step::Cleaning);
            handler.step = Step::Holding;
        });
    }

    /// The request ends here: the task goes on.
    pub(crate) fn swallow(self) {
        self.change(|handler| handler.step = Step::Waiting);
    }

    fn change(&self, change: impl FnOnce(&mut Handler)) {
        change(&mut self.handlers.state.lock().unwrap().handlers[self.key]);
    }

    /// It has cleaned up: the next around it is told, or the task aborted.
    pub(crate) fn is_over(&self) {
        let mut rest = Rest::default();
        self.handlers.state.lock().unwrap().is_over(self.key, &mut rest);
        rest.see_to_it();
    }

    /// It is a scope, and those inside are to end. `false`: there are none.
    pub(crate) fn ask_inside(&self) -> bool {
        let mut rest = Rest::default();
        let any = {
            let mut state = self.handlers.state.lock().unwrap();
            state.handlers[self.key].scope = true;
            state.ask(Some(self.key), &mut rest);
            state.handlers[self.key].inside > 0
        };
        rest.see_to_it();
        any
    }

    /// It has asked those inside, and was told: is that all, or is there a request from outside too?
    pub(crate) fn catches(&self) -> bool {
        self.handlers.state.lock().unwrap().catches(self.key)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut rest = Rest::default();
        let (handler, empty) = {
            let mut state = self.handlers.state.lock().unwrap();
            let handler = state.remove(self.key, &mut rest);
            (handler, state.handlers.is_empty())
        };
        if empty {
            self.heeding.forget(&self.handlers);
        }
        rest.see_to_it();
        drop(handler);
    }
}
