//! Lines of an access log in a format of one's own: the one that aiohttp has, and Apache before it.

use super::{
    Access, Next,
    log::{Writer, logged},
};
use crate::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, server::BoxResponse};
use runtime::time::wall_clock;
use std::{
    fmt::{self, Write},
    str::FromStr,
    sync::Arc,
    time::SystemTime,
};

/// How a line of an access log is written: text, with these in it.
///
/// | directive | what stands there |
/// |---|---|
/// | `%%` | a percent sign |
/// | `%a` | the address of the client, without its port |
/// | `%l` | `-`: a name that nobody tells any more |
/// | `%t` | when the request came, in universal time: `[09/Sep/2001:01:46:40 +0000]` |
/// | `%P` | the number of the process |
/// | `%r` | the first line of the request: `GET /page?n=1 HTTP/1.1` |
/// | `%s` | the status of the response |
/// | `%b` | the bytes of its body that were [sent](Access::sent) |
/// | `%X` | `X` if it was [cut](Access::cut), otherwise `-` |
/// | `%T` | seconds until the response was over, rounded down |
/// | `%Tf` | the same with six places |
/// | `%D` | the same in microseconds |
/// | `%{Name}i` | a field of the request |
/// | `%{Name}o` | a field of the response |
///
/// What is not known or not there is a `-`. A client can put no line and no quotation mark of its own into the log: in what it
/// sends, quotation marks and backslashes are written with a backslash before them, and bytes that are no visible ASCII as
/// `\xe9`.
///
/// The default is that of aiohttp: `%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"`.
///
/// ```
/// use netio::http::server::middleware::LogFormat;
/// let format: LogFormat = "%a \"%r\" %s %Tf".parse()?;
/// let error = "%a %z".parse::<LogFormat>().unwrap_err();
/// assert_eq!(error.to_string(), "the log format has no `%z` (at byte 3)");
/// # Ok::<(), netio::http::server::middleware::LogFormatError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFormat {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Peer,
    Time,
    Process,
    FirstLine,
    Status,
    Sent,
    Cut,
    Seconds,
    SecondsExactly,
    Microseconds,
    Asked(HeaderName),
    Answered(HeaderName),
}

/// A format that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log format has no `{directive}` (at byte {at})")]
#[non_exhaustive]
pub struct LogFormatError {
    /// What is not known.
    pub directive: String,
    /// Where it stands: so many bytes come before it.
    pub at: usize,
}

impl FromStr for LogFormat {
    type Err = LogFormatError;

    fn from_str(format: &str) -> Result<LogFormat, LogFormatError> {
        let (mut pieces, mut rest) = (Vec::new(), format);
        while let Some(percent) = rest.find('%') {
            let (text, directive) = rest.split_at(percent);
            let (piece, length) = directive_of(directive).ok_or_else(|| LogFormatError {
                directive: unknown(directive).to_owned(),
                at: format.len() - directive.len(),
            })?;
            pieces.extend([Piece::Text(text.to_owned()), piece]);
            rest = &directive[length..];
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(LogFormat { pieces })
    }
}

impl Default for LogFormat {
    fn default() -> LogFormat {
        r#"%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i""#.parse().expect("it is one")
    }
}

/// The directive that a text begins with, and its length.
fn directive_of(text: &str) -> Option<(Piece, usize)> {
    if let Some(named) = text.strip_prefix("%{") {
        let (name, rest) = named.split_once('}')?;
        let field = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let piece = match rest.chars().next()? {
            'i' => Piece::Asked(field),
            'o' => Piece::Answered(field),
            _ => return None,
        };
        return Some((piece, name.len() + 4));
    }
    let known = [
        ("%%", Piece::Text("%".to_owned())),
        ("%a", Piece::Peer),
        ("%l", Piece::Text("-".to_owned())),
        ("%t", Piece::Time),
        ("%P", Piece::Process),
        ("%r", Piece::FirstLine),
        ("%s", Piece::Status),
        ("%b", Piece::Sent),
        ("%X", Piece::Cut),
        ("%Tf", Piece::SecondsExactly),
        ("%T", Piece::Seconds),
        ("%D", Piece::Microseconds),
    ];
    known.into_iter().find(|(name, _)| text.starts_with(name)).map(|(name, piece)| (piece, name.len()))
}

/// As much of a text as somebody may have taken for a directive.
fn unknown(text: &str) -> &str {
    let named = text.strip_prefix("%{").and_then(|named| named.find('}')).map(|end| end + 4);
    let end = named.or_else(|| text.char_indices().nth(2).map(|(at, _)| at));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

impl LogFormat {
    /// What it needs to know of a request, before that is gone.
    fn asked(&self, headers: &HeaderMap) -> Vec<Option<HeaderValue>> {
        self.named(headers, |piece| if let Piece::Asked(name) = piece { Some(name) } else { None })
    }

    /// What it needs to know of a response, before that is gone.
    fn answered(&self, headers: &HeaderMap) -> Vec<Option<HeaderValue>> {
        self.named(headers, |piece| if let Piece::Answered(name) = piece { Some(name) } else { None })
    }

    /// The fields that have a place in the line, in the order of their places.
    fn named(&self, headers: &HeaderMap, name: impl Fn(&Piece) -> Option<&HeaderName>) -> Vec<Option<HeaderValue>> {
        self.pieces.iter().filter_map(name).map(|name| headers.get(name).cloned()).collect()
    }

    fn line(&self, access: &Access, known: &Known) -> String {
        let mut line = String::new();
        let (mut asked, mut answered) = (known.asked.iter(), known.answered.iter());
        let time = access.time;
        for piece in &self.pieces {
            let written = match piece {
                Piece::Text(text) => line.write_str(text),
                Piece::Peer => match access.peer {
                    Some(peer) => write!(line, "{}", peer.ip()),
                    None => line.write_str("-"),
                },
                Piece::Time => write!(line, "{}", Day(known.came)),
                Piece::Process => write!(line, "{}", std::process::id()),
                Piece::FirstLine => {
                    let Access { method, uri, version, .. } = access;
                    write!(line, "{}", Escaped(format!("{method} {uri} {version:?}").as_bytes()))
                }
                Piece::Status => line.write_str(access.status()),
                Piece::Sent => write!(line, "{}", access.sent),
                Piece::Cut => line.write_str(if access.cut { "X" } else { "-" }),
                Piece::Seconds => write!(line, "{}", time.as_secs()),
                Piece::SecondsExactly => write!(line, "{}.{:06}", time.as_secs(), time.subsec_micros()),
                Piece::Microseconds => write!(line, "{}", time.as_micros()),
                Piece::Asked(_) => write!(line, "{}", Field(asked.next())),
                Piece::Answered(_) => write!(line, "{}", Field(answered.next())),
            };
            written.expect("a string takes every text");
        }
        line
    }
}

/// What a line has besides the [`Access`].
struct Known {
    came: SystemTime,
    asked: Vec<Option<HeaderValue>>,
    /// Empty as long as there is no response.
    answered: Vec<Option<HeaderValue>>,
}

struct Formatted<F> {
    /// The format, and who gets the line.
    shared: Arc<(LogFormat, F)>,
    known: Known,
}

impl<F: Fn(&str) + Send + Sync + 'static> Writer for Formatted<F> {
    fn head(&mut self, response: &Response) {
        self.known.answered = self.shared.0.answered(response.headers());
    }

    fn end(&mut self, access: &Access) {
        let (format, write) = &*self.shared;
        write(&format.line(access, &self.known));
    }
}

/// A layer that hands `write` a line for each request, when its answer is over. Otherwise as
/// [`access_log`](super::access_log), which knows more and is cheaper.
///
/// ```
/// use netio::http::server::{Router, middleware::{LogFormat, access_log_as}};
/// let router = Router::new().layer(access_log_as(LogFormat::default(), |line| eprintln!("{line}")));
/// ```
pub fn access_log_as(
    format: LogFormat,
    write: impl Fn(&str) + Send + Sync + 'static,
) -> impl Fn(Request, Next) -> BoxResponse + Send + Sync + 'static {
    let shared = Arc::new((format, write));
    move |request: Request, next: Next| {
        let known = Known { came: wall_clock(), asked: shared.0.asked(request.headers()), answered: Vec::new() };
        Box::pin(logged(request, next, Formatted { shared: shared.clone(), known }))
    }
}

/// A moment as logs have it.
struct Day(SystemTime);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Sun, 09 Sep 2001 01:46:40 GMT`, in other order.
        let date = httpdate::HttpDate::from(self.0).to_string();
        let mut words = date.split(' ').skip(1);
        let mut next = || words.next().unwrap_or_default();
        write!(f, "[{}/{}/{}:{} +0000]", next(), next(), next(), next())
    }
}

/// A field that may not be there.
struct Field<'a>(Option<&'a Option<HeaderValue>>);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Some(value)) => write!(f, "{}", Escaped(value.as_bytes())),
            _ => f.write_str("-"),
        }
    }
}

/// What somebody else has written.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte)),
            b' '..=b'~' => f.write_char(byte.into()),
            _ => write!(f, "\\x{byte:02x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        StatusCode,
        server::{Router, Server},
        test::TestServer,
    };
    use std::{sync::Mutex, time::Duration};

    #[test]
    fn what_is_no_directive_is_named_with_its_place() {
        for (format, directive, at) in [
            ("%", "%", 0),
            ("%a %", "%", 3),
            ("%z", "%z", 0),
            ("é %é", "%é", 3),
            ("%Tf%O", "%O", 3),
            ("%{Referer}", "%{Referer}", 0),
            ("%{Referer}e %s", "%{Referer}e", 0),
            ("%{}i", "%{}i", 0),
            ("%{a b}i", "%{a b}i", 0),
            ("%{Referer", "%{", 0),
        ] {
            let error = format.parse::<LogFormat>().unwrap_err();
            assert_eq!((&*error.directive, error.at), (directive, at), "{format}");
        }
    }

    /// What is logged of one request with these fields, in this format; its answer takes a second and a half.
    fn logged(format: &str, target: &str, fields: &[(&str, &str)]) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (write, format) = (lines.clone(), format.parse().unwrap());
        runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            let answer = async || {
                runtime::time::sleep(Duration::from_micros(1_500_007)).await;
                (StatusCode::CREATED, [("x-made", "a \"page\"")], "made\n")
            };
            let router = Router::new().get("/page", answer);
            let router = router.layer(access_log_as(format, move |line| write.lock().unwrap().push(line.to_owned())));
            let server = TestServer::start_with(Server::new(), Default::default(), router);
            let mut request = server.client().get(target);
            for (name, value) in fields {
                request = request.header(*name, value.as_bytes());
            }
            request.await;
        });
        let lines = lines.lock().unwrap();
        lines.join("\n")
    }

    #[test]
    fn every_directive_says_what_it_stands_for() {
        let all = "%a|%l|%t|%r|%s|%b|%X|%T|%Tf|%D|%{X-Sent}i|%{X-Made}o|%{None}i|%{None}o|100%% é";
        assert_eq!(
            logged(all, "/page?n=1", &[("x-sent", "1"), ("x-sent", "2")]),
            "-|-|[09/Sep/2001:01:46:40 +0000]|GET /page?n=1 HTTP/1.1|201|5|-|1|1.500007|1500007|1|a \\\"page\\\"|-|-|100% é"
        );
        assert_eq!(logged("%P", "/page", &[]), std::process::id().to_string());
        assert_eq!(logged("%s", "/none", &[]), "404");
        assert_eq!(logged("", "/page", &[]), "");
    }

    #[test]
    fn the_default_is_the_one_of_aiohttp_and_nobody_breaks_out_of_it() {
        let fields = [("referer", "http://a/\"\\ \u{e9}"), ("user-agent", "curl/8 \t\"")];
        let line = logged(r#"%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i""#, "/page?\"", &fields);
        let expected =
            r#"- [09/Sep/2001:01:46:40 +0000] "GET /page?%22 HTTP/1.1" 201 5 "http://a/\"\\ \xc3\xa9" "curl/8 \x09\"""#;
        assert_eq!(line, expected);
        assert_eq!(LogFormat::default(), r#"%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i""#.parse().unwrap());
    }
}
