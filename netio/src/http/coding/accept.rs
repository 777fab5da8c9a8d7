//! Which coding a client would have.

use super::Coding;
use crate::http::{HeaderMap, header};

/// The best of the codings that are `offered` (the one that we would rather use first), as the client says in
/// `Accept-Encoding`; none if it would have the body as it is, or says nothing. RFC 9110, 12.5.3.
///
/// The one with the greatest weight wins, and of equal ones the first that is offered. What has the weight 0 is never
/// chosen; `*` speaks for all that are not named. What cannot be read names nothing.
///
/// A client that refuses everything, the plain body too (`identity;q=0`), gets the plain body: the standard allows that, and
/// to refuse would help nobody.
///
/// ```
/// use netio::http::{HeaderMap, HeaderValue, coding::{Coding, accepted}, header::ACCEPT_ENCODING};
/// let best = |accept| accepted(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accept))]), &Coding::ALL);
/// assert_eq!(best("gzip, deflate, br"), Some(Coding::Brotli));
/// assert_eq!(best("gzip, br;q=0.5"), Some(Coding::Gzip));
/// assert_eq!(best("identity"), None);
/// ```
pub fn accepted(headers: &HeaderMap, offered: &[Coding]) -> Option<Coding> {
    let fields = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|field| field.to_str().ok());
    let named: Vec<(&str, u16)> = fields.flat_map(|field| field.split(',')).filter_map(weighed).collect();
    let weight = |is: &dyn Fn(&str) -> bool| named.iter().find(|(name, _)| is(name)).map(|(_, weight)| *weight);
    let rest = weight(&|name| name == "*");
    let plain = weight(&|name| name.eq_ignore_ascii_case("identity")).unwrap_or(0);
    let mut best = None;
    // A coding must be worth something, and no less than the plain body, if that was named.
    let mut beaten = plain.max(1) - 1;
    for coding in offered {
        let weight = weight(&|name| Coding::from_name(name) == Some(*coding)).or(rest).unwrap_or(0);
        if weight > beaten {
            (best, beaten) = (Some(*coding), weight);
        }
    }
    best
}

/// A name and its weight in thousandths.
fn weighed(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(|part| part.trim_matches([' ', '\t']));
    let name = parts.next().filter(|name| !name.is_empty())?;
    let Some(parameter) = parts.next() else { return Some((name, 1000)) };
    let value = parameter.strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    Some((name, thousandths(value).filter(|_| parts.next().is_none())?))
}

/// `0`, `1`, and at most three digits behind a point. RFC 9110, 12.4.2.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, digits) = value.split_once('.').unwrap_or((value, ""));
    if digits.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderValue;

    #[test]
    fn the_greatest_weight_wins_and_then_the_first_offered() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (accept, expected) in [
            (None, None),
            (Some(""), None),
            (Some("*"), Some(Zstd)),
            (Some("*;q=0"), None),
            (Some("gzip"), Some(Gzip)),
            (Some("x-gzip"), Some(Gzip)),
            (Some("GZIP"), Some(Gzip)),
            (Some("gzip;q=0"), None),
            (Some("gzip;q=0.0, *"), Some(Zstd)),
            (Some("*, zstd;q=0"), Some(Brotli)),
            (Some("gzip, deflate"), Some(Gzip)),
            (Some("deflate, gzip"), Some(Gzip)),
            (Some("deflate, gzip;q=0.9"), Some(Deflate)),
            (Some("gzip, deflate, br, zstd"), Some(Zstd)),
            (Some("gzip;q=0.001"), Some(Gzip)),
            (Some("gzip;q=1.000"), Some(Gzip)),
            (Some("gzip ; q=0.5 ,\tbr;Q=0.6"), Some(Brotli)),
            (Some(" , ,gzip,"), Some(Gzip)),
            (Some("identity"), None),
            (Some("identity, gzip"), Some(Gzip)),
            (Some("identity, gzip;q=0.5"), None),
            (Some("identity;q=0.5, gzip"), Some(Gzip)),
            (Some("identity;q=0"), None),
            (Some("identity;q=0, gzip"), Some(Gzip)),
            (Some("identity, *;q=0"), None),
            (Some("compress, exi"), None),
            // What cannot be read names nothing.
            (Some("gzip;q=2"), None),
            (Some("gzip;q=1.001"), None),
            (Some("gzip;q=0.1234"), None),
            (Some("gzip;q=-1"), None),
            (Some("gzip;q="), None),
            (Some("gzip;level=9"), None),
            (Some("gzip;q=1;level=9"), None),
            (Some("gzip br"), None),
            (Some("gzip;q=x, br;q=0.1"), Some(Brotli)),
        ] {
            let headers = accept.map(|value| (header::ACCEPT_ENCODING, HeaderValue::from_static(value)));
            assert_eq!(accepted(&headers.into_iter().collect(), &Coding::ALL), expected, "{accept:?}");
        }
    }
}
