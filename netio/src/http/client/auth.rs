//! Who we are: the `Authorization` field.

use crate::http::HeaderValue;
use base64::{Engine, engine::general_purpose::STANDARD};

/// RFC 7617: the name ends at the first colon, and control characters are not allowed in either.
pub(super) fn basic(name: &[u8], password: &[u8]) -> Result<HeaderValue, &'static str> {
    if name.contains(&b':') {
        return Err("a user's name for basic authentication has no colon");
    }
    if name.iter().chain(password).any(u8::is_ascii_control) {
        return Err("a name or a password for basic authentication has no control characters");
    }
    let text = STANDARD.encode([name, b":", password].concat());
    Ok(secret(HeaderValue::try_from(format!("Basic {text}")).expect("base64 is visible")))
}

/// RFC 6750, 2.1, read as servers do: the standard allows fewer characters than are in use.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, &'static str> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a bearer token is visible characters without spaces");
    }
    Ok(secret(HeaderValue::try_from(format!("Bearer {token}")).expect("these are visible")))
}

/// Not for the eyes of those who print a request.
fn secret(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_written_as_the_standards_say() {
        // RFC 7617, 2 and 2.1.
        assert_eq!(basic(b"Aladdin", b"open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic(b"test", "123\u{a3}".as_bytes()).unwrap(), "Basic dGVzdDoxMjPCow==");
        assert_eq!(basic(b"", b"").unwrap(), "Basic Og==");
        assert_eq!(basic(b"user", b"a:b").unwrap(), "Basic dXNlcjphOmI=");
        for (name, password) in [("us:er", "x"), ("us\ner", "x"), ("user", "x\0"), ("user", "x\x7f")] {
            assert!(basic(name.as_bytes(), password.as_bytes()).is_err(), "{name:?} {password:?}");
        }
        // RFC 6750, 2.1.
        assert_eq!(bearer("mF_9.B5f-4.1JqM").unwrap(), "Bearer mF_9.B5f-4.1JqM");
        for token in ["", "a b", "a\r\nX: y", "\u{e9}"] {
            assert!(bearer(token).is_err(), "{token:?}");
        }
        assert_eq!(bearer("1|a==").unwrap(), "Bearer 1|a==");
    }
}
