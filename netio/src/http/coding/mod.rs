//! Content codings: bodies that are compressed on their way. RFC 9110, 8.4 and 12.5.3.
//!
//! ```text
//!   server                                                           client
//!   Accept-Encoding ──> accepted ──> encode ──> Content-Encoding ──> applied ──> decode, no larger than a limit
//! ```
//!
//! - What is decoded has a limit: a kilobyte can become a gigabyte. With several codings, the limit is that of each.
//! - A body that is cut off, damaged, or goes on behind its end is an error, never a shorter or a longer body.
//! - Nothing is held back: while a body waits, what it gave has been sent on.
//!
//! Coding needs the cargo feature `compression`, which is on unless it is turned off. To talk about codings does not.

mod accept;
#[cfg(feature = "compression")]
mod decode;
#[cfg(feature = "compression")]
mod encode;
#[cfg(feature = "compression")]
mod reader;
#[cfg(all(test, feature = "compression"))]
mod tests;

pub use accept::accepted;
#[cfg(feature = "compression")]
pub use decode::decode;
#[cfg(feature = "compression")]
pub use encode::encode;

use super::{HeaderMap, HeaderValue, header};
use std::{
    fmt,
    io::{self, ErrorKind},
};

/// A way to make a body smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// `gzip`, RFC 1952. Everyone knows it.
    Gzip,
    /// `deflate`: zlib, RFC 1950. Some send bare deflate (RFC 1951) by this name, which is understood.
    Deflate,
    /// `br`: Brotli, RFC 7932.
    Brotli,
    /// `zstd`: Zstandard, RFC 8878, with a window of 8 MiB at most (RFC 9659).
    Zstd,
}

impl Coding {
    /// All of them, the one that we would rather use first.
    pub const ALL: [Coding; 4] = [Coding::Zstd, Coding::Brotli, Coding::Gzip, Coding::Deflate];

    /// An `Accept-Encoding` for whoever [`decode`]s.
    pub const ACCEPT: HeaderValue = HeaderValue::from_static("zstd, br, gzip, deflate");

    /// Its name in a header field.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// The coding of that name, in letters of any size; `x-gzip` is an old name of `gzip`.
    ///
    /// ```
    /// use netio::http::coding::Coding;
    /// assert_eq!(Coding::from_name("GZip"), Some(Coding::Gzip));
    /// assert_eq!(Coding::from_name("identity"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Coding> {
        let is = |coding: &Coding| coding.name().eq_ignore_ascii_case(name);
        Coding::ALL.into_iter().find(is).or(name.eq_ignore_ascii_case("x-gzip").then_some(Coding::Gzip))
    }
}

/// Its name in a header field.
impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a body cannot be decoded. What goes wrong while it is read is the cause of an [`io::Error`]:
/// [`of`](CodingError::of) finds it there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodingError {
    /// Nobody here knows the coding.
    #[error("the body is coded as `{name}`, which is not known")]
    Unknown {
        /// The name in the header field.
        name: String,
    },
    /// More codings on top of each other than are allowed.
    #[error("the body is coded more than {limit} times")]
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
    /// Decoded, the body is larger than is allowed.
    #[error("decoded, the body has more than {limit} bytes")]
    TooLarge {
        /// How many bytes are allowed.
        limit: u64,
    },
    /// The body is not what it says, or goes on behind its end.
    #[error("the body is no valid {coding}: {reason}")]
    Corrupt {
        /// What it should be.
        coding: Coding,
        /// What is wrong, in the words of the decoder.
        reason: String,
    },
    /// The body ends too early.
    #[error("the body ends in the midst of its {coding}")]
    Truncated {
        /// What it should be.
        coding: Coding,
    },
}

impl CodingError {
    /// The reason why a body could not be read, if this is it.
    pub fn of(error: &io::Error) -> Option<&CodingError> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<CodingError> for io::Error {
    fn from(error: CodingError) -> io::Error {
        let kind = match error {
            CodingError::Unknown { .. } | CodingError::TooMany { .. } => ErrorKind::Unsupported,
            CodingError::TooLarge { .. } => ErrorKind::FileTooLarge,
            // Not `UnexpectedEof`, which means that the peer is gone: it has sent all that it wanted to.
            CodingError::Corrupt { .. } | CodingError::Truncated { .. } => ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    }
}

/// The codings of a message, in the order in which they were applied; `identity` is none.
///
/// # Errors
/// [`CodingError::Unknown`], and [`CodingError::TooMany`] if there are more than `most`.
///
/// ```
/// use netio::http::{HeaderMap, HeaderValue, coding::{self, Coding}, header::CONTENT_ENCODING};
/// let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip, br"))]);
/// assert_eq!(coding::applied(&headers, 2), Ok(vec![Coding::Gzip, Coding::Brotli]));
/// assert!(coding::applied(&headers, 1).is_err());
/// ```
pub fn applied(headers: &HeaderMap, most: usize) -> Result<Vec<Coding>, CodingError> {
    let mut codings = Vec::new();
    for field in headers.get_all(header::CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(field.as_bytes());
        let names = text.split(',').map(|name| name.trim_matches([' ', '\t']));
        for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")) {
            codings.push(Coding::from_name(name).ok_or_else(|| CodingError::Unknown { name: name.to_owned() })?);
            if codings.len() > most {
                return Err(CodingError::TooMany { limit: most });
            }
        }
    }
    Ok(codings)
}
