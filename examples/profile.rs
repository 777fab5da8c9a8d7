//! Where the time goes: three kinds of tasks, and the runtime's own table, with the busiest first.
//!
//! ```console
//! cargo run --example profile
//! ```
//!
//! The mistakes that it avoids: to look for the slow place with a stopwatch around an `await` (that also counts how long it
//! waited); to take the total time of a task for its work (a second of sleep is no work, and a second in the queue is somebody
//! else's); to profile what waits with a tool that samples the processor (it sees nothing). `RUNTIME_PROFILE=1` prints the
//! table at the end of any program.
//!
//! The table is on standard error: its times are those of the machine, and different each time.

use examples::{Arguments, measure::compute, scaled, seconds};
use runtime::{debug::Summary, future::join_all, task::Builder, yield_now};

// ANCHOR: kinds
/// Much work at a time: whatever else is ready waits.
async fn hot() {
    for _ in 0..5 {
        compute(scaled(0.05));
        yield_now().await;
    }
}

/// The same, in small portions.
async fn warm() {
    for _ in 0..20 {
        compute(scaled(0.001));
        yield_now().await;
    }
}

/// No work at all.
async fn waiting() {
    for _ in 0..3 {
        seconds(0.2).await;
    }
}
// ANCHOR_END: kinds

// ANCHOR: table
/// What is the same each time: the order of the three kinds, and how often they were polled.
fn print_counts(summary: &Summary) {
    for group in summary.groups().iter().filter(|group| group.label != "main") {
        println!("{:<8} {} tasks, {:>2} polls", group.label, group.tasks, group.work.polls);
    }
}
// ANCHOR_END: table

fn main() {
    let arguments = Arguments::parse(&[]);
    let runtime = examples::runtime(arguments.builder().profile(true));
    runtime.block_on(async {
        let named = |name: &'static str| Builder::new().name(name);
        let mut tasks: Vec<_> = (0..4).map(|_| named("waiting").spawn(waiting())).collect();
        tasks.extend((0..2).map(|_| named("warm").spawn(warm())));
        tasks.extend((0..2).map(|_| named("hot").spawn(hot())));
        for done in join_all(tasks).await {
            done.expect("none of them panics");
        }
    });
    println!("the busiest first:");
    print_counts(&runtime.handle().summary());
}
