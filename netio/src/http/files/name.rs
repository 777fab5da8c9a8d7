//! From the path of a request to names in the file system.

use crate::http::StatusCode;
use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// The path of a request as a path below the root, and whether it ends with `/`.
pub(super) fn below(path: &str) -> Result<(PathBuf, bool), StatusCode> {
    let path = path.strip_prefix('/').ok_or(StatusCode::BAD_REQUEST)?;
    names(path, |segment| {
        let mut codes = segment.split('%').skip(1);
        let whole = codes.all(|code| code.len() >= 2 && code.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()));
        let name = percent_decode_str(segment).decode_utf8().ok().filter(|_| whole);
        Ok(name.ok_or(StatusCode::BAD_REQUEST)?.into_owned())
    })
}

/// The same for a path that was decoded already, and that came out of `whole`. There an encoded `/` has become one that parts
/// names; whoever looked at the path before us may have taken it for a part of a name.
pub(super) fn below_decoded(whole: &str, path: &str) -> Result<(PathBuf, bool), StatusCode> {
    if whole.to_ascii_lowercase().contains("%2f") {
        return Err(StatusCode::NOT_FOUND);
    }
    names(path, |segment| Ok(segment.to_owned()))
}

fn names(path: &str, decode: impl Fn(&str) -> Result<String, StatusCode>) -> Result<(PathBuf, bool), StatusCode> {
    if path.is_empty() {
        return Ok((PathBuf::new(), true));
    }
    let (path, is_folder) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
    let mut below = PathBuf::new();
    for segment in path.split('/') {
        let name = decode(segment)?;
        // `.` and `..` are hidden names too.
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return Err(StatusCode::NOT_FOUND);
        }
        below.push(name);
    }
    Ok((below, is_folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_stays_below_the_root() {
        for (path, expected, is_folder) in [
            ("/", "", true),
            ("/a", "a", false),
            ("/a/", "a", true),
            ("/a/b%20c/d..html", "a/b c/d..html", false),
            ("/%252e%252e", "%2e%2e", false),
            ("/%C3%A9", "é", false),
        ] {
            assert_eq!(below(path), Ok((PathBuf::from(expected), is_folder)), "{path}");
        }
        for (path, status) in [
            ("/..", 404),
            ("/../x", 404),
            ("/a/../../x", 404),
            ("/%2e%2e/x", 404),
            ("/.%2e/x", 404),
            ("/..%2fx", 404),
            ("/a%2fb", 404),
            ("/a%5c..%5cx", 404),
            ("/a\\b", 404),
            ("/a%00.html", 404),
            ("/.git/config", 404),
            ("/./a", 404),
            ("//etc/passwd", 404),
            ("//", 404),
            ("/%", 400),
            ("/%2", 400),
            ("/%zz", 400),
            ("/%+1", 400),
            ("/%ff", 400),
            ("*", 400),
        ] {
            assert_eq!(below(path).unwrap_err().as_u16(), status, "{path}");
        }
    }

    #[test]
    fn a_path_that_was_decoded_stays_below_the_root_too() {
        assert_eq!(below_decoded("/static/a/b%20c", "a/b c"), Ok((PathBuf::from("a/b c"), false)));
        assert_eq!(below_decoded("/static/a/", "a/"), Ok((PathBuf::from("a"), true)));
        assert_eq!(below_decoded("/static/%252e%252e", "%2e%2e"), Ok((PathBuf::from("%2e%2e"), false)));
        for (whole, path) in [
            ("/static/%2e%2e/x", "../x"),
            ("/static/a%2Fb", "a/b"),
            ("/static/a%2fb", "a/b"),
            ("/static//etc", "/etc"),
            ("/static/a//b", "a//b"),
            ("/static/a%00", "a\0"),
            ("/static/a%5cb", "a\\b"),
            ("/static/.env", ".env"),
        ] {
            assert_eq!(below_decoded(whole, path), Err(StatusCode::NOT_FOUND), "{whole}");
        }
    }
}
