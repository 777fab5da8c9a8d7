//! Whoever looks on is told everything, in its order, and each end once.

use super::{MS, SECOND, serve};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::{
        Request, Response, StatusCode,
        client::{Client, Event, RequestInfo},
        server::Server,
    },
    net::TcpListener,
};
use runtime::{
    time::{sleep, timeout},
    world,
};
use std::sync::{Arc, Mutex};
use tests::wire::{Peer, in_worlds, run};

type Notes = Arc<Mutex<Vec<String>>>;

/// What happened, in a word or two each.
fn observer(notes: &Notes) -> impl Fn(&RequestInfo, &Event<'_>) + Send + Sync + 'static {
    let notes = notes.clone();
    move |request, event| {
        let word = match event {
            Event::LookupStart { host } => format!("lookup {host}"),
            Event::LookupEnd { addresses, cached } => format!("found {} cached {cached}", addresses.len()),
            Event::RequestSent { bytes } => format!("sent {}", *bytes > 0),
            Event::Interim { status, .. } => format!("interim {}", status.as_u16()),
            Event::Head { status, .. } => format!("head {}", status.as_u16()),
            Event::Body { bytes } => format!("body {bytes}"),
            Event::ConnectEnd { peer } => format!("connected {}", peer.is_some()),
            Event::End { .. } => "end".to_owned(),
            Event::Failed { .. } => "failed".to_owned(),
            Event::Dropped { phase } => format!("dropped {phase:?}"),
            other => format!("{other:?}"),
        };
        notes.lock().unwrap().push(format!("{} {word}", request.id()));
    }
}

fn take(notes: &Notes) -> Vec<String> {
    std::mem::take(&mut *notes.lock().unwrap())
}

#[test]
fn a_request_is_told_from_start_to_end() {
    in_worlds(async || {
        world::current().unwrap().set_name("shop.example", ["10.0.0.1".parse().unwrap()]);
        let server = Server::bind("10.0.0.1:80").unwrap();
        drop(runtime::spawn(server.serve(async |_: Request| Response::new("hello".into()))));
        let notes = Notes::default();
        let client = Client::builder().observer(observer(&notes)).connections(1).build();
        client.get("http://shop.example/").await.unwrap().bytes().await.unwrap();
        let cold = [
            "Start",
            "lookup shop.example:80",
            "found 1 cached false",
            "ConnectStart",
            "connected true",
            "sent true",
            "head 200",
            "body 5",
            "end",
        ];
        assert_eq!(take(&notes), cold.map(|word| format!("0 {word}")));
        client.get("http://shop.example/").await.unwrap().bytes().await.unwrap();
        let warm = ["Start", "Reused", "sent true", "head 200", "body 5", "end"];
        assert_eq!(take(&notes), warm.map(|word| format!("1 {word}")));
    });
}

#[test]
fn every_start_has_one_end() {
    run(async || {
        let url = serve(async |request: Request| match request.uri().path() {
            "/slow" => std::future::pending().await,
            _ => Response::new(vec![b'x'; 200_000].into()),
        });
        let notes = Notes::default();
        let client = Client::builder().observer(observer(&notes)).timeout(5 * SECOND).build();
        let last = |notes: &Notes| take(notes).pop().unwrap().split_once(' ').unwrap().1.to_owned();
        drop(client.get(&url).await.unwrap());
        assert!(last(&notes).starts_with("dropped Body"));
        assert!(timeout(SECOND, client.get(format!("{url}slow")).send()).await.is_err());
        assert_eq!(last(&notes), "dropped Head");
        client.get(format!("{url}slow")).await.unwrap_err();
        assert_eq!(last(&notes), "failed");
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        client.get(format!("http://{free}/")).await.unwrap_err();
        assert_eq!(last(&notes), "failed");
        client.get(&url).await.unwrap().bytes().await.unwrap();
        assert_eq!(last(&notes), "end");
    });
}

#[test]
fn waiting_and_sending_again_are_told() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(runtime::spawn(async move {
            loop {
                let mut peer = Peer::from(listener.accept().await.unwrap().0);
                peer.read_until("\r\n\r\n").await;
                peer.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                peer.read_until("\r\n\r\n").await;
            }
        }));
        let notes = Notes::default();
        let client = Client::builder().observer(observer(&notes)).connections(1).build();
        let (first, other) = (client.get(&url), client.get(&url));
        let fetch = |request: netio::http::client::RequestBuilder| async move { request.await?.text().await };
        let (one, other) = runtime::future::join(fetch(first), async {
            sleep(MS).await;
            fetch(other).await
        })
        .await;
        assert_eq!((one.unwrap(), other.unwrap()), ("ok".to_owned(), "ok".to_owned()));
        let all = take(&notes).join(", ");
        assert!(all.contains("0 interim 103, 0 head 200"), "{all}");
        assert!(all.contains("1 Reused") && all.contains("1 SentAgain, 1 ConnectStart"), "{all}");
    });
}

/// RFC 9110, 7.8: the hook for WebSocket.
#[test]
fn a_server_that_switches_hands_over_the_connection() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/chat", listener.local_addr().unwrap());
        drop(runtime::spawn(async move {
            let mut peer = Peer::from(listener.accept().await.unwrap().0);
            let head = peer.read_until("\r\n\r\n").await;
            assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: echo\r\n"), "{head}");
            // The first words of the other protocol come with the head.
            peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello ").await;
            let (mut stream, mut buffer) = (&peer.stream, [0; 64]);
            loop {
                match stream.read(&mut buffer).await.unwrap() {
                    0 => return,
                    length => stream.write_all(&buffer[..length]).await.unwrap(),
                }
            }
        }));
        let client = Client::new();
        let request = client.get(url).header("connection", "upgrade").header("upgrade", "echo");
        let mut response = request.await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        let mut raw = response.upgrade().unwrap();
        assert!(response.upgrade().is_none());
        assert_eq!(client.pool_stats().in_use, 0, "it belongs to no pool any more");
        raw.write_all(b"world").await.unwrap();
        let mut heard = [0; 11];
        raw.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello world");
    });
}
