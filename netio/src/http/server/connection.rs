//! One connection: read a request, answer it, and again.
//!
//! - Before it waits for input, everything that was answered is written: so pipelined requests that came together are
//!   answered together, in one write, and nothing is held back.
//! - While the handler waits, the body that it wants is read, and no more than that: what nobody reads stays with the peer.
//! - A message that cannot be understood for certain is answered with its fault, and the connection is closed: where the
//!   next message would start is not certain either.
//! - Whoever is closed while it still sends is listened to for a moment: unread bytes would make the system reset the
//!   connection, and the answer would be lost on the way.

use super::{
    Informational, Refusal, Service, Shared,
    respond::Plan,
    upgrade::Speak,
    wire::{Peer, Wire},
};
use crate::{
    http::{
        Request, Response, StatusCode, explain,
        fault::Fault,
        framing::Framing,
        head::{self, RequestFacts, Scan},
        input::poll_fill,
    },
    net::{Socket, Transport},
};
use bytes::BytesMut;
use runtime::time::Instant;
use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

/// So many requests in a row may be answered before other tasks have their turn. (Those that came in one piece are no
/// operations of the socket, which would give way by themselves.)
const BATCH: u64 = 64;

/// Why there is no next request.
pub(super) enum Stop {
    /// Nothing more is to be said.
    Closed,
    /// We hang up; the peer may still be sending.
    Finished,
    Refused(Fault),
    /// As [`Disconnect`](super::Disconnect) asks.
    Reset,
    /// The connection goes on in another protocol.
    Switched(Speak),
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

pub(super) struct Connection<S> {
    wire: Wire,
    peer: Option<SocketAddr>,
    service: Arc<S>,
    served: u64,
}

impl<S: Service> Connection<S> {
    pub(super) fn new(stream: Socket, peer: Option<SocketAddr>, shared: Arc<Shared>, service: Arc<S>) -> Self {
        Connection { wire: Wire::new(stream, shared), peer, service, served: 0 }
    }

    pub(super) async fn run(&mut self) {
        let shared = self.wire.shared.clone();
        let mut stop = pin!(shared.ties.0.stop.wait());
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
                self.wire.coming = None;
                if let Some(tell) = &shared.on_refusal {
                    (tell.0)(&Refusal { peer: self.peer, status: fault.status, reason: fault.reason });
                }
                // Whether it could be written or not, it was the last answer.
                if let Ok(Some(begun)) = self.wire.respond(explain(fault.status, fault.reason), Plan::closing()) {
                    let _ = self.wire.finish(begun).await;
                }
                self.wire.linger().await;
            }
            Stop::Finished => self.wire.linger().await,
            // If it cannot be reset, it is gone already.
            Stop::Reset => drop(self.wire.stream.reset_when_dropped()),
            Stop::Switched(speak) => {
                if self.wire.flush().await.is_ok() {
                    speak(self.wire.give_over()).await;
                }
            }
            Stop::Closed | Stop::Lost => {}
        }
    }

    /// One request and its answer.
    async fn exchange(&mut self, stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Stop> {
        let (facts, request) = self.wire.read_head(stop, self.served == 0).await?;
        let (answer, plan) = self.begin(facts, request)?;
        let mut answer = pin!(answer);
        let response = poll_fn(|context| self.wire.poll_answer(answer.as_mut(), context)).await?;
        match self.wire.respond(response, plan)? {
            Some(begun) => self.wire.finish(begun).await,
            None => Ok(()),
        }
    }

    /// Calls the handler.
    ///
    /// No future itself: what need not outlive a wait is no part of an idle connection's memory.
    fn begin(&mut self, facts: RequestFacts, mut request: Request) -> Result<(S::Answer, Plan), Stop> {
        let shared = &*self.wire.shared;
        let last = self.served + 1 >= shared.limits.requests_per_connection;
        let plan = Plan::new(&request, &facts, facts.keep_alive && !last);
        request.set_peer(self.peer);
        if shared.informational {
            let (informational, interim) = Informational::new(request.version());
            request.extensions_mut().insert(informational);
            self.wire.interim = interim;
        }
        if facts.framing != Framing::Length(0) {
            *request.body_mut() = self.wire.body(&facts);
        }
        let answer = catch_unwind(AssertUnwindSafe(|| self.service.answer(request))).map_err(panicked)?;
        Ok((answer, plan))
    }
}

fn panicked<P>(_: P) -> Fault {
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked")
}

impl Wire {
    /// The handler; and while it waits, the answers before its own are written, and the body that it waits for is read.
    fn poll_answer(
        &mut self,
        mut answer: Pin<&mut impl Future<Output = Response>>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Response, Stop>> {
        loop {
            match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
                Ok(Poll::Ready(response)) => {
                    self.poll_interim(context);
                    self.interim = None;
                    return Poll::Ready(Ok(response));
                }
                Ok(Poll::Pending) => self.poll_interim(context),
                Err(panic) => return Poll::Ready(Err(panicked(panic).into())),
            }
            let cancels = self.shared.cancels;
            match ready!(self.poll_flush(context)) {
                Err(_) if cancels => return Poll::Ready(Err(Stop::Lost)),
                Err(error) => self.lose(error, context),
                Ok(()) => {}
            }
            if self.coming.is_some() {
                ready!(self.poll_body(cancels, context));
            } else if cancels && let Peer::Gone = ready!(self.poll_peer(context)) {
                return Poll::Ready(Err(Stop::Lost));
            } else {
                return Poll::Pending;
            }
        }
    }

    async fn read_head(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        first: bool,
    ) -> Result<(RequestFacts, Request), Stop> {
        let mut scan = Scan::default();
        let mut deadline = None;
        loop {
            let limits = &self.shared.limits;
            if !self.input.is_empty()
                && let Some(head) = head::take_request(&mut scan, &mut self.input, limits.head_bytes, limits.fields())?
            {
                return Ok(head);
            }
            self.flush().await?;
            if self.input.is_empty() {
                // An idle connection keeps no buffer for what has been.
                self.input = BytesMut::new();
                let limits = &self.shared.limits;
                self.timer.set(Instant::now() + if first { limits.head_time } else { limits.keep_alive_time });
                poll_fn(|context| self.poll_request(stop.as_mut(), context)).await?;
            } else {
                self.timer.set(*deadline.get_or_insert_with(|| Instant::now() + self.shared.limits.head_time));
                poll_fn(|context| self.poll_head(context)).await?;
            }
        }
    }

    /// Between requests: here a connection may be closed without a word.
    fn poll_request(
        &mut self,
        stop: Pin<&mut impl Future<Output = ()>>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Stop>> {
        if let Poll::Ready(length) = poll_fill(&mut self.stream, &mut self.input, context)? {
            return Poll::Ready(if length == 0 { Err(Stop::Closed) } else { Ok(()) });
        }
        if stop.poll(context).is_pending() {
            ready!(self.timer.poll(context));
        }
        Poll::Ready(Err(Stop::Closed))
    }

    /// Reads more of a head that has begun.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Stop>> {
        if let Poll::Ready(length) = poll_fill(&mut self.stream, &mut self.input, context)? {
            return Poll::Ready(if length == 0 { Err(Stop::Closed) } else { Ok(()) });
        }
        ready!(self.timer.poll(context));
        Poll::Ready(Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "the head did not come in time").into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::server::Router, net::duplex};

    /// The goal is 2 KiB for an idle connection in all: with its socket, its timer and its place.
    #[test]
    fn an_idle_connection_is_small() {
        let stream = Socket::Other(Box::new(duplex(1).0));
        let mut connection = Connection::new(stream, None, Arc::default(), Arc::new(Router::new()));
        let state = size_of_val(&connection);
        let running = size_of_val(&connection.run());
        assert!(state + running <= 1280, "{state} bytes of state, and a future of {running}");
    }
}
