//! The same faults on other ways to a server: through a proxy, in memory, and over a Unix socket (there on the system's sockets,
//! because a simulated world has none).

use crate::{
    Blame, check_what_was_seen,
    exchange::{Ended, Exchange},
    house::{House, TIMEOUT},
    refusals,
    relay::{Fault, Passed, Relay, Trouble, Way, between},
};
use netio::{
    http::{
        client::{Client, ClientBuilder, Proxy},
        server::{Listener, Server},
    },
    net::{UnixListener, UnixStream, duplex},
};
use runtime::{JoinHandle, Runtime};
use std::{
    collections::BTreeMap,
    future::ready,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
};
use tests::wire::run_outside;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Road {
    Proxy,
    Memory,
    Unix,
}

/// A server, and what stands on the way to it.
struct Site {
    house: House,
    /// A client of this way.
    client: Box<dyn Fn() -> ClientBuilder>,
    passed: Box<dyn Fn(Way) -> u64>,
    relay: Box<dyn FnOnce()>,
    _folder: tempfile::TempDir,
}

impl Site {
    /// The first connection has the trouble.
    fn open(road: Road, trouble: Option<Trouble>) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let (passed, troubles) = (Passed::default(), Arc::new(Mutex::new(trouble)));
        let counts = passed.clone();
        let count = Box::new(move |way: Way| counts[way as usize].load(Relaxed));
        let named = "10.0.0.1:80".parse().unwrap();
        match road {
            Road::Proxy => {
                let house = House::open(1);
                let relay = Relay::start(house.address, vec![trouble]);
                let proxy = Proxy::new(&format!("http://{}", relay.address)).unwrap();
                let relay = Arc::new(relay);
                let counts = relay.clone();
                Site {
                    house,
                    client: Box::new(move || Client::builder().proxy(proxy.clone())),
                    passed: Box::new(move |way| counts.passed(way)),
                    relay: Box::new(move || relay.stop()),
                    _folder: folder,
                }
            }
            Road::Memory => {
                let (listener, dialer) = Listener::memory();
                let client = move || {
                    let (dialer, passed, troubles) = (dialer.clone(), passed.clone(), troubles.clone());
                    Client::builder().dial(move |_| {
                        let (ours, caller) = duplex(4096);
                        let callee = dialer.dial();
                        let trouble = troubles.lock().unwrap().take();
                        ready(callee.map(|callee| {
                            drop(runtime::spawn(between(caller, callee, trouble, passed.clone())));
                            ours
                        }))
                    })
                };
                let house = House::of(Server::new().listen(listener), named, 1);
                Site { house, client: Box::new(client), passed: count, relay: Box::new(|| {}), _folder: folder }
            }
            Road::Unix => {
                let [server, way] = ["server", "way"].map(|name| folder.path().join(name));
                let house = House::of(Server::bind_unix(&server).unwrap(), named, 1);
                let relay = relay_at(UnixListener::bind(&way).unwrap(), server, troubles, passed);
                let client = Box::new(move || Client::builder().unix_socket(&way));
                Site { house, client, passed: count, relay: Box::new(move || relay.abort()), _folder: folder }
            }
        }
    }

    fn client(&self) -> Client {
        (self.client)().timeout(TIMEOUT).connect_timeout(TIMEOUT).build()
    }
}

fn relay_at(
    listener: UnixListener,
    server: PathBuf,
    troubles: Arc<Mutex<Option<Trouble>>>,
    passed: Passed,
) -> JoinHandle<()> {
    runtime::spawn(async move {
        loop {
            let Ok(caller) = listener.accept().await else { continue };
            let trouble = troubles.lock().unwrap().take();
            if let Ok(callee) = UnixStream::connect(&server).await {
                drop(runtime::spawn(between(caller, callee, trouble, passed.clone())));
            }
        }
    })
}

/// One run, and how many bytes went each way.
async fn run(road: Road, exchange: Exchange, trouble: Option<Trouble>) -> (Ended, [u64; 2]) {
    let site = Site::open(road, trouble);
    let client = site.client();
    let silent = trouble.is_some_and(|trouble| trouble.fault.is_silent());
    let ended = exchange.perform(&client, site.house.address, &[], refusals(trouble)).await;
    let passed = [Way::Up, Way::Down].map(&site.passed);
    check_what_was_seen(exchange, &ended, &site.house.log.lines());

    // The same client again; what it keeps may have fallen silent, which it can find out only once.
    match Exchange::Known.perform(&client, site.house.address, &[], refusals(trouble)).await {
        Ended::Failed(_) if silent => {
            let again = Exchange::Known.perform(&client, site.house.address, &[], refusals(trouble)).await;
            assert_eq!(again, Ended::Right);
        }
        again => assert_eq!(again, Ended::Right, "the same client again"),
    }
    let stats = client.pool_stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0), "{stats:?}");
    drop(client);
    site.house.serves_the_next((site.client)()).await;
    (site.relay)();
    drop(site.client);
    site.house.close().await;
    (ended, passed)
}

/// In a world of its own, where there can be one.
fn once(road: Road, exchange: Exchange, trouble: Option<Trouble>) -> (Ended, [u64; 2]) {
    let seed = trouble.map_or(0, |trouble| trouble.after);
    match road {
        Road::Unix => run_outside(run(road, exchange, trouble)),
        Road::Proxy | Road::Memory => Runtime::simulated(seed).block_on(run(road, exchange, trouble)),
    }
}

/// Breaks these exchanges at every `step`th byte, with some of the faults; all of them everywhere if that is asked for.
fn sweep(road: Road, exchanges: &[Exchange], step: u64) {
    let only = std::env::var("FAULT").ok();
    let all = only.is_some() || std::env::var_os("FAULTS").is_some_and(|value| value == "all");
    // At every byte they are tried on the straight way.
    let step = if all { 1 } else { step };
    for &exchange in exchanges {
        let (calm, passed) = once(road, exchange, None);
        assert_eq!(calm, Ended::Right);
        let mut ends = BTreeMap::new();
        for way in [Way::Up, Way::Down] {
            let bytes = passed[way as usize];
            // A long body is the same everywhere.
            let step = step.max(bytes / 40);
            for after in (0..bytes).step_by(step as usize).chain([bytes]) {
                for (number, fault) in Fault::ALL.into_iter().enumerate() {
                    if !all && after < bytes && !(after / step + number as u64).is_multiple_of(3) {
                        continue;
                    }
                    let blame = Blame(format!("{road:?} {exchange:?} {way:?} {fault:?} {after}"));
                    if only.as_ref().is_some_and(|only| *only != blame.0) {
                        continue;
                    }
                    let (ended, _) = once(road, exchange, Some(Trouble { way, after, fault }));
                    if fault.is_harmless() || (way, after) == (Way::Down, bytes) {
                        assert_eq!(ended, Ended::Right, "nothing was lost");
                    }
                    *ends.entry(format!("{ended:?}")).or_insert(0) += 1;
                }
            }
        }
        println!("{road:?} {exchange:?}: {ends:?}");
        assert!(only.is_some() || ends.len() > 2, "faults that nobody notices are none: {ends:?}");
    }
}

const EXCHANGES: [Exchange; 5] = [Exchange::Post, Exchange::Upload, Exchange::Stream, Exchange::Moved, Exchange::Large];

#[test]
fn through_a_proxy() {
    sweep(Road::Proxy, &EXCHANGES, 29);
}

#[test]
fn in_memory() {
    sweep(Road::Memory, &EXCHANGES, 29);
}

/// With the system's sockets a virtual clock waits for a moment before it moves on: so there are fewer.
#[test]
fn over_a_unix_socket() {
    sweep(Road::Unix, &EXCHANGES[..3], 83);
}
