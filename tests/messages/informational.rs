//! Interim responses by a handler: they come before the answer, while it is still being made.

use netio::{
    http::{
        Request, Response, StatusCode,
        client::{Client, Event, RequestInfo},
        header,
        server::{Informational, InformationalError, Router, Server, Service},
    },
    net::TcpStream,
};
use runtime::time::sleep;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tests::wire::{Peer, run};

const SECOND: Duration = Duration::from_secs(1);
const HINT: [(header::HeaderName, &str); 1] = [(header::LINK, "</style.css>; rel=preload")];
const WIRE: &str = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";

fn serve(service: impl Service) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap().informational(true);
    let address = server.local_addr();
    drop(runtime::spawn(server.serve(service)));
    address
}

async fn ask(address: SocketAddr, path: &str) -> Peer {
    let mut peer = Peer::from(TcpStream::connect(address).await.unwrap());
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
    peer
}

#[test]
fn a_hint_is_there_while_its_handler_still_works() {
    run(async || {
        let router = Router::new().get("/", async |hints: Informational| {
            hints.send(StatusCode::EARLY_HINTS, HINT).await.unwrap();
            std::future::pending::<()>().await;
        });
        assert_eq!(ask(serve(router), "/").await.read_until("\r\n\r\n").await, WIRE);
    });
}

#[test]
fn a_hint_that_comes_with_the_answer_stands_before_it() {
    run(async || {
        let router = Router::new().get("/", async |hints: Informational| {
            for _ in 0..3 {
                hints.send(StatusCode::EARLY_HINTS, HINT).await.unwrap();
            }
            "the page"
        });
        let heard = ask(serve(router), "/").await.rest().await.unwrap();
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.starts_with(&(WIRE.repeat(3) + "HTTP/1.1 200 OK\r\n")), "{heard}");
    });
}

#[test]
fn another_task_may_send_it_until_the_answer_begins() {
    run(async || {
        let late = Arc::new(Mutex::new(None));
        let tells = late.clone();
        let router = Router::new().get("/", move |hints: Informational| {
            let tells = tells.clone();
            async move {
                let task = runtime::spawn(async move {
                    sleep(SECOND).await;
                    hints.send(StatusCode::EARLY_HINTS, HINT).await.unwrap();
                    sleep(2 * SECOND).await;
                    *tells.lock().unwrap() = Some(hints.send(StatusCode::EARLY_HINTS, HINT).await);
                });
                sleep(2 * SECOND).await;
                drop(task);
                "the page"
            }
        });
        let heard = String::from_utf8(ask(serve(router), "/").await.rest().await.unwrap()).unwrap();
        assert!(heard.starts_with(&(WIRE.to_owned() + "HTTP/1.1 200 OK\r\n")), "{heard}");
        sleep(2 * SECOND).await;
        assert_eq!(*late.lock().unwrap(), Some(Err(InformationalError::Late)));
    });
}

#[test]
fn what_is_no_interim_response_is_not_sent() {
    run(async || {
        let router = Router::new().get("/", async |hints: Informational| {
            let mut said = Vec::new();
            for status in [StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS, StatusCode::OK] {
                said.push(hints.send(status, HINT).await.unwrap_err().to_string());
            }
            said.push(hints.send(StatusCode::PROCESSING, [("x", "a\nb")]).await.unwrap_err().to_string());
            said.join("\n")
        });
        let [answer] = &ask(serve(router), "/").await.messages().await[..] else { panic!("one answer") };
        let expected = "100 is no interim status that a handler sends\n101 is no interim status that a handler sends\n\
            200 is no interim status that a handler sends\n\
            a header field has a name or a value that cannot stand in a head";
        assert_eq!(answer.body, expected);
    });
}

#[test]
fn a_server_that_does_not_allow_it_says_so() {
    run(async || {
        let router = Router::new().get("/", async |_: Informational| "the page");
        let address = tests::wire::serve(Default::default(), move |request| router.answer(request));
        assert_eq!(ask(address, "/").await.messages().await[0].status, 500);
    });
}

#[test]
fn an_interim_status_is_no_answer() {
    run(async || {
        let answer = async |_: Request| {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::EARLY_HINTS;
            response
        };
        let [answer] = &ask(serve(answer), "/").await.messages().await[..] else { panic!("one answer") };
        let reason = "500 Internal Server Error: the handler gave an interim status for its answer\n";
        assert_eq!((answer.status, &*answer.body), (500, reason));
    });
}

#[test]
fn a_client_tells_its_observer() {
    run(async || {
        let router = Router::new().get("/", async |hints: Informational| {
            hints.send(StatusCode::PROCESSING, netio::http::HeaderMap::new()).await.unwrap();
            hints.send(StatusCode::EARLY_HINTS, HINT).await.unwrap();
            "the page"
        });
        let url = format!("http://{}/", serve(router));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = seen.clone();
        let client = Client::builder().observer(move |_: &RequestInfo, event: &Event<'_>| {
            if let Event::Interim { status, headers } = event {
                let link = headers.get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
                notes.lock().unwrap().push((status.as_u16(), link));
            }
        });
        assert_eq!(client.build().get(url).await.unwrap().text().await.unwrap(), "the page");
        let expected = [(102, None), (103, Some("</style.css>; rel=preload".to_owned()))];
        assert_eq!(*seen.lock().unwrap(), expected);
    });
}
