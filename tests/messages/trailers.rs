//! Fields behind a body, on their way there and back.

use futures_lite::StreamExt;
use netio::http::{
    Body, HeaderMap, HeaderName, HeaderValue, Request, Response,
    client::Client,
    coding::Coding,
    header,
    server::{Limits, Router, Server, middleware},
};
use std::{
    io::{self, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tests::wire::{Peer, run, serve};

const SUM: HeaderName = HeaderName::from_static("x-sum");
const SECRET: HeaderName = HeaderName::from_static("x-secret");

/// Three chunks, and behind them how many bytes they had.
fn counted() -> Body {
    let sum = Arc::new(AtomicU64::new(0));
    let count = sum.clone();
    let chunks = futures_lite::stream::iter(["one", "two", "three"]).map(move |word| {
        count.fetch_add(word.len() as u64, Relaxed);
        io::Result::Ok(word.into())
    });
    Body::stream(chunks).with_trailers([SUM], move || {
        let fields = [(SUM, HeaderValue::from(sum.load(Relaxed))), (SECRET, HeaderValue::from_static("not announced"))];
        HeaderMap::from_iter(fields)
    })
}

/// Says what it was sent behind the body, and what stood in the head.
async fn tell(mut request: Request) -> Response {
    let before = request.body().trailers().is_some();
    let body = request.body_mut().bytes().await.unwrap();
    let fields = request.body().trailers().cloned().unwrap_or_default();
    let announced = request.headers().get(header::TRAILER).cloned();
    Response::new(format!("{before} {body:?} {fields:?} {announced:?} {}", request.headers().contains_key(SUM)).into())
}

#[test]
fn what_was_known_at_the_end_comes_behind_the_chunks() {
    run(async || {
        let address = serve(Limits::default(), async |_: Request| Response::new(counted()));
        let mut peer = Peer::connect(address).await;
        peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n").await;
        let head = peer.read_until("\r\n\r\n").await;
        assert!(
            head.contains("\r\ntrailer: x-sum\r\n") && head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        assert_eq!(peer.read_until("\r\n\r\n").await, "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\nx-sum: 11\r\n\r\n");
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let head = peer.read_until("\r\n\r\n").await;
        assert!(!head.contains("trailer:"), "{head}");
        assert_eq!(peer.read_until("\r\n\r\n").await, "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
    });
}

#[test]
fn a_client_that_takes_trailers_has_them_at_the_end() {
    run(async || {
        let url = format!("http://{}/", serve(Limits::default(), async |_: Request| Response::new(counted())));
        let client = Client::new();
        let mut response = client.get(&url).take_trailers().await.unwrap();
        assert_eq!(response.headers()[header::TRAILER], "x-sum");
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await.unwrap() {
            assert!(response.trailers().is_none(), "before the end");
            bytes += chunk.len();
        }
        assert_eq!(response.trailers().unwrap()[SUM], bytes.to_string());
        assert_eq!(response.trailers().unwrap().len(), 1, "what was not announced is not sent");
        assert!(!response.headers().contains_key(SUM), "they are not merged into the head");

        let mut response = client.get(&url).await.unwrap();
        while response.chunk().await.unwrap().is_some() {}
        assert!(response.trailers().is_none(), "nobody asked for them");
        assert_eq!(client.pool_stats().made, 1, "the connection was kept");
    });
}

#[test]
fn an_upload_has_them_too() {
    run(async || {
        let url = format!("http://{}/", serve(Limits::default(), tell));
        let text = Client::new().post(&url).body(counted()).await.unwrap().text().await.unwrap();
        assert_eq!(text, r#"false b"onetwothree" {"x-sum": "11"} Some("x-sum") false"#);
        // Behind a body of known length there is no room.
        let text = Client::new().post(&url).body(counted().with_length(11)).await.unwrap().text().await.unwrap();
        assert_eq!(text, r#"false b"onetwothree" {} None false"#);
    });
}

/// RFC 9110, 6.5.1: they would say how to read, route or answer what was read, routed and answered already.
#[test]
fn what_comes_too_late_is_not_among_them() {
    run(async || {
        let mut peer = Peer::connect(serve(Limits::default(), tell)).await;
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n").await;
        peer.send("X-Sum: 2\r\nHost: b\r\nAuthorization: Basic x\r\nContent-Length: 7\r\nCookie: a=b\r\n\r\n").await;
        let heard = peer.read_until("false").await + &peer.read_until("false").await;
        assert!(heard.ends_with(r#"false b"hi" {"x-sum": "2"} None false"#), "{heard}");
    });
}

#[test]
#[should_panic(expected = "`content-length` cannot stand behind a body")]
fn what_would_come_too_late_is_not_sent() {
    drop(counted().with_trailers([SUM, header::CONTENT_LENGTH], HeaderMap::new));
}

#[test]
fn a_body_that_fails_has_no_trailers_and_no_end() {
    run(async || {
        let fails = async |_: Request| {
            let broken = Body::writer(async |mut body| {
                body.write("half").await?;
                Err(io::Error::other("no more"))
            });
            Response::new(broken.with_trailers([SUM], || unreachable!("it never comes to its end")))
        };
        let panics = async |_: Request| {
            let body = Body::writer(async |mut body| body.write("half").await);
            Response::new(body.with_trailers([SUM], || panic!("while the trailers are made")))
        };
        for address in [serve(Limits::default(), fails), serve(Limits::default(), panics)] {
            let mut response = Client::new().get(format!("http://{address}/")).take_trailers().await.unwrap();
            assert_eq!(response.chunk().await.unwrap().unwrap(), "half");
            assert!(response.chunk().await.is_err());
            assert!(response.trailers().is_none());
        }
    });
}

/// A layer that changes the body keeps what stands behind it, on both sides.
#[test]
fn compressed_bodies_keep_their_trailers() {
    run(async || {
        let router = Router::new()
            .get("/", async || ([(header::CONTENT_TYPE, "text/plain")], counted()))
            .post("/", tell)
            .layer(middleware::compress(middleware::Compression::default()))
            .layer(middleware::decompress(1000));
        let server = Server::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", server.local_addr());
        drop(runtime::spawn(server.serve(router)));

        let mut response = Client::new().get(&url).take_trailers().await.unwrap();
        assert!(response.extensions().get::<netio::http::client::Coded>().is_some(), "it came compressed");
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.unwrap() {
            text.extend_from_slice(&chunk);
        }
        assert_eq!((&text[..], &response.trailers().unwrap()[SUM]), (&b"onetwothree"[..], &HeaderValue::from(11)));

        let coded = netio::http::coding::encode(counted(), Coding::Gzip);
        let request = Client::new().post(&url).header(header::CONTENT_ENCODING, "gzip").body(coded);
        let text = request.await.unwrap().text().await.unwrap();
        assert_eq!(text, r#"false b"onetwothree" {"x-sum": "11"} Some("x-sum") false"#);
    });
}

#[test]
fn too_many_of_them_fail_the_body() {
    run(async || {
        let limits = Limits { header_count: 3, ..Limits::default() };
        let address = serve(limits, async |mut request: Request| {
            let kind = request.body_mut().bytes().await.unwrap_err().kind();
            assert!(request.body().trailers().is_none());
            Response::new((if kind == ErrorKind::InvalidData { "refused" } else { "else" }).into())
        });
        let mut peer = Peer::connect(address).await;
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        peer.send(format!("0\r\n{}\r\n", "X: y\r\n".repeat(4))).await;
        assert!(peer.messages().await[0].body == "refused");
    });
}
