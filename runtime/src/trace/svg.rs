//! The record as a picture.
//!
//! ```text
//!   main     ▆▆▆─ ─ ─ ─ ─ ─ ─ ─ ─▆▆●     a bar is a poll, a dashed line is waiting, ● is the end
//!   #1 fetch  ○ ▆▆─ ─ ─ ─ ─▆▆▆●  ↑       ○ is the spawn, an arrow is a wake (from its cause)
//!   timers                 ↑
//!   worker          ╱╱╱╱╱╱               hatched: parked
//! ```
//!
//! A column an event, a wider one for a sleep. Everything is drawn in `currentColor`, told apart by shape and not by hue, so
//! it reads in light and dark and in print.

use super::{Cause, Event, Kind, Outcome, TaskId, Trace};
use std::{collections::BTreeMap, fmt::Write, time::Duration};

const LABELS: f64 = 150.0;
const COLUMN: f64 = 14.0;
const SLEEP: f64 = 70.0;
const LANE: f64 = 26.0;
const BAR: f64 = 12.0;
const TOP: f64 = 24.0;
/// What fits on a page that somebody reads. The text form has them all.
const MOST_EVENTS: usize = 400;
const LONGEST_LABEL: usize = 22;

/// A row of the picture, in the order from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Task(TaskId),
    Timers,
    Reactor,
    Outside,
    Worker(usize),
}

impl Lane {
    /// The lane of a cause; `worker` is the thread it was seen on.
    fn of(cause: Cause, worker: usize) -> Lane {
        match cause {
            Cause::Task(task) => Lane::Task(task),
            Cause::Timers => Lane::Timers,
            Cause::Reactor => Lane::Reactor,
            Cause::Outside => Lane::Outside,
            Cause::Runtime => Lane::Worker(worker),
        }
    }
}

pub(super) fn draw(trace: &Trace) -> String {
    let shown = &trace.events[..trace.events.len().min(MOST_EVENTS)];
    let mut drawing = Drawing::new(trace, shown);
    let end = shown.iter().fold(LABELS, |x, event| drawing.event(x, event));
    drawing.finish(end, trace.events.len() - shown.len())
}

struct Drawing<'trace> {
    trace: &'trace Trace,
    /// The middle of each lane.
    lanes: BTreeMap<Lane, f64>,
    shapes: String,
    /// Where a task's present poll, or its present wait, began.
    polling: BTreeMap<TaskId, f64>,
    waiting: BTreeMap<TaskId, f64>,
    parked: BTreeMap<usize, (f64, Duration)>,
    polls: usize,
    sleeps: usize,
    asleep: Duration,
}

impl<'trace> Drawing<'trace> {
    fn new(trace: &'trace Trace, shown: &[Event]) -> Self {
        let mut lanes: Vec<Lane> = shown
            .iter()
            .flat_map(|event| match &event.kind {
                Kind::Spawn { task, by, .. } | Kind::Wake { task, by } => {
                    vec![Lane::Task(*task), Lane::of(*by, worker_of(event))]
                }
                Kind::Poll { task } | Kind::Pending { task } | Kind::Done { task, .. } => vec![Lane::Task(*task)],
                Kind::Ready { .. } => vec![Lane::Reactor],
                Kind::Timer { .. } => vec![Lane::Timers],
                Kind::Steal { task, from } => {
                    vec![Lane::Task(*task), Lane::Worker(worker_of(event)), Lane::Worker(*from)]
                }
                Kind::Park { .. } | Kind::Unpark => vec![Lane::Worker(worker_of(event))],
            })
            .collect();
        lanes.sort();
        lanes.dedup();
        let middle = |row: usize| TOP + (row as f64 + 0.5) * LANE;
        Self {
            trace,
            lanes: lanes.into_iter().enumerate().map(|(row, lane)| (lane, middle(row))).collect(),
            shapes: String::new(),
            polling: BTreeMap::new(),
            waiting: BTreeMap::new(),
            parked: BTreeMap::new(),
            polls: 0,
            sleeps: 0,
            asleep: Duration::ZERO,
        }
    }

    /// Draws one event at `x`, and says where the next one goes.
    fn event(&mut self, x: f64, event: &Event) -> f64 {
        let (at, worker) = (event.at, worker_of(event));
        match &event.kind {
            Kind::Spawn { task, by, .. } => {
                self.arrow(x, Lane::of(*by, worker), *task, 0.4, &format!("{by} spawns {task}"));
                let y = self.lanes[&Lane::Task(*task)];
                self.shape(format_args!(
                    r#"<circle cx="{x:.0}" cy="{y:.0}" r="3.5" fill="none" stroke="currentColor"/>"#
                ));
                self.waiting.insert(*task, x);
            }
            Kind::Wake { task, by } => self.arrow(x, Lane::of(*by, worker), *task, 1.0, &format!("{by} wakes {task}")),
            Kind::Poll { task } => {
                self.end_wait(*task, x);
                self.polling.insert(*task, x);
                self.polls += 1;
            }
            Kind::Pending { task } => {
                self.end_poll(*task, x, at);
                self.waiting.insert(*task, x);
            }
            Kind::Done { task, outcome } => {
                self.end_wait(*task, x);
                self.end_poll(*task, x, at);
                self.end_mark(*task, x, *outcome);
            }
            Kind::Park { .. } => {
                self.parked.insert(worker, (x, at));
                return x + SLEEP;
            }
            Kind::Unpark => self.end_park(x, at, worker),
            Kind::Steal { task, from } => {
                self.arrow(
                    x,
                    Lane::Worker(*from),
                    *task,
                    1.0,
                    &format!("worker {worker} steals {task} from worker {from}"),
                );
            }
            Kind::Ready { source, read, write } => {
                let ways = [(*read, "read"), (*write, "write")].into_iter().filter(|(is, _)| *is).map(|(_, way)| way);
                let ways = ways.collect::<Vec<_>>().join(" and ");
                self.dot(x, Lane::Reactor, &format!("source {source} is ready to {ways}"));
            }
            Kind::Timer { due } => self.dot(x, Lane::Timers, &format!("the deadline {} passes", duration(*due))),
        }
        x + COLUMN
    }

    fn end_poll(&mut self, task: TaskId, x: f64, at: Duration) {
        let Some(from) = self.polling.remove(&task) else { return };
        let (y, width) = (self.lanes[&Lane::Task(task)] - BAR / 2.0, x - from);
        self.shape(format_args!(
            r#"<rect x="{from:.0}" y="{y:.0}" width="{width:.0}" height="{BAR}" rx="2" fill="currentColor" fill-opacity="0.55"><title>a poll of {task}, until {}</title></rect>"#,
            duration(at)
        ));
    }

    fn end_wait(&mut self, task: TaskId, x: f64) {
        let Some(from) = self.waiting.remove(&task) else { return };
        let y = self.lanes[&Lane::Task(task)];
        self.shape(format_args!(
            r#"<line x1="{from:.0}" y1="{y:.0}" x2="{x:.0}" y2="{y:.0}" stroke="currentColor" stroke-opacity="0.5" stroke-dasharray="2 4"/>"#
        ));
    }

    fn end_mark(&mut self, task: TaskId, x: f64, outcome: Outcome) {
        let y = self.lanes[&Lane::Task(task)];
        match outcome {
            Outcome::Ready => {
                self.shape(format_args!(r#"<circle cx="{x:.0}" cy="{y:.0}" r="5" fill="currentColor"><title>{task} is ready</title></circle>"#));
            }
            Outcome::Panicked | Outcome::Cancelled => {
                let (left, right, top, bottom) = (x - 5.0, x + 5.0, y - 5.0, y + 5.0);
                self.shape(format_args!(
                    r#"<path d="M{left:.0} {top:.0} L{right:.0} {bottom:.0} M{left:.0} {bottom:.0} L{right:.0} {top:.0}" stroke="currentColor" stroke-width="2"><title>{task} is {outcome}</title></path>"#
                ));
            }
        }
    }

    fn end_park(&mut self, x: f64, at: Duration, worker: usize) {
        let Some((from, since)) = self.parked.remove(&worker) else { return };
        let slept = at.saturating_sub(since);
        self.sleeps += 1;
        self.asleep += slept;
        let y = self.lanes[&Lane::Worker(worker)];
        let (top, bottom) = (y - BAR / 2.0, y + BAR / 2.0);
        let mut hatching = String::new();
        let mut stroke = from + 6.0;
        while stroke <= x {
            let _ = write!(hatching, "M{:.0} {bottom:.0} L{stroke:.0} {top:.0} ", stroke - 6.0);
            stroke += 6.0;
        }
        let (middle, above) = ((from + x) / 2.0, TOP - 8.0);
        self.shape(format_args!(
            r#"<path d="{hatching}" stroke="currentColor" stroke-opacity="0.7"><title>parked for {0}</title></path><text x="{middle:.0}" y="{above:.0}" text-anchor="middle" font-size="11" fill="currentColor">{0}</text>"#,
            duration(slept)
        ));
    }

    fn arrow(&mut self, x: f64, from: Lane, to: TaskId, opacity: f64, title: &str) {
        let (start, end) = (self.lanes[&from], self.lanes[&Lane::Task(to)]);
        if start == end {
            return self.dot(x, from, title);
        }
        let side = if start < end { -1.0 } else { 1.0 };
        let (tip, left, right) = (end + side * (BAR / 2.0 + 1.0), x - 3.0, x + 3.0);
        let base = tip + side * 6.0;
        self.shape(format_args!(
            r#"<path d="M{x:.0} {start:.0} L{x:.0} {base:.0} M{left:.0} {base:.0} L{right:.0} {base:.0} L{x:.0} {tip:.0} Z" fill="currentColor" stroke="currentColor" opacity="{opacity}"><title>{title}</title></path>"#
        ));
    }

    fn dot(&mut self, x: f64, lane: Lane, title: &str) {
        let y = self.lanes[&lane];
        self.shape(format_args!(
            r#"<circle cx="{x:.0}" cy="{y:.0}" r="2.5" fill="currentColor"><title>{title}</title></circle>"#
        ));
    }

    fn shape(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = self.shapes.write_fmt(shape);
        self.shapes.push('\n');
    }

    /// Closes what is still open, and puts the lanes and their labels behind it all.
    fn finish(mut self, end: f64, left_out: usize) -> String {
        let last = self.trace.events.last().map_or(Duration::ZERO, |event| event.at);
        for task in self.polling.keys().copied().collect::<Vec<_>>() {
            self.end_poll(task, end, last);
        }
        for task in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.end_wait(task, end);
        }
        let more = if left_out > 0 { format!("; {left_out} more events are in the text form") } else { String::new() };
        let who = if self.trace.has_several_workers() { "workers" } else { "worker" };
        let summary = format!(
            "A timeline: {} polls; the {who} slept {} times, {} in all{more}.",
            self.polls,
            self.sleeps,
            duration(self.asleep)
        );
        let (width, height) = (end + 20.0, TOP + LANE * self.lanes.len() as f64 + 6.0);
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="timeline" role="img" aria-label="{summary}" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" font-family="sans-serif">"#
        );
        svg.push('\n');
        for (lane, y) in &self.lanes {
            let (label, baseline) = (escape(&self.label(*lane)), y + 4.0);
            let _ = writeln!(
                svg,
                r#"<line x1="{LABELS}" y1="{y:.0}" x2="{end:.0}" y2="{y:.0}" stroke="currentColor" stroke-opacity="0.12"/><text x="4" y="{baseline:.0}" font-size="12" fill="currentColor">{label}</text>"#
            );
        }
        svg + &self.shapes + "</svg>\n"
    }

    fn label(&self, lane: Lane) -> String {
        let label = match lane {
            Lane::Task(task) => match self.trace.name_of(task) {
                Some(name) => format!("{task} {name}"),
                None => task.to_string(),
            },
            Lane::Timers => "timers".into(),
            Lane::Reactor => "reactor".into(),
            Lane::Outside => "other threads".into(),
            Lane::Worker(_) if !self.trace.has_several_workers() => "worker".into(),
            Lane::Worker(worker) => format!("worker {worker}"),
        };
        if label.chars().count() <= LONGEST_LABEL {
            return label;
        }
        label.chars().take(LONGEST_LABEL - 1).chain(['…']).collect()
    }
}

/// What happened on no worker's thread is drawn with the first.
fn worker_of(event: &Event) -> usize {
    event.worker.unwrap_or(0)
}

/// With the unit that leaves the fewest digits: `250 µs`, `1.5 ms`, `2.00 s`.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
