//! What a `Range` selects.
//!
//! - No part is empty, or beyond the end; there are few of them, and they have no more bytes than the whole.
//! - Another reader, with numbers that do not end, selects the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netio::http::{HeaderMap, HeaderValue, header, range::Selection, range::select};
use std::ops::Range;

fuzz_target!(|input: (u64, Vec<u8>)| {
    let (length, text) = input;
    let Ok(value) = HeaderValue::from_bytes(&text) else { return };
    let selected = select(&HeaderMap::from_iter([(header::RANGE, value)]), length);
    if let Selection::Parts(parts) = &selected {
        assert!((1..=16).contains(&parts.len()));
        assert!(parts.iter().all(|part| part.start < part.end && part.end <= length), "{parts:?} of {length}");
        assert!(parts.iter().map(|part| u128::from(part.end - part.start)).sum::<u128>() <= u128::from(length));
    }
    let expected = std::str::from_utf8(&text).ok().and_then(|text| naive(text, length));
    match selected {
        // It may always send the whole: there are too many parts, or they overlap, or nothing was cut.
        Selection::Whole => {
            let parts = expected.unwrap_or_default();
            let total: u128 = parts.iter().map(|part| u128::from(part.end - part.start)).sum();
            let nothing = length == 0 && parts.is_empty();
            assert!(
                parts.is_empty() && nothing_asked(&text)
                    || nothing
                    || parts.len() > 16
                    || total > u128::from(length)
                    || many(&text),
                "{parts:?} of {length}"
            );
        }
        Selection::Parts(parts) => assert_eq!(Some(parts), expected),
        Selection::Unsatisfiable => assert_eq!(Some(Vec::new()), expected),
    }
});

/// It is none that can be read.
fn nothing_asked(text: &[u8]) -> bool {
    std::str::from_utf8(text).ok().and_then(|text| naive(text, u64::MAX)).is_none()
}

/// It asks for more than is given.
fn many(text: &[u8]) -> bool {
    text.iter().filter(|byte| **byte == b'-').count() > 16
}

/// RFC 9110, 14.1.1 and 14.1.2, word by word: what is satisfiable of it. None if it breaks the grammar.
fn naive(text: &str, length: u64) -> Option<Vec<Range<u64>>> {
    let rest = text.get(..6).filter(|unit| unit.eq_ignore_ascii_case("bytes=")).map(|_| &text[6..])?;
    let mut parts = Vec::new();
    let mut some = false;
    for item in rest.split(',').map(|item| item.trim_matches([' ', '\t'])).filter(|item| !item.is_empty()) {
        some = true;
        let dash = item.find('-')?;
        let (first, last) = (digits(&item[..dash])?, digits(&item[dash + 1..])?);
        let (start, end) = match (first, last) {
            (None, None) => return None,
            (None, Some(count)) => (u128::from(length).saturating_sub(count), u128::from(length)),
            (Some(first), None) => (first, u128::from(length)),
            (Some(first), Some(last)) if first > last => return None,
            (Some(first), Some(last)) => (first, u128::from(length).min(last + 1)),
        };
        if start < end {
            parts.push(start as u64..end as u64);
        }
    }
    some.then_some(parts)
}

/// A number, or nothing. None if it is neither. As long as it may be: no length has more than twenty digits.
fn digits(text: &str) -> Option<Option<u128>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = text.trim_start_matches('0');
    let number = if significant.len() > 30 { u128::MAX >> 1 } else { significant.parse().unwrap_or(0) };
    Some((!text.is_empty()).then_some(number))
}
