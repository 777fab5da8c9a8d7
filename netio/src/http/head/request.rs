//! The head of a request, understood when it is asked.
//!
//! Most handlers look at a path and at a field or two. So what was checked is kept as the bytes that came, and becomes a
//! [`Uri`] or a [`HeaderMap`] when somebody asks for one; from then on that is what counts, since whoever asks may change it.

use super::{
    fields::{CHECKED, Fields},
    target::Target,
};
use ::http::{HeaderMap, Method, Uri, Version};
use bytes::Bytes;
use std::{ops::Range, sync::OnceLock};

/// The head of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// Where the path is in the head, if that is what the client asked for.
    path: Range<u32>,
    /// Where the target ends, behind the query.
    target_end: u32,
    /// In place of the target in the head.
    uri: OnceLock<Box<Uri>>,
    fields: Fields,
}

impl RequestHead {
    /// Of bytes that were checked: the target by [`target::read`](super::target::read), the fields by httparse or in [short](super::short).
    pub(super) fn new(method: Method, version: Version, bytes: Bytes, target: Target) -> Self {
        let (path, target_end, uri) = match target {
            Target::Path { path, end } => (path, end, OnceLock::new()),
            Target::Other(other) => (0..0, 0, OnceLock::from(Box::new(other.uri))),
        };
        RequestHead { method, version, path, target_end, uri, fields: Fields::new(bytes) }
    }

    /// Of a request that did not come from a peer.
    pub(crate) fn made(method: Method, version: Version, uri: Uri, headers: HeaderMap) -> Self {
        RequestHead {
            method,
            version,
            uri: OnceLock::from(Box::new(uri)),
            fields: headers.into(),
            ..RequestHead::default()
        }
    }

    pub(crate) fn into_parts(self) -> (Method, Uri, HeaderMap) {
        let uri = self.uri().clone();
        (self.method, uri, self.fields.into_map())
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

    /// If the path is a part of the bytes, and so of [`text`](Self::text): where it begins there.
    pub(crate) fn path_in_bytes(&self) -> Option<u32> {
        (self.uri.get().is_none() && !self.path.is_empty()).then_some(self.path.start)
    }

    /// The head as it came, as far as it is text for certain: to the end of the path.
    pub(crate) fn up_to_path(&self) -> &str {
        self.text(0..self.path.end)
    }

    /// A piece of the head as it came.
    pub(crate) fn text(&self, range: Range<u32>) -> &str {
        str::from_utf8(&self.fields.head()[range.start as usize..range.end as usize]).expect(CHECKED)
    }

    pub(crate) fn uri(&self) -> &Uri {
        self.uri.get_or_init(|| {
            let target = self.fields.head().slice(self.path.start as usize..self.target_end as usize);
            Box::new(if target.is_empty() { Uri::default() } else { Uri::from_maybe_shared(target).expect(CHECKED) })
        })
    }

    pub(crate) fn uri_mut(&mut self) -> &mut Uri {
        self.uri();
        self.uri.get_mut().expect("it was made just now")
    }

    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    pub(crate) fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }
}
