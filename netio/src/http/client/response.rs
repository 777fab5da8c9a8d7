//! A response whose body is still to be read.

use super::{Error, Phase};
use crate::http::{Body, HeaderMap, StatusCode, Uri, Version, head::ResponseHead};
use bytes::Bytes;
use std::io;

/// A response: its head has come, its body is read when you ask for it.
///
/// Read to its end, it gives its connection back to the client for the next request; dropped before, it closes it.
#[derive(Debug)]
pub struct ClientResponse {
    url: Uri,
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    body: Body,
}

impl ClientResponse {
    pub(super) fn new(url: Uri, head: ResponseHead, body: Body) -> Self {
        ClientResponse { url, status: head.status, version: head.version, headers: head.headers, body }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The version that the server speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where it is from.
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// The next bytes of the body, as they come; `None` at its end, and after an error.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Protocol`], [`Error::Timeout`] or [`Error::TooLarge`], in [`Phase::Body`].
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come is given by the next call.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.body.chunk().await;
        chunk.map_err(|error| self.error(error))
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let bytes = self.body.bytes().await;
        bytes.map_err(|error| self.error(error))
    }

    /// The whole body as text; bytes that are not UTF-8 are replaced by U+FFFD.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The body as a stream. Its errors are [`Error`]s inside an [`io::Error`].
    pub fn into_body(self) -> Body {
        self.body
    }

    fn error(&self, error: io::Error) -> Error {
        let whole = |cause| Error::Lost { url: self.url.to_string(), phase: Phase::Body, cause };
        error.downcast().unwrap_or_else(whole)
    }
}
