//! A response whose body is still to be read.

use super::{Error, Fetch, Phase, connection::Connection};
use crate::http::{HeaderMap, StatusCode, Version, framing::Decoder, head::ResponseHead};
use bytes::{Bytes, BytesMut};
use runtime::{
    future::{Either, race},
    time::sleep_until,
};

/// A response: its head has come, its body is read when you ask for it.
///
/// Read to its end, it gives its connection back to the client for the next request; dropped before, it closes it.
#[derive(Debug)]
pub struct ClientResponse {
    fetch: Fetch,
    head: ResponseHead,
    decoder: Decoder,
    /// Gone when the body is over, or lost.
    connection: Option<Connection>,
    received: u64,
}

impl ClientResponse {
    pub(super) fn new(fetch: Fetch, connection: Connection, head: ResponseHead, decoder: Decoder) -> Self {
        let mut response = ClientResponse { fetch, head, decoder, connection: Some(connection), received: 0 };
        if response.decoder.may_end() && !matches!(response.decoder, Decoder::UntilClose) {
            response.finish();
        }
        response
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The version that the server speaks.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The next bytes of the body, as they come; `None` at its end, and after an error.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Protocol`], [`Error::Timeout`] or [`Error::TooLarge`], in [`Phase::Body`].
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come is given by the next call.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        let settings = &self.fetch.client.settings;
        let read = connection.read_body(&mut self.decoder);
        let error = match race(read, sleep_until(self.fetch.deadline)).await {
            Either::Left(Ok(Some(data))) => {
                self.received += data.len() as u64;
                let limit = settings.body_bytes;
                if self.received <= limit {
                    return Ok(Some(data));
                }
                Error::TooLarge { url: self.fetch.url.clone(), phase: Phase::Body, limit }
            }
            Either::Left(Ok(None)) => {
                self.finish();
                return Ok(None);
            }
            Either::Left(Err(failure)) => self.fetch.error(Phase::Body, failure),
            Either::Right(()) => self.fetch.timeout(Phase::Body, settings.timeout),
        };
        self.connection = None;
        Err(error)
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut whole = BytesMut::from_iter([first, second].concat());
        while let Some(more) = self.chunk().await? {
            whole.extend_from_slice(&more);
        }
        Ok(whole.freeze())
    }

    /// The whole body as text; bytes that are not UTF-8 are replaced by U+FFFD.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The body is over: the connection is free, unless one side said that it closes, or something came behind the body.
    fn finish(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.head.keep_alive
            && !connection.has_heard()
        {
            self.fetch.client.pool.put(&self.fetch.host, connection);
        }
    }
}
