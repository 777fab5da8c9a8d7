//! A function that starts tasks and fails: what becomes of the tasks, when they are detached, and when a scope holds them.
//!
//! ```console
//! cargo run --example 16_scope
//! ```

use examples::seconds;
use runtime::{
    JoinHandle,
    group::{CancelExt, scope},
    task::Builder,
    time::Instant,
};

type Result<T> = std::result::Result<T, String>;

// ANCHOR: children
async fn download(file: &'static str, length: f64) -> Result<()> {
    seconds(length).await;
    if file == "b" {
        return Err("b is not there".into());
    }
    println!("  {file} is written to the disk");
    Ok(())
}

fn spawn(file: &'static str, length: f64) -> JoinHandle<Result<()>> {
    Builder::new().name(file).spawn(download(file, length))
}
// ANCHOR_END: children

// ANCHOR: detached
async fn detached() -> Result<()> {
    let a = spawn("a", 3.0);
    let b = spawn("b", 1.0);
    b.await.map_err(|error| error.to_string())??;
    a.await.map_err(|error| error.to_string())?
}
// ANCHOR_END: detached

// ANCHOR: scoped
async fn scoped() -> Result<()> {
    let both = scope(async |group| {
        group.spawn_named("a", download("a", 3.0));
        group.spawn_named("b", download("b", 1.0));
        Ok(())
    });
    both.await.map_err(|errors| errors.to_string())
}
// ANCHOR_END: scoped

// ANCHOR: clean_up
/// A child that has something to do before it goes. The scope waits for that too.
async fn with_clean_up() -> Result<()> {
    let tidy = async {
        seconds(0.5).await;
        println!("  a.part is removed");
    };
    let both = scope(async |group| {
        group.spawn_named("a, tidy", download("a", 3.0).on_cancel(tidy));
        group.spawn_named("b", download("b", 1.0));
        Ok(())
    });
    both.await.map_err(|errors| errors.to_string())
}
// ANCHOR_END: clean_up

async fn told(title: &str, both: impl Future<Output = Result<()>>) {
    println!("{title}:");
    let start = Instant::now();
    let ended = both.await;
    println!("  {ended:?} after {:.1} s", start.elapsed().as_secs_f64());
    seconds(4.0).await;
}

fn main() {
    examples::run(&[], async |_| {
        told("detached", detached()).await;
        told("in a scope", scoped()).await;
        told("in a scope, with a clean-up", with_clean_up()).await;
    });
}
