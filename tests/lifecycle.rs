//! A server from its start to its end: hooks, the seven steps of stopping, listeners of each kind, and connections that go on in
//! another protocol.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::{
        Body, Request, Response, StatusCode,
        client::Client,
        server::{Failure, Limits, Listener, Router, ServeError, Server, upgrade},
        sse,
        test::TestServer,
    },
    net::{TcpListener, UnixStream},
};
use runtime::{
    JoinHandle,
    sync::Event,
    time::{Instant, sleep},
};
use rustix::process::{Signal, getpid, kill_process};
use std::{
    future::pending,
    io,
    net::Shutdown,
    sync::{Arc, Mutex},
    time::Duration,
};
use tests::wire::{Peer, alone, run, run_outside};

const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A future that notes `what` when it is polled.
    fn notes(&self, what: &'static str) -> impl Future<Output = ()> + Send + use<> {
        let diary = self.clone();
        async move { diary.note(what) }
    }

    /// A note for when it is dropped.
    fn at_drop(&self, what: &'static str) -> Drops {
        Drops(self.clone(), what)
    }
}

struct Drops(Diary, &'static str);

impl Drop for Drops {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

fn bound() -> Server {
    Server::bind("127.0.0.1:0").unwrap().limits(Limits { shutdown_grace: 5 * SECOND, ..Limits::default() })
}

async fn hello(_: Request) -> Response {
    Response::new("hello".into())
}

#[test]
fn hooks_run_in_order_and_cleanups_in_reverse() {
    run(async || {
        let diary = Diary::default();
        let (opened, closed) = (diary.clone(), diary.clone());
        let server = bound()
            .on_startup(diary.notes("open a"))
            .on_cleanup(diary.notes("close a"))
            .cleanup_ctx(async move {
                sleep(SECOND).await;
                opened.note("open b");
                io::Result::Ok(async move { closed.note("close b") })
            })
            .on_startup(diary.notes("open c"))
            .on_shutdown(diary.notes("tell d"))
            .on_shutdown(diary.notes("tell e"))
            .on_cleanup(diary.notes("close f"));
        let (address, handle) = (server.local_addr(), server.handle());
        let serving = runtime::spawn(server.serve(hello));
        let mut peer = Peer::connect(address).await;
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        peer.read_until("hello").await;
        diary.note("served");
        handle.stop();
        let report = serving.await.unwrap().unwrap();
        assert_eq!((report.cancelled, report.background, report.took), (0, 0, Duration::ZERO));
        let expected = ["open a", "open b", "open c", "served", "tell d", "tell e", "close f", "close b", "close a"];
        assert_eq!(diary.read(), expected);
    });
}

/// Row E20: whatever was opened is closed, and the error tells which hook it was.
#[test]
fn a_startup_that_fails_undoes_those_before_it() {
    run(async || {
        for way in ["fails", "panics"] {
            let diary = Diary::default();
            let server = bound()
                .on_startup(diary.notes("open a"))
                .on_cleanup(diary.notes("close a"))
                .on_cleanup(async { Err::<(), _>("b does not close") })
                .on_cleanup(diary.notes("close c"))
                .on_startup(async move {
                    assert_eq!(way, "fails", "no way to d");
                    Err::<(), _>(io::Error::other("no way to d"))
                })
                .on_cleanup(diary.notes("close d"))
                .on_shutdown(diary.notes("tell e"));
            let address = server.local_addr();
            let error = server.serve(hello).await.unwrap_err();
            assert_eq!(diary.read(), ["open a", "close c", "close a"]);
            assert!(matches!(error.failure, Some(Failure::Startup(_))), "{error:?}");
            assert_eq!(error.hooks.len(), 1);
            let text = error.to_string();
            let (first, second) = text.split_once("; ").unwrap();
            assert!(first.starts_with("the startup hook of ") && first.contains("lifecycle.rs:"), "{text}");
            assert!(first.contains("no way to d") && second.ends_with("failed: b does not close"), "{text}");
            assert!(netio::net::TcpStream::connect(address).await.is_err());
        }
    });
}

#[test]
fn told_to_stop_while_it_starts_it_cleans_up_what_had_started() {
    run(async || {
        let diary = Diary::default();
        let server =
            bound().on_startup(diary.notes("open")).on_cleanup(diary.notes("close")).on_startup(pending::<()>());
        let handle = server.handle();
        let serving = runtime::spawn(server.serve(hello));
        sleep(SECOND).await;
        handle.stop();
        serving.await.unwrap().unwrap();
        assert_eq!(diary.read(), ["open", "close"]);
    });
}

async fn panics() {
    panic!("in a cleanup, as the test wants")
}

#[test]
fn a_cleanup_that_hangs_or_panics_does_not_keep_the_others() {
    run(async || {
        let diary = Diary::default();
        let server = bound().on_cleanup(diary.notes("close a")).on_cleanup(pending::<()>()).on_cleanup(panics());
        let handle = server.handle();
        let serving = runtime::spawn(server.serve(hello));
        sleep(SECOND).await;
        let start = Instant::now();
        handle.stop();
        let error: ServeError = serving.await.unwrap().unwrap_err();
        assert_eq!((start.elapsed(), error.failure.is_none(), error.hooks.len()), (5 * SECOND, true, 2));
        assert!(error.hooks[0].to_string().contains("it panicked: in a cleanup"), "{error}");
        assert!(error.hooks[1].to_string().contains("it was not done within 5s"), "{error}");
        assert_eq!(diary.read(), ["close a"]);
    });
}

/// What is no request passes no layer; it is told all the same.
#[test]
fn what_the_server_refuses_by_itself_is_told() {
    run(async || {
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let notes = refusals.clone();
        let server = bound().on_refusal(move |refusal| {
            assert!(refusal.peer.is_some());
            notes.lock().unwrap().push((refusal.status.as_u16(), refusal.reason));
        });
        let address = server.local_addr();
        let _serving: JoinHandle<_> = runtime::spawn(server.serve(hello));
        for bytes in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET / HT"] {
            let mut peer = Peer::connect(address).await;
            peer.send(bytes).await;
            peer.messages().await;
        }
        let told = refusals.lock().unwrap();
        assert_eq!(told.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [400, 505, 408]);
        assert_eq!(told[2].1, "the head did not come in time");
    });
}

#[test]
fn a_server_that_listens_nowhere_says_so() {
    runtime::block_on(async {
        let error = Server::new().serve(hello).await.unwrap_err();
        assert_eq!(error.to_string(), "the server listens nowhere");
    });
}

/// The seven steps, each seen by what it does and when.
#[test]
fn to_stop_takes_seven_steps() {
    run(async || {
        let diary = Diary::default();
        let book = diary.clone();
        let server = bound().on_shutdown(diary.notes("3 told")).on_cleanup(diary.notes("6 cleaned up"));
        let (address, handle) = (server.local_addr(), server.handle());
        let background = diary.at_drop("7 background dropped");
        handle.spawn(async move {
            let _background = background;
            pending().await
        });
        handle.spawn(async {});
        let serving = runtime::spawn(server.serve(move |request: Request| {
            let book = book.clone();
            async move {
                match request.uri().path() {
                    "/slow" => {
                        sleep(2 * SECOND).await;
                        book.note("4 a request is done");
                        Response::default()
                    }
                    _ => {
                        let _running = book.at_drop("5 a request is dropped");
                        pending().await
                    }
                }
            }
        }));
        let mut peers = Vec::new();
        for path in ["/slow", "/endless"] {
            let mut peer = Peer::connect(address).await;
            peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            peers.push(peer);
        }
        let mut idle = Peer::connect(address).await;
        sleep(SECOND).await;
        assert_eq!(handle.connections(), 3);
        let start = Instant::now();
        handle.stop();
        assert_eq!(idle.rest().await.unwrap(), b"");
        diary.note("2 the idle is closed");
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(netio::net::TcpStream::connect(address).await.is_err(), "1 it accepts no more");
        let report = serving.await.unwrap().unwrap();
        assert_eq!((report.cancelled, report.background, report.took), (1, 1, 5 * SECOND));
        let mut steps = diary.read();
        steps.sort_by_key(|step| (step.starts_with('2'), 0)); // seen by another task: its place among the others is chance
        let expected = [
            "3 told",
            "4 a request is done",
            "5 a request is dropped",
            "6 cleaned up",
            "7 background dropped",
            "2 the idle is closed",
        ];
        assert_eq!(steps, expected);
        assert_eq!(peers[0].messages().await.len(), 1);
        handle.spawn(async { unreachable!("the server is over") });
        sleep(SECOND).await;
    });
}

#[test]
fn what_streams_for_ever_ends_well_when_the_server_stops() {
    run(async || {
        let server = bound();
        let (address, handle) = (server.local_addr(), server.handle());
        let serving = runtime::spawn(server.serve(async |_: Request| {
            sse::response(|mut events| async move {
                events.send(sse::Event::data("one")).await?;
                pending().await
            })
        }));
        let mut peer = Peer::connect(address).await;
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        peer.read_until("data: one\n\n\r\n").await;
        handle.stop();
        assert_eq!(peer.rest().await.unwrap(), b"0\r\n\r\n");
        assert_eq!(serving.await.unwrap().unwrap().took, Duration::ZERO);
    });
}

/// A descriptor, a path and a piece of memory: all are served alike, and all are closed.
#[test]
fn several_listeners_are_served_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    run_outside(async {
        let (listener, dialer) = Listener::memory();
        let inherited = TcpListener::from_std(std::net::TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let server = Server::bind_unix(&path).unwrap().listen(inherited).listen(listener);
        let (address, handle) = (server.local_addr(), server.handle());
        assert_eq!(server.listeners()[0].path(), Some(&*path));
        let serving = runtime::spawn(server.serve(hello));
        let over_tcp = Client::new();
        let over_unix = Client::builder().unix_socket(&path).build();
        let way = dialer.clone();
        let in_memory = Client::builder().dial(move |_| std::future::ready(way.dial())).build();
        for _ in 0..3 {
            for client in [&over_tcp, &over_unix, &in_memory] {
                assert_eq!(client.get(format!("http://{address}/")).await.unwrap().text().await.unwrap(), "hello");
            }
        }
        assert_eq!(handle.connections(), 3);
        handle.stop();
        serving.await.unwrap().unwrap();
        assert!(UnixStream::connect(&path).await.is_err() && !path.exists());
        assert_eq!(dialer.dial().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    });
}

/// Row S22: a handler goes on when its peer has gone, unless the server is told otherwise.
#[test]
fn a_handler_is_dropped_with_its_peer_only_if_that_is_wanted() {
    run(async || {
        for wanted in [false, true] {
            let diary = Diary::default();
            let book = diary.clone();
            let server = bound().handler_cancellation(wanted);
            let address = server.local_addr();
            let _serving: JoinHandle<_> = runtime::spawn(server.serve(move |_: Request| {
                let book = book.clone();
                async move {
                    let _end = book.at_drop("dropped");
                    sleep(2 * SECOND).await;
                    book.note("done");
                    Response::default()
                }
            }));
            let mut peer = Peer::connect(address).await;
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n").await;
            sleep(SECOND).await;
            drop(peer);
            sleep(SECOND / 2).await;
            assert_eq!(diary.read(), if wanted { &["dropped"][..] } else { &[] });
            sleep(SECOND).await;
            assert_eq!(diary.read(), if wanted { &[][..] } else { &["done", "dropped"] });
        }
    });
}

/// Says back what it hears, in capital letters.
fn shout(request: Request) -> Response {
    upgrade(&request, "shout", |mut connection| async move {
        let mut buffer = [0; 64];
        while let Ok(length @ 1..) = connection.read(&mut buffer).await {
            buffer[..length].make_ascii_uppercase();
            if connection.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    })
}

#[test]
fn a_connection_goes_on_in_another_protocol() {
    run(async || {
        let server = bound();
        let (address, handle) = (server.local_addr(), server.handle());
        let router = Router::new().get("/shout", async |request: Request| shout(request)).get("/", async || "hello");
        let serving = runtime::spawn(server.serve(router));
        let asking = "HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: other, Shout\r\n\r\n";

        let mut peer = Peer::connect(address).await;
        peer.send(format!("GET / {asking}")).await;
        assert!(peer.read_until("hello").await.starts_with("HTTP/1.1 200"), "nobody has to switch");
        // The first words of the new protocol come in one piece with the request.
        peer.send(format!("GET /shout {asking}one ")).await;
        let head = peer.read_until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\nupgrade: shout\r\n"), "{head}");
        assert!(head.contains("\r\nconnection: upgrade\r\n") && !head.contains("content-length"), "{head}");
        peer.read_until("ONE ").await;
        peer.send("two").await;
        peer.read_until("TWO").await;
        peer.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peer.rest().await.unwrap(), b"");

        for (request, why) in [
            ("GET /shout HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "it does not ask"),
            ("GET /shout HTTP/1.1\r\nHost: a\r\nUpgrade: shout\r\nConnection: close\r\n\r\n", "not of this connection"),
            ("GET /shout HTTP/1.0\r\nUpgrade: shout\r\nConnection: upgrade\r\n\r\n", "HTTP/1.0 cannot"),
        ] {
            let mut peer = Peer::connect(address).await;
            peer.send(request).await;
            let answer = &peer.messages().await[0];
            assert!(answer.status == 426 && answer.head.contains("upgrade: shout\r\n"), "{why}: {answer:?}");
        }

        // What has been given over still belongs to the server.
        let mut peer = Peer::connect(address).await;
        peer.send(format!("GET /shout {asking}")).await;
        peer.read_until("\r\n\r\n").await;
        handle.stop();
        assert_eq!(serving.await.unwrap().unwrap().cancelled, 1);
        drop(peer.rest().await);
    });
}

/// Rows E21 and B27: SIGTERM stops in order, and a second one at once.
#[test]
fn a_signal_stops_the_server_and_a_second_one_ends_it() {
    if !alone("a_signal_stops_the_server_and_a_second_one_ends_it") {
        return;
    }
    runtime::block_on(async {
        let diary = Diary::default();
        let server = bound().on_startup(diary.notes("open")).on_cleanup(diary.notes("close"));
        let handle = server.handle();
        // Its turn comes when the server waits for signals.
        handle.spawn(async { kill_process(getpid(), Signal::TERM).unwrap() });
        server.run(hello).await.unwrap();
        assert_eq!(diary.read(), ["open", "close"]);

        let server = bound();
        let handle = server.handle();
        let stopping = handle.clone();
        handle.spawn(async move {
            kill_process(getpid(), Signal::INT).unwrap();
            stopping.stopping().await;
            kill_process(getpid(), Signal::INT).unwrap();
            pending().await
        });
        let error = server.on_shutdown(pending::<()>()).run(hello).await.unwrap_err();
        assert!(matches!(error.failure, Some(Failure::Interrupted)), "{error}");
    });
}

#[test]
fn a_test_server_needs_no_port_and_its_client_tells_what_was_wrong() {
    run(async || {
        let started = Arc::new(Event::new());
        let starts = started.clone();
        let router = Router::new()
            .get("/", async || "hello")
            .post("/echo", async |body: Body| Response::new(body))
            .post("/length", async |text: String| text.len().to_string());
        let server = TestServer::start_with(
            Server::new()
                .limits(Limits { body_bytes: 10, ..Limits::default() })
                .on_startup(async move { starts.set() }),
            Client::builder(),
            router.clone(),
        );
        let client = server.client();
        client.get("/").await.assert_status(200).assert_text("hello").assert_header("content-length", "5");
        assert!(started.is_set());
        client.post("/echo").body("ping").await.assert_status(StatusCode::OK).assert_text("ping");
        client.post("/length").body("more than ten").await.assert_status(413);
        let wrong = runtime::spawn(async move { client.get("/nope").await.assert_status(200) }).await.unwrap_err();
        let text = wrong.to_string();
        assert!(text.contains("GET /nope: status 200 OK was expected, and this came:\n404 Not Found\n"), "{text}");
        server.stop().await.unwrap();

        let server = TestServer::on_a_port(router).unwrap();
        assert!(server.url().starts_with("http://127.0.0.1:"));
        server.client().get("/").await.assert_text("hello");
    });
}
