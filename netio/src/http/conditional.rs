//! Conditional requests: "only if it changed", "only if it did not". RFC 9110, 8.8 and 13.
//!
//! A response says which state of a thing it shows: by a tag (`ETag`), by the time of its last change (`Last-Modified`), or
//! both. Those are its [`Validators`]. A request that comes back with them is answered without the thing (304), not at all
//! (412), or as any other.

use super::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::{
    fmt::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A name for one state of a thing: with another content it has another tag. RFC 9110, 8.8.3.
///
/// A *weak* tag may stay when the bytes differ, but not what they mean: what was compressed on its way has a weak one. Parts
/// of two bodies fit together only if they have the same strong tag.
///
/// ```
/// use netio::http::conditional::EntityTag;
/// assert_eq!(EntityTag::strong("v1").to_string(), "\"v1\"");
/// assert_eq!(EntityTag::weak("v1").to_string(), "W/\"v1\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag {
    text: String,
    is_weak: bool,
}

impl EntityTag {
    /// A tag that changes with every byte.
    ///
    /// # Panics
    /// When the text has anything but visible ASCII characters, or a quote.
    pub fn strong(text: impl Into<String>) -> EntityTag {
        let text = text.into();
        let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        assert!(fits, "`{text}` cannot stand in a tag");
        EntityTag { text, is_weak: false }
    }

    /// A tag that changes with the meaning.
    ///
    /// # Panics
    /// As [`strong`](EntityTag::strong).
    pub fn weak(text: impl Into<String>) -> EntityTag {
        EntityTag { is_weak: true, ..EntityTag::strong(text) }
    }

    /// Whether it is weak.
    pub fn is_weak(&self) -> bool {
        self.is_weak
    }
}

/// As in a header field.
impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_weak { "W/\"" } else { "\"" })?;
        f.write_str(&self.text)?;
        f.write_char('"')
    }
}

/// What tells one state of a thing from another.
///
/// ```
/// use netio::http::{Body, Request, Response, StatusCode, conditional::{Condition, EntityTag, Validators}};
///
/// async fn price(request: Request) -> Response {
///     let validators = Validators::of_tag(EntityTag::strong("7-coins"));
///     let mut response = Response::default();
///     match validators.check(request.method(), request.headers()) {
///         Condition::Holds => *response.body_mut() = Body::from("7 coins\n"),
///         Condition::NotModified => *response.status_mut() = StatusCode::NOT_MODIFIED,
///         Condition::Fails => *response.status_mut() = StatusCode::PRECONDITION_FAILED,
///     }
///     validators.put(response.headers_mut());
///     response
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    tag: Option<EntityTag>,
    /// In whole seconds.
    modified: Option<SystemTime>,
    now: SystemTime,
}

/// How to go on with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// As if there were no condition.
    Holds,
    /// 304: the client has what it asks for.
    NotModified,
    /// 412: the client meant another state.
    Fails,
}

impl Validators {
    /// Of what has a tag and a time of its last change, or one of them, or nothing.
    ///
    /// `now` is the time of the response: what seems to change later than that has changed just now, because a server must not
    /// say otherwise (8.8.2.1).
    pub fn new(tag: Option<EntityTag>, modified: Option<SystemTime>, now: SystemTime) -> Validators {
        let modified = modified.map(|modified| whole_seconds(modified.min(now)));
        Validators { tag, modified, now }
    }

    /// Of what has a tag.
    pub fn of_tag(tag: EntityTag) -> Validators {
        Validators { tag: Some(tag), modified: None, now: UNIX_EPOCH }
    }

    /// The fields of the response: `ETag` and `Last-Modified`.
    pub fn put(&self, headers: &mut HeaderMap) {
        if let Some(tag) = &self.tag {
            headers.insert(header::ETAG, super::output::plain(&tag.to_string()));
        }
        if let Some(modified) = self.modified {
            headers.insert(header::LAST_MODIFIED, super::output::plain(&httpdate::fmt_http_date(modified)));
        }
    }

    /// What the conditions of a request say, for a thing that exists, in the order of 13.2.2: `If-Match`, without that
    /// `If-Unmodified-Since`; then `If-None-Match`, without that `If-Modified-Since`.
    ///
    /// `If-Match` compares strongly, `If-None-Match` weakly. A tag that cannot be read is none, and a date that cannot be read
    /// is no condition.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Condition {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if headers.contains_key(header::IF_MATCH) {
            if !self.is_among(headers, &header::IF_MATCH, Comparison::Strong) {
                return Condition::Fails;
            }
        } else if let (Some(date), Some(modified)) = (date(headers, &header::IF_UNMODIFIED_SINCE), self.modified)
            && modified > date
        {
            return Condition::Fails;
        }
        if headers.contains_key(header::IF_NONE_MATCH) {
            return match self.is_among(headers, &header::IF_NONE_MATCH, Comparison::Weak) {
                false => Condition::Holds,
                true if reads => Condition::NotModified,
                true => Condition::Fails,
            };
        }
        match (date(headers, &header::IF_MODIFIED_SINCE), self.modified) {
            (Some(date), Some(modified)) if reads && modified <= date => Condition::NotModified,
            _ => Condition::Holds,
        }
    }

    /// Whether a `Range` counts: there is no `If-Range`, or it names this state, strongly. 13.1.5.
    ///
    /// A date names it if it is the very date of the last change, and that was long enough ago (a second) for no second change
    /// to hide behind it.
    pub fn range_applies(&self, headers: &HeaderMap) -> bool {
        let mut fields = headers.get_all(header::IF_RANGE).into_iter();
        match (fields.next(), fields.next()) {
            (None, _) => true,
            (Some(field), None) => match Tags(field.as_bytes()).next() {
                Some(tag) => Tags(field.as_bytes()).count() == 1 && self.has(&tag, Comparison::Strong),
                None => {
                    let old =
                        |modified| self.now.duration_since(modified).is_ok_and(|age| age >= Duration::from_secs(1));
                    self.modified
                        .is_some_and(|modified| date(headers, &header::IF_RANGE) == Some(modified) && old(modified))
                }
            },
            (Some(_), Some(_)) => false,
        }
    }

    fn is_among(&self, headers: &HeaderMap, name: &HeaderName, comparison: Comparison) -> bool {
        let fields = || headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        let anything = fields().count() == 1 && fields().all(|field| field.trim_ascii() == b"*");
        anything || fields().flat_map(Tags).any(|tag| self.has(&tag, comparison))
    }

    fn has(&self, other: &Tag<'_>, comparison: Comparison) -> bool {
        self.tag.as_ref().is_some_and(|tag| {
            let strongly = !tag.is_weak && !other.is_weak;
            tag.text.as_bytes() == other.text && (strongly || comparison == Comparison::Weak)
        })
    }
}

/// 8.8.3.2: strongly, two tags are equal only if none is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// A date, if it stands there once and can be read.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut fields = headers.get_all(name).into_iter();
    let field = fields.next().filter(|_| fields.next().is_none())?;
    httpdate::parse_http_date(field.to_str().ok()?).ok()
}

/// A tag in a request.
struct Tag<'field> {
    text: &'field [u8],
    is_weak: bool,
}

/// The tags of a list. Commas may stand inside of a tag; what is no tag is passed over, up to the next comma.
struct Tags<'field>(&'field [u8]);

impl<'field> Iterator for Tags<'field> {
    type Item = Tag<'field>;

    fn next(&mut self) -> Option<Tag<'field>> {
        loop {
            self.0 = self.0.trim_ascii_start();
            let (&first, rest) = self.0.split_first()?;
            if first == b',' {
                self.0 = rest;
                continue;
            }
            let (is_weak, quoted) = self.0.strip_prefix(b"W/").map_or((false, self.0), |quoted| (true, quoted));
            if let Some(text) = quoted.strip_prefix(b"\"")
                && let Some(end) = text.iter().position(|&byte| byte == b'"')
            {
                let behind = text[end + 1..].trim_ascii_start();
                self.0 = behind;
                if matches!(behind.first(), None | Some(b',')) {
                    return Some(Tag { text: &text[..end], is_weak });
                }
            }
            let comma = self.0.iter().position(|&byte| byte == b',');
            self.0 = &self.0[comma.unwrap_or(self.0.len())..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_taken_apart() {
        let read = |list: &str| {
            let tags = Tags(list.as_bytes()).map(|tag| {
                let text = String::from_utf8_lossy(tag.text);
                if tag.is_weak { format!("weak {text}") } else { text.into_owned() }
            });
            tags.collect::<Vec<_>>().join("|")
        };
        for (list, expected) in [
            ("", ""),
            ("\"a\"", "a"),
            ("\"\"", ""),
            ("W/\"a\"", "weak a"),
            ("\"a\",\"b\"", "a|b"),
            (" , \"a\" ,\t W/\"b\",,", "a|weak b"),
            ("\"a,b\", \"c\"", "a,b|c"),
            ("\"a\\\", \"b\"", "a\\|b"),
            ("a", ""),
            ("a, \"b\"", "b"),
            ("w/\"a\"", ""),
            ("W/ \"a\", \"b\"", "b"),
            ("\"a\" \"b\", \"c\"", "c"),
            ("\"a", ""),
            ("*", ""),
        ] {
            assert_eq!(read(list), expected, "{list}");
        }
    }

    #[test]
    #[should_panic = "cannot stand in a tag"]
    fn a_tag_has_no_quotes() {
        EntityTag::strong("a\"b");
    }
}
