//! What people read, word for word: traces, bytes on the wire, messages. (What the examples print is kept in `book/recorded`, and
//! compared in `book.rs`.)
//!
//! All of it happens on a virtual clock, so there is nothing to redact but ports. `INSTA_UPDATE=always cargo test --test snapshots`
//! makes them anew; look at the difference before you commit it.

use futures_lite::StreamExt;
use insta::assert_snapshot;
use netio::http::{
    Body, Request, Response, StatusCode,
    client::Client,
    server::{BodyRejection, IntoResponse, Limits},
    sse::{self, EventWriter},
};
use runtime::{Runtime, future::join_all, spawn, sync::Event, task::Builder, time::sleep, yield_now};
use std::{future::pending, process::Command, sync::Arc, time::Duration};
use tests::wire::{self, Peer};

const SECOND: Duration = Duration::from_secs(1);

/// A name, a wait, a panic, an abort, a wake by another task: one of each kind of line.
fn one_of_each() -> Runtime {
    let runtime = Runtime::builder().virtual_clock().trace().build().unwrap();
    runtime.block_on(async {
        let bell = Arc::new(Event::new());
        let listening = bell.clone();
        let listener = Builder::new().name("listener").spawn(async move { listening.wait().await });
        let panicking = spawn(async {
            yield_now().await;
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        let endless = spawn(pending::<()>());
        join_all([2, 1].map(|seconds| sleep(seconds * SECOND))).await;
        bell.set();
        listener.await.unwrap();
        panicking.await.unwrap_err();
        endless.abort();
        endless.await.unwrap_err();
        drop(spawn(pending::<()>()));
        yield_now().await;
    });
    runtime
}

#[test]
fn a_trace_as_text() {
    assert_snapshot!(one_of_each().trace());
}

#[test]
fn a_trace_as_a_picture() {
    assert_snapshot!(one_of_each().trace().timeline_svg());
}

#[test]
fn a_trace_for_perfetto() {
    assert_snapshot!(one_of_each().trace().chrome_json());
}

#[test]
fn a_deadlock_is_told_with_names_and_places() {
    let told = std::panic::catch_unwind(|| {
        Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            let bell = Arc::new(Event::new());
            drop(Builder::new().name("waits for the bell").spawn(async move { bell.wait().await }));
            pending::<()>().await;
        });
    });
    let text = told.unwrap_err().downcast::<String>().unwrap();
    // The line and column are those of this file: cut off, so that an edit above changes nothing.
    let (text, place) = text.rsplit_once("snapshots.rs:").unwrap();
    assert!(place.ends_with(')'), "{place}");
    assert_snapshot!(text);
}

async fn site(mut request: Request) -> Response {
    if let Err(error) = request.body_mut().bytes().await {
        return BodyRejection::from(error).into_response();
    }
    match request.uri().path() {
        "/empty" => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        "/stream" => {
            Response::new(Body::stream(futures_lite::stream::iter(["one", "two"]).map(|part| Ok(part.into()))))
        }
        "/events" => sse::response(|mut events: EventWriter| async move {
            for n in 1..=2 {
                let event =
                    sse::Event { event: Some("count".into()), data: format!("{n}\nof 2"), ..sse::Event::default() };
                events.send(event).await?;
                sleep(SECOND).await;
            }
            Ok(())
        }),
        path => Response::new(format!("you asked for {path}\n").into()),
    }
}

/// What the server says to these bytes, until it hangs up.
fn said_to(request: &str) -> String {
    wire::run_outside(async {
        let mut peer = Peer::connect(wire::serve(Limits::default(), site)).await;
        peer.send(request).await;
        let mut all = Vec::new();
        loop {
            match peer.read().await {
                Ok(bytes) if !bytes.is_empty() => all.extend(bytes),
                _ => return String::from_utf8(all).unwrap().replace("\r\n", "␍\n"),
            }
        }
    })
}

#[test]
fn answers_on_the_wire() {
    let request = |line: &str| said_to(&format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n"));
    let lines = [
        "GET /page HTTP/1.1",
        "HEAD /page HTTP/1.1",
        "GET /page HTTP/1.0",
        "GET /empty HTTP/1.1",
        "GET /stream HTTP/1.1",
        "GET /stream HTTP/1.0",
        "GET /events HTTP/1.1",
    ];
    let all: String = lines.iter().map(|line| format!("» {line}\n{}\n\n", request(line))).collect();
    assert_snapshot!(all);
}

#[test]
fn refusals_on_the_wire() {
    let requests = [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n",
    ];
    let all: String = requests.iter().map(|request| format!("» {request:?}\n{}\n\n", said_to(request))).collect();
    assert_snapshot!(all);
}

#[test]
fn what_a_client_says_when_it_fails() {
    let all = wire::run_outside(async {
        let address = wire::serve(Limits::default(), |_| pending::<Response>());
        // Bound, and not listening any more: nobody is there.
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = Client::builder().timeout(SECOND).build();
        let mut all = String::new();
        for url in [
            format!("http://{address}/slow"),
            format!("http://{nobody}/"),
            "https://127.0.0.1/".to_owned(),
            "not a url".to_owned(),
        ] {
            let error = client.get(&url).await.err().map_or_else(|| "no error".to_owned(), |error| error.to_string());
            all += &format!("» {url}\n{error}\n\n");
        }
        all.replace(&address.to_string(), "[address]").replace(&nobody.to_string(), "[nobody]")
    });
    assert_snapshot!(all);
}

#[test]
fn what_handloom_says_of_itself() {
    let help = Command::new(tests::handloom()).arg("--help").output().unwrap();
    assert_snapshot!(String::from_utf8(help.stdout).unwrap());
}
