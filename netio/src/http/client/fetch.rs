//! One exchange with one server: a connection, kept or new, a request out, the head of the response in.

use super::{
    Client, ClientResponse, Error, Phase,
    connect::{self, Route},
    connection::{Asked, Connection, Failure, Heard},
    incoming::Incoming,
    observer::{Event, RequestInfo},
    pool::Lease,
    timeouts::{TimeoutKind, Timeouts},
    upgraded::{Switched, Upgraded},
    upload::Outgoing,
    url::shown,
    watch::{Limit, Watch},
    wire::{self, More},
};
use crate::http::{Body, HeaderMap, Method, StatusCode, framing::Framing, head::ResponseHead, header};
use ::http::{Extensions, request::Parts};
use bytes::Bytes;
use runtime::time::{Sleep, sleep, timeout_at};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::atomic::Ordering,
    task::{Context, Poll},
};

/// Sends a request, and `more` that its caller does not know of. Its URI must be absolute; `Host` is added unless it is there, and
/// the length of the body always. It has to be over at `total`, body and all.
pub(super) async fn fetch(
    client: &Client,
    parts: &Parts,
    body: Body,
    more: More<'_>,
    total: Limit,
) -> Result<ClientResponse, Error> {
    let mut exchange = Exchange::new(client, parts, total);
    match exchange.run(parts, body, &more).await {
        Ok((head, connection, lease)) => exchange.response(head, connection, lease),
        Err(error) => Err(exchange.fail(error)),
    }
}

/// What an exchange is about: for its errors, its limits, and whoever looks on.
pub(super) struct Exchange {
    pub(super) client: Client,
    pub(super) info: RequestInfo,
    pub(super) timeouts: Timeouts,
    pub(super) total: Limit,
    /// Where it stands, if it is dropped.
    phase: Phase,
    /// Its end is told.
    ended: bool,
}

/// A body to be sent, or once more.
enum Sending {
    Body(Outgoing, Option<Option<u64>>),
    Again(Bytes, Option<Option<u64>>),
}

impl Exchange {
    fn new(client: &Client, parts: &Parts, total: Limit) -> Self {
        let settings = &client.inner.settings;
        let id = settings.observer.as_ref().map_or(0, |_| client.inner.requests.fetch_add(1, Ordering::Relaxed));
        let timeouts = client.timeouts_of(&parts.extensions);
        let started = runtime::time::Instant::now();
        let info = RequestInfo { id, method: parts.method.clone(), uri: parts.uri.clone(), started };
        let exchange = Exchange { client: client.clone(), info, timeouts, total, phase: Phase::Acquire, ended: false };
        exchange.tell(&Event::Start);
        exchange
    }

    async fn run(
        &mut self,
        parts: &Parts,
        body: Body,
        more: &More<'_>,
    ) -> Result<(ResponseHead, Box<Connection>, Lease), Error> {
        let client = self.client.clone();
        let route = client.inner.settings.dialing.route(&parts.uri)?;
        let mut lease = self.acquire(&route).await?;
        let (body, length) = wire::body(&parts.method, body);
        let again = match &body {
            Outgoing::Whole(bytes) if parts.method.is_idempotent() => Some(bytes.clone()),
            _ => None,
        };
        let mut sending = Sending::Body(body, length);
        if let Some(mut kept) = lease.take_kept(again.is_none()) {
            self.tell(&Event::Reused);
            match self.exchange(&mut kept, (parts, more), &route, sending).await {
                Ok(head) => return Ok((head, kept, lease)),
                Err(error) => match again {
                    Some(bytes) if matches!(error, Error::Lost { .. }) && !kept.has_heard() => {
                        self.tell(&Event::SentAgain);
                        sending = Sending::Again(bytes, length);
                    }
                    _ => return Err(error),
                },
            }
        }
        self.phase = Phase::Connect;
        let (transport, peer) = connect::connect(self, &route).await?;
        lease.count_new();
        let mut connection = Connection::new(transport, peer);
        let head = self.exchange(&mut connection, (parts, more), &route, sending).await?;
        Ok((head, connection, lease))
    }

    async fn acquire(&self, route: &Route<'_>) -> Result<Lease, Error> {
        let limit = Limit::after(self.timeouts.longest(TimeoutKind::Acquire), TimeoutKind::Acquire).or(self.total);
        let key = route.key();
        let acquire = self.client.inner.pool.acquire(&key, || self.tell(&Event::Queued));
        match timeout_at(limit.at, acquire).await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(_)) => Err(Error::Closed { url: self.url() }),
            Err(_) => Err(self.timeout(Phase::Acquire, limit)),
        }
    }

    /// Sends the request and reads the head of the response.
    async fn exchange(
        &mut self,
        connection: &mut Connection,
        (parts, more): (&Parts, &More<'_>),
        route: &Route<'_>,
        sending: Sending,
    ) -> Result<ResponseHead, Error> {
        let settings = &self.client.inner.settings;
        let (body, length) = match sending {
            Sending::Body(body, length) => (body, length),
            Sending::Again(bytes, length) => (Outgoing::Whole(bytes), length),
        };
        let held = length.is_some_and(|length| length != Some(0)) && expects_continue(&parts.headers);
        let head = |output: &mut Vec<u8>| wire::head(output, parts, more, route.target(), length, route.credentials());
        connection.begin(head, body, held);
        let asked =
            Asked { to_head: parts.method == Method::HEAD, upgrade: parts.headers.contains_key(header::UPGRADE) };
        let mut watch = Watch::new(self.total, &self.timeouts);
        let mut patience = pin!(held.then(|| sleep(settings.continue_time)));
        let mut sent = false;
        let client = self.client.clone();
        let result = poll_fn(|context| {
            loop {
                let polled = connection.poll_head(asked, &client.inner.settings.limits, context);
                self.phase = connection.phase();
                if !sent && self.phase == Phase::Head {
                    sent = true;
                    self.tell(&Event::RequestSent { bytes: connection.sent });
                }
                match polled {
                    Poll::Ready(Ok(Heard::Final(head))) => return Poll::Ready(Ok(head)),
                    Poll::Ready(Ok(Heard::Interim(head))) => {
                        // Nobody else needs its fields.
                        if client.inner.settings.observer.is_some() {
                            self.tell(&Event::Interim { status: head.status, headers: head.fields.map() });
                        }
                    }
                    Poll::Ready(Err(failure)) => return Poll::Ready(Err(self.error(self.phase, failure))),
                    Poll::Pending if connection.is_held() && is_over(patience.as_mut(), context) => {
                        connection.release();
                    }
                    Poll::Pending => {
                        return watch.poll(connection, context).map(|limit| Err(self.timeout(self.phase, limit)));
                    }
                }
            }
        })
        .await;
        watch.disarm(connection);
        result
    }

    fn response(
        mut self,
        head: ResponseHead,
        mut connection: Box<Connection>,
        lease: Lease,
    ) -> Result<ClientResponse, Error> {
        self.phase = Phase::Body;
        let (mut extensions, peer) = (Extensions::new(), connection.peer());
        if self.client.inner.settings.observer.is_some() {
            self.tell(&Event::Head { status: head.status, headers: head.fields.map() });
            extensions.insert(self.info.clone());
        }
        let uri = self.info.uri.clone();
        let limit = self.client.inner.settings.limits.body_bytes;
        let body = match head.framing {
            _ if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                self.end(&connection);
                let (transport, first) = connection.into_parts();
                extensions.insert(Switched::new(Upgraded::new(transport, first)));
                Body::empty()
            }
            Framing::Length(length) if length > limit => {
                let error = Error::TooLarge { url: self.url(), phase: Phase::Body, limit };
                return Err(self.fail(error));
            }
            framing => {
                let whole = match framing {
                    Framing::Length(length) => connection.take_whole(length),
                    _ => None,
                };
                match whole {
                    // It has all come with the head: the connection is free already.
                    Some(bytes) => {
                        if !bytes.is_empty() {
                            self.tell(&Event::Body { bytes: bytes.len() as u64 });
                        }
                        self.end(&connection);
                        if head.keep_alive && connection.is_clean() {
                            lease.give_back(connection);
                        }
                        bytes.into()
                    }
                    None => Incoming::body(self, connection, lease, head.keep_alive, framing),
                }
            }
        };
        Ok(ClientResponse::new(uri, peer, head, extensions, body))
    }

    /// The URL as it may be shown.
    pub(super) fn url(&self) -> String {
        shown(&self.info.uri.to_string()).into_owned()
    }

    pub(super) fn error(&self, phase: Phase, failure: Failure) -> Error {
        let url = self.url();
        match failure {
            Failure::Lost(cause) => Error::Lost { url, phase, cause },
            Failure::Fault(fault) => Error::Protocol { url, phase, reason: fault.reason },
            Failure::Source(cause) => Error::RequestBody { url, cause },
            Failure::HeadTooLarge => {
                let limit = self.client.inner.settings.limits.head_bytes as u64;
                Error::TooLarge { url, phase: Phase::Head, limit }
            }
        }
    }

    pub(super) fn timeout(&self, phase: Phase, limit: Limit) -> Error {
        Error::Timeout { url: self.url(), phase, kind: limit.kind, limit: limit.length }
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        if let Some(observer) = &self.client.inner.settings.observer {
            observer.event(&self.info, event);
        }
    }

    /// It has its response, all of it.
    pub(super) fn end(&mut self, connection: &Connection) {
        self.ended = true;
        self.tell(&Event::End { sent: connection.sent, received: connection.received });
    }

    /// It has no response, or not all of it.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.ended = true;
        self.tell(&Event::Failed { error: &error });
        error
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(&Event::Dropped { phase: self.phase });
        }
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

fn is_over(sleep: Pin<&mut Option<Sleep>>, context: &mut Context<'_>) -> bool {
    sleep.as_pin_mut().is_none_or(|sleep| sleep.poll(context).is_ready())
}
