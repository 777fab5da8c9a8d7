//! The record as text: one line an event.

use super::{Cause, Event, Kind, Outcome, Trace};
use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

/// Milliseconds with three decimals: `1000.250 ms`.
fn milliseconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1e3)
}

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.lost > 0 {
            writeln!(f, "(the {} oldest events are lost: the ring was full)", self.lost)?;
        }
        if !self.has_several_workers() {
            return self.events.iter().try_for_each(|event| writeln!(f, "{event}"));
        }
        self.events.iter().try_for_each(|event| {
            let worker = event.worker.map_or("-".into(), |worker| format!("w{worker}"));
            writeln!(f, "{worker:<4}{event}")
        })
    }
}

impl Display for Event {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:>14}  ", milliseconds(self.at))?;
        // ANCHOR: kinds
        match &self.kind {
            Kind::Spawn { task, name: Some(name), by } => write!(f, "spawn    {task} \"{name}\" by {by}"),
            Kind::Spawn { task, name: None, by } => write!(f, "spawn    {task} by {by}"),
            Kind::Poll { task } => write!(f, "poll     {task}"),
            Kind::Pending { task } => write!(f, "pending  {task}"),
            Kind::Done { task, outcome } => write!(f, "done     {task}: {outcome}"),
            Kind::Wake { task, by } => write!(f, "wake     {task} by {by}"),
            Kind::Park { until: Some(until) } => write!(f, "park     until {}", milliseconds(*until)),
            Kind::Park { until: None } => write!(f, "park     until something happens"),
            Kind::Unpark => write!(f, "unpark"),
            Kind::Steal { task, from } => write!(f, "steal    {task} from worker {from}"),
            Kind::Ready { source, read, write } => {
                let what = match (read, write) {
                    (true, true) => "read and write",
                    (true, false) => "read",
                    _ => "write",
                };
                write!(f, "ready    source {source}: {what}")
            }
            Kind::Timer { due } => write!(f, "timer    due at {}", milliseconds(*due)),
        }
        // ANCHOR_END: kinds
    }
}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Task(task) => task.fmt(f),
            Cause::Reactor => f.write_str("the reactor"),
            Cause::Timers => f.write_str("the timers"),
            Cause::Runtime => f.write_str("the runtime"),
            Cause::Outside => f.write_str("another thread"),
        }
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Ready => "ready",
            Outcome::Panicked => "panicked",
            Outcome::Cancelled => "cancelled",
        })
    }
}
