//! One-shot readiness: an event for one direction of a socket spends the other one too. What becomes of the one who waits for that?
//!
//! ```console
//! cargo run --example 11_spent
//! ```
//!
//! There is no socket here and no system, but a poller made by hand that keeps to the contract of `EPOLLONESHOT`.

#[derive(Clone, Copy, Default)]
struct Ways {
    read: bool,
    write: bool,
}

/// Of one socket: what the system was asked for, and what is ready.
#[derive(Default)]
struct System {
    asked: Ways,
    ready: Ways,
}

// ANCHOR: system
impl System {
    fn rearm(&mut self, asked: Ways) {
        self.asked = asked;
    }

    /// Reports what is ready of what was asked for. After that, nothing is asked for any more.
    fn wait(&mut self) -> Option<Ways> {
        let event = Ways { read: self.ready.read && self.asked.read, write: self.ready.write && self.asked.write };
        if !event.read && !event.write {
            return None;
        }
        self.asked = Ways::default();
        Some(event)
    }
}
// ANCHOR_END: system

mod forgets {
    use super::*;

    // ANCHOR: forgets
    /// An event has come. Who waited for it is woken.
    pub(crate) fn on_event(event: Ways, waits: &mut Ways, system: &mut System) {
        let _ = system;
        if event.read {
            waits.read = false;
            println!("    the reader is woken");
        }
        if event.write {
            waits.write = false;
            println!("    the writer is woken");
        }
    }
    // ANCHOR_END: forgets
}

mod asks_again {
    use super::*;

    // ANCHOR: asks_again
    /// An event has come. Who waited for it is woken.
    pub(crate) fn on_event(event: Ways, waits: &mut Ways, system: &mut System) {
        if event.read {
            waits.read = false;
            println!("    the reader is woken");
        }
        if event.write {
            waits.write = false;
            println!("    the writer is woken");
        }
        // The event spent both directions. Who still waits must be asked for again.
        if waits.read || waits.write {
            system.rearm(*waits);
        }
    }
    // ANCHOR_END: asks_again
}

// ANCHOR: run
fn run(on_event: fn(Ways, &mut Ways, &mut System)) {
    let mut waits = Ways { read: true, write: true };
    let mut system = System::default();
    system.rearm(waits);

    println!("  bytes have come:");
    system.ready.read = true;
    if let Some(event) = system.wait() {
        on_event(event, &mut waits, &mut system);
    }
    println!("  there is room to write:");
    system.ready.write = true;
    match system.wait() {
        Some(event) => on_event(event, &mut waits, &mut system),
        None => println!("    no event, and the writer waits for ever: {}", waits.write),
    }
}
// ANCHOR_END: run

fn main() {
    examples::Arguments::parse(&[]);
    println!("the event is handed out:");
    run(forgets::on_event);
    println!("and what is still waited for is asked for again:");
    run(asks_again::on_event);
}
