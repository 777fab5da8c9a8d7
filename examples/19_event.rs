//! A task finds nothing to read, while the reactor, on another thread, sees an event. Is the event remembered? Loom tries all ways.
//!
//! ```console
//! cargo run --example 19_event
//! ```

use loom::{
    sync::{Arc, Mutex},
    thread,
};
use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::atomic::{AtomicUsize as Count, Ordering},
};

mod flag {
    use super::*;

    // ANCHOR: flag
    /// One direction of a socket, as in chapter 10.
    #[derive(Default)]
    pub(crate) struct Way {
        blocked: bool,
        waits: bool,
    }

    /// The reactor's side. `true`: somebody waited, and is woken.
    pub(crate) fn event(way: &Mutex<Way>) -> bool {
        let mut way = way.lock().unwrap();
        way.blocked = false;
        mem::take(&mut way.waits)
    }

    /// The task's side. `true`: the operation has succeeded. `false`: it waits.
    pub(crate) fn poll_with(way: &Mutex<Way>, operation: impl Fn() -> bool) -> bool {
        loop {
            let mut locked = way.lock().unwrap();
            if locked.blocked {
                locked.waits = true;
                return false;
            }
            drop(locked);
            if operation() {
                return true;
            }
            way.lock().unwrap().blocked = true;
        }
    }
    // ANCHOR_END: flag
}

mod count {
    use super::*;

    // ANCHOR: count
    /// One direction of a socket, as in this chapter.
    #[derive(Default)]
    pub(crate) struct Way {
        events: u64,
        blocked_at: Option<u64>,
        waits: bool,
    }

    /// The reactor's side. `true`: somebody waited, and is woken.
    pub(crate) fn event(way: &Mutex<Way>) -> bool {
        let mut way = way.lock().unwrap();
        way.events += 1;
        mem::take(&mut way.waits)
    }

    /// The task's side. `true`: the operation has succeeded. `false`: it waits.
    pub(crate) fn poll_with(way: &Mutex<Way>, operation: impl Fn() -> bool) -> bool {
        loop {
            let mut locked = way.lock().unwrap();
            let events = locked.events;
            if locked.blocked_at == Some(events) {
                locked.waits = true;
                return false;
            }
            drop(locked);
            if operation() {
                return true;
            }
            way.lock().unwrap().blocked_at = Some(events);
        }
    }
    // ANCHOR_END: count
}

/// A byte arrives, and then the event that tells of it; meanwhile a task wants to read.
fn model<Way: Default + 'static>(
    name: &str,
    event: fn(&Mutex<Way>) -> bool,
    read: fn(&Mutex<Way>, &dyn Fn() -> bool) -> bool,
) {
    static EXECUTIONS: Count = Count::new(0);
    EXECUTIONS.store(0, Ordering::Relaxed);
    let all = catch_unwind(AssertUnwindSafe(|| {
        loom::model(move || {
            EXECUTIONS.fetch_add(1, Ordering::Relaxed);
            let socket = Arc::new((Mutex::new(Way::default()), Mutex::new(false)));
            let reactor = {
                let socket = socket.clone();
                thread::spawn(move || {
                    *socket.1.lock().unwrap() = true;
                    event(&socket.0)
                })
            };
            let read = read(&socket.0, &|| *socket.1.lock().unwrap());
            let woken = reactor.join().unwrap();
            assert!(read || woken, "it waits, the byte is there, and nobody wakes it");
        });
    }));
    let (executions, said) =
        (EXECUTIONS.load(Ordering::Relaxed), all.err().map(|panic| panic.downcast_ref::<&str>().copied()));
    match said {
        None => println!("{name}: all {executions} executions hold"),
        Some(said) => println!("{name}: execution {executions}: {}", said.unwrap_or("a panic without words")),
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    set_hook(Box::new(|_| ()));
    model("a flag, as in chapter 10", flag::event, |way, operation| flag::poll_with(way, operation));
    model("a count of events       ", count::event, |way, operation| count::poll_with(way, operation));
}
