//! Several results at once, some of which are errors: wait for all and look at each; or give up at the first error, and let the
//! others run on; or give up, and end the others.
//!
//! ```console
//! cargo run --example gather
//! ```
//!
//! The mistakes that it avoids: to lose all results because one of them is an error; to take the order in which results come
//! for the order of the tasks; to believe that whoever gives up at the first error has ended the others: spawned tasks run on,
//! unless they are in a group.

use examples::seconds;
use runtime::{
    JoinHandle,
    group::{gather, scope, try_gather},
    spawn,
    time::Instant,
};

/// The second of them fails.
async fn fetch(number: u32, delay: f64) -> Result<String, String> {
    seconds(delay).await;
    if number == 2 { Err(format!("page {number} is gone")) } else { Ok(format!("page {number}")) }
}

/// Three tasks. They say when they are done, whether or not somebody still waits.
fn fetchers(start: Instant) -> [JoinHandle<Result<String, String>>; 3] {
    [(1, 1.0), (2, 2.0), (3, 1.0)].map(|(number, delay)| {
        spawn(async move {
            let page = fetch(number, delay).await;
            println!("  ({number} is done at {:.2})", start.elapsed().as_secs_f64());
            page
        })
    })
}

// ANCHOR: all
/// What became of each, in the order of the tasks; `2.00 s`, as the slowest.
async fn all_of_them() {
    let start = Instant::now();
    for (place, page) in gather(fetchers(start)).await.into_iter().enumerate() {
        match page.expect("nobody aborts it") {
            Ok(page) => println!("Result {place}: {page}"),
            Err(error) => println!("Result {place}: error: {error}"),
        }
    }
    println!("Total time: {:.2} seconds", start.elapsed().as_secs_f64());
}
// ANCHOR_END: all

/// A task that fails after half a second, before three that do not care.
async fn fails_soon() -> Result<String, String> {
    seconds(0.5).await;
    Err("the first error".to_owned())
}

// ANCHOR: first
/// The first error comes at once. Those that are spawned run on, and nobody hears what becomes of them.
async fn the_first_error() {
    let start = Instant::now();
    let [one, two, three] = fetchers(start);
    match try_gather([spawn(fails_soon()), one, two, three]).await {
        Ok(pages) => println!("All: {pages:?}"),
        Err(error) => println!("Gave up at {:.2}: {error}", start.elapsed().as_secs_f64()),
    }
    seconds(2.0).await;
}
// ANCHOR_END: first

// ANCHOR: group
/// In a group the first error ends the others, and the scope has waited for their end when it gives the error.
async fn the_first_error_ends_all() {
    let start = Instant::now();
    let pages = scope(async |group| {
        group.spawn(fails_soon());
        let pages = [(1, 1.0), (3, 1.0)].map(|(number, delay)| {
            group.spawn(async move {
                let page = fetch(number, delay).await?;
                println!("  ({number} is done at {:.2})", start.elapsed().as_secs_f64());
                Ok(page)
            })
        });
        let [one, three] = pages.map(async |page| page.await.expect("a child that failed would have ended us"));
        Ok::<_, String>([one.await, three.await])
    });
    match pages.await {
        Ok(pages) => println!("All: {pages:?}"),
        Err(error) => println!("Gave up at {:.2}: {error}", start.elapsed().as_secs_f64()),
    }
    seconds(2.0).await;
}
// ANCHOR_END: group

fn main() {
    examples::run(&[], async |_| {
        println!("== what became of each");
        all_of_them().await;
        println!("\n== the first error; the others run on");
        the_first_error().await;
        println!("\n== the first error ends the others");
        the_first_error_ends_all().await;
    });
}
