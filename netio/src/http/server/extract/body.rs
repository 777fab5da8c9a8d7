//! JSON, taken out of a body and sent as one.

use super::{BodyRejection, FromRequest, JsonRejection};
use crate::http::{Request, header};
use serde::de::DeserializeOwned;

/// A value in JSON: as an argument the body of the request, as an answer that of the response.
///
/// The body must say that it is JSON (`application/json`, or `application/…+json`), else the request is refused with 415:
/// aiohttp's `request.json()` does not look, and so lets a form on another's page send JSON without being asked. Fields that
/// `T` does not know are ignored, unless it says otherwise.
///
/// ```
/// use netio::http::server::{Json, Router};
/// use std::collections::BTreeMap;
///
/// let router = Router::new().post("/count", async |Json(words): Json<Vec<String>>| {
///     Json(BTreeMap::from([("words", words.len())]))
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: &mut Request) -> Result<Self, JsonRejection> {
        let is_json =
            |kind: &str| kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json");
        has_type(request, is_json).map_err(|found| JsonRejection::WrongType { found })?;
        let body = request.body_mut().bytes().await.map_err(BodyRejection::from)?;
        let value = serde_json::from_slice(&body);
        value.map(Json).map_err(|error| JsonRejection::Invalid {
            reason: error.to_string(),
            line: error.line(),
            column: error.column(),
        })
    }
}

/// Whether the body's type, in small letters and without its parameters, is one that is wanted. If not, its type in words.
pub(super) fn has_type(request: &Request, wanted: impl Fn(&str) -> bool) -> Result<(), String> {
    let Some(found) = request.header(&header::CONTENT_TYPE) else {
        return Err("no type".to_owned());
    };
    let kind = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if wanted(&kind) { Ok(()) } else { Err(kind) }
}
