//! The body of a response as it comes.

use super::{Error, Phase, connection::Connection, fetch::Exchange, observer::Event, pool::Lease, watch::Watch};
use crate::http::{
    Body,
    framing::{Decoder, Framing},
    trailers::{self, Arrival},
};
use bytes::Bytes;
use futures_core::Stream;
use runtime::Handle;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// A connection on which a body comes. Read to its end, it gives the connection back to the pool. Its errors are [`Error`]s inside
/// an [`io::Error`].
///
/// Dropped before, it takes what has come already: if that is the rest, and not too much, the connection is as good as
/// before. Else it is closed: what is left in it belongs to nobody.
pub(super) struct Incoming {
    exchange: Exchange,
    watch: Watch,
    decoder: Decoder,
    /// The server would take another request.
    keep_alive: bool,
    /// Gone when the body is over, or lost.
    connection: Option<(Box<Connection>, Lease)>,
    received: u64,
    arrival: Option<Arrival>,
}

impl Incoming {
    /// A body that is still to come.
    pub(super) fn body(
        exchange: Exchange,
        connection: Box<Connection>,
        lease: Lease,
        keep_alive: bool,
        framing: Framing,
    ) -> Body {
        let watch = Watch::new(exchange.total, &exchange.timeouts);
        let (decoder, connection, arrival) =
            (Decoder::from(framing), Some((connection, lease)), trailers::arrival(framing));
        let (received, trailers) = (0, arrival.clone());
        Body::stream(Incoming { exchange, watch, decoder, keep_alive, connection, received, arrival })
            .framed(framing, trailers)
    }

    /// The body is over: the connection is free, unless one side said that it closes, something came behind the body, or the
    /// request was not sent to its end.
    fn finish(&mut self) {
        if let Some((mut connection, lease)) = self.connection.take() {
            self.watch.disarm(&mut connection);
            self.exchange.end(&connection);
            if self.keep_alive && connection.is_clean() {
                lease.give_back(connection);
            }
        }
    }

    /// The next bytes; `None` at the end.
    fn poll_next_bytes(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        let Some((connection, _)) = &mut self.connection else { return Poll::Ready(Ok(None)) };
        match connection.poll_body(&mut self.decoder, context) {
            Poll::Ready(Ok(Some(data))) => {
                self.received += data.len() as u64;
                let limit = self.exchange.client.inner.settings.limits.body_bytes;
                if self.received > limit {
                    return Poll::Ready(Err(Error::TooLarge { url: self.exchange.url(), phase: Phase::Body, limit }));
                }
                self.exchange.tell(&Event::Body { bytes: data.len() as u64 });
                Poll::Ready(Ok(Some(data)))
            }
            Poll::Ready(Ok(None)) => {
                trailers::arrive(&self.arrival, self.decoder.take_trailers());
                self.finish();
                Poll::Ready(Ok(None))
            }
            Poll::Ready(Err(failure)) => Poll::Ready(Err(self.exchange.error(Phase::Body, failure))),
            Poll::Pending => {
                let expired = self.watch.poll(connection, context);
                expired.map(|limit| Err(self.exchange.timeout(Phase::Body, limit)))
            }
        }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_next_bytes(context).map(|result| match result {
            Ok(data) => data.map(Ok),
            Err(error) => {
                self.connection = None;
                Some(Err(self.exchange.fail(error).into()))
            }
        })
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let most = self.exchange.client.inner.settings.drain_bytes;
        // Without a runtime, nothing more can come.
        if self.connection.is_none()
            || !self.keep_alive
            || self.decoder.announced() > most
            || Handle::try_current().is_none()
        {
            return;
        }
        let start = self.received;
        let mut context = Context::from_waker(Waker::noop());
        while self.received - start <= most
            && let Poll::Ready(Ok(Some(_))) = self.poll_next_bytes(&mut context)
        {}
    }
}
