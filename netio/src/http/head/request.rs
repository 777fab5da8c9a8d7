//! The head of a request, understood when it is asked.
//!
//! Most handlers look at a path and at a field or two. So what was checked is kept as the bytes that came, and becomes a
//! [`Uri`] or a [`HeaderMap`] when somebody asks for one; from then on that is what counts, since whoever asks may change it.

use super::target::Target;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use bytes::Bytes;
use std::{ops::Range, sync::OnceLock};

/// What was wrong with it was found when it came.
const CHECKED: &str = "a head that was checked";

/// The head of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// The whole head: checked, and never changed. Of a request that did not come from a peer there is none.
    bytes: Bytes,
    path: Range<u32>,
    /// Where the target ends, behind the query.
    target_end: u32,
    /// In place of the target in the bytes.
    uri: OnceLock<Box<Uri>>,
    /// In place of the fields in the bytes.
    headers: OnceLock<Box<HeaderMap>>,
}

impl RequestHead {
    /// Of bytes that were checked: the target by [`target::read`](super::target::read), the fields by httparse.
    pub(super) fn new(method: Method, version: Version, bytes: Bytes, target: Target) -> Self {
        let (path, target_end, uri) = match target {
            Target::Path { path, end } => (path, end, OnceLock::new()),
            Target::Other(other) => (0..0, 0, OnceLock::from(Box::new(other.uri))),
        };
        RequestHead { method, version, bytes, path, target_end, uri, headers: OnceLock::new() }
    }

    /// Of a request that did not come from a peer.
    pub(crate) fn made(method: Method, version: Version, uri: Uri, headers: HeaderMap) -> Self {
        let (uri, headers) = (OnceLock::from(Box::new(uri)), OnceLock::from(Box::new(headers)));
        RequestHead { method, version, uri, headers, ..RequestHead::default() }
    }

    pub(crate) fn into_parts(self) -> (Method, Uri, HeaderMap) {
        self.uri();
        self.headers();
        let (uri, headers) = (self.uri.into_inner(), self.headers.into_inner());
        (
            self.method,
            uri.map_or_else(Uri::default, |uri| *uri),
            headers.map_or_else(HeaderMap::new, |headers| *headers),
        )
    }

    /// The path of the target, as it came: not decoded.
    pub(crate) fn path(&self) -> &str {
        match self.uri.get() {
            Some(uri) => uri.path(),
            None if self.path.is_empty() => "/",
            None => self.text(self.path.clone()),
        }
    }

    /// What stands behind the path, without its question mark.
    pub(crate) fn query(&self) -> Option<&str> {
        match self.uri.get() {
            Some(uri) => uri.query(),
            None => (self.path.end < self.target_end).then(|| self.text(self.path.end + 1..self.target_end)),
        }
    }

    /// If the path is a part of the bytes, and so of [`piece`](Self::piece): where it begins there.
    pub(crate) fn path_in_bytes(&self) -> Option<u32> {
        (self.uri.get().is_none() && !self.path.is_empty()).then_some(self.path.start)
    }

    /// A piece of the head as it came.
    pub(crate) fn text(&self, range: Range<u32>) -> &str {
        str::from_utf8(&self.bytes[range.start as usize..range.end as usize]).expect(CHECKED)
    }

    pub(crate) fn uri(&self) -> &Uri {
        self.uri.get_or_init(|| {
            let target = self.bytes.slice(self.path.start as usize..self.target_end as usize);
            Box::new(if target.is_empty() { Uri::default() } else { Uri::from_maybe_shared(target).expect(CHECKED) })
        })
    }

    pub(crate) fn uri_mut(&mut self) -> &mut Uri {
        self.uri();
        self.uri.get_mut().expect("it was made just now")
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.headers.get_or_init(|| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields(&self.bytes) {
                let name = HeaderName::from_bytes(name).expect(CHECKED);
                // Not copied: it is a part of the head.
                let value = HeaderValue::from_maybe_shared(self.bytes.slice_ref(value)).expect(CHECKED);
                headers.append(name, value);
            }
            Box::new(headers)
        })
    }

    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers();
        self.headers.get_mut().expect("they were made just now")
    }
}

/// The fields of a head that was checked: a line each, a colon behind the name, and nothing folded.
fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = head.split(|&byte| byte == b'\n').skip(1);
    lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}
