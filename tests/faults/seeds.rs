//! Everything at once, by chance: several callers, relays that break, weather, callers that hang up in the middle of anything,
//! and a server that is told to stop. `RUNTIME_SEEDS=100000` runs so many seeds, `RUNTIME_SEED=17` only that one.

use crate::{
    Calm,
    exchange::{Ended, Exchange},
    house::{House, TIMEOUT},
    relay::{Fault, Relay, Trouble, Way},
};
use netio::http::client::Client;
use runtime::{
    future::{Either, join_all, race},
    random,
    time::sleep,
    world::{self, Conditions},
};
use std::{cell::RefCell, collections::BTreeMap, time::Duration};

const SEEDS: u64 = 200;
const MILLISECOND: Duration = Duration::from_millis(1);

/// Nothing fails, but much is odd.
fn restless() -> Conditions {
    Conditions::default().latency(Duration::ZERO..5 * MILLISECOND).pieces(0.3).spurious(0.2).buffer(3000)
}

fn stormy() -> Conditions {
    restless().resets(0.005).refusals(0.02).lost_calls(0.02).slow_calls(0.05).failing_accepts(0.05)
}

fn one_of<T: Copy>(choices: &[T]) -> T {
    choices[random::below(choices.len() as u64) as usize]
}

fn perhaps_trouble() -> Option<Trouble> {
    let way = one_of(&[Way::Up, Way::Down]);
    random::chance(0.5).then(|| Trouble { way, after: random::below(400), fault: one_of(&Fault::ALL) })
}

/// What becomes of the exchanges of one caller; `None` for those that it gave up.
async fn call(relay: &Relay, calm: &BTreeMap<Exchange, Calm>) -> Vec<(Exchange, Option<Ended>)> {
    let client = Client::builder().timeout(TIMEOUT).connect_timeout(TIMEOUT).build();
    let mut ends = Vec::new();
    for _ in 0..3 {
        sleep(random::below(30) as u32 * MILLISECOND).await;
        let exchange = one_of(&Exchange::ALL);
        let performed = exchange.perform(&client, relay.address, &calm[&exchange].heard, &[400, 408]);
        let patience = if random::chance(0.2) { random::below(40) as u32 * MILLISECOND } else { 3 * TIMEOUT };
        ends.push(match race(performed, sleep(patience)).await {
            Either::Left(ended) => (exchange, Some(ended)),
            Either::Right(()) => (exchange, None),
        });
    }
    ends
}

async fn day(calm: &BTreeMap<Exchange, Calm>) -> Vec<(Exchange, Option<Ended>)> {
    let world = world::current().unwrap();
    let stops = random::chance(0.2);
    world.set_conditions(if random::chance(0.5) { stormy() } else { restless() });
    let house = House::open(3);
    let relay = Relay::start(house.address, (0..12).map(|_| perhaps_trouble()).collect());
    let callers = join_all([call(&relay, calm), call(&relay, calm), call(&relay, calm)]);
    let ends = if stops {
        let stop = async {
            sleep(random::below(100) as u32 * MILLISECOND).await;
            house.stop();
        };
        runtime::future::join(callers, stop).await.0
    } else {
        callers.await
    };
    let ends: Vec<_> = ends.into_iter().flatten().collect();

    let seen = house.log.lines();
    let known: Vec<String> = Exchange::ALL.iter().flat_map(|exchange| exchange.seen()).collect();
    assert!(seen.iter().all(|line| known.contains(line)), "handlers saw {seen:?}");
    let posts = |lines: &[String]| lines.iter().filter(|line| line.starts_with("POST")).count();
    let asked: Vec<String> = ends.iter().flat_map(|(exchange, _)| exchange.seen()).collect();
    assert!(posts(&seen) <= posts(&asked), "what may be done once was done twice: {seen:?}");

    world.set_conditions(Conditions::default());
    if !stops {
        house.serves_the_next(Client::builder()).await;
    }
    drop(relay);
    house.close().await;
    ends
}

fn calm() -> BTreeMap<Exchange, Calm> {
    Exchange::ALL.into_iter().map(|exchange| (exchange, Calm::of(exchange))).collect()
}

#[test]
fn whatever_happens_nothing_is_wrong_and_nothing_is_lost() {
    let (calm, ends) = (calm(), RefCell::new(BTreeMap::new()));
    world::for_seeds(SEEDS, async || {
        for (_, ended) in day(&calm).await {
            *ends.borrow_mut().entry(ended.map_or("given up".to_owned(), |ended| format!("{ended:?}"))).or_insert(0) +=
                1;
        }
    });
    println!("{:?}", ends.borrow());
}

#[test]
fn a_day_is_the_same_every_time() {
    let calm = calm();
    for seed in 0..20 {
        world::assert_same_trace(seed, async || drop(day(&calm).await));
    }
}
