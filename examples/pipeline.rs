//! A pipeline of four stages that are coupled by what lies between them, and by nothing else.
//!
//! ```text
//! producer ──> raw (Queue) ──> transformers ──> processed ──> filter ──> good ──> storage
//!              taken by many                     from many                one to one
//! ```
//!
//! ```console
//! cargo run --example pipeline -- --seed 1 --workers 3 --items 100
//! ```
//!
//! The mistakes that it avoids: one end marker for three workers, which passes the items of the others, so that two of them wait
//! for ever and items stick (here the end of a stage is that it lets go of what it sends into, and each stage drains before it
//! ends); a flag that is looked at every two seconds (nobody wakes up for nothing); to print the number of items that ought to
//! have been stored (what is printed is counted, and what went in is accounted for).

use examples::{Arguments, seconds};
use runtime::{
    Runtime,
    future::join_all,
    random::Generator,
    spawn,
    sync::{
        mpsc::{self, Receiver, Sender},
        queue::Queue,
    },
    time::Instant,
};

const BOUND: usize = 50;
struct Item {
    id: u64,
    value: f64,
    source: char,
    worker: usize,
}

// ANCHOR: producer
/// The most that lay in `raw`. That the queue is closed is the end.
async fn producer(raw: Queue<Item>, items: u64, mut chance: Generator) -> usize {
    let mut high_water = 0;
    for id in 0..items {
        let value = (1 + chance.below(1000)) as f64;
        let source = ['A', 'B', 'C'][chance.below(3) as usize];
        let Ok(()) = raw.put(Item { id, value, source, worker: 0 }).await else { break };
        high_water = high_water.max(raw.len());
        seconds(0.1 + 0.4 * chance.below(1000) as f64 / 1000.0).await;
    }
    raw.close();
    high_water
}
// ANCHOR_END: producer

// ANCHOR: stages
async fn transformer(worker: usize, raw: Queue<Item>, processed: Sender<Item>) -> (u64, usize) {
    let (mut count, mut high_water) = (0, 0);
    while let Ok(item) = raw.get().await {
        seconds(0.5).await;
        let (item, _unfinished) = item.into_parts();
        let Ok(()) = processed.send(Item { value: item.value * 1.5, worker, ..item }).await else { break };
        (count, high_water) = (count + 1, high_water.max(processed.len()));
    }
    (count, high_water)
}

async fn filter(mut processed: Receiver<Item>, good: Sender<Item>) -> (u64, usize) {
    let (mut rejected, mut high_water) = (0, 0);
    while let Some(item) = processed.recv().await {
        let (passes, Item { id, value, source, worker }) = (item.value > 500.0, &item);
        println!("{} item {id:>3} of source_{source}, {value:>6} by worker {worker}", if passes { "✅" } else { "❌" });
        if !passes {
            rejected += 1;
        } else if good.send(item).await.is_err() {
            break;
        }
        high_water = high_water.max(good.len());
    }
    (rejected, high_water)
}

async fn storage(mut good: Receiver<Item>) -> Vec<u64> {
    let mut stored = Vec::new();
    while let Some(item) = good.recv().await {
        seconds(0.1).await;
        stored.push(item.id);
    }
    stored
}
// ANCHOR_END: stages

async fn pipeline(items: u64, workers: usize, seed: u64) {
    let start = Instant::now();
    let raw = Queue::bounded(BOUND);
    let ((processed, to_filter), (good, to_store)) = (mpsc::bounded(BOUND), mpsc::bounded(BOUND));
    let producer = spawn(producer(raw.clone(), items, Generator::new(seed)));
    let workers: Vec<_> =
        (1..=workers).map(|worker| spawn(transformer(worker, raw.clone(), processed.clone()))).collect();
    drop(processed); // the workers have theirs
    let (filter, storage) = (spawn(filter(to_filter, good)), spawn(storage(to_store)));

    let in_raw = producer.await.expect("the producer ends");
    let (shares, in_processed): (Vec<_>, Vec<_>) = join_all(workers).await.into_iter().flatten().unzip();
    let (rejected, in_good) = filter.await.expect("the filter ends");
    let stored = storage.await.expect("the storage ends").len() as u64;
    println!("{items} in = {stored} stored + {rejected} rejected; transformed: {}", shares.iter().sum::<u64>());
    let in_processed = in_processed.into_iter().max().unwrap_or(0);
    println!("waiting at most, of {BOUND}: {in_raw} raw, {in_processed} processed, {in_good} good");
    let time = start.elapsed().as_secs_f64();
    println!("{time:.2} seconds, {:.2} items a second", items as f64 / time);
    assert_eq!(items, stored + rejected, "an item is lost");
}

fn main() {
    let arguments = Arguments::parse(&["--seed", "--workers", "--items"]);
    // These workers are tasks: the runtime has one thread.
    let builder = Runtime::builder();
    let builder = if arguments.virtual_clock { builder.virtual_clock() } else { builder };
    let (items, workers) = (arguments.get("--items", 100), arguments.get("--workers", 3));
    examples::runtime(builder).block_on(pipeline(items, workers, arguments.get("--seed", 1)));
}
