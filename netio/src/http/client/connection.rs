//! One connection of a client: a request out, a response in, both at the same time.

use super::{
    Phase,
    upload::{Outgoing, Upload, Waits},
    watch::Timer,
};
use crate::{
    http::{
        Version,
        fault::Fault,
        framing::{Decoded, Decoder},
        head::{self, ResponseHead, Scan},
        input::poll_fill,
    },
    net::Transport,
};
use bytes::{Bytes, BytesMut};
use runtime::time::Instant;
use std::{
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

/// A connection on which at most one exchange is going on.
pub(super) struct Connection {
    transport: Box<dyn Transport>,
    input: BytesMut,
    scan: Scan,
    upload: Upload,
    /// Interim responses so far.
    interim: usize,
    /// Bytes of this exchange, in and out.
    pub(super) received: u64,
    pub(super) sent: u64,
    /// What the upload waits for.
    waits: Waits,
    /// For the limits of an exchange; it costs too much to make one each time.
    pub(super) timer: Timer,
    born: Instant,
    peer: Option<SocketAddr>,
}

/// What a client accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseLimits {
    /// Bytes of a head; the interim ones count together with the last.
    pub(super) head_bytes: usize,
    /// Fields of a head.
    pub(super) head_fields: usize,
    /// Bytes of a body.
    pub(super) body_bytes: u64,
    /// Interim responses (1xx) before the last one.
    pub(super) interim: usize,
}

/// What is asked, as far as the answer depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) to_head: bool,
    /// The server may switch to another protocol.
    pub(super) upgrade: bool,
}

/// A head that came.
pub(super) enum Heard {
    Interim(ResponseHead),
    Final(ResponseHead),
}

/// What can happen to a connection.
#[derive(Debug)]
pub(super) enum Failure {
    Lost(io::Error),
    Fault(Fault),
    /// The head has more bytes than allowed.
    HeadTooLarge,
    /// The body of the request failed.
    Source(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Lost(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}

impl Connection {
    /// In a box: it goes from hand to hand, from the pool to the exchange to the body and back.
    pub(super) fn new(transport: Box<dyn Transport>, peer: Option<SocketAddr>) -> Box<Self> {
        Box::new(Connection {
            transport,
            input: BytesMut::new(),
            scan: Scan::default(),
            upload: Upload::default(),
            interim: 0,
            received: 0,
            sent: 0,
            waits: Waits::Not,
            timer: Timer::default(),
            born: Instant::now(),
            peer,
        })
    }

    pub(super) fn born(&self) -> Instant {
        self.born
    }

    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Whether the server has neither hung up nor said anything, as far as is known; `surely`: as far as the system knows. Less
    /// costs nothing: what the reactor has not been told, it does not ask.
    pub(super) fn is_alive(&mut self, surely: bool) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let heard = Pin::new(&mut *self.transport).poll_read(&mut context, &mut [0]);
        heard.is_pending() && (!surely || self.transport.is_quiet())
    }

    /// Begins an exchange. `head` writes the head; if the body is `held`, it waits until the server says 100, or is
    /// [released](Connection::release).
    pub(super) fn begin(&mut self, head: impl FnOnce(&mut Vec<u8>), body: Outgoing, held: bool) {
        self.upload.begin(head, body, held);
        self.scan = Scan::default();
        (self.interim, self.received, self.sent) = (0, 0, 0);
    }

    /// Whether the response has begun.
    pub(super) fn has_heard(&self) -> bool {
        self.received > 0
    }

    /// Nothing of the response is left, and nothing came behind it; all of the request is sent.
    pub(super) fn is_clean(&self) -> bool {
        self.input.is_empty() && self.upload.is_done()
    }

    /// The head of the request is sent, and its body held back.
    pub(super) fn is_held(&self) -> bool {
        self.upload.is_held()
    }

    pub(super) fn release(&mut self) {
        self.upload.release();
    }

    /// Nobody but ourselves keeps the exchange from going on.
    pub(super) fn waits_for_body(&self) -> bool {
        self.waits == Waits::ForBody
    }

    /// Where the exchange stands, until its head has come.
    pub(super) fn phase(&self) -> Phase {
        if self.upload.is_done() { Phase::Head } else { Phase::Send }
    }

    fn poll_upload(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        self.waits = self.upload.poll(&mut self.transport, &mut self.sent, context)?;
        Ok(())
    }

    /// The next head. A server may answer before it has the whole request; then the answer counts, and if it is a refusal, no more
    /// is sent.
    pub(super) fn poll_head(
        &mut self,
        asked: Asked,
        limits: &ResponseLimits,
        context: &mut Context<'_>,
    ) -> Poll<Result<Heard, Failure>> {
        self.poll_upload(context)?;
        loop {
            let (most_bytes, most_fields) = (limits.head_bytes, limits.head_fields);
            match head::take_response(&mut self.scan, &mut self.input, most_bytes, most_fields, asked.to_head)? {
                Some(head) => return Poll::Ready(self.understand(head, asked, limits)),
                None if self.input.len() < limits.head_bytes => {}
                None => return Poll::Ready(Err(Failure::HeadTooLarge)),
            }
            match ready!(self.poll_fill(context)) {
                Ok(0) => return Poll::Ready(Err(self.lost(closed()))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(self.lost(error))),
            }
        }
    }

    fn understand(&mut self, head: ResponseHead, asked: Asked, limits: &ResponseLimits) -> Result<Heard, Failure> {
        self.scan = Scan::default();
        match head.status.as_u16() {
            101 if asked.upgrade && head.upgrades && self.upload.is_done() => Ok(Heard::Final(head)),
            101 => Err(bad("the server switched to a protocol that nobody asked for")),
            100..200 if head.version == Version::HTTP_10 => Err(bad("an interim response in HTTP/1.0")),
            100..200 if self.interim == limits.interim => Err(bad("no final response after many interim ones")),
            status @ 100..200 => {
                self.interim += 1;
                if status == 100 {
                    self.release();
                }
                Ok(Heard::Interim(head))
            }
            400.. => {
                self.upload.give_up();
                Ok(Heard::Final(head))
            }
            _ => {
                // It will not say 100 any more.
                if self.upload.is_held() {
                    self.upload.give_up();
                }
                Ok(Heard::Final(head))
            }
        }
    }

    /// So many bytes, if they are here already.
    pub(super) fn take_whole(&mut self, length: u64) -> Option<Bytes> {
        let length = usize::try_from(length).ok().filter(|&length| length <= self.input.len())?;
        Some(self.input.split_to(length).freeze())
    }

    /// The next bytes of the body; `None` at its end.
    pub(super) fn poll_body(
        &mut self,
        decoder: &mut Decoder,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        self.poll_upload(context)?;
        loop {
            match decoder.decode(&mut self.input)? {
                Decoded::Data(data) => return Poll::Ready(Ok(Some(data))),
                Decoded::End => return Poll::Ready(Ok(None)),
                Decoded::More => match ready!(self.poll_fill(context))? {
                    0 if decoder.may_end() => *decoder = Decoder::Done,
                    0 => return Poll::Ready(Err(closed().into())),
                    _ => {}
                },
            }
        }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let length = ready!(poll_fill(&mut self.transport, &mut self.input, context))?;
        self.received += length as u64;
        Poll::Ready(Ok(length))
    }

    /// If the request could not be sent, that is why there is no answer.
    fn lost(&mut self, cause: io::Error) -> Failure {
        Failure::Lost(self.upload.take_failure().unwrap_or(cause))
    }

    /// The connection itself, and what came on it already: for another protocol.
    pub(super) fn into_parts(self) -> (Box<dyn Transport>, Bytes) {
        (self.transport, self.input.freeze())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed it")
}

fn bad(reason: &'static str) -> Failure {
    Failure::Fault(Fault::new(http::StatusCode::BAD_GATEWAY, reason))
}
