//! The record in the format of Chrome's trace viewer, which <https://ui.perfetto.dev> opens too: zoom, search, and true time.
//!
//! One row a task and one for the worker; a slice a poll, a slice a sleep; an arrow from the one who wakes to the poll that
//! follows. The format: *Trace Event Format*, Google, 2016 (`ph` is the kind of an event: `X` a slice, `i` a moment, `s` and
//! `f` the ends of an arrow, `M` a name).

use super::{Cause, Event, Kind, TaskId, Trace};
use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// The row of the first worker; the others follow. Tasks have their own numbers, so they take some that none has.
const WORKER: u64 = 1 << 52;

pub(super) fn write(trace: &Trace) -> String {
    let mut writer = Writer::default();
    let last = trace.events.iter().filter_map(|event| event.worker).max().unwrap_or(0);
    for worker in 0..=last {
        let name = if last == 0 { "worker".to_owned() } else { format!("worker {worker}") };
        writer.name(WORKER + worker as u64, &name);
    }
    writer.name(0, "main");
    for event in &trace.events {
        writer.event(event);
    }
    format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", writer.lines.join(",\n"))
}

#[derive(Default)]
struct Writer {
    lines: Vec<String>,
    polls: BTreeMap<TaskId, Duration>,
    parked: BTreeMap<u64, Duration>,
    /// Arrows that have begun and not ended, by the task that they point to.
    arrows: BTreeMap<TaskId, u64>,
    next_arrow: u64,
}

impl Writer {
    fn event(&mut self, event: &Event) {
        let (at, row) = (event.at, WORKER + event.worker.unwrap_or(0) as u64);
        match &event.kind {
            Kind::Spawn { task, name, by } => {
                let name = name.as_ref().map_or_else(|| task.to_string(), |name| format!("{task} {name}"));
                self.name(task.0, &name);
                self.begin_arrow(at, *task, *by, row);
            }
            Kind::Wake { task, by } => self.begin_arrow(at, *task, *by, row),
            Kind::Poll { task } => {
                self.polls.insert(*task, at);
                if let Some(arrow) = self.arrows.remove(task) {
                    self.line(at, task.0, "f", "wake", &format!(r#","bp":"e","id":{arrow}"#));
                }
            }
            Kind::Pending { task } => self.end_poll(at, *task, "poll"),
            Kind::Done { task, outcome } => self.end_poll(at, *task, &format!("poll: {outcome}")),
            Kind::Park { .. } => drop(self.parked.insert(row, at)),
            Kind::Unpark => {
                if let Some(since) = self.parked.remove(&row) {
                    self.slice(since, at, row, "parked");
                }
            }
            Kind::Ready { source, read, write } => {
                let ways = [(*read, " read"), (*write, " write")].map(|(is, way)| if is { way } else { "" });
                self.line(at, row, "i", &format!("source {source} ready:{}{}", ways[0], ways[1]), r#","s":"t""#);
            }
            Kind::Timer { .. } => self.line(at, row, "i", "timer", r#","s":"t""#),
            Kind::Steal { task, from } => {
                self.line(at, row, "i", &format!("steals {task} from worker {from}"), r#","s":"t""#);
            }
        }
    }

    fn begin_arrow(&mut self, at: Duration, task: TaskId, by: Cause, worker: u64) {
        let from = if let Cause::Task(by) = by { by.0 } else { worker };
        let arrow = self.next_arrow;
        self.next_arrow += 1;
        self.arrows.insert(task, arrow);
        self.line(at, from, "s", "wake", &format!(r#","id":{arrow}"#));
    }

    fn end_poll(&mut self, at: Duration, task: TaskId, name: &str) {
        // A poll that began before the ring's oldest event, or a task that was cancelled unpolled, has no beginning.
        let since = self.polls.remove(&task).unwrap_or(at);
        self.slice(since, at, task.0, name);
    }

    fn slice(&mut self, from: Duration, to: Duration, row: u64, name: &str) {
        let length = microseconds(to.saturating_sub(from));
        self.line(from, row, "X", name, &format!(r#","dur":{length}"#));
    }

    fn name(&mut self, row: u64, name: &str) {
        let name = escape(name);
        self.lines.push(format!(r#"{{"ph":"M","pid":1,"tid":{row},"name":"thread_name","args":{{"name":"{name}"}}}}"#));
    }

    fn line(&mut self, at: Duration, row: u64, kind: &str, name: &str, rest: &str) {
        let (at, name) = (microseconds(at), escape(name));
        self.lines
            .push(format!(r#"{{"ph":"{kind}","pid":1,"tid":{row},"ts":{at},"cat":"runtime","name":"{name}"{rest}}}"#));
    }
}

/// The unit of the format, with the nanoseconds behind the point.
fn microseconds(duration: Duration) -> String {
    format!("{}.{:03}", duration.as_micros(), duration.subsec_nanos() % 1000)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(letter));
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Outcome;

    #[test]
    fn polls_become_slices_and_wakes_become_arrows() {
        let task = TaskId(1);
        let kinds = [
            Kind::Spawn { task, name: Some("a \"quoted\"\nname".into()), by: Cause::Task(TaskId::MAIN) },
            Kind::Poll { task },
            Kind::Done { task, outcome: Outcome::Ready },
        ];
        let events = kinds.into_iter().zip(1..).map(|(kind, at)| Event {
            at: Duration::from_nanos(1500 * at),
            worker: None,
            kind,
        });
        let json = write(&Trace { events: events.collect(), lost: 0 });
        assert!(json.contains(r##""name":"#1 a \"quoted\"\u000aname""##), "{json}");
        assert!(
            json.contains(r#""ph":"X","pid":1,"tid":1,"ts":3.000,"cat":"runtime","name":"poll: ready","dur":1.500}"#),
            "{json}"
        );
        assert_eq!(json.matches(r#""id":0"#).count(), 2, "{json}");
    }
}
