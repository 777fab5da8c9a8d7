//! What tasks wait for, as the leaf operations tell it: for the registry of tasks and the graph of who waits for whom.
//!
//! A primitive [notes](waits_for) what its waiter waits for when it is about to say `Pending`; what can have an owner (a lock, a
//! permit) also tells who [has](taken) it. A resource is named by what it is and by the address of its shared state. Where
//! nobody wants to know, each call is a look at one word.
//!
//! ```text
//!   poll_begins ─> [ the notes of this poll ] ─> poll_ended ─> the task's record
//!                     ^ waits_for                                            ┐
//!                     taken, given_back ─> who holds what (one table for all)┴─> the graph
//! ```
//!
//! - Notes belong to the task that is polled on this thread. On a foreign executor, where none of ours is, there are none.
//! - A task's notes are those of its last poll. A set of futures that polls only those woken [says](Kept) those of the others
//!   again.
//! - Who took a resource counts as its holder until it is given back, also if the guard has gone to another task.
//! - Nothing here runs anybody's code.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    mem,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A task among those of all runtimes that listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who {
    pub(crate) runtime: usize,
    pub(crate) task: u64,
}

/// Something that a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Something shared: its kind, and its address.
    Resource(&'static str, usize),
    /// The end of a task. (Of a runtime that does not listen: zero.)
    Task(Who),
    /// A moment, in nanoseconds of the runtime's clock.
    Until(u64),
    /// A source of a reactor, by its number: to read, or to write.
    Source { source: usize, write: bool },
    /// More than is noted.
    More,
}

/// How many things are noted of a poll: one that waits for thousands is not to look through all of them for each.
const MOST: usize = 32;

/// Who holds what: by its address, its kind and each holder. `None`: it was taken where no task was polled.
pub(crate) type Holders = BTreeMap<usize, VecDeque<(&'static str, Option<Who>)>>;

impl Noted {
    /// `false`: there is no room for more.
    fn add(&mut self, note: Note) -> bool {
        match self.waits.len() {
            _ if self.waits.contains(&note) => true,
            ..MOST => {
                self.waits.push(note);
                true
            }
            MOST => {
                self.waits.push(Note::More);
                false
            }
            _ => false,
        }
    }
}

/// How many runtimes want to know.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

static HOLDERS: Mutex<Holders> = Mutex::new(BTreeMap::new());

thread_local! {
    /// The polls that this thread is in, the innermost last: one runtime may end within a task of another.
    static POLLS: RefCell<Vec<Noted>> = const { RefCell::new(Vec::new()) };
}

/// One poll, and what was said in it.
struct Noted {
    who: Who,
    waits: Vec<Note>,
    failure: Option<String>,
}

/// The current task waits for `resource`, a `kind` of thing. Said when a poll is about to be `Pending`.
#[inline]
pub(crate) fn waits_for(kind: &'static str, resource: usize) {
    note(|| Note::Resource(kind, resource));
}

/// The current task has `resource` now.
#[inline]
pub(crate) fn taken(kind: &'static str, resource: usize) {
    if is_heard() {
        note_taken(kind, resource);
    }
}

/// Somebody who had `resource` gave it back.
#[inline]
pub(crate) fn given_back(resource: usize) {
    if is_heard() {
        note_given_back(resource);
    }
}

/// The current task waits for something. Said when a poll is about to be `Pending`.
#[inline]
pub(crate) fn note(what: impl FnOnce() -> Note) {
    if is_heard() {
        add(what());
    }
}

#[inline]
fn is_heard() -> bool {
    LISTENERS.load(Ordering::Relaxed) > 0
}

#[cold]
fn add(note: Note) {
    with_current(|poll| poll.add(note));
}

#[cold]
fn note_taken(kind: &'static str, resource: usize) {
    let who = with_current(|poll| {
        poll.waits.retain(|note| *note != Note::Resource(kind, resource));
        poll.who
    });
    HOLDERS.lock().unwrap().entry(resource).or_default().push_back((kind, who));
}

#[cold]
fn note_given_back(resource: usize) {
    let who = with_current(|poll| poll.who);
    let mut holders = HOLDERS.lock().unwrap();
    // Taken before anybody listened: it is not in the table.
    let Some(of) = holders.get_mut(&resource) else { return };
    // Its own, if it has one; else that of whoever handed it over, the oldest.
    let own = of.iter().position(|(_, holder)| *holder == who).unwrap_or(0);
    of.remove(own);
    if of.is_empty() {
        holders.remove(&resource);
    }
}

/// The poll that this thread is in.
fn with_current<R>(look: impl FnOnce(&mut Noted) -> R) -> Option<R> {
    // A thread that is ending may have lost its slots.
    POLLS.try_with(|polls| polls.borrow_mut().last_mut().map(look)).ok().flatten()
}

/// The task that is polled on this thread, if its runtime listens.
pub(crate) fn current() -> Option<Who> {
    if is_heard() { with_current(|poll| poll.who) } else { None }
}

/// The current task is about to end, and has failed. `why` is asked only if somebody wants to know.
pub(crate) fn failed(why: impl FnOnce() -> String) {
    if current().is_some() {
        let why = why();
        with_current(|poll| poll.failure = Some(why));
    }
}

/// What the current task failed with, if it is `who` and said so.
pub(crate) fn failure_of(who: Who) -> Option<String> {
    with_current(|poll| poll.failure.take().filter(|_| poll.who == who)).flatten()
}

/// What the children of a set wait for. A set that polls only the child that woke keeps one, and says for the others what they
/// said in their own last polls. Empty, unless a runtime listens.
#[derive(Debug, Default)]
pub(crate) struct Kept(BTreeMap<usize, Vec<Note>>);

/// The notes that stood before a child's poll.
pub(crate) struct Before(Vec<Note>);

impl Kept {
    /// A child is about to be polled.
    #[inline]
    pub(crate) fn child_begins() -> Before {
        Before(if is_heard() {
            with_current(|poll| mem::take(&mut poll.waits)).unwrap_or_default()
        } else {
            Vec::new()
        })
    }

    /// It was polled, and waits (or it is over, and has said nothing).
    #[inline]
    pub(crate) fn child_waits(&mut self, child: usize, before: Before) {
        if is_heard() {
            self.keep(child, before);
        }
    }

    #[cold]
    fn keep(&mut self, child: usize, Before(before): Before) {
        let own = with_current(|poll| mem::replace(&mut poll.waits, before)).unwrap_or_default();
        if own.is_empty() {
            self.0.remove(&child);
        } else {
            self.0.insert(child, own);
        }
    }

    /// The child is gone, and with it what it has waited for.
    #[inline]
    pub(crate) fn child_is_gone(&mut self, child: usize) {
        self.0.remove(&child);
    }

    /// The set is about to say `Pending`.
    #[inline]
    pub(crate) fn all_wait(&self) {
        if !self.0.is_empty() {
            with_current(|poll| self.0.values().flatten().all(|note| poll.add(*note)));
        }
    }
}

/// A poll of `who` begins on this thread.
pub(crate) fn poll_begins(who: Who) {
    let _ = POLLS.try_with(|polls| polls.borrow_mut().push(Noted { who, waits: Vec::new(), failure: None }));
}

/// It ended. Its notes.
pub(crate) fn poll_ended(who: Who) -> Vec<Note> {
    let ended = POLLS.try_with(|polls| polls.borrow_mut().pop_if(|poll| poll.who == who).map(|poll| poll.waits));
    ended.ok().flatten().unwrap_or_default()
}

/// Who holds what, at this moment.
pub(crate) fn holders() -> Holders {
    HOLDERS.lock().unwrap().clone()
}

/// A runtime that wants to know, while this lives.
#[derive(Debug)]
pub(crate) struct Listening(());

impl Listening {
    pub(crate) fn begin() -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if LISTENERS.fetch_sub(1, Ordering::Relaxed) == 1 {
            // What is given back from here on would not be heard.
            HOLDERS.lock().unwrap().clear();
        }
    }
}

#[cfg(all(test, not(runtime_loom)))]
mod tests {
    use super::*;

    const A: Who = Who { runtime: usize::MAX, task: 1 };
    const B: Who = Who { runtime: usize::MAX, task: 2 };

    fn holders_of(resource: usize) -> Vec<Option<Who>> {
        holders().get(&resource).into_iter().flatten().map(|(_, who)| *who).collect()
    }

    #[test]
    fn what_one_waits_for_is_noted_once_and_forgotten_when_it_is_taken() {
        let _listening = Listening::begin();
        poll_begins(A);
        waits_for("lock", 17);
        waits_for("lock", 17);
        waits_for("lock", 18);
        taken("lock", 18);
        assert_eq!(poll_ended(A), [Note::Resource("lock", 17)]);
        assert_eq!(holders_of(18), [Some(A)]);
        given_back(18);
        assert_eq!(holders_of(18), []);
    }

    #[test]
    fn who_gives_back_gives_back_its_own_first() {
        let _listening = Listening::begin();
        for who in [A, B] {
            poll_begins(who);
            taken("permit", 27);
            poll_ended(who);
        }
        poll_begins(B);
        given_back(27);
        poll_ended(B);
        assert_eq!(holders_of(27), [Some(A)]);
        given_back(27); // by nobody: a guard that was handed over
        assert_eq!(holders_of(27), []);
        given_back(27); // and one that nobody saw taken
    }

    /// Were the others moved for each, this would take a minute.
    #[test]
    fn of_ten_thousands_of_permits_each_is_given_back_at_once() {
        let start = std::time::Instant::now();
        let _listening = Listening::begin();
        let many = if cfg!(miri) { 100 } else { 200_000 };
        poll_begins(A);
        (0..many).for_each(|_| taken("permit", 57));
        (0..many).for_each(|_| given_back(57));
        poll_ended(A);
        assert_eq!(holders_of(57), []);
        assert!(start.elapsed() < std::time::Duration::from_secs(10));
    }

    #[test]
    fn a_set_says_again_what_its_other_children_wait_for() {
        let _listening = Listening::begin();
        let mut set = Kept::default();
        let mut poll = |children: &[(usize, usize)]| {
            poll_begins(A);
            waits_for("before", 47);
            for (child, resource) in children {
                let before = Kept::child_begins();
                waits_for("lock", *resource);
                set.child_waits(*child, before);
            }
            set.child_is_gone(3);
            set.all_wait();
            let notes = poll_ended(A).into_iter().map(|note| match note {
                Note::Resource(_, resource) => resource,
                other => panic!("{other:?}"),
            });
            notes.collect::<Vec<_>>()
        };
        assert_eq!(poll(&[(1, 48), (2, 49), (3, 50)]), [47, 48, 49]);
        assert_eq!(poll(&[(2, 48)]), [47, 48]);
        assert_eq!(poll(&[(1, 51)]), [47, 51, 48]);
    }

    #[test]
    fn of_a_poll_that_waits_for_thousands_some_are_noted() {
        let _listening = Listening::begin();
        poll_begins(A);
        let many = if cfg!(miri) { MOST + 3 } else { 1_000 };
        (0..many).for_each(|resource| waits_for("lock", resource));
        let notes = poll_ended(A);
        assert_eq!((notes.len(), notes.last()), (MOST + 1, Some(&Note::More)));
    }

    #[test]
    fn a_poll_within_a_poll_has_notes_of_its_own() {
        let _listening = Listening::begin();
        poll_begins(A);
        waits_for("lock", 37);
        poll_begins(B);
        assert_eq!(current(), Some(B));
        waits_for("lock", 38);
        assert_eq!(poll_ended(B), [Note::Resource("lock", 38)]);
        assert_eq!(poll_ended(A), [Note::Resource("lock", 37)]);
        assert_eq!(poll_ended(A), []);
    }
}
