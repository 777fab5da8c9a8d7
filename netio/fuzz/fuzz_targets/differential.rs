//! Our server beside hyper's, on the same bytes: every request that ours serves, hyper serves too, with the same method, target,
//! host and body, and at the same place in the order. (Not the other way round: ours is stricter. What hyper refuses and ours
//! accepts is listed here: a later minor version than 1.1, which hyper does not read as RFC 9110, 2.5 would have it. And where
//! `OPTIONS http://host` asks for `*`, as 4.2.3 has it, hyper says `/`.)

#![no_main]

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _, future::zip};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use netio::{http, net::TcpStream};
use runtime::{Runtime, world};
use std::{
    cell::RefCell,
    convert::Infallible,
    net::Shutdown,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    method: String,
    target: String,
    host: String,
    body: Vec<u8>,
}

impl Seen {
    fn new<B>(request: &hyper::Request<B>, body: &[u8]) -> Seen {
        let (uri, field) = (request.uri(), request.headers().get("host"));
        let host = uri.authority().map(|host| host.as_str().as_bytes()).or(field.map(|host| host.as_bytes()));
        Seen {
            method: request.method().to_string(),
            target: [
                if uri.path() == "*" { "/" } else { uri.path() },
                uri.query().map_or("", |_| "?"),
                uri.query().unwrap_or_default(),
            ]
            .concat(),
            host: String::from_utf8_lossy(host.unwrap_or_default()).into_owned(),
            body: body.to_vec(),
        }
    }
}

fuzz_target!(|wire: &[u8]| {
    let later = |window: &[u8]| matches!(window, [b'/', b'1', b'.', b'2'..=b'9']);
    if wire.len() > 4096 || wire.windows(4).any(later) {
        return;
    }
    let ours = ours(wire);
    if ours.is_empty() {
        return;
    }
    let theirs = theirs(wire);
    assert!(theirs.starts_with(&ours), "ours: {ours:#?}\nhyper's: {theirs:#?}");
});

fn ours(wire: &[u8]) -> Vec<Seen> {
    let seen = Arc::<Mutex<Vec<Seen>>>::default();
    let book = seen.clone();
    Runtime::simulated(1).block_on(async move {
        let calm = world::Conditions::default().latency(Duration::ZERO..Duration::ZERO).pieces(0.0);
        world::current().unwrap().set_conditions(calm);
        let server = http::server::Server::bind("10.0.0.1:80").unwrap();
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(move |mut request: http::Request| {
            let book = book.clone();
            async move {
                if let Ok(body) = request.body_mut().bytes().await {
                    let request: hyper::Request<http::Body> = request.into();
                    book.lock().unwrap().push(Seen::new(&request, &body));
                }
                http::Response::default()
            }
        })));
        let mut stream = TcpStream::connect(address).await.unwrap();
        // It may hang up before it has heard all.
        let _ = stream.write_all(wire).await;
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

thread_local! {
    static TOKIO: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
}

fn theirs(wire: &[u8]) -> Vec<Seen> {
    let seen = Rc::<RefCell<Vec<Seen>>>::default();
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let book = seen.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let book = book.clone();
        async move {
            let (parts, body) = request.into_parts();
            if let Ok(body) = body.collect().await {
                let request = hyper::Request::from_parts(parts, ());
                book.borrow_mut().push(Seen::new(&request, &body.to_bytes()));
            }
            Ok::<_, Infallible>(hyper::Response::new(Full::<&[u8]>::default()))
        }
    });
    let serve = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(far), service);
    let talk = async move {
        let _ = near.write_all(wire).await;
        let _ = near.shutdown().await;
        let _ = near.read_to_end(&mut Vec::new()).await;
    };
    TOKIO.with(|tokio| tokio.block_on(zip(async { drop(serve.await) }, talk)));
    seen.take()
}
