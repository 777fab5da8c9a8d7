//! What subscribers of the `tracing` crate hear (feature `tracing`).
//!
//! A program of its own: `tracing` remembers for each place whether anybody listens, and asks the thread that comes there
//! first. Beside other tests that thread would be one without a subscriber.
#![cfg(feature = "tracing")]

use runtime::{task, yield_now};
use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps every event of the runtime as a line.
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "worker" {
            write!(self.0, "{}={value:?} ", field.name()).unwrap();
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "runtime"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0.trim_end().to_owned());
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_subscriber_hears_the_life_of_a_task() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    tracing::subscriber::with_default(Lines(lines.clone()), || {
        runtime::block_on(async {
            task::Builder::new().name("child").spawn(yield_now()).await.unwrap();
        });
    });
    let lines = lines.lock().unwrap();
    let of_the_child: Vec<_> = lines.iter().filter(|line| line.contains("task=#1")).collect();
    assert_eq!(
        of_the_child,
        [
            "message=spawn task=#1 name=\"child\" by=Task(TaskId(0))",
            "message=poll task=#1",
            "message=wake task=#1 by=Task(TaskId(1))",
            "message=pending task=#1",
            "message=poll task=#1",
            "message=done task=#1 outcome=Ready",
        ]
    );
}
