//! A time limit for anything: what takes too long is dropped, where it stands.
//!
//! ```console
//! cargo run --example timeouts
//! ```
//!
//! The mistakes that it avoids: to believe that the work goes on behind a timeout (a future that is dropped is gone; a task
//! that was spawned is not, it must be aborted); and to lose a result that was there already because the time is up as well
//! (the future is asked first).

use examples::{scaled, seconds};
use runtime::{
    spawn,
    time::{Instant, timeout},
};
use std::future::{pending, ready};

/// Tells when the future that owns it is dropped before its end.
struct Told(&'static str);

impl Drop for Told {
    fn drop(&mut self) {
        println!("  ({} is dropped)", self.0);
    }
}

async fn operation(name: &'static str, length: f64) -> &'static str {
    let _told = Told(name);
    seconds(length).await;
    name
}

fn after(start: Instant) -> String {
    format!("after {:.2} s", start.elapsed().as_secs_f64())
}

fn main() {
    examples::run(&[], async |_| {
        // ANCHOR: timeout
        println!("ten seconds of work, two seconds of patience:");
        let start = Instant::now();
        match timeout(scaled(2.0), operation("the long one", 10.0)).await {
            Ok(name) => println!("  {name} is done"),
            Err(_) => println!("  Task timed out {}", after(start)),
        }
        // ANCHOR_END: timeout

        println!("a tenth of a second of work, half as much patience:");
        let start = Instant::now();
        if timeout(scaled(0.05), operation("the short one", 0.1)).await.is_err() {
            println!("  Operation timed out {}", after(start));
        }

        println!("the other way round, the output comes and nothing is late:");
        let start = Instant::now();
        let name = timeout(scaled(0.1), operation("the quick one", 0.05)).await.expect("it is quick");
        println!("  {name} is done {}", after(start));

        // ANCHOR: zero
        println!("no patience at all: asked once, all the same");
        let none = scaled(0.0);
        println!("  a future that is ready: {:?}", timeout(none, ready("its output")).await);
        println!("  one that is not: {:?}", timeout(none, pending::<()>()).await.map_err(|error| error.to_string()));
        // ANCHOR_END: zero

        // ANCHOR: task
        println!("a task goes on when nobody waits for it any more:");
        let mut task = spawn(operation("the task", 1.0));
        let early = timeout(scaled(0.5), &mut task).await;
        println!("  at half time: {}", if early.is_err() { "not yet" } else { "done" });
        println!("  then: {:?}", task.await);
        // ANCHOR_END: task
    });
}
