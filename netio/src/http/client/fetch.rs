//! One exchange with one server: a connection, kept or new, a request out, the head of the response in.

use super::{
    Client, ClientResponse, Error, Phase, bad_url,
    connection::{Connection, Failure},
    incoming::Incoming,
};
use crate::{
    http::{
        Body, HeaderValue, Method, Request, Uri,
        framing::{Decoder, Framing},
        head::ResponseHead,
        header,
        output::{self, Afterwards},
    },
    net::{Address, STAGGER, TcpOptions, TcpStream, happy_eyeballs},
};
use bytes::Bytes;
use runtime::{
    future::{Either, race},
    time::{Instant, sleep_until},
};
use std::{pin::pin, time::Duration};

/// Sends a request. Its URI must be absolute; `Host` is added unless it is there, and the length of the body always.
pub(super) async fn fetch(client: &Client, request: Request) -> Result<ClientResponse, Error> {
    let (parts, mut body) = request.into_parts();
    let uri = &parts.uri;
    let fetch = Fetch {
        client: client.clone(),
        url: uri.to_string(),
        host: host_and_port(uri)?,
        deadline: Instant::now() + client.inner.settings.timeout,
    };
    let body = body.bytes().await.map_err(|cause| Error::Lost { url: fetch.url.clone(), phase: Phase::Send, cause })?;
    let request = ::http::Request::from_parts(parts, body);
    let wire = write(&request);
    let may_repeat = request.method().is_idempotent();
    let to_head = request.method() == Method::HEAD;
    if let Some(mut kept) = client.inner.pool.take(&fetch.host, client.inner.settings.keep_alive_time) {
        match fetch.exchange(&mut kept, &wire, to_head).await {
            Err(Error::Lost { .. }) if may_repeat && !kept.has_heard() => {}
            result => return Ok(fetch.response(request.uri(), kept, result?)),
        }
    }
    let mut connection = fetch.connect().await?;
    let head = fetch.exchange(&mut connection, &wire, to_head).await?;
    Ok(fetch.response(request.uri(), connection, head))
}

/// What a fetch is about: for its errors, its deadline, and the pool.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) client: Client,
    pub(super) url: String,
    /// `host:port`, the key in the pool.
    pub(super) host: String,
    pub(super) deadline: Instant,
}

impl Fetch {
    async fn connect(&self) -> Result<Connection, Error> {
        let settings = &self.client.inner.settings;
        let limit = settings.timeout.min(settings.connect_timeout);
        let mut wait = pin!(sleep_until(self.deadline.min(Instant::now() + limit)));
        let addresses = match race(Address::from(&self.host).resolve(), wait.as_mut()).await {
            Either::Left(addresses) => addresses.map_err(|cause| Error::Dns { url: self.url.clone(), cause })?,
            Either::Right(()) => return Err(self.timeout(Phase::Resolve, limit)),
        };
        let options = TcpOptions::new();
        let call = |address| TcpStream::call(address, None, false, &options);
        match race(happy_eyeballs(addresses, STAGGER, call), wait.as_mut()).await {
            Either::Left(Ok(stream)) => Ok(Connection::new(stream)),
            Either::Left(Err(failures)) => Err(Error::Connect { url: self.url.clone(), cause: failures.into() }),
            Either::Right(()) => Err(self.timeout(Phase::Connect, limit)),
        }
    }

    /// Sends the request and reads the head of the response.
    async fn exchange(&self, connection: &mut Connection, wire: &[u8], to_head: bool) -> Result<ResponseHead, Error> {
        let settings = &self.client.inner.settings;
        let exchange = connection.exchange(wire, settings.head_bytes, to_head);
        match race(exchange, sleep_until(self.deadline)).await {
            Either::Left(Ok(head)) => Ok(head),
            Either::Left(Err(failure)) => Err(self.error(connection.phase(), failure)),
            Either::Right(()) => Err(self.timeout(connection.phase(), settings.timeout)),
        }
    }

    fn response(self, url: &Uri, connection: Connection, head: ResponseHead) -> ClientResponse {
        let decoder = Decoder::from(head.framing);
        let body = match Incoming::new(self, connection, head.keep_alive, decoder) {
            Some(incoming) => Body::stream(incoming),
            None => Body::empty(),
        };
        ClientResponse::new(url.clone(), head, body)
    }

    pub(super) fn error(&self, phase: Phase, failure: Failure) -> Error {
        let url = self.url.clone();
        match failure {
            Failure::Lost(cause) => Error::Lost { url, phase, cause },
            Failure::Fault(fault) => Error::Protocol { url, phase, reason: fault.reason },
            Failure::HeadTooLarge => {
                Error::TooLarge { url, phase, limit: self.client.inner.settings.head_bytes as u64 }
            }
        }
    }

    pub(super) fn timeout(&self, phase: Phase, limit: Duration) -> Error {
        Error::Timeout { url: self.url.clone(), phase, limit }
    }
}

fn host_and_port(uri: &Uri) -> Result<String, Error> {
    let bad = |reason| Err(bad_url(&uri.to_string(), reason));
    let Some(authority) = uri.authority().filter(|_| uri.scheme_str().is_some()) else {
        return bad("it is not absolute");
    };
    if uri.scheme_str() != Some("http") {
        return bad("the scheme is not http");
    }
    if authority.as_str().contains('@') {
        return bad("it names a user");
    }
    let host = authority.host();
    match authority.as_str().strip_prefix(host).and_then(|port| port.strip_prefix(':')) {
        None | Some("") => Ok(format!("{host}:80")),
        Some(port) => port.parse::<u16>().map(|port| format!("{host}:{port}")).or_else(|_| bad("the port is no port")),
    }
}

/// The request as bytes, in one piece.
fn write(request: &::http::Request<Bytes>) -> Vec<u8> {
    let mut headers = request.headers().clone();
    if let Some(authority) = request.uri().authority()
        && !headers.contains_key(header::HOST)
    {
        headers.insert(header::HOST, output::plain(authority.as_str()));
    }
    let ours = HeaderValue::from_static(concat!("handloom/", env!("CARGO_PKG_VERSION")));
    headers.entry(header::USER_AGENT).or_insert(ours);
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let body: &Bytes = request.body();
    let sends = !body.is_empty() || matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let framing = sends.then_some(Framing::Length(body.len() as u64));
    let closes = headers.get(header::CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    let afterwards = if closes { Afterwards::Close } else { Afterwards::Stay };
    let mut wire = Vec::with_capacity(256 + body.len());
    output::request_head(&mut wire, request.method(), request.uri(), &headers, framing, afterwards);
    wire.extend_from_slice(body);
    wire
}
