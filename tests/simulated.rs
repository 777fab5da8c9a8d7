//! Server and client, as they are, in simulated worlds: restless ones that they must not notice, and stormy ones in which
//! every request still has an end.

use bytes::Bytes;
use netio::http::{
    Method, Request, Response,
    client::{Client, Error},
    server::{Limits, Report, ServeError, Server},
};
use runtime::{
    JoinHandle, Runtime,
    future::join_all,
    random, spawn,
    sync::Event,
    time::sleep,
    world::{self, Conditions, World},
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SEEDS: u64 = 100;
const SERVER: &str = "10.0.0.1:80";
const CLIENT: &str = "10.0.0.2";

fn world() -> World {
    world::current().unwrap()
}

/// Small pieces, odd times, events for nothing: all within the rules.
fn restless() -> Conditions {
    Conditions::default().latency(Duration::ZERO..5 * MILLISECOND).pieces(0.3).spurious(0.2).buffer(700)
}

/// A server that gives every body back, and what ends it gracefully.
fn serve() -> (Arc<Event>, JoinHandle<Result<Report, ServeError>>) {
    let stop = Arc::new(Event::new());
    let stopped = stop.clone();
    let address: SocketAddr = SERVER.parse().unwrap();
    let server = Server::bind(address).unwrap().limits(Limits::default());
    let serving = spawn(async move {
        // First all of it, and then back: a client that sends everything before it listens would wait for ever otherwise.
        let echo =
            async |mut request: Request| Response::new(request.body_mut().bytes().await.unwrap_or_default().into());
        server.serve_until(stopped.wait(), echo).await
    });
    (stop, serving)
}

async fn ask(client: &Client, number: u64) -> Result<(), Error> {
    sleep(Duration::from_millis(random::below(30))).await;
    let body: Bytes = (0..random::below(2_000)).map(|n| (n + number) as u8).collect();
    let method = if random::chance(0.5) { Method::PUT } else { Method::POST };
    let request =
        http::Request::builder().method(method).uri(format!("http://shop.example/{number}")).body(body.clone().into());
    let answer = client.execute(request.unwrap()).await?.bytes().await?;
    assert_eq!(answer, body, "request {number}");
    Ok(())
}

/// A few clients, each with several requests one after the other and two at once; then the server stops. What became of them.
async fn a_day_at_the_shop() -> Vec<Result<(), Error>> {
    world().set_name("shop.example", [SERVER.parse::<SocketAddr>().unwrap().ip()]);
    let (stop, serving) = serve();
    let clients = (0..3).map(|number| {
        world::on_host(CLIENT.parse().unwrap(), async move {
            let client = Client::builder().timeout(Duration::from_secs(20)).build();
            let mut ended = Vec::new();
            for round in 0..3 {
                ended.extend(join_all([ask(&client, 10 * number + round), ask(&client, 100 + number)]).await);
            }
            ended
        })
    });
    let ended = join_all(clients).await;
    stop.set();
    serving.await.unwrap().unwrap();
    ended.into_iter().flatten().collect()
}

#[test]
fn a_restless_network_is_not_noticed() {
    world::for_seeds(SEEDS, async || {
        world().set_conditions(restless());
        for ended in a_day_at_the_shop().await {
            ended.unwrap();
        }
        assert_eq!(world().open_sockets(), 0);
    });
}

#[test]
fn the_same_seed_gives_the_same_day() {
    for seed in 0..SEEDS / 4 {
        world::assert_same_trace(seed, async || {
            world().set_conditions(restless().resets(0.01).failing_accepts(0.1));
            a_day_at_the_shop().await;
        });
    }
}

/// Whatever breaks, each request ends in its answer or an error, the server stops when it is told to, and no socket is left.
#[test]
fn in_a_storm_every_request_has_an_end() {
    let counts = RefCell::new(BTreeMap::new());
    world::for_seeds(SEEDS, async || {
        let stormy = restless().resets(0.01).refusals(0.05).lost_calls(0.05).slow_calls(0.1).failing_accepts(0.1);
        world().set_conditions(stormy);
        let weather = spawn(async {
            let (one, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), CLIENT.parse().unwrap());
            for _ in 0..3 {
                sleep(random::below(60) as u32 * MILLISECOND).await;
                world().partition(one, other);
                sleep(random::below(60) as u32 * MILLISECOND).await;
                world().heal(one, other);
                sleep(random::below(60) as u32 * MILLISECOND).await;
                world().reset_between(one, other);
            }
        });
        for ended in a_day_at_the_shop().await {
            let kind = match ended {
                Ok(()) => "answer",
                Err(Error::Connect { .. }) => "connect",
                Err(Error::Lost { .. }) => "lost",
                Err(Error::Timeout { .. }) => "timeout",
                Err(other) => panic!("{other}"),
            };
            *counts.borrow_mut().entry(kind).or_insert(0) += 1;
        }
        weather.await.unwrap();
        assert_eq!(world().open_sockets(), 0);
    });
    let counts = counts.into_inner();
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ["answer", "connect", "lost", "timeout"], "{counts:?}");
}

/// No answer at all: the far side is cut off and stays so. The client gives up in its time, to the nanosecond.
#[test]
fn a_peer_that_fell_silent_is_given_up_in_time() {
    Runtime::simulated(1).block_on(async {
        let (_stop, _serving) = serve();
        let client = Client::builder().timeout(Duration::from_secs(7)).build();
        let far = CLIENT.parse().unwrap();
        let url = format!("http://{SERVER}/");
        world::on_host(far, client.get(&url).send()).await.unwrap().bytes().await.unwrap();
        world().partition(far, "10.0.0.1".parse().unwrap());
        let start = runtime::time::Instant::now();
        let error = world::on_host(far, client.get(&url).send()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        assert_eq!(start.elapsed(), Duration::from_secs(7));
    });
}

#[test]
fn names_are_those_of_the_world() {
    Runtime::simulated(1).block_on(async {
        let (_stop, _serving) = serve();
        let client = Client::new();
        world().set_name("shop.example", ["10.0.0.9".parse().unwrap(), "10.0.0.1".parse().unwrap()]);
        let answer = client.get("http://shop.example/").await.unwrap();
        assert_eq!(answer.status(), 200, "the second address answers");
        let error = client.get("http://no.example/").await.unwrap_err();
        assert!(error.to_string().contains("this world has no host named no.example"), "{error}");
    });
}
