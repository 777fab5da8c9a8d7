//! The records of a runtime's tasks, while it is debugged.
//!
//! The registry hears the same events as the trace, and keeps what they say of each task:
//!
//! ```text
//!              poll              pending                  wake
//!   Scheduled ──────> Running ───────────> Idle ──────────────────> Scheduled
//!    real time         real time │          the runtime's clock        ^
//!                                └── pending, woken meanwhile ─────────┘
//! ```
//!
//! - A record goes when its task ends, before anybody can see that it ended: who has joined a task finds it in the summary.
//! - Of those that ended there are sums by [`Label`], and the latest [`KEPT`].
//! - On several workers, a wake may be heard late, when the poll that it caused has begun: then it counts for the next one. Only
//!   times can suffer from that; what a dump says of a task's state comes from the task.

use super::{Counts, Ended, Group, Outcome, Seen, Summary, Task, Work, dump::Dump, say};
use crate::{
    awaits::{self, Note, Who},
    task::{Birth, JoinError, Observer, TaskId, TaskState},
    time::{Clock, Instant, real_now},
    trace::{self, Cause, Kind},
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How many of the latest that ended are remembered one by one.
const KEPT: usize = 256;

/// How many groups there are at most: names may be anything.
const GROUPS: usize = 1000;

/// How many leaked tasks are named.
const NAMED: usize = 20;

/// What a registry says on standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tells {
    /// What goes wrong.
    pub(crate) warnings: bool,
    /// The summary, at the end of each `block_on`.
    pub(crate) profile: bool,
}

/// The records of one runtime.
pub(crate) struct Registry {
    /// Among all runtimes that listen; from one up.
    number: usize,
    clock: Arc<Clock>,
    tells: Tells,
    state: Mutex<State>,
    _listening: awaits::Listening,
}

#[derive(Default)]
struct State {
    live: BTreeMap<TaskId, Record>,
    ended: VecDeque<Ended>,
    groups: HashMap<Label, (u64, Work)>,
    counts: Counts,
}

/// What tasks are summed up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Label {
    Main,
    Name(Arc<str>),
    Place(&'static Location<'static>),
    Others,
}

/// A task that lives.
struct Record {
    /// `None`: the main future's.
    place: Option<&'static Location<'static>>,
    name: Option<Arc<str>>,
    by: Option<TaskId>,
    born: Instant,
    phase: Phase,
    work: Work,
    /// Of its last poll that ended.
    notes: Vec<Note>,
}

enum Phase {
    /// Since a moment of real time.
    Scheduled(Instant),
    /// Since a moment of real time; was it woken meanwhile?
    Running(Instant, bool),
    /// Since a moment of the runtime's clock.
    Idle(Instant),
}

impl Registry {
    pub(crate) fn new(clock: Arc<Clock>, tells: Tells) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self { number, clock, tells, state: Mutex::default(), _listening: awaits::Listening::begin() }
    }

    pub(crate) fn warns(&self) -> bool {
        self.tells.warnings
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn who(&self, task: TaskId) -> Who {
        Who { runtime: self.number, task: task.0 }
    }

    /// A task came to be. It has not run yet.
    pub(crate) fn born(&self, birth: &Birth, by: Cause) {
        let by = if let Cause::Task(task) = by { Some(task) } else { None };
        let name = birth.name.as_deref().cloned();
        let record = Record::new(Some(birth.place), name, by, self.clock.now());
        let mut state = self.state();
        state.counts.total += 1;
        state.live.insert(birth.id, record);
    }

    /// Something happened, on this thread.
    pub(crate) fn hear(&self, kind: &Kind) {
        match *kind {
            Kind::Poll { task } => self.poll_begins(task),
            Kind::Pending { task } => {
                let notes = awaits::poll_ended(self.who(task));
                let now = self.clock.now();
                self.state().change(task, |record| record.waits(now, notes));
            }
            Kind::Wake { task, .. } => {
                let now = self.clock.now();
                self.state().change(task, |record| record.woken(now));
            }
            Kind::Done { task, outcome } => {
                awaits::poll_ended(self.who(task));
                if task == TaskId::MAIN {
                    // Others have told how they end by themselves.
                    self.ended(
                        task,
                        match outcome {
                            trace::Outcome::Ready => Outcome::Completed,
                            trace::Outcome::Panicked => Outcome::Panicked("".into()),
                            trace::Outcome::Cancelled => Outcome::Cancelled,
                        },
                    );
                }
            }
            _ => {}
        }
    }

    fn poll_begins(&self, task: TaskId) {
        awaits::poll_begins(self.who(task));
        let now = self.clock.now();
        let mut state = self.state();
        if task == TaskId::MAIN && !state.live.contains_key(&task) {
            state.live.insert(task, Record::new(None, None, None, now));
        }
        state.change(task, |record| record.poll_begins(now));
    }

    fn ended(&self, task: TaskId, outcome: Outcome) {
        let now = self.clock.now();
        let mut state = self.state();
        let Some(mut record) = state.live.remove(&task) else { return };
        record.poll_ends(real_now());
        let (tasks, work) = state.group(record.label());
        *tasks += 1;
        *work += record.work;
        let Some(spawned_at) = record.place else { return };
        match outcome {
            Outcome::Completed => state.counts.completed += 1,
            Outcome::Failed(_) | Outcome::Panicked(_) => state.counts.failed += 1,
            Outcome::Cancelled => state.counts.cancelled += 1,
        }
        if state.ended.len() == KEPT {
            state.ended.pop_front();
        }
        let lived = now - record.born;
        state.ended.push_back(Ended { id: task, name: record.name, spawned_at, outcome, lived, work: record.work });
    }

    /// The tasks that live, as far as they have told; `main` first.
    pub(crate) fn look(&self) -> Vec<Seen> {
        let now = self.clock.now();
        self.state().live.iter().map(|(id, record)| record.seen(*id, now)).collect()
    }

    /// `seen` with what is known of who holds what.
    pub(crate) fn dump(&self, seen: Vec<Seen>) -> Dump {
        Dump::new(seen, self.number, awaits::holders(), |nanos| self.clock.since_start(Instant::from_nanos(nanos)))
    }

    pub(crate) fn summary(&self) -> Summary {
        let state = self.state();
        let mut groups = state.groups.clone();
        for record in state.live.values() {
            let (tasks, work) = groups.entry(record.label()).or_default();
            *tasks += 1;
            *work += record.work;
        }
        let main = u64::from(state.live.contains_key(&TaskId::MAIN));
        let counts = Counts { running: state.live.len() as u64 - main, ..state.counts };
        let ended = state.ended.iter().cloned().collect();
        drop(state);
        let group = |(label, (tasks, work)): (Label, _)| Group { label: label.to_string(), tasks, work };
        let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| b.work.busy.cmp(&a.work.busy).then_with(|| a.label.cmp(&b.label)));
        Summary { counts, groups, ended }
    }

    /// The main future is ready; `left` is what lives on, and is about to be cancelled.
    pub(crate) fn report_leaks(&self, left: &Dump) {
        let leaked = left.tasks().iter().filter(|task| task.id != TaskId::MAIN && task.state != TaskState::Aborting);
        let mut lines: Vec<String> = leaked.map(|task| format!("  {}\n", left.describe(task))).collect();
        if lines.is_empty() {
            return;
        }
        let (count, were) = (lines.len(), if lines.len() == 1 { "task was" } else { "tasks were" });
        if count > NAMED {
            lines.truncate(NAMED);
            lines.push(format!("  and {} more\n", count - NAMED));
        }
        say(&format!("runtime: block_on is over, and {count} {were} still alive:\n{}", lines.concat()));
    }

    /// A `block_on` is over.
    pub(crate) fn print_profile(&self) {
        if self.tells.profile {
            say(&format!("runtime: what has run, the busiest first\n{}", self.summary()));
        }
    }
}

impl Observer for Registry {
    fn runtime(&self) -> usize {
        self.number
    }

    fn ends(&self, task: TaskId, error: Option<&JoinError>) {
        let outcome = match error {
            None => awaits::failure_of(self.who(task)).map_or(Outcome::Completed, |why| Outcome::Failed(why.into())),
            Some(JoinError::Cancelled) => Outcome::Cancelled,
            Some(JoinError::Panicked(panic)) => Outcome::Panicked(panic.message().unwrap_or_default().into()),
        };
        self.ended(task, outcome);
    }

    fn unobserved(&self, task: TaskId) {
        if !self.tells.warnings {
            return;
        }
        let state = self.state();
        let ended = state.ended.iter().rev().find(|ended| ended.id == task).cloned();
        drop(state);
        if let Some(ended) = ended
            && let Outcome::Failed(_) | Outcome::Panicked(_) = ended.outcome
        {
            say(&format!("runtime: task {ended} {}, and nobody waited for it\n", ended.outcome));
        }
    }
}

impl State {
    fn change(&mut self, task: TaskId, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.live.get_mut(&task) {
            change(record);
        }
    }

    fn group(&mut self, label: Label) -> &mut (u64, Work) {
        let label = if self.groups.len() < GROUPS || self.groups.contains_key(&label) { label } else { Label::Others };
        self.groups.entry(label).or_default()
    }
}

impl Record {
    fn new(
        place: Option<&'static Location<'static>>,
        name: Option<Arc<str>>,
        by: Option<TaskId>,
        born: Instant,
    ) -> Self {
        let phase = Phase::Scheduled(real_now());
        Self { place, name, by, born, phase, work: Work::default(), notes: Vec::new() }
    }

    fn label(&self) -> Label {
        match (&self.name, self.place) {
            (Some(name), _) => Label::Name(name.clone()),
            (None, Some(place)) => Label::Place(place),
            (None, None) => Label::Main,
        }
    }

    fn woken(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Scheduled(_) => {}
            Phase::Running(_, woken) => *woken = true,
            Phase::Idle(since) => {
                self.work.idle += now - *since;
                self.phase = Phase::Scheduled(real_now());
            }
        }
    }

    fn poll_begins(&mut self, now: Instant) {
        // Where the wake is heard only later.
        self.woken(now);
        let real = real_now();
        if let Phase::Scheduled(since) = self.phase {
            self.work.scheduled += real - since;
        }
        self.work.polls += 1;
        self.phase = Phase::Running(real, false);
    }

    fn poll_ends(&mut self, real: Instant) {
        if let Phase::Running(since, _) = self.phase {
            let length = real - since;
            self.work.busy += length;
            self.work.longest_poll = self.work.longest_poll.max(length);
        }
    }

    fn waits(&mut self, now: Instant, notes: Vec<Note>) {
        let real = real_now();
        self.poll_ends(real);
        let woken = matches!(self.phase, Phase::Running(_, true));
        self.phase = if woken { Phase::Scheduled(real) } else { Phase::Idle(now) };
        self.notes = notes;
    }

    fn seen(&self, id: TaskId, now: Instant) -> Seen {
        let (state, idle_for) = match self.phase {
            Phase::Scheduled(_) => (TaskState::Scheduled, None),
            Phase::Running(..) => (TaskState::Running, None),
            Phase::Idle(since) => (TaskState::Idle, Some(now - since)),
        };
        let task = Task {
            id,
            name: self.name.clone(),
            spawned_at: self.place,
            spawned_by: self.by,
            state,
            idle_for,
            waits_for: Vec::new(),
            holds: Vec::new(),
            work: Some(self.work),
        };
        Seen { task, notes: self.notes.clone() }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Label::Main => f.write_str("main"),
            Label::Name(name) => f.write_str(name),
            Label::Place(place) => write!(f, "{}:{}", place.file(), place.line()),
            Label::Others => f.write_str("(others)"),
        }
    }
}
