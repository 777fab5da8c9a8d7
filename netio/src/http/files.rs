//! Files of a folder as responses.
//!
//! - A path is decoded once and taken apart before it touches the file system: no `..`, no hidden name, no separator or NUL
//!   in disguise. Then symlinks are followed, and what they lead to must still be in the folder.
//! - All that blocks happens on the blocking pool. A small file is read there whole; a large one piece by piece, as fast as
//!   the peer takes it.
//! - A browser may keep what it has, but asks each time whether it is still right: the tag is made of length and time of
//!   change, so a page that was made anew is sent, and one that was not costs a 304.

use super::{Body, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, explain, header, output::plain};
use crate::blocking::blocking;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

/// A file up to this size is read whole.
const SMALL: u64 = 256 * 1024;

/// A larger one is read in such pieces.
const PIECE: usize = 64 * 1024;

/// What a folder's `Location` keeps as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Answers `GET` and `HEAD` with the files of a folder.
///
/// A folder is answered with its `index.html`, and a path that names a folder without a `/` at its end is sent there with
/// one. Hidden files (a name that starts with a dot) do not exist.
#[derive(Clone, Debug)]
pub struct StaticFiles {
    root: Arc<Path>,
}

/// What a path leads to.
enum Found {
    File {
        path: PathBuf,
        length: u64,
        tag: String,
    },
    /// A folder whose name was given without `/` at its end.
    Folder,
}

impl StaticFiles {
    /// The files below `root`. The folder may be made later.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        StaticFiles { root: root.into().into() }
    }

    /// The response to a request whose path is taken from the root.
    ///
    /// 404 is all that is told of what is missing, hidden, outside, or no regular file; a path that is not properly encoded
    /// is a 400, another method a 405.
    ///
    /// # Cancel safety
    /// Nothing is lost; a read that has begun is finished on its thread, for nobody.
    pub async fn respond(&self, request: &Request) -> Response {
        self.answer(request).await.unwrap_or_else(|status| match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                let mut response = explain(status, "a file can be read, and nothing else");
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
                response
            }
            StatusCode::BAD_REQUEST => explain(status, "the path is not properly encoded"),
            StatusCode::NOT_FOUND => explain(status, "there is no such page"),
            _ => explain(status, "the file cannot be read"),
        })
    }

    async fn answer(&self, request: &Request) -> Result<Response, StatusCode> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        let (path, is_folder) = decode(request.uri().path())?;
        let root = self.root.clone();
        let below = path.clone();
        let found = blocking(move || find(&root, &below, is_folder)).await.map_err(status_of)?;
        let (path, length, tag) = match found {
            Found::File { path, length, tag } => (path, length, tag),
            Found::Folder => return Ok(redirect(&path)),
        };
        let mut response = Response::default();
        let headers = response.headers_mut();
        headers.insert(header::ETAG, plain(&tag));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if still_right(request.headers(), &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        headers.insert(header::CONTENT_TYPE, content_type(&path));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        *response.body_mut() = if request.method() == Method::HEAD {
            Body::writer(async |_| Ok(())).with_length(length)
        } else if length <= SMALL {
            blocking(move || std::fs::read(path)).await.map_err(status_of)?.into()
        } else {
            let file = blocking(move || File::open(path)).await.map_err(status_of)?;
            pieces(file, length)
        };
        Ok(response)
    }
}

/// The path of a request as a path below the root, and whether it ends with `/`.
fn decode(path: &str) -> Result<(PathBuf, bool), StatusCode> {
    let path = path.strip_prefix('/').ok_or(StatusCode::BAD_REQUEST)?;
    if path.is_empty() {
        return Ok((PathBuf::new(), true));
    }
    let (path, is_folder) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
    let mut below = PathBuf::new();
    for segment in path.split('/') {
        let whole = segment
            .split('%')
            .skip(1)
            .all(|code| code.len() >= 2 && code.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()));
        let name = percent_decode_str(segment).decode_utf8().ok().filter(|_| whole).ok_or(StatusCode::BAD_REQUEST)?;
        // `.` and `..` are hidden names too.
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return Err(StatusCode::NOT_FOUND);
        }
        below.push(&*name);
    }
    Ok((below, is_folder))
}

/// Follows symlinks, and looks where they led.
fn find(root: &Path, below: &Path, is_folder: bool) -> io::Result<Found> {
    let root = root.canonicalize()?;
    let mut path = root.join(below).canonicalize()?;
    let mut metadata = path.metadata()?;
    if metadata.is_dir() && !is_folder && path.starts_with(&root) {
        return Ok(Found::Folder);
    }
    if metadata.is_dir() {
        path = path.join("index.html").canonicalize()?;
        metadata = path.metadata()?;
    } else if is_folder {
        return Err(ErrorKind::NotFound.into());
    }
    if !path.starts_with(&root) || !metadata.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", metadata.len(), changed.as_nanos());
    Ok(Found::File { path, length: metadata.len(), tag })
}

/// To the same folder with `/` behind it, so that the links of its page start in the right place. The target is relative:
/// whatever name the client has for this server stays.
fn redirect(folder: &Path) -> Response {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut response = explain(StatusCode::PERMANENT_REDIRECT, "this is a folder");
    response.headers_mut().insert(header::LOCATION, plain(&format!("{}/", utf8_percent_encode(&name, PATH))));
    response
}

/// Whether what the browser has is what we would send. RFC 9110, 13.1.2.
fn still_right(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn content_type(path: &Path) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let kind = guess.essence_str();
    let is_text = kind.starts_with("text/")
        || matches!(kind, "application/javascript" | "application/json" | "application/xml" | "image/svg+xml");
    if is_text { plain(&format!("{kind}; charset=utf-8")) } else { plain(kind) }
}

/// A file piece by piece. If it shrinks meanwhile, the body is cut off; if it grows, only the announced part is sent.
fn pieces(file: File, length: u64) -> Body {
    let write = async move |mut body: super::BodyWriter| {
        let mut file = file.take(length);
        loop {
            let piece;
            (file, piece) = blocking(move || {
                let mut piece = Vec::with_capacity(PIECE);
                file.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
                Ok((file, piece))
            })
            .await?;
            if piece.is_empty() {
                return Ok(());
            }
            body.write(Bytes::from(piece)).await?;
        }
    };
    Body::writer(write).with_length(length)
}

/// What cannot be found by this name, or must not be read, does not exist.
fn status_of(error: io::Error) -> StatusCode {
    use ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    let is_loop = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    match error.kind() {
        NotFound | NotADirectory | InvalidFilename | PermissionDenied => StatusCode::NOT_FOUND,
        _ if is_loop => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_path_is_decoded_once_and_stays_below_the_root() {
        for (path, below, is_folder) in [
            ("/", "", true),
            ("/a", "a", false),
            ("/a/", "a", true),
            ("/a/b%20c/d..html", "a/b c/d..html", false),
            ("/%252e%252e", "%2e%2e", false),
            ("/%C3%A9", "é", false),
        ] {
            assert_eq!(decode(path), Ok((PathBuf::from(below), is_folder)), "{path}");
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
            assert_eq!(decode(path).unwrap_err().as_u16(), status, "{path}");
        }
    }

    #[test]
    fn a_tag_is_found_in_a_list() {
        for (known, right) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(known))]);
            assert_eq!(still_right(&headers, "\"a\""), right, "{known}");
        }
    }

    fn status(files: &StaticFiles, path: &str) -> u16 {
        let request = ::http::Request::get(path).body(Body::empty()).unwrap();
        runtime::block_on(files.respond(&request)).status().as_u16()
    }

    #[test]
    fn only_what_is_in_the_folder_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (root, secret) = (folder.path().join("root"), folder.path().join("secret"));
        fs::create_dir_all(root.join("sub/empty")).unwrap();
        fs::create_dir(&secret).unwrap();
        for file in [root.join("a.html"), root.join(".hidden"), root.join("sub/index.html"), secret.join("index.html")]
        {
            fs::write(file, "text").unwrap();
        }
        symlink(&secret, root.join("out")).unwrap();
        symlink("a.html", root.join("inside")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink(secret.join("index.html"), root.join("sub/empty/index.html")).unwrap();
        let files = StaticFiles::new(&root);
        let long = format!("/{}", "x".repeat(300));
        for (path, expected) in [
            ("/a.html", 200),
            ("/inside", 200),
            ("/sub/", 200),
            ("/sub", 308),
            ("/", 404),
            ("/a.html/", 404),
            ("/a.html/b", 404),
            ("/missing", 404),
            ("/.hidden", 404),
            ("/out/index.html", 404),
            ("/out", 404),
            ("/out/", 404),
            ("/loop", 404),
            ("/sub/empty/", 404),
            (&long, 404),
        ] {
            assert_eq!(status(&files, path), expected, "{path}");
        }
        assert_eq!(status(&StaticFiles::new(folder.path().join("not yet")), "/"), 404);
    }
}
