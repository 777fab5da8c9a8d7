//! One connection of a client: a request out, a response in.

use super::Phase;
use crate::{
    http::{
        Version,
        fault::Fault,
        framing::{Decoded, Decoder},
        head::{self, MOST_FIELDS, ResponseHead, Scan},
        input::poll_fill,
    },
    net::TcpStream,
};
use bytes::{Bytes, BytesMut};
use futures_lite::AsyncWriteExt;
use std::{
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    pin::pin,
    task::{Context, Poll, ready},
};

/// The most interim responses (1xx) before the final one.
const INTERIM: usize = 16;

/// A connection on which at most one exchange is going on.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    input: BytesMut,
    /// The request has not, or not all, been sent.
    sending: bool,
}

/// What can happen to a connection.
#[derive(Debug)]
pub(super) enum Failure {
    Lost(io::Error),
    Fault(Fault),
    /// The head has more bytes than allowed.
    HeadTooLarge,
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
    pub(super) fn new(stream: TcpStream) -> Self {
        // A request is at most two writes; the second must not wait for the answer to the first. If it fails, so will they.
        let _ = stream.set_nodelay(true);
        Connection { stream, input: BytesMut::new(), sending: false }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.stream.is_quiet()
    }

    /// Whether the response has begun.
    pub(super) fn has_heard(&self) -> bool {
        !self.input.is_empty()
    }

    /// Where the exchange stands, until its head has come.
    pub(super) fn phase(&self) -> Phase {
        if self.sending { Phase::Send } else { Phase::Head }
    }

    /// Sends a request, and gives the head of the final response. A server may answer before it has the whole request, and
    /// take no more of it: then the answer counts, and the connection is of no further use.
    pub(super) async fn exchange(&mut self, wire: &[u8], most: usize, to_head: bool) -> Result<ResponseHead, Failure> {
        let Connection { stream, input, sending } = self;
        *sending = true;
        let mut writer = &*stream;
        let mut send = pin!(writer.write_all(wire));
        let mut read = pin!(read_head(stream, input, most, to_head));
        let mut failed = None;
        let read = poll_fn(|context| {
            if *sending
                && failed.is_none()
                && let Poll::Ready(sent) = send.as_mut().poll(context)
            {
                *sending = sent.is_err();
                failed = sent.err();
            }
            read.as_mut().poll(context)
        })
        .await;
        match (read, failed) {
            (Ok(mut head), _) => {
                head.keep_alive &= !*sending;
                Ok(head)
            }
            (Err(Failure::Lost(_)), Some(cause)) => Err(Failure::Lost(cause)),
            (Err(failure), _) => Err(failure),
        }
    }

    /// The next bytes of the body; `None` at its end.
    pub(super) fn poll_body(
        &mut self,
        decoder: &mut Decoder,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            match decoder.decode(&mut self.input)? {
                Decoded::Data(data) => return Poll::Ready(Ok(Some(data))),
                Decoded::End => return Poll::Ready(Ok(None)),
                Decoded::More => match ready!(poll_fill(&mut self.stream, &mut self.input, context))? {
                    0 if decoder.may_end() => *decoder = Decoder::Done,
                    0 => return Poll::Ready(Err(closed().into())),
                    _ => {}
                },
            }
        }
    }
}

/// The head of the final response.
async fn read_head(
    stream: &TcpStream,
    input: &mut BytesMut,
    most: usize,
    to_head: bool,
) -> Result<ResponseHead, Failure> {
    for _ in 0..INTERIM {
        let mut scan = Scan::default();
        let length = loop {
            match scan.end(input)? {
                Some(length) if length <= most => break length,
                None if input.len() < most => fill(stream, input).await?,
                _ => return Err(Failure::HeadTooLarge),
            }
        };
        let head = head::response(&input.split_to(length).freeze(), MOST_FIELDS, to_head)?;
        match head.status.as_u16() {
            101 => return Err(bad("the server switched to a protocol that nobody asked for")),
            100..200 if head.version == Version::HTTP_10 => return Err(bad("an interim response in HTTP/1.0")),
            100..200 => {}
            _ => return Ok(head),
        }
    }
    Err(bad("no final response after many interim ones"))
}

async fn fill(mut stream: &TcpStream, input: &mut BytesMut) -> io::Result<()> {
    match poll_fn(|context| poll_fill(&mut stream, input, context)).await? {
        0 => Err(closed()),
        _ => Ok(()),
    }
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed it")
}

fn bad(reason: &'static str) -> Failure {
    Failure::Fault(Fault::new(http::StatusCode::BAD_GATEWAY, reason))
}
