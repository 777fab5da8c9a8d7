//! Four ends of a task: it is ready, it panics, it is aborted, and nobody waits for it.
//!
//! ```console
//! cargo run --example 08_join
//! ```

use examples::seconds;
use runtime::{JoinHandle, task};
use std::future::pending;

// ANCHOR: ends
fn spawn<T: Send + 'static>(name: &str, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    task::Builder::new().name(name).spawn(future)
}

async fn four_ends() {
    let ready = spawn("ready", async {
        seconds(0.1).await;
        42
    });
    let panics = spawn("panics", async {
        seconds(0.2).await;
        panic!("a number is missing");
    });
    let aborted = spawn("aborted", pending::<u32>());
    let detached = spawn("detached", async {
        seconds(0.3).await;
        println!("the detached one runs on, and says so");
    });
    drop(detached);

    println!("ready:   {:?}", ready.await);
    aborted.abort();
    println!("aborted: {:?}", aborted.await);
    let panics: Result<u32, _> = panics.await;
    println!("panics:  {}", panics.expect_err("it has no output"));
    seconds(0.2).await;
}
// ANCHOR_END: ends

fn main() {
    let arguments = examples::Arguments::parse(&[]);
    // Its panic is told to whoever waits for it; the usual message would stand between the lines.
    std::panic::set_hook(Box::new(|_| ()));
    let runtime = examples::runtime(arguments.builder().trace());
    runtime.block_on(four_ends());
    print!("\n{}", runtime.trace());
}
