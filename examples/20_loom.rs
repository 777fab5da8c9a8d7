//! What loom tries, what it finds, what it costs, and what it does not see.
//!
//! ```console
//! cargo run --example 20_loom
//! ```

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize as Blind, Ordering},
    },
};

// ANCHOR: counter
/// Counts, in two steps: between them the lock is free.
fn count(counter: &loom::sync::Mutex<u32>, who: &str, log: &Log) {
    let seen = *counter.lock().unwrap();
    log.say(format!("{who} reads {seen}"));
    *counter.lock().unwrap() = seen + 1;
    log.say(format!("{who} writes {}", seen + 1));
}

/// Two threads count once each.
fn two_count(log: &Log) {
    let counter = Arc::new(loom::sync::Mutex::new(0));
    let other = {
        let (counter, log) = (counter.clone(), log.clone());
        loom::thread::spawn(move || count(&counter, "the other", &log))
    };
    count(&counter, "main", log);
    other.join().unwrap();
    assert_eq!(*counter.lock().unwrap(), 2, "one count is lost");
}
// ANCHOR_END: counter

// ANCHOR: blind
/// The same with the standard library's lock, of which loom knows nothing.
fn two_count_unseen() {
    let counter = Arc::new(Mutex::new(0));
    let count = |counter: &Mutex<u32>| {
        let seen = *counter.lock().unwrap();
        *counter.lock().unwrap() = seen + 1;
    };
    let other = {
        let counter = counter.clone();
        loom::thread::spawn(move || count(&counter))
    };
    count(&counter);
    other.join().unwrap();
    assert_eq!(*counter.lock().unwrap(), 2, "one count is lost");
}
// ANCHOR_END: blind

// ANCHOR: alarm
/// Each raises its flag and looks at the other's. With `SeqCst` at least one sees the other: no machine does otherwise.
fn flags() {
    let flags = Arc::new([0, 1].map(|_| loom::sync::atomic::AtomicBool::new(false)));
    let other = {
        let flags = flags.clone();
        loom::thread::spawn(move || {
            flags[1].store(true, Ordering::SeqCst);
            flags[0].load(Ordering::SeqCst)
        })
    };
    flags[0].store(true, Ordering::SeqCst);
    let seen = flags[1].load(Ordering::SeqCst);
    assert!(other.join().unwrap() || seen, "neither sees the other");
}
// ANCHOR_END: alarm

/// So many threads beside main, each with so many steps, none of which can go wrong.
fn all_step(threads: usize, steps: usize) {
    let counter = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
    let step = move |counter: &loom::sync::atomic::AtomicUsize| {
        for _ in 0..steps {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    };
    let others: Vec<_> = (0..threads)
        .map(|_| {
            let counter = counter.clone();
            loom::thread::spawn(move || step(&counter))
        })
        .collect();
    step(&counter);
    others.into_iter().for_each(|other| other.join().unwrap());
}

/// What the present execution has done so far.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

/// How many executions there were, and whether the last of them failed.
fn model(bound: Option<usize>, claim: impl Fn() + Send + Sync + 'static) -> (usize, bool) {
    let executions = Arc::new(Blind::new(0));
    let counted = executions.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    let all = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            claim();
        });
    }));
    (executions.load(Ordering::Relaxed), all.is_err())
}

fn main() {
    examples::Arguments::parse(&[]);
    set_hook(Box::new(|_| ()));

    let log = Log::default();
    let said = log.clone();
    let (executions, failed) = model(None, move || {
        said.0.lock().unwrap().clear();
        two_count(&said);
    });
    println!("a count in two steps: execution {executions} {}", if failed { "fails" } else { "holds" });
    log.0.lock().unwrap().iter().for_each(|line| println!("    {line}"));

    let (executions, failed) = model(None, two_count_unseen);
    println!("the same, unseen by loom: {executions} execution, {}", if failed { "fails" } else { "holds" });

    let (executions, failed) = model(None, flags);
    println!("two flags, all SeqCst: execution {executions} {}", if failed { "fails" } else { "holds" });

    println!("executions, if each thread takes so many steps:");
    println!("  threads  steps   all   3 preemptions   2   1");
    for (threads, steps) in [(2, 1), (2, 2), (2, 4), (2, 6), (3, 1), (3, 2)] {
        let run = |bound| model(bound, move || all_step(threads - 1, steps)).0;
        let [all, three, two, one] = [None, Some(3), Some(2), Some(1)].map(run);
        println!("{threads:9} {steps:6} {all:5} {three:15} {two:3} {one:3}");
    }
}
