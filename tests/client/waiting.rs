//! Four limits, each with an error of its own.

use super::{MS, SECOND};
use futures_lite::StreamExt;
use netio::{
    http::{
        Body,
        client::{Client, Error, Phase, TimeoutKind, Timeouts},
    },
    net::TcpListener,
};
use runtime::{
    time::{Instant, sleep},
    world,
};
use std::time::Duration;
use tests::wire::{Peer, in_worlds, run};

/// A server that sends these, and waits so many seconds before each; then it hangs.
fn script(lines: &'static [(u64, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(runtime::spawn(async move {
        loop {
            let mut peer = Peer::from(listener.accept().await.unwrap().0);
            drop(runtime::spawn(async move {
                peer.read_until("\r\n\r\n").await;
                for (seconds, text) in lines {
                    sleep(SECOND * *seconds as u32).await;
                    if peer.try_send(text).await.is_err() {
                        return;
                    }
                }
                std::future::pending().await
            }));
        }
    }));
    url
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

/// What a fetch ends with, and after how long.
async fn ends(client: &Client, url: &str) -> (Result<String, (TimeoutKind, Phase, Duration)>, Duration) {
    let start = Instant::now();
    let result = async { client.get(url).await?.text().await }.await;
    let result = result.map_err(|error| match error {
        Error::Timeout { kind, phase, limit, .. } => (kind, phase, limit),
        other => panic!("{other}"),
    });
    (result, start.elapsed())
}

#[test]
fn a_drip_is_read_as_long_as_it_drips() {
    run(async || {
        let drip = script(&[(1, HEAD), (1, "a"), (1, "b"), (1, "c"), (1, "d"), (1, "e")]);
        let client = |total, read| {
            let timeouts = Timeouts::new().total(SECOND * total).read(SECOND * read);
            Client::builder().timeouts(timeouts).build()
        };
        assert_eq!(ends(&client(30, 2), &drip).await, (Ok("abcde".into()), 6 * SECOND));
        let total = Err((TimeoutKind::Total, Phase::Body, 3 * SECOND));
        assert_eq!(ends(&client(3, 2), &drip).await, (total, 3 * SECOND));
        let pause = script(&[(0, HEAD), (1, "a"), (4, "bcde")]);
        let read = Err((TimeoutKind::Read, Phase::Body, 2 * SECOND));
        assert_eq!(ends(&client(30, 2), &pause).await, (read, 3 * SECOND));
        let silence = script(&[]);
        let read = Err((TimeoutKind::Read, Phase::Head, 2 * SECOND));
        assert_eq!(ends(&client(30, 2), &silence).await, (read, 2 * SECOND));
        let error = client(30, 2).get(&silence).await.unwrap_err();
        let text = "nothing moved for 2s while waiting for the head of the response";
        assert_eq!(error.to_string(), format!("{silence}: {text}"));
        assert!(error.is_timeout() && !error.is_connect());
        let drip = script(&[(1, "HTTP/1.1 200 OK\r\n"), (1, "A: b\r\n"), (1, "Content-Length: 0\r\n"), (1, "\r\n")]);
        assert_eq!(ends(&client(30, 2), &drip).await, (Ok(String::new()), 4 * SECOND));
    });
}

#[test]
fn a_request_may_have_limits_of_its_own() {
    run(async || {
        let slow = script(&[(5, HEAD), (0, "abcde")]);
        let client = Client::builder().timeout(2 * SECOND).build();
        let start = Instant::now();
        let response = client.get(&slow).timeout(10 * SECOND).await.unwrap();
        assert_eq!(response.text().await.unwrap(), "abcde");
        assert_eq!(start.elapsed(), 5 * SECOND);
        let error = client.get(&slow).timeouts(Timeouts::new().read(SECOND)).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { kind: TimeoutKind::Read, .. }), "{error}");
        let error = client.get(&slow).timeout(Duration::ZERO).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { kind: TimeoutKind::Total, .. }), "{error}");
    });
}

#[test]
fn to_connect_has_its_own_time() {
    in_worlds(async || {
        let _deaf = TcpListener::bind("10.255.255.1:80").unwrap();
        world::current().unwrap().silence("10.255.255.1:80".parse().unwrap());
        let client = Client::builder().connect_timeout(3 * SECOND).build();
        let expected = Err((TimeoutKind::Connect, Phase::Connect, 3 * SECOND));
        assert_eq!(ends(&client, "http://10.255.255.1/").await, (expected, 3 * SECOND));
        let client = Client::builder().connect_timeout(3 * SECOND).timeout(SECOND).build();
        let expected = Err((TimeoutKind::Total, Phase::Connect, SECOND));
        assert_eq!(ends(&client, "http://10.255.255.1/").await, (expected, SECOND));
        let silent = netio::net::Resolver::with(|_| std::future::pending());
        let client = Client::builder().connect_timeout(SECOND).resolver(silent).build();
        let expected = Err((TimeoutKind::Connect, Phase::Resolve, SECOND));
        assert_eq!(ends(&client, "http://shop.example/").await, (expected, SECOND));
        assert_eq!(client.pool_stats().in_use, 0);
    });
}

/// The server is not slow: our own body is.
#[test]
fn while_our_own_body_is_made_the_servers_silence_is_not_counted() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(runtime::spawn(async move {
            let mut peer = Peer::from(listener.accept().await.unwrap().0);
            peer.read_until("0\r\n\r\n").await;
            sleep(SECOND).await;
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            std::future::pending::<()>().await;
        }));
        let slow = futures_lite::stream::iter(0..4).then(|_| async {
            sleep(5 * SECOND).await;
            Ok("part".into())
        });
        let client = Client::builder().timeouts(Timeouts::new().read(2 * SECOND)).build();
        let response = client.post(url).body(Body::stream(slow)).await.unwrap();
        assert_eq!(response.text().await.unwrap(), "ok");
    });
}

/// And a server that takes no more is.
#[test]
fn a_server_that_takes_no_more_is_given_up() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(runtime::spawn(async move {
            let _peer = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
        }));
        let client = Client::builder().timeouts(Timeouts::new().read(2 * SECOND)).build();
        let error = client.post(url).body(vec![0; 50_000_000]).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { kind: TimeoutKind::Read, phase: Phase::Send, .. }), "{error}");
    });
}

#[test]
fn a_connection_that_timed_out_is_not_kept() {
    run(async || {
        let slow = script(&[(5, HEAD), (0, "abcde")]);
        let client = Client::builder().timeout(SECOND).build();
        assert!(client.get(&slow).await.is_err());
        sleep(MS).await;
        let stats = client.pool_stats();
        assert_eq!((stats.idle, stats.in_use, stats.waiting), (0, 0, 0));
    });
}
