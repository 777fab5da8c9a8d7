//! What the fields of a head say about the message itself: where its body ends, and what becomes of the connection.

use super::target::is_host;
use crate::http::fault::Fault;
use ::http::Version;

const LONGER_THAN_ANY_NAME: usize = 1 << 16;

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
    /// There is a `Content-Encoding`.
    pub(super) coded: bool,
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
    pub(super) fn read(fields: &[httparse::Header<'_>]) -> Result<Facts, Fault> {
        let mut facts = Facts::default();
        for field in fields {
            facts.learn(field.name.as_bytes(), field.value)?;
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

    pub(super) fn learn(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        // Most fields are none of these, and their length tells so.
        match name.len() {
            2 if is("te") => {
                self.takes_trailers |= elements(value).any(|element| element.eq_ignore_ascii_case(b"trailers"));
            }
            4 if is("host") => {
                self.host = match self.host {
                    Host::None if is_host(value) => Host::One,
                    Host::None => Host::Malformed,
                    _ => Host::Several,
                };
            }
            6 if is("expect") => {
                let expected = elements(value).all(|element| element.eq_ignore_ascii_case(b"100-continue"));
                self.expectation = match (expected, &self.expectation) {
                    (true, Expectation::None | Expectation::Continue) => Expectation::Continue,
                    _ => Expectation::Other,
                };
            }
            7 if is("upgrade") => self.protocols = true,
            10 if is("connection") => {
                for option in elements(value) {
                    // What is no word may have been `close`, and others may read it so.
                    self.close |= option.eq_ignore_ascii_case(b"close") || !option.iter().all(u8::is_ascii_graphic);
                    self.stay |= option.eq_ignore_ascii_case(b"keep-alive");
                    self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
                }
            }
            14 if is("content-length") => match self.length.replace(read_length(value)?) {
                None => {}
                Some(_) => return Err(Fault::bad("several Content-Length fields")),
            },
            16 if is("content-encoding") => self.coded = true,
            17 if is("transfer-encoding") => {
                if self.coding != Coding::None {
                    return Err(Fault::bad("several Transfer-Encoding fields"));
                }
                self.coding = read_coding(value);
            }
            // No limit should be so large; and if it is, such a name becomes no `HeaderName`.
            LONGER_THAN_ANY_NAME.. => return Err(Fault::bad("a field name is too long")),
            _ => {}
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
            values.iter().for_each(|value| facts.learn(b"Expect", value.as_bytes()).unwrap());
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
