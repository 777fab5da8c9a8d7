//! Many futures in one task, each of which waits a little longer than the one before: how often are they polled?
//!
//! ```console
//! cargo run --example 13_many
//! ```

use examples::seconds;
use stages::s13_join_select::join_all;
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

// ANCHOR: naive
/// Waits for all, and asks all that are left in each poll.
async fn ask_all(mut futures: Vec<Pin<Box<impl Future>>>) {
    poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
// ANCHOR_END: naive

/// Waits so many seconds, and counts its polls.
async fn wait(number: u32, polls: &Cell<u32>) {
    let mut sleep = Box::pin(seconds(f64::from(number)));
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        sleep.as_mut().poll(context)
    })
    .await;
}

fn main() {
    examples::run(&["--most"], async |arguments| {
        println!("futures   polls, all asked   polls, only who woke");
        for count in [1, 10, 100, 1000] {
            if count > arguments.get("--most", 1000) {
                break;
            }
            let (all_asked, who_woke) = (Cell::new(0), Cell::new(0));
            ask_all((1..=count).map(|number| Box::pin(wait(number, &all_asked))).collect()).await;
            join_all((1..=count).map(|number| wait(number, &who_woke)).collect()).await;
            println!("{count:>7}   {:>16}   {:>20}", all_asked.get(), who_woke.get());
        }
    });
}
