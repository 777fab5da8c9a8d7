//! Two loops around a `select!` that never do what their last branch says, and the same two mended.
//!
//! ```console
//! cargo run --example 13_starved
//! ```

use examples::seconds;
use runtime::{
    select, spawn,
    sync::{
        Event,
        mpsc::{self, Receiver},
    },
};
use std::{collections::VecDeque, pin::pin};

// ANCHOR: deaf
async fn deaf(mut inbox: VecDeque<u32>, stop: &Event) -> u32 {
    let mut handled = 0;
    loop {
        select! {
            biased;
            Some(_) = async { inbox.pop_front() } => handled += 1,
            () = stop.wait() => return handled,
        }
    }
}
// ANCHOR_END: deaf

// ANCHOR: hears
async fn hears(mut inbox: VecDeque<u32>, stop: &Event) -> u32 {
    let mut handled = 0;
    loop {
        select! {
            Some(_) = async { inbox.pop_front() } => handled += 1,
            () = stop.wait() => return handled,
        }
    }
}
// ANCHOR_END: hears

// ANCHOR: restarts
async fn restarts(mut inbox: Receiver<u32>) -> u32 {
    let mut beats = 0;
    loop {
        select! {
            message = inbox.recv() => if message.is_none() { return beats },
            () = seconds(1.0) => beats += 1,
        }
    }
}
// ANCHOR_END: restarts

// ANCHOR: keeps
async fn keeps(mut inbox: Receiver<u32>) -> u32 {
    let mut beats = 0;
    let mut pause = pin!(seconds(1.0));
    loop {
        select! {
            message = inbox.recv() => if message.is_none() { return beats },
            () = &mut pause => {
                beats += 1;
                pause.set(seconds(1.0));
            }
        }
    }
}
// ANCHOR_END: keeps

/// A message each 0.6 seconds, for a minute.
fn steady() -> Receiver<u32> {
    let (sender, inbox) = mpsc::bounded(1);
    drop(spawn(async move {
        for number in 0..100 {
            seconds(0.6).await;
            sender.send(number).await.expect("its receiver waits for the end");
        }
    }));
    inbox
}

fn main() {
    examples::run(&[], async |_| {
        println!("a thousand messages, and the order to stop is there from the beginning");
        let stop = Event::new();
        stop.set();
        println!("  in order: {} handled, then stopped", deaf((0..1000).collect(), &stop).await);
        let handled = hears((0..1000).collect(), &stop).await;
        println!("  by a coin: stopped before the hundredth: {}", handled < 100);

        println!("a message each 0.6 s for a minute, and a heartbeat each second");
        println!("  a new pause each time: {} beats", restarts(steady()).await);
        println!("  the same pause:        {} beats", keeps(steady()).await);
    });
}
