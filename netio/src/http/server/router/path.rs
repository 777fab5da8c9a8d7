//! Paths as they are compared, and patterns as they are checked.

use std::borrow::Cow;

/// A path decoded, but for `/` and `%`, which stay `%2F` and `%25`: what is one segment stays one, and a value can be decoded
/// to its end. None if it is not properly encoded, or not UTF-8.
pub(super) fn decoded(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(path.into());
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut parts = path.split('%');
    decoded.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        match u8::from_str_radix(digits, 16).ok()? {
            b'/' => decoded.extend_from_slice(b"%2F"),
            b'%' => decoded.extend_from_slice(b"%25"),
            byte => decoded.push(byte),
        }
        decoded.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(decoded).ok().map(Cow::from)
}

/// What stands in the place of a parameter, decoded to its end.
pub(super) fn value(text: &str) -> Cow<'_, str> {
    // In this order: what `%25` leaves behind is not looked at again.
    if text.contains('%') { text.replace("%2F", "/").replace("%25", "%").into() } else { text.into() }
}

/// The names of a pattern's parameters, or what is wrong with it (beside what the table itself finds wrong).
pub(super) fn names(pattern: &str) -> Result<Vec<String>, String> {
    if !pattern.starts_with('/') {
        return Err("a pattern begins with `/`".into());
    }
    if let Some(bad) = pattern.chars().find(|character| "%?#".contains(*character)) {
        return Err(format!("`{bad}` cannot be in a pattern, which is written as a path is when it is decoded"));
    }
    let mut names = Vec::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let close = rest.find('}').ok_or("a `{` has no `}`")?;
        let name = rest[..close].trim_start_matches('*').to_owned();
        if names.contains(&name) {
            return Err(format!("it has two parameters `{name}`"));
        }
        names.push(name);
        rest = &rest[close + 1..];
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_but_for_what_would_change_its_segments() {
        for (path, expected) in [
            ("/plain/path", Some("/plain/path")),
            ("/%E5%bc%a0", Some("/张")),
            ("/a%2Fb%2fc", Some("/a%2Fb%2Fc")),
            ("/100%25", Some("/100%25")),
            ("/%252F", Some("/%252F")),
            ("/%7Euser", Some("/~user")),
            ("/%", None),
            ("/%2", None),
            ("/%+1", None),
            ("/%é", None),
            ("/%FF", None),
        ] {
            assert_eq!(decoded(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_value_is_decoded_once() {
        for (text, expected) in [("a%2Fb", "a/b"), ("100%25", "100%"), ("%252F", "%2F"), ("%25%2F", "%/"), ("é", "é")]
        {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_found_and_braces_are_not_mistaken_for_them() {
        assert_eq!(names("/a/{b}/{{c}}/{*d}").unwrap(), ["b", "d"]);
        assert_eq!(names("/").unwrap(), [""; 0]);
        for bad in ["", "a", "/a%20b", "/a?b", "/{a", "/{a}/{a}"] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }
}
