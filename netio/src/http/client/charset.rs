//! Text in whatever letters it came.

/// The `charset` of a `Content-Type`; empty if there is none.
pub(super) fn label(content_type: &str) -> &str {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut named = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    named.next().map_or("", |(_, value)| value.trim().trim_matches('"'))
}

/// The text in the bytes. A byte order mark tells more than the label; with neither, or a label that nobody knows, it is UTF-8.
#[cfg(feature = "charset")]
pub(super) fn decode(label: &str, bytes: &[u8]) -> String {
    use encoding_rs::{Encoding, UTF_8};
    Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8).decode(bytes).0.into_owned()
}

/// The text in the bytes: UTF-8.
#[cfg(not(feature = "charset"))]
pub(super) fn decode(_label: &str, bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "charset")]
    fn text_is_read_by_its_mark_its_label_or_as_utf_8() {
        for (content_type, bytes, text) in [
            ("", "h\u{e9}".as_bytes(), "h\u{e9}"),
            ("text/plain", b"h\xe9", "h\u{fffd}"),
            ("text/plain; charset=utf-8", b"\xEF\xBB\xBFx", "x"),
            ("text/plain; Charset=\"ISO-8859-1\"; x=y", b"h\xe9", "h\u{e9}"),
            ("text/plain;charset=latin1", b"\x80", "\u{20ac}"),
            ("text/html; charset=gbk", b"\xd5\xc5", "\u{5f20}"),
            ("text/plain; charset=shift_jis", b"\x82\xa0", "\u{3042}"),
            ("text/plain; charset=latin1", b"\xff\xfeh\0", "h"),
            ("text/plain; charset=klingon", "\u{e9}".as_bytes(), "\u{e9}"),
            ("text/plain; charset", b"x", "x"),
        ] {
            assert_eq!(decode(label(content_type), bytes), text, "{content_type:?} {bytes:?}");
        }
    }
}
