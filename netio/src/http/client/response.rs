//! A response whose body is still to be read.

use super::{
    Error, Link, Phase, Redirected, charset, link,
    upgraded::{Switched, Upgraded},
    url::Fragment,
};
use crate::http::{
    Body, BodyReader, HeaderMap, StatusCode, Uri, Version,
    coding::CodingError,
    head::{Fields, ResponseHead},
    header,
    sse::EventStream,
};
use bytes::Bytes;
use http::Extensions;
use serde::de::DeserializeOwned;
use std::{fmt, io, net::SocketAddr};

/// A response: its head has come, its body is read when you ask for it.
///
/// Read to its end, it gives its connection back to the client for the next request; dropped before, it closes it, unless the
/// rest has come already.
pub struct ClientResponse {
    url: Uri,
    peer: Option<SocketAddr>,
    status: StatusCode,
    version: Version,
    fields: Fields,
    /// It may be compressed.
    pub(super) coded: bool,
    extensions: Extensions,
    history: Vec<Redirected>,
    body: Body,
}

impl ClientResponse {
    pub(super) fn new(
        url: Uri,
        peer: Option<SocketAddr>,
        head: ResponseHead,
        extensions: Extensions,
        body: Body,
    ) -> Self {
        let ResponseHead { status, version, fields, coded, .. } = head;
        ClientResponse { url, peer, status, version, fields, coded, extensions, history: Vec::new(), body }
    }

    /// The other end of its connection, where that has an address.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The connection, if the server switched to another protocol: a 101, to a request with an `Upgrade` field. It can be taken
    /// once.
    pub fn upgrade(&mut self) -> Option<Upgraded> {
        self.extensions.get::<Switched>()?.take()
    }

    pub(super) fn set_history(&mut self, history: Vec<Redirected>) {
        self.history = history;
    }

    pub(super) fn map_body(&mut self, change: impl FnOnce(Body) -> Body) {
        self.body = change(std::mem::take(&mut self.body));
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether it is no error: the status is below 400.
    pub fn ok(&self) -> bool {
        !self.status.is_client_error() && !self.status.is_server_error()
    }

    /// The response, unless its status says that it went wrong.
    ///
    /// # Errors
    /// [`Error::Status`] from 400 on.
    ///
    /// ```
    /// use netio::http::{Request, StatusCode, client::{Client, Error}, reply, server::Server};
    /// # runtime::block_on(async {
    /// let server = Server::bind("127.0.0.1:0").unwrap();
    /// let url = format!("http://{}/", server.local_addr());
    /// runtime::spawn(server.serve(async |_: Request| reply(StatusCode::NOT_FOUND, "text/plain", "nothing")));
    ///
    /// let error = Client::new().get(&url).await.unwrap().error_for_status().unwrap_err();
    /// assert_eq!(error.to_string(), format!("{url}: the server answered 404 Not Found"));
    /// # });
    /// ```
    pub fn error_for_status(self) -> Result<Self, Error> {
        match self.ok() {
            true => Ok(self),
            false => Err(Error::Status { url: self.url.to_string(), status: self.status }),
        }
    }

    /// The header fields. If the body was decompressed, those that told how it was compressed are gone: they are in [`Coded`].
    ///
    /// [`Coded`]: super::Coded
    pub fn headers(&self) -> &HeaderMap {
        self.fields.map()
    }

    /// The header fields, for a layer to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.fields.map_mut()
    }

    /// What the client and its layers know of this response: [`Coded`](super::Coded), [`Tries`](super::middleware::Tries).
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// What is known of this response, for a layer to add to.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// The version that the server speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where it is from, after all redirects. (A URI has no fragment: see [`fragment`](ClientResponse::fragment).)
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// What stands behind the `#` of the URL: its last one, as redirects have left it.
    pub fn fragment(&self) -> Option<&str> {
        self.extensions.get().map(|Fragment(fragment)| &**fragment)
    }

    /// The redirects that led here, the first one first.
    pub fn history(&self) -> &[Redirected] {
        &self.history
    }

    /// The length of the body, if the server has said it and the body is as it was sent.
    pub fn content_length(&self) -> Option<u64> {
        self.fields.text(&header::CONTENT_LENGTH)?.parse().ok()
    }

    /// The names and values of the cookies that this response sets, whether or not the client takes them.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.headers().get_all(header::SET_COOKIE).iter().filter_map(|field| field.to_str().ok());
        let pairs = fields.filter_map(|field| field.split(';').next()?.split_once('='));
        pairs.map(|(name, value)| (name.trim(), value.trim()))
    }

    /// What the `Link` fields point to, RFC 8288: `rel="next"` and the like. What cannot be understood is left out.
    ///
    /// ```
    /// # use netio::http::{HeaderMap, Request, Response, client::Client, server::Server};
    /// # runtime::block_on(async {
    /// # let server = Server::bind("127.0.0.1:0").unwrap();
    /// # let url = format!("http://{}/list?page=1", server.local_addr());
    /// # runtime::spawn(server.serve(async |_: Request| {
    /// #     let mut response = Response::new("[]".into());
    /// #     response.headers_mut().insert("link", "<?page=2>; rel=next, </list?page=9>; rel=\"last\"".parse().unwrap());
    /// #     response
    /// # }));
    /// let response = Client::new().get(&url).await.unwrap();
    /// let next = response.links().into_iter().find(|link| link.is("next")).unwrap();
    /// assert!(next.url.ends_with("/list?page=2"));
    /// # });
    /// ```
    pub fn links(&self) -> Vec<Link> {
        let fields = self.headers().get_all(header::LINK).iter().filter_map(|field| field.to_str().ok());
        fields.flat_map(|field| link::parse(field, &self.url)).collect()
    }

    /// The next bytes of the body, as they come; `None` at its end, and after an error.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Protocol`], [`Error::Timeout`], [`Error::TooLarge`] or [`Error::Coding`], in [`Phase::Body`].
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come is given by the next call.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.body.chunk().await;
        chunk.map_err(|error| self.error(error))
    }

    /// The fields that came behind the body: once [`chunk`](ClientResponse::chunk) has said that this is over, and if there were
    /// any. A server sends them to a [request that takes them](super::RequestBuilder::take_trailers). See [`Body::trailers`].
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.body.trailers()
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.whole().await
    }

    async fn whole(&mut self) -> Result<Bytes, Error> {
        let bytes = self.body.bytes().await;
        bytes.map_err(|error| self.error(error))
    }

    /// The whole body as text, in the character set that `Content-Type` names, or that a byte order mark tells; UTF-8 if neither
    /// does, or the name is not known. What is no character is replaced by U+FFFD.
    ///
    /// Without the cargo feature `charset` all text is UTF-8.
    ///
    /// # Errors
    /// As [`chunk`](ClientResponse::chunk).
    pub async fn text(mut self) -> Result<String, Error> {
        let bytes = self.whole().await?;
        Ok(charset::decode(charset::label(self.content_type()), &bytes))
    }

    /// The whole body, from JSON. The response must say that it is: `application/json`, or a type that ends in `+json`.
    ///
    /// # Errors
    /// [`Error::ContentType`], before the body is read; [`Error::Json`]; and as [`chunk`](ClientResponse::chunk).
    ///
    /// ```
    /// # use netio::http::{Request, Response, client::Client, server::{Json, Router, Server}};
    /// # use serde_json::json;
    /// # runtime::block_on(async {
    /// # let server = Server::bind("127.0.0.1:0").unwrap();
    /// # let url = format!("http://{}/", server.local_addr());
    /// # let router = Router::new().get("/", async || Json(json!({ "name": "Ada", "born": 1815 })));
    /// # runtime::spawn(server.serve(router));
    /// #[derive(serde::Deserialize)]
    /// struct Person {
    ///     name: String,
    /// }
    /// let person: Person = Client::new().get(url).await?.json().await?;
    /// assert_eq!(person.name, "Ada");
    /// # Ok::<(), netio::http::client::Error>(()) }).unwrap();
    /// ```
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        match self.essence() {
            kind if kind == "application/json" || kind.ends_with("+json") => self.json_of_any_type().await,
            kind => Err(self.other_type("JSON", kind)),
        }
    }

    /// The whole body, from JSON, whatever the response says that it is.
    ///
    /// # Errors
    /// [`Error::Json`], and as [`chunk`](ClientResponse::chunk).
    pub async fn json_of_any_type<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        let bytes = self.whole().await?;
        // RFC 8259, 8.1: a byte order mark may be ignored.
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        serde_json::from_slice(text).map_err(|cause| Error::Json { url: self.url.to_string(), cause })
    }

    /// The body as a stream. Its errors are [`Error`]s inside an [`io::Error`].
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The body as events, as they come. The response must say that it is `text/event-stream`.
    ///
    /// # Errors
    /// [`Error::ContentType`].
    pub fn events(self) -> Result<EventStream, Error> {
        match self.essence() {
            kind if kind == "text/event-stream" => Ok(EventStream::new(self.body)),
            kind => Err(self.other_type("a stream of events", kind)),
        }
    }

    /// The body as something to read from. Its errors are [`Error`]s inside an [`io::Error`].
    pub fn reader(self) -> BodyReader {
        self.body.reader()
    }

    fn content_type(&self) -> &str {
        self.fields.text(&header::CONTENT_TYPE).unwrap_or_default()
    }

    /// The type without its parameters, in small letters.
    fn essence(&self) -> String {
        self.content_type().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn other_type(&self, expected: &'static str, essence: String) -> Error {
        let found = if essence.is_empty() { "of no type".to_owned() } else { essence };
        Error::ContentType { url: self.url.to_string(), expected, found }
    }

    /// An error of the body as what it is.
    pub(super) fn error(&self, error: io::Error) -> Error {
        let url = self.url.to_string();
        match CodingError::of(&error) {
            Some(CodingError::TooLarge { limit }) => Error::TooLarge { url, phase: Phase::Body, limit: *limit },
            Some(cause) => Error::Coding { url, cause: cause.clone() },
            None => error.downcast().unwrap_or_else(|cause| Error::Lost { url, phase: Phase::Body, cause }),
        }
    }
}

impl fmt::Debug for ClientResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClientResponse { url, status, version, fields, body, .. } = self;
        f.debug_struct("ClientResponse")
            .field("url", url)
            .field("status", status)
            .field("version", version)
            .field("headers", fields.map())
            .field("body", body)
            .finish_non_exhaustive()
    }
}
