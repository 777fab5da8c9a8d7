//! What RFC 9110 and RFC 9112 ask of a server, and of a client, case by case: a table for each of their sections, and three ways to run them.
//!
//! - On the simulated network: each case in one piece, byte by byte, and cut in two at one place after the other; and again
//!   where the network cuts and delays as it likes.
//! - With the system's sockets, on each poller, in one piece.
//!
//! `cargo test -p tests --test conformance -- --nocapture` prints how many cases there are for each section.
//! `CONFORMANCE=full` cuts at every place, and not only at some of them.

mod client;
mod server;

use runtime::{Runtime, world};
use std::{collections::BTreeMap, time::Duration};

/// Prints how many cases there are for each section. No two may have the same name.
fn list<'a>(cases: impl Iterator<Item = (&'a str, &'a str)>) {
    let (mut sections, mut names) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for (section, name) in cases {
        *sections.entry(section).or_default() += 1;
        names.push(name);
    }
    names.sort_unstable();
    if let Some(two) = names.windows(2).find(|two| two[0] == two[1]) {
        panic!("two cases have the name {:?}", two[0]);
    }
    for (section, count) in &sections {
        println!("RFC {section:<14} {count:>4} cases");
    }
    println!("{:<18} {:>4} cases", "together", names.len());
}

/// Where so many bytes are cut in two: at about `most` places, or everywhere if that is asked for.
fn places(length: usize, most: usize) -> impl Iterator<Item = usize> {
    let everywhere = std::env::var("CONFORMANCE").is_ok_and(|value| value == "full");
    (1..length).step_by(if everywhere { 1 } else { length.div_ceil(most).max(1) })
}

/// In a world whose network neither cuts nor delays: the cases do.
fn on_a_calm_network(run: impl AsyncFnOnce()) {
    Runtime::simulated(1).block_on(async {
        let calm = world::Conditions::default().latency(Duration::ZERO..Duration::ZERO).pieces(0.0);
        world::current().unwrap().set_conditions(calm);
        run().await;
    });
}
