//! A future that is kept, and not polled: a lock is handed to it, and nobody else can have it.
//!
//! ```console
//! cargo run --example 16_futurelock
//! ```

use examples::{scaled, seconds};
use runtime::{
    select, spawn,
    sync::Mutex,
    time::{Instant, timeout},
    yield_now,
};
use std::{pin::pin, sync::Arc};

type Lock = Arc<Mutex<()>>;

async fn work(lock: &Lock, name: &str, start: Instant) {
    let _held = lock.lock().await;
    println!("  {:.1} s: {name} has the lock", start.elapsed().div_duration_f64(scaled(1.0)));
    seconds(2.0).await;
}

mod kept {
    use super::*;

    // ANCHOR: kept
    pub(crate) async fn impatient(lock: &Lock, start: Instant) {
        let mut plan = pin!(work(lock, "the plan", start));
        select! {
            () = &mut plan => {}
            () = seconds(1.0) => {
                println!("  too slow: another way");
                work(lock, "the other way", start).await;
            }
        }
    }
    // ANCHOR_END: kept
}

mod dropped {
    use super::*;

    // ANCHOR: dropped
    pub(crate) async fn impatient(lock: &Lock, start: Instant) {
        let plan = work(lock, "the plan", start);
        select! {
            () = plan => {}
            () = seconds(1.0) => {
                println!("  too slow: another way");
                work(lock, "the other way", start).await;
            }
        }
    }
    // ANCHOR_END: dropped
}

async fn beside_a_slow_one(impatient: impl AsyncFnOnce(&Lock, Instant)) {
    let (lock, start) = (Lock::default(), Instant::now());
    let first = spawn({
        let lock = lock.clone();
        async move { work(&lock, "somebody else", start).await }
    });
    yield_now().await; // it has the lock now
    match timeout(scaled(60.0), impatient(&lock, start)).await {
        Ok(()) => println!("  done after {:.1} s", start.elapsed().div_duration_f64(scaled(1.0))),
        Err(_) => println!("  after a minute: nobody works, and the lock cannot be had"),
    }
    first.await.expect("it does not panic");
}

fn main() {
    examples::run(&[], async |_| {
        println!("the plan is kept, by `&mut`:");
        beside_a_slow_one(kept::impatient).await;
        println!("the plan is given to select!, which drops it:");
        beside_a_slow_one(dropped::impatient).await;
    });
}
