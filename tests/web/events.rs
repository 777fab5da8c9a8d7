//! Events: on the wire, through compression, and read again.

use super::{ask, field, request};
use netio::http::{
    Body, Method,
    coding::{Coding, decode},
    server::{
        Router, Server,
        middleware::{Compression, compress},
    },
    sse::{self, Event, EventStream, EventWriter, LastEventId},
};
use runtime::time::{Instant, sleep};
use std::{io, time::Duration};
use tests::wire::{Peer, in_worlds, run_outside};

const SECOND: Duration = Duration::from_secs(1);

/// Three events, a second apart, from the one after the last that was seen.
async fn count(LastEventId(last): LastEventId) -> netio::http::Response {
    let next = last.and_then(|last| last.parse().ok()).map_or(0, |last: u64| last + 1);
    sse::response(move |mut events: EventWriter| async move {
        for n in next..next + 3 {
            events.send(Event { id: Some(n.to_string()), ..Event::data(format!("number {n}")) }).await?;
            sleep(SECOND).await;
        }
        Err(io::Error::other("the server has had enough"))
    })
}

#[test]
fn a_reader_that_was_cut_off_goes_on_behind_the_last_event() {
    in_worlds(async || {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(Router::new().get("/", count))));
        let client = netio::http::client::Client::new();
        let (mut seen, mut last) = (Vec::new(), String::new());
        while seen.len() < 7 {
            let request = client.get(format!("http://{address}/"));
            let request = if last.is_empty() { request } else { request.header("last-event-id", last.as_str()) };
            let mut events = EventStream::new(request.await.unwrap().into_body());
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => seen.push(event.data),
                    Err(_) => break,
                }
            }
            events.last_event_id().clone_into(&mut last);
        }
        assert_eq!(seen[..7], [0, 1, 2, 3, 4, 5, 6].map(|n| format!("number {n}")));
    });
}

#[test]
fn silence_is_filled_with_comments() {
    run_outside(async {
        let silent = |mut events: EventWriter| async move {
            for pause in [1, 7, 2, 5] {
                sleep(pause * SECOND).await;
                events.send(Event::data(format!("after {pause}"))).await?;
            }
            Ok(())
        };
        let start = Instant::now();
        let mut body = sse::response_with_keep_alive(3 * SECOND, silent).into_body();
        let mut said = Vec::new();
        while let Some(chunk) = body.chunk().await.unwrap() {
            said.push(format!("{} {}", start.elapsed().as_secs(), String::from_utf8_lossy(&chunk).trim_end()));
        }
        // The silence counts from what was said last.
        let expected =
            ["1 data: after 1", "4 :", "7 :", "8 data: after 7", "10 data: after 2", "13 :", "15 data: after 5"];
        assert_eq!(said, expected);
    });
}

#[test]
fn events_are_not_held_back_by_compression() {
    run_outside(async {
        let router = Router::new().get("/", count).layer(compress(Compression::default()));
        for coding in Coding::ALL {
            let response = ask(&router, request(Method::GET, "/", &format!("Accept-Encoding: {coding}"), "")).await;
            assert_eq!(field(&response, "content-encoding"), coding.name());
            let start = Instant::now();
            let mut events = EventStream::new(decode(response.into_body(), &[coding], 1000));
            for n in 0..3 {
                assert_eq!(events.next().await.unwrap().unwrap().data, format!("number {n}"));
                assert_eq!(start.elapsed(), n * SECOND, "{coding}");
            }
            // A body that fails is not made whole by its coding.
            assert_eq!(events.next().await.unwrap().unwrap_err().to_string(), "the server has had enough");
        }
    });
}

#[test]
fn events_stand_on_the_wire_as_they_are_sent() {
    in_worlds(async || {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(Router::new().get("/", count).layer(compress(Compression::default())))));
        let mut peer = Peer::connect(address).await;
        peer.send("GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 41\r\n\r\n").await;
        let head = peer.read_until("\r\n\r\n").await;
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        assert!(head.contains("cache-control: no-cache\r\n") && head.contains("vary: accept-encoding\r\n"), "{head}");
        let start = Instant::now();
        for n in 42..45 {
            assert_eq!(
                peer.read_until("\n\n").await.lines().skip(1).collect::<Vec<_>>(),
                [format!("id: {n}"), format!("data: number {n}"), String::new()]
            );
            peer.read_until("\r\n").await;
        }
        assert_eq!(start.elapsed().as_secs(), 2);
    });
}

#[test]
fn an_event_stream_ends_with_the_error_of_its_body() {
    run_outside(async {
        let body = Body::writer(|mut body| async move {
            body.write("data: one\n\ndata: half").await?;
            Err(io::Error::other("cut"))
        });
        let mut events = EventStream::new(body);
        assert_eq!(events.next().await.unwrap().unwrap(), Event::data("one"));
        assert_eq!(events.next().await.unwrap().unwrap_err().to_string(), "cut");
        assert!(events.next().await.is_none());
    });
}
