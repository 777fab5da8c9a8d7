//! The life of a task, state by state: who changes it, and when.
//!
//! ```console
//! cargo run --example task_states
//! ```
//!
//! The mistakes that it avoids: to await something that nobody will ever bring (here another task brings it; without it, the
//! virtual clock would report the deadlock and name who waits); and to spawn before there is a runtime (a panic, which says so).

use runtime::{AbortHandle, spawn, sync::oneshot, task, yield_now};
use std::sync::{Arc, OnceLock};

// ANCHOR: worker
/// Looks at itself, waits for what another task brings, and looks again.
async fn waiter(own: Arc<OnceLock<AbortHandle>>, receiver: oneshot::Receiver<&'static str>) -> String {
    let state = || own.get().expect("it was given before the first poll").state();
    println!("2. in its first poll:            {}", state());
    let word = receiver.await.expect("the sender sends");
    println!("5. in its second poll:           {}", state());
    format!("it got {word:?}")
}
// ANCHOR_END: worker

fn main() {
    examples::run(&[], async |_| {
        // ANCHOR: life
        let (sender, receiver) = oneshot::channel();
        let own = Arc::new(OnceLock::new());
        let task = task::Builder::new().name("waiter").spawn(waiter(own.clone(), receiver));
        own.set(task.abort_handle()).expect("set once");
        println!("1. spawned, not yet polled:      {}", task.state());
        yield_now().await;
        println!("3. it waits:                     {}", task.state());

        let waits = task.abort_handle();
        let bringer = spawn(async move {
            sender.send("a word").expect("somebody waits");
            println!("4. woken by what it waited for:  {}", waits.state());
        });
        bringer.await.expect("it does not panic");
        let ended = task.abort_handle();
        let result = task.await.expect("it does not panic");
        println!("6. it is over:                   {}", ended.state());
        println!("   result: {result}");
        ended.abort();
        println!("7. aborted, too late:            {}", ended.state());
        // ANCHOR_END: life

        println!("\nanother, that is not left to end:");
        let (_sender, receiver) = oneshot::channel::<()>();
        let task = spawn(receiver);
        yield_now().await;
        println!("   it waits:                     {}", task.state());
        task.abort();
        println!("   aborted, not yet dropped:     {}", task.state());
        let ended = task.abort_handle();
        let error = task.await.expect_err("it was aborted");
        println!("   it is over:                   {} ({error})", ended.state());
    });
}
