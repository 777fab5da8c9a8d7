//! Fields with parameters: `form-data; name="x"`, `multipart/form-data; boundary=x`.

use crate::http::is_token;

/// The parameters behind the first word, and that word in small letters; their names in small letters, too. None if it cannot be
/// understood for certain.
///
/// In quotes, `\"` and `\\` stand for the second character, and any other backslash for itself: there are browsers that send
/// the paths of another system so.
pub(super) fn parameters(field: &str) -> Option<(String, Vec<(String, String)>)> {
    let (word, mut rest) = field.split_once(';').unwrap_or((field, ""));
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Some((word.trim().to_ascii_lowercase(), parameters));
        }
        let (name, behind) = rest.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let value;
        (value, rest) = match behind.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, rest) = behind.split_at(behind.find(';').unwrap_or(behind.len()));
                (value.trim().to_owned(), rest)
            }
        };
        rest = rest.trim_start_matches([' ', '\t']);
        let is_over = rest.is_empty() || rest.starts_with(';');
        if !is_token(&name) || !is_over || parameters.iter().any(|(other, _)| *other == name) {
            return None;
        }
        parameters.push((name, value));
    }
}

/// What stands in quotes, and what behind them.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' if characters.peek().is_some_and(|(_, next)| "\"\\".contains(*next)) => {
                value.extend(characters.next().map(|(_, next)| next));
            }
            character => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_or_the_field_is_refused() {
        let read = |field: &str| {
            let (word, parameters) = parameters(field)?;
            let pairs = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            Some(format!("{word}: {}", pairs.join("|")))
        };
        for (field, expected) in [
            ("form-data", Some("form-data: ")),
            ("form-data; name=a", Some("form-data: name=a")),
            ("Form-Data ;\tNAME=\"a b\" ; filename=\"\"", Some("form-data: name=a b|filename=")),
            (r#"form-data; name="a;b=\"c\"\\d""#, Some(r#"form-data: name=a;b="c"\d"#)),
            (r#"form-data; name="a"; filename="C:\new\a.txt""#, Some(r"form-data: name=a|filename=C:\new\a.txt")),
            ("form-data; name=\"é\"", Some("form-data: name=é")),
            ("form-data;; name=a;", Some("form-data: name=a")),
            ("form-data; filename*=UTF-8''%C3%A9; name=a", Some("form-data: filename*=UTF-8''%C3%A9|name=a")),
            ("form-data; name", None),
            ("form-data; =a", None),
            ("form-data; name=\"a", None),
            (r#"form-data; name="a\""#, None),
            ("form-data; name=\"a\"b", None),
            ("form-data; name=a; name=b", None),
            ("form-data; name=a; NAME=a", None),
            ("form-data; na me=a", None),
        ] {
            assert_eq!(read(field).as_deref(), expected, "{field}");
        }
    }
}
