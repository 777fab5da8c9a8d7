//! A server at a Unix socket has the limits that it has at a port.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::{
        Request, Response,
        server::{BodyRejection, IntoResponse, Limits, Server},
    },
    net::UnixStream,
};
use runtime::time::{Instant, sleep};
use std::{path::PathBuf, time::Duration};
use tests::wire::run_outside;

const SECOND: Duration = Duration::from_secs(1);

struct Site {
    path: PathBuf,
    handle: netio::http::server::ServerHandle,
    _folder: tempfile::TempDir,
}

fn site(limits: Limits) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = Server::bind_unix(&path).unwrap().limits(limits);
    let handle = server.handle();
    drop(runtime::spawn(server.serve(async |mut request: Request| match request.body_mut().bytes().await {
        Ok(body) => Response::new(format!("{} bytes", body.len()).into()),
        Err(error) => BodyRejection::from(error).into_response(),
    })));
    Site { path, handle, _folder: folder }
}

/// Says this; what is heard until the end, and after which time that came.
async fn say(site: &Site, bytes: impl AsRef<[u8]>) -> (String, Duration) {
    let mut stream = UnixStream::connect(&site.path).await.unwrap();
    let start = Instant::now();
    // It may hang up before it has heard all.
    let _ = stream.write_all(bytes.as_ref()).await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    (String::from_utf8(heard).unwrap(), start.elapsed())
}

#[test]
fn what_is_too_large_is_refused() {
    run_outside(async {
        let limits = Limits { head_bytes: 200, header_count: 3, body_bytes: 10, ..Limits::default() };
        let site = site(limits);
        let post = |length: usize| {
            format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
        };
        for (bytes, status) in [
            (post(10) + &"x".repeat(10), 200),
            (post(11) + &"x".repeat(11), 413),
            (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(300)), 414),
            (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(300)), 431),
            ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\nE: f\r\n\r\n".to_owned(), 431),
        ] {
            let (heard, _) = say(&site, &bytes).await;
            assert!(heard.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes}: {heard}");
        }
    });
}

#[test]
fn what_is_too_slow_is_refused() {
    run_outside(async {
        let limits =
            Limits { head_time: 2 * SECOND, body_time: 3 * SECOND, keep_alive_time: 4 * SECOND, ..Limits::default() };
        let site = site(limits);
        for (bytes, status, seconds) in [
            ("GET / HTT", "HTTP/1.1 408 ", 2),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", "HTTP/1.1 408 ", 3),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", 4),
            ("", "", 2),
        ] {
            let (heard, time) = say(&site, bytes).await;
            assert!(heard.starts_with(status) && heard.matches("HTTP/1.1").count() <= 1, "{bytes}: {heard}");
            assert_eq!(time, seconds * SECOND, "{bytes}");
        }
    });
}

#[test]
fn at_the_limit_callers_wait_and_nothing_is_left() {
    run_outside(async {
        let site = site(Limits {
            connections: 2,
            requests_per_connection: 2,
            keep_alive_time: 5 * SECOND,
            ..Limits::default()
        });
        let ask = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut first = UnixStream::connect(&site.path).await.unwrap();
        let second = UnixStream::connect(&site.path).await.unwrap();
        let mut third = UnixStream::connect(&site.path).await.unwrap();
        third.write_all(ask).await.unwrap();
        sleep(SECOND).await;
        assert_eq!(site.handle.connections(), 2);
        let mut buffer = [0; 1024];
        assert!(futures_lite::future::poll_once(third.read(&mut buffer)).await.is_none(), "it has no place yet");
        // The second request of a connection is its last one here, and its place is free.
        first.write_all(&[&ask[..], &ask[..]].concat()).await.unwrap();
        let mut heard = Vec::new();
        first.read_to_end(&mut heard).await.unwrap();
        let heard = String::from_utf8(heard).unwrap();
        assert_eq!(heard.matches("HTTP/1.1 200 OK").count(), 2, "{heard}");
        drop(first);
        assert!(third.read(&mut buffer).await.unwrap() > 0);
        drop((second, third));
        sleep(SECOND).await;
        assert_eq!(site.handle.connections(), 0);
    });
}
