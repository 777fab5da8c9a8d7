//! What the fields of a head say about the message itself: where its body ends, and what becomes of the connection.

use super::target::is_host;
use crate::http::fault::Fault;
use ::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use bytes::Bytes;

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) length: Option<u64>,
    pub(super) coding: Coding,
    pub(super) host: Host,
    pub(super) expectation: Expectation,
    /// The options of `Connection` that we know.
    close: bool,
    stay: bool,
    upgrade: bool,
    /// There is an `Upgrade` field.
    protocols: bool,
    /// `TE` says so. RFC 9110, 10.1.4.
    pub(super) takes_trailers: bool,
}

/// What `Transfer-Encoding` says. RFC 9112, 6.1 and 6.3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Coding {
    /// There is none.
    #[default]
    None,
    Chunked,
    /// Something, then chunked: the end could be found, but not what is meant.
    Unknown,
    /// Whatever does not end with chunked, or has it twice: the end cannot be found.
    Endless,
}

#[derive(Debug, Default)]
pub(super) enum Host {
    #[default]
    None,
    One,
    Several,
    Malformed,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum Expectation {
    #[default]
    None,
    Continue,
    Other,
}

impl Facts {
    /// Reads the fields into `headers`, without copying them: each value is a part of `head`.
    pub(super) fn read(head: &Bytes, parsed: &[httparse::Header<'_>], headers: &mut HeaderMap) -> Result<Facts, Fault> {
        headers.reserve(parsed.len());
        let mut facts = Facts::default();
        for field in parsed {
            let name =
                HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Fault::bad("a field name is malformed"))?;
            let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value));
            let value = value.map_err(|_| Fault::bad("a field value is malformed"))?;
            facts.learn(&name, value.as_bytes())?;
            headers.append(name, value);
        }
        Ok(facts)
    }

    /// HTTP/1.1 stays unless it is told to close; HTTP/1.0 closes unless it is asked to stay. RFC 9112, 9.3.
    pub(super) fn keep_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.stay)
    }

    /// Whether another protocol is spoken of. RFC 9110, 7.8: in HTTP/1.0 it is not, whatever the field says.
    pub(super) fn upgrades(&self, version: Version) -> bool {
        self.upgrade && self.protocols && version == Version::HTTP_11
    }

    fn learn(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), Fault> {
        if *name == header::CONTENT_LENGTH {
            if self.length.replace(read_length(value)?).is_some() {
                return Err(Fault::bad("several Content-Length fields"));
            }
        } else if *name == header::TRANSFER_ENCODING {
            if self.coding != Coding::None {
                return Err(Fault::bad("several Transfer-Encoding fields"));
            }
            self.coding = read_coding(value);
        } else if *name == header::HOST {
            self.host = match self.host {
                Host::None if is_host(value) => Host::One,
                Host::None => Host::Malformed,
                _ => Host::Several,
            };
        } else if *name == header::CONNECTION {
            for option in elements(value) {
                // What is no word may have been `close`, and others may read it so.
                self.close |= option.eq_ignore_ascii_case(b"close") || !option.iter().all(u8::is_ascii_graphic);
                self.stay |= option.eq_ignore_ascii_case(b"keep-alive");
                self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
            }
        } else if *name == header::UPGRADE {
            self.protocols = true;
        } else if *name == header::TE {
            self.takes_trailers |= elements(value).any(|element| element.eq_ignore_ascii_case(b"trailers"));
        } else if *name == header::EXPECT {
            let expected = elements(value).all(|element| element.eq_ignore_ascii_case(b"100-continue"));
            self.expectation = match (expected, &self.expectation) {
                (true, Expectation::None | Expectation::Continue) => Expectation::Continue,
                _ => Expectation::Other,
            };
        }
        Ok(())
    }
}

fn elements(list: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

/// Digits only: no sign, no list, nothing that overflows.
fn read_length(value: &[u8]) -> Result<u64, Fault> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Fault::bad("the Content-Length is no number"));
    }
    let digits = std::str::from_utf8(value).expect("digits are text");
    digits.parse().map_err(|_| Fault::bad("the Content-Length is no number"))
}

/// No empty element and no parameter is passed over: what we take for chunked is so for every reader.
fn read_coding(value: &[u8]) -> Coding {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if is_chunked(value) {
        return Coding::Chunked;
    }
    let mut codings = elements(value);
    let ends_well = codings.next_back().is_some_and(is_chunked);
    let endless = !ends_well || codings.any(|coding| coding.is_empty() || is_chunked(coding));
    if endless { Coding::Endless } else { Coding::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_coding_that_every_reader_takes_for_chunked_is_chunked() {
        for (value, coding) in [
            ("chunked", Coding::Chunked),
            ("Chunked", Coding::Chunked),
            ("gzip, chunked", Coding::Unknown),
            ("x;q=1 ,\tchunked", Coding::Unknown),
            ("", Coding::Endless),
            ("gzip", Coding::Endless),
            ("identity", Coding::Endless),
            ("xchunked", Coding::Endless),
            ("chunked;q=1", Coding::Endless),
            ("chunked,", Coding::Endless),
            (",chunked", Coding::Endless),
            ("chunked, chunked", Coding::Endless),
            ("chunked, gzip", Coding::Endless),
            ("\"chunked\"", Coding::Endless),
        ] {
            assert_eq!(read_coding(value.as_bytes()), coding, "{value:?}");
        }
    }

    #[test]
    fn one_strange_expectation_is_not_hidden_by_another_one() {
        let expect = |values: &[&str]| {
            let mut facts = Facts::default();
            values.iter().for_each(|value| facts.learn(&header::EXPECT, value.as_bytes()).unwrap());
            facts.expectation
        };
        assert_eq!(expect(&[]), Expectation::None);
        assert_eq!(expect(&["100-Continue", "100-continue, 100-continue"]), Expectation::Continue);
        assert_eq!(expect(&["tea", "100-continue"]), Expectation::Other);
        assert_eq!(expect(&["100-continue", "tea"]), Expectation::Other);
        assert_eq!(expect(&["100-continue, tea"]), Expectation::Other);
        assert_eq!(expect(&[""]), Expectation::Other);
    }
}
