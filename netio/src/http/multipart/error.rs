//! Why a form cannot be read.

use crate::http::{
    Response, StatusCode, explain,
    server::{BodyRejection, IntoResponse},
};

/// Why a form cannot be read, and how that is answered: with its text as the reason. After it, nothing more can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The body does not say that it is such a form: 415.
    #[error("a form with files is of the type multipart/form-data, and the body is of {found}")]
    WrongType {
        /// The type that it has.
        found: String,
    },
    /// The type names no boundary, or one that cannot be: 400.
    #[error("the form has no usable boundary: it is named once, and has 1 to 70 characters that a boundary may have")]
    NoBoundary,
    /// The body ends before the form does: 400.
    #[error("the form ends before its last boundary")]
    Truncated,
    /// It cannot be understood for certain: 400.
    #[error("the form cannot be understood: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What should be text is not UTF-8: 400.
    #[error("the part `{name}` is not UTF-8")]
    NotText {
        /// The name of the part.
        name: String,
    },
    /// More parts than are allowed: 413.
    #[error("the form has more than {limit} parts")]
    TooManyParts {
        /// How many are allowed.
        limit: usize,
    },
    /// The head of a part, or what is in front of the first, is larger than is allowed: 413.
    #[error("the form has a head of more than {limit} bytes")]
    HeadTooLarge {
        /// How many bytes are allowed.
        limit: usize,
    },
    /// A part is larger than is allowed: 413.
    #[error("the part `{name}` has more than {limit} bytes")]
    PartTooLarge {
        /// The name of the part.
        name: String,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// The whole is larger than is allowed: 413.
    #[error("the form has more than {limit} bytes")]
    TooLarge {
        /// How many bytes are allowed.
        limit: u64,
    },
    /// The body did not come, or not as it should.
    #[error(transparent)]
    Body(#[from] BodyRejection),
    /// An earlier call told why: 400.
    #[error("the form could not be read before")]
    Lost,
}

impl IntoResponse for MultipartError {
    fn into_response(self) -> Response {
        let status = match self {
            MultipartError::Body(rejection) => return rejection.into_response(),
            MultipartError::WrongType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            MultipartError::TooManyParts { .. }
            | MultipartError::HeadTooLarge { .. }
            | MultipartError::PartTooLarge { .. }
            | MultipartError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        explain(status, &self.to_string())
    }
}
