//! The wire of a connection: bytes in, bytes out, the body that is coming in, and how long each may take.
//!
//! - There is one timer: whoever waits to write does not read meanwhile, so that one deadline counts at a time.
//! - Output is collected, and written when there is nothing else to do: whoever waits for input has written first.
//! - A connection that waits for a request holds no buffers: they belong to the worker.

use super::{
    Shared,
    incoming::{Coming, Wish},
    informational::Interim,
    timer::Timer,
};
use crate::{
    http::{
        Body,
        client::Upgraded,
        framing::{Decoded, Framing},
        head::RequestFacts,
        input::poll_fill,
        output::CONTINUE,
    },
    net::{Socket, duplex},
};
use bytes::{Buf, Bytes, BytesMut};
use futures_io::AsyncWrite;
use runtime::time::Instant;
use std::{
    cell::Cell,
    future::poll_fn,
    io::{self, ErrorKind, IoSlice},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

/// How long, and for how many bytes, a closed connection is still listened to.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 4 * 1024 * 1024;

thread_local! {
    /// The output of whoever has something to say: a connection that is idle, or whose handler waits, has none.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A peer that does not just wait.
pub(super) enum Peer {
    /// It hung up, or says that it sends no more.
    Gone,
    /// It has sent more than is kept for later: it could hang up unseen behind that.
    Floods,
}

pub(super) struct Wire {
    pub(super) stream: Socket,
    pub(super) shared: Arc<Shared>,
    pub(super) input: BytesMut,
    /// What was answered and is not all written yet; so much of it is.
    pub(super) output: Vec<u8>,
    written: usize,
    /// To be written behind the output, from where it is.
    pub(super) tail: Bytes,
    /// Until when the peer must have taken something.
    write_deadline: Option<Instant>,
    pub(super) timer: Timer,
    /// The body of the request that is being answered, until its end is known.
    pub(super) coming: Option<Box<Coming>>,
    /// What the handler says before its answer.
    pub(super) interim: Option<Interim>,
    /// No other message can be read here: the one before it has no certain end, or the peer is gone.
    pub(super) broken: bool,
    /// Nothing can be written any more.
    pub(super) lost: bool,
}

impl Wire {
    pub(super) fn new(stream: Socket, shared: Arc<Shared>) -> Self {
        Wire {
            stream,
            shared,
            input: BytesMut::new(),
            output: Vec::new(),
            written: 0,
            tail: Bytes::new(),
            write_deadline: None,
            timer: Timer::new(),
            coming: None,
            interim: None,
            broken: false,
            lost: false,
        }
    }

    /// Where to put answers.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        if self.output.capacity() == 0 {
            self.output = SPARE.take();
        }
        &mut self.output
    }

    /// The body of a request whose head was read: whole if it is here, else to be read.
    pub(super) fn body(&mut self, head: &RequestFacts) -> Body {
        let mut body = match head.framing {
            Framing::Length(length) if length <= self.input.len() as u64 => {
                Body::from(self.input.split_to(length as usize).freeze())
            }
            framing => {
                let (coming, body) = Coming::new(framing, &self.shared.limits, head.expects_continue);
                self.coming = Some(Box::new(coming));
                body
            }
        };
        body.set_limit(self.shared.limits.body_bytes);
        body
    }

    /// Reads more of the body, if somebody waits for it; or if nobody ever will, and it is to be thrown away. Ready when there
    /// is news for the task of `context`: it was given something, something was thrown away, or there is no more to come.
    pub(super) fn poll_body(&mut self, discards: bool, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(coming) = &mut self.coming else { return Poll::Ready(()) };
            let wish = coming.wish(context);
            if wish == Wish::Nothing || wish == Wish::Left && !discards {
                coming.rest();
                return Poll::Pending;
            }
            match coming.decoder.decode(&mut self.input) {
                Ok(Decoded::Data(chunk)) if wish == Wish::Left => {
                    coming.discarded += chunk.len() as u64;
                    return Poll::Ready(());
                }
                Ok(Decoded::Data(chunk)) => {
                    let last = coming.decoder.announced() == 0 && coming.decoder.may_end();
                    let own = coming.give(chunk, last, context);
                    if last {
                        self.coming = None;
                    }
                    if own {
                        return Poll::Ready(());
                    }
                }
                Ok(Decoded::End) => {
                    coming.end(context);
                    self.coming = None;
                }
                Ok(Decoded::More) => {
                    if mem::take(&mut coming.expects_continue) && wish == Wish::More {
                        self.out().extend_from_slice(CONTINUE);
                    }
                    if let Err(error) = ready!(self.poll_more(wish, context)) {
                        self.break_body(error, context);
                    }
                }
                Err(fault) => self.break_body(io::Error::new(ErrorKind::InvalidData, fault), context),
            }
        }
    }

    /// Reads once for a body, with everything written that was answered before.
    fn poll_more(&mut self, wish: Wish, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(context))?;
        if let Poll::Ready(read) = poll_fill(&mut self.stream, &mut self.input, context) {
            let gone = || io::Error::new(ErrorKind::UnexpectedEof, "the peer hung up before the end of the body");
            return Poll::Ready(if read? == 0 { Err(gone()) } else { Ok(()) });
        }
        if wish != Wish::More {
            return Poll::Pending;
        }
        if let Some(coming) = &mut self.coming {
            self.timer.set(coming.deadline(&self.shared.limits));
        }
        ready!(self.timer.poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the body did not come in time")))
    }

    fn break_body(&mut self, error: io::Error, context: &Context<'_>) {
        self.broken = true;
        if let Some(coming) = self.coming.take() {
            coming.fail(error, context);
        }
    }

    /// Throws away what is in the input of a body that nobody will read.
    pub(super) fn skip_body(&mut self) {
        while let Some(coming) = &mut self.coming
            && coming.is_left()
        {
            match coming.decoder.decode(&mut self.input) {
                Ok(Decoded::Data(chunk)) => coming.discarded += chunk.len() as u64,
                Ok(Decoded::More) => return,
                Ok(Decoded::End) => self.coming = None,
                Err(_) => {
                    self.broken = true;
                    self.coming = None;
                }
            }
        }
    }

    /// Takes what the handler says before its answer; whoever says more wakes the task of `context`.
    pub(super) fn poll_interim(&mut self, context: &mut Context<'_>) {
        while let Some(interim) = &mut self.interim
            && let Poll::Ready(Some(head)) = interim.poll_recv(context)
        {
            if !self.lost {
                self.out().extend_from_slice(&head);
            }
        }
    }

    /// Writes what is to be written.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() && self.tail.is_empty() {
            return Ok(());
        }
        poll_fn(|context| self.poll_flush(context)).await
    }

    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.len() || !self.tail.is_empty() {
            let parts = [IoSlice::new(&self.output[self.written..]), IoSlice::new(&self.tail)];
            let mut stream = Pin::new(&mut self.stream);
            let write = if self.tail.is_empty() {
                stream.as_mut().poll_write(context, &parts[0])
            } else {
                stream.as_mut().poll_write_vectored(context, &parts)
            };
            let length = match write {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(written) => written?,
                Poll::Pending => {
                    let limit = self.shared.limits.write_time;
                    self.timer.set(*self.write_deadline.get_or_insert_with(|| Instant::now() + limit));
                    ready!(self.timer.poll(context));
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
            };
            self.write_deadline = None;
            let of_output = length.min(self.output.len() - self.written);
            self.written += of_output;
            self.tail.advance(length - of_output);
        }
        self.written = 0;
        if self.output.capacity() > 0 {
            self.output.clear();
            SPARE.set(mem::take(&mut self.output));
        }
        Poll::Ready(Ok(()))
    }

    /// The peer takes nothing any more. Whoever answers need not know, and whoever reads is told.
    pub(super) fn lose(&mut self, error: io::Error, context: &Context<'_>) {
        self.lost = true;
        (self.output, self.written, self.tail) = (Vec::new(), 0, Bytes::new());
        self.break_body(error, context);
    }

    /// Looks whether the peer is still there, while nobody waits for what it sends: that is kept for later.
    pub(super) fn poll_peer(&mut self, context: &mut Context<'_>) -> Poll<Peer> {
        while self.input.len() < self.shared.limits.head_bytes {
            match ready!(poll_fill(&mut self.stream, &mut self.input, context)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(Peer::Gone),
            }
        }
        Poll::Ready(Peer::Floods)
    }

    /// The connection, with what was read and not understood; a closed one stays here in its place.
    pub(super) fn give_over(&mut self) -> Upgraded {
        let closed = Socket::Other(Box::new(duplex(1).0));
        let stream = mem::replace(&mut self.stream, closed);
        Upgraded::new(Box::new(stream), mem::take(&mut self.input).freeze())
    }

    /// Says that nothing more comes, and lets the peer finish what it is saying.
    pub(super) async fn linger(&mut self) {
        self.timer.set(Instant::now() + LINGER);
        let mut heard = 0;
        poll_fn(|context| {
            if ready!(Pin::new(&mut self.stream).poll_close(context)).is_err() {
                return Poll::Ready(());
            }
            while let Poll::Ready(read) = poll_fill(&mut self.stream, &mut self.input, context) {
                match read {
                    Ok(length @ 1..) if heard < LINGER_BYTES => heard += length as u64,
                    _ => return Poll::Ready(()),
                }
                self.input.clear();
            }
            self.timer.poll(context)
        })
        .await;
    }
}
