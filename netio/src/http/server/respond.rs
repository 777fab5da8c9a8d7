//! The other half of a connection: an answer becomes bytes.
//!
//! - A body of known length is announced with it; one of unknown length goes out in chunks, or to HTTP/1.0 until the end of
//!   the connection.
//! - What a streamed body gives at once goes out in one write; what it has given is never held back while it waits.
//! - While a streamed body waits, the peer is watched: if it hangs up, or only says that it sends no more, the body is
//!   dropped at once. Whoever fills the input with pipelined requests meanwhile counts as gone too.
//! - Where a body was too large, the connection is closed after the answer: what it still brings is not worth the wait.
//! - A body that fails, panics, or gives fewer or more bytes than announced ends the connection in mid-body: the peer sees
//!   that it does not have the whole.

use super::{
    Disconnect,
    connection::Stop,
    endless::{Endless, until_stop},
    upgrade::Upgrade,
    wire::{Peer, Wire},
};
use crate::http::{
    HeaderValue, Method, Request, Response, StatusCode, Version,
    body::{Chunks, Outgoing},
    fault::Fault,
    framing::Framing,
    head::RequestFacts,
    header,
    output::{self, Afterwards, CONTINUE, ResponseWriter},
    trailers::Announced,
};
use bytes::Bytes;
use runtime::time::Instant;
use std::{
    future::poll_fn,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, ready},
};

/// Output is written when there is this much of it, whatever else could be added.
const ENOUGH: usize = 64 * 1024;

/// So much of a body that nobody reads is thrown away while the answer is streamed. Beyond, its peer counts as gone.
const FLOOD: u64 = 4 * 1024 * 1024;

/// What the request says about the way of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    to_head: bool,
    version: Version,
    keep_alive: bool,
    takes_trailers: bool,
}

impl Plan {
    pub(super) fn new(request: &Request, facts: &RequestFacts, keep_alive: bool) -> Self {
        let to_head = request.method() == Method::HEAD;
        Plan { to_head, version: request.version(), keep_alive, takes_trailers: facts.takes_trailers }
    }

    /// For a request that was not understood.
    pub(super) fn closing() -> Self {
        Plan { to_head: false, version: Version::HTTP_11, keep_alive: false, takes_trailers: false }
    }
}

/// A body whose head is written.
struct Streamed {
    chunks: Chunks,
    framing: Framing,
    trailers: Option<Box<Announced>>,
}

/// A response whose head is written.
pub(super) struct Begun {
    rest: Option<Streamed>,
    /// Another request may follow.
    stays: bool,
}

/// What to do next for a streamed body.
enum Step {
    Chunk(Bytes),
    /// The body waits, and something is to be written meanwhile; or there is enough of it.
    Write,
    End,
    Failed,
    PeerGone,
}

impl Wire {
    /// Answers a request: what is left to be done, if anything is. Most answers are small and there, and wait for nothing: so
    /// there is no future for them.
    pub(super) fn respond(&mut self, response: Response, plan: Plan) -> Result<Option<Begun>, Stop> {
        let begun = self.begin(response, plan)?;
        let is_over = begun.rest.is_none() && self.coming.is_none() && begun.stays && !self.broken;
        let can_wait = self.tail.is_empty() && self.output.len() < ENOUGH;
        Ok(if is_over && can_wait { None } else { Some(begun) })
    }

    /// Does what is left to be done. `Ok` means that another request may follow.
    pub(super) async fn finish(&mut self, Begun { rest, stays }: Begun) -> Result<(), Stop> {
        if let Some(streamed) = rest {
            self.stream_body(streamed).await?;
        }
        if self.coming.is_some() {
            self.finish_body(stays).await?;
        }
        if !stays || self.broken {
            self.flush().await?;
            return Err(Stop::Finished);
        }
        if !self.tail.is_empty() || self.output.len() >= ENOUGH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes the head, and a body that is there and small.
    fn begin(&mut self, mut response: Response, plan: Plan) -> Result<Begun, Stop> {
        let parts = response.parts_mut();
        if self.lost {
            return Err(Stop::Lost);
        }
        if parts.extensions.get::<Disconnect>().is_some() {
            return Err(Stop::Reset);
        }
        if parts.status == StatusCode::SWITCHING_PROTOCOLS
            && let Some(speak) = parts.extensions.get::<Upgrade>().and_then(Upgrade::take)
        {
            self.skip_body();
            if self.broken || self.coming.is_some() {
                return Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler left a body unread").into());
            }
            let mut head = ResponseWriter::new(self.out(), parts.status);
            parts.fields.for_each(|name, value| head.field(name, value));
            head.end(None, Afterwards::Upgrade);
            return Err(Stop::Switched(speak));
        }
        if parts.status.is_informational() {
            return Err(Fault::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the handler gave an interim status for its answer",
            )
            .into());
        }
        let bodiless = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let framing = match parts.body.length() {
            _ if bodiless => None,
            Some(length) => Some(Framing::Length(length)),
            None if plan.to_head => None,
            None if plan.version == Version::HTTP_10 => Some(Framing::UntilClose),
            None => Some(Framing::Chunked),
        };
        let trailers = parts.body.take_announced();
        let trailers = trailers.filter(|_| plan.takes_trailers && framing == Some(Framing::Chunked));
        if let Some(names) = trailers.as_ref().and_then(|trailers| trailers.field()) {
            parts.fields.set(header::TRAILER, names);
        }
        let reaches = self.reaches_the_next() && plan.keep_alive && !self.shared.ties.0.stop.is_set();
        let mut head = ResponseWriter::new(self.out(), parts.status);
        let mut asks_to_close = false;
        parts.fields.for_each(|name, value| {
            asks_to_close |= *name == header::CONNECTION && says_close(value);
            head.field(name, value);
        });
        let stays = reaches
            && parts.status != StatusCode::PAYLOAD_TOO_LARGE
            && framing != Some(Framing::UntilClose)
            && !asks_to_close;
        let afterwards = match (stays, plan.version) {
            (false, _) => Afterwards::Close,
            (true, Version::HTTP_10) => Afterwards::StaySaid,
            (true, _) if parts.status == StatusCode::UPGRADE_REQUIRED => Afterwards::Upgrade,
            (true, _) => Afterwards::Stay,
        };
        head.end(framing, afterwards);
        let mut begun = Begun { rest: None, stays };
        let Some(framing) = framing.filter(|_| !plan.to_head) else { return Ok(begun) };
        if let Some(bytes) = parts.body.small() {
            self.output.extend_from_slice(bytes);
            return Ok(begun);
        }
        match mem::take(&mut parts.body).into_outgoing() {
            Outgoing::Whole(bytes) => self.tail = bytes,
            Outgoing::Stream(chunks) => {
                let endless = parts.extensions.get::<Endless>().is_some();
                let chunks = if endless { until_stop(chunks, &self.shared.ties) } else { chunks };
                begun.rest = Some(Streamed { chunks, framing, trailers });
            }
        }
        Ok(begun)
    }

    /// Whether it is worth while to wait for the next request: not if a body that nobody reads is in the way, and is not small.
    fn reaches_the_next(&mut self) -> bool {
        self.skip_body();
        if let Some(coming) = &mut self.coming {
            let left = coming.is_left();
            if mem::take(&mut coming.expects_continue) {
                // Whoever kept the body will read it; if nobody did, the peer need not send it, and nobody knows whether it does.
                if left {
                    self.broken = true;
                } else {
                    self.out().extend_from_slice(CONTINUE);
                }
            } else if left && coming.decoder.announced() > self.shared.limits.unread_bytes {
                self.broken = true;
            }
        }
        !self.broken
    }

    /// The answer is there before the end of what it answers: whoever reads that may go on; what nobody reads is thrown away,
    /// if the connection can be kept that way.
    async fn finish_body(&mut self, stays: bool) -> Result<(), Stop> {
        self.flush().await?;
        let mut deadline = None;
        poll_fn(|context| {
            while let Some(coming) = &self.coming {
                let left = coming.is_left();
                if left {
                    let most = self.shared.limits.unread_bytes;
                    if !stays || coming.discarded.max(coming.decoder.announced()) > most {
                        return Poll::Ready(Err(Stop::Finished));
                    }
                }
                if self.poll_body(true, context).is_pending() {
                    if left {
                        let limit = self.shared.limits.body_time;
                        self.timer.set(*deadline.get_or_insert_with(|| Instant::now() + limit));
                        ready!(self.timer.poll(context));
                        return Poll::Ready(Err(Stop::Finished));
                    }
                    return Poll::Pending;
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    async fn stream_body(&mut self, streamed: Streamed) -> Result<(), Stop> {
        let Streamed { chunks: mut body, framing, trailers } = streamed;
        let mut left = if let Framing::Length(length) = framing { length } else { u64::MAX };
        loop {
            match poll_fn(|context| self.poll_step(&mut body, context)).await {
                Step::Chunk(chunk) if chunk.len() as u64 > left => break,
                Step::Chunk(chunk) => {
                    left -= chunk.len() as u64;
                    match framing {
                        Framing::Chunked => output::chunk(self.out(), &chunk),
                        _ => self.out().extend_from_slice(&chunk),
                    }
                }
                Step::Write => self.flush().await?,
                Step::End => {
                    match framing {
                        Framing::Chunked => {
                            let made = catch_unwind(AssertUnwindSafe(|| trailers.map(|trailers| trailers.make())));
                            let Ok(fields) = made else { break };
                            output::last_chunk(self.out(), &fields.unwrap_or_default());
                        }
                        Framing::Length(_) if left > 0 => break,
                        _ => {}
                    }
                    return Ok(());
                }
                Step::Failed => break,
                Step::PeerGone => return Err(Stop::Lost),
            }
        }
        drop(body);
        self.flush().await?;
        // A body that ends with the connection would look whole: only a reset says that it is not.
        Err(if framing == Framing::UntilClose { Stop::Reset } else { Stop::Finished })
    }

    fn poll_step(&mut self, body: &mut Chunks, context: &mut Context<'_>) -> Poll<Step> {
        loop {
            if self.output.len() >= ENOUGH {
                return Poll::Ready(Step::Write);
            }
            let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_next(context)));
            match polled {
                Err(_panic) => return Poll::Ready(Step::Failed),
                Ok(Poll::Ready(None)) => return Poll::Ready(Step::End),
                Ok(Poll::Ready(Some(Err(_)))) => return Poll::Ready(Step::Failed),
                Ok(Poll::Ready(Some(Ok(chunk)))) => return Poll::Ready(Step::Chunk(chunk)),
                Ok(Poll::Pending) if !self.output.is_empty() => return Poll::Ready(Step::Write),
                Ok(Poll::Pending) => {}
            }
            if self.coming.is_none() {
                // Nobody hangs up unseen, whatever was sent behind the request.
                let (Peer::Gone | Peer::Floods) = ready!(self.poll_peer(context));
                return Poll::Ready(Step::PeerGone);
            }
            ready!(self.poll_body(true, context));
            if self.broken || self.coming.as_ref().is_some_and(|coming| coming.discarded > FLOOD) {
                return Poll::Ready(Step::PeerGone);
            }
        }
    }
}

fn says_close(connection: &HeaderValue) -> bool {
    connection.as_bytes().split(|&byte| byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}
