//! A request while it is put together.

use super::{
    Client, ClientRequest, ClientResponse, Error, auth,
    middleware::BoxFetch,
    redirect::MostRedirects,
    timeouts::Timeouts,
    url::{self, shown},
};
use crate::http::{Body, HeaderMap, HeaderName, HeaderValue, Method, header, multipart::Form};
use ::url::Url;
use serde::Serialize;
use std::{fmt, future::ready, time::Duration};

/// A request that is put together, and sent when it is awaited (or by [`send`](RequestBuilder::send)). What is wrong with it is
/// told then, too: the first mistake counts.
///
/// ```
/// use netio::http::client::Client;
/// use serde_json::json;
///
/// let request = Client::new()
///     .post("http://user:secret@shop.example/orders")
///     .query(&[("page", "1"), ("sort", "age & price")])
///     .header("x-request-id", "7")
///     .json(&json!({ "apples": 3 }))
///     .build()
///     .unwrap();
/// assert_eq!(*request.uri(), "http://shop.example/orders?page=1&sort=age+%26+price");
/// assert_eq!(request.headers()["content-type"], "application/json");
/// assert_eq!(request.headers()["authorization"], "Basic dXNlcjpzZWNyZXQ=");
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct RequestBuilder {
    client: Client,
    draft: Result<Draft, Error>,
}

/// A request that may still change its mind about the URL.
struct Draft {
    /// To become the URI of the request, unless that is there already.
    url: Option<Url>,
    request: ClientRequest,
}

impl Draft {
    /// The URL, to be changed.
    fn url(&mut self) -> &mut Url {
        self.url.get_or_insert_with(|| url::of_uri(self.request.uri()).expect("a plain URL"))
    }

    /// The URL, for people.
    fn shown(&self) -> String {
        match &self.url {
            Some(url) => shown(url.as_str()).into_owned(),
            None => self.request.uri().to_string(),
        }
    }
}

impl RequestBuilder {
    pub(super) fn new(client: Client, method: Method, url: &str) -> Self {
        let mut request = ClientRequest::default();
        *request.method_mut() = method;
        let draft = match url::plain(url) {
            Some(uri) => {
                *request.uri_mut() = uri;
                Ok(Draft { url: None, request })
            }
            None => {
                let url = url::parse(url, client.inner.defaults.base.as_ref());
                url.map(|url| Draft { url: Some(url), request })
            }
        };
        RequestBuilder { client, draft }
    }

    fn change<E: fmt::Display>(mut self, change: impl FnOnce(&mut Draft) -> Result<(), E>) -> Self {
        if let Ok(draft) = &mut self.draft
            && let Err(reason) = change(draft)
        {
            let url = draft.shown();
            self.draft = Err(Error::Request { url, reason: reason.to_string() });
        }
        self
    }

    fn set(self, name: HeaderName, value: Result<HeaderValue, &'static str>) -> Self {
        self.change(|draft| value.map(|value| drop(draft.request.headers_mut().insert(name, value))))
    }

    /// Adds to the query what is in `values`: pairs, a map, or a struct whose fields are the names. They are written as a form
    /// would write them: a space as `+`. A list is its name once for each value, and `None` is nothing.
    ///
    /// ```
    /// # use netio::http::client::Client;
    /// #[derive(serde::Serialize)]
    /// struct Search<'a> {
    ///     q: &'a str,
    ///     tag: Vec<u8>,
    ///     page: Option<u32>,
    /// }
    /// let search = Search { q: "50% & more", tag: vec![1, 2], page: None };
    /// let request = Client::new().get("http://host/?a=1").query(&search).build().unwrap();
    /// assert_eq!(request.uri().query(), Some("a=1&q=50%25+%26+more&tag=1&tag=2"));
    /// ```
    pub fn query(self, values: &(impl Serialize + ?Sized)) -> Self {
        self.change(|draft| {
            let more = serde_html_form::to_string(values)?;
            let url = draft.url();
            let query = match url.query() {
                _ if more.is_empty() => return Ok(()),
                None | Some("") => more,
                Some(query) => format!("{query}&{more}"),
            };
            url.set_query(Some(&query));
            Ok::<_, serde_html_form::ser::Error>(())
        })
    }

    /// Adds a header field.
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        self.change(|draft| {
            let name = name.try_into().map_err(|error| error.to_string())?;
            let value = value.try_into().map_err(|error| error.to_string())?;
            draft.request.headers_mut().append(name, value);
            Ok::<_, String>(())
        })
    }

    /// Says that this takes [trailers](super::ClientResponse::trailers): `TE: trailers`, which `Connection` names (RFC 9110,
    /// 10.1.4). A server that has any need not send them else.
    ///
    /// ```
    /// # use netio::http::{Body, HeaderMap, HeaderName, HeaderValue, client::Client, server::{Router, Server}};
    /// # runtime::block_on(async {
    /// # let server = Server::bind("127.0.0.1:0").unwrap();
    /// # let url = format!("http://{}/", server.local_addr());
    /// let router = Router::new().get("/", async || {
    ///     let name = HeaderName::from_static("x-lines");
    ///     let body = Body::writer(|mut body| async move { body.write("one\n").await });
    ///     body.with_trailers([name.clone()], || HeaderMap::from_iter([(name, HeaderValue::from_static("1"))]))
    /// });
    /// # runtime::spawn(server.serve(router));
    /// let mut response = Client::new().get(url).take_trailers().await?;
    /// while let Some(chunk) = response.chunk().await? {
    ///     assert_eq!(chunk, "one\n");
    /// }
    /// assert_eq!(response.trailers().unwrap()["x-lines"], "1");
    /// # Ok::<(), netio::http::client::Error>(()) }).unwrap();
    /// ```
    pub fn take_trailers(self) -> Self {
        self.header(header::TE, "trailers").header(header::CONNECTION, "te")
    }

    /// Sets header fields: those of the same names are replaced.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.change(|draft| {
            draft.request.headers_mut().extend(headers);
            Ok::<_, String>(())
        })
    }

    /// Says who we are, by name and password: RFC 7617, in UTF-8. Everyone on the way can read both.
    pub fn basic_auth(self, name: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.set(header::AUTHORIZATION, auth::basic(name.as_ref().as_bytes(), password.as_ref().as_bytes()))
    }

    /// Says who we are, by a token: RFC 6750.
    pub fn bearer_auth(self, token: impl AsRef<str>) -> Self {
        self.set(header::AUTHORIZATION, auth::bearer(token.as_ref()))
    }

    /// Sets the body.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.change(|draft| {
            *draft.request.body_mut() = body.into();
            Ok::<_, String>(())
        })
    }

    /// Sets the body: a value as JSON. Its type is said, unless there is a `Content-Type` already.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.typed_body("application/json", || serde_json::to_vec(value))
    }

    /// Sets the body: values as a form, written as in [`query`](RequestBuilder::query). Its type is said, unless there is a
    /// `Content-Type` already.
    pub fn form(self, values: &(impl Serialize + ?Sized)) -> Self {
        self.typed_body("application/x-www-form-urlencoded", || serde_html_form::to_string(values))
    }

    /// Sets the body: a form with files, RFC 7578. Its type is always that of the form: it names the boundary.
    ///
    /// ```
    /// # use netio::http::{client::Client, multipart::{Form, FormPart}};
    /// let form = Form::new().text("title", "Spring").part("photo", FormPart::new(vec![1, 2, 3]).file_name("spring.jpg"));
    /// let request = Client::new().post("http://host/photos").multipart(form).build().unwrap();
    /// assert!(request.headers()["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    /// ```
    pub fn multipart(self, form: Form) -> Self {
        let content_type = form.content_type();
        self.set(header::CONTENT_TYPE, Ok(content_type)).body(form)
    }

    fn typed_body<B: Into<Body>, E: fmt::Display>(
        self,
        content_type: &'static str,
        body: impl FnOnce() -> Result<B, E>,
    ) -> Self {
        self.change(|draft| {
            *draft.request.body_mut() = body()?.into();
            let content_type = HeaderValue::from_static(content_type);
            draft.request.headers_mut().entry(header::CONTENT_TYPE).or_insert(content_type);
            Ok::<_, E>(())
        })
    }

    /// How long this request may take, in place of the [client's time](super::ClientBuilder::timeout).
    pub fn timeout(self, longest: Duration) -> Self {
        self.timeouts(Timeouts::new().total(longest))
    }

    /// How long this request may wait, and what for. What these do not say stays as it is for its client.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.change(|draft| {
            let extensions = draft.request.extensions_mut();
            let before = extensions.get().copied().unwrap_or_default();
            extensions.insert(timeouts.or(before));
            Ok::<_, String>(())
        })
    }

    /// How many redirects this request follows, in place of the [client's number](super::ClientBuilder::redirects).
    pub fn redirects(self, most: u32) -> Self {
        self.extension(MostRedirects(most))
    }

    /// Gives the client's [middleware](super::middleware) a value to look at.
    pub fn extension(self, value: impl Clone + Send + Sync + 'static) -> Self {
        self.change(|draft| {
            draft.request.extensions_mut().insert(value);
            Ok::<_, String>(())
        })
    }

    /// The request, to be looked at or sent later: by [`Client::execute`].
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Request`]: the first mistake that was made.
    pub fn build(self) -> Result<ClientRequest, Error> {
        let Draft { url, mut request } = self.draft?;
        if let Some(url) = url {
            url::aim(&mut request, &url)?;
        }
        Ok(request)
    }

    /// Sends it.
    ///
    /// # Errors
    /// When there is no response, or the request cannot be sent: see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. The server may have acted on the request.
    pub fn send(self) -> BoxFetch {
        self.into_future()
    }
}

impl IntoFuture for RequestBuilder {
    type Output = Result<ClientResponse, Error>;
    type IntoFuture = BoxFetch;

    fn into_future(self) -> BoxFetch {
        let client = self.client.clone();
        match self.build() {
            Ok(request) => client.execute(request),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RequestBuilder");
        match &self.draft {
            Ok(draft) => debug.field("method", draft.request.method()).field("url", &draft.shown()),
            Err(error) => debug.field("error", error),
        };
        debug.finish_non_exhaustive()
    }
}
