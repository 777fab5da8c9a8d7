//! A form to be sent.

use super::parser::is_boundary;
use crate::http::{Body, HeaderValue, boundary, output::plain};
use bytes::Bytes;
use futures_lite::{StreamExt, stream};
use runtime::fs::File;
use std::{
    borrow::Cow,
    io::{self, ErrorKind},
    path::Path,
};

/// What is read of a file at once.
const PIECE: usize = 64 * 1024;

/// A form that is to be sent, with parts that may be streams.
///
/// ```
/// use netio::http::{client::Client, header::CONTENT_TYPE, multipart::{Form, FormPart, Multipart}, server::{Router, Server}};
/// # use netio::http::multipart::MultipartError;
///
/// async fn upload(mut form: Multipart) -> Result<String, MultipartError> {
///     let part = form.next().await?.expect("there is one");
///     let name = part.name().to_owned();
///     Ok(format!("{name} has {}", part.text().await?))
/// }
///
/// runtime::block_on(async {
///     let server = Server::bind("127.0.0.1:0")?;
///     let url = format!("http://{}/upload", server.local_addr());
///     runtime::spawn(server.serve(Router::new().post("/upload", upload)));
///
///     let form = Form::new().text("colour", "green").part("notes", FormPart::new("one\ntwo\n").file_name("notes.txt"));
///     let request = Client::new().post(url).header(CONTENT_TYPE, form.content_type()).body(form);
///     assert_eq!(request.await?.text().await?, "colour has green");
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a form does nothing until it is sent"]
pub struct Form {
    boundary: String,
    parts: Vec<(Bytes, Body)>,
}

/// A part of a [`Form`]: a body, and what is said of it.
#[derive(Debug)]
#[must_use = "a part does nothing until it is put into a form"]
pub struct FormPart {
    body: Body,
    file_name: Option<String>,
    content_type: Option<HeaderValue>,
}

impl Default for Form {
    fn default() -> Self {
        Form::new()
    }
}

impl Form {
    /// A form without parts. Its boundary has 128 bits of the runtime's chance: no file has it in it, but whoever can guess the
    /// runtime's draws could make one that has.
    pub fn new() -> Form {
        Form { boundary: format!("handloom-{}", boundary()), parts: Vec::new() }
    }

    /// A form with a boundary of its own.
    ///
    /// # Panics
    /// When it has not 1 to 70 of the characters that RFC 2046 allows.
    pub fn with_boundary(boundary: impl Into<String>) -> Form {
        let boundary = boundary.into();
        assert!(is_boundary(&boundary), "`{boundary}` cannot be a boundary");
        Form { boundary, parts: Vec::new() }
    }

    /// Adds a field.
    pub fn text(self, name: &str, value: impl Into<String>) -> Form {
        self.part(name, FormPart::new(value.into()))
    }

    /// Adds a part.
    pub fn part(mut self, name: &str, part: FormPart) -> Form {
        let mut head = format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"", self.boundary, quoted(name));
        if let Some(file_name) = &part.file_name {
            head += &format!("; filename=\"{}\"", quoted(file_name));
        }
        let mut head = head.into_bytes();
        if let Some(kind) = &part.content_type {
            head.extend_from_slice(b"\r\nContent-Type: ");
            head.extend_from_slice(kind.as_bytes());
        }
        head.extend_from_slice(b"\r\n\r\n");
        self.parts.push((head.into(), part.body));
        self
    }

    /// The `Content-Type` of the request.
    pub fn content_type(&self) -> HeaderValue {
        plain(&format!("multipart/form-data; boundary=\"{}\"", self.boundary))
    }
}

/// Of a known length, if all parts are.
impl From<Form> for Body {
    fn from(form: Form) -> Body {
        let end = format!("--{}--\r\n", form.boundary);
        let length = form
            .parts
            .iter()
            .try_fold(end.len() as u64, |sum, (head, body)| Some(sum + head.len() as u64 + body.length()? + 2));
        let text = |bytes: Bytes| stream::once(io::Result::Ok(bytes));
        let parts = form.parts.into_iter().map(move |(head, body)| text(head).chain(body).chain(text("\r\n".into())));
        let body = Body::stream(stream::iter(parts).flatten().chain(text(end.into())));
        match length {
            Some(length) => body.with_length(length),
            None => body,
        }
    }
}

impl FormPart {
    /// A part with that body.
    pub fn new(body: impl Into<Body>) -> FormPart {
        FormPart { body: body.into(), file_name: None, content_type: None }
    }

    /// A file, with its name and the type that its name suggests; it is read as it is sent. What is added to it meanwhile is not
    /// sent, and if it gets shorter, the request fails.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn file(path: impl AsRef<Path>) -> io::Result<FormPart> {
        let path = path.as_ref();
        let mut file = File::open(path).await?;
        let length = file.metadata().await?.len();
        let body = Body::writer(async move |mut body| {
            let (mut chunks, mut left) = (file.chunks(PIECE), length);
            while left > 0 {
                let too_short = || io::Error::new(ErrorKind::UnexpectedEof, "the file has become shorter");
                let mut chunk = Bytes::from(chunks.next().await.ok_or_else(too_short)??);
                chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                left -= chunk.len() as u64;
                body.write(chunk).await?;
            }
            Ok(())
        });
        let part = FormPart::new(body.with_length(length));
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(part.file_name(name).content_type(plain(kind.essence_str())))
    }

    /// Says that it is a file, and the name of that.
    pub fn file_name(mut self, name: impl Into<String>) -> FormPart {
        self.file_name = Some(name.into());
        self
    }

    /// Says of which type it is.
    pub fn content_type(mut self, kind: HeaderValue) -> FormPart {
        self.content_type = Some(kind);
        self
    }
}

/// A name as browsers write it: what would end the quotes or the line is percent-encoded. (WHATWG, *multipart form data*.)
fn quoted(name: &str) -> Cow<'_, str> {
    if name.contains(['"', '\r', '\n']) {
        name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A").into()
    } else {
        name.into()
    }
}
