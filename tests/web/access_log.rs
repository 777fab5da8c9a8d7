//! The line of an access log is written when the answer is over, and tells how that went.

use bytes::Bytes;
use futures_lite::stream;
use netio::http::{
    Body, HeaderMap, HeaderName, StatusCode,
    server::{
        Disconnect, IntoResponse, Router, Server,
        middleware::{Access, access_log, access_log_as},
    },
    sse::{self, Event, EventWriter},
};
use runtime::{
    sync::mpsc::{Receiver, unbounded},
    time::{sleep, timeout},
};
use std::{io, net::SocketAddr, time::Duration};
use tests::wire::{Peer, in_worlds, run, run_outside};

const SECOND: Duration = Duration::from_secs(1);

/// More than the sockets hold, of the system and of a world.
const LARGE: [usize; 2] = [32 << 20, 1 << 20];

/// What is logged.
struct Log(Receiver<Access>);

impl Log {
    async fn next(&mut self) -> Access {
        timeout(60 * SECOND, self.0.recv()).await.expect("there is a line for every request").expect("the server runs")
    }

    /// The line, without the peer and what it asked for.
    async fn line(&mut self) -> String {
        let line = self.next().await.to_string();
        line.rsplit_once("\" ").unwrap().1.to_owned()
    }
}

/// Starts a server with a log; it ends with the runtime.
fn serve(server: Server, router: Router) -> (SocketAddr, Log) {
    let (send, receive) = unbounded();
    let server = server.listen(netio::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let address = server.local_addr();
    let log = access_log(move |access: &Access| send.try_send(access.clone()).unwrap());
    drop(runtime::spawn(server.serve(router.layer(log))));
    (address, Log(receive))
}

async fn ask(address: SocketAddr, line: &str) -> Peer {
    let mut peer = Peer::connect(address).await;
    peer.send(format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTE: trailers\r\n\r\n")).await;
    peer
}

/// Six bytes, in a second.
fn slow() -> Body {
    Body::writer(async |mut body| {
        body.write("one").await?;
        sleep(SECOND).await;
        body.write("two").await
    })
}

#[test]
fn a_line_has_the_bytes_that_were_sent_and_the_time_until_the_end() {
    run(async || {
        let router = Router::new()
            .get("/whole", async || "whole\n")
            .get("/chunks", async || slow())
            .get("/length", async || slow().with_length(6))
            .get("/trailers", async || {
                let name = HeaderName::from_static("x-end");
                slow().with_trailers([name.clone()], || HeaderMap::from_iter([(name, "end".parse().unwrap())]))
            })
            .get("/empty", async || Body::stream(stream::empty()))
            .get("/204", async || (StatusCode::NO_CONTENT, slow()))
            .get("/304", async || (StatusCode::NOT_MODIFIED, slow()));
        let (address, mut log) = serve(Server::new(), router);
        for (request, line, last) in [
            ("GET /whole", "200 6 0.000s", "whole\n"),
            ("GET /chunks", "200 6 1.000s", "3\r\ntwo\r\n0\r\n\r\n"),
            ("GET /length", "200 6 1.000s", "\r\n\r\nonetwo"),
            ("GET /trailers", "200 6 1.000s", "0\r\nx-end: end\r\n\r\n"),
            ("GET /empty", "200 0 0.000s", "\r\n\r\n0\r\n\r\n"),
            ("HEAD /whole", "200 0 0.000s", "content-length: 6\r\nconnection: close\r\n\r\n"),
            ("HEAD /length", "200 0 0.000s", "content-length: 6\r\nconnection: close\r\n\r\n"),
            ("GET /204", "204 0 0.000s", "connection: close\r\n\r\n"),
            ("GET /304", "304 0 0.000s", "connection: close\r\n\r\n"),
            ("GET /none", "404 37 0.000s", "there is no such page\n"),
        ] {
            let answer = String::from_utf8(ask(address, request).await.rest().await.unwrap()).unwrap();
            assert!(answer.ends_with(last), "{request}: {answer}");
            assert_eq!(log.line().await, line, "{request}");
        }
        assert!(log.0.is_empty(), "one line a request");
    });
}

fn some(more: io::Result<Bytes>) -> Body {
    Body::stream(stream::iter([Ok("some ".into()), more]))
}

#[test]
fn a_body_that_failed_was_cut() {
    run(async || {
        let router = Router::new()
            .get("/failed", async || some(Err(io::Error::other("no more"))))
            .get("/short", async || some(Ok("more".into())).with_length(10))
            .get("/panic", async || Body::writer(async |_| panic!("in a body, as the test wants")))
            .get("/reset", async || {
                let mut response = "not sent".into_response();
                response.extensions_mut().insert(Disconnect);
                response
            });
        let (address, mut log) = serve(Server::new(), router);
        for (path, line) in [
            ("/failed", "200 5 cut 0.000s"),
            ("/short", "200 9 cut 0.000s"),
            ("/panic", "200 0 cut 0.000s"),
            ("/reset", "200 0 cut 0.000s"),
        ] {
            // Some of these end with a reset.
            let _ = ask(address, &format!("GET {path}")).await.rest().await;
            assert_eq!(log.line().await, line, "{path}");
        }
    });
}

/// A client that reads nothing for a while, and then all, or goes away.
async fn slow_client(length: usize) {
    let whole = Bytes::from(vec![b'x'; length]);
    let pieces = move || stream::iter((0..length / 1024).map(|_| Ok(Bytes::from_static(&[b'x'; 1024]))));
    let router = Router::new()
        .get("/whole", move || std::future::ready(whole.clone()))
        .get("/pieces", move || std::future::ready(Body::stream(pieces())));
    let (address, mut log) = serve(Server::new(), router);
    for path in ["/whole", "/pieces"] {
        for stays in [true, false] {
            let mut peer = ask(address, &format!("GET {path}")).await;
            let mut heard = peer.read_until("\r\n\r\n").await.len();
            sleep(2 * SECOND).await;
            assert!(log.0.is_empty(), "{path}: it is not over");
            if stays {
                heard = peer.rest().await.unwrap().len();
            }
            drop(peer);
            let access = log.next().await;
            assert_eq!((access.status, access.cut), (Some(StatusCode::OK), !stays), "{path}");
            assert!(access.time >= 2 * SECOND && access.time < 3 * SECOND, "{path}: {access}");
            let sent = access.sent as usize;
            if stays {
                assert!(sent == length && heard >= length, "{path}: {heard} of {access}");
            } else {
                assert!(sent >= 64 * 1024 && sent < length, "{path}: {access}");
            }
        }
    }
}

#[test]
fn a_client_that_goes_away_in_the_middle_has_its_line() {
    run_outside(slow_client(LARGE[0]));
    in_worlds(async || slow_client(LARGE[1]).await);
}

#[test]
fn events_may_end_at_any_time() {
    run(async || {
        let events = async || {
            sse::response(async |mut events: EventWriter| {
                loop {
                    events.send(Event::data("x")).await?;
                    sleep(SECOND).await;
                }
            })
        };
        let server = Server::new();
        let handle = server.handle();
        let (address, mut log) = serve(server, Router::new().get("/", events));
        for stops in [false, true] {
            let mut peer = ask(address, "GET /").await;
            peer.read_until("data: x").await;
            peer.read_until("data: x").await;
            if stops {
                handle.stop();
                peer.rest().await.unwrap();
            }
            drop(peer);
            let access = log.next().await;
            assert!(!access.cut && access.sent == 18 && access.time >= SECOND, "{access}");
        }
    });
}

#[test]
fn a_handler_that_was_dropped_has_no_status() {
    run(async || {
        let router = Router::new().get("/", async || {
            sleep(5 * SECOND).await;
            "late\n"
        });
        let (address, mut log) = serve(Server::new().handler_cancellation(true), router);
        let peer = ask(address, "GET /").await;
        sleep(SECOND).await;
        drop(peer);
        let access = log.next().await;
        assert_eq!((access.status, access.sent, access.cut), (None, 0, true));
        assert!(access.to_string().ends_with(" HTTP/1.1\" - 0 cut 1.000s"), "{access}");
    });
}

#[test]
fn a_log_that_panics_costs_nobody_an_answer() {
    run(async || {
        let router = Router::new()
            .get("/whole", async || "whole\n")
            .get("/chunks", async || slow())
            .layer(access_log(|_| panic!("in a log, as the test wants")));
        let (address, mut log) = serve(Server::new(), router);
        for (path, last) in [("/whole", "whole\n"), ("/chunks", "0\r\n\r\n")] {
            let answer = ask(address, &format!("GET {path}")).await.rest().await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(last.as_bytes()), "{path}");
            assert_eq!(log.next().await.sent, 6, "{path}");
        }
    });
}

#[test]
fn a_line_of_ones_own_is_written_at_the_end_too() {
    run(async || {
        let (send, mut receive) = unbounded();
        let format = "%s %b %X %T %{x-made}o".parse().unwrap();
        let made = [("x-made", "by hand")];
        let router = Router::new()
            .get("/slow", move || async move { (made, slow()) })
            .get("/short", move || async move { (made, slow().with_length(7)) })
            .get("/never", std::future::pending::<()>)
            .layer(access_log_as(format, move |line| send.try_send(line.to_owned()).unwrap()));
        let (address, _log) = serve(Server::new().handler_cancellation(true), router);
        for (path, line) in [("/slow", "200 6 - 1 by hand"), ("/short", "200 6 X 1 by hand"), ("/never", "- 0 X 0 -")] {
            let mut peer = ask(address, &format!("GET {path}")).await;
            if path != "/never" {
                peer.rest().await.unwrap();
            }
            drop(peer);
            assert_eq!(timeout(60 * SECOND, receive.recv()).await.unwrap().unwrap(), line, "{path}");
        }
    });
}
