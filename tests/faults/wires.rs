//! Our client and answers of every framing, written out byte by byte, and broken at every byte: it has the whole or says why
//! not. What looks whole and is not would be the worst of all ends.

use crate::{
    Blame,
    house::{TIMEOUT, nothing_is_left},
    relay::{Fault, Relay, Trouble, Way},
};
use netio::{
    http::client::{Client, Error},
    net::TcpListener,
};
use runtime::{JoinHandle, Runtime, time::Instant};
use std::{collections::BTreeMap, net::SocketAddr};
use tests::wire::Peer;

/// An answer, its status and its body, and whether only the end of the connection ends it.
struct Wire {
    name: &'static str,
    bytes: &'static str,
    status: u16,
    body: &'static str,
    until_close: bool,
}

const fn wire(name: &'static str, bytes: &'static str, body: &'static str) -> Wire {
    Wire { name, bytes, status: 200, body, until_close: false }
}

const WIRES: [Wire; 12] = [
    wire("a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    wire("a length, and nothing", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    wire("a length, and a close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    wire("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"),
    wire(
        "chunks, with extensions and trailers",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n02\r\nlo\r\n00;c\r\nX: y\r\nZ: z\r\n\r\n",
        "hello",
    ),
    wire(
        "a body that looks like the end of one",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n9\r\nHTTP/1.1 \r\n0\r\n\r\n",
        "0\r\n\r\nHTTP/1.1 ",
    ),
    wire(
        "interim answers first",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "hello",
    ),
    wire("HTTP/1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    Wire { status: 204, ..wire("no content", "HTTP/1.1 204 No Content\r\n\r\n", "") },
    Wire {
        status: 304,
        ..wire(
            "not modified, with the length of what is not sent",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            "",
        )
    },
    Wire { until_close: true, ..wire("until the end", "HTTP/1.1 200 OK\r\n\r\nhello", "hello") },
    Wire { until_close: true, ..wire("HTTP/1.0", "HTTP/1.0 200 OK\r\nX: y\r\n\r\nhello", "hello") },
];

/// Gives the same answer to each request, whatever it is.
fn play(wire: &'static Wire) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("10.0.0.1:80").unwrap();
    let address = listener.local_addr().unwrap();
    let task = runtime::spawn(async move {
        loop {
            let mut peer = Peer::from(listener.accept().await.unwrap().0);
            drop(runtime::spawn(async move {
                while hears_a_request(&mut peer).await && peer.try_send(wire.bytes).await.is_ok() {
                    if wire.until_close || wire.bytes.contains("close") {
                        break;
                    }
                }
            }));
        }
    });
    (address, task)
}

/// Whether a request came before the end.
async fn hears_a_request(peer: &mut Peer) -> bool {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        match peer.read().await {
            Ok(more) if !more.is_empty() => heard.extend(more),
            _ => return false,
        }
    }
    true
}

async fn fetch(client: &Client, address: SocketAddr) -> Result<(u16, String), Error> {
    let start = Instant::now();
    let fetched = async {
        let answer = client.get(format!("http://{address}/")).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
    .await;
    assert!(start.elapsed() <= TIMEOUT, "it took {:?}", start.elapsed());
    fetched
}

async fn run(wire: &'static Wire, trouble: Trouble) -> &'static str {
    let (server, playing) = play(wire);
    let relay = Relay::start(server, vec![Some(trouble)]);
    let client = Client::builder().timeout(TIMEOUT).connect_timeout(TIMEOUT).build();
    let whole = (wire.status, wire.body.to_owned());
    let clean = matches!(trouble.fault, Fault::Close | Fault::HalfClose);

    let ended = match fetch(&client, relay.address).await {
        Ok(answer) if answer == whole => "whole",
        // Of all framings this one alone cannot tell.
        Ok((status, part)) if wire.until_close && clean && status == wire.status && wire.body.starts_with(&part) => {
            "cut"
        }
        Ok(answer) => panic!("{answer:?}"),
        Err(Error::Lost { .. }) => "lost",
        Err(Error::Timeout { .. }) => "timeout",
        Err(other) => panic!("not what can happen here: {other}"),
    };
    let mut again = fetch(&client, relay.address).await;
    if trouble.fault.is_silent() && again.is_err() {
        again = fetch(&client, relay.address).await;
    }
    assert_eq!(again.expect("the same client again"), whole);
    drop(client);
    drop(relay);
    playing.abort();
    nothing_is_left().await;
    ended
}

#[test]
fn an_answer_of_any_framing_is_whole_or_an_error() {
    let only = std::env::var("FAULT").ok();
    for wire in &WIRES {
        let mut ends = BTreeMap::new();
        let bytes = wire.bytes.len() as u64;
        for (after, fault) in (0..=bytes).flat_map(|after| Fault::ALL.map(|fault| (after, fault))) {
            let blame = Blame(format!("{} {fault:?} {after}", wire.name));
            if only.as_ref().is_some_and(|only| *only != blame.0) {
                continue;
            }
            let trouble = Trouble { way: Way::Down, after, fault };
            let ended = Runtime::simulated(after).block_on(run(wire, trouble));
            let all_came = after == bytes && !(wire.until_close && (fault == Fault::Reset || fault.is_silent()));
            if fault.is_harmless() || all_came {
                assert_eq!(ended, "whole", "nothing was lost");
            } else if after < bytes {
                assert_ne!(ended, "whole", "something was lost");
            }
            *ends.entry(ended).or_insert(0) += 1;
        }
        println!("{}: {ends:?}", wire.name);
    }
}
