//! Ways to a server: a Unix socket, a pipe, a proxy.

use super::MS;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future::zip, io::copy};
use netio::{
    http::client::{Client, Error, Phase, Proxy},
    net::{TcpListener, TcpStream, UnixListener, duplex},
};
use runtime::time::sleep;
use std::sync::{Arc, Mutex};
use tests::wire::{Peer, in_worlds, run, run_outside};

/// A server that answers each request with its head.
async fn mirror(mut peer: Peer) {
    loop {
        let head = peer.read_until("\r\n\r\n").await;
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len())).await;
    }
}

#[test]
fn a_unix_socket_is_a_server_whatever_the_host() {
    run_outside(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        drop(runtime::spawn(async move {
            loop {
                let mut stream = listener.accept().await.unwrap();
                let mut buffer = [0; 1024];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                }
            }
        }));
        let client = Client::builder().unix_socket(&path).build();
        for _ in 0..2 {
            assert_eq!(client.get("http://docker/info").await.unwrap().text().await.unwrap(), "ok");
        }
        assert_eq!((client.pool_stats().made, client.pool_stats().reused), (1, 1));
        let nobody = Client::builder().unix_socket(folder.path().join("none")).build();
        let error = nobody.get("http://docker/info").await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }) && error.is_connect(), "{error}");
    });
}

#[test]
fn a_pipe_is_a_server_too() {
    run(async || {
        let hosts = Arc::new(Mutex::new(Vec::new()));
        let seen = hosts.clone();
        let client = Client::builder().dial(move |host| {
            seen.lock().unwrap().push(host);
            let (ours, mut theirs) = duplex(64);
            drop(runtime::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(1..) = theirs.read(&mut buffer).await {
                    sleep(MS).await;
                    theirs.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                }
            }));
            async move { Ok(ours) }
        });
        let client = client.build();
        for host in ["a", "a", "B:8080"] {
            assert_eq!(client.get(format!("http://{host}/")).await.unwrap().text().await.unwrap(), "ok");
        }
        assert_eq!(*hosts.lock().unwrap(), ["a:80", "b:8080"]);
    });
}

/// RFC 9112, 3.2.2: a proxy is asked with the whole URL; and all hosts share its connections.
#[test]
fn a_proxy_is_asked_with_the_whole_url() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(runtime::spawn(async move { mirror(listener.accept().await.unwrap().0.into()).await }));
        let proxy = Proxy::new(&format!("http://user:secret@{address}")).unwrap();
        let client = Client::builder().proxy(proxy).build();
        for (url, line, host) in [
            ("http://shop.example/a?b", "GET http://shop.example/a?b HTTP/1.1\r\n", "\r\nhost: shop.example\r\n"),
            ("http://other.example:81", "GET http://other.example:81/ HTTP/1.1\r\n", "\r\nhost: other.example:81\r\n"),
        ] {
            let head = client.get(url).await.unwrap().text().await.unwrap();
            assert!(head.starts_with(line) && head.contains(host), "{head}");
            assert!(head.contains("\r\nproxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{head}");
        }
        assert_eq!((client.pool_stats().made, client.pool_stats().reused), (1, 1));
    });
}

#[test]
fn those_that_are_excepted_are_reached_without_it() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        drop(runtime::spawn(async move { mirror(listener.accept().await.unwrap().0.into()).await }));
        let proxy = Proxy::new("http://user:secret@127.0.0.1:1").unwrap().except("127.0.0.0/8");
        let head = Client::builder().proxy(proxy).build().get(url).await.unwrap().text().await.unwrap();
        assert!(head.starts_with("GET /x HTTP/1.1\r\n") && !head.contains("proxy-authorization"), "{head}");
    });
}

/// RFC 9110, 9.3.6.
#[test]
fn a_tunnel_goes_to_the_host_and_the_proxy_sees_no_request() {
    run(async || {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = server.local_addr().unwrap();
        drop(runtime::spawn(async move { mirror(server.accept().await.unwrap().0.into()).await }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = runtime::spawn(async move {
            let mut peer = Peer::from(listener.accept().await.unwrap().0);
            let head = peer.read_until("\r\n\r\n").await;
            let there = TcpStream::connect(host).await.unwrap();
            peer.send("HTTP/1.1 200 Connection established\r\n\r\n").await;
            drop(runtime::spawn(async move {
                let (one, other) = (&peer.stream, &there);
                let _ = zip(copy(one, other), copy(other, one)).await;
            }));
            head
        });
        let proxy = Proxy::new(&format!("http://user:secret@{address}")).unwrap().tunnel(true);
        let client = Client::builder().proxy(proxy).build();
        for path in ["one", "two"] {
            let head = client.get(format!("http://{host}/{path}")).await.unwrap().text().await.unwrap();
            assert!(head.starts_with(&format!("GET /{path} HTTP/1.1\r\n")), "{head}");
            assert!(!head.contains("proxy-authorization"), "{head}");
        }
        let asked = asked.await.unwrap();
        let line =
            format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\nproxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
        assert_eq!(asked, line);
        assert_eq!((client.pool_stats().made, client.pool_stats().reused), (1, 1));
    });
}

#[test]
fn a_proxy_that_will_not_is_an_error_of_connecting() {
    in_worlds(async || {
        for (answer, reason) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "it said 407"),
            ("HTTP/1.1 200 OK\r\n\r\nmore", "something came behind its answer"),
            ("nonsense\r\n\r\n", "malformed"),
            ("", "hung up"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            drop(runtime::spawn(async move {
                let mut peer = Peer::from(listener.accept().await.unwrap().0);
                peer.read_until("\r\n\r\n").await;
                peer.send(answer).await;
            }));
            let proxy = Proxy::new(&format!("user:secret@{address}")).unwrap().tunnel(true);
            let error = Client::builder().proxy(proxy).build().get("http://shop.example/").await.unwrap_err();
            assert!(matches!(error, Error::Connect { .. }), "{error}");
            assert_eq!(error.phase(), Some(Phase::Connect));
            let text = error.to_string();
            assert!(text.contains(reason) && !text.contains("secret"), "{text}");
        }
    });
}
