//! Fields behind a body: those that came, and those that are to be sent.
//!
//! Only a body in chunks has room for them (RFC 9112, 7.1.2). They are kept apart from the fields of the head, for good: whoever
//! merged them would let the end of a message change what was decided at its beginning.

use super::framing::Framing;
use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// What belongs behind a body.
#[derive(Debug, Default)]
pub(crate) enum Trailers {
    #[default]
    None,
    /// Known when the end of the body has come.
    Coming(Arrival),
    /// To be made when all of the body is sent.
    ToSend(Box<Announced>),
}

/// Where the trailers of a body are put when they come: by the connection, for whoever has the body.
pub(crate) type Arrival = Arc<OnceLock<HeaderMap>>;

/// Where the trailers of a body in this framing go, if it can have any.
pub(crate) fn arrival(framing: Framing) -> Option<Arrival> {
    (framing == Framing::Chunked).then(Arrival::default)
}

/// A body is at its end, and these came behind it.
pub(crate) fn arrive(arrival: &Option<Arrival>, trailers: HeaderMap) {
    if let Some(arrival) = arrival
        && !trailers.is_empty()
    {
        arrival.set(trailers).expect("a body has one end");
    }
}

/// Trailers that are to be sent.
pub(crate) struct Announced {
    names: Vec<HeaderName>,
    make: Box<dyn FnOnce() -> HeaderMap + Send + Sync>,
}

impl Announced {
    #[track_caller]
    pub(super) fn new(names: Vec<HeaderName>, make: Box<dyn FnOnce() -> HeaderMap + Send + Sync>) -> Box<Self> {
        if let Some(name) = names.iter().find(|name| !may_come_late(name)) {
            panic!("`{name}` cannot stand behind a body: there it is too late");
        }
        Box::new(Announced { names, make })
    }

    /// The value of the `Trailer` field, if there is anything to be said.
    pub(crate) fn field(&self) -> Option<HeaderValue> {
        let names: Vec<&str> = self.names.iter().map(HeaderName::as_str).collect();
        (!names.is_empty()).then(|| HeaderValue::from_str(&names.join(", ")).expect("names are visible"))
    }

    /// The fields. What was not announced is not sent.
    pub(crate) fn make(self) -> HeaderMap {
        let mut fields = (self.make)();
        let strangers: Vec<_> = fields.keys().filter(|name| !self.names.contains(name)).cloned().collect();
        strangers.iter().for_each(|name| drop(fields.remove(name)));
        fields
    }
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.names).finish()
    }
}

/// RFC 9110, 6.5.1: fields that say how to read, to route, to answer or to keep the message, or who sends it, are too late
/// behind it. They are dropped, as is recommended there: whoever merged them into the head would be deceived.
pub(crate) fn may_come_late(name: &HeaderName) -> bool {
    const TOO_LATE: &[HeaderName] = &[
        header::AGE,
        header::AUTHORIZATION,
        header::CACHE_CONTROL,
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::DATE,
        header::EXPECT,
        header::EXPIRES,
        header::HOST,
        header::IF_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_NONE_MATCH,
        header::IF_RANGE,
        header::IF_UNMODIFIED_SINCE,
        header::LOCATION,
        header::MAX_FORWARDS,
        header::PRAGMA,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::RANGE,
        header::RETRY_AFTER,
        header::SET_COOKIE,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::VARY,
        header::WARNING,
        header::WWW_AUTHENTICATE,
    ];
    !TOO_LATE.contains(name)
}
