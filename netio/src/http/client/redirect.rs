//! Redirects: the same wish, asked of somebody else. RFC 9110, 15.4.
//!
//! ```text
//!   301, 302   a POST becomes a GET without a body, as everybody does it; any other method stays
//!   303        everything but HEAD becomes a GET without a body
//!   307, 308   method and body stay
//! ```
//!
//! - To another scheme, host or port go neither `Authorization`, `Cookie` and `Proxy-Authorization`, nor the client's own
//!   [default headers](super::ClientBuilder::default_headers) if they are for a base URL, nor any field that is
//!   [sensitive](crate::http::HeaderValue::set_sensitive). No `Referer` is added.
//! - A `Location` names no user on our behalf: what stands before its `@` is ignored.
//! - One deadline covers all of them.

use super::{
    Client, ClientRequest, ClientResponse, Error, exchange,
    observer::Event,
    timeouts::TimeoutKind,
    url::{self, Fragment},
    watch::Limit,
};
use crate::http::{Body, HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use ::url::Url;
use http::request::Parts;
use std::fmt;

/// How many redirects a request may follow: an extension of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct MostRedirects(pub(super) u32);

/// A redirect that was followed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Redirected {
    /// The method of the request.
    pub method: Method,
    /// The URL that answered.
    pub url: Uri,
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
}

/// Why a redirect was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectFailure {
    /// So many were followed, and no more are allowed. (A loop ends here too: a server may well send us to the same URL twice,
    /// with a cookie that makes the difference.)
    TooMany(u32),
    /// There are several `Location` fields, or it is no URL.
    Location,
    /// The body must be sent again, and it was a stream that is used up.
    Body,
}

impl fmt::Display for RedirectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedirectFailure::TooMany(most) => write!(f, "it would be more than {most}"),
            RedirectFailure::Location => f.write_str("that is not one URL"),
            RedirectFailure::Body => f.write_str("the body would have to be sent again, and was a stream"),
        }
    }
}

/// Sends a request, and sends it on to wherever the servers say.
pub(super) async fn follow(client: Client, request: ClientRequest) -> Result<ClientResponse, Error> {
    let most = request.extensions().get().map_or(client.inner.defaults.redirects, |MostRedirects(most)| *most);
    let (mut head, mut body) = request.into_parts();
    let longest = client.timeouts_of(&head.extensions).longest(TimeoutKind::Total);
    let total = Limit::after(longest, TimeoutKind::Total);
    let mut history = Vec::new();
    loop {
        let again = body.try_clone();
        let mut response = exchange::exchange(&client, &head, body, total).await?;
        if most == 0 || !is_redirect(&response) {
            response.set_history(history);
            return Ok(response);
        }
        let wish = Wish { head, body: again };
        let redirected = Redirected {
            method: wish.head.method.clone(),
            url: response.url().clone(),
            status: response.status(),
            headers: response.headers().clone(),
        };
        let step = match history.len() < most as usize {
            true => wish.redirected(&client, &response),
            false => Err(RedirectFailure::TooMany(most)),
        };
        let next = step.map_err(|reason| {
            let location = String::from_utf8_lossy(response.headers()[header::LOCATION].as_bytes());
            Error::Redirect {
                url: response.url().to_string(),
                location: url::shown(&location).into_owned(),
                reason,
                history: std::mem::take(&mut history).into(),
            }
        })?;
        if let Some((observer, info)) = client.inner.settings.observer.as_ref().zip(response.extensions().get()) {
            observer.event(info, &Event::Redirect { to: next.uri() });
        }
        (head, body) = next.into_parts();
        history.push(redirected);
    }
}

fn is_redirect(response: &ClientResponse) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        && response.headers().contains_key(header::LOCATION)
}

/// What a request asked for, to be asked again.
struct Wish {
    head: Parts,
    /// `None`: it was a stream.
    body: Option<Body>,
}

impl Wish {
    /// The request to where the response says.
    fn redirected(self, client: &Client, response: &ClientResponse) -> Result<ClientRequest, RedirectFailure> {
        let Wish { mut head, body } = self;
        let from = url::of_uri(&head.uri).map_err(|_| RedirectFailure::Location)?;
        let mut to = location(response.headers(), &from).ok_or(RedirectFailure::Location)?;
        url::without_user(&mut to);
        // RFC 9110, 10.2.2: a fragment is inherited.
        if to.fragment().is_none() {
            to.set_fragment(head.extensions.get().map(|Fragment(fragment)| &**fragment));
        }
        let becomes_get = match response.status() {
            StatusCode::SEE_OTHER => head.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => head.method == Method::POST,
            _ => false,
        };
        let body = if becomes_get {
            head.method = Method::GET;
            OF_CONTENT.iter().for_each(|name| drop(head.headers.remove(name)));
            Body::empty()
        } else {
            body.ok_or(RedirectFailure::Body)?
        };
        if from.origin() != to.origin() {
            remove_secrets(&mut head.headers, client);
        }
        let mut request = ClientRequest::from_parts(head, body);
        url::aim(&mut request, &to).map_err(|_| RedirectFailure::Location)?;
        Ok(request)
    }
}

/// What describes a body that is not sent any more. RFC 9110, 15.4.
const OF_CONTENT: [HeaderName; 7] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::LAST_MODIFIED,
];

/// What only the first server should know, and the name by which it was called.
fn remove_secrets(headers: &mut HeaderMap, client: &Client) {
    let sensitive = headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone());
    let mut names: Vec<HeaderName> = sensitive.collect();
    names.extend([header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION, header::HOST]);
    if client.inner.defaults.base.is_some() {
        names.extend(client.inner.defaults.headers.keys().cloned());
    }
    names.iter().for_each(|name| drop(headers.remove(name)));
}

/// Where the response says that it is.
fn location(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let mut fields = headers.get_all(header::LOCATION).iter();
    let first = fields.next()?;
    if fields.any(|other| other != first) {
        return None;
    }
    url::parse(std::str::from_utf8(first.as_bytes()).ok()?, Some(from)).ok()
}
