//! Responses: decompressed, understood, saved.

use super::{empty, serve, serve_seen};
use examples::httpbin::TestServer;
use netio::http::{
    Body, Response, StatusCode,
    client::{Client, Coded, Error, Phase, Progress},
    coding::{Coding, CodingError, encode},
    header, reply,
    sse::{self, Event},
};
use serde_json::Value;
use tests::wire::{run, run_outside};

const TEXT: &str = "the quick brown fox jumps over the lazy dog; the quick brown fox jumps over the lazy dog";

fn coded(names: &'static str, body: Vec<u8>) -> Response {
    let mut response = reply(StatusCode::OK, "text/plain", body);
    response.headers_mut().insert(header::CONTENT_ENCODING, names.parse().unwrap());
    response
}

async fn squeezed(codings: &[Coding], text: &str) -> Vec<u8> {
    let mut body = Body::from(text.to_owned());
    for coding in codings {
        body = encode(body, *coding);
    }
    body.bytes().await.unwrap().to_vec()
}

/// RFC 9110, 8.4 and 12.5.3.
#[test]
fn a_body_is_decompressed() {
    use Coding::{Brotli, Deflate, Gzip, Zstd};
    run(async || {
        for (codings, names) in [
            (&[Gzip][..], "gzip"),
            (&[Gzip], "X-GZIP"),
            (&[Deflate], "deflate"),
            (&[Brotli], "br"),
            (&[Zstd], "zstd"),
            (&[Gzip, Brotli], "gzip, br"),
            (&[Gzip, Gzip, Zstd], "gzip, identity, gzip,zstd"),
        ] {
            let bytes = squeezed(codings, TEXT).await;
            let length = bytes.len() as u64;
            let (url, seen) = serve_seen(move |_| coded(names, bytes.clone()));
            let response = Client::new().get(&url).await.unwrap();
            assert_eq!(seen.last_field("accept-encoding"), "zstd, br, gzip, deflate");
            assert!(!response.headers().contains_key("content-encoding") && response.content_length().is_none());
            let known: &Coded = response.extensions().get().unwrap();
            assert_eq!((&known.codings[..], known.length), (codings, Some(length)), "{names}");
            assert_eq!(response.text().await.unwrap(), TEXT, "{names}");
        }
    });
}

#[test]
fn what_was_not_asked_for_stays_as_it_is() {
    run(async || {
        let bytes = squeezed(&[Coding::Gzip], TEXT).await;
        let sent = bytes.clone();
        let (url, seen) = serve_seen(move |_| coded("gzip", sent.clone()));
        let off = Client::builder().decompress(false).build();
        for (request, accept) in [
            (off.get(&url), ""),
            (Client::new().get(&url).header("accept-encoding", "gzip"), "gzip"),
            (Client::new().get(&url).header("range", "bytes=0-9"), ""),
        ] {
            let response = request.await.unwrap();
            assert_eq!(response.headers()["content-encoding"], "gzip");
            assert_eq!(response.content_length(), Some(bytes.len() as u64));
            assert_eq!(response.bytes().await.unwrap(), bytes);
            assert_eq!(seen.last_field("accept-encoding"), accept);
        }
        let head = Client::new().head(&url).await.unwrap();
        assert_eq!(
            (&head.headers()["content-encoding"], head.content_length()),
            (&"gzip".parse().unwrap(), Some(bytes.len() as u64))
        );
        assert_eq!(head.bytes().await.unwrap(), "");
        // Nobody asked for this coding, and nobody knows it.
        let url = serve(|_| async { coded("compress", b"x".to_vec()) });
        let response = Client::new().get(&url).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "compress");
        assert_eq!(response.text().await.unwrap(), "x");
    });
}

#[test]
fn a_bomb_and_a_broken_coding_are_errors() {
    run(async || {
        let bomb = squeezed(&[Coding::Gzip], &"\0".repeat(1_000_000)).await;
        let twice = squeezed(&[Coding::Gzip, Coding::Gzip], &"\0".repeat(1_000_000)).await;
        let whole = squeezed(&[Coding::Gzip], TEXT).await;
        let mut behind = whole.clone();
        behind.extend(b"more");
        let mut wrong = whole.clone();
        let end = wrong.len() - 6;
        wrong[end] ^= 1;
        let client = Client::builder().body_bytes(10_000).build();
        for (names, bytes, large) in [
            ("gzip", bomb, true),
            ("gzip, gzip", twice, true),
            ("gzip", whole[..whole.len() - 5].to_vec(), false),
            ("gzip", behind, false),
            ("gzip", wrong, false),
            ("gzip", b"no gzip at all".to_vec(), false),
            ("br", b"no brotli at all".to_vec(), false),
            ("zstd", whole.clone(), false),
        ] {
            let url = serve(move |_| {
                let bytes = bytes.clone();
                async move { coded(names, bytes) }
            });
            let error = client.get(&url).await.unwrap().bytes().await.unwrap_err();
            assert_eq!((error.url(), error.phase()), (&*format!("{url}/"), Some(Phase::Body)), "{error}");
            match large {
                true => assert!(matches!(error, Error::TooLarge { limit: 10_000, .. }), "{error}"),
                false => assert!(matches!(error, Error::Coding { .. }), "{names}: {error}"),
            }
        }
        let url = serve(|_| async { coded("gzip, gzip, gzip, gzip", b"x".to_vec()) });
        let error = client.get(&url).await.unwrap_err();
        assert!(matches!(error, Error::Coding { cause: CodingError::TooMany { limit: 3 }, .. }), "{error}");
    });
}

/// The connection of a body that was decompressed to its end is used again.
#[test]
fn a_decompressed_body_gives_its_connection_back() {
    run(async || {
        let bytes = squeezed(&[Coding::Gzip], TEXT).await;
        let url = serve(move |_| {
            let bytes = bytes.clone();
            async move {
                let mut response = coded("gzip", Vec::new());
                *response.body_mut() = Body::stream(futures_lite::stream::iter(
                    bytes.chunks(7).map(|c| Ok(c.to_vec().into())).collect::<Vec<_>>(),
                ));
                response
            }
        });
        let client = Client::new();
        for _ in 0..3 {
            assert_eq!(client.get(&url).await.unwrap().text().await.unwrap(), TEXT);
            assert_eq!(client.pool_stats().idle, 1);
        }
    });
}

#[test]
fn json_is_what_says_that_it_is() {
    run(async || {
        for (kind, body, strict, any) in [
            ("application/json", "[1]", Ok(()), true),
            ("application/json; charset=utf-8", "[1]", Ok(()), true),
            ("Application/Problem+JSON", "[1]", Ok(()), true),
            ("application/json", "\u{feff}[1]", Ok(()), true),
            ("application/json", "null", Ok(()), true),
            ("text/html", "[1]", Err("the body is not JSON, but text/html"), true),
            ("", "[1]", Err("the body is not JSON, but of no type"), true),
            ("application/jsonp", "[1]", Err("the body is not JSON, but application/jsonp"), true),
            (
                "application/json",
                "[1",
                Err("the body cannot be understood: EOF while parsing a list at line 1 column 2"),
                false,
            ),
            (
                "application/json",
                "",
                Err("the body cannot be understood: EOF while parsing a value at line 1 column 0"),
                false,
            ),
        ] {
            let url = serve(move |_| async move { reply(StatusCode::OK, kind, body) });
            let got = Client::new().get(&url).await.unwrap().json::<Value>().await;
            let got = got.map(drop).map_err(|error| error.to_string());
            assert_eq!(got, strict.map_err(|text| format!("{url}/: {text}")), "{kind} {body}");
            assert_eq!(Client::new().get(&url).await.unwrap().json_of_any_type::<Value>().await.is_ok(), any);
        }
    });
}

#[test]
fn a_status_is_an_error_when_it_is_asked() {
    run(async || {
        for (status, ok) in
            [(200, true), (204, true), (304, true), (399, true), (400, false), (404, false), (500, false), (599, false)]
        {
            let url = serve(move |_| async move { empty(status, &[]) });
            let response = Client::new().get(&url).await.unwrap();
            assert_eq!((response.ok(), response.error_for_status().is_ok()), (ok, ok), "{status}");
        }
    });
}

#[test]
fn a_download_is_there_when_it_is_whole() {
    run_outside(async {
        let folder = runtime::fs::TempDir::new().await.unwrap();
        let path = folder.path().join("file");
        let url = serve(|request| async move {
            let chunks = [Ok("one ".into()), Ok("two ".into()), Err(std::io::Error::other("lost"))];
            let good = request.uri().path() == "/good";
            let chunks = chunks.into_iter().take(if good { 2 } else { 3 }).collect::<Vec<_>>();
            Response::new(Body::stream(futures_lite::stream::iter(chunks)).with_length(if good { 8 } else { 12 }))
        });
        let error = Client::new().get(format!("{url}/bad")).await.unwrap().save(&path).await.unwrap_err();
        assert!(matches!(error, Error::Lost { phase: Phase::Body, .. }), "{error}");
        assert!(!path.exists() && folder.path().join("file.part").exists());

        let mut told: Vec<Progress> = Vec::new();
        let response = Client::new().get(format!("{url}/good")).await.unwrap();
        assert_eq!(response.save_with(&path, |progress| told.push(progress)).await.unwrap(), 8);
        let last = told.last().unwrap();
        assert_eq!((last.bytes, last.length), (8, Some(8)));
        assert_eq!(runtime::fs::read_to_string(&path).await.unwrap(), "one two ");
        assert!(!folder.path().join("file.part").exists());

        let nowhere = folder.path().join("no/file");
        let error = Client::new().get(format!("{url}/good")).await.unwrap().save(&nowhere).await.unwrap_err();
        assert!(matches!(&error, Error::Save { path, .. } if *path == nowhere), "{error}");
        folder.close().await.unwrap();
    });
}

#[test]
fn events_come_as_they_are_sent() {
    run(async || {
        let url = serve(|request| async move {
            match request.uri().path() {
                "/" => sse::response(|mut events| async move {
                    events.send(Event::data("one")).await?;
                    events.send(Event::data("two\nlines").kind("k")).await
                }),
                _ => Response::new("data: x\n\n".into()),
            }
        });
        let mut events = Client::new().get(&url).await.unwrap().events().unwrap();
        let mut data = Vec::new();
        while let Some(event) = events.next().await {
            data.push(event.unwrap());
        }
        assert_eq!(data, [Event::data("one"), Event::data("two\nlines").kind("k")]);
        let error = Client::new().get(format!("{url}/x")).await.unwrap().events().unwrap_err();
        assert!(matches!(error, Error::ContentType { .. }), "{error}");
    });
}

/// On the system's sockets and its real clock, against the peer of the examples.
#[test]
fn the_local_test_peer_is_understood() {
    runtime::block_on(async {
        let server = TestServer::start().await;
        let client = Client::builder().base_url(server.url()).unwrap().cookies(true).build();
        let gzip: Value = client.get("/gzip").await.unwrap().json().await.unwrap();
        assert!(gzip["slideshow"].is_object());
        let response = client.get("/redirect/5").await.unwrap();
        assert_eq!((response.history().len(), response.url().path()), (5, "/get"));
        let cookies: Value = client.get("/cookies/set?a=1&b=2").await.unwrap().json().await.unwrap();
        assert_eq!(cookies["cookies"], serde_json::json!({ "a": "1", "b": "2" }));
        assert_eq!(client.get("/basic-auth").await.unwrap().status(), 401);
        let known: Value = client.get("/basic-auth").basic_auth("user", "passwd").await.unwrap().json().await.unwrap();
        assert_eq!(known["authenticated"], true);
        let seen: Value =
            client.post("/post").query(&[("q", "x y")]).json(&[1, 2]).await.unwrap().json().await.unwrap();
        assert_eq!((&seen["json"], &seen["args"]["q"]), (&serde_json::json!([1, 2]), &"x y".into()));
        let error = client.get("/redirect/11").await.unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{error}");
    });
}
