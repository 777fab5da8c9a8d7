//! Threads, processes, futures, or some of each? The same jobs in six ways, for three kinds of work.
//!
//! ```console
//! cargo run --release --example 29_choosing
//! cargo run --release --example 29_choosing -- --count 1000
//! ```
//!
//! `--count` jobs; each waits for `--wait` seconds and then computes for `--work` seconds, or does only one of the two. Each way has a
//! process of its own; `processes` has one for each core, and the jobs dealt out among them.

use examples::{Arguments, fail, measure};
use runtime::{Runtime, future::join_all, spawn, spawn_blocking, time::sleep};
use std::{io, process::Command, thread, time::Duration};

#[derive(Clone, Copy)]
struct Job {
    count: usize,
    wait: Duration,
    work: Duration,
}

// ANCHOR: ways
fn in_turn(job: Job) {
    for _ in 0..job.count {
        thread::sleep(job.wait);
        measure::compute(job.work);
    }
}

fn threads(job: Job) {
    thread::scope(|scope| {
        for _ in 0..job.count {
            scope.spawn(|| in_turn(Job { count: 1, ..job }));
        }
    });
}

async fn one(job: Job) {
    sleep(job.wait).await;
    measure::compute(job.work);
}

fn futures(job: Job, workers: usize) {
    let runtime = examples::runtime(Runtime::builder().workers(workers));
    runtime.block_on(async { join_all((0..job.count).map(|_| spawn(one(job)))).await });
}

async fn one_with_pool(job: Job) {
    sleep(job.wait).await;
    let computed = spawn_blocking(move || measure::compute(job.work)).await;
    computed.expect("it only computes");
}

/// Waits on one worker, computes on rented threads, as many as there are cores.
fn mixed(job: Job) {
    let runtime = examples::runtime(Runtime::builder().blocking_threads(cores()));
    runtime.block_on(async { join_all((0..job.count).map(|_| spawn(one_with_pool(job)))).await });
}
// ANCHOR_END: ways

type Way = fn(Job);
const WAYS: [(&str, Way); 6] = [
    ("in turn", in_turn),
    ("threads", threads),
    ("processes", in_turn),
    ("futures", |job| futures(job, 1)),
    ("futures, all cores", |job| futures(job, cores())),
    ("futures and pool", mixed),
];

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What one way costs, all its processes together: processor time and memory in the child's own words.
fn measured(job: Job, way: &str) -> io::Result<(Duration, f64, f64)> {
    let processes = if way == "processes" { cores() } else { 1 };
    let start = runtime::time::Instant::now();
    let mut children = Vec::new();
    for number in 0..processes {
        let mine = Job { count: job.count / processes + usize::from(number < job.count % processes), ..job };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--way", way, "--count", &mine.count.to_string()]);
        command.args(["--wait", &mine.wait.as_secs_f64().to_string(), "--work", &mine.work.as_secs_f64().to_string()]);
        children.push(command.env_remove("SCALE").stdout(std::process::Stdio::piped()).spawn()?);
    }
    let (mut processor, mut memory) = (0.0, 0.0);
    for child in children {
        let said = child.wait_with_output()?.stdout;
        let said = String::from_utf8_lossy(&said);
        let mut numbers = said.split_whitespace().map(str::parse::<f64>);
        let (Some(Ok(seconds)), Some(Ok(bytes))) = (numbers.next(), numbers.next()) else {
            return Err(io::Error::other("a child failed"));
        };
        (processor, memory) = (processor + seconds, memory + bytes);
    }
    Ok((start.elapsed(), processor, memory))
}

fn main() {
    let arguments = Arguments::parse(&["--count", "--wait", "--work", "--way"]);
    let (wait, work) = (arguments.seconds("--wait", 0.05), arguments.seconds("--work", 0.01));
    let job = Job { count: arguments.get("--count", 100), wait, work };
    if let Some(way) = arguments.find::<String>("--way") {
        let way = WAYS.iter().find(|(name, _)| *name == way).unwrap_or_else(|| fail(2, "--way is one of the table's"));
        let measured = measure::cost(|| {
            way.1(job);
            Ok(())
        });
        let memory = measured.unwrap_or_else(|error| fail(1, error)).resident;
        return println!("{} {memory}", measure::processor_time().as_secs_f64());
    }
    println!("{} jobs, {} cores                   time   processor      memory", job.count, cores());
    let kinds = [("waiting", wait, Duration::ZERO), ("computing", Duration::ZERO, work), ("both", wait, work)];
    for (kind, wait, work) in kinds {
        println!("\n{kind}: {wait:?} of waiting, {work:?} of computing");
        for (way, _) in WAYS {
            let (time, processor, memory) =
                measured(Job { wait, work, ..job }, way).unwrap_or_else(|error| fail(1, format!("{way}: {error}")));
            println!("  {way:<20}{:>12.2} s {processor:>9.3} s {:>8.1} MB", time.as_secs_f64(), memory / 1e6);
        }
    }
}
