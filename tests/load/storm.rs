//! Callers that behave badly on purpose, by the thousand. The server serves on, and no descriptor is lost.

use crate::{REQUEST, full, latencies, one_at_a_time, process::Process};
use futures_lite::AsyncReadExt;
use netio::net::TcpStream;
use runtime::future::join_all;
use std::net::{Shutdown, SocketAddr};
use tests::wire::Peer;

/// One caller.
type Caller = fn(SocketAddr) -> std::pin::Pin<Box<dyn Future<Output = ()>>>;

async fn peer(address: SocketAddr) -> Peer {
    Peer::connect(address).await
}

const CALLERS: [(&str, Caller); 9] = [
    ("connects and goes", |address| Box::pin(async move { drop(peer(address).await) })),
    ("connects and resets", |address| Box::pin(async move { peer(address).await.stream.reset().unwrap() })),
    ("asks and resets", |address| {
        Box::pin(async move {
            let mut peer = peer(address).await;
            peer.send(REQUEST).await;
            peer.stream.reset().unwrap();
        })
    }),
    ("asks for much and resets in the middle", |address| {
        Box::pin(async move {
            let mut peer = peer(address).await;
            peer.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
            peer.read().await.unwrap();
            peer.stream.reset().unwrap();
        })
    }),
    ("asks for what never ends and goes", |address| {
        Box::pin(async move {
            let mut peer = peer(address).await;
            peer.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
            peer.read().await.unwrap();
        })
    }),
    ("asks, says that it has said all, and hears the answer", |address| {
        Box::pin(async move {
            let mut peer = peer(address).await;
            peer.send(REQUEST).await;
            peer.stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(peer.messages().await.len(), 1);
        })
    }),
    ("asks for much, says that it has said all, and hears the answer", |address| {
        Box::pin(async move {
            let mut peer = peer(address).await;
            peer.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
            peer.stream.shutdown(Shutdown::Write).unwrap();
            assert!(peer.rest().await.unwrap().len() > 4_000_000);
        })
    }),
    ("floods with fields", |address| {
        Box::pin(async move {
            let mut peer = peer(address).await;
            let _ = peer.try_send(format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "X: y\r\n".repeat(20_000))).await;
            assert_eq!(peer.messages().await[0].status, 431);
        })
    }),
    ("floods with requests and reads late", |address| {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let flood = REQUEST.repeat(2_000) + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            let (mut from, mut to) = (&stream, &stream);
            futures_lite::AsyncWriteExt::write_all(&mut to, flood.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            from.read_to_end(&mut heard).await.unwrap();
            assert_eq!(tests::wire::messages(&heard).len(), 2_001);
        })
    }),
];

#[test]
fn bad_callers_by_the_thousand_leave_nothing_behind() {
    let _turn = one_at_a_time();
    let server = Process::start();
    let rounds = if full() { 40 } else { 2 };
    runtime::block_on(async {
        latencies(server.address, 100).await;
        let descriptors = server.descriptors();
        for (name, caller) in CALLERS {
            for _ in 0..rounds {
                join_all((0..25).map(|_| caller(server.address))).await;
            }
            latencies(server.address, 10).await;
            server.returns_to(descriptors).await;
            println!("{name}: {} callers, {} kB", 25 * rounds, server.memory() / 1024);
        }
    });
}

/// Whoever never reads what he asked for holds his place no longer than the server waits for him.
#[test]
fn callers_that_never_read_are_dropped_in_time() {
    let _turn = one_at_a_time();
    let server = Process::start();
    runtime::block_on(async {
        latencies(server.address, 100).await;
        let descriptors = server.descriptors();
        let before = server.memory();
        let mut deaf = Vec::new();
        for number in 0..100 {
            let mut peer = peer(server.address).await;
            let path = if number % 2 == 0 { "/large" } else { "/endless" };
            peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            deaf.push(peer);
        }
        latencies(server.address, 100).await;
        println!("100 callers that never read: {} kB more", server.memory().saturating_sub(before) / 1024);
        server.returns_to(descriptors).await;
        drop(deaf);
    });
}
