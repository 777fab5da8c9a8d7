//! Exchanges broken at every byte, in each direction and each way, in simulated worlds: each ends in a right answer or in a
//! typed error, within the time it has; and afterwards the server serves the next client, and no task, socket, place or
//! connection of a pool is lost.
//!
//! ```text
//!   client ── Up ──> relay ── Up ──> server with one place
//!          <─ Down ─   │  <─ Down ──
//!                      └ after so many bytes: close, reset, half-close, stall, silence, pause, drip
//! ```
//!
//! At every byte two or three of the seven faults are tried, in turn; with `FAULTS=all`, all of them. Every run is a world of its
//! own, whose seed is the number of the byte. When one fails, its name is printed; `FAULT="TwoGets Down Reset 17"` runs only that.

mod exchange;
mod house;
mod relay;
mod roads;
mod seeds;
mod wires;

use exchange::{Ended, Exchange};
use house::{House, TIMEOUT};
use netio::http::client::Client;
use relay::{Fault, Relay, Trouble, Way};
use runtime::Runtime;
use std::{collections::BTreeMap, time::Instant};

/// What a run without trouble is like.
#[derive(Default)]
struct Calm {
    /// Bytes in each direction.
    passed: [u64; 2],
    /// What anybody hears who is not our client.
    heard: Vec<u8>,
}

impl Calm {
    fn of(exchange: Exchange) -> Calm {
        Runtime::simulated(0).block_on(async {
            let house = House::open(1);
            let relay = Relay::start(house.address, Vec::new());
            let heard = exchange.heard(relay.address).await;
            if heard.is_empty() {
                assert_eq!(exchange.perform(&Client::new(), relay.address, &[], &[]).await, Ended::Right);
            }
            Calm { passed: [relay.passed(Way::Up), relay.passed(Way::Down)], heard }
        })
    }
}

/// Says which run it was, if it fails.
struct Blame(String);

impl Drop for Blame {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it failed with FAULT={:?}", self.0);
        }
    }
}

/// One run: the exchange, and then what everybody is owed who comes later.
async fn run(exchange: Exchange, calm: &Calm, trouble: Option<Trouble>) -> Ended {
    let house = House::open(1);
    let relay = Relay::start(house.address, vec![trouble]);
    let client = Client::builder().timeout(TIMEOUT).connect_timeout(TIMEOUT).build();

    let silent = trouble.is_some_and(|trouble| trouble.fault.is_silent());
    let ended = exchange.perform(&client, relay.address, &calm.heard, refusals(trouble)).await;
    let seen = house.log.lines();
    check_what_was_seen(exchange, &ended, &seen);

    // The same client again; what it keeps may have fallen silent, which it can find out only once.
    match Exchange::Known.perform(&client, relay.address, &[], refusals(trouble)).await {
        Ended::Failed(_) if silent => {
            assert_eq!(Exchange::Known.perform(&client, relay.address, &[], refusals(trouble)).await, Ended::Right);
        }
        again => assert_eq!(again, Ended::Right, "the same client again"),
    }
    drop(client);
    house.serves_the_next(Client::builder()).await;
    drop(relay);
    house.close().await;
    ended
}

/// What a server may say about a request that did not come whole.
fn refusals(trouble: Option<Trouble>) -> &'static [u16] {
    match trouble.map(|trouble| trouble.fault) {
        Some(Fault::Stall | Fault::Silence) => &[408],
        Some(Fault::HalfClose) => &[400],
        _ => &[],
    }
}

/// Handlers see the exchange's requests in their order, whole, and only those. Our client may ask twice for what may be asked
/// for twice, if a kept connection was lost.
fn check_what_was_seen(exchange: Exchange, ended: &Ended, seen: &[String]) {
    let all = exchange.seen();
    let mut once = seen.to_vec();
    once.dedup_by(|later, earlier| later == earlier && !later.starts_with("POST"));
    assert!(all.starts_with(&once), "handlers saw {seen:?}");
    if *ended == Ended::Right {
        assert_eq!(once, all, "what was answered was asked");
    }
}

/// Breaks the exchange at every `step`th byte.
fn sweep(exchange: Exchange, step: usize) {
    let start = Instant::now();
    let calm = Calm::of(exchange);
    let only = std::env::var("FAULT").ok();
    let all = only.is_some() || std::env::var_os("FAULTS").is_some_and(|value| value == "all");
    let (mut runs, mut ends) = (0, BTreeMap::new());
    for way in [Way::Up, Way::Down] {
        let bytes = calm.passed[way as usize];
        for after in (0..bytes).step_by(step).chain([bytes]) {
            for (number, fault) in Fault::ALL.into_iter().enumerate() {
                if !all && after < bytes && !(after as usize / step + number).is_multiple_of(3) {
                    continue;
                }
                let blame = Blame(format!("{exchange:?} {way:?} {fault:?} {after}"));
                if only.as_ref().is_some_and(|only| *only != blame.0) {
                    continue;
                }
                let trouble = Trouble { way, after, fault };
                let ended = Runtime::simulated(after).block_on(run(exchange, &calm, Some(trouble)));
                if fault.is_harmless() || (way, after) == (Way::Down, bytes) {
                    assert_eq!(ended, Ended::Right, "nothing was lost");
                }
                runs += 1;
                *ends.entry(format!("{ended:?}")).or_insert(0) += 1;
            }
        }
    }
    println!("{exchange:?}: {runs} runs in {:?}: {ends:?}", start.elapsed());
    assert!(only.is_some() || ends.len() > 2, "faults that nobody notices are none: {ends:?}");
}

/// One test for each exchange.
macro_rules! sweeps {
    ($($name:ident: $exchange:ident by $step:literal;)*) => {
        $(#[test]
        fn $name() {
            sweep(Exchange::$exchange, $step);
        })*
    };
}

sweeps! {
    two_gets: TwoGets by 1;
    head: Head by 1;
    post: Post by 1;
    upload: Upload by 1;
    stream: Stream by 1;
    known: Known by 1;
    moved: Moved by 1;
    large: Large by 12_007;
    post_in_chunks: PostInChunks by 1;
    pipelined: Pipelined by 1;
    leave_to_continue: Continue by 1;
    old: Old by 1;
}
