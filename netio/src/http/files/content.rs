//! From an open file to a response: what is sent of it, and how.

use super::open::Opened;
use crate::{
    blocking::blocking,
    http::{
        Body, BodyWriter, HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
        coding::Coding,
        conditional::{Condition, EntityTag, Validators},
        explain, header,
        output::plain,
        range::{self, Selection},
    },
};
use bytes::Bytes;
use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What has no more bytes is read at once.
const SMALL: u64 = 256 * 1024;

/// What has more is read in such pieces.
const PIECE: u64 = 64 * 1024;

/// What decides over the response, taken along to the blocking pool.
pub(super) struct Ask {
    pub(super) headers: HeaderMap,
    method: Method,
    now: SystemTime,
    boundary: String,
}

impl Ask {
    pub(super) fn of(request: &Request) -> Result<Ask, StatusCode> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        // Time and chance are those of the runtime; a thread of the blocking pool has none.
        let several = request.headers().get(header::RANGE).is_some_and(|range| range.as_bytes().contains(&b','));
        let boundary = if several { crate::http::boundary() } else { String::new() };
        let (method, headers) = (request.method().clone(), request.headers().clone());
        Ok(Ask { headers, method, now: runtime::time::wall_clock(), boundary })
    }
}

/// The response, with the fields that are given, and those that the file and the request make.
pub(super) fn respond(
    file: Opened,
    content_type: HeaderValue,
    coding: Option<Coding>,
    headers: HeaderMap,
    ask: &Ask,
) -> io::Result<Response> {
    let Opened { file, length, modified, .. } = file;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let suffix = coding.map(|coding| format!("-{coding}")).unwrap_or_default();
    let tag = EntityTag::strong(format!("{length:x}-{since:x}{suffix}"));
    let validators = Validators::new(Some(tag), Some(modified), ask.now);
    let mut response = Response::default();
    *response.headers_mut() = headers;
    validators.put(response.headers_mut());
    match validators.check(&ask.method, &ask.headers) {
        Condition::Holds => {}
        Condition::NotModified => {
            // The tag says it all. RFC 9110, 15.4.5.
            response.headers_mut().remove(header::LAST_MODIFIED);
            response.headers_mut().remove(header::CONTENT_ENCODING);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        Condition::Fails => return Ok(explain(StatusCode::PRECONDITION_FAILED, "the file is not in that state")),
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let selection = match ask.method == Method::GET && validators.range_applies(&ask.headers) {
        true => range::select(&ask.headers, length),
        false => Selection::Whole,
    };
    let script = match selection {
        Selection::Whole => {
            headers.insert(header::CONTENT_TYPE, content_type);
            Script::of(0..length)
        }
        Selection::Unsatisfiable => {
            let mut response = explain(StatusCode::RANGE_NOT_SATISFIABLE, "the file is not that long");
            response.set_header(header::CONTENT_RANGE, plain(&format!("bytes */{length}")));
            return Ok(response);
        }
        Selection::Parts(parts) => {
            let script = if let [part] = &parts[..] {
                headers.insert(header::CONTENT_TYPE, content_type);
                headers.insert(header::CONTENT_RANGE, plain(&content_range(part, length)));
                Script::of(part.clone())
            } else {
                let boundary = &ask.boundary;
                headers.insert(header::CONTENT_TYPE, plain(&format!("multipart/byteranges; boundary={boundary}")));
                Script::of_parts(&parts, length, boundary, &content_type)
            };
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            script
        }
    };
    let length = script.length();
    *response.body_mut() = if ask.method == Method::HEAD {
        Body::writer(async |_| Ok(())).with_length(length)
    } else if length <= SMALL {
        script.read(&file)?.into()
    } else {
        Body::writer(move |body| script.send(Arc::new(file), body)).with_length(length)
    };
    Ok(response)
}

/// As a field has it: the last byte is counted in.
fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end - 1)
}

/// What is to be sent, in order: words of our own, and parts of the file.
struct Script {
    parts: Vec<(String, Range<u64>)>,
    end: String,
}

impl Script {
    fn of(part: Range<u64>) -> Script {
        Script { parts: vec![(String::new(), part)], end: String::new() }
    }

    /// A `multipart/byteranges`. RFC 9110, 14.6.
    fn of_parts(parts: &[Range<u64>], length: u64, boundary: &str, content_type: &HeaderValue) -> Script {
        let kind = content_type.to_str().expect("it was made of text");
        let head = |part: &Range<u64>| {
            let range = content_range(part, length);
            format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {range}\r\n\r\n")
        };
        let parts = parts.iter().map(|part| (head(part), part.clone())).collect();
        Script { parts, end: format!("\r\n--{boundary}--\r\n") }
    }

    fn length(&self) -> u64 {
        let parts = self.parts.iter().map(|(words, part)| words.len() as u64 + part.end - part.start);
        parts.sum::<u64>() + self.end.len() as u64
    }

    fn read(self, file: &File) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        for (words, part) in self.parts {
            all.extend_from_slice(words.as_bytes());
            all.extend_from_slice(&read(file, part)?);
        }
        all.extend_from_slice(self.end.as_bytes());
        Ok(all)
    }

    async fn send(self, file: Arc<File>, mut body: BodyWriter) -> io::Result<()> {
        for (words, part) in self.parts {
            body.write(words).await?;
            let mut at = part.start;
            while at < part.end {
                let piece = at..part.end.min(at + PIECE);
                at = piece.end;
                let file = file.clone();
                body.write(Bytes::from(blocking(move || read(&file, piece)).await?)).await?;
            }
        }
        body.write(self.end).await
    }
}

/// All of a part, or an error if the file has become too short.
fn read(file: &File, part: Range<u64>) -> io::Result<Vec<u8>> {
    let length = usize::try_from(part.end - part.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, part.start)?;
    Ok(bytes)
}
