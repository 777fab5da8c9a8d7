//! Names: looked up once for all who ask, remembered for a while, and told when they are not known.

use crate::{in_virtual_time, in_worlds, on_each_poller, run};
use futures_lite::future::poll_once;
use netio::net::{LookupError, Resolver, TcpListener, TcpStream, lookup_host};
use runtime::{
    future::{join, join_all},
    time::{sleep, timeout},
    world,
};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

/// Answers after a second: the first time 10.0.0.1, then 10.0.0.2, …
fn counting() -> Resolver {
    let answers = Arc::new(AtomicU8::new(0));
    Resolver::with(move |_| {
        let answers = answers.clone();
        async move {
            sleep(SECOND).await;
            Ok(vec![IpAddr::from([10, 0, 0, 1 + answers.fetch_add(1, Ordering::Relaxed)])])
        }
    })
}

fn at(last: u8, port: u16) -> Vec<SocketAddr> {
    vec![([10, 0, 0, last], port).into()]
}

#[test]
fn a_name_is_looked_up_once_within_its_time_to_live_and_again_after_it() {
    in_virtual_time(async {
        let resolver = counting().ttl(300 * SECOND);
        // Thirty at once share one question, …
        let answers = join_all((0..30).map(|_| resolver.lookup("shop.example:80"))).await;
        assert!(answers.iter().all(|answer| *answer.as_ref().unwrap() == at(1, 80)));
        let stats = resolver.stats();
        assert_eq!((stats.lookups, stats.hits, stats.joined), (1, 0, 29));
        // … who comes in time has the answer at once, whatever the port and the letters, …
        sleep(299 * SECOND).await;
        assert_eq!(resolver.lookup(("Shop.EXAMPLE", 443)).await.unwrap(), at(1, 443));
        assert_eq!((resolver.stats().lookups, resolver.stats().hits), (1, 1));
        // … and who comes later asks again.
        sleep(SECOND).await;
        assert_eq!(resolver.lookup("shop.example:80").await.unwrap(), at(2, 80));
        assert_eq!((resolver.stats().lookups, resolver.stats().hits), (2, 1));
    });
}

#[test]
fn what_was_cleared_is_asked_again_and_an_older_question_does_not_bring_it_back() {
    in_virtual_time(async {
        let resolver = counting();
        let mut older = pin!(resolver.lookup("shop.example:80"));
        assert!(poll_once(older.as_mut()).await.is_none());
        resolver.clear();
        let (older, newer) = join(older, resolver.lookup("shop.example:80")).await;
        assert_eq!((older.unwrap(), newer.unwrap()), (at(1, 80), at(2, 80)));
        assert_eq!(resolver.lookup("shop.example:80").await.unwrap(), at(2, 80), "it is the newer one that is kept");
        resolver.clear();
        assert_eq!(resolver.lookup("shop.example:80").await.unwrap(), at(3, 80));
        assert_eq!(resolver.stats().lookups, 3);
    });
}

/// Cancel safety: whoever asks for others too may go away.
#[test]
fn when_the_one_that_asks_goes_away_another_one_asks() {
    in_virtual_time(async {
        let resolver = counting();
        let mut patient = pin!(resolver.lookup("shop.example:80"));
        {
            let mut first = pin!(resolver.lookup("shop.example:80"));
            assert!(poll_once(first.as_mut()).await.is_none());
            assert!(poll_once(patient.as_mut()).await.is_none());
            assert_eq!(resolver.stats().lookups, 1);
        }
        assert_eq!(patient.await.unwrap(), at(1, 80));
        assert_eq!(resolver.stats().lookups, 2);
    });
}

#[test]
fn a_failure_is_told_to_all_who_wait_and_not_remembered() {
    in_virtual_time(async {
        let resolver = Resolver::with(|host| async move {
            runtime::yield_now().await;
            match host.as_str() {
                "empty.example" => Ok(vec![]),
                _ => Err(io::Error::new(ErrorKind::ConnectionRefused, "the name server is asleep")),
            }
        });
        let (one, other) = join(resolver.lookup("shop.example:80"), resolver.lookup("shop.example:81")).await;
        assert_eq!(one.unwrap_err().to_string(), "cannot look up shop.example:80: the name server is asleep");
        let other: LookupError = other.unwrap_err();
        assert_eq!(other.to_string(), "cannot look up shop.example:81: the name server is asleep");
        assert_eq!(other.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(resolver.stats().lookups, 1);
        assert!(resolver.lookup("shop.example:80").await.is_err());
        assert_eq!(resolver.stats().lookups, 2);
        let none = resolver.lookup("empty.example:80").await.unwrap_err();
        assert_eq!((none.name(), none.kind()), ("empty.example:80", ErrorKind::NotFound));
    });
}

#[test]
fn numbers_need_no_lookup_and_nonsense_gets_none() {
    in_virtual_time(async {
        let resolver = Resolver::with(async |host: String| panic!("nobody was to ask for {host}"));
        for (text, meant) in [("10.0.0.1:80", "10.0.0.1:80"), ("[::1]:80", "[::1]:80")] {
            assert_eq!(resolver.lookup(text).await.unwrap(), [meant.parse().unwrap()]);
        }
        assert_eq!(resolver.lookup(("::1", 80)).await.unwrap(), ["[::1]:80".parse().unwrap()]);
        for text in ["shop.example", "shop.example:", "shop.example:http", "shop.example:70000", ""] {
            let error = resolver.lookup(text).await.unwrap_err();
            assert_eq!((error.name(), error.kind()), (text, ErrorKind::InvalidInput));
            assert_eq!(lookup_host(text).await.unwrap_err().to_string(), error.to_string());
        }
        assert_eq!(resolver.stats(), Default::default());
    });
}

#[test]
fn an_unknown_host_is_named_by_the_error_and_nobody_waits() {
    run(async || {
        let resolver = Resolver::new();
        for host in ["shop.invalid", "SHOP.Invalid.", "invalid"] {
            let name = format!("{host}:80");
            // The virtual clock stands still while the resolver runs; if it waited for a name server, a test would see it.
            let errors = [
                lookup_host(&name).await.unwrap_err(),
                resolver.lookup(&name).await.unwrap_err(),
                resolver.lookup((host, 80)).await.unwrap_err(),
            ];
            for error in errors {
                assert_eq!((error.name(), error.kind()), (name.as_str(), ErrorKind::NotFound));
                assert!(error.to_string().starts_with(&format!("cannot look up {name}: ")), "{error}");
            }
            let error = TcpStream::connect(&name).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().starts_with(&format!("cannot look up {name}: ")), "{error}");
        }
    });
}

#[test]
fn the_system_is_asked_on_the_blocking_pool() {
    on_each_poller(async || {
        let resolver = Resolver::new();
        let before = runtime::Handle::current().blocking_stats().threads;
        for _ in 0..2 {
            let addresses = resolver.lookup(("localhost", 80)).await.unwrap();
            assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        }
        assert_eq!((resolver.stats().lookups, resolver.stats().hits), (1, 1));
        assert!(runtime::Handle::current().blocking_stats().threads > before);
    });
}

#[test]
fn in_a_world_names_mean_what_the_world_says() {
    in_worlds(async || {
        let world = world::current().unwrap();
        let resolver = Resolver::new().ttl(10 * SECOND);
        world.set_name("shop.example", [IpAddr::from([10, 0, 0, 1])]);
        assert_eq!(lookup_host("shop.example:80").await.unwrap(), at(1, 80));
        assert_eq!(resolver.lookup("shop.example:80").await.unwrap(), at(1, 80));
        world.set_name("shop.example", [IpAddr::from([10, 0, 0, 2])]);
        assert_eq!(lookup_host("shop.example:80").await.unwrap(), at(2, 80));
        assert_eq!(resolver.lookup("shop.example:80").await.unwrap(), at(1, 80), "it remembers");
        sleep(10 * SECOND).await;
        assert_eq!(resolver.lookup("shop.example:80").await.unwrap(), at(2, 80));
        assert_eq!(lookup_host("nobody:80").await.unwrap_err().kind(), ErrorKind::NotFound);

        // What listens there can be called by that name.
        let listener = TcpListener::bind("10.0.0.2:80").unwrap();
        let (called, accepted) =
            timeout(SECOND, join(TcpStream::connect("shop.example:80"), listener.accept())).await.unwrap();
        assert_eq!(called.unwrap().local_addr().unwrap(), accepted.unwrap().1);
    });
}
