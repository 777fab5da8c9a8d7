//! The cookies that a client sends back.

use crate::http::{HeaderMap, header};

/// The cookies of a request, as they were sent: values are not decoded, but for the quotes around them.
///
/// What is no `name=value` is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies(Vec<(String, String)>);

impl Cookies {
    pub(super) fn of(headers: &HeaderMap) -> Cookies {
        let fields = headers.get_all(header::COOKIE).into_iter().filter_map(|field| field.to_str().ok());
        let cookies = fields.flat_map(|field| field.split(';')).filter_map(|cookie| cookie.split_once('='));
        let parts = cookies.map(|(name, value)| (name.trim(), value.trim()));
        Cookies(parts.map(|(name, value)| (name.to_owned(), unquoted(value).to_owned())).collect())
    }

    /// The value of a cookie; of the first, if several have that name: clients send the closest one first.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Names and values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}
