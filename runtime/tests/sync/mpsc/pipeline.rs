//! The shape of the pipeline, with one, three and fifty workers, in thousands of schedules: what goes in is accounted for.

use runtime::{
    Runtime, random, spawn,
    sync::{mpsc::bounded, queue::Queue},
    yield_now,
};

const ITEMS: u64 = 100;

/// So many turns, as the seed will have it.
async fn dawdle() {
    for _ in 0..random::below(3) {
        yield_now().await;
    }
}

/// Producer, workers that share a queue, a filter, a store: each ends when what it reads from does. (Stored, rejected.)
async fn pipeline(workers: u64) -> (Vec<u64>, u64) {
    let raw = Queue::bounded(5);
    let (processed, mut to_filter) = bounded(3);
    let (good, mut to_store) = bounded(2);
    let producer = spawn({
        let raw = raw.clone();
        async move {
            for item in 0..ITEMS {
                dawdle().await;
                raw.put(item).await.unwrap();
            }
            raw.close();
        }
    });
    for _ in 0..workers {
        let (raw, processed) = (raw.clone(), processed.clone());
        drop(spawn(async move {
            while let Ok(item) = raw.get().await {
                dawdle().await;
                processed.send(*item * 3).await.unwrap();
            }
        }));
    }
    drop(processed);
    let filter = spawn(async move {
        let mut rejected = 0;
        while let Some(item) = to_filter.recv().await {
            dawdle().await;
            match item % 2 {
                0 => good.send(item).await.unwrap(),
                _ => rejected += 1,
            }
        }
        rejected
    });
    let store = spawn(async move {
        let mut stored = Vec::new();
        while let Some(item) = to_store.recv().await {
            dawdle().await;
            stored.push(item);
        }
        stored
    });
    producer.await.unwrap();
    raw.join().await;
    (store.await.unwrap(), filter.await.unwrap())
}

#[test]
fn a_pipeline_loses_nothing_with_1_3_and_50_workers() {
    for workers in [1, 3, 50] {
        let mut orders = std::collections::BTreeSet::new();
        for seed in 0..1_000 {
            let (mut stored, rejected) = Runtime::simulated(seed).block_on(pipeline(workers));
            orders.insert(stored.clone());
            stored.sort_unstable();
            assert_eq!(rejected, ITEMS / 2, "{workers} workers, seed {seed}");
            assert!(
                stored.iter().copied().eq((0..ITEMS).step_by(2).map(|item| item * 3)),
                "{workers} workers, seed {seed}"
            );
        }
        // One worker keeps the order; with more, each seed is a schedule of its own.
        assert!(if workers == 1 { orders.len() == 1 } else { orders.len() > 900 }, "{} orders", orders.len());
    }
}
