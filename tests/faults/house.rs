//! A server with room for few, what its handlers saw, and the check that nothing was lost when all is over.

use crate::relay::FOR_EVER;
use netio::http::{
    Body, HeaderValue, Request, Response, StatusCode,
    client::ClientBuilder,
    header, reply,
    server::{Limits, Server},
};
use runtime::{
    Handle, JoinHandle,
    sync::Event,
    time::{Instant, sleep},
    world,
};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long the server waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long the client waits for everything.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(7);

/// How long a second, other client may have to wait for the place of one that has fallen silent: it may fall silent in the
/// middle of an answer and of the request after it, and the server may listen to it for a moment at the end.
const TURN: Duration = Duration::from_secs(3 * PATIENCE.as_secs() + 2);

/// What `/large` gives: more than fits on the way.
pub(crate) const LARGE: usize = 200_000;

/// A server that is being served.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) log: Log,
    stop: Arc<Event>,
    serving: JoinHandle<()>,
}

/// What the handlers saw, in the order in which they saw it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl House {
    /// A server with so many places.
    pub(crate) fn open(places: usize) -> House {
        let server = Server::bind("10.0.0.1:80").unwrap();
        let address = server.local_addr();
        House::of(server, address, places)
    }

    /// The same wherever it listens; `address` is how it is called.
    pub(crate) fn of(server: Server, address: SocketAddr, places: usize) -> House {
        let limits = Limits {
            connections: places,
            head_time: PATIENCE,
            body_time: PATIENCE,
            keep_alive_time: PATIENCE,
            write_time: PATIENCE,
            shutdown_grace: PATIENCE,
            ..Limits::default()
        };
        let server = server.limits(limits);
        let (log, stop) = (Log::default(), Arc::new(Event::new()));
        let (seen, stopped) = (log.clone(), stop.clone());
        let serving = runtime::spawn(async move {
            let served = server.serve_until(stopped.wait(), move |request| answer(request, seen.clone())).await;
            served.expect("the server does not fail");
        });
        House { address, log, stop, serving }
    }

    /// Asks as somebody who had nothing to do with what went before: the server must have a place for him in time.
    pub(crate) async fn serves_the_next(&self, client: ClientBuilder) {
        let start = Instant::now();
        let client = client.timeout(FOR_EVER).connect_timeout(FOR_EVER).build();
        let answer = client.get(format!("http://{}/small", self.address)).await.expect("the next client is served");
        assert_eq!(answer.text().await.expect("its answer is whole"), "hello");
        assert!(start.elapsed() <= TURN, "the next client had to wait for {:?}", start.elapsed());
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&self) {
        self.stop.set();
    }

    /// Ends the server, gives silent connections their time, and counts what is left: nothing may be.
    pub(crate) async fn close(self) {
        self.stop();
        let start = Instant::now();
        self.serving.await.expect("the server ends as it should");
        assert!(start.elapsed() <= PATIENCE + Duration::from_secs(1), "stopping took {:?}", start.elapsed());
        nothing_is_left().await;
    }
}

/// When all that was silent has ended, no task lives and no socket is open.
pub(crate) async fn nothing_is_left() {
    sleep(2 * FOR_EVER).await;
    assert_eq!(Handle::current().metrics().live, 0, "tasks live on: {:#?}", Handle::current().tasks());
    if let Some(world) = world::current() {
        assert_eq!(world.open_sockets(), 0, "sockets are still open");
    }
}

/// Every answer bears the same date, so that answers can be compared byte by byte.
async fn answer(mut request: Request, log: Log) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = match request.body_mut().bytes().await {
        Ok(body) => body,
        Err(error) if error.kind() == ErrorKind::TimedOut => {
            return reply(StatusCode::REQUEST_TIMEOUT, "text/plain", "");
        }
        Err(_) => return reply(StatusCode::BAD_REQUEST, "text/plain", ""),
    };
    log.add(format!("{method} {path} {}", String::from_utf8_lossy(&body)));
    let mut response = match path.as_str() {
        "/small" => reply(StatusCode::OK, "text/plain", "hello"),
        "/echo" => reply(StatusCode::OK, "text/plain", body),
        "/stream" => Response::new(parts()),
        "/known" => Response::new(parts().with_length(11)),
        "/large" => Response::new(large().into()),
        "/moved" => {
            let mut response = reply(StatusCode::FOUND, "text/plain", "over there");
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/small"));
            response
        }
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "not here"),
    };
    response.headers_mut().insert(header::DATE, HeaderValue::from_static("Sun, 09 Sep 2001 01:46:40 GMT"));
    response
}

/// Eleven bytes, in three parts, with time between them.
fn parts() -> Body {
    Body::writer(|mut body| async move {
        for part in ["one ", "two ", "3.."] {
            body.write(part).await?;
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

/// Any part of it tells where it is from.
pub(crate) fn large() -> Vec<u8> {
    (0..LARGE).map(|n| (n % 251) as u8).collect()
}
