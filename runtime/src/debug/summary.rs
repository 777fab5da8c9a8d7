//! What has run: sums by name or by place, and the latest that ended.

use crate::task::TaskId;
use std::{
    fmt::{self, Formatter},
    ops::AddAssign,
    panic::Location,
    sync::Arc,
    time::Duration,
};

/// What a task, or a group of them, has cost so far.
///
/// ```
/// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
/// let summary = runtime.handle().summary();
/// assert_eq!(summary.ended()[0].work.polls, 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// How often it was polled.
    pub polls: u64,
    /// How long its polls took: real time.
    pub busy: Duration,
    /// How long it waited in queues, runnable: real time.
    pub scheduled: Duration,
    /// How long it waited to be woken, by the clock of its runtime.
    pub idle: Duration,
    /// Its longest poll: real time.
    pub longest_poll: Duration,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Work) {
        self.polls += other.polls;
        self.busy += other.busy;
        self.scheduled += other.scheduled;
        self.idle += other.idle;
        self.longest_poll = self.longest_poll.max(other.longest_poll);
    }
}

/// How a task ended, in the words that it ended with.
///
/// ```
/// use runtime::debug::Outcome;
/// assert_eq!(Outcome::Failed("no route".into()).to_string(), "failed - no route");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its future returned.
    Completed,
    /// It returned an error, and was wrapped by [`fallible`](super::fallible).
    Failed(Arc<str>),
    /// It panicked. Empty, if not with a text.
    Panicked(Arc<str>),
    /// It was aborted, or its runtime ended first.
    Cancelled,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Completed => f.write_str("completed"),
            Outcome::Failed(error) => write!(f, "failed - {error}"),
            Outcome::Panicked(message) if message.is_empty() => f.write_str("panicked"),
            Outcome::Panicked(message) => write!(f, "panicked - {message}"),
            Outcome::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// A task that is over.
///
/// ```
/// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
/// let summary = runtime.handle().summary();
/// assert!(summary.ended()[0].to_string().starts_with("#1 \"greet\" (spawned at "));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ended {
    /// Its number.
    pub id: TaskId,
    /// Its name, where it was given one.
    pub name: Option<Arc<str>>,
    /// The line that spawned it.
    pub spawned_at: &'static Location<'static>,
    /// How it ended.
    pub outcome: Outcome,
    /// From spawn to end, by the clock of its runtime.
    pub lived: Duration,
    /// What it has cost.
    pub work: Work,
}

/// Number, name, and the line that spawned it.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " \"{name}\"")?;
        }
        write!(f, " (spawned at {})", self.spawned_at)
    }
}

/// How many tasks there were, and what became of them. (The main future is none of them.)
///
/// ```
/// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
/// let summary = runtime.handle().summary();
/// assert_eq!((summary.counts().total, summary.counts().completed), (1, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All that were spawned.
    pub total: u64,
    /// Those that live.
    pub running: u64,
    /// Those that returned, and not with an error that [`fallible`](super::fallible) saw.
    pub completed: u64,
    /// Those that returned an error ([`fallible`](super::fallible) saw it), or panicked.
    pub failed: u64,
    /// Those that were aborted, or outlived by the end of `block_on`.
    pub cancelled: u64,
}

/// `Total 7, Completed 6, Failed 1`: what is zero is left out, but for the total.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Total {}", self.total)?;
        let parts = [
            ("Running", self.running),
            ("Completed", self.completed),
            ("Failed", self.failed),
            ("Cancelled", self.cancelled),
        ];
        parts.iter().filter(|(_, count)| *count > 0).try_for_each(|(what, count)| write!(f, ", {what} {count}"))
    }
}

/// Tasks of one name; or, without a name, of one line that spawns.
///
/// ```
/// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
/// let summary = runtime.handle().summary();
/// let mut labels: Vec<_> = summary.groups().iter().map(|group| group.label.as_str()).collect();
/// labels.sort();
/// assert_eq!(labels, ["greet", "main"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The name, or the file and the line; `main` for the future of `block_on`.
    pub label: String,
    /// How many.
    pub tasks: u64,
    /// What they have cost, those that live included.
    pub work: Work,
}

/// What has run so far. From [`Handle::summary`](crate::Handle::summary); as text, a table with the busiest first.
///
/// There are a thousand groups at most: what comes after is summed up as `(others)`.
///
/// ```
/// use runtime::{Handle, Runtime, debug::fallible, task::Builder};
/// let runtime = Runtime::builder().debug(true).build().unwrap();
/// runtime.block_on(async {
///     let fails = fallible(async { Err::<(), _>("out of cheese") });
///     Builder::new().name("lunch").spawn(fails).await.unwrap().unwrap_err();
///     let summary = Handle::current().summary();
///     assert_eq!(summary.counts().to_string(), "Total 1, Failed 1");
///     assert_eq!(summary.ended()[0].outcome.to_string(), "failed - out of cheese");
///     assert!(summary.groups().iter().any(|group| group.label == "lunch" && group.work.polls == 1));
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub(super) counts: Counts,
    pub(super) groups: Vec<Group>,
    pub(super) ended: Vec<Ended>,
}

impl Summary {
    /// How many, and what became of them.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
    /// let summary = runtime.handle().summary();
    /// assert_eq!(summary.counts().to_string(), "Total 1, Completed 1");
    /// ```
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What they cost, by name or by place; the busiest first.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
    /// let summary = runtime.handle().summary();
    /// assert!(summary.groups().is_sorted_by(|one, next| one.work.busy >= next.work.busy));
    /// ```
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The latest that ended, in the order in which they did: 256 at most.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().debug(true).build().unwrap();
    /// runtime.block_on(async { runtime::task::Builder::new().name("greet").spawn(async {}).await.unwrap() });
    /// let summary = runtime.handle().summary();
    /// assert_eq!(summary.ended()[0].name.as_deref(), Some("greet"));
    /// ```
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }
}

/// Milliseconds with one decimal.
struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.1}", self.0.as_secs_f64() * 1e3))
    }
}

/// Longer labels keep their end, which tells more.
const WIDEST: usize = 40;

fn shortened(label: &str) -> String {
    let length = label.chars().count();
    if length <= WIDEST {
        return label.to_owned();
    }
    format!("…{}", label.chars().skip(length - WIDEST + 1).collect::<String>())
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self.groups.iter().map(|group| shortened(&group.label)).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max("task".len());
        writeln!(
            f,
            "{:<width$} {:>7} {:>9} {:>10} {:>13} {:>10} {:>10}",
            "task", "tasks", "polls", "busy ms", "scheduled ms", "idle ms", "longest ms"
        )?;
        for (label, Group { tasks, work, .. }) in labels.iter().zip(&self.groups) {
            writeln!(
                f,
                "{label:<width$} {tasks:>7} {:>9} {:>10} {:>13} {:>10} {:>10}",
                work.polls,
                Milliseconds(work.busy),
                Milliseconds(work.scheduled),
                Milliseconds(work.idle),
                Milliseconds(work.longest_poll)
            )?;
        }
        Ok(())
    }
}
