//! A producer that is five times as quick as its consumer: what a bound does, what its absence does, and a mark that is watched.
//!
//! ```console
//! cargo run --example backpressure
//! ```
//!
//! The mistakes that it avoids: a queue without a bound, which is a memory leak with a delay (nothing fails, until all does); to
//! look at the length now and then and to sleep when it is too long (it overshoots, and sleeps when there is room again); to
//! drop the sender's future when it is slow, and with it the message.

use examples::seconds;
use runtime::{
    spawn,
    sync::mpsc::{self, Receiver, Sender},
    time::Instant,
};
use std::time::Duration;

const MESSAGES: u32 = 200;
const SIZE: usize = 64 * 1024;
const TO_MAKE: f64 = 0.01;
const TO_USE: f64 = 0.05;

type Message = Vec<u8>;

/// What the producer saw.
#[derive(Default)]
struct Seen {
    high_water: usize,
    held_up: Duration,
    done_after: Duration,
}

// ANCHOR: consumer
async fn consumer(mut messages: Receiver<Message>) -> (u32, usize) {
    let (mut count, mut bytes) = (0, 0);
    while let Some(message) = messages.recv().await {
        seconds(TO_USE).await;
        count += 1;
        bytes += message.len();
    }
    (count, bytes)
}
// ANCHOR_END: consumer

// ANCHOR: producer
/// `send` waits for a slot if there is a bound: that is all the backpressure that there is.
async fn producer(messages: Sender<Message>, mark: Option<usize>) -> Seen {
    let start = Instant::now();
    let mut seen = Seen::default();
    for _ in 0..MESSAGES {
        seconds(TO_MAKE).await;
        let message = vec![0; SIZE];
        let before = Instant::now();
        // The other way: to look, and to sleep while it is too full.
        while mark.is_some_and(|mark| messages.len() > mark) {
            seconds(0.1).await;
        }
        if messages.send(message).await.is_err() {
            break; // nobody receives any more
        }
        seen.held_up += before.elapsed();
        seen.high_water = seen.high_water.max(messages.len());
    }
    seen.done_after = start.elapsed();
    seen
}
// ANCHOR_END: producer

async fn show(name: &str, (sender, receiver): (Sender<Message>, Receiver<Message>), mark: Option<usize>) -> usize {
    let start = Instant::now();
    let consumer = spawn(consumer(receiver));
    let seen = producer(sender, mark).await;
    let (count, bytes) = consumer.await.expect("the consumer does not panic");
    assert_eq!((count, bytes), (MESSAGES, MESSAGES as usize * SIZE), "a message is lost");
    println!(
        "{name:>12} | {:>3} waiting at most, {:>5.2} MiB | producer held up {:>5.2} s, done after {:>5.2} s | all after {:.2} s",
        seen.high_water,
        (seen.high_water * SIZE) as f64 / f64::from(1 << 20),
        seen.held_up.as_secs_f64(),
        seen.done_after.as_secs_f64(),
        start.elapsed().as_secs_f64(),
    );
    seen.high_water
}

fn main() {
    examples::run(&[], async |_| {
        println!("{MESSAGES} messages of 64 KiB; {TO_MAKE} s to make one, {TO_USE} s to use one");
        let bounded = show("bounded(10)", mpsc::bounded(10), None).await;
        assert!(bounded <= 10, "above the bound");
        show("unbounded()", mpsc::unbounded(), None).await;
        show("mark at 80", mpsc::unbounded(), Some(80)).await;
        println!("The consumer needs the same time in all three; what differs is where the messages wait.");
    });
}
