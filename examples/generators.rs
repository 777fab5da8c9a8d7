//! Generators: functions that give a value away, wait until they are asked for the next, and go on where they were.
//!
//! ```console
//! cargo run --example generators
//! ```
//!
//! The mistakes that it avoids: numbers that grow over their type (the stream ends instead); bounds between which there is no
//! number (refused where they are given); chance that cannot be repeated (a seed can); a producer that runs ahead of whoever
//! takes its values, without a bound (this one waits after each).

use examples::{scaled, seconds};
use runtime::{
    random::Generator,
    stream::{self, Stream, StreamExt},
    time::{Instant, sleep},
};

// ANCHOR: counter
/// A state, and the step from one to the next.
fn counter(start: u32, stop: u32, delay: f64) -> impl Stream<Item = u32> + Unpin {
    stream::unfold(start, async move |number| {
        if number == stop {
            return None;
        }
        seconds(delay).await;
        Some((number, number + 1))
    })
}
// ANCHOR_END: counter

// ANCHOR: fibonacci
/// As many as fit into their type.
fn fibonacci() -> impl Stream<Item = u64> + Unpin {
    stream::generate(async |out| {
        let (mut a, mut b) = (0_u64, Some(1_u64));
        loop {
            out.emit(a).await;
            let Some(next) = b else { return };
            (a, b) = (next, a.checked_add(next));
        }
    })
}
// ANCHOR_END: fibonacci

// ANCHOR: random
/// Numbers from `min` to `max`, a tenth to half a second apart; with the same seed the same ones, at the same times.
fn random_numbers(seed: u64, min: u64, max: u64) -> Result<impl Stream<Item = u64> + Unpin, String> {
    if min > max {
        return Err(format!("there is no number from {min} to {max}"));
    }
    let mut generator = Generator::new(seed);
    Ok(stream::generate(async move |out| {
        loop {
            sleep(scaled(0.001) * (100 + generator.below(401)) as u32).await;
            out.emit(min + generator.below(max - min + 1)).await;
        }
    }))
}
// ANCHOR_END: random

// ANCHOR: pipeline
/// Each source is processed when somebody wants what comes of it, and not before.
fn data_pipeline(sources: &[&str]) -> impl Stream<Item = String> + Unpin {
    stream::generate(async move |out| {
        for source in sources {
            println!("Processing {source}");
            seconds(0.5).await;
            out.emit(format!("data from {source}")).await;
        }
    })
}

async fn take_all_data() {
    let sources = ["API", "Database", "File", "Cache"];
    let mut data = data_pipeline(&sources);
    while let Some(data) = data.next().await {
        println!("Received {data}");
    }
}
// ANCHOR_END: pipeline

// ANCHOR: functions
/// A function may be a plain one or an async one; each is called once for each value.
async fn functions() {
    let plain = counter(0, 10, 0.0).filter(|number| number.is_multiple_of(2)).map(|number| number * 10);
    println!("Plain: {:?}", plain.collect::<Vec<_>>().await);
    let waits = counter(0, 10, 0.0).filter_async(async |number: &u32| {
        seconds(0.05).await;
        number.is_multiple_of(3)
    });
    let waits = waits.then(async |number| {
        seconds(0.05).await;
        number * 10
    });
    println!("Async: {:?}", waits.collect::<Vec<_>>().await);
}
// ANCHOR_END: functions

fn main() {
    examples::run(&[], async |_| {
        let start = Instant::now();
        println!("Counter: {:?}", counter(0, 5, 0.2).collect::<Vec<_>>().await);
        println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
        println!("Fibonacci: {:?}", fibonacci().take(10).collect::<Vec<_>>().await);
        println!("The last one that fits: {:?}", fibonacci().fold(0, |_, last| last).await);
        match random_numbers(42, 1, 100) {
            Ok(numbers) => println!("Random: {:?}", numbers.take(5).collect::<Vec<_>>().await),
            Err(error) => println!("Random: {error}"),
        }
        println!("Refused: {}", random_numbers(42, 100, 1).err().unwrap_or_default());
        let start = Instant::now();
        take_all_data().await;
        println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
        functions().await;
    });
}
