//! What the server does on the wire, and what it does with connections, bodies and handlers whose time has come.

use netio::{
    http::{
        Body, Method, Request, Response, StatusCode,
        files::StaticFiles,
        header, reply,
        server::{BodyRejection, Disconnect, IntoResponse, Limits, Server},
        sse,
    },
    net::TcpStream,
};
use runtime::{
    sync::Event,
    time::{Instant, sleep, timeout},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    future::{pending, ready},
    io::{self, ErrorKind},
    net::Shutdown,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use tests::wire::{Peer, alone, descriptors, messages, run, run_outside, serve};

const SECOND: Duration = Duration::from_secs(1);

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn get_and_close(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

/// Sets an event when it is dropped.
struct Alarm(Arc<Event>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Answers with what it was asked.
async fn echo(mut request: Request) -> Response {
    let peer = request.peer().unwrap();
    match request.body_mut().bytes().await {
        Ok(body) => {
            let text = format!("{} {} from {peer}, {} bytes", request.method(), request.uri(), body.len());
            reply(StatusCode::OK, "text/plain", text)
        }
        Err(error) => BodyRejection::from(error).into_response(),
    }
}

#[test]
fn a_connection_is_kept_and_counted() {
    run(async || {
        let address = serve(Limits { requests_per_connection: 3, ..Limits::default() }, echo);
        let mut peer = Peer::connect(address).await;
        let ours = peer.stream.local_addr().unwrap();
        for number in 1..=2 {
            peer.send(get(&format!("/{number}"))).await;
            let answer = peer.read_until(" 0 bytes").await;
            assert!(answer.ends_with(&format!("GET /{number} from {ours}, 0 bytes")), "{answer}");
            assert!(!answer.contains("connection:"), "{answer}");
        }
        peer.send("POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            .await;
        let last = peer.messages().await;
        assert!(last[0].head.contains("connection: close\r\n"), "{last:?}");
        assert!(last[0].body.ends_with("5 bytes"), "{last:?}");
    });
}

#[test]
fn pipelined_requests_are_answered_in_order_and_in_one_write() {
    run(async || {
        let address = serve(Limits::default(), echo);
        let mut peer = Peer::connect(address).await;
        peer.send([get("/1"), get("/2"), "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab".into()].concat())
            .await;
        let bodies: Vec<String> = messages(&peer.read().await.unwrap()).into_iter().map(|answer| answer.body).collect();
        assert_eq!(bodies.len(), 3, "{bodies:?}");
        assert!(bodies[0].starts_with("GET /1") && bodies[1].starts_with("GET /2"), "{bodies:?}");
        assert!(bodies[2].starts_with("POST /3") && bodies[2].ends_with("2 bytes"), "{bodies:?}");
    });
}

/// An answer that is there is not held back by a later one that has to wait.
#[test]
fn a_slow_request_does_not_hold_back_the_answers_before_it() {
    run(async || {
        let release = Arc::new(Event::new());
        let held = release.clone();
        let address = serve(Limits::default(), move |request: Request| {
            let held = held.clone();
            async move {
                if request.uri() == "/slow" {
                    held.wait().await;
                }
                echo(request).await
            }
        });
        let mut peer = Peer::connect(address).await;
        peer.send([get("/1"), get("/slow"), get("/3")].concat()).await;
        assert!(peer.read_until("0 bytes").await.contains("GET /1"));
        release.set();
        assert!(peer.read_until("0 bytes").await.contains("GET /slow"));
        assert!(peer.read_until("0 bytes").await.contains("GET /3"));
    });
}

#[test]
fn some_answers_have_no_body_by_their_nature() {
    run(async || {
        let address = serve(Limits::default(), |request: Request| {
            ready(match request.uri().path() {
                "/204" => reply(StatusCode::NO_CONTENT, "text/plain", "not to be seen"),
                "/304" => reply(StatusCode::NOT_MODIFIED, "text/plain", "not to be seen"),
                "/stream" => Response::new(Body::writer(async |mut body| body.write("not to be seen").await)),
                "/100" => reply(StatusCode::CONTINUE, "text/plain", "no final answer"),
                _ => Response::new("12345".into()),
            })
        });
        let mut peer = Peer::connect(address).await;
        for path in ["/", "/stream", "/204"] {
            peer.send(get(path).replace("GET", "HEAD")).await;
        }
        peer.send([get("/204"), get("/304"), get("/100")].concat()).await;
        let wire = String::from_utf8(peer.rest().await.unwrap()).unwrap();
        assert!(!wire.contains("not to be seen") && !wire.contains("12345"), "{wire}");
        let heads: Vec<&str> = wire.split("\r\n\r\n").collect();
        let statuses: Vec<&str> = heads.iter().filter_map(|head| head.strip_prefix("HTTP/1.1 ")?.get(..3)).collect();
        assert_eq!(statuses, ["200", "200", "204", "204", "304", "500"], "{wire}");
        assert!(heads[0].contains("content-length: 5"), "{wire}");
        assert!(heads[1..5].iter().all(|head| !head.contains("content-length") && !head.contains("chunked")), "{wire}");
    });
}

#[test]
fn http_1_0_closes_unless_it_is_asked_to_stay() {
    run(async || {
        let address = serve(Limits::default(), |request: Request| async {
            match request.uri().path() {
                "/stream" => Response::new(Body::writer(async |mut body| body.write("streamed").await)),
                _ => echo(request).await,
            }
        });
        let mut peer = Peer::connect(address).await;
        peer.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
        assert!(peer.read_until("0 bytes").await.contains("connection: keep-alive\r\n"));
        peer.send("GET /2 HTTP/1.0\r\n\r\n").await;
        assert!(peer.messages().await[0].head.contains("connection: close\r\n"));

        let mut peer = Peer::connect(address).await;
        peer.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
        let wire = String::from_utf8(peer.rest().await.unwrap()).unwrap();
        assert!(wire.ends_with("connection: close\r\n\r\nstreamed"), "{wire}");
    });
}

#[test]
fn leave_to_send_a_body_is_given_when_it_is_waited_for() {
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    run(async || {
        let address = serve(Limits::default(), echo);
        let mut peer = Peer::connect(address).await;
        peer.send(head).await;
        assert_eq!(peer.read_until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        peer.send("hello").await;
        assert!(peer.read_until("5 bytes").await.starts_with("HTTP/1.1 200 OK"));
        // With the body there already, nobody waits.
        peer.send(format!("{head}hello")).await;
        assert!(peer.read_until("5 bytes").await.starts_with("HTTP/1.1 200 OK"));
    });
}

#[test]
fn an_answer_bears_the_date_of_its_second() {
    run(async || {
        let address = serve(Limits::default(), echo);
        let mut peer = Peer::connect(address).await;
        for expected in ["Sun, 09 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 01:46:42 GMT"] {
            peer.send(get("/")).await;
            let answer = peer.read_until("0 bytes").await;
            assert!(answer.contains(&format!("\r\ndate: {expected}\r\n")), "{answer}");
            sleep(2 * SECOND).await;
        }
    });
}

#[test]
fn an_event_is_sent_when_it_is_there() {
    run(async || {
        let next = Arc::new(Event::new());
        let waits = next.clone();
        let address = serve(Limits::default(), move |_| {
            let waits = waits.clone();
            ready(sse::response(|mut events| async move {
                events.send(sse::Event::data("one")).await?;
                waits.wait().await;
                events.send(sse::Event::data("two").kind("last")).await
            }))
        });
        let mut peer = Peer::connect(address).await;
        peer.send(get_and_close("/")).await;
        let head = peer.read_until("\r\n\r\n").await;
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        assert_eq!(peer.read_until("\r\n").await + &peer.read_until("\n\n\r\n").await, "b\r\ndata: one\n\n\r\n");
        next.set();
        assert_eq!(peer.rest().await.unwrap(), b"17\r\nevent: last\ndata: two\n\n\r\n0\r\n\r\n");
    });
}

/// Serves bodies that begin and never end; `gone` is set when one is dropped.
fn serve_without_end(gone: &Arc<Event>) -> SocketAddr {
    let alarm = gone.clone();
    serve(Limits::default(), move |_| {
        let alarm = Alarm(alarm.clone());
        ready(Response::new(Body::writer(|mut body| async move {
            let _alarm = alarm;
            body.write("begun").await?;
            pending().await
        })))
    })
}

/// However the peer goes, what its body owned goes with it, at once; and no later than that.
#[test]
fn a_body_is_dropped_when_its_peer_goes_away() {
    run(async || {
        let ways: [fn(Peer) -> Option<Peer>; 3] = [
            |_dropped| None,
            |peer| peer.stream.reset().map(|()| None).unwrap(),
            |peer| peer.stream.shutdown(Shutdown::Write).map(|()| Some(peer)).unwrap(),
        ];
        for leave in ways {
            let gone = Arc::new(Event::new());
            let address = serve_without_end(&gone);
            let mut peer = Peer::connect(address).await;
            peer.send(get("/") + &get("/pipelined")).await;
            peer.read_until("begun").await;
            assert!(!gone.is_set());
            let start = Instant::now();
            let _half = leave(peer);
            timeout(SECOND, gone.wait()).await.expect("the body lives on");
            assert_eq!(start.elapsed(), Duration::ZERO);
        }
    });
}

/// Nobody can hang up unseen behind pipelined bytes that fill the input: whoever sends so many counts as gone.
#[test]
fn a_flood_behind_a_streamed_answer_ends_it() {
    run(async || {
        let gone = Arc::new(Event::new());
        let address = serve_without_end(&gone);
        let mut peer = Peer::connect(address).await;
        peer.send(get("/")).await;
        peer.read_until("begun").await;
        let _ = peer.try_send("G".repeat(64 * 1024)).await;
        timeout(SECOND, gone.wait()).await.expect("the body lives on");
    });
}

#[test]
fn a_body_goes_no_faster_than_its_peer_reads_and_not_for_ever() {
    run(async || {
        let (made, gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(Event::new()));
        let (count, alarm) = (made.clone(), gone.clone());
        let address = serve(Limits { write_time: 7 * SECOND, ..Limits::default() }, move |_| {
            let (count, alarm) = (count.clone(), Alarm(alarm.clone()));
            ready(Response::new(Body::writer(|mut body| async move {
                let _alarm = alarm;
                loop {
                    body.write(vec![b'x'; 10_000]).await?;
                    count.fetch_add(10_000, Ordering::Relaxed);
                }
            })))
        });
        let mut peer = Peer::connect(address).await;
        peer.send(get("/")).await;
        peer.read_until("\r\n\r\n").await;
        let start = Instant::now();
        gone.wait().await;
        assert_eq!(start.elapsed().as_secs(), 7, "the peer took nothing for that long");
        let made = made.load(Ordering::Relaxed);
        assert!(made < 50_000_000, "{made} bytes were made for a peer that does not read");
    });
}

#[test]
fn a_body_that_fails_is_visibly_not_whole() {
    run(async || {
        let address = serve(Limits::default(), |request: Request| {
            let part = Body::writer(async |mut body| body.write("part").await);
            ready(Response::new(match request.uri().path() {
                "/short" => part.with_length(5),
                "/long" => part.with_length(3),
                "/panics" => Body::writer(async |mut body| {
                    body.write("part").await?;
                    panic!("in a body, as the test wants")
                }),
                _ => Body::writer(async |mut body| {
                    body.write("part").await?;
                    Err(io::Error::other("enough"))
                }),
            }))
        });
        for (path, end) in [("/fails", "4\r\npart\r\n"), ("/panics", ""), ("/short", "part"), ("/long", "")] {
            let mut peer = Peer::connect(address).await;
            peer.send(get(path) + &get(path)).await;
            let wire = String::from_utf8(peer.rest().await.unwrap()).unwrap();
            assert_eq!(wire.split_once("\r\n\r\n").unwrap().1, end, "{path}");
        }
        // Where only the end of the connection ends a body, a clean end would be a lie.
        let mut peer = Peer::connect(address).await;
        peer.send("GET /fails HTTP/1.0\r\n\r\n").await;
        assert_eq!(peer.rest().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_handler_that_panics_costs_its_connection_and_nothing_else() {
    run(async || {
        let address = serve(Limits::default(), |request: Request| async move {
            assert!(request.uri() != "/panic", "in a handler, as the test wants");
            echo(request).await
        });
        let (mut other, mut peer) = (Peer::connect(address).await, Peer::connect(address).await);
        other.send(get("/1")).await;
        other.read_until("0 bytes").await;
        peer.send(get("/good") + &get("/panic") + &get("/never")).await;
        let answers = peer.messages().await;
        assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 500]);
        other.send(get("/2")).await;
        other.read_until("0 bytes").await;
    });
}

#[test]
fn a_disconnect_is_a_reset() {
    run(async || {
        let address = serve(Limits::default(), |_| {
            let mut response = Response::default();
            response.extensions_mut().insert(Disconnect);
            ready(response)
        });
        let mut peer = Peer::connect(address).await;
        peer.send(get("/")).await;
        assert_eq!(peer.rest().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

/// A refusal reaches a client that is still sending: the server reads on for a while instead of resetting.
#[test]
fn a_refusal_is_not_lost_while_the_client_still_sends() {
    run(async || {
        let address = serve(Limits { body_bytes: 10, ..Limits::default() }, echo);
        for fields in ["Content-Length: 3000000", "Transfer-Encoding: chunked"] {
            let mut peer = Peer::connect(address).await;
            peer.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n2dc6c0\r\n")).await;
            peer.send(vec![b'x'; 3_000_000]).await;
            assert_eq!(peer.messages().await[0].status, 413, "{fields}");
        }
    });
}

#[test]
fn an_idle_connection_is_closed_in_time() {
    run(async || {
        let address = serve(Limits { keep_alive_time: 9 * SECOND, head_time: 3 * SECOND, ..Limits::default() }, echo);
        let mut peer = Peer::connect(address).await;
        let start = Instant::now();
        assert_eq!(peer.rest().await.unwrap(), b"");
        assert_eq!(start.elapsed(), 3 * SECOND, "before the first request");
        let mut peer = Peer::connect(address).await;
        peer.send(get("/")).await;
        assert_eq!(peer.messages().await.len(), 1);
        assert_eq!(start.elapsed(), 12 * SECOND, "after a request");
    });
}

#[test]
fn a_graceful_stop_closes_the_idle_and_lets_the_others_finish() {
    run(async || {
        let (stop, started) = (Arc::new(Event::new()), Arc::new(Event::new()));
        let server =
            Server::bind("127.0.0.1:0").unwrap().limits(Limits { shutdown_grace: 5 * SECOND, ..Limits::default() });
        let address = server.local_addr();
        let (stopping, starts) = (stop.clone(), started.clone());
        let serving =
            runtime::spawn(server.serve_until(async move { stopping.wait().await }, move |request: Request| {
                let starts = starts.clone();
                async move {
                    if request.uri() == "/slow" {
                        starts.set();
                        sleep(2 * SECOND).await;
                    }
                    echo(request).await
                }
            }));
        let (mut fresh, mut idle, mut busy) =
            (Peer::connect(address).await, Peer::connect(address).await, Peer::connect(address).await);
        idle.send(get("/")).await;
        idle.read_until("0 bytes").await;
        busy.send(get("/slow") + &get("/never")).await;
        started.wait().await;
        let start = Instant::now();
        stop.set();
        assert_eq!(idle.rest().await.unwrap(), b"");
        assert_eq!(fresh.rest().await.unwrap(), b"");
        assert_eq!(start.elapsed(), Duration::ZERO, "idle connections close at once");
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        let answers = busy.messages().await;
        assert_eq!(answers.len(), 1);
        assert!(answers[0].head.contains("connection: close\r\n"));
        drop(busy);
        serving.await.unwrap().unwrap();
        assert_eq!(start.elapsed(), 2 * SECOND);
    });
}

/// The grace has an end, and dropping the server's future has none: either way, what runs is dropped with the server.
#[test]
fn a_stop_waits_no_longer_than_its_grace() {
    run(async || {
        for dropped in [false, true] {
            let (stop, started, gone) = (Arc::new(Event::new()), Arc::new(Event::new()), Arc::new(Event::new()));
            let limits = Limits { shutdown_grace: 5 * SECOND, ..Limits::default() };
            let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
            let address = server.local_addr();
            let (stopping, starts, alarm) = (stop.clone(), started.clone(), gone.clone());
            let serving =
                runtime::spawn(server.serve_until(async move { stopping.wait().await }, move |_: Request| {
                    let alarm = Alarm(alarm.clone());
                    starts.set();
                    async move {
                        let _alarm = alarm;
                        pending().await
                    }
                }));
            let mut peer = Peer::connect(address).await;
            peer.send(get("/")).await;
            started.wait().await;
            let start = Instant::now();
            if dropped {
                serving.abort();
                gone.wait().await;
            } else {
                stop.set();
                serving.await.unwrap().unwrap();
                assert!(gone.is_set());
            }
            assert_eq!(start.elapsed(), if dropped { Duration::ZERO } else { 5 * SECOND });
            peer.rest().await.unwrap();
        }
    });
}

#[test]
fn at_the_limit_of_connections_callers_wait() {
    run(async || {
        let address = serve(Limits { connections: 2, ..Limits::default() }, echo);
        let (mut first, mut second) = (Peer::connect(address).await, Peer::connect(address).await);
        for peer in [&mut first, &mut second] {
            peer.send(get("/")).await;
            peer.read_until("0 bytes").await;
        }
        let mut third = Peer::connect(address).await;
        third.send(get("/")).await;
        assert!(timeout(SECOND, third.read_until("0 bytes")).await.is_err(), "there was no place");
        drop(second);
        third.read_until("0 bytes").await;
    });
}

#[test]
fn files_are_served_with_type_tag_and_length() {
    let folder = tempfile::tempdir().unwrap();
    let large: Vec<u8> = (0..3_000_000).map(|n| (n % 251) as u8).collect();
    std::fs::create_dir(folder.path().join("sub dir")).unwrap();
    for (name, content) in [("index.html", &b"<p>home"[..]), ("sub dir/index.html", b"sub"), ("large.bin", &large)] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    // Files are outside any world.
    run_outside(async {
        let files = StaticFiles::new(folder.path());
        let ask = async |method: Method, path: &str, known: Option<&str>| {
            let mut request = http::Request::builder().method(method).uri(path);
            if let Some(known) = known {
                request = request.header(header::IF_NONE_MATCH, known);
            }
            files.respond(&request.body(Body::empty()).unwrap().into()).await
        };
        let page = ask(Method::GET, "/", None).await;
        let tag = page.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.body().length(), Some(7));
        assert_eq!(ask(Method::HEAD, "/", None).await.body().length(), Some(7));
        assert_eq!(ask(Method::POST, "/", None).await.status(), 405);
        let folder_page = ask(Method::GET, "/sub%20dir", None).await;
        assert_eq!(
            (folder_page.status().as_u16(), &folder_page.headers()[header::LOCATION]),
            (308, &"sub%20dir/".parse().unwrap())
        );
        assert_eq!(ask(Method::GET, "/sub%20dir/", None).await.status(), 200);

        let unchanged = ask(Method::GET, "/", Some(&format!("\"x\", W/{tag}"))).await;
        assert_eq!((unchanged.status().as_u16(), unchanged.body().length()), (304, Some(0)));
        assert_eq!(unchanged.headers()[header::ETAG], *tag);
        // Made anew, with the same length: another time of change makes another tag.
        let page = std::fs::File::options().write(true).open(folder.path().join("index.html")).unwrap();
        page.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(ask(Method::GET, "/", Some(&tag)).await.status(), 200);

        let address = serve(Limits::default(), move |request| {
            let files = files.clone();
            async move { files.respond(&request).await }
        });
        let mut peer = Peer::connect(address).await;
        peer.send(get_and_close("/large.bin")).await;
        assert!(peer.read_until("\r\n\r\n").await.contains("content-length: 3000000\r\n"));
        assert!(peer.rest().await.unwrap() == large, "the large file came changed");
    });
}

/// Descriptors run out while callers call; when there are some again, all callers are answered, and all are given back.
#[test]
fn accepting_survives_a_shortage_of_descriptors() {
    if !alone("accepting_survives_a_shortage_of_descriptors") {
        return;
    }
    let limit = Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let outside = descriptors();
    run_outside(async {
        let address = serve(Limits::default(), echo);
        let mut callers = Vec::new();
        let before = descriptors();
        for _ in 0..4 {
            callers.push(Peer::connect(address).await);
        }
        // Take all descriptors that are left, so that none is left to accept with.
        let taken: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
        for caller in &mut callers {
            caller.send(get("/")).await;
        }
        assert!(timeout(SECOND, callers[0].read_until("0 bytes")).await.is_err(), "there was no shortage");
        drop(taken);
        for caller in &mut callers {
            caller.read_until("0 bytes").await;
        }
        drop(callers);
        sleep(SECOND).await;
        assert_eq!(descriptors(), before);
    });
    assert_eq!(descriptors(), outside);
}
