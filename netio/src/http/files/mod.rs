//! Files as responses: those of a folder, or one that the program names.
//!
//! ```text
//!   path ──> names below the root ──> open ──> condition? ──> part? ──> head ──> bytes
//!            400, 404                 404      304, 412       206, 416           as the peer takes them
//! ```
//!
//! - A path is decoded once and taken apart before it touches the file system: no `..`, no hidden name, no separator or NUL
//!   in disguise. Then symlinks are followed, and what they lead to must still be in the folder. Nobody gains anything by
//!   changing a link between that look and the opening: on Linux the open file is asked where it is, through `/proc`; elsewhere,
//!   and where that is not mounted, it is opened once more from the root, step by step, and no link is followed.
//! - All that blocks happens on the blocking pool. What is small is read there whole; what is large piece by piece, as fast
//!   as the peer takes it.
//! - What is announced is what is sent. A file that gets shorter meanwhile ends the connection; of one that grows, only the
//!   announced part is sent.
//! - A browser may keep what it has, but asks each time whether it is still right: the tag is made of length and time of
//!   change, so a page that was made anew is sent, and one that was not costs a 304.

mod attachment;
mod content;
mod name;
mod open;

pub use attachment::attachment;

use super::{HeaderMap, HeaderValue, Request, Response, StatusCode, explain, header, output::plain};
use crate::blocking::blocking;
use content::Ask;
use open::{Found, Opened, find, open};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a folder's `Location` keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Answers `GET` and `HEAD` with the files of a folder.
///
/// A folder is answered with its `index.html`, and a path that names a folder without a `/` at its end is sent there with
/// one. Hidden files (a name that starts with a dot) do not exist, and neither do those that a symlink reaches outside of the
/// folder, even if links are changed meanwhile. What is no symlink is not seen: a hard link or a mount in the folder publishes
/// what it leads to. Where there is no `/proc` of Linux, this process must be able to read the folders, not only to pass through
/// them.
///
/// [`Router::files`](crate::http::server::Router::files) serves them below a path:
///
/// ```
/// use netio::http::{files::StaticFiles, server::Router};
/// let router = Router::new().files("/static", StaticFiles::new("public"));
/// ```
///
/// # Conditions and parts
///
/// Responses have a strong `ETag` and a `Last-Modified`, and requests are answered as RFC 9110 has it:
/// [conditions](super::conditional::Validators::check) first, then `Range`, which may be tied to a state by `If-Range`.
/// Several [ranges](super::range::select) are answered with a `multipart/byteranges`.
///
/// The tag is made of the length of the file and the time of its last change, to the nanosecond if the file system knows it.
/// Who changes a file and sets its time back keeps its tag.
#[derive(Clone, Debug)]
pub struct StaticFiles {
    root: Arc<Path>,
    options: Options,
}

/// How files are sent.
#[derive(Clone, Debug)]
struct Options {
    /// Symlinks may lead out of the root.
    any_link: bool,
    precompressed: bool,
    cache_control: HeaderValue,
}

impl Default for Options {
    fn default() -> Self {
        Options { any_link: false, precompressed: false, cache_control: HeaderValue::from_static("no-cache") }
    }
}

impl StaticFiles {
    /// The files below `root`. The folder may be made later.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        StaticFiles { root: root.into().into(), options: Options::default() }
    }

    /// Follows symlinks wherever they lead. Whoever may make one in the folder can then publish every file that this process
    /// can read.
    pub fn follow_links(mut self) -> Self {
        self.options.any_link = true;
        self
    }

    /// Sends `page.html.gz` (or `.br`, `.zst`) in place of `page.html` to whoever accepts it, if it is there and no older. It
    /// has a tag of its own, and a range counts its bytes.
    pub fn precompressed(mut self) -> Self {
        self.options.precompressed = true;
        self
    }

    /// Says how long, and by whom, files may be kept without asking: `no-cache` unless this is called, so that each use is
    /// asked for. For files whose name changes with their content: `public, max-age=31536000, immutable`.
    pub fn cache_control(mut self, value: HeaderValue) -> Self {
        self.options.cache_control = value;
        self
    }

    /// The response to a request whose path is taken from the root.
    ///
    /// 404 is all that is told of what is missing, hidden, outside, or no regular file; a path that is not properly encoded
    /// is a 400, another method a 405.
    ///
    /// # Cancel safety
    /// Nothing is lost; a read that has begun is finished on its thread, for nobody.
    pub async fn respond(&self, request: &Request) -> Response {
        self.answer(request, name::below(request.uri().path())).await
    }

    /// The same for a path that was decoded already: what a route's parameter holds.
    pub(crate) async fn respond_below(&self, request: &Request, path: &str) -> Response {
        self.answer(request, name::below_decoded(request.uri().path(), path)).await
    }

    async fn answer(&self, request: &Request, path: Result<(PathBuf, bool), StatusCode>) -> Response {
        let answer = async {
            let ask = Ask::of(request)?;
            let (below, is_folder) = path?;
            let (root, options) = (self.root.clone(), self.options.clone());
            let found = blocking(move || match find(&root, &below, is_folder, options.any_link)? {
                Found::Folder => Ok(None),
                Found::File(file) => respond(file, &ask, &options).map(Some),
            });
            Ok(found.await.map_err(status_of)?.unwrap_or_else(|| redirect(request)))
        };
        answer.await.unwrap_or_else(refuse)
    }
}

/// The response to a request for a file that the program has chosen, with conditions and parts as those of [`StaticFiles`]. The
/// path is taken as it is: never one that a client gave.
///
/// As a download, with the name that it is to have there:
///
/// ```
/// use netio::http::{Request, files, header::CONTENT_DISPOSITION, server::Router};
///
/// let router = Router::new().get("/report", async |request: Request| {
///     ([(CONTENT_DISPOSITION, files::attachment("Bericht März.pdf"))], files::send(&request, "reports/3.pdf").await)
/// });
/// ```
///
/// 404 if there is no such file, or it cannot be read.
///
/// # Cancel safety
/// Nothing is lost; a read that has begun is finished on its thread, for nobody.
pub async fn send(request: &Request, path: impl Into<PathBuf>) -> Response {
    let answer = async {
        let (ask, path) = (Ask::of(request)?, path.into());
        blocking(move || respond(open(&path, None)?, &ask, &Options::default())).await.map_err(status_of)
    };
    answer.await.unwrap_or_else(refuse)
}

/// Chooses the file that goes out for the one that was asked for, and answers with it.
fn respond(mut file: Opened, ask: &Ask, options: &Options) -> io::Result<Response> {
    let content_type = content_type(&file.path);
    let mut coding = None;
    if options.precompressed
        && let Some((better, its_coding)) = open::precompressed(&file, &ask.headers)
    {
        (file, coding) = (better, Some(its_coding));
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, options.cache_control.clone());
    if options.precompressed {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    content::respond(file, content_type, coding, headers, ask)
}

fn refuse(status: StatusCode) -> Response {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            let mut response = explain(status, "a file can be read, and nothing else");
            response.set_header(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        StatusCode::BAD_REQUEST => explain(status, "the path is not properly encoded"),
        StatusCode::NOT_FOUND => explain(status, "there is no such page"),
        _ => explain(status, "the file cannot be read"),
    }
}

/// To the same folder with `/` behind it, so that the links of its page start in the right place. The target is relative:
/// whatever name the client has for this server, and whatever is in front of the folder, stays.
pub(crate) fn redirect(request: &Request) -> Response {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    // Encoded anew: as it came, `a:b/` would be a URL of the scheme `a`.
    let name = percent_decode_str(name).collect::<Vec<u8>>();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}/{query}", percent_encode(&name, SEGMENT));
    let mut response = explain(StatusCode::PERMANENT_REDIRECT, "this is a folder");
    response.set_header(header::LOCATION, plain(&location));
    response
}

fn content_type(path: &Path) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let kind = guess.essence_str();
    let is_text = kind.starts_with("text/")
        || matches!(kind, "application/javascript" | "application/json" | "application/xml" | "image/svg+xml");
    if is_text { plain(&format!("{kind}; charset=utf-8")) } else { plain(kind) }
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
    use super::{open::Bounds, *};
    use std::{fs, os::unix::fs::symlink};

    fn status(files: &StaticFiles, path: &str) -> u16 {
        let mut request = Request::default();
        *request.uri_mut() = path.parse().unwrap();
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
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let files = StaticFiles::new(&root);
        let long = format!("/{}", "x".repeat(300));
        for (path, expected, with_links) in [
            ("/a.html", 200, 200),
            ("/inside", 200, 200),
            ("/sub/", 200, 200),
            ("/sub", 308, 308),
            ("/", 404, 404),
            ("/a.html/", 404, 404),
            ("/a.html/b", 404, 404),
            ("/missing", 404, 404),
            ("/.hidden", 404, 404),
            ("/out/index.html", 404, 200),
            ("/out", 404, 308),
            ("/out/", 404, 200),
            ("/out/missing", 404, 404),
            ("/loop", 404, 404),
            ("/pipe", 404, 404),
            ("/sub/empty/", 404, 200),
            ("/sub/empty/index.html", 404, 200),
            (&long, 404, 404),
        ] {
            assert_eq!(status(&files, path), expected, "{path}");
            assert_eq!(status(&files.clone().follow_links(), path), with_links, "{path}, links followed");
        }
        assert_eq!(status(&StaticFiles::new(folder.path().join("not yet")), "/"), 404);
    }

    #[test]
    fn step_by_step_no_symlink_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("sub/file"), "text").unwrap();
        symlink("sub", root.join("folder")).unwrap();
        symlink("sub/file", root.join("file")).unwrap();
        let bounds = Bounds { place_of: |_| None, ..Bounds::of(&root).unwrap() };
        for (name, opens) in [("sub/file", true), ("folder/file", false), ("file", false), ("sub/file/x", false)] {
            assert_eq!(bounds.open(&root.join(name)).is_ok(), opens, "{name}");
        }
        assert!(bounds.open(Path::new("/etc/passwd")).is_err());
        // What a symlink leads to is found before, and has none in its own name.
        for name in ["sub/file", "folder/file", "file"] {
            let Found::File(opened) = bounds.find(Path::new(name), false, false).unwrap() else { panic!("{name}") };
            assert_eq!(io::read_to_string(opened.file).unwrap(), "text", "{name}");
        }
    }

    /// A folder and a symlink that leads out change places all the time: between the look at a path and its opening, too. It
    /// does not help, where the system tells where an open file is, and where it does not.
    #[cfg(target_os = "linux")]
    #[test]
    fn nobody_gets_out_by_changing_a_link_in_time() {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use std::{
            sync::atomic::{AtomicBool, Ordering::Relaxed},
            thread,
        };

        let folder = tempfile::tempdir().unwrap();
        let (root, secret) = (folder.path().join("root"), folder.path().join("secret"));
        for (place, text) in [(root.join("sub"), "open"), (secret.clone(), "secret")] {
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("file"), text).unwrap();
        }
        symlink(&secret, root.join("link")).unwrap();
        let root = root.canonicalize().unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    renameat_with(CWD, root.join("sub"), CWD, root.join("link"), RenameFlags::EXCHANGE).unwrap();
                }
            });
            let told = Bounds::of(&root).unwrap();
            let served = [told.clone(), Bounds { place_of: |_| None, ..told }].map(|bounds| {
                let mut served = std::collections::BTreeMap::<String, usize>::new();
                for _ in 0..20_000 {
                    if let Ok(Found::File(opened)) = bounds.find(Path::new("sub/file"), false, false) {
                        *served.entry(io::read_to_string(opened.file).unwrap()).or_default() += 1;
                    }
                }
                served
            });
            over.store(true, Relaxed);
            for served in &served {
                assert_eq!(served.keys().collect::<Vec<_>>(), ["open"], "{served:?}");
            }
        });
    }
}
