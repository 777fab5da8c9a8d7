//! The exchanges that are broken: some of them our client's, others written byte by byte by somebody who could be anybody.

use crate::house::{self, TIMEOUT};
use futures_lite::AsyncReadExt;
use netio::{
    http::{
        Body, Method, StatusCode,
        client::{Client, Error},
    },
    net::TcpStream,
};
use runtime::time::{Instant, sleep, timeout};
use std::{net::SocketAddr, time::Duration};
use tests::wire::Peer;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exchange {
    /// Our client: two requests on one connection.
    TwoGets,
    Head,
    /// A body of known length, on a connection that was kept: if it is lost, nobody may ask for this twice.
    Post,
    /// A body that is made while it is sent.
    Upload,
    /// An answer in chunks.
    Stream,
    /// An answer in parts, of known length.
    Known,
    /// An answer that says where the real one is, and that one.
    Moved,
    /// An answer of more than fits on the way.
    Large,
    /// Anybody: a body in chunks.
    PostInChunks,
    /// Two requests at once.
    Pipelined,
    /// Leave is asked for to send the body.
    Continue,
    /// HTTP/1.0: the end of the connection is the end of the answer.
    Old,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As it should.
    Right,
    /// With less than all, and knowing it.
    Failed(&'static str),
}

const TEXT: &str = "a body of some length";

impl Exchange {
    pub(crate) const ALL: [Exchange; 12] = [
        Exchange::TwoGets,
        Exchange::Head,
        Exchange::Post,
        Exchange::Upload,
        Exchange::Stream,
        Exchange::Known,
        Exchange::Moved,
        Exchange::Large,
        Exchange::PostInChunks,
        Exchange::Pipelined,
        Exchange::Continue,
        Exchange::Old,
    ];

    /// Everything that a handler sees of it, if all goes well.
    pub(crate) fn seen(self) -> Vec<String> {
        let lines: &[&str] = match self {
            Exchange::TwoGets => &["GET /small ", "GET /known "],
            Exchange::Head => &["HEAD /small "],
            Exchange::Post => &["GET /small ", "POST /echo a body of some length"],
            Exchange::Upload | Exchange::PostInChunks | Exchange::Continue => &["POST /echo a body of some length"],
            Exchange::Stream | Exchange::Old => &["GET /stream "],
            Exchange::Known => &["GET /known "],
            Exchange::Moved => &["GET /moved ", "GET /small "],
            Exchange::Large => &["GET /large "],
            Exchange::Pipelined => &["POST /echo a body of some length", "GET /stream "],
        };
        lines.iter().map(|line| line.to_string()).collect()
    }

    /// What anybody says, in the parts in which he says it; empty if it is our client who speaks.
    fn script(self) -> Vec<String> {
        let post = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n", TEXT.len());
        match self {
            Exchange::PostInChunks => vec![format!(
                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                 6;x=y\r\n{}\r\nf\r\n{}\r\n0\r\nX: y\r\n\r\n",
                &TEXT[..6],
                &TEXT[6..]
            )],
            Exchange::Pipelined => {
                vec![format!("{post}\r\n{TEXT}GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")]
            }
            Exchange::Continue => {
                vec![format!("{post}Expect: 100-continue\r\nConnection: close\r\n\r\n"), TEXT.to_owned()]
            }
            Exchange::Old => vec!["GET /stream HTTP/1.0\r\n\r\n".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Does it once. `right` are the bytes that anybody hears if all goes well; `refusals` are the
    /// statuses with which the server may tell that it did not hear everything.
    ///
    /// # Panics
    /// When what came is neither right nor known to be less.
    pub(crate) async fn perform(self, client: &Client, address: SocketAddr, right: &[u8], refusals: &[u16]) -> Ended {
        let script = self.script();
        if script.is_empty() {
            return match self.fetch(client, address, refusals).await {
                Ok(ended) => ended,
                Err(Error::Connect { .. }) => Ended::Failed("connect"),
                Err(Error::Lost { .. }) => Ended::Failed("lost"),
                Err(Error::Timeout { .. }) => Ended::Failed("timeout"),
                Err(other) => panic!("not what can happen here: {other}"),
            };
        }
        let (heard, ended) = hear(address, &script).await;
        if heard == right {
            return Ended::Right;
        }
        if !right.starts_with(&heard) && !without_close(right).starts_with(&without_close(&heard)) {
            assert_is_refused(&heard, right, refusals);
            return Ended::Failed("refused");
        }
        Ended::Failed(ended)
    }

    /// What anybody hears; nothing if it is our client who speaks.
    pub(crate) async fn heard(self, address: SocketAddr) -> Vec<u8> {
        match self.script() {
            script if script.is_empty() => Vec::new(),
            script => hear(address, &script).await.0,
        }
    }

    async fn fetch(self, client: &Client, address: SocketAddr, refusals: &[u16]) -> Result<Ended, Error> {
        let ask = async |method: Method, path: &str, body: Body, expected: &[u8]| {
            let start = Instant::now();
            let answer = client.request(method.clone(), format!("http://{address}{path}")).body(body).await;
            assert!(start.elapsed() <= TIMEOUT, "it took {:?}", start.elapsed());
            let answer = answer?;
            match answer.status() {
                StatusCode::OK | StatusCode::FOUND => {}
                other if refusals.contains(&other.as_u16()) => return Ok(false),
                other => panic!("{path}: {other}"),
            }
            if method == Method::HEAD {
                assert_eq!(answer.headers()["content-length"], "5");
            }
            let body = answer.bytes().await;
            assert!(start.elapsed() <= TIMEOUT, "it took {:?}", start.elapsed());
            assert!(body? == expected, "{path}: another body");
            Ok(true)
        };
        let get = async |path, expected: &[u8]| ask(Method::GET, path, Body::empty(), expected).await;
        let whole = match self {
            Exchange::TwoGets => get("/small", b"hello").await? && get("/known", b"one two 3..").await?,
            Exchange::Head => ask(Method::HEAD, "/small", Body::empty(), b"").await?,
            Exchange::Post => {
                get("/small", b"hello").await? && ask(Method::POST, "/echo", TEXT.into(), TEXT.as_bytes()).await?
            }
            Exchange::Stream => get("/stream", b"one two 3..").await?,
            Exchange::Known => get("/known", b"one two 3..").await?,
            Exchange::Moved => get("/moved", b"hello").await?,
            Exchange::Upload => ask(Method::POST, "/echo", in_parts(), TEXT.as_bytes()).await?,
            Exchange::Large => get("/large", &house::large()).await?,
            Exchange::PostInChunks | Exchange::Pipelined | Exchange::Continue | Exchange::Old => {
                unreachable!("these are spoken by hand")
            }
        };
        Ok(if whole { Ended::Right } else { Ended::Failed("refused") })
    }
}

fn in_parts() -> Body {
    Body::writer(async |mut body| {
        for part in TEXT.split_inclusive(' ') {
            body.write(part).await?;
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

/// What was heard until the end, and what end it was.
async fn hear(address: SocketAddr, script: &[String]) -> (Vec<u8>, &'static str) {
    let mut heard = Vec::new();
    let ended = match timeout(TIMEOUT, converse(address, script, &mut heard)).await {
        Err(_) => "timeout",
        Ok(Ok(())) => "closed",
        Ok(Err(_)) => "lost",
    };
    (heard, ended)
}

/// Says every part, each but the first when the server has said something, and hears all to the end.
async fn converse(address: SocketAddr, script: &[String], heard: &mut Vec<u8>) -> std::io::Result<()> {
    let mut peer = Peer::from(TcpStream::connect(address).await?);
    for (number, part) in script.iter().enumerate() {
        if number > 0 {
            let more = peer.read().await?;
            heard.extend_from_slice(&more);
            if more.is_empty() {
                return Ok(());
            }
        }
        peer.try_send(part).await?;
    }
    // `read_to_end` keeps what came before an error.
    peer.stream.read_to_end(heard).await.map(drop)
}

/// A server that is stopping says so with its last answer.
fn without_close(wire: &[u8]) -> String {
    String::from_utf8_lossy(wire).replace("connection: close\r\n", "")
}

/// Whole right answers, and behind them what a server says that has not heard everything; perhaps not all of that.
fn assert_is_refused(heard: &[u8], right: &[u8], refusals: &[u16]) {
    let text = String::from_utf8_lossy(heard);
    let same = heard.iter().zip(right).take_while(|(one, other)| one == other).count();
    let begin = (0..=same).rev().find(|&at| heard[at..].starts_with(b"HTTP/1.1 4")).expect(&text);
    let status = text[begin..].get(9..12).and_then(|status| status.parse().ok());
    assert!(status.is_none_or(|status: u16| refusals.contains(&status)), "not one of {refusals:?}: {text}");
}
