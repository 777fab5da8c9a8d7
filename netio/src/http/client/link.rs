//! Where a response points to: the `Link` field. RFC 8288.

use super::url;
use crate::http::Uri;

/// A link of a response. From [`ClientResponse::links`](super::ClientResponse::links).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Where it points to: resolved against the URL of the response.
    pub url: String,
    /// What it says of that, in order: names in small letters, and values (empty if there is none).
    pub parameters: Vec<(String, String)>,
}

impl Link {
    /// The first parameter with that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }

    /// Whether it points to what is the `relation` of the response: `next`, `last`, … One link may have several.
    pub fn is(&self, relation: &str) -> bool {
        let mut relations = self.get("rel").unwrap_or_default().split_ascii_whitespace();
        relations.any(|other| other.eq_ignore_ascii_case(relation))
    }
}

/// The links in a field, up to what cannot be understood.
pub(super) fn parse(field: &str, from: &Uri) -> Vec<Link> {
    let Ok(base) = url::of_uri(from) else { return Vec::new() };
    let (mut rest, mut links) = (field, Vec::new());
    while let Some((target, after)) =
        rest.trim_start_matches([' ', '\t', ',']).strip_prefix('<').and_then(|rest| rest.split_once('>'))
    {
        let (parameters, after) = parameters(after);
        rest = after;
        if let Ok(url) = url::parse(target, Some(&base)) {
            links.push(Link { url: url.into(), parameters });
        }
    }
    links
}

/// What follows a target, and what follows that: `; name=value; name="value"`, to the next comma.
fn parameters(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut parameters = Vec::new();
    while let Some(after) = rest.trim_start().strip_prefix(';') {
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let name = after[..end].trim().to_ascii_lowercase();
        rest = &after[end..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = self::value(after.trim_start());
        }
        if !name.is_empty() {
            parameters.push((name, value));
        }
    }
    (parameters, rest)
}

/// A word, or a text in quotes, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            '"' if !escaped => return (value, &quoted[at + 1..]),
            '\\' if !escaped => escaped = true,
            _ => {
                value.push(character);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_with_what_is_said_of_them() {
        let from = Uri::from_static("http://host/a/b?page=2");
        let found = |field: &str| -> Vec<String> {
            let links = parse(field, &from);
            links.iter().map(|link| format!("{} {:?}", link.url, link.get("rel").unwrap_or("-"))).collect()
        };
        for (field, expected) in [
            ("", &[][..]),
            ("<?page=3>; rel=\"next\"", &["http://host/a/b?page=3 \"next\""]),
            ("<c>;rel=next,</d> ; REL = last", &["http://host/a/c \"next\"", "http://host/d \"last\""]),
            ("<http://x/a,b;c>; title=\"a, b; \\\"c\\\"\"; rel=up", &["http://x/a,b;c \"up\""]),
            ("<a>; rel=one; rel=two", &["http://host/a/a \"one\""]),
            ("<a>; ; crossorigin; rel=x", &["http://host/a/a \"x\""]),
            ("<a>, , <b>", &["http://host/a/a \"-\"", "http://host/a/b \"-\""]),
            ("a; rel=next", &[]),
            ("<a; rel=next", &[]),
            ("<a>; rel=\"next", &["http://host/a/a \"next\""]),
            ("<a> rel=next, <b>", &["http://host/a/a \"-\""]),
        ] {
            assert_eq!(found(field), expected, "{field:?}");
        }
        let link = &parse("<a>; rel=\"prev PREFETCH\"; title*=UTF-8''x", &from)[0];
        assert!(link.is("prev") && link.is("prefetch") && !link.is("pre"));
        assert_eq!(link.get("title*"), Some("UTF-8''x"));
    }
}
