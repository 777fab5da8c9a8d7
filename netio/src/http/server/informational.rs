//! Interim answers by a handler: what it can say before its response. RFC 9110, 15.2; RFC 8297.
//!
//! ```text
//!   handler: send(103, links) ──> [ one head ] ──> connection: writes it, before whatever else it writes for this request
//! ```

use super::{BadHeader, FromRequest, IntoHeaders, Missing};
use crate::http::{Request, StatusCode, Version, output};
use runtime::sync::mpsc;
use std::any::type_name;

/// Sends interim responses while the handler works: 103 Early Hints with what the page will need, 102 Processing. An
/// [extractor](FromRequest), on a server that [allows it](super::Server::informational); on others a handler that takes it
/// answers 500.
///
/// A client of HTTP/1.0 would take an interim response for the answer (RFC 9110, 15.2): it is sent none, and nobody need care.
///
/// ```
/// use netio::http::{StatusCode, header, server::{Informational, Router, Server}};
///
/// async fn page(hints: Informational) -> Result<&'static str, StatusCode> {
///     let link = [(header::LINK, "</style.css>; rel=preload; as=style")];
///     hints.send(StatusCode::EARLY_HINTS, link).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
///     runtime::time::sleep(std::time::Duration::from_millis(1)).await; // a slow database
///     Ok("the page\n")
/// }
///
/// let router = Router::new().get("/", page);
/// let server = Server::bind("127.0.0.1:0")?.informational(true);
/// # server.handle().stop();
/// # runtime::block_on(server.serve(router))?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct Informational(Option<mpsc::Sender<Vec<u8>>>);

/// Why an interim response was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InformationalError {
    /// It is no interim status, or one that is not the handler's to give: 100 is sent when the body is read, 101 by an
    /// [`upgrade`](super::upgrade).
    #[error("{} is no interim status that a handler sends", .0.as_u16())]
    Status(StatusCode),
    /// A field cannot stand in a head.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// The response has begun, or the client is gone.
    #[error("it is too late for an interim response")]
    Late,
}

/// The connection's side: heads that are to be written.
pub(super) type Interim = mpsc::Receiver<Vec<u8>>;

impl Informational {
    /// For one request, and the connection's side of it.
    pub(super) fn new(version: Version) -> (Informational, Option<Interim>) {
        if version == Version::HTTP_10 {
            return (Informational(None), None);
        }
        let (sender, receiver) = mpsc::bounded(1);
        (Informational(Some(sender)), Some(receiver))
    }

    /// Sends an interim response: its status, and fields for it. Waits while the one before it is not written yet. (What says
    /// how long a body is, or what becomes of the connection, is left out: there is no body.)
    ///
    /// # Errors
    /// See [`InformationalError`].
    ///
    /// # Cancel safety
    /// Dropped while it waits, it is not sent.
    pub async fn send(&self, status: StatusCode, headers: impl IntoHeaders) -> Result<(), InformationalError> {
        if !status.is_informational() || [StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS].contains(&status) {
            return Err(InformationalError::Status(status));
        }
        let mut fields = Default::default();
        headers.put(&mut fields)?;
        let Some(sender) = &self.0 else { return Ok(()) };
        sender.send(output::interim_head(status, &fields)).await.map_err(|_| InformationalError::Late)
    }
}

impl FromRequest for Informational {
    type Rejection = Missing;

    async fn from_request(request: &mut Request) -> Result<Self, Missing> {
        request.extensions().get().cloned().ok_or(Missing(type_name::<Self>()))
    }
}
