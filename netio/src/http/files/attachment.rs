//! The name that a download is to have.

use crate::http::{HeaderValue, output::plain};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in an extended parameter. RFC 8187, 3.2.1.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A `Content-Disposition` that lets a browser save a response by that name instead of showing it. RFC 6266.
///
/// The name is no path: what parts folders becomes `_`, and so do control characters. What is not ASCII is said in the way
/// that browsers know, and once more without it for those that do not.
///
/// ```
/// use netio::http::files::attachment;
/// assert_eq!(attachment("report.pdf"), r#"attachment; filename="report.pdf""#);
/// assert_eq!(attachment("März.pdf"), r#"attachment; filename="M_rz.pdf"; filename*=UTF-8''M%C3%A4rz.pdf"#);
/// ```
pub fn attachment(name: &str) -> HeaderValue {
    let name = name.replace(|character: char| character.is_control() || "/\\".contains(character), "_");
    // `%` is left out as well: some take it for the beginning of a code.
    let simple = name.replace(|character: char| !character.is_ascii() || "\"%".contains(character), "_");
    if simple == name {
        return plain(&format!("attachment; filename=\"{name}\""));
    }
    plain(&format!("attachment; filename=\"{simple}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ATTRIBUTE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_out_of_its_field() {
        for (name, expected) in [
            ("a b.txt", r#"filename="a b.txt""#),
            ("../../etc/passwd", r#"filename=".._.._etc_passwd""#),
            ("a\\b", r#"filename="a_b""#),
            ("a\r\nSet-Cookie: x\0", r#"filename="a__Set-Cookie: x_""#),
            ("a\"b", r#"filename="a_b"; filename*=UTF-8''a%22b"#),
            ("100%.txt", r#"filename="100_.txt"; filename*=UTF-8''100%25.txt"#),
            ("a;b'c*", r#"filename="a;b'c*""#),
            ("é;'*", r#"filename="_;'*"; filename*=UTF-8''%C3%A9%3B%27%2A"#),
            ("", r#"filename="""#),
        ] {
            assert_eq!(attachment(name), format!("attachment; {expected}"), "{name:?}");
        }
    }
}
