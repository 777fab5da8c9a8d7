//! Parts of a thing: what a `Range` selects of it. RFC 9110, 14.

use super::{HeaderMap, header};
use std::ops::Range;

/// A request for more parts than this gets the whole.
const MOST_PARTS: usize = 16;

/// What a request wants of a thing that has a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: 200.
    Whole,
    /// One part: 206 with a `Content-Range`. Several: 206 with a `multipart/byteranges`, in the order in which they were asked
    /// for. No part is empty.
    Parts(Vec<Range<u64>>),
    /// Nothing that is there: 416, with `Content-Range: bytes */LENGTH`.
    Unsatisfiable,
}

/// What the `Range` of a request selects of `length` bytes.
///
/// It counts for GET only, and only if `If-Range` allows it (see
/// [`range_applies`](super::conditional::Validators::range_applies)). A server may always send the whole instead, and this
/// one does so for every `Range` that cannot be read, of another unit than bytes, of more than 16 parts, or of parts that
/// have more bytes together than the whole: those are mistakes, or attacks.
///
/// ```
/// use netio::http::{HeaderMap, HeaderValue, header::RANGE, range::{Selection, select}};
/// let of_1000 = |range| select(&HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]), 1000);
/// assert_eq!(of_1000("bytes=0-499"), Selection::Parts(vec![0..500]));
/// assert_eq!(of_1000("bytes=-100, 0-0"), Selection::Parts(vec![900..1000, 0..1]));
/// assert_eq!(of_1000("bytes=1000-"), Selection::Unsatisfiable);
/// assert_eq!(of_1000("lines=1-2"), Selection::Whole);
/// ```
pub fn select(headers: &HeaderMap, length: u64) -> Selection {
    let mut fields = headers.get_all(header::RANGE).into_iter();
    let field = fields.next().filter(|_| fields.next().is_none());
    field.and_then(|field| field.to_str().ok()).and_then(|range| parts(range, length)).unwrap_or(Selection::Whole)
}

/// None if it is not to be followed.
fn parts(range: &str, length: u64) -> Option<Selection> {
    let (unit, set) = range.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let items = set.split(',').map(|item| item.trim_matches([' ', '\t'])).filter(|item| !item.is_empty());
    let asked = items.map(|item| part(item, length)).collect::<Option<Vec<_>>>()?;
    if asked.is_empty() || asked.len() > MOST_PARTS {
        return None;
    }
    let parts: Vec<Range<u64>> = asked.into_iter().filter(|part| part.start < length).collect();
    let total = parts.iter().try_fold(0_u64, |total, part| total.checked_add(part.end - part.start))?;
    match parts.is_empty() {
        // The end of nothing is nothing, and can be had; but there is no way to say so other than by the whole.
        true if length == 0 && set.trim_start().starts_with('-') => None,
        true => Some(Selection::Unsatisfiable),
        false if total > length => None,
        false => Some(Selection::Parts(parts)),
    }
}

/// `FIRST-LAST`, `FIRST-`, or `-COUNT`, with what there is of it; from `length` on if there is nothing. None if it is none.
fn part(item: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = item.split_once('-')?;
    match (first, last) {
        ("", count) => Some(length.saturating_sub(number(count)?)..length),
        (first, "") => Some(number(first)?..length),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first..last.saturating_add(1).min(length))
        }
    }
}

/// Digits; what does not fit is as good as endless.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderValue;

    #[test]
    fn a_range_selects_what_is_there() {
        let parts = |ends: &[(u64, u64)]| Selection::Parts(ends.iter().map(|(start, end)| *start..*end).collect());
        let whole = || Selection::Whole;
        let many = |count: usize| format!("bytes={}", vec!["0-0"; count].join(","));
        let (sixteen, seventeen) = (many(16), many(17));
        for (range, length, expected) in [
            ("bytes=0-0", 10, parts(&[(0, 1)])),
            ("bytes=0-9", 10, parts(&[(0, 10)])),
            ("bytes=0-", 10, parts(&[(0, 10)])),
            ("bytes=9-", 10, parts(&[(9, 10)])),
            ("bytes=3-99", 10, parts(&[(3, 10)])),
            ("bytes=3-99999999999999999999999", 10, parts(&[(3, 10)])),
            ("bytes=003-004", 10, parts(&[(3, 5)])),
            ("bytes=-1", 10, parts(&[(9, 10)])),
            ("bytes=-10", 10, parts(&[(0, 10)])),
            ("bytes=-99999999999999999999999", 10, parts(&[(0, 10)])),
            ("BYTES=0-0", 10, parts(&[(0, 1)])),
            ("bytes= 0-0\t", 10, parts(&[(0, 1)])),
            ("bytes=0-0,2-3", 10, parts(&[(0, 1), (2, 4)])),
            ("bytes=,0-0 , ,2-3,", 10, parts(&[(0, 1), (2, 4)])),
            ("bytes=8-9,0-1", 10, parts(&[(8, 10), (0, 2)])),
            ("bytes=0-5,3-7", 10, whole()),
            ("bytes=0-4,0-4", 10, parts(&[(0, 5), (0, 5)])),
            ("bytes=0-9,0-0", 10, whole()),
            ("bytes=0-0,10-", 10, parts(&[(0, 1)])),
            (&sixteen, 16, parts(&vec![(0, 1); 16])),
            (&sixteen, 15, whole()),
            (&seventeen, 1000, whole()),
            ("bytes=10-", 10, Selection::Unsatisfiable),
            ("bytes=10-20", 10, Selection::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Selection::Unsatisfiable),
            ("bytes=99999999999999999999999-", u64::MAX, Selection::Unsatisfiable),
            ("bytes=-0", 10, Selection::Unsatisfiable),
            ("bytes=10-,20-", 10, Selection::Unsatisfiable),
            ("bytes=0-", 0, Selection::Unsatisfiable),
            ("bytes=0-0", 0, Selection::Unsatisfiable),
            ("bytes=-5", 0, whole()),
            ("bytes=-0", 0, whole()),
            ("bytes=5-4", 10, whole()),
            ("bytes=0-0,5-4", 10, whole()),
            ("bytes=", 10, whole()),
            ("bytes=,", 10, whole()),
            ("bytes", 10, whole()),
            ("bytes=-", 10, whole()),
            ("bytes=a-b", 10, whole()),
            ("bytes=0x0-1", 10, whole()),
            ("bytes=+0-1", 10, whole()),
            ("bytes=0--1", 10, whole()),
            ("bytes=0 - 1", 10, whole()),
            ("bytes=1", 10, whole()),
            ("bytes 0-1", 10, whole()),
            ("bytes =0-1", 10, whole()),
            ("lines=0-1", 10, whole()),
            ("", 10, whole()),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(range).unwrap())]);
            assert_eq!(select(&headers, length), expected, "{range} of {length}");
        }
        assert_eq!(select(&HeaderMap::new(), 10), Selection::Whole);
        let mut twice = HeaderMap::new();
        for range in ["bytes=0-0", "bytes=1-1"] {
            twice.append(header::RANGE, HeaderValue::from_static(range));
        }
        assert_eq!(select(&twice, 10), Selection::Whole);
    }
}
