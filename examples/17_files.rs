//! The checksums of a folder, beside a clock that ticks: in the task, half on the pool, and wholly on the pool.
//!
//! ```console
//! cargo run --example 17_files
//! ```

use examples::{Arguments, fail};
use runtime::{
    Runtime,
    fs::{self, TempDir},
    future::join_all,
    spawn, spawn_blocking,
    time::{Instant, sleep, sleep_until},
};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

/// FNV-1a: short, and slow enough to be seen.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

// ANCHOR: in_the_task
async fn in_the_task(paths: Vec<PathBuf>) -> io::Result<u64> {
    let mut all = 0;
    for path in paths {
        all ^= checksum(&std::fs::read(path)?);
    }
    Ok(all)
}
// ANCHOR_END: in_the_task

// ANCHOR: half
async fn read_on_the_pool(paths: Vec<PathBuf>) -> io::Result<u64> {
    let mut all = 0;
    for path in paths {
        all ^= checksum(&fs::read(path).await?);
    }
    Ok(all)
}
// ANCHOR_END: half

// ANCHOR: on_the_pool
async fn on_the_pool(paths: Vec<PathBuf>) -> io::Result<u64> {
    let mut jobs = Vec::new();
    for path in paths {
        jobs.push(spawn_blocking(|| io::Result::Ok(checksum(&std::fs::read(path)?))));
    }
    let mut all = 0;
    for sum in join_all(jobs).await {
        all ^= sum.map_err(io::Error::other)??;
    }
    Ok(all)
}
// ANCHOR_END: on_the_pool

// ANCHOR: clock
/// Ticks a hundred times a second, and keeps how late the latest tick was.
async fn clock(latest: Arc<Mutex<Duration>>) {
    let mut due = Instant::now();
    loop {
        due += Duration::from_millis(10);
        sleep_until(due).await;
        let mut latest = latest.lock().unwrap();
        *latest = latest.max(due.elapsed());
    }
}
// ANCHOR_END: clock

async fn beside_a_clock(title: &str, sums: impl Future<Output = io::Result<u64>> + Send + 'static) -> io::Result<()> {
    let latest = Arc::new(Mutex::new(Duration::ZERO));
    let (ticks, start) = (spawn(clock(latest.clone())), Instant::now());
    let sum = spawn(sums).await.expect("it does not panic")?;
    let took = start.elapsed();
    sleep(Duration::from_millis(20)).await; // a clock that is late ticks now
    ticks.abort();
    println!(
        "{title:<32} {:>4} ms, the clock late by up to {:>4} ms  (checksum {sum:016x})",
        took.as_millis(),
        latest.lock().unwrap().as_millis()
    );
    Ok(())
}

async fn tour() -> io::Result<()> {
    let folder = TempDir::new().await?;
    let mut paths = Vec::new();
    for number in 0..8_u8 {
        let path = folder.path().join(format!("{number}.bin"));
        fs::write(&path, vec![number; 2 << 20]).await?;
        paths.push(path);
    }
    beside_a_clock("in the task", in_the_task(paths.clone())).await?;
    beside_a_clock("read on the pool, summed in it", read_on_the_pool(paths.clone())).await?;
    beside_a_clock("both on the pool", on_the_pool(paths)).await?;
    folder.close().await
}

fn main() {
    // Real time is what is measured here: a virtual clock stands still while something blocks.
    Arguments::parse(&[]);
    examples::runtime(Runtime::builder()).block_on(tour()).unwrap_or_else(|error| fail(1, error));
}
