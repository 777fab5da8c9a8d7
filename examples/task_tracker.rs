//! Who is at work, what for, and how did it end: five tasks, one that is watched closely, and one that fails.
//!
//! ```console
//! cargo run --example task_tracker
//! ```
//!
//! The mistakes that it avoids: to know a task by the address of its object, which the next one may be given (a task's number
//! is never used again); to note its end in a second task, and to print the summary before that has run (the runtime notes it
//! before anybody can see the end); to keep each task for ever (of those that are over there are sums, and the latest few); to
//! log how a task starts and how it ends, but not that it was cancelled.
//!
//! On standard error is what [`timed`] and the runtime itself say.

use examples::{Arguments, scaled, seconds};
use runtime::{
    Handle, JoinHandle,
    debug::{Summary, fallible, timed},
    task::Builder,
    time::{sleep, timeout},
};

// ANCHOR: tasks
async fn sample(name: String, length: f64) {
    println!("{name} works for {length:.1} s");
    seconds(length).await;
}

/// An operation with a step inside: both tell how long they take.
async fn monitored() {
    let step = timed("the step", seconds(0.5)).announced();
    timed("MonitoredOperation", step).announced().await;
}

async fn failing() -> Result<(), &'static str> {
    seconds(0.5).await;
    Err("Simulated failure")
}

fn start() -> Vec<JoinHandle<Result<(), &'static str>>> {
    let sample = |number| {
        let name = format!("SampleTask-{number}");
        let work = sample(name.clone(), 0.4 * f64::from(number));
        Builder::new().name(name).spawn(async {
            work.await;
            Ok(())
        })
    };
    let mut tasks: Vec<_> = (1..=5).map(sample).collect();
    tasks.push(Builder::new().name("MonitoredTask").spawn(async {
        monitored().await;
        Ok(())
    }));
    // That its output is an error, the runtime cannot see by itself.
    tasks.push(Builder::new().name("FailingTask").spawn(fallible(failing())));
    tasks
}
// ANCHOR_END: tasks

// ANCHOR: look
/// Those that live, and what they wait for.
fn print_tasks() {
    for task in Handle::current().tasks().tasks() {
        if let Some(name) = &task.name {
            let waits: Vec<String> = task.waits_for.iter().map(ToString::to_string).collect();
            println!("  {name:<14} {:<9} {}", task.state, waits.join(" and "));
        }
    }
}

fn print_summary(summary: &Summary) {
    println!("{}", summary.counts());
    for task in summary.ended() {
        let name = task.name.as_deref().unwrap_or("(no name)");
        println!("  {name}: {} ({:.2} s)", task.outcome, task.lived.as_secs_f64());
    }
}
// ANCHOR_END: look

fn main() {
    let arguments = Arguments::parse(&[]);
    let runtime = examples::runtime(arguments.builder().debug(true));
    runtime.block_on(async {
        println!("== at work");
        let tasks = start();
        sleep(scaled(1.0)).await;

        println!("\n== after a second");
        if arguments.virtual_clock {
            // (The moments that they wait for are the same each time.)
            print_tasks();
        }
        println!("{}", Handle::current().summary().counts());

        for task in tasks {
            // An error is a result like any other: the summary has it.
            let _ = task.await.expect("none of them panics");
        }
        println!("\n== when all are joined");
        print_summary(&Handle::current().summary());

        println!("\n== and one that is given up");
        let patience = timeout(scaled(0.1), timed("an endless wait", std::future::pending::<()>()));
        println!("in time? {}", patience.await.is_ok());
    });
}
