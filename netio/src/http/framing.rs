//! Where a body ends: after a number of bytes, after its last chunk, or with the connection.
//!
//! [`Decoder`] takes bytes that came in and gives the bytes of the body. It never takes a byte beyond the end: what stays
//! in the input is the next message.

mod chunked;

use super::fault::Fault;
use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use chunked::Chunked;

/// How a head tells the end of its body. RFC 9112, 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What may come in a chunked body besides its data. Each bounds a whole body: a peer could send one byte of data in every
/// chunk, and a long extension with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of chunk extensions, which mean nothing to us: 4 KiB.
    pub(crate) extension_bytes: usize,
    /// Bytes of the trailer fields, with their line ends: 8 KiB.
    pub(crate) trailer_bytes: usize,
    /// Trailer fields: 100.
    pub(crate) trailer_count: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { extension_bytes: 4 * 1024, trailer_bytes: 8 * 1024, trailer_count: 100 }
    }
}

/// Takes a body out of its framing.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    /// Nothing more is taken.
    Done,
    /// As `Done`; and these fields came behind the last chunk.
    Trailers(Box<HeaderMap>),
}

/// What the input held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Data(Bytes),
    /// More input is needed.
    More,
    End,
}

impl From<Framing> for Decoder {
    fn from(framing: Framing) -> Self {
        Decoder::new(framing, Limits::default())
    }
}

impl Decoder {
    pub(crate) fn new(framing: Framing, limits: Limits) -> Self {
        match framing {
            Framing::Length(length) => Decoder::Length(length),
            Framing::Chunked => Decoder::Chunked(Chunked::new(limits)),
            Framing::UntilClose => Decoder::UntilClose,
        }
    }

    /// Takes what can be taken.
    pub(crate) fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, Fault> {
        match self {
            Decoder::Length(0) => *self = Decoder::Done,
            Decoder::Length(left) => return Ok(take(left, input)),
            Decoder::UntilClose => return Ok(take(&mut u64::MAX.clone(), input)),
            Decoder::Chunked(chunked) => match chunked.decode(input)? {
                Decoded::End => {
                    let trailers = chunked.trailers.take();
                    *self = trailers.map_or(Decoder::Done, Decoder::Trailers);
                }
                decoded => return Ok(decoded),
            },
            Decoder::Done | Decoder::Trailers(_) => {}
        }
        Ok(Decoded::End)
    }

    /// The fields that came behind the last chunk: once, after the end. Those that have no business there (RFC 9110, 6.5.1)
    /// are not among them.
    pub(crate) fn take_trailers(&mut self) -> HeaderMap {
        match std::mem::replace(self, Decoder::Done) {
            Decoder::Trailers(fields) => *fields,
            other => {
                *self = other;
                HeaderMap::new()
            }
        }
    }

    /// How many bytes are certain to come, if the peer keeps its word.
    pub(crate) fn announced(&self) -> u64 {
        match self {
            Decoder::Length(left) => *left,
            Decoder::Chunked(chunked) => chunked.announced(),
            _ => 0,
        }
    }

    /// Whether a connection that ends here ends the body well.
    pub(crate) fn may_end(&self) -> bool {
        matches!(self, Decoder::UntilClose | Decoder::Done | Decoder::Trailers(_) | Decoder::Length(0))
    }
}

/// Up to `left` bytes of data.
fn take(left: &mut u64, input: &mut BytesMut) -> Decoded {
    if input.is_empty() {
        return Decoded::More;
    }
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= length as u64;
    Decoded::Data(input.split_to(length).freeze())
}
