//! A look at all tasks that live, at one moment: what each waits for, and who holds that.

use super::{Cycle, Untaken, Work, graph};
use crate::{
    awaits::{Holders, Note, Who},
    task::{AbortHandle, TaskId, TaskState},
};
use std::{
    collections::BTreeMap,
    fmt::{self, Formatter},
    panic::Location,
    sync::Arc,
    time::Duration,
};

/// The tasks that live. From [`Handle::tasks`](crate::Handle::tasks).
///
/// ```
/// use runtime::{Handle, Runtime, debug::Wait, spawn, task::Builder, yield_now};
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let endless = spawn(std::future::pending::<()>());
///     let id = endless.id();
///     drop(Builder::new().name("waiter").spawn(endless));
///     yield_now().await;
///     let dump = Handle::current().tasks();
///     let waiter = dump.tasks().iter().find(|task| task.name.as_deref() == Some("waiter")).unwrap();
///     assert_eq!(waiter.waits_for, [Wait::Task(id)]);
///     assert!(dump.find_cycles().is_empty());
///     println!("{dump}");
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dump {
    pub(super) tasks: Vec<Task>,
    pub(super) holders: BTreeMap<Resource, Vec<Holder>>,
}

/// A task that lives.
///
/// ```
/// use runtime::{Handle, Runtime, TaskState, spawn, sync::Mutex, yield_now};
/// use std::sync::Arc;
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let lock = Arc::new(Mutex::new(0));
///     let (held, theirs) = (lock.lock().await, lock.clone());
///     let waits = spawn(async move { *theirs.lock().await = 1 });
///     yield_now().await;
///     let dump = Handle::current().tasks();
///     let task = dump.find(waits.id()).unwrap();
///     assert_eq!((task.state, task.spawned_by), (TaskState::Idle, Some(runtime::TaskId::MAIN)));
///     assert_eq!(task.work.unwrap().polls, 1);
///     drop(held);
///     waits.await.unwrap();
/// });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Task {
    /// Its number; [`TaskId::MAIN`] for the future of `block_on`.
    pub id: TaskId,
    /// Its name, where it was given one.
    pub name: Option<Arc<str>>,
    /// The line that spawned it. The main future has none.
    pub spawned_at: Option<&'static Location<'static>>,
    /// The task that spawned it, if it was one. Needs debug, as all that follows but the state.
    pub spawned_by: Option<TaskId>,
    /// Where it stands.
    pub state: TaskState,
    /// Since when it waits to be woken, if it does, by the clock of its runtime.
    pub idle_for: Option<Duration>,
    /// What its last poll waited for: one thing, or several of which it may need all or one. (Once it is woken, what it has
    /// waited for.)
    pub waits_for: Vec<Wait>,
    /// What it took and did not give back.
    pub holds: Vec<Resource>,
    /// What it has cost. `None`: nobody counts.
    pub work: Option<Work>,
}

/// Something that a task waits for.
///
/// ```
/// use runtime::{Handle, Runtime, debug::Wait, spawn, sync::Mutex, yield_now};
/// use std::sync::Arc;
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let lock = Arc::new(Mutex::new(0));
///     let (held, theirs) = (lock.lock().await, lock.clone());
///     let waits = spawn(async move { *theirs.lock().await = 1 });
///     yield_now().await;
///     let dump = Handle::current().tasks();
///     let task = dump.find(waits.id()).unwrap();
///     assert!(matches!(task.waits_for[..], [Wait::Resource(_)]));
///     drop(held);
///     waits.await.unwrap();
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// The end of a task.
    Task(TaskId),
    /// The end of a job on a blocking thread, or of a task of another runtime.
    Outside(TaskId),
    /// A moment, since the start of the runtime.
    Until(Duration),
    /// There may be something to read from a source of a reactor: its number.
    Readable(usize),
    /// There may be room to write.
    Writable(usize),
    /// Something shared.
    Resource(Resource),
    /// More than is noted of one poll.
    More,
}

/// Something that tasks share, and wait for: a lock, a channel.
///
/// ```
/// use runtime::{Handle, Runtime, debug::Wait, spawn, sync::Mutex, yield_now};
/// use std::sync::Arc;
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let lock = Arc::new(Mutex::new(0));
///     let (held, theirs) = (lock.lock().await, lock.clone());
///     let waits = spawn(async move { *theirs.lock().await = 1 });
///     yield_now().await;
///     let dump = Handle::current().tasks();
///     let task = dump.find(waits.id()).unwrap();
///     let Wait::Resource(mutex) = task.waits_for[0] else { unreachable!() };
///     assert_eq!(mutex.to_string(), "mutex 1");
///     drop(held);
///     waits.await.unwrap();
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    kind: &'static str,
    number: usize,
}

impl Resource {
    /// What it is.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its number among those of its kind in this dump, in the order in which the tasks mention them.
    pub fn number(&self) -> usize {
        self.number
    }
}

/// Who holds a resource.
///
/// ```
/// use runtime::{Handle, Runtime, debug::{Holder, Wait}, spawn, sync::Mutex, yield_now};
/// use std::sync::Arc;
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let lock = Arc::new(Mutex::new(0));
///     let (held, theirs) = (lock.lock().await, lock.clone());
///     let waits = spawn(async move { *theirs.lock().await = 1 });
///     yield_now().await;
///     let dump = Handle::current().tasks();
///     let task = dump.find(waits.id()).unwrap();
///     let Wait::Resource(mutex) = task.waits_for[0] else { unreachable!() };
///     assert_eq!(dump.holders(mutex), [Holder::Task(runtime::TaskId::MAIN)]);
///     drop(held);
///     waits.await.unwrap();
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Holder {
    /// A task.
    Task(TaskId),
    /// Another thread, or a task of another runtime.
    Elsewhere,
}

/// A task as the registry, or the worker that keeps it, sees it.
pub(crate) struct Seen {
    pub(super) task: Task,
    pub(super) notes: Vec<Note>,
}

impl Seen {
    /// A task of which nobody keeps a record.
    pub(crate) fn unrecorded(handle: &AbortHandle) -> Self {
        let task = Task {
            id: handle.id(),
            name: handle.name().map(Into::into),
            spawned_at: Some(handle.spawned_at()),
            spawned_by: None,
            state: handle.state(),
            idle_for: None,
            waits_for: Vec::new(),
            holds: Vec::new(),
            work: None,
        };
        Self { task, notes: Vec::new() }
    }

    pub(crate) fn id(&self) -> TaskId {
        self.task.id
    }

    /// The task itself knows better.
    pub(crate) fn correct_state(&mut self, state: TaskState) {
        self.task.state = state;
    }
}

/// Gives resources their numbers.
#[derive(Default)]
struct Numbers {
    of: BTreeMap<(&'static str, usize), Resource>,
    next: BTreeMap<&'static str, usize>,
}

impl Numbers {
    fn resource(&mut self, kind: &'static str, address: usize) -> Resource {
        *self.of.entry((kind, address)).or_insert_with(|| {
            let next = self.next.entry(kind).or_insert(0);
            *next += 1;
            Resource { kind, number: *next }
        })
    }
}

impl Dump {
    /// A dump of what nobody keeps records of.
    pub(crate) fn unrecorded(seen: Vec<Seen>) -> Self {
        Self::new(seen, 0, Holders::default(), Duration::from_nanos)
    }

    /// `runtime` is the number of the runtime whose tasks these are; `since_start` turns its moments into times.
    pub(super) fn new(
        mut seen: Vec<Seen>,
        runtime: usize,
        holders: Holders,
        since_start: impl Fn(u64) -> Duration,
    ) -> Self {
        seen.sort_by_key(Seen::id);
        let mut numbers = Numbers::default();
        let mut dump = Dump::default();
        for Seen { mut task, notes } in seen {
            let waits = notes.into_iter().map(|note| match note {
                Note::Task(Who { runtime: of, task }) if of == runtime => Wait::Task(TaskId(task)),
                Note::Task(Who { task, .. }) => Wait::Outside(TaskId(task)),
                Note::Until(nanos) => Wait::Until(since_start(nanos)),
                Note::Source { source, write: false } => Wait::Readable(source),
                Note::Source { source, write: true } => Wait::Writable(source),
                Note::More => Wait::More,
                Note::Resource(kind, address) => Wait::Resource(numbers.resource(kind, address)),
            });
            task.waits_for = waits.collect();
            dump.tasks.push(task);
        }
        // By task, so that the numbers do not depend on addresses.
        let mut held: Vec<_> = holders
            .into_iter()
            .flat_map(|(address, all)| all.into_iter().map(move |(kind, who)| (who, kind, address)))
            .collect();
        held.sort_by_key(|(who, ..)| *who);
        for (who, kind, address) in held {
            let holder = match who {
                Some(who) if who.runtime == runtime => Holder::Task(TaskId(who.task)),
                // Nothing of ours waits for it.
                _ if !numbers.of.contains_key(&(kind, address)) => continue,
                _ => Holder::Elsewhere,
            };
            let resource = numbers.resource(kind, address);
            dump.holders.entry(resource).or_default().push(holder);
            if let Holder::Task(id) = holder
                && let Ok(place) = dump.place(id)
            {
                dump.tasks[place].holds.push(resource);
            }
        }
        dump
    }

    /// The tasks, by number; with debug the main future is the first.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async {
    ///     drop(runtime::spawn(async {}));
    ///     let ids: Vec<_> = runtime::Handle::current().tasks().tasks().iter().map(|task| task.id.to_string()).collect();
    ///     assert_eq!(ids, ["main", "#1"]);
    /// });
    /// ```
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// One of them, if it lives.
    ///
    /// ```
    /// runtime::block_on(async {
    ///     let task = runtime::spawn(async {});
    ///     let id = task.id();
    ///     task.await.unwrap();
    ///     assert!(runtime::Handle::current().tasks().find(id).is_none());
    /// });
    /// ```
    pub fn find(&self, id: TaskId) -> Option<&Task> {
        self.place(id).ok().map(|place| &self.tasks[place])
    }

    fn place(&self, id: TaskId) -> Result<usize, usize> {
        self.tasks.binary_search_by_key(&id, |task| task.id)
    }

    /// Who holds `resource`: nobody, one, or (permits) several.
    ///
    /// ```
    /// use runtime::{Handle, Runtime, TaskId, debug::{Holder, Wait}, spawn, sync::Mutex, yield_now};
    /// use std::sync::Arc;
    /// let runtime = Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async {
    ///     let lock = Arc::new(Mutex::new(0));
    ///     let (held, theirs) = (lock.lock().await, lock.clone());
    ///     let waits = spawn(async move { *theirs.lock().await = 1 });
    ///     yield_now().await;
    ///     let dump = Handle::current().tasks();
    ///     let Wait::Resource(mutex) = dump.find(waits.id()).unwrap().waits_for[0] else { unreachable!() };
    ///     assert_eq!((mutex.kind(), mutex.number()), ("mutex", 1));
    ///     assert_eq!(dump.holders(mutex), [Holder::Task(TaskId::MAIN)]);
    ///     assert_eq!(dump.find(TaskId::MAIN).unwrap().holds, [mutex]);
    ///     drop(held);
    ///     waits.await.unwrap();
    /// });
    /// ```
    pub fn holders(&self, resource: Resource) -> &[Holder] {
        self.holders.get(&resource).map_or(&[], Vec::as_slice)
    }

    /// Tasks that wait for each other in a circle: at most one circle for each task. Needs debug.
    ///
    /// Not each is a [deadlock](Cycle::is_deadlock): one of them may also wait for something else.
    ///
    /// ```
    /// use runtime::{Handle, JoinHandle, Runtime, spawn, sync::oneshot, yield_now};
    /// let runtime = Runtime::builder().virtual_clock().debug(true).build().unwrap();
    /// runtime.block_on(async {
    ///     let (give, take) = oneshot::channel::<JoinHandle<()>>();
    ///     let one = spawn(async { take.await.unwrap().await.unwrap() });
    ///     let other = spawn(async { one.await.unwrap() });
    ///     give.send(other).unwrap();
    ///     yield_now().await;
    ///     let cycles = Handle::current().tasks().find_cycles();
    ///     assert!(cycles[0].is_deadlock());
    ///     assert!(cycles[0].to_string().starts_with("deadlock: task #1 "), "{}", cycles[0]);
    /// });
    /// ```
    pub fn find_cycles(&self) -> Vec<Cycle> {
        graph::find_cycles(self)
    }

    /// Locks that were handed on and not taken: nobody holds them, and yet tasks wait for them. Needs debug.
    ///
    /// A lock that is fair hands its turn to the future that has waited longest. If nobody polls that future any more (it is in
    /// a `select` whose other branch runs, or in a set that is not asked), nobody gets the lock: a *futurelock*. On several
    /// workers, a turn that is just being handed on may look the same for a moment.
    pub fn find_untaken(&self) -> Vec<Untaken> {
        graph::find_untaken(self)
    }

    /// A task in one line: number, name, place, state, what it waits for and who has that, what it holds, what it has cost.
    pub(crate) fn describe(&self, task: &Task) -> String {
        let mut text = format!("{task}: {}", task.state);
        if let Some(idle) = task.idle_for.filter(|_| task.state == TaskState::Idle) {
            text += &format!(" for {idle:?}");
        }
        if !task.waits_for.is_empty() && task.state == TaskState::Idle {
            let waits: Vec<String> = task.waits_for.iter().map(|wait| self.describe_wait(wait)).collect();
            text += &format!(", waits for {}", waits.join(" and "));
        }
        if !task.holds.is_empty() {
            let holds: Vec<String> = task.holds.iter().map(Resource::to_string).collect();
            text += &format!(", holds {}", holds.join(" and "));
        }
        text
    }

    pub(super) fn describe_wait(&self, wait: &Wait) -> String {
        let Wait::Resource(resource) = wait else { return wait.to_string() };
        let holders: Vec<String> = self.holders(*resource).iter().map(|holder| self.describe_holder(holder)).collect();
        if holders.is_empty() { resource.to_string() } else { format!("{resource} (held by {})", holders.join(", ")) }
    }

    fn describe_holder(&self, holder: &Holder) -> String {
        match holder {
            Holder::Elsewhere => "another thread".to_owned(),
            Holder::Task(id) => match self.find(*id) {
                Some(task) => task.short().to_string(),
                None => format!("task {id}, which is over"),
            },
        }
    }
}

impl Task {
    /// `task #3 "name"`; `main`.
    pub(super) fn short(&self) -> impl fmt::Display {
        match (&self.name, self.id) {
            (_, TaskId::MAIN) => "main".to_owned(),
            (Some(name), id) => format!("task {id} \"{name}\""),
            (None, id) => format!("task {id}"),
        }
    }
}

/// Number, name, and the line that spawned it.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.name.iter().try_for_each(|name| write!(f, " \"{name}\""))?;
        self.spawned_at.iter().try_for_each(|place| write!(f, " (spawned at {place})"))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.number)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Wait::Task(task) => write!(f, "task {task}"),
            Wait::Outside(task) => write!(f, "job {task}"),
            Wait::Until(moment) => write!(f, "sleep until {moment:?}"),
            Wait::Readable(source) => write!(f, "readable source {source}"),
            Wait::Writable(source) => write!(f, "writable source {source}"),
            Wait::Resource(resource) => resource.fmt(f),
            Wait::More => f.write_str("more"),
        }
    }
}

/// A line a task; then what is wrong: deadlocks, and what nobody takes.
impl fmt::Display for Dump {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for task in &self.tasks {
            write!(f, "{}", self.describe(task))?;
            if let Some(work) = &task.work {
                write!(f, "; {} polls, busy for {:?}", work.polls, work.busy)?;
            }
            writeln!(f)?;
        }
        self.find_cycles().iter().try_for_each(|cycle| writeln!(f, "{cycle}"))?;
        self.find_untaken().iter().try_for_each(|untaken| writeln!(f, "{untaken}"))
    }
}
