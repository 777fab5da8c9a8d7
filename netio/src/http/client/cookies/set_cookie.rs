//! What a `Set-Cookie` field says. RFC 6265, 5.2.

use super::date;
use runtime::time::wall_clock;
use std::time::{Duration, SystemTime};

/// The most bytes of a name and its value, and of an attribute (6265bis).
const COOKIE: usize = 4096;
const ATTRIBUTE: usize = 1024;

/// A `Set-Cookie` field, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    /// In small letters, without a dot in front.
    pub(super) domain: Option<String>,
    /// It begins with a slash.
    pub(super) path: Option<String>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) expires: Option<SystemTime>,
}

impl SetCookie {
    /// Unknown attributes, and known ones with a value that makes no sense, are as good as not there; of several the last counts.
    pub(super) fn parse(text: &str) -> Option<SetCookie> {
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (trim(name), trim(value));
        if name.contains('\t') || value.contains('\t') {
            return None;
        }
        if name.is_empty() || name.len() + value.len() > COOKIE || has_control(text) {
            return None;
        }
        let mut set = SetCookie {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: None,
            path: None,
            secure: false,
            http_only: false,
            expires: None,
        };
        let mut max_age = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (trim(name), trim(value));
            if value.len() > ATTRIBUTE {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "expires" => set.expires = date::parse(value).or(set.expires),
                "max-age" => max_age = end_of(value).or(max_age),
                "domain" => {
                    let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                    set.domain = (!domain.is_empty()).then_some(domain);
                }
                "path" => set.path = value.starts_with('/').then(|| value.to_owned()),
                "secure" => set.secure = true,
                "httponly" => set.http_only = true,
                _ => {}
            }
        }
        set.expires = max_age.or(set.expires);
        Some(set)
    }
}

/// Tabs may stand between the words only: in a [file](super::Jar::save) they end them.
fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t')
}

/// Spaces and tabs only; the field holds no other white space.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// When so many seconds are over. Zero or less: in the past.
fn end_of(max_age: &str) -> Option<SystemTime> {
    let digits = max_age.strip_prefix('-').unwrap_or(max_age);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = if digits.len() < max_age.len() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
    match seconds {
        0 => Some(SystemTime::UNIX_EPOCH),
        // Beyond what the clock can tell is as good as for ever.
        seconds => Some(wall_clock() + Duration::from_secs(seconds.min(100 * 366 * 24 * 3600))),
    }
}
