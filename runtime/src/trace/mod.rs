//! The record of what a runtime does: who was polled, who woke whom, when a worker slept and why it got up.
//!
//! ```text
//!   runtime ── record ──> Recorder (a bounded ring) ── snapshot ──> Trace ──> text   (Display)
//!                                                                         ├─> SVG    (timeline_svg)
//!                                                                         └─> JSON   (chrome_json)
//! ```
//!
//! Every picture and every schedule that the book shows is drawn from this one record. Off, it costs one branch.
//!
//! With the feature `tracing`, what becomes of tasks is also told to the subscribers of the `tracing` crate: target `runtime`,
//! level `TRACE`. `RUST_LOG=runtime=trace` shows it, where the program has a subscriber that reads that.
//!
//! - Events stand in the order in which they happened; their times never go back.
//! - The ring is bounded: when it is full the oldest event goes, and [`Trace::lost`] counts it.
//!
//! ```
//! use runtime::{Runtime, task::Builder, time::sleep};
//! use std::time::Duration;
//! let runtime = Runtime::builder().virtual_clock().trace().build().unwrap();
//! runtime.block_on(async {
//!     let nap = Builder::new().name("nap").spawn(async { sleep(Duration::from_millis(250)).await });
//!     nap.await.unwrap();
//! });
//! let text = runtime.trace().to_string();
//! let story = [r#"spawn    #1 "nap" by main"#, "park     until 250.000 ms", "wake     #1 by the timers", "done     #1: ready"];
//! assert!(story.iter().all(|line| text.contains(line)), "{text}");
//! ```

mod chrome;
mod subscribers;
mod svg;
mod text;

pub(crate) use subscribers::{is_heard, tell};

use std::{collections::VecDeque, sync::Arc, sync::Mutex, time::Duration};

/// Names a task within its runtime. Never reused. [`TaskId::MAIN`] is the future given to `block_on`.
///
/// ```
/// use runtime::TaskId;
/// runtime::block_on(async {
///     let (first, second) = (runtime::spawn(async {}), runtime::spawn(async {}));
///     assert_eq!(format!("{}, {}, {}", TaskId::MAIN, first.id(), second.id()), "main, #1, #2");
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(crate) u64);

impl TaskId {
    /// The future that `block_on` was called with.
    ///
    /// ```
    /// use runtime::{Runtime, TaskId, trace::Kind};
    /// let runtime = Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { runtime::yield_now().await });
    /// let polls = runtime.trace().events().iter().filter(|event| event.kind == Kind::Poll { task: TaskId::MAIN }).count();
    /// assert_eq!(polls, 2);
    /// ```
    pub const MAIN: TaskId = TaskId(0);
}

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            TaskId::MAIN => f.write_str("main"),
            TaskId(number) => write!(f, "#{number}"),
        }
    }
}

/// Who caused something: what the worker was doing when it happened.
///
/// ```
/// use runtime::{Runtime, TaskId, time::sleep, trace::{Cause, Kind}};
/// use std::time::Duration;
/// let runtime = Runtime::builder().virtual_clock().trace().build().unwrap();
/// runtime.block_on(async { sleep(Duration::from_secs(1)).await });
/// let woken = Kind::Wake { task: TaskId::MAIN, by: Cause::Timers };
/// assert!(runtime.trace().events().iter().any(|event| event.kind == woken));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A task, while it was being polled.
    Task(TaskId),
    /// The reactor, handing out readiness.
    Reactor,
    /// The timers, firing.
    Timers,
    /// The runtime itself: starting, or cancelling what is left.
    Runtime,
    /// Another thread.
    Outside,
}

/// How a task ended.
///
/// ```
/// use runtime::{Runtime, trace::{Kind, Outcome}};
/// let runtime = Runtime::builder().trace().build().unwrap();
/// let task = runtime.block_on(async { runtime::spawn(std::future::pending::<()>()).id() });
/// let done = Kind::Done { task, outcome: Outcome::Cancelled };
/// assert!(runtime.trace().events().iter().any(|event| event.kind == done));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its future returned.
    Ready,
    /// Its future panicked.
    Panicked,
    /// It was aborted, or its runtime ended first.
    Cancelled,
}

/// One kind of thing that happens in a runtime.
///
/// ```
/// use runtime::{Runtime, trace::Kind, yield_now};
/// let runtime = Runtime::builder().trace().build().unwrap();
/// let task = runtime.block_on(async {
///     let task = runtime::spawn(async { yield_now().await });
///     let id = task.id();
///     task.await.unwrap();
///     id
/// });
/// let trace = runtime.trace();
/// let polls = trace.events().iter().filter(|event| matches!(event.kind, Kind::Poll { task: polled } if polled == task));
/// assert_eq!(polls.count(), 2); // before it gave way, and after
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A task came to be.
    Spawn {
        /// The new task.
        task: TaskId,
        /// Its name, where it was given one.
        name: Option<Arc<str>>,
        /// Who spawned it.
        by: Cause,
    },
    /// A worker began to poll a task.
    Poll {
        /// The task polled.
        task: TaskId,
    },
    /// The poll ended, and the task waits.
    Pending {
        /// The task that waits.
        task: TaskId,
    },
    /// The task is over: its future is dropped.
    Done {
        /// The task that ended.
        task: TaskId,
        /// How it ended.
        outcome: Outcome,
    },
    /// A task was made runnable. Waking one that is runnable already is no event.
    Wake {
        /// The task woken.
        task: TaskId,
        /// Who woke it.
        by: Cause,
    },
    /// Nothing to run: a worker goes to sleep in its reactor.
    Park {
        /// The next deadline, since the start of the runtime; `None`: until something happens.
        until: Option<Duration>,
    },
    /// The worker got up.
    Unpark,
    /// A reactor saw a source become ready.
    Ready {
        /// The source's number.
        source: usize,
        /// There may be something to read (or the end of the stream).
        read: bool,
        /// There may be room to write.
        write: bool,
    },
    /// A worker with nothing to run took a task out of another's queue.
    Steal {
        /// The task, which the thief runs next. It took up to half of the victim's queue besides.
        task: TaskId,
        /// The victim.
        from: usize,
    },
    /// A deadline passed.
    Timer {
        /// The deadline, since the start of the runtime.
        due: Duration,
    },
}

/// One entry of the record.
///
/// ```
/// use runtime::{Runtime, time::sleep, trace::Kind};
/// use std::time::Duration;
/// let runtime = Runtime::builder().virtual_clock().trace().build().unwrap();
/// runtime.block_on(async { sleep(Duration::from_secs(1)).await });
/// let trace = runtime.trace();
/// let woke_up = trace.events().iter().find(|event| event.kind == Kind::Unpark).unwrap();
/// assert_eq!((woke_up.at, woke_up.worker), (Duration::from_secs(1), Some(0)));
/// ```
// ANCHOR: event
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the start of the runtime.
    pub at: Duration,
    /// On which worker's thread; `None`: on another.
    pub worker: Option<usize>,
    /// What.
    pub kind: Kind,
}
// ANCHOR_END: event

/// A copy of the record, to be read, printed or drawn.
///
/// ```
/// let runtime = runtime::Runtime::builder().trace().build().unwrap();
/// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
/// let trace = runtime.trace();
/// assert_eq!(trace.to_string().lines().count(), trace.events().len()); // a line an event
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trace {
    events: Vec<Event>,
    lost: u64,
}

impl Trace {
    /// The events, oldest first.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { runtime::yield_now().await });
    /// assert!(runtime.trace().events().is_sorted_by_key(|event| event.at));
    /// ```
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many older events the bounded ring had to let go.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace_capacity(4).build().unwrap();
    /// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
    /// let trace = runtime.trace();
    /// assert!(trace.lost() > 0);
    /// assert_eq!(trace.events().len(), 4); // the latest
    /// ```
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Did more than one worker have a part in it?
    pub(crate) fn has_several_workers(&self) -> bool {
        self.events.iter().any(|event| event.worker.is_some_and(|worker| worker > 0))
    }

    /// The schedule drawn as a self-contained SVG: a lane a task, a bar a poll, an arrow a wake, hatching while parked.
    ///
    /// The x axis is the order of events, not time: under a virtual clock most events share an instant, and in a real run
    /// the sleeps would squeeze everything else into nothing. Sleeps carry their length as text.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { runtime::task::Builder::new().name("nap").spawn(async {}).await.unwrap() });
    /// let picture = runtime.trace().timeline_svg(); // for std::fs::write("timeline.svg", …)
    /// assert!(picture.starts_with("<svg") && picture.contains("nap"));
    /// ```
    pub fn timeline_svg(&self) -> String {
        svg::draw(self)
    }

    /// The record as JSON for Chrome's trace viewer and <https://ui.perfetto.dev>: true to scale, for looking closely.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// runtime.block_on(async { runtime::spawn(async {}).await.unwrap() });
    /// let record: serde_json::Value = serde_json::from_str(&runtime.trace().chrome_json()).unwrap();
    /// assert!(!record["traceEvents"].as_array().unwrap().is_empty());
    /// ```
    pub fn chrome_json(&self) -> String {
        chrome::write(self)
    }

    /// The name that `task` was spawned with.
    ///
    /// ```
    /// let runtime = runtime::Runtime::builder().trace().build().unwrap();
    /// let id = runtime.block_on(async { runtime::task::Builder::new().name("nap").spawn(async {}).id() });
    /// assert_eq!(runtime.trace().name_of(id), Some("nap"));
    /// assert_eq!(runtime.trace().name_of(runtime::TaskId::MAIN), None);
    /// ```
    pub fn name_of(&self, task: TaskId) -> Option<&str> {
        self.events.iter().find_map(|event| match &event.kind {
            Kind::Spawn { task: spawned, name, .. } if *spawned == task => name.as_deref(),
            _ => None,
        })
    }
}

/// Where a runtime's events go: a ring behind a short lock.
#[derive(Debug)]
pub(crate) struct Recorder {
    ring: Mutex<Ring>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<Event>,
    lost: u64,
}

impl Recorder {
    /// Room for some 5,000 requests, or ten megabytes.
    pub(crate) const DEFAULT_CAPACITY: usize = 100_000;

    pub(crate) fn new(capacity: usize) -> Self {
        Self { ring: Mutex::default(), capacity }
    }

    pub(crate) fn record(&self, at: Duration, worker: Option<usize>, kind: Kind) {
        let mut ring = self.ring.lock().unwrap();
        // Another thread may have read its clock earlier and come here later.
        let at = ring.events.back().map_or(at, |last| at.max(last.at));
        if ring.events.len() == self.capacity {
            ring.events.pop_front();
            ring.lost += 1;
        }
        ring.events.push_back(Event { at, worker, kind });
    }

    pub(crate) fn snapshot(&self) -> Trace {
        let ring = self.ring.lock().unwrap();
        Trace { events: ring.events.iter().cloned().collect(), lost: ring.lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_forgets_the_oldest_and_counts_it() {
        let recorder = Recorder::new(2);
        for number in 1..=3 {
            recorder.record(Duration::from_millis(number), None, Kind::Poll { task: TaskId(number) });
        }
        let trace = recorder.snapshot();
        assert_eq!(trace.lost(), 1);
        assert_eq!(trace.events()[0].kind, Kind::Poll { task: TaskId(2) });
    }

    #[test]
    fn times_never_go_back() {
        let recorder = Recorder::new(8);
        recorder.record(Duration::from_millis(5), None, Kind::Unpark);
        recorder.record(Duration::from_millis(3), None, Kind::Unpark);
        assert_eq!(recorder.snapshot().events()[1].at, Duration::from_millis(5));
    }
}
