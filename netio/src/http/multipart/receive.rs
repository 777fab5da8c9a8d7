//! A form as it comes.

use super::{
    Limits, MultipartError,
    disposition::parameters,
    parser::{Event, Parser, is_boundary},
};
use crate::http::{
    Body, HeaderMap, Request, header,
    server::{BodyRejection, FromRequest},
};
use bytes::{Bytes, BytesMut};
use std::mem;

/// A form as it comes, part by part: an [extractor](FromRequest).
///
/// It takes the body out of the request: no other extractor behind it finds one. A body of another type is refused with 415,
/// and a boundary that cannot be with 400.
///
/// ```
/// use netio::http::{multipart::{Multipart, MultipartError}, server::Router};
///
/// async fn upload(mut form: Multipart) -> Result<String, MultipartError> {
///     let mut answer = String::new();
///     while let Some(mut part) = form.next().await? {
///         let name = part.name().to_owned();
///         let mut length = 0;
///         while let Some(chunk) = part.chunk().await? {
///             length += chunk.len();
///         }
///         answer += &format!("{name}: {length} bytes\n");
///     }
///     Ok(answer)
/// }
///
/// let router = Router::new().post("/upload", upload);
/// ```
#[derive(Debug)]
pub struct Multipart {
    body: Body,
    parser: Parser,
    limits: Limits,
    state: State,
    parts: usize,
    received: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    /// So many bytes of a part have been given.
    InPart(u64),
    Over,
    Lost,
}

impl FromRequest for Multipart {
    type Rejection = MultipartError;

    async fn from_request(request: &mut Request) -> Result<Self, MultipartError> {
        let body = mem::take(request.body_mut());
        Multipart::new(request.headers(), body)
    }
}

impl Multipart {
    /// The form in a body, whose type is among the headers.
    ///
    /// # Errors
    /// [`MultipartError::WrongType`] and [`MultipartError::NoBoundary`].
    pub fn new(headers: &HeaderMap, body: Body) -> Result<Multipart, MultipartError> {
        let mut types = headers.get_all(header::CONTENT_TYPE).into_iter();
        let found = types.next().filter(|_| types.next().is_none());
        let Some(found) = found.and_then(|found| found.to_str().ok()) else {
            return Err(MultipartError::WrongType { found: "no type".to_owned() });
        };
        let kind = found.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("multipart/form-data") {
            return Err(MultipartError::WrongType { found: kind.to_owned() });
        }
        let (_, parameters) = parameters(found).ok_or(MultipartError::NoBoundary)?;
        let boundary = parameters.iter().find(|(name, value)| name == "boundary" && is_boundary(value));
        let (_, boundary) = boundary.ok_or(MultipartError::NoBoundary)?;
        let (parser, limits) = (Parser::new(boundary), Limits::default());
        Ok(Multipart { body, parser, limits, state: State::Between, parts: 0, received: 0 })
    }

    /// Sets what it may have.
    pub fn limits(mut self, limits: Limits) -> Multipart {
        self.limits = limits;
        self
    }

    /// The next part; none when the form is over. What was not read of the part before it is passed over.
    ///
    /// # Errors
    /// See [`MultipartError`]. After an error, [`MultipartError::Lost`].
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, MultipartError> {
        loop {
            match self.event().await? {
                Event::Head(fields) => {
                    let (name, file_name) = self.name(&fields)?;
                    return Ok(Some(Part { fields, name, file_name, form: self }));
                }
                Event::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// What comes next, and that it may.
    async fn event(&mut self) -> Result<Event, MultipartError> {
        match self.state {
            State::Over => return Ok(Event::End),
            State::Lost => return Err(MultipartError::Lost),
            State::Between | State::InPart(_) => {}
        }
        let event = self.take_event().await;
        match &event {
            Ok(Event::Head(_)) => self.state = State::InPart(0),
            Ok(Event::PartEnd) => self.state = State::Between,
            Ok(Event::End) => self.state = State::Over,
            Ok(_) => {}
            Err(_) => self.state = State::Lost,
        }
        event
    }

    async fn take_event(&mut self) -> Result<Event, MultipartError> {
        loop {
            match self.parser.next(&self.limits)? {
                Event::More => {
                    let chunk = self.body.chunk().await.map_err(BodyRejection::from)?;
                    let chunk = chunk.ok_or(MultipartError::Truncated)?;
                    self.count(chunk.len())?;
                    self.parser.feed(&chunk);
                }
                // The rest means nothing, but it is read: then the connection is free for the next request.
                Event::End => match self.body.chunk().await.map_err(BodyRejection::from)? {
                    Some(chunk) => self.count(chunk.len())?,
                    None => return Ok(Event::End),
                },
                Event::Head(_) if self.parts == self.limits.parts => {
                    return Err(MultipartError::TooManyParts { limit: self.limits.parts });
                }
                Event::Head(fields) => {
                    self.parts += 1;
                    return Ok(Event::Head(fields));
                }
                event => return Ok(event),
            }
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), MultipartError> {
        self.received += bytes as u64;
        let limit = self.limits.total_bytes;
        if self.received > limit { Err(MultipartError::TooLarge { limit }) } else { Ok(()) }
    }

    /// The name of a part, and that of its file. RFC 7578, 4.2.
    fn name(&mut self, fields: &[(String, String)]) -> Result<(String, Option<String>), MultipartError> {
        let named = |wanted: &str| {
            let mut found = fields.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
            let first = found.next();
            if found.next().is_none() { Ok(first) } else { Err("a part has a field twice") }
        };
        let names = || {
            // 4.7 has no other encodings in a form, and nobody sends them: bytes are bytes.
            let encoding = named("content-transfer-encoding")?.unwrap_or("binary");
            if !["7bit", "8bit", "binary"].iter().any(|known| known.eq_ignore_ascii_case(encoding)) {
                return Err("a part has an encoding of its own");
            }
            let disposition = named("content-disposition")?.and_then(parameters);
            let (kind, parameters) = disposition.ok_or("a part does not say what it is")?;
            if kind != "form-data" {
                return Err("a part is no part of a form");
            }
            let value =
                |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            Ok((value("name").ok_or("a part has no name")?, value("filename")))
        };
        names().map_err(|reason| {
            self.state = State::Lost;
            MultipartError::Malformed { reason }
        })
    }
}

/// A part of a form: a field, or a file.
#[derive(Debug)]
pub struct Part<'form> {
    form: &'form mut Multipart,
    fields: Vec<(String, String)>,
    name: String,
    file_name: Option<String>,
}

impl Part<'_> {
    /// The name of the field.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that the file has on the other side, if it is a file. **Never a path to write to**: a client may send
    /// `../../etc/passwd`. Browsers send quotes and line ends in it as `%22`, `%0D` and `%0A`; it is not decoded.
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The type that the client says it has.
    pub fn content_type(&self) -> Option<&str> {
        self.field("content-type")
    }

    /// A field of its head, by its name in small letters.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The next bytes, as they come; none at the end of the part.
    ///
    /// # Errors
    /// See [`MultipartError`].
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come is given by the next call.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, MultipartError> {
        let State::InPart(given) = self.form.state else { return self.end() };
        let Event::Data(bytes) = self.form.event().await? else { return Ok(None) };
        let given = given + bytes.len() as u64;
        let limit = self.form.limits.part_bytes;
        if given > limit {
            self.form.state = State::Lost;
            return Err(MultipartError::PartTooLarge { name: self.name.clone(), limit });
        }
        self.form.state = State::InPart(given);
        Ok(Some(bytes))
    }

    fn end(&self) -> Result<Option<Bytes>, MultipartError> {
        if self.form.state == State::Lost { Err(MultipartError::Lost) } else { Ok(None) }
    }

    /// All that is left of the part.
    ///
    /// # Errors
    /// See [`MultipartError`].
    ///
    /// # Cancel safety
    /// Dropped, what was read of the part is lost; the next part is not.
    pub async fn bytes(mut self) -> Result<Bytes, MultipartError> {
        let first = self.chunk().await?.unwrap_or_default();
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut whole = BytesMut::from_iter([first, second].concat());
        while let Some(more) = self.chunk().await? {
            whole.extend_from_slice(&more);
        }
        Ok(whole.freeze())
    }

    /// All that is left of the part, as text.
    ///
    /// # Errors
    /// See [`MultipartError`].
    ///
    /// # Cancel safety
    /// As [`bytes`](Part::bytes).
    pub async fn text(self) -> Result<String, MultipartError> {
        let name = self.name.clone();
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|_| MultipartError::NotText { name })
    }
}
