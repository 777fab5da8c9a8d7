//! Places: never more than allowed, for whoever waits longest, and none is ever lost.

use super::{MS, SECOND, serve};
use futures_lite::StreamExt;
use netio::{
    http::{
        Body, Method, Request, Response, StatusCode,
        client::{Client, Error, Phase, TimeoutKind, Timeouts},
        reply,
        server::Server,
    },
    net::TcpListener,
};
use runtime::{
    future::join_all,
    random,
    time::{Instant, sleep, timeout},
    world,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tests::wire::{Peer, in_worlds, run, run_outside};

/// How many there are now, and how many there were at most.
#[derive(Clone, Default)]
struct Gauge(Arc<(AtomicUsize, AtomicUsize)>);

impl Gauge {
    fn enter(&self) {
        let now = self.0.0.fetch_add(1, Relaxed) + 1;
        self.0.1.fetch_max(now, Relaxed);
    }

    fn leave(&self) {
        self.0.0.fetch_sub(1, Relaxed);
    }

    fn most(&self) -> usize {
        self.0.1.load(Relaxed)
    }
}

/// A server that takes a second for each request, and counts how many it has at a time.
fn slow_site() -> (String, Gauge) {
    let gauge = Gauge::default();
    let inside = gauge.clone();
    let url = serve(move |_| {
        let inside = inside.clone();
        async move {
            inside.enter();
            sleep(SECOND).await;
            inside.leave();
            Response::new("done".into())
        }
    });
    (url, gauge)
}

#[test]
fn thirty_requests_with_ten_places_are_ten_at_a_time() {
    run(async || {
        let (url, gauge) = slow_site();
        let client = Client::builder().connections_per_host(10).build();
        let start = Instant::now();
        let texts = join_all((0..30).map(|_| async { client.get(&url).await?.text().await })).await;
        assert!(texts.iter().all(|text| text.as_ref().is_ok_and(|text| text == "done")), "{texts:?}");
        assert_eq!((gauge.most(), start.elapsed()), (10, 3 * SECOND));
        let stats = client.pool_stats();
        assert_eq!((stats.idle, stats.in_use, stats.waiting, stats.made, stats.reused), (10, 0, 0, 10, 20));
        assert_eq!(stats.hosts.len(), 1);
    });
}

#[test]
fn whoever_waits_longest_is_served_first_whatever_the_host() {
    run(async || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = order.clone();
        let site = move |request: Request| {
            let note = note.clone();
            async move {
                note.lock().unwrap().push(request.uri().path()[1..].parse::<usize>().unwrap());
                Response::default()
            }
        };
        let urls = [serve(site.clone()), serve(site)];
        let client = Client::builder().connections(1).build();
        join_all((0..12).map(|n| {
            let request = client.get(format!("{}{n}", urls[n % 2]));
            async { request.await.unwrap().bytes().await.unwrap() }
        }))
        .await;
        assert_eq!(*order.lock().unwrap(), (0..12).collect::<Vec<_>>());
    });
}

#[test]
fn an_idle_connection_makes_room_for_another_host() {
    run(async || {
        let urls: Vec<String> = (0..3).map(|_| serve(async |_| Response::new("ok".into()))).collect();
        let client = Client::builder().connections(2).build();
        for url in &urls {
            client.get(url).await.unwrap().bytes().await.unwrap();
            sleep(MS).await;
        }
        let stats = client.pool_stats();
        assert_eq!((stats.idle, stats.in_use), (2, 0));
        let hosts: Vec<String> = stats.hosts.iter().map(|host| format!("http://{}/", host.host)).collect();
        assert!(!hosts.contains(&urls[0]), "the one that was idle longest had to go: {hosts:?}");
    });
}

#[test]
fn a_pool_that_is_full_has_an_error_of_its_own() {
    run(async || {
        let (url, _) = slow_site();
        let client = Client::builder().connections(1).timeouts(Timeouts::new().acquire(SECOND / 2)).build();
        let other = client.clone();
        let busy = runtime::spawn(async move { other.get(url).await?.text().await });
        sleep(MS).await;
        let (url, _) = slow_site();
        let error = client.get(&url).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { phase: Phase::Acquire, kind: TimeoutKind::Acquire, .. }), "{error}");
        assert_eq!(error.to_string(), format!("{url}: timed out after 500ms while waiting for a free connection"));
        assert_eq!(busy.await.unwrap().unwrap(), "done");
        assert_eq!(client.pool_stats().waiting, 0);
    });
}

#[test]
fn what_is_idle_is_closed_in_time_although_nobody_uses_the_client() {
    in_worlds(async || {
        let url = serve(async |_| Response::new("ok".into()));
        let world = world::current().unwrap();
        let before = world.open_sockets();
        let client = Client::builder().keep_alive_time(5 * SECOND).build();
        client.get(&url).await.unwrap().bytes().await.unwrap();
        sleep(4 * SECOND).await;
        client.get(&url).await.unwrap().bytes().await.unwrap();
        sleep(4 * SECOND).await;
        assert_eq!((client.pool_stats().idle, world.open_sockets()), (1, before + 2));
        sleep(2 * SECOND).await;
        assert_eq!((client.pool_stats().idle, world.open_sockets()), (0, before));
        assert_eq!((client.pool_stats().made, client.pool_stats().reused), (1, 1));
    });
}

#[test]
fn an_old_connection_is_not_kept_however_busy_it_is() {
    run(async || {
        let url = serve(async |_| Response::new("ok".into()));
        let client = Client::builder().connection_lifetime(10 * SECOND).build();
        for _ in 0..5 {
            client.get(&url).await.unwrap().bytes().await.unwrap();
            sleep(4 * SECOND).await;
        }
        assert_eq!((client.pool_stats().made, client.pool_stats().reused), (2, 3));
    });
}

#[test]
fn nothing_is_left_of_a_client_that_is_dropped() {
    in_worlds(async || {
        let url = serve(async |_| Response::new("ok".into()));
        let world = world::current().unwrap();
        sleep(MS).await;
        let (sockets, tasks) = (world.open_sockets(), runtime::Handle::current().tasks().tasks().len());
        let client = Client::new();
        client.get(&url).await.unwrap().bytes().await.unwrap();
        drop(client);
        sleep(MS).await;
        assert_eq!((world.open_sockets(), runtime::Handle::current().tasks().tasks().len()), (sockets, tasks));
    });
}

#[test]
fn a_client_that_is_closed_lets_nobody_in_and_waits_for_who_is() {
    run(async || {
        let (url, gauge) = slow_site();
        let client = Client::builder().connections(1).build();
        let fetch = |client: Client, url: String| runtime::spawn(async move { client.get(url).await?.text().await });
        let (one, other) = (fetch(client.clone(), url.clone()), fetch(client.clone(), url.clone()));
        sleep(SECOND / 2).await;
        let start = Instant::now();
        client.close().await;
        assert_eq!(start.elapsed(), SECOND / 2);
        assert_eq!(one.await.unwrap().unwrap(), "done");
        assert!(matches!(other.await.unwrap(), Err(Error::Closed { .. })), "it waited for a place");
        assert!(matches!(client.get(&url).await, Err(Error::Closed { .. })));
        assert_eq!((gauge.most(), client.pool_stats().idle), (1, 0));
        client.close().await;
    });
}

#[test]
fn a_kept_connection_does_not_outlive_its_runtime_for_others() {
    // Both with system sockets: a connection of the first is of no use in the second, and even a POST must not notice.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let client = Client::new();
    for _ in 0..2 {
        let listener = listener.try_clone().unwrap();
        let peer = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            stream
        });
        let text = runtime::block_on(async { client.post(&url).body("x").await?.text().await });
        assert_eq!(text.unwrap(), "ok");
        drop(peer.join().unwrap());
    }
}

/// Bug of many clients: a response that nobody reads poisons the next one.
#[test]
fn a_response_dropped_unread_never_gives_its_bytes_to_the_next() {
    in_worlds(async || {
        let url = serve(|request: Request| async move {
            let letter = request.uri().path().as_bytes()[1];
            let chunks = futures_lite::stream::iter((0..20).map(move |_| Ok(vec![letter; 10_000].into())));
            Response::new(Body::stream(chunks))
        });
        let client = Client::builder().connections_per_host(3).build();
        join_all((b'a'..=b'z').map(|letter| {
            let (client, url) = (&client, format!("{url}{}", char::from(letter)));
            async move {
                let mut response = client.get(url).await.unwrap();
                match letter % 3 {
                    0 => {}
                    1 => drop(response.chunk().await.unwrap()),
                    _ => assert_eq!(response.bytes().await.unwrap(), vec![letter; 200_000]),
                }
            }
        }))
        .await;
        let stats = client.pool_stats();
        assert_eq!((stats.in_use, stats.waiting), (0, 0));
    });
}

/// A chosen waiter that is dropped before it looks passes its place on. All interleavings that thousands of seeds find: callers
/// that give up at any moment, bodies left unread, two hosts that share few places.
#[test]
fn no_place_is_lost_and_none_is_taken_twice_whoever_gives_up() {
    const SEEDS: u64 = if cfg!(miri) { 5 } else { 500 };
    world::for_seeds(SEEDS, async || {
        let open = Gauge::default();
        let urls: Vec<String> = (0..2).map(|_| counting_site(&open)).collect();
        let client = Client::builder().connections(3).connections_per_host(2).build();
        let callers = (0..12).map(|n| {
            let (client, url) = (client.clone(), urls[n % 2].clone());
            runtime::spawn(async move {
                for _ in 0..3 {
                    let patience = MS * random::below(60) as u32;
                    let fetch = async {
                        let mut response = client.get(&url).await?;
                        match random::below(3) {
                            0 => Ok(()),
                            1 => response.chunk().await.map(drop),
                            _ => response.bytes().await.map(drop),
                        }
                    };
                    match timeout(patience, fetch).await {
                        Err(_) | Ok(Ok(())) => {}
                        Ok(Err(error)) => panic!("{error}"),
                    }
                    let stats = client.pool_stats();
                    assert!(stats.idle + stats.in_use <= 3, "{stats:?}");
                    assert!(stats.hosts.iter().all(|host| host.idle + host.in_use <= 2), "{stats:?}");
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        let stats = client.pool_stats();
        assert_eq!((stats.in_use, stats.waiting), (0, 0), "{stats:?}");
        // And it still works: as many at a time as there are places.
        let all = join_all((0..6).map(|n| {
            let (client, url) = (&client, &urls[n % 2]);
            async move { timeout(60 * SECOND, async { client.get(url).await?.text().await }).await }
        }));
        assert!(all.await.into_iter().all(|text| text.unwrap().unwrap() == "x".repeat(3000)));
        timeout(60 * SECOND, client.close()).await.expect("every lease has ended");
    });
}

/// A server that takes its time, answers in pieces, and sometimes closes.
fn counting_site(open: &Gauge) -> String {
    let open = open.clone();
    serve(move |_| {
        let open = open.clone();
        async move {
            open.enter();
            sleep(MS * random::below(20) as u32).await;
            open.leave();
            let pieces = futures_lite::stream::iter(0..3).then(|_| async {
                sleep(MS * random::below(3) as u32).await;
                Ok("x".repeat(1000).into())
            });
            let mut response = Response::new(Body::stream(pieces));
            if random::below(4) == 0 {
                response.headers_mut().insert("connection", "close".parse().unwrap());
            }
            response
        }
    })
}

#[test]
fn a_dead_connection_is_noticed_before_a_post_is_sent_on_it() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        drop(runtime::spawn(async move {
            loop {
                let mut peer = Peer::from(listener.accept().await.unwrap().0);
                count.fetch_add(1, Relaxed);
                peer.read_until("\r\n\r\n").await;
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                // What some servers say when they are tired of waiting: nobody has asked for it.
                peer.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n").await;
            }
        }));
        let client = Client::new();
        for method in [Method::POST, Method::GET, Method::POST] {
            let response = client.request(method, &url).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.text().await.unwrap(), "ok");
            sleep(MS).await;
        }
        assert_eq!(connections.load(Relaxed), 3);
    });
}

/// The names of a client's hosts are looked up once while they are remembered.
#[test]
fn a_name_is_asked_for_once_within_its_time() {
    in_worlds(async || {
        let world = world::current().unwrap();
        world.set_name("shop.example", ["10.0.0.1".parse().unwrap()]);
        let server = Server::bind("10.0.0.1:80").unwrap();
        drop(runtime::spawn(server.serve(async |_: Request| reply(StatusCode::OK, "text/plain", "ok"))));
        let resolver = netio::net::Resolver::new().ttl(300 * SECOND);
        let client = Client::builder().resolver(resolver.clone()).keep_alive_time(Duration::ZERO).build();
        for _ in 0..5 {
            client.get("http://shop.example/").await.unwrap().bytes().await.unwrap();
        }
        assert_eq!((resolver.stats().lookups, resolver.stats().hits), (1, 4));
        sleep(301 * SECOND).await;
        client.get("http://shop.example/").await.unwrap().bytes().await.unwrap();
        assert_eq!(resolver.stats().lookups, 2);
    });
}

#[test]
fn descriptors_return_after_a_thousand_requests() {
    if !tests::wire::alone("pool::descriptors_return_after_a_thousand_requests") {
        return;
    }
    run_outside(async {
        let url = serve(async |_| Response::new(vec![b'x'; 30_000].into()));
        sleep(MS).await;
        let before = tests::wire::descriptors();
        let client = Client::new();
        for n in 0..1000 {
            let response = client.get(&url).await.unwrap();
            // Every other one is not read.
            if n % 2 == 0 {
                response.bytes().await.unwrap();
            }
        }
        client.close().await;
        sleep(SECOND).await;
        assert_eq!(tests::wire::descriptors(), before);
    });
}
