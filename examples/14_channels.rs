//! A producer that is three times as quick as its consumer, and a channel with two slots between them.
//!
//! ```console
//! cargo run --example 14_channels
//! ```

use examples::{scaled, seconds};
use runtime::{task::Builder, time::Instant};
use stages::s14_channels::{Receiver, Sender, channel};

// ANCHOR: producer
async fn producer(sender: Sender<u32>, start: Instant) {
    for number in 1..=6 {
        seconds(1.0).await;
        let before = Instant::now();
        sender.send(number).await.expect("the consumer waits for the end");
        let how = if before.elapsed() < scaled(0.5) { "" } else { ", after a wait" };
        say(start, &format!("{number} sent{how}"));
    }
    // Here the sender is dropped: nothing more will come.
}

async fn consumer(mut receiver: Receiver<u32>, start: Instant) {
    while let Some(number) = receiver.recv().await {
        say(start, &format!("           {number} received"));
        seconds(3.0).await;
    }
    say(start, "           the end");
}
// ANCHOR_END: producer

fn say(start: Instant, what: &str) {
    println!("{:>4.0} s  {what}", start.elapsed().as_secs_f64());
}

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        let (sender, receiver) = channel(2);
        let producer = Builder::new().name("producer").spawn(producer(sender, start));
        let consumer = Builder::new().name("consumer").spawn(consumer(receiver, start));
        producer.await.expect("it does not panic");
        consumer.await.expect("it does not panic");
    });
}
