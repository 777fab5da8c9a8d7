//! The body of a response as it comes.

use super::{Error, Phase, connection::Connection, fetch::Fetch};
use crate::http::framing::Decoder;
use bytes::Bytes;
use futures_core::Stream;
use runtime::time::{Sleep, sleep_until};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// A connection on which a body comes. Read to its end, it gives the connection back to the client for the next request; dropped
/// before, it closes it. Its errors are [`Error`]s inside an [`io::Error`].
pub(super) struct Incoming {
    fetch: Fetch,
    decoder: Decoder,
    /// The server would take another request.
    keep_alive: bool,
    /// Gone when the body is over, or lost.
    connection: Option<Connection>,
    deadline: Pin<Box<Sleep>>,
    received: u64,
}

impl Incoming {
    /// `None` if there is no body: then the connection is free already.
    pub(super) fn new(fetch: Fetch, connection: Connection, keep_alive: bool, decoder: Decoder) -> Option<Self> {
        let deadline = Box::pin(sleep_until(fetch.deadline));
        let is_over = decoder.may_end() && !matches!(decoder, Decoder::UntilClose);
        let mut incoming = Incoming { fetch, decoder, keep_alive, connection: Some(connection), deadline, received: 0 };
        if is_over {
            incoming.finish();
            return None;
        }
        Some(incoming)
    }

    /// The body is over: the connection is free, unless one side said that it closes, or something came behind the body.
    fn finish(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.keep_alive
            && !connection.has_heard()
        {
            self.fetch.client.inner.pool.put(&self.fetch.host, connection);
        }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(connection) = &mut this.connection else { return Poll::Ready(None) };
        let settings = &this.fetch.client.inner.settings;
        let error = match connection.poll_body(&mut this.decoder, context) {
            Poll::Ready(Ok(Some(data))) => {
                this.received += data.len() as u64;
                let limit = settings.body_bytes;
                if this.received <= limit {
                    return Poll::Ready(Some(Ok(data)));
                }
                Error::TooLarge { url: this.fetch.url.clone(), phase: Phase::Body, limit }
            }
            Poll::Ready(Ok(None)) => {
                this.finish();
                return Poll::Ready(None);
            }
            Poll::Ready(Err(failure)) => this.fetch.error(Phase::Body, failure),
            Poll::Pending => match this.deadline.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => this.fetch.timeout(Phase::Body, settings.timeout),
            },
        };
        this.connection = None;
        Poll::Ready(Some(Err(io::Error::other(error))))
    }
}
