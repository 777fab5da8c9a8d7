//! One connection: read a request, answer it, and again.
//!
//! - Before it waits for input, everything that was answered is written: so pipelined requests that came together are
//!   answered together, in one write, and nothing is held back.
//! - A message that cannot be understood for certain is answered with its fault, and the connection is closed: where the
//!   next message would start is not certain either.
//! - Whoever is closed while it still sends is listened to for a moment ([`LINGER`]): unread bytes would make the system
//!   reset the connection, and the answer would be lost on the way.

use super::{PeerAddr, Service, Shared, respond::Plan, timer::Timer};
use crate::{
    http::{
        Request, Response, StatusCode, explain,
        fault::Fault,
        framing::{Decoded, Decoder, Framing},
        head::{self, RequestHead, Scan},
        input::poll_fill,
        output::CONTINUE,
    },
    net::TcpStream,
};
use bytes::{Buf, Bytes, BytesMut};
use futures_lite::{FutureExt, future::poll_once};
use runtime::time::Instant;
use std::{
    future::{Future, poll_fn},
    io,
    net::Shutdown,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Poll, ready},
    time::Duration,
};

/// How long, and for how many bytes, a closed connection is still listened to.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// A buffer that can hold this much is not kept by an idle connection.
const KEEP: usize = 2 * 1024;

/// So many requests in a row may be answered before other tasks have their turn. (Those that came in one piece are no
/// operations of the socket, which would give way by themselves.)
const BATCH: u64 = 64;

pub(super) struct Connection<H> {
    pub(super) stream: TcpStream,
    peer: PeerAddr,
    pub(super) shared: Arc<Shared<H>>,
    pub(super) input: BytesMut,
    /// Answers that were not written yet.
    pub(super) output: Vec<u8>,
    pub(super) timer: Timer,
    served: u64,
}

impl<H> Connection<H> {
    pub(super) fn new(stream: TcpStream, peer: PeerAddr, shared: Arc<Shared<H>>) -> Self {
        Connection { stream, peer, shared, input: BytesMut::new(), output: Vec::new(), timer: Timer::new(), served: 0 }
    }
}

/// Why there is no next request.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nothing more is to be said.
    Closed,
    /// We hang up; the peer may still be sending.
    Finished,
    Refused(Fault),
    /// As [`Disconnect`](super::Disconnect) asks.
    Reset,
    Lost,
}

impl From<io::Error> for Stop {
    /// The peer is gone, and nobody is left to be told why.
    fn from(_: io::Error) -> Self {
        Stop::Lost
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Refused(fault)
    }
}

impl<H: Service> Connection<H> {
    pub(super) async fn run(&mut self) {
        let shared = self.shared.clone();
        let mut stop = pin!(shared.stop.wait());
        let end = loop {
            if let Err(end) = self.exchange(stop.as_mut()).await {
                break end;
            }
            self.served += 1;
            if self.served.is_multiple_of(BATCH) {
                runtime::yield_now().await;
            }
        };
        match end {
            Stop::Refused(fault) => {
                // Whether it could be written or not, it was the last answer.
                let _ = self.respond(explain(fault.status, fault.reason), Plan::closing()).await;
                self.linger().await;
            }
            Stop::Finished => self.linger().await,
            // If it cannot be reset, it is gone already.
            Stop::Reset => drop(self.stream.reset_when_dropped()),
            Stop::Closed | Stop::Lost => {}
        }
    }

    /// One request and its answer.
    async fn exchange(&mut self, stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Stop> {
        let mut head = self.read_head(stop).await?;
        *head.request.body_mut() = self.read_body(head.framing, head.expects_continue).await?.into();
        let last = self.served + 1 >= self.shared.limits.requests_per_connection;
        let plan = Plan::new(&head, head.keep_alive && !last);
        let response = self.handle(head.request).await?;
        self.respond(response, plan).await
    }

    /// Calls the handler. If it has to wait, the answers before its own are written first.
    fn handle(&mut self, mut request: Request) -> impl Future<Output = Result<Response, Stop>> {
        request.extensions_mut().insert(self.peer);
        let panicked = |_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked");
        let answer = catch_unwind(AssertUnwindSafe(|| self.shared.handler.answer(request))).map_err(panicked);
        async move {
            let mut answer = pin!(AssertUnwindSafe(answer?).catch_unwind());
            let answer = match poll_once(answer.as_mut()).await {
                Some(answer) => answer,
                None => {
                    self.flush().await?;
                    answer.await
                }
            };
            Ok(answer.map_err(panicked)?)
        }
    }

    async fn read_head(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> Result<RequestHead, Stop> {
        let mut scan = Scan::default();
        let mut deadline = None;
        loop {
            // RFC 9112, 2.2: empty lines before a request are not part of it.
            while self.input.starts_with(b"\r\n") {
                self.input.advance(2);
            }
            if self.input.as_ref() != b"\r"
                && let Some(length) = scan.end(&self.input)?
            {
                if length > self.shared.limits.head_bytes {
                    return Err(scan.too_long().into());
                }
                let bytes = self.input.split_to(length).freeze();
                return Ok(head::request(&bytes, self.shared.limits.fields())?);
            }
            if self.input.len() >= self.shared.limits.head_bytes {
                return Err(scan.too_long().into());
            }
            if self.input.is_empty() {
                self.wait_for_request(stop.as_mut()).await?;
            } else {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.shared.limits.head_time);
                self.fill(deadline, "the head did not come in time").await?;
            }
        }
    }

    /// Between requests: here a connection may be closed without a word.
    async fn wait_for_request(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Stop> {
        self.flush().await?;
        // An idle connection keeps no large buffer for what has been.
        if self.input.try_reclaim(KEEP) {
            self.input = BytesMut::new();
        }
        if self.output.capacity() > KEEP {
            self.output = Vec::new();
        }
        let limits = &self.shared.limits;
        self.timer.set(Instant::now() + if self.served == 0 { limits.head_time } else { limits.keep_alive_time });
        poll_fn(|context| {
            if let Poll::Ready(length) = poll_fill(&mut self.stream, &mut self.input, context)? {
                return Poll::Ready(if length == 0 { Err(Stop::Closed) } else { Ok(()) });
            }
            if stop.as_mut().poll(context).is_pending() {
                ready!(self.timer.poll(context));
            }
            Poll::Ready(Err(Stop::Closed))
        })
        .await
    }

    async fn read_body(&mut self, framing: Framing, mut expects_continue: bool) -> Result<Bytes, Stop> {
        if framing == Framing::Length(0) {
            return Ok(Bytes::new());
        }
        let most = self.shared.limits.body_bytes;
        let deadline = Instant::now() + self.shared.limits.body_time;
        let mut decoder = Decoder::from(framing);
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        loop {
            let received = (first.len() + rest.len()) as u64;
            if received.saturating_add(decoder.announced()) > most {
                return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into());
            }
            match decoder.decode(&mut self.input)? {
                // A body that came in one piece is not copied.
                Decoded::Data(data) if received == 0 => first = data,
                Decoded::Data(data) => rest.extend_from_slice(&data),
                Decoded::More => {
                    if std::mem::take(&mut expects_continue) && received == 0 {
                        self.output.extend_from_slice(CONTINUE);
                    }
                    self.fill(deadline, "the body did not come in time").await?;
                }
                Decoded::End if rest.is_empty() => return Ok(first),
                Decoded::End => return Ok([first, rest.freeze()].concat().into()),
            }
        }
    }

    /// Reads more of a message that has begun.
    async fn fill(&mut self, deadline: Instant, too_late: &'static str) -> Result<(), Stop> {
        self.flush().await?;
        self.timer.set(deadline);
        poll_fn(|context| {
            if let Poll::Ready(length) = poll_fill(&mut self.stream, &mut self.input, context)? {
                return Poll::Ready(if length == 0 { Err(Stop::Closed) } else { Ok(()) });
            }
            ready!(self.timer.poll(context));
            Poll::Ready(Err(Fault::new(StatusCode::REQUEST_TIMEOUT, too_late).into()))
        })
        .await
    }

    /// Says that nothing more comes, and lets the peer finish what it is saying.
    async fn linger(&mut self) {
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        self.timer.set(Instant::now() + LINGER);
        let mut heard = 0;
        poll_fn(|context| {
            while let Poll::Ready(read) = poll_fill(&mut self.stream, &mut self.input, context) {
                match read {
                    Ok(length @ 1..) if heard < LINGER_BYTES => heard += length,
                    _ => return Poll::Ready(()),
                }
                self.input.clear();
            }
            self.timer.poll(context)
        })
        .await;
    }
}
