//! Bodies of requests while they come in: who reads them, how fast, and how they end.

use bytes::Bytes;
use netio::http::{
    Body, Request, Response, StatusCode, reply,
    server::{BodyRejection, IntoResponse, Limits},
};
use runtime::{
    sync::Event,
    time::{Instant, sleep},
};
use std::{
    io::ErrorKind,
    mem,
    net::Shutdown,
    sync::{Arc, Mutex},
    time::Duration,
};
use tests::wire::{Peer, in_worlds, run, serve};

const SECOND: Duration = Duration::from_secs(1);

fn chunked(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
}

fn sized(path: &str, fields: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {length}\r\n\r\n")
}

/// Reads the body, and answers with its length, or with what went wrong.
async fn measure(mut request: Request) -> Response {
    match request.body_mut().bytes().await {
        Ok(body) => reply(StatusCode::OK, "text/plain", format!("{} bytes", body.len())),
        Err(error) => BodyRejection::from(error).into_response(),
    }
}

/// What nobody reads stays with the peer: it can send no more than the network holds.
#[test]
fn a_body_is_read_no_faster_than_its_handler_wants() {
    in_worlds(async || {
        let (go, read) = (Arc::new(Event::new()), Arc::new(Mutex::new(0)));
        let (goes, count) = (go.clone(), read.clone());
        let address = serve(Limits { body_bytes: u64::MAX, ..Limits::default() }, move |request: Request| {
            let (go, count) = (goes.clone(), count.clone());
            async move {
                let mut body = request.into_body();
                go.wait().await;
                while let Some(chunk) = body.chunk().await.unwrap() {
                    *count.lock().unwrap() += chunk.len();
                }
                Response::default()
            }
        });
        let mut peer = Peer::connect(address).await;
        let sent = Arc::new(Mutex::new(0));
        let (sends, length) = (sent.clone(), 4_000_000);
        let sending = runtime::spawn(async move {
            peer.send(sized("/", "", length)).await;
            for _ in 0..length / 10_000 {
                peer.send([b'x'; 10_000]).await;
                *sends.lock().unwrap() += 10_000;
            }
            peer.read_until("\r\n\r\n").await
        });
        sleep(SECOND).await;
        let held = *sent.lock().unwrap();
        assert!(held < 2_000_000, "{held} bytes went out for a handler that reads none");
        go.set();
        assert!(sending.await.unwrap().starts_with("HTTP/1.1 200"));
        assert_eq!(*read.lock().unwrap(), length);
    });
}

#[test]
fn a_body_and_its_answer_flow_at_the_same_time() {
    run(async || {
        let address = serve(Limits::default(), async |request: Request| Response::new(request.into_body()));
        let mut peer = Peer::connect(address).await;
        peer.send(chunked("/")).await;
        peer.read_until("transfer-encoding: chunked\r\n\r\n").await;
        for word in ["one", "two", "three"] {
            let chunk = format!("{:x}\r\n{word}\r\n", word.len());
            peer.send(&chunk).await;
            assert_eq!(peer.read_until(&chunk).await, chunk);
        }
        peer.send("0\r\n\r\n").await;
        peer.read_until("0\r\n\r\n").await;
        peer.send(sized("/", "Connection: close\r\n", 3) + "end").await;
        assert!(peer.messages().await[0].body == "end", "the connection was kept");
    });
}

/// The handler may give the body to another task, and may even answer before that has read it.
#[test]
fn a_body_may_be_read_by_another_task() {
    run(async || {
        let total = Arc::new(Mutex::new(None));
        let tells = total.clone();
        let address = serve(Limits::default(), move |mut request: Request| {
            let tells = tells.clone();
            async move {
                let waits = request.uri() == "/waits";
                let mut body = mem::take(request.body_mut());
                let task = runtime::spawn(async move {
                    let whole = body.bytes().await;
                    *tells.lock().unwrap() = Some(whole.map_err(|error| error.kind()));
                });
                if waits {
                    task.await.unwrap();
                }
                reply(StatusCode::ACCEPTED, "text/plain", "taken")
            }
        });
        for path in ["/waits", "/goes"] {
            let mut peer = Peer::connect(address).await;
            peer.send(chunked(path) + "3\r\none\r\n").await;
            if path == "/goes" {
                assert!(peer.read_until("taken").await.starts_with("HTTP/1.1 202"));
            }
            sleep(SECOND).await;
            assert_eq!(*total.lock().unwrap(), None, "{path}");
            peer.send("3\r\ntwo\r\n0\r\n\r\n").await;
            peer.send(chunked(path) + "0\r\n\r\n").await;
            peer.read_until("taken").await;
            if path == "/waits" {
                peer.read_until("taken").await;
            }
            assert!(matches!(total.lock().unwrap().take(), Some(Ok(_))), "{path}");
        }
        // It goes with its connection.
        let mut peer = Peer::connect(address).await;
        peer.send(chunked("/goes") + "3\r\none\r\n").await;
        peer.read_until("taken").await;
        drop(peer);
        sleep(SECOND).await;
        let end = total.lock().unwrap().take();
        assert!(matches!(end, Some(Err(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset))), "{end:?}");
    });
}

#[test]
fn leave_to_send_is_given_at_the_first_read_and_not_before() {
    run(async || {
        let address = serve(Limits { body_bytes: 100, ..Limits::default() }, async |request: Request| {
            sleep(SECOND).await;
            match request.uri().path() {
                "/reads" => measure(request).await,
                "/echoes" => Response::new(request.into_body()),
                _ => reply(StatusCode::FORBIDDEN, "text/plain", "no"),
            }
        });
        let expect = "Expect: 100-continue\r\n";
        let mut peer = Peer::connect(address).await;
        let start = Instant::now();
        peer.send(sized("/reads", expect, 5)).await;
        assert_eq!(peer.read_until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(start.elapsed(), SECOND);
        peer.send("hello").await;
        assert!(peer.read_until("5 bytes").await.starts_with("HTTP/1.1 200"));
        // It comes before the answer whose body is the one that is still to be sent.
        peer.send(sized("/echoes", expect, 5)).await;
        let heads = peer.read_until("content-length: 5\r\n\r\n").await;
        assert!(heads.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{heads}");
        peer.send("hello").await;
        peer.read_until("hello").await;
        // Nobody reads it, or it is too large: the answer is final, and the connection closed, for nobody knows what comes next.
        for (path, length, status) in [("/refuses", 5, 403), ("/reads", 101, 413)] {
            let mut peer = Peer::connect(address).await;
            peer.send(sized(path, expect, length)).await;
            let answers = peer.messages().await;
            assert_eq!(answers.len(), 1, "{answers:?}");
            assert!(answers[0].status == status && answers[0].head.contains("connection: close\r\n"), "{answers:?}");
        }
    });
}

#[test]
fn what_a_handler_leaves_is_skipped_if_it_is_little() {
    run(async || {
        let limits = Limits { unread_bytes: 1000, body_time: 3 * SECOND, ..Limits::default() };
        let address = serve(limits, async |_: Request| reply(StatusCode::OK, "text/plain", "unread"));
        let next = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let chunk = |length: usize| format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
        for (head, body, answers) in [
            (sized("/", "", 1000), "x".repeat(1000), 2),
            (sized("/", "", 100_000), "x".repeat(100_000), 1),
            (chunked("/"), chunk(900), 2),
            (chunked("/"), chunk(100_000), 1),
            (chunked("/"), "no chunk\r\n".to_owned(), 1),
            (sized("/", "", 10), "cut".to_owned(), 1),
        ] {
            let mut peer = Peer::connect(address).await;
            // The answer does not wait for the body.
            peer.send(&head).await;
            peer.read_until("unread").await;
            let _ = peer.try_send(body.clone() + if body == "cut" { "" } else { next }).await;
            assert_eq!(1 + peer.messages().await.len(), answers, "{head} {} bytes", body.len());
        }
    });
}

#[test]
fn whoever_reads_is_told_how_it_ended() {
    run(async || {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let notes = ends.clone();
        let limits = Limits { body_time: 3 * SECOND, body_bytes: 10, ..Limits::default() };
        let address = serve(limits, move |mut request: Request| {
            let notes = notes.clone();
            async move {
                let body: &mut Body = request.body_mut();
                let end = loop {
                    match body.chunk().await {
                        Ok(Some(_)) => {}
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error.kind()),
                    }
                };
                assert!(body.chunk().await.unwrap().is_none(), "told once");
                notes.lock().unwrap().push(end);
                // It answers as if nothing had happened.
                reply(StatusCode::OK, "text/plain", Bytes::from_static(b"fine"))
            }
        });
        let next = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        for (sent, waits, end) in [
            (sized("/", "", 4) + "four" + next, false, Ok(())),
            (chunked("/") + "4\r\nfour\r\n0\r\n\r\n" + next, false, Ok(())),
            (chunked("/") + "4\r\nfour!\r\n0\r\n\r\n" + next, true, Err(ErrorKind::InvalidData)),
            (chunked("/") + "b\r\nmore than 10\r\n" + next, true, Err(ErrorKind::FileTooLarge)),
            (sized("/", "", 4) + "fou", true, Err(ErrorKind::TimedOut)),
            (sized("/", "", 4) + "fou", false, Err(ErrorKind::UnexpectedEof)),
        ] {
            let mut peer = Peer::connect(address).await;
            peer.send(&sent).await;
            if !waits && end.is_err() {
                peer.stream.shutdown(Shutdown::Write).unwrap();
            }
            let answers = peer.messages().await;
            assert_eq!(answers.len(), if end.is_ok() { 2 } else { 1 }, "{sent}: {answers:?}");
            assert!(answers.last().unwrap().head.contains("connection: close\r\n"), "{sent}: {answers:?}");
            assert_eq!(ends.lock().unwrap()[0], end, "{sent}");
            ends.lock().unwrap().clear();
        }
        // Slow is not late, up to the limit of the whole: every piece has its own time.
        let mut peer = Peer::connect(address).await;
        peer.send(sized("/", "", 4)).await;
        for byte in *b"slow" {
            sleep(2 * SECOND).await;
            peer.send([byte]).await;
        }
        peer.read_until("fine").await;
        assert_eq!(*ends.lock().unwrap(), [Ok(())]);
    });
}

/// A byte now and then is in time each time, and would keep its handler for ever.
#[test]
fn a_body_that_trickles_has_a_limit_for_the_whole() {
    run(async || {
        let limits = Limits { body_time: 3 * SECOND, body_total_time: 10 * SECOND, ..Limits::default() };
        let address = serve(limits, measure);
        for head in [sized("/", "", 100), chunked("/")] {
            let mut peer = Peer::connect(address).await;
            let start = Instant::now();
            peer.send(&head).await;
            let piece = if head.contains("chunked") { "1\r\nx\r\n" } else { "x" };
            for _ in 0..4 {
                sleep(2 * SECOND).await;
                peer.send(piece).await;
            }
            // The last pieces would be in time, each for itself.
            let rest = peer.read_until("\r\n\r\n").await;
            assert!(rest.starts_with("HTTP/1.1 408") && rest.contains("connection: close"), "{rest}");
            assert_eq!(start.elapsed(), 10 * SECOND, "8 seconds of waiting, and 2 of the 3 that a piece may take");
        }
    });
}

/// Only the peer's slowness counts: a handler may take its time.
#[test]
fn a_handler_that_does_not_read_has_all_the_time() {
    run(async || {
        let limits = Limits { body_time: 3 * SECOND, body_total_time: 3 * SECOND, ..Limits::default() };
        let address = serve(limits, async |mut request: Request| {
            let mut length = 0;
            while let Some(chunk) = request.body_mut().chunk().await.unwrap() {
                length += chunk.len();
                sleep(100 * SECOND).await;
            }
            Response::new(format!("{length} bytes").into())
        });
        let mut peer = Peer::connect(address).await;
        peer.send(sized("/", "", 4)).await;
        for piece in ["a", "b", "cd"] {
            peer.send(piece).await;
            sleep(100 * SECOND + Duration::from_millis(500)).await;
        }
        peer.read_until("4 bytes").await;
    });
}
