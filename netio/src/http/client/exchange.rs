//! What a client adds to one exchange with one server: cookies, and codings.

use super::{Client, ClientResponse, Error, fetch, url::Fragment, watch::Limit, wire::More};
use crate::http::{
    Body, HeaderMap, Method,
    coding::{self, Coding, CodingError},
    header,
};
use ::http::request::Parts;

/// What a body was on its way: an extension of a response that was decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coded {
    /// How it was compressed, in the order in which that was done.
    pub codings: Vec<Coding>,
    /// How many bytes that were, if the server said so.
    pub length: Option<u64>,
}

/// The most codings on top of each other.
const MOST_CODINGS: usize = 3;

/// Asks one server.
pub(super) async fn exchange(client: &Client, head: &Parts, body: Body, total: Limit) -> Result<ClientResponse, Error> {
    let defaults = &client.inner.defaults;
    let jar = defaults.jar.as_ref();
    let decodes = defaults.decompress && may_be_coded(&head.headers);
    let more = More {
        user_agent: &defaults.user_agent,
        cookies: jar.filter(|_| !head.headers.contains_key(header::COOKIE)).and_then(|jar| jar.field(&head.uri)),
        accept_encoding: decodes.then_some(Coding::ACCEPT),
        trailer: body.trailer_names(),
    };
    let mut response = fetch::fetch(client, head, body, more, total).await?;
    if let Some(fragment) = head.extensions.get::<Fragment>() {
        response.extensions_mut().insert(fragment.clone());
    }
    if let Some(jar) = jar {
        jar.store_all(response.url(), response.headers());
    }
    if decodes && response.coded && head.method != Method::HEAD {
        decode(&mut response, client.inner.settings.limits.body_bytes)?;
    }
    Ok(response)
}

/// Who says what it accepts decodes it too. A range is one of the bytes as they are on their way.
fn may_be_coded(fields: &HeaderMap) -> bool {
    cfg!(feature = "compression")
        && ![header::ACCEPT_ENCODING, header::RANGE].iter().any(|name| fields.contains_key(name))
}

/// The body as it was before it was compressed. A coding that we do not know, and have not asked for, stays as it is.
#[cfg_attr(
    not(feature = "compression"),
    expect(unused_variables, reason = "then nobody asks for a coding, and this is not called")
)]
fn decode(response: &mut ClientResponse, limit: u64) -> Result<(), Error> {
    let codings = match coding::applied(response.headers(), MOST_CODINGS) {
        Ok(codings) if codings.is_empty() => return Ok(()),
        Err(CodingError::Unknown { .. }) => return Ok(()),
        Ok(codings) => codings,
        Err(cause) => return Err(Error::Coding { url: response.url().to_string(), cause }),
    };
    let length = response.content_length();
    response.headers_mut().remove(header::CONTENT_ENCODING);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    #[cfg(feature = "compression")]
    response.map_body(|body| coding::decode(body, &codings, limit));
    response.extensions_mut().insert(Coded { codings, length });
    Ok(())
}
