//! What happens to a future that nobody wants any more: it is dropped where it stands, with all that it holds.
//!
//! ```console
//! cargo run --example 16_drop
//! ```

use examples::{scaled, seconds};
use runtime::{
    future::join,
    time::{Instant, timeout},
};

/// Says so when it goes.
struct Held(&'static str);

impl Drop for Held {
    fn drop(&mut self) {
        println!("  dropped: {}", self.0);
    }
}

// ANCHOR: tree
async fn news() {
    let _socket = Held("the socket of the news");
    seconds(1.0).await;
    println!("  the news are here");
}

async fn weather() {
    let _socket = Held("the socket of the weather");
    let _buffer = Held("the buffer of the weather");
    seconds(10.0).await;
    println!("  the weather is here");
}

async fn dashboard() {
    let _screen = Held("the screen");
    join(news(), weather()).await;
    println!("  all is shown");
}
// ANCHOR_END: tree

fn main() {
    examples::run(&[], async |_| {
        // ANCHOR: cut
        let start = Instant::now();
        println!("two seconds of patience:");
        let shown = timeout(scaled(2.0), dashboard()).await;
        println!("  shown: {}, after {:.2} s", shown.is_ok(), start.elapsed().as_secs_f64());

        println!("none at all, not even a first poll:");
        drop(dashboard());
        println!("  nothing has happened");
        // ANCHOR_END: cut
    });
}
