//! The client against servers that behave, servers that do not, and the local test peer.

use examples::httpbin::TestServer;
use netio::{
    http::{
        Method, Request, Response, StatusCode,
        client::{Client, ClientRequest, Error, Phase},
        header,
        server::Server,
    },
    net::TcpListener,
};
use runtime::{time::Instant, world};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tests::wire::{Peer, in_worlds, run};

const SECOND: Duration = Duration::from_secs(1);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What a scripted server does after a request has come.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// Sends this.
    Says(&'static str),
    /// Sends this byte by byte.
    Drips(&'static str),
    Closes,
    Resets,
    /// Does nothing more, and keeps the connection.
    Hangs,
}
use Line::{Closes, Drips, Hangs, Resets, Says};

/// A server that plays `script`: one list a connection, in it one list a request. When the script is over, it hangs up.
struct Script {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Script {
    fn play(script: &[&[&[Line]]]) -> Script {
        let script: Vec<Vec<Vec<Line>>> =
            script.iter().map(|acts| acts.iter().map(|act| act.to_vec()).collect()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/page", listener.local_addr().unwrap());
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let played = Script { url, connections: connections.clone(), requests: requests.clone() };
        drop(runtime::spawn(async move {
            for acts in script {
                let peer = Peer::from(listener.accept().await.unwrap().0);
                peer.stream.set_nodelay(true).unwrap();
                connections.fetch_add(1, Ordering::Relaxed);
                drop(runtime::spawn(play(peer, acts, requests.clone())));
            }
        }));
        played
    }

    fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed))
    }
}

async fn play(mut peer: Peer, acts: Vec<Vec<Line>>, requests: Arc<AtomicUsize>) {
    for act in acts {
        peer.read_until("\r\n\r\n").await;
        requests.fetch_add(1, Ordering::Relaxed);
        for line in act {
            match line {
                Says(text) => peer.send(text).await,
                Drips(text) => {
                    for byte in text.bytes() {
                        peer.send([byte]).await;
                        runtime::yield_now().await;
                    }
                }
                Closes => return,
                Resets => return peer.stream.reset().unwrap(),
                Hangs => std::future::pending().await,
            }
        }
    }
}

/// Fetches the page of a server that plays one act on one connection.
async fn fetch(act: &[&[Line]]) -> Result<String, Error> {
    let script = Script::play(&[act]);
    Client::new().get(&script.url).await?.text().await
}

#[test]
fn a_body_ends_where_its_framing_says() {
    run(async || {
        for (act, text) in [
            (&[&[Says(OK)][..]][..], "ok"),
            (&[&[Drips(OK)]], "ok"),
            (&[&[Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]], ""),
            (
                &[&[Drips(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x\r\nk\r\n0\r\nX: y\r\n\r\n",
                )]],
                "ok",
            ),
            (&[&[Says("HTTP/1.1 200 OK\r\n\r\nto the end"), Closes]], "to the end"),
            (&[&[Says("HTTP/1.0 200 OK\r\n\r\nto the end"), Closes]], "to the end"),
            (&[&[Says("HTTP/1.1 204 No Content\r\n\r\n")]], ""),
            (&[&[Says("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n")]], ""),
            (&[&[Says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), Says(OK)]], "ok"),
            (&[&[Says("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok")]], "ok"),
        ] {
            assert_eq!(fetch(act).await.unwrap(), text, "{act:?}");
        }
    });
}

#[test]
fn what_is_not_whole_or_not_http_is_an_error_with_its_phase() {
    run(async || {
        let lost: &[(&[&[Line]], Phase, ErrorKind)] = &[
            (&[&[Closes]], Phase::Head, ErrorKind::UnexpectedEof),
            (&[&[Resets]], Phase::Head, ErrorKind::ConnectionReset),
            (&[&[Says("HTTP/1.1 200 OK\r\nContent-Le"), Closes]], Phase::Head, ErrorKind::UnexpectedEof),
            (
                &[&[Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Closes]],
                Phase::Body,
                ErrorKind::UnexpectedEof,
            ),
            (
                &[&[Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"), Closes]],
                Phase::Body,
                ErrorKind::UnexpectedEof,
            ),
            (
                &[&[Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n"), Closes]],
                Phase::Body,
                ErrorKind::UnexpectedEof,
            ),
            (&[&[Says("HTTP/1.1 200 OK\r\n\r\nhalf"), Resets]], Phase::Body, ErrorKind::ConnectionReset),
        ];
        for &(act, expected, kind) in lost {
            let error = fetch(act).await.unwrap_err();
            let Error::Lost { phase, cause, .. } = &error else { panic!("{act:?}: {error}") };
            assert_eq!((*phase, cause.kind()), (expected, kind), "{act:?}: {error}");
        }
        let broken: &[&[&[Line]]] = &[
            &[&[Says("SSH-2.0-OpenSSH_9.2\r\n\r\n")]],
            &[&[Says("\x15\x03\x01\0\x02\x02\x16")]],
            &[&[Says("HTTP/2.0 200 OK\r\n\r\n")]],
            &[&[Says("HTTP/1.1 20 OK\r\n\r\n")]],
            &[&[Says("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")]],
            &[&[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n folded\r\n\r\nok")]],
            &[&[Says("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok")]],
            &[&[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")]],
            &[&[Says("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok")]],
            &[&[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]],
            &[&[Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx")]],
            &[&[Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]],
            &[&[Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n")]],
            &[&[Says("HTTP/1.1 101 Switching Protocols\r\n\r\n")]],
            &[&[Says("HTTP/1.0 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n")]],
        ];
        for act in broken {
            let error = fetch(act).await.unwrap_err();
            assert!(matches!(error, Error::Protocol { .. }), "{act:?}: {error}");
        }
    });
}

/// The text of every kind of error is one line that starts with the URL and says the cause.
#[test]
fn an_error_says_what_was_fetched_and_why_it_failed() {
    run(async || {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = Client::new().get(format!("http://{free}/x")).await.unwrap_err();
        assert!(matches!(refused, Error::Connect { .. }));
        assert_eq!(refused.to_string(), format!("http://{free}/x: cannot connect: Connection refused (os error 111)"));
        let unknown = Client::new().get("http://no..host/").await.unwrap_err();
        assert!(matches!(unknown, Error::Dns { .. }), "{unknown}");
        assert!(unknown.to_string().starts_with("http://no..host/: cannot find the host: "), "{unknown}");
        assert_eq!((unknown.url(), unknown.phase()), ("http://no..host/", Some(Phase::Resolve)));
        for (url, reason) in [
            ("/x", "it is not absolute"),
            ("https://host/", "the scheme is not http"),
            ("http://host:99999/", "the port is no port"),
            ("", "it is not absolute"),
            ("http://a b/", "the host's name is none"),
            ("mailto:user@host", "it names no host"),
        ] {
            let error = Client::new().get(url).await.unwrap_err();
            assert_eq!(error.to_string(), format!("{url}: not a URL to fetch: {reason}"));
        }
        let script = Script::play(&[&[&[Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Closes]]]);
        let mut response = Client::new().get(&script.url).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "half");
        let cut = response.chunk().await.unwrap_err().to_string();
        let expected = "the connection was lost while reading the body of the response: the server closed it";
        assert_eq!(cut, format!("{}: {expected}", script.url));
        assert!(response.chunk().await.unwrap().is_none(), "after an error there is nothing more");
    });
}

#[test]
fn a_deadline_covers_the_whole_fetch() {
    run(async || {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        let script = Script::play(&[&[&[Hangs]], &[&[Says("HTTP/1.1 200 OK\r\n"), Hangs]], &[&[Says(head), Hangs]]]);
        let client = Client::builder().timeout(3 * SECOND).build();
        for expected in [Phase::Head, Phase::Head, Phase::Body] {
            let start = Instant::now();
            let error = async { client.get(&script.url).await?.bytes().await }.await.unwrap_err();
            let Error::Timeout { phase, limit, .. } = error else { panic!("{error}") };
            assert_eq!((phase, limit, start.elapsed()), (expected, 3 * SECOND, 3 * SECOND));
        }
    });
}

#[test]
fn a_response_has_its_limits() {
    run(async || {
        let big = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n";
        let script = Script::play(&[&[&[Says(big)]], &[&[Says(big)]]]);
        let fetch = async |client: Client| client.get(&script.url).await?.bytes().await;
        let error = fetch(Client::builder().head_bytes(40).build()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { phase: Phase::Head, limit: 40, .. }), "{error}");
        let error = fetch(Client::builder().body_bytes(15).build()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { phase: Phase::Body, limit: 15, .. }), "{error}");
    });
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    run(async || {
        let script = Script::play(&[&[
            &[Says(OK)],
            &[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")],
            &[Says("HTTP/1.1 304 Not Modified\r\n\r\n")],
            &[Drips("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")],
            &[Says(OK)],
        ]]);
        let client = Client::new();
        for method in [Method::GET, Method::HEAD, Method::GET, Method::POST, Method::GET] {
            let request = http::Request::builder().method(&method).uri(&script.url).body("body".into()).unwrap();
            client.execute(request).await.unwrap().bytes().await.unwrap();
        }
        assert_eq!(script.counts(), (1, 5));
    });
}

/// A connection goes back to the pool only when nothing more can come on it.
#[test]
fn a_connection_that_may_not_be_clean_is_not_kept() {
    run(async || {
        let endings: [&[Line]; 5] = [
            &[Says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), Hangs],
            &[Says("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), Hangs],
            &[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay?"), Hangs],
            &[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Closes],
            &[Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Resets],
        ];
        for ending in endings {
            let script = Script::play(&[&[ending], &[&[Says(OK)]]]);
            let client = Client::new();
            for _ in 0..2 {
                // A POST is not sent twice: so the connection was found out before, not after.
                let mut request = ClientRequest::new("body".into());
                *request.method_mut() = Method::POST;
                *request.uri_mut() = script.url.parse().unwrap();
                let text = client.execute(request).await.unwrap().text().await.unwrap();
                assert_eq!(text, "ok", "{ending:?}");
                runtime::yield_now().await;
            }
            assert_eq!(script.counts(), (2, 2), "{ending:?}");
        }
    });
}

#[test]
fn a_response_that_was_not_read_does_not_give_its_connection_back() {
    run(async || {
        // The body has not come yet, is too long to throw away, or is there but for its end.
        for unread in [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
        ] {
            let script = Script::play(&[&[&[Says(unread)], &[Says(OK)]], &[&[Says(OK)], &[Says(OK)]]]);
            let client = Client::new();
            drop(client.get(&script.url).await.unwrap());
            assert_eq!(client.get(&script.url).await.unwrap().text().await.unwrap(), "ok");
            assert_eq!(script.counts(), (2, 2), "{unread:?}");
        }
    });
}

#[test]
fn an_old_connection_is_not_used_any_more() {
    run(async || {
        let script = Script::play(&[&[&[Says(OK)], &[Says(OK)]], &[&[Says(OK)]]]);
        let client = Client::builder().keep_alive_time(5 * SECOND).build();
        for _ in 0..2 {
            client.get(&script.url).await.unwrap().bytes().await.unwrap();
            runtime::time::sleep(6 * SECOND).await;
        }
        assert_eq!(script.counts(), (2, 2));
    });
}

/// A kept connection dies under the second request. Only what may be done twice is sent again, and only once.
#[test]
fn a_request_is_sent_again_only_if_that_is_safe() {
    run(async || {
        for (method, act, again) in [
            (Method::GET, &[Closes][..], true),
            (Method::GET, &[Resets], true),
            (Method::PUT, &[Closes], true),
            (Method::POST, &[Closes], false),
            (Method::GET, &[Says("HTTP/1.1 2"), Closes], false),
        ] {
            let script = Script::play(&[&[&[Says(OK)], act], &[&[Closes], &[Says(OK)]]]);
            let client = Client::new();
            client.get(&script.url).await.unwrap().bytes().await.unwrap();
            let request = http::Request::builder().method(&method).uri(&script.url).body("".into()).unwrap();
            // The second connection dies too: that is an error, not a reason to go on for ever.
            let error = client.execute(request).await.unwrap_err();
            assert!(matches!(error, Error::Lost { .. }), "{method} {act:?}: {error}");
            let connections = if again { 2 } else { 1 };
            assert_eq!(script.counts(), (connections, connections + 1), "{method} {act:?}");
        }
    });
}

/// A server may answer before it has read the whole request, and read no more: the answer counts.
#[test]
fn an_early_answer_counts() {
    run(async || {
        let script = Script::play(&[&[&[Says("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), Hangs]]]);
        let request = http::Request::builder().method(Method::POST).uri(&script.url).body(vec![0; 20_000_000].into());
        let answer = Client::new().execute(request.unwrap()).await;
        assert_eq!(answer.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    });
}

#[test]
fn the_local_test_peer_does_what_it_is_asked() {
    run(async || {
        let server = TestServer::start().await;
        let client = Client::builder().redirects(0).decompress(false).build();
        let get = async |path: &str| client.get(format!("{}{path}", server.url())).await.unwrap();
        for (path, status) in [
            ("/get?a=1", 200),
            ("/json", 200),
            ("/user-agent", 200),
            ("/cookies", 200),
            ("/cookies/set?a=1", 302),
            ("/status/204", 204),
            ("/status/599", 599),
            ("/status/abc", 400),
            ("/status/100", 400),
            ("/status/600", 400),
            ("/delay/-1", 400),
            ("/delay/1e9", 400),
            ("/delay/NaN", 400),
            ("/delay/", 404),
            ("/bytes/-1", 400),
            ("/bytes/99999999999999999999", 400),
            ("/image/1.png", 404),
            ("/stream/1001", 400),
            ("/drip?bytes=0", 400),
            ("/redirect/0", 400),
            ("/flaky/x", 400),
            ("/basic-auth", 401),
            ("/post", 405),
            ("/nothing", 404),
            ("/", 200),
        ] {
            let response = get(path).await;
            assert_eq!(response.status(), status, "{path}");
            response.bytes().await.unwrap();
        }
        for (path, seconds) in [("/delay/0.25", 0.25), ("/delay/3", 3.0), ("/drip?bytes=4&seconds=2", 2.0)] {
            let start = Instant::now();
            get(path).await.bytes().await.unwrap();
            assert_eq!(start.elapsed().as_secs_f64(), seconds, "{path}");
        }
        assert_eq!(get("/bytes/1000000").await.bytes().await.unwrap().len(), 1_000_000);
        assert_eq!(get("/stream/3").await.text().await.unwrap(), "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n");
        assert_eq!(get("/image/7.jpg").await.headers()[header::CONTENT_TYPE], "image/jpeg");
        assert_eq!(get("/redirect/2").await.headers()[header::LOCATION], "/redirect/1");
        assert_eq!(&get("/gzip").await.bytes().await.unwrap()[..2], b"\x1f\x8b");
        for status in [503, 503, 200, 503] {
            assert_eq!(get("/flaky/2").await.status(), status);
        }
        let mut request = http::Request::post(format!("{}/post", server.url())).body("{\"a\": 1}".into()).unwrap();
        request.headers_mut().insert(header::COOKIE, "b=2".parse().unwrap());
        let mirror = client.execute(request).await.unwrap().text().await.unwrap();
        let mirror: serde_json::Value = serde_json::from_str(&mirror).unwrap();
        assert_eq!((&mirror["json"]["a"], &mirror["headers"]["cookie"]), (&1.into(), &"b=2".into()));

        let reset = client.get(format!("{}/reset", server.url())).await.unwrap_err();
        assert!(matches!(&reset, Error::Lost { cause, .. } if cause.kind() == ErrorKind::ConnectionReset), "{reset}");
        let cut = get("/bad-chunk").await.text().await.unwrap_err();
        assert!(matches!(cut, Error::Lost { phase: Phase::Body, .. }), "{cut}");
        let hung = Client::builder().timeout(SECOND).build().get(format!("{}/hang", server.url())).await.unwrap_err();
        assert!(matches!(hung, Error::Timeout { phase: Phase::Head, .. }), "{hung}");

        let url = server.url().to_owned();
        drop(server);
        runtime::yield_now().await;
        let gone = Client::new().get(url).await.unwrap_err();
        assert!(matches!(gone, Error::Connect { .. }), "{gone}");
    });
}

#[test]
fn a_host_that_is_silent_by_one_family_is_fetched_by_the_other_and_an_error_names_both() {
    in_worlds(async || {
        let world = world::current().unwrap();
        let [old, new] = ["192.0.2.1:80", "[2001:db8::1]:80"].map(|address| address.parse::<SocketAddr>().unwrap());
        world.set_name("shop.example", [new.ip(), old.ip()]);
        let refused = Client::new().get("http://shop.example/").await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "http://shop.example/: cannot connect: [2001:db8::1]:80: Connection refused (os error 111); \
             192.0.2.1:80: Connection refused (os error 111)"
        );

        let _silent = TcpListener::bind(new).unwrap();
        world.silence(new);
        let server = Server::bind(old).unwrap();
        drop(runtime::spawn(server.serve(async |_: Request| Response::new("by IPv4".into()))));
        let start = Instant::now();
        assert_eq!(Client::new().get("http://shop.example/").await.unwrap().text().await.unwrap(), "by IPv4");
        assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
    });
}
