//! A body on its way out: no faster than it is taken, never well-ended if it failed, and cut short by an early answer.

use super::{MS, SECOND};
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt};
use netio::{
    http::{
        Body, Method, StatusCode,
        client::{Client, Error, Phase},
    },
    net::TcpListener,
};
use runtime::time::{Instant, sleep};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};
use tests::wire::{Peer, in_worlds, run};

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/up", listener.local_addr().unwrap());
    (listener, url)
}

async fn accept(listener: &TcpListener) -> Peer {
    let peer = Peer::from(listener.accept().await.unwrap().0);
    peer.stream.set_nodelay(true).unwrap();
    peer
}

fn parts(parts: &'static [&'static str]) -> Body {
    Body::stream(futures_lite::stream::iter(parts).map(|part| Ok(part.as_bytes().into())))
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_stream_goes_out_in_chunks_or_with_its_length() {
    run(async || {
        for (body, framing, wire) in [
            (
                parts(&["one", "", "twotwotwotwotwotwo"]),
                "transfer-encoding: chunked",
                "3\r\none\r\n12\r\ntwotwotwotwotwotwo\r\n0\r\n\r\n",
            ),
            (parts(&[]), "transfer-encoding: chunked", "0\r\n\r\n"),
            (parts(&["one", "two"]).with_length(6), "content-length: 6", "onetwo"),
            (parts(&[]).with_length(0), "content-length: 0", ""),
            ("whole".into(), "content-length: 5", "whole"),
            ("".into(), "content-length: 0", ""),
        ] {
            let (listener, url) = listen();
            let client = Client::new();
            let sent = runtime::spawn(async move {
                let response = client.put(url).body(body).await?;
                response.text().await
            });
            let mut peer = accept(&listener).await;
            let head = peer.read_until("\r\n\r\n").await;
            assert!(head.contains(&format!("\r\n{framing}\r\n")), "{head}");
            assert_eq!(head.matches("content-length").count() + head.matches("transfer-encoding").count(), 1, "{head}");
            if !wire.is_empty() {
                peer.read_until(wire).await;
            }
            peer.send(OK).await;
            assert_eq!(sent.await.unwrap().unwrap(), "ok");
        }
    });
}

/// What the server does not read stays unmade.
#[test]
fn a_body_is_made_no_faster_than_it_is_taken() {
    run(async || {
        let (listener, url) = listen();
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let body = Body::stream(futures_lite::stream::iter(0..300).map(move |_| {
            count.fetch_add(1, Relaxed);
            Ok(vec![b'x'; 100_000].into())
        }));
        let client = Client::new();
        let sent = runtime::spawn(async move { client.put(url).body(body).await?.text().await });
        let mut peer = accept(&listener).await;
        peer.read_until("\r\n\r\n").await;
        sleep(SECOND).await;
        let before = made.load(Relaxed);
        assert!(before < 200, "{before} chunks of 100 kB, and nobody has read one");
        while !peer.read().await.unwrap().ends_with(b"\r\n0\r\n\r\n") {}
        peer.send(OK).await;
        assert_eq!(sent.await.unwrap().unwrap(), "ok");
        assert_eq!(made.load(Relaxed), 300);
    });
}

#[test]
fn a_body_that_fails_ends_the_request_and_never_well() {
    run(async || {
        let failing = |length: Option<u64>, bytes: &'static str, error: Option<&'static str>| {
            let items = [Ok(bytes.into())].into_iter().chain(error.map(|text| Err(io::Error::other(text))));
            let body = Body::stream(futures_lite::stream::iter(items.collect::<Vec<_>>()));
            length.map_or_else(|| Body::stream(futures_lite::stream::empty()), |length| body.with_length(length))
        };
        let chunked =
            Body::stream(futures_lite::stream::iter([Ok("half".into()), Err(io::Error::other("the disk is gone"))]));
        for (body, why) in [
            (chunked, "the disk is gone"),
            (failing(Some(9), "half", Some("the disk is gone")), "the disk is gone"),
            (failing(Some(9), "half", None), "it is shorter than it said"),
            (failing(Some(3), "half", None), "it is longer than it said"),
        ] {
            let (listener, url) = listen();
            let client = Client::new();
            let (again, target) = (client.clone(), url.clone());
            let sent = runtime::spawn(async move { again.put(target).body(body).await });
            let mut peer = accept(&listener).await;
            let heard = String::from_utf8(peer.rest().await.unwrap_or_default()).unwrap();
            assert!(!heard.contains("\r\n0\r\n\r\n"), "{heard:?}");
            assert!(!heard.ends_with("\r\n\r\nhal"), "{heard:?}");
            let error = sent.await.unwrap().unwrap_err();
            assert!(matches!(error, Error::RequestBody { .. }), "{error}");
            assert_eq!(error.phase(), Some(Phase::Send));
            assert_eq!(error.to_string(), format!("{url}: the body of the request failed: {why}"));
            assert_eq!((client.pool_stats().idle, client.pool_stats().in_use), (0, 0));
        }
    });
}

/// RFC 9112, 9.3: who refuses may stop reading; and who refuses need not be told the rest.
#[test]
fn a_refusal_ends_the_upload_and_the_connection_is_not_used_again() {
    run(async || {
        let (listener, url) = listen();
        let dropped = Arc::new(AtomicBool::new(false));
        let guard = Guard(dropped.clone());
        let endless = Body::stream(futures_lite::stream::repeat(()).map(move |()| {
            let _guard = &guard;
            Ok(vec![b'x'; 10_000].into())
        }));
        let client = Client::new();
        let caller = client.clone();
        let sent = runtime::spawn(async move {
            let response = caller.post(url).body(endless).await.unwrap();
            let status = response.status();
            (status, response.text().await.unwrap())
        });
        let mut peer = accept(&listener).await;
        peer.read_until("\r\n\r\n").await;
        peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo long").await;
        assert_eq!(sent.await.unwrap(), (StatusCode::PAYLOAD_TOO_LARGE, "too long".to_owned()));
        assert!(dropped.load(Relaxed), "the body is dropped with all that it owns");
        assert_eq!((client.pool_stats().idle, client.pool_stats().in_use), (0, 0));
    });
}

struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Both directions at a time: what comes back is read while the rest still goes out, and both ends well.
#[test]
fn an_echo_is_read_while_the_upload_goes_on() {
    run(async || {
        let (listener, url) = listen();
        const SIZE: usize = 3_000_000;
        drop(runtime::spawn(async move {
            let stream = accept(&listener).await.stream;
            let (mut stream, mut heard) = (&stream, vec![0; 50_000]);
            let length = stream.read(&mut heard).await.unwrap();
            let head = heard[..length].windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
            stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n").as_bytes()).await.unwrap();
            stream.write_all(&heard[head..length]).await.unwrap();
            let mut left = SIZE - (length - head);
            while left > 0 {
                let length = stream.read(&mut heard).await.unwrap();
                stream.write_all(&heard[..length]).await.unwrap();
                left -= length;
            }
            std::future::pending::<()>().await;
        }));
        let client = Client::new();
        let chunks = futures_lite::stream::iter((0..30).map(|n| Ok(vec![n; SIZE / 30].into())));
        let response = client.post(url).body(Body::stream(chunks).with_length(SIZE as u64)).await.unwrap();
        let echo = response.bytes().await.unwrap();
        assert!(echo.chunks(SIZE / 30).enumerate().all(|(n, chunk)| chunk.iter().all(|&byte| byte == n as u8)));
        assert_eq!(client.pool_stats().idle, 1, "both are at their end: the connection is as good as new");
    });
}

/// RFC 9110, 10.1.1.
#[test]
fn a_body_waits_for_leave_if_it_said_that_it_would() {
    run(async || {
        for (says, after, body_is_sent, status, kept) in [
            ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", true, 201, 1),
            ("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", "", false, 417, 0),
            ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "", false, 401, 0),
            // It has seen no body, and does not want one.
            ("HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n", "", false, 303, 0),
            // It does not know the word: after a while the body goes out unasked.
            ("", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, 200, 1),
        ] {
            let (listener, url) = listen();
            let client = Client::new();
            let caller = client.clone();
            let sent = runtime::spawn(async move {
                let request = caller.request(Method::PUT, url).header("expect", "100-continue").body("the body");
                request.await.unwrap().status().as_u16()
            });
            let mut peer = accept(&listener).await;
            peer.read_until("\r\n\r\n").await;
            sleep(SECOND / 2).await;
            peer.send(says).await;
            if body_is_sent {
                let start = Instant::now();
                peer.read_until("the body").await;
                assert_eq!(start.elapsed() >= SECOND / 4, says.is_empty(), "{says:?}");
                peer.send(after).await;
            }
            assert_eq!(sent.await.unwrap(), status, "{says:?}");
            sleep(MS).await;
            assert_eq!(client.pool_stats().idle, kept, "{says:?}");
            if !body_is_sent {
                assert_eq!(peer.rest().await.unwrap_or_default(), b"", "{says:?}: no byte of the body");
            }
        }
    });
}

/// A stream cannot be sent a second time: a dead connection is an error then.
#[test]
fn a_stream_is_not_sent_again() {
    in_worlds(async || {
        let (listener, url) = listen();
        drop(runtime::spawn(async move {
            let mut peer = accept(&listener).await;
            peer.read_until("\r\n\r\n").await;
            peer.send(OK).await;
            peer.read_until("\r\n\r\n").await;
            drop(peer);
            let mut peer = accept(&listener).await;
            peer.read_until("\r\n\r\n").await;
            peer.send(OK).await;
        }));
        let client = Client::new();
        client.get(&url).await.unwrap().bytes().await.unwrap();
        let error = client.put(&url).body(parts(&["one"])).await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error}");
    });
}
