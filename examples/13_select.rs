//! Two futures in one task: both of them, then the first of them. Each says when it is polled.
//!
//! ```console
//! cargo run --example 13_select
//! ```

use examples::seconds;
use runtime::{future::race, time::Instant};
use stages::s13_join_select::join;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

// ANCHOR: told
/// Says when it is polled, what came of it, and when it is dropped.
struct Told<F> {
    name: &'static str,
    start: Instant,
    future: Pin<Box<F>>,
}

fn told<F: Future>(name: &'static str, start: Instant, future: F) -> Told<F> {
    Told { name, start, future: Box::pin(future) }
}

impl<F> Told<F> {
    fn say(&self, what: &str) {
        println!("  {:.1} s  {}: {what}", self.start.elapsed().as_secs_f64(), self.name);
    }
}

impl<F: Future> Future for Told<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let poll = self.future.as_mut().poll(context);
        self.say(if poll.is_ready() { "polled, ready" } else { "polled, pending" });
        poll
    }
}
// ANCHOR_END: told

impl<F> Drop for Told<F> {
    fn drop(&mut self) {
        self.say("dropped");
    }
}

async fn page(text: &'static str, wait: f64) -> &'static str {
    seconds(wait).await;
    text
}

fn main() {
    examples::run(&[], async |_| {
        // ANCHOR: main
        println!("join: both");
        let start = Instant::now();
        let (a, b) = (page("page a", 1.0), page("page b", 2.0));
        let pages = join(told("a", start, a), told("b", start, b)).await;
        println!("  {pages:?}\n");

        println!("race: the first");
        let start = Instant::now();
        let (a, b) = (page("page a", 1.0), page("page b", 2.0));
        let page = race(told("a", start, a), told("b", start, b)).await;
        println!("  {:?}", page.into_inner());
        // ANCHOR_END: main
    });
}
