//! The short way through the head of a request: one pass over what most clients send.
//!
//! It takes less than httparse does, and what it takes it takes in the same way: two words and a version, fields of visible
//! characters, and each line ended by CR LF. Whatever else comes goes the long way, and there it is said what is wrong with it.
//! (A test and a fuzz target compare the two.)

use super::table::table;
use memchr::memchr;

/// The words of a head, but for its fields.
pub(super) struct Words<'h> {
    pub(super) method: &'h [u8],
    pub(super) target: &'h [u8],
    pub(super) minor_version: u8,
    /// How many bytes it has, with the empty line.
    pub(super) length: usize,
}

/// Reads a head at the beginning of `bytes`, and shows each field: its name and its value. `None`: it is to be read the long way.
/// The method and the target are not looked at.
pub(super) fn read<'h>(
    bytes: &'h [u8],
    most_fields: usize,
    mut show: impl FnMut(&'h [u8], &'h [u8]) -> Option<()>,
) -> Option<Words<'h>> {
    let (method, rest) = word(bytes)?;
    let (target, rest) = word(rest)?;
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ (b'0' | b'1'), b'\r', b'\n', rest @ ..] = rest else {
        return None;
    };
    let (mut rest, mut fields) = (rest, 0);
    loop {
        if let [b'\r', b'\n', behind @ ..] = rest {
            let length = bytes.len() - behind.len();
            return Some(Words { method, target, minor_version: minor - b'0', length });
        }
        let name = rest.iter().position(|byte| !IN_A_TOKEN[usize::from(*byte)])?;
        let value = &rest[name..].strip_prefix(b":")?;
        let end = memchr(b'\r', value)?;
        fields += 1;
        if name == 0 || fields > most_fields || value.get(end + 1) != Some(&b'\n') || !is_visible(&value[..end]) {
            return None;
        }
        show(&rest[..name], value[..end].trim_ascii())?;
        rest = &value[end + 2..];
    }
}

/// What stands before the first space, and what behind it.
fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    (space > 0).then(|| (&bytes[..space], &bytes[space + 1..]))
}

/// Whether a value can have these bytes: anything but control characters, but a tab.
fn is_visible(value: &[u8]) -> bool {
    // Without an early end, so that many bytes are looked at at once.
    !value.iter().fold(false, |bad, &byte| bad | ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f))
}

/// RFC 9110, 5.6.2.
const IN_A_TOKEN: [bool; 256] = table!(
    b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~'
);

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Vec<(Vec<u8>, Vec<u8>)>;

    /// Method, target, minor version, length, fields.
    type Read = (Vec<u8>, Vec<u8>, u8, usize, Fields);

    fn short(head: &[u8]) -> Option<Read> {
        let mut fields = Fields::new();
        let words = read(head, 3, |name, value| {
            fields.push((name.to_owned(), value.to_owned()));
            Some(())
        })?;
        Some((words.method.to_owned(), words.target.to_owned(), words.minor_version, words.length, fields))
    }

    fn long(head: &[u8]) -> Option<Read> {
        let mut slots = [httparse::EMPTY_HEADER; 3];
        let mut parsed = httparse::Request::new(&mut slots);
        let Ok(httparse::Status::Complete(length)) = parsed.parse(head) else { return None };
        let fields = parsed.headers.iter().map(|field| (field.name.as_bytes().to_owned(), field.value.to_owned()));
        let (method, target) = (parsed.method.unwrap().into(), parsed.path.unwrap().into());
        Some((method, target, parsed.version.unwrap(), length, fields.collect()))
    }

    /// Each byte of each head is replaced by each other, left out, and doubled.
    #[test]
    fn what_the_short_way_takes_the_long_way_takes_in_the_same_way() {
        let mut taken = 0;
        for head in [
            &b"GET /x?y=1 HTTP/1.1\r\nHost: a.b\r\nAccept:\t*/* \r\n\r\n"[..],
            b"POST / HTTP/1.0\r\nx:\r\n y: z\r\n\r\nbody\r\n\r\n",
            b"GET /\x80 HTTP/1.1\r\na: \xffb c\td\r\nb-c: d\r\ne: f\r\n\r\n",
            b"GET / HTTP/1.1\r\n1: 2\r\n3: 4\r\n5: 6\r\n7: 8\r\n\r\n",
        ] {
            let mut look = |head: &[u8]| {
                let found = short(head);
                taken += usize::from(found.is_some());
                // The target is looked at later, and the method too.
                let words_hold = |(method, target, ..): &Read| {
                    method.iter().all(|byte| IN_A_TOKEN[usize::from(*byte)])
                        && target.is_ascii()
                        && target.iter().all(u8::is_ascii_graphic)
                };
                if found.as_ref().is_some_and(words_hold) {
                    assert_eq!(found, long(head), "{}", head.escape_ascii());
                }
            };
            look(head);
            for at in 0..head.len() {
                look(&[&head[..at], &head[at + 1..]].concat());
                look(&[&head[..at], &head[at..=at], &head[at..]].concat());
                look(&head[..at]);
                for byte in 0..=u8::MAX {
                    look(&[&head[..at], &[byte], &head[at + 1..]].concat());
                }
            }
        }
        assert!(taken > 1000, "{taken}");
    }
}
