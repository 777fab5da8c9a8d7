//! The fields of a head that was checked: the bytes that came, until somebody asks for a map.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use std::sync::OnceLock;

/// What was wrong with a head was found when it came.
pub(super) const CHECKED: &str = "a head that was checked";

/// The fields of a head.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// The whole head: checked, and never changed. There is none if it did not come from a peer.
    head: Bytes,
    /// In place of the fields in the bytes.
    map: OnceLock<Box<HeaderMap>>,
}

impl Fields {
    /// Of a head whose fields were understood by httparse, or in [short](super::short).
    pub(super) fn new(head: Bytes) -> Self {
        Fields { head, map: OnceLock::new() }
    }

    /// The whole head, as it came.
    pub(super) fn head(&self) -> &Bytes {
        &self.head
    }

    // ANCHOR: map
    pub(crate) fn map(&self) -> &HeaderMap {
        self.map.get_or_init(|| {
            let mut map = HeaderMap::new();
            for (name, value) in lines(&self.head) {
                let name = HeaderName::from_bytes(name).expect(CHECKED);
                // Not copied: it is a part of the head.
                let value = HeaderValue::from_maybe_shared(self.head.slice_ref(value)).expect(CHECKED);
                map.append(name, value);
            }
            Box::new(map)
        })
    }
    // ANCHOR_END: map

    pub(crate) fn map_mut(&mut self) -> &mut HeaderMap {
        self.map();
        self.map.get_mut().expect("it was made just now")
    }

    pub(crate) fn into_map(mut self) -> HeaderMap {
        std::mem::take(self.map_mut())
    }

    /// The first field of a name, if it is made of visible characters.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&str> {
        match self.map.get() {
            Some(map) => map.get(name)?.to_str().ok(),
            None => {
                let (_, value) =
                    lines(&self.head).find(|(other, _)| other.eq_ignore_ascii_case(name.as_str().as_bytes()))?;
                let visible = value.iter().all(|&byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic());
                if visible { str::from_utf8(value).ok() } else { None }
            }
        }
    }
}

impl From<HeaderMap> for Fields {
    fn from(map: HeaderMap) -> Self {
        Fields { head: Bytes::new(), map: OnceLock::from(Box::new(map)) }
    }
}

/// The names and values in a head that was checked: each in a line, with a colon behind the name, and nothing folded.
fn lines(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = head.split(|&byte| byte == b'\n').skip(1);
    lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}
