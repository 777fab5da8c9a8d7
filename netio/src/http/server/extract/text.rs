//! What comes as text with names: the parameters of a path, a query, a form.

use super::{BodyRejection, FormRejection, FromRequest, PathRejection, QueryRejection, body::has_type, values::Values};
use crate::http::Request;
use serde::de::DeserializeOwned;

/// The parameters of the path: `Path<u32>` if there is one, `Path<(String, u32)>` for several in their order, or a struct or
/// map for several by their names.
///
/// The values are decoded, and an encoded `/` is part of its value. `..` is a value like any other: to make a file's name of
/// one, see [`StaticFiles`](crate::http::files::StaticFiles).
///
/// ```
/// use netio::http::server::{Path, Router};
///
/// async fn page((Path((book, page))): Path<(String, u32)>) -> String {
///     format!("page {page} of {book}\n")
/// }
///
/// let router = Router::new().get("/books/{book}/{page}", page);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Rejection = PathRejection;

    async fn from_request(request: &mut Request) -> Result<Self, PathRejection> {
        T::deserialize(Values::distinct(request.parameters()))
            .map(Path)
            .map_err(|error| PathRejection(error.to_string()))
    }
}

/// The query, by its names.
///
/// Of several values with the same name the first counts, or all if the field is a `Vec`. `+` is a space; what is not UTF-8
/// is replaced by `�`. A field that may be missing is an `Option`, or has `#[serde(default)]`. No query is an empty one.
///
/// ```
/// use netio::http::server::{Query, Router};
/// use std::collections::HashMap;
///
/// async fn greet(Query(query): Query<HashMap<String, String>>) -> String {
///     format!("Hello, {}!\n", query.get("name").map_or("World", String::as_str))
/// }
///
/// let router = Router::new().get("/hello", greet);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Rejection = QueryRejection;

    async fn from_request(request: &mut Request) -> Result<Self, QueryRejection> {
        let query = request.query().unwrap_or_default();
        urlencoded(query.as_bytes()).map(Query).map_err(QueryRejection)
    }
}

/// A body as HTML forms send it, `application/x-www-form-urlencoded`; otherwise as [`Query`]. Of another type it is refused
/// with 415.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Form<T> {
    type Rejection = FormRejection;

    async fn from_request(request: &mut Request) -> Result<Self, FormRejection> {
        has_type(request, |kind| kind == "application/x-www-form-urlencoded")
            .map_err(|found| FormRejection::WrongType { found })?;
        let body = request.body_mut().bytes().await.map_err(BodyRejection::from)?;
        urlencoded(&body).map(Form).map_err(|reason| FormRejection::Invalid { reason })
    }
}

fn urlencoded<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    T::deserialize(Values::grouped(form_urlencoded::parse(text))).map_err(|error| error.to_string())
}
