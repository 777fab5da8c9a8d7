//! A thread sleeps until the nearest deadline. Then somebody arms a nearer one: does it hear of that?
//!
//! ```console
//! cargo run --example 09_nearer
//! ```

use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// Deadlines, and the bell of the thread that sleeps until the nearest.
#[derive(Default)]
struct Timers {
    deadlines: Mutex<BTreeSet<Instant>>,
    told: Condvar,
}

impl Timers {
    /// Sleeps until one has passed, and takes it out.
    fn next(&self) -> Instant {
        let mut deadlines = self.deadlines.lock().unwrap();
        loop {
            let nearest = *deadlines.first().expect("one is armed");
            let now = Instant::now();
            if nearest <= now {
                return deadlines.pop_first().expect("it was there");
            }
            (deadlines, _) = self.told.wait_timeout(deadlines, nearest - now).unwrap();
        }
    }
}

mod quiet {
    use super::*;

    // ANCHOR: quiet
    pub(crate) fn arm(timers: &Timers, deadline: Instant) {
        timers.deadlines.lock().unwrap().insert(deadline);
    }
    // ANCHOR_END: quiet
}

mod tells {
    use super::*;

    // ANCHOR: tells
    pub(crate) fn arm(timers: &Timers, deadline: Instant) {
        let mut deadlines = timers.deadlines.lock().unwrap();
        deadlines.insert(deadline);
        if deadlines.first() == Some(&deadline) {
            timers.told.notify_one();
        }
    }
    // ANCHOR_END: tells
}

fn try_it(arm: fn(&Timers, Instant)) {
    let timers = Arc::new(Timers::default());
    let begin = Instant::now();
    let (far, near) = (begin + Duration::from_millis(2000), begin + Duration::from_millis(300));
    arm(&timers, far);
    let (sender, fired) = mpsc::channel();
    let sleeper = timers.clone();
    thread::spawn(move || (0..2).for_each(|_| sender.send((sleeper.next(), Instant::now())).unwrap()));
    thread::sleep(Duration::from_millis(100)); // it sleeps by now, until the far one
    arm(&timers, near);
    for (deadline, now) in fired {
        let name = if deadline == near { "0.3 s" } else { "2 s" };
        let late = now - deadline > Duration::from_millis(1000);
        println!("  the one of {name} fires {}", if late { "more than a second too late" } else { "in time" });
    }
}

fn main() {
    examples::Arguments::parse(&[]);
    println!("a nearer deadline is put into the list:");
    try_it(quiet::arm);
    println!("a nearer deadline is put into the list, and the sleeper is told:");
    try_it(tells::arm);
}
