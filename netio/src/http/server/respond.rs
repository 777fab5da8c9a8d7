//! The other half of a connection: an answer becomes bytes.
//!
//! - A body of known length is announced with it; one of unknown length goes out in chunks, or to HTTP/1.0 until the end of
//!   the connection.
//! - What a streamed body gives at once goes out in one write; what it has given is never held back while it waits.
//! - While a streamed body waits, the peer is watched: if it hangs up, or only says that it sends no more, the body is
//!   dropped at once. Whoever fills the input with pipelined requests meanwhile counts as gone too.
//! - A body that fails, panics, or gives fewer or more bytes than announced ends the connection in mid-body: the peer sees
//!   that it does not have the whole.

use super::{
    Disconnect,
    connection::{Connection, Stop},
};
use crate::http::{
    HeaderMap, Method, Response, StatusCode, Version,
    body::{Chunks, Outgoing},
    fault::Fault,
    framing::Framing,
    head::RequestHead,
    header,
    input::poll_fill,
    output::{self, Afterwards, LAST_CHUNK},
};
use bytes::{Buf, Bytes};
use futures_io::AsyncWrite;
use runtime::time::Instant;
use std::{
    future::{Future, poll_fn},
    io::{self, ErrorKind, IoSlice},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A body up to this size is copied behind its head; a larger one is written from where it is.
const COPY: usize = 8 * 1024;

/// Output is written when there is this much of it, whatever else could be added.
const ENOUGH: usize = 64 * 1024;

/// What the request says about the way of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    to_head: bool,
    version: Version,
    keep_alive: bool,
}

impl Plan {
    pub(super) fn new(head: &RequestHead, keep_alive: bool) -> Self {
        Plan { to_head: head.request.method() == Method::HEAD, version: head.request.version(), keep_alive }
    }

    /// For a request that was not understood.
    pub(super) fn closing() -> Self {
        Plan { to_head: false, version: Version::HTTP_11, keep_alive: false }
    }
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

/// What is left of an answer when its head is written.
enum Rest {
    Nothing,
    Whole(Bytes),
    Stream(Chunks, Framing),
}

impl<H> Connection<H> {
    /// Answers a request. `Ok` means that another may follow.
    pub(super) fn respond(&mut self, response: Response, plan: Plan) -> impl Future<Output = Result<(), Stop>> {
        // Not part of the future: what need not outlive a wait is no part of an idle connection's memory.
        let begun = self.begin(response, plan);
        async move {
            let (rest, stays) = begun?;
            match rest {
                Rest::Nothing => {}
                Rest::Whole(bytes) => self.write_with(bytes).await?,
                Rest::Stream(chunks, framing) => self.stream_body(chunks, framing).await?,
            }
            if !stays || self.output.len() >= ENOUGH {
                self.flush().await?;
            }
            if stays { Ok(()) } else { Err(Stop::Finished) }
        }
    }

    /// Writes the head, and a body that is there and small. Tells whether the connection stays.
    fn begin(&mut self, response: Response, plan: Plan) -> Result<(Rest, bool), Stop> {
        let (parts, body) = response.into_parts();
        if parts.extensions.get::<Disconnect>().is_some() {
            return Err(Stop::Reset);
        }
        if parts.status.is_informational() {
            return Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler gave no final status").into());
        }
        let bodiless = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let framing = match body.length() {
            _ if bodiless => None,
            Some(length) => Some(Framing::Length(length)),
            None if plan.to_head => None,
            None if plan.version == Version::HTTP_10 => Some(Framing::UntilClose),
            None => Some(Framing::Chunked),
        };
        let stays = plan.keep_alive
            && framing != Some(Framing::UntilClose)
            && !asks_to_close(&parts.headers)
            && !self.shared.stop.is_set();
        let afterwards = match (stays, plan.version) {
            (false, _) => Afterwards::Close,
            (true, Version::HTTP_10) => Afterwards::StaySaid,
            (true, _) => Afterwards::Stay,
        };
        output::response_head(&mut self.output, parts.status, &parts.headers, framing, afterwards);
        let rest = match (body.into_outgoing(), framing) {
            (_, None) => Rest::Nothing,
            _ if plan.to_head => Rest::Nothing,
            (Outgoing::Whole(bytes), _) if bytes.len() <= COPY => {
                self.output.extend_from_slice(&bytes);
                Rest::Nothing
            }
            (Outgoing::Whole(bytes), _) => Rest::Whole(bytes),
            (Outgoing::Stream(chunks), Some(framing)) => Rest::Stream(chunks, framing),
        };
        Ok((rest, stays))
    }

    async fn stream_body(&mut self, mut body: Chunks, framing: Framing) -> Result<(), Stop> {
        let mut left = if let Framing::Length(length) = framing { length } else { u64::MAX };
        loop {
            match poll_fn(|context| self.poll_step(&mut body, context)).await {
                Step::Chunk(chunk) if chunk.len() as u64 > left => break,
                Step::Chunk(chunk) => {
                    left -= chunk.len() as u64;
                    match framing {
                        Framing::Chunked => output::chunk(&mut self.output, &chunk),
                        _ => self.output.extend_from_slice(&chunk),
                    }
                }
                Step::Write => self.flush().await?,
                Step::End => {
                    match framing {
                        Framing::Chunked => self.output.extend_from_slice(LAST_CHUNK),
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
        while self.input.len() < self.shared.limits.head_bytes {
            match ready!(poll_fill(&mut self.stream, &mut self.input, context)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(Step::PeerGone),
            }
        }
        // Whoever sends so much behind a request whose answer is still coming could hang up unseen: that ends here.
        Poll::Ready(Step::PeerGone)
    }

    /// Writes what is to be written.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() { Ok(()) } else { self.write_with(Bytes::new()).await }
    }

    /// Writes what is to be written, and `tail` behind it, without copying the two together.
    async fn write_with(&mut self, mut tail: Bytes) -> io::Result<()> {
        let mut written = 0;
        let mut deadline = None;
        while written < self.output.len() || !tail.is_empty() {
            let length = poll_fn(|context| {
                let parts = [IoSlice::new(&self.output[written..]), IoSlice::new(&tail)];
                let mut stream = &self.stream;
                let write = if tail.is_empty() {
                    Pin::new(&mut stream).poll_write(context, &parts[0])
                } else {
                    Pin::new(&mut stream).poll_write_vectored(context, &parts)
                };
                if write.is_pending() {
                    let limit = self.shared.limits.write_time;
                    self.timer.set(*deadline.get_or_insert_with(|| Instant::now() + limit));
                    ready!(self.timer.poll(context));
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
                write
            })
            .await?;
            deadline = None;
            let of_output = length.min(self.output.len() - written);
            written += of_output;
            tail.advance(length - of_output);
        }
        self.output.clear();
        Ok(())
    }
}

fn asks_to_close(headers: &HeaderMap) -> bool {
    let options = headers.get_all(header::CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    options.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case("close"))
}
