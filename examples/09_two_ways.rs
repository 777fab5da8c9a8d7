//! Many sleeps of a second: with a thread for each timer, as a tutorial has it, and with one list of deadlines.
//!
//! ```console
//! cargo run --example 09_two_ways
//! cargo run --example 09_two_ways -- --count 10000
//! ```
//!
//! Each way runs in a process of its own (`--way NAME`: only that one), so that none inherits the memory of another.

use examples::{Arguments, fail, measure};
use stages::{s06_executor, s08_join::joinable, s09_timers};
use std::{
    future::{Future, poll_fn},
    io,
    process::{Command, exit},
    task::Poll,
    thread,
    time::{Duration, Instant},
};

// ANCHOR: thread
/// Ready when the time has passed. At its first poll it starts a thread that sleeps, and then wakes.
fn sleep_on_a_thread(time: Duration) -> impl Future<Output = ()> {
    let deadline = Instant::now() + time;
    let mut thread = None;
    poll_fn(move |context| {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        thread.get_or_insert_with(|| {
            let waker = context.waker().clone();
            thread::spawn(move || {
                thread::sleep(deadline.saturating_duration_since(Instant::now()));
                waker.wake();
            })
        });
        Poll::Pending
    })
}
// ANCHOR_END: thread

/// The same tasks, on a runtime and with a sleep of one's choice.
fn all<S: Future<Output = ()> + Send + 'static>(count: usize, spawn: fn(Task), sleep: impl Fn() -> S) -> Vec<Handle> {
    let task = |_| {
        let (task, handle) = joinable(sleep());
        spawn(Box::pin(task));
        handle
    };
    (0..count).map(task).collect()
}

type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
type Handle = stages::s08_join::JoinHandle<()>;

async fn joined(handles: Vec<Handle>) {
    for handle in handles {
        handle.await.expect("a sleep does not panic");
    }
}

fn run(way: &str, count: usize) -> io::Result<()> {
    let second = examples::scaled(1.0);
    match way {
        "threads" => s06_executor::block_on(async {
            joined(all(count, s06_executor::spawn, || sleep_on_a_thread(second))).await;
        }),
        "list" => s09_timers::block_on(async {
            joined(all(count, s09_timers::spawn, || s09_timers::sleep(second))).await;
        }),
        other => return Err(io::Error::other(format!("there is no way `{other}`"))),
    }
    Ok(())
}

fn main() {
    let arguments = Arguments::parse(&["--count", "--way"]);
    let count = arguments.get("--count", 1000);
    if let Some(way) = arguments.find::<String>("--way") {
        match measure::cost(|| run(&way, count)) {
            Ok(cost) => println!("{way:8}{cost}"),
            Err(error) => fail(1, error),
        }
        return;
    }
    println!("{count} sleeps of a second\n\n         wall clock  processor  memory used     reserved");
    for way in ["threads", "list"] {
        let mut command = Command::new(std::env::current_exe().expect("this program has a file"));
        let status = command.args(std::env::args().skip(1)).args(["--way", way]).status();
        if !status.is_ok_and(|status| status.success()) {
            exit(1);
        }
    }
}
