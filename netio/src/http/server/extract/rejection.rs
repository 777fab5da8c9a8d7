//! Why a request is refused before its handler runs.

use crate::http::{
    Response, StatusCode, explain,
    server::{IntoResponse, extract::Json},
};
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
};

/// What an extractor needs is not there, which is a mistake of the program: 500. Displayed, it tells what; the client is not
/// told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handler takes `{0}`, and nobody put it into the request")]
pub struct Missing(pub(in crate::http::server) &'static str);

impl IntoResponse for Missing {
    fn into_response(self) -> Response {
        explain(StatusCode::INTERNAL_SERVER_ERROR, "the handler lacks something")
    }
}

/// The body did not come, or not as it should: answered with the status that [`Body`](crate::http::Body) tells for the kind of
/// the error, otherwise with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BodyRejection {
    /// What kind of error reading it gave.
    pub kind: ErrorKind,
    /// Its text.
    pub reason: String,
}

impl From<io::Error> for BodyRejection {
    fn from(error: io::Error) -> Self {
        BodyRejection { kind: error.kind(), reason: error.to_string() }
    }
}

impl BodyRejection {
    fn status(&self) -> StatusCode {
        match self.kind {
            ErrorKind::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::TimedOut => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for BodyRejection {
    fn into_response(self) -> Response {
        refused(self.status(), &self)
    }
}

/// A body that should be text is none: 400, or what [`BodyRejection`] tells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextRejection {
    /// It could not be read.
    #[error(transparent)]
    Body(#[from] BodyRejection),
    /// It is not UTF-8: 400.
    #[error("the body is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// How many bytes are.
        at: usize,
    },
}

impl IntoResponse for TextRejection {
    fn into_response(self) -> Response {
        match self {
            TextRejection::Body(rejection) => rejection.into_response(),
            TextRejection::NotUtf8 { .. } => refused(StatusCode::BAD_REQUEST, &self),
        }
    }
}

/// The path does not have the parameters that were asked for: 400, with the reason as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("in the path, {0}")]
pub struct PathRejection(pub(super) String);

impl IntoResponse for PathRejection {
    fn into_response(self) -> Response {
        refused(StatusCode::BAD_REQUEST, &self)
    }
}

/// The query does not have what was asked for: 400, with the reason as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("in the query, {0}")]
pub struct QueryRejection(pub(super) String);

impl IntoResponse for QueryRejection {
    fn into_response(self) -> Response {
        refused(StatusCode::BAD_REQUEST, &self)
    }
}

/// The body is not the form that was asked for: answered with the reason as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormRejection {
    /// It could not be read.
    #[error(transparent)]
    Body(#[from] BodyRejection),
    /// It does not say that it is a form: 415.
    #[error("a form is of the type application/x-www-form-urlencoded, and the body is of {found}")]
    WrongType {
        /// The type that it has.
        found: String,
    },
    /// It does not have what was asked for: 400.
    #[error("in the form, {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
}

impl IntoResponse for FormRejection {
    fn into_response(self) -> Response {
        match self {
            FormRejection::Body(rejection) => rejection.into_response(),
            FormRejection::WrongType { .. } => refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &self),
            FormRejection::Invalid { .. } => refused(StatusCode::BAD_REQUEST, &self),
        }
    }
}

/// The body is not the JSON that was asked for: answered in JSON, `{"error": REASON}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonRejection {
    /// It could not be read: answered in JSON all the same, with the status of a [`BodyRejection`].
    #[error(transparent)]
    Body(#[from] BodyRejection),
    /// It does not say that it is JSON: 415.
    #[error("JSON is of the type application/json, and the body is of {found}")]
    WrongType {
        /// The type that it has.
        found: String,
    },
    /// It is no JSON, or not of the shape that was asked for: 400.
    #[error("the body is not as it should be: {reason}")]
    Invalid {
        /// What is wrong with it, and where.
        reason: String,
        /// The line, from 1; 0 if it is wrong as a whole.
        line: usize,
        /// The column in that line, from 1; 0 if the line's end is before it.
        column: usize,
    },
}

impl IntoResponse for JsonRejection {
    fn into_response(self) -> Response {
        let status = match &self {
            JsonRejection::Body(rejection) => rejection.status(),
            JsonRejection::WrongType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            JsonRejection::Invalid { .. } => StatusCode::BAD_REQUEST,
        };
        (status, Json(BTreeMap::from([("error", self.to_string())]))).into_response()
    }
}

fn refused(status: StatusCode, reason: &impl ToString) -> Response {
    explain(status, &reason.to_string())
}
