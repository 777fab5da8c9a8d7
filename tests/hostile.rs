//! Input that no honest client sends, or that two readers could understand differently. Each is answered with the right
//! status or closed without a word; none reaches the handler as something else than it is, and none stops the server.

use netio::http::{Method, Request, Response, StatusCode, files::StaticFiles, reply, server::Limits};
use std::{
    net::{Shutdown, SocketAddr},
    slice::Chunks,
    sync::{Arc, Mutex},
    time::Duration,
};
use tests::wire::{Message, Peer, run, serve};

/// Small, so that exceeding them is cheap.
fn limits() -> Limits {
    Limits {
        head_bytes: 4096,
        header_count: 20,
        body_bytes: 1000,
        head_time: Duration::from_secs(5),
        body_time: Duration::from_secs(5),
        keep_alive_time: Duration::from_secs(5),
        ..Limits::default()
    }
}

/// What the peer does when it has said everything.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// Says no more, and keeps listening.
    Waits,
    /// Closes its sending side.
    Closes,
}
use Then::{Closes, Waits};

/// Name, section of RFC 9112 (or 9110), bytes, what the peer does then, the statuses of all answers.
type Case = (&'static str, &'static str, String, Then, &'static [u16]);

fn case(name: &'static str, section: &'static str, bytes: &str, answers: &'static [u16]) -> Case {
    (name, section, bytes.to_owned(), Waits, answers)
}

/// A request whose first line is `line`.
fn line(name: &'static str, section: &'static str, line: &str, answers: &'static [u16]) -> Case {
    (name, section, format!("{line}\r\nHost: a\r\n\r\n"), Waits, answers)
}

/// A request with `fields` besides Host.
fn fields(name: &'static str, section: &'static str, fields: &str, answers: &'static [u16]) -> Case {
    (name, section, format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n"), Waits, answers)
}

/// A request with a chunked body, and another one behind it.
fn chunks(name: &'static str, body: &str, answers: &'static [u16]) -> Case {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    (name, "7.1", format!("{head}{body}GET /next HTTP/1.1\r\nHost: a\r\n\r\n"), Waits, answers)
}

fn cut(name: &'static str, bytes: &str, then: Then, answers: &'static [u16]) -> Case {
    (name, "8", bytes.to_owned(), then, answers)
}

fn first_lines() -> Vec<Case> {
    let long = "a".repeat(100_000);
    vec![
        line("an honest request", "3", "GET / HTTP/1.1", &[200]),
        line("a method in small letters is another method", "9110 9.1", "get / HTTP/1.1", &[405]),
        line("a method that nobody knows", "9110 9.1", "BREW /pot HTTP/1.1", &[405]),
        line("a method with a colon", "3.1", "GE:T / HTTP/1.1", &[400]),
        line("CONNECT", "9110 9.3.6", "CONNECT host:80 HTTP/1.1", &[501]),
        case("HTTP/0.9", "3", "GET /\r\n\r\n", &[400]),
        line("HTTP/2.0", "2.3", "GET / HTTP/2.0", &[505]),
        line("HTTP/1.2", "2.3", "GET / HTTP/1.2", &[505]),
        case("the preface of HTTP/2", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[505]),
        line("a version of two digits", "2.3", "GET / HTTP/1.10", &[400]),
        line("a version in small letters", "2.3", "GET / http/1.1", &[400]),
        line("a space behind the version", "3", "GET / HTTP/1.1 ", &[400]),
        line("two spaces before the target", "3", "GET  / HTTP/1.1", &[400]),
        line("two spaces before the version", "3", "GET /  HTTP/1.1", &[400]),
        line("tabs for spaces", "3", "GET\t/\tHTTP/1.1", &[400]),
        line("a space in the target", "3.2", "GET /a b HTTP/1.1", &[400]),
        line("a space first", "3", " GET / HTTP/1.1", &[400]),
        case("an empty line first", "2.2", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
        case("an empty line first, with a bare line feed", "2.2", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        line("a control character in the target", "3.2", "GET /\x01 HTTP/1.1", &[400]),
        line("a NUL in the target", "3.2", "GET /\0 HTTP/1.1", &[400]),
        line("a letter beyond ASCII in the target", "3.2", "GET /é HTTP/1.1", &[400]),
        line("a fragment", "3.2", "GET /#top HTTP/1.1", &[400]),
        line("a target that is no path", "3.2", "GET index.html HTTP/1.1", &[400]),
        line("an asterisk for a page", "3.2.4", "GET * HTTP/1.1", &[400]),
        line("an asterisk for the server", "3.2.4", "OPTIONS * HTTP/1.1", &[405]),
        line("a host for a page", "3.2.3", "GET host:80 HTTP/1.1", &[400]),
        line("a whole URL", "3.2.2", "GET http://b/ HTTP/1.1", &[200]),
        line("a whole URL with a user", "9110 4.2.4", "GET http://user:word@b/ HTTP/1.1", &[400]),
        line("a whole URL without a host", "3.2.2", "GET http:///path HTTP/1.1", &[400]),
        line("a URL of another kind", "3.2.2", "GET file:///etc/passwd HTTP/1.1", &[400]),
        line("a target of 100 kB", "3", &format!("GET /{long} HTTP/1.1"), &[414]),
        case("a first line without end", "3", &long, &[414]),
        case("a TLS greeting", "3", "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03", &[400]),
        case("zeros", "3", &"\0".repeat(5000), &[400]),
        case("another protocol's greeting", "3", "SSH-2.0-OpenSSH_9.2\r\n", &[408]),
    ]
}

fn header_fields() -> Vec<Case> {
    let get = |rest: &str| format!("GET / HTTP/1.1\r\n{rest}\r\n\r\n");
    vec![
        case("bare line feeds", "2.2", "GET / HTTP/1.1\nHost: a\n\n", &[400]),
        case("one bare line feed", "2.2", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", &[400]),
        case("a bare line feed at the end", "2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n", &[400]),
        case("a carriage return alone", "2.2", &get("Host: a\rX: y"), &[400]),
        case("a carriage return at the end of a value", "2.2", &get("Host: a\r\r\nX: y"), &[400]),
        case("a folded line", "5.2", &get("Host: a\r\nX: y\r\n z"), &[400]),
        case("a line folded with a tab", "5.2", &get("Host: a\r\nX: y\r\n\tz"), &[400]),
        case("a first field behind a space", "2.2", &get(" X: y\r\nHost: a"), &[400]),
        case("a space before the colon", "5.1", &get("Host : a"), &[400]),
        case("a tab before the colon", "5.1", &get("Host: a\r\nX\t: y"), &[400]),
        case("a space in a name", "5.1", &get("Host: a\r\nX Y: z"), &[400]),
        case("a field without a name", "5.1", &get("Host: a\r\n: y"), &[400]),
        case("a field without a colon", "5.1", &get("Host: a\r\nX"), &[400]),
        case("a name beyond ASCII", "5.1", &get("Host: a\r\né: y"), &[400]),
        case("a control character in a value", "9110 5.5", &get("Host: a\r\nX: \x01"), &[400]),
        case("a NUL in a value", "9110 5.5", &get("Host: a\r\nX: y\0z"), &[400]),
        case("a DEL in a value", "9110 5.5", &get("Host: a\r\nX: \x7f"), &[400]),
        case("a value beyond ASCII", "9110 5.5", &get("Host: a\r\nX: é"), &[200]),
        case("an empty value", "9110 5.5", &get("Host: a\r\nX:"), &[200]),
        case("a field of 100 kB", "9110 5.4", &get(&format!("Host: a\r\nX: {}", "y".repeat(100_000))), &[431]),
        case("many fields", "9110 5.4", &get(&format!("Host: a{}", "\r\nX: y".repeat(20))), &[431]),
        case("fields without end", "9110 5.4", &format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(20_000)), &[431]),
        case("no host", "3.2", &get("X: y"), &[400]),
        case("two hosts", "3.2", &get("Host: a\r\nHost: b"), &[400]),
        case("the same host twice", "3.2", &get("Host: a\r\nhost: a"), &[400]),
        case("an empty host", "3.2", &get("Host:"), &[400]),
        case("a host with a path", "3.2", &get("Host: a/b"), &[400]),
        case("a host with a user", "3.2", &get("Host: user@a"), &[400]),
        case("a host of two words", "3.2", &get("Host: a b"), &[400]),
        case("a host in brackets, with a port", "3.2", &get("Host: [::1]:80"), &[200]),
        case("no host in HTTP/1.0", "3.2", "GET / HTTP/1.0\r\n\r\n", &[200]),
        fields("another expectation", "9110 10.1.1", "Expect: tea", &[417]),
        fields("leave to send too much", "9110 10.1.1", "Expect: 100-continue\r\nContent-Length: 1001", &[413]),
    ]
}

fn lengths() -> Vec<Case> {
    let smuggled = "\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a";
    let two = |field: &str| format!("{field}{smuggled}");
    vec![
        fields("two lengths", "6.3", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", &[400]),
        fields("the same length twice", "6.3", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", &[400]),
        fields("a list of lengths", "6.3", "Content-Length: 5, 5\r\n\r\nhello", &[400]),
        fields("a length with a sign", "6.3", "Content-Length: +5\r\n\r\nhello", &[400]),
        fields("a negative length", "6.3", "Content-Length: -1", &[400]),
        fields("a hexadecimal length", "6.3", "Content-Length: 0x5\r\n\r\nhello", &[400]),
        fields("a length with a space in it", "6.3", "Content-Length: 5 5\r\n\r\nhello", &[400]),
        fields("an empty length", "6.3", "Content-Length:", &[400]),
        fields("a length with a comma behind it", "6.3", "Content-Length: 5,\r\n\r\nhello", &[400]),
        fields("a length beyond 64 bits", "6.3", "Content-Length: 18446744073709551616", &[400]),
        fields("a length of 64 bits", "6.3", "Content-Length: 18446744073709551615", &[413]),
        fields("a length with zeros first", "6.3", "Content-Length: 0000005\r\n\r\nhello", &[200]),
        fields("chunked, and a length", "6.1", &two("Transfer-Encoding: chunked\r\nContent-Length: 50"), &[400]),
        fields("a length, and chunked", "6.1", &two("Content-Length: 50\r\nTransfer-Encoding: chunked"), &[400]),
        fields("a coding that we do not know", "6.1", "Transfer-Encoding: gzip", &[501]),
        fields("two codings", "6.1", &two("Transfer-Encoding: gzip, chunked"), &[501]),
        fields("chunked twice", "6.1", &two("Transfer-Encoding: chunked, chunked"), &[501]),
        fields("chunked, then something", "6.1", &two("Transfer-Encoding: chunked, identity"), &[501]),
        fields("two fields of codings", "6.1", &two("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"), &[400]),
        fields("almost chunked", "6.1", &two("Transfer-Encoding: xchunked"), &[501]),
        fields("chunked behind a vertical tab", "6.1", &two("Transfer-Encoding: \x0bchunked"), &[400]),
        fields("chunked in quotes", "6.1", &two("Transfer-Encoding: \"chunked\""), &[501]),
        fields("chunked behind a space before the colon", "5.1", &two("Transfer-Encoding : chunked"), &[400]),
        fields("chunked on a folded line", "5.2", &two("Transfer-Encoding:\r\n chunked"), &[400]),
        fields("an empty coding", "6.1", &two("Transfer-Encoding:"), &[501]),
        case("chunked in HTTP/1.0", "6.1", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400]),
        chunks("an honest body in chunks", "5\r\nhello\r\n0\r\n\r\n", &[200, 200]),
        chunks(
            "extensions and trailers",
            "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\nX: y\r\nContent-Length: 99\r\n\r\n",
            &[200, 200],
        ),
        chunks("a bare line feed behind a size", "5\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a bare line feed in an extension", "5;\nX\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a carriage return in an extension", "5;\rX\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a bare line feed behind the data", "5\r\nhello\n0\r\n\r\n", &[400]),
        chunks("a bare line feed in the trailers", "0\r\nX: y\n\r\n", &[400]),
        chunks("a size that is no number", "five\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a negative size", "-5\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a space behind the size", "5 \r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a size of 64 bits", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", &[413]),
        chunks("a chunk longer than its size", "3\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("a chunk shorter than its size", "7\r\nhello\r\n0\r\n\r\n", &[400]),
        chunks("an extension of 100 kB", &format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(100_000)), &[400]),
        chunks("trailers of 100 kB", &format!("0\r\nX: {}\r\n\r\n", "y".repeat(100_000)), &[400]),
        chunks("too many small chunks", &"1\r\nx\r\n".repeat(1001), &[413]),
    ]
}

fn connections() -> Vec<Case> {
    let good = "GET /good HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhel";
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    vec![
        case("good, then bad", "9.3.2", &format!("{good}{good}BAD\r\n\r\n{good}"), &[200, 200, 400]),
        case("a body that looks like a request", "6.3", &format!("{length}lo body{good}"), &[200, 200]),
        case(
            "bytes behind a body without a length",
            "6.3",
            "POST / HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n",
            &[200, 400],
        ),
        case(
            "more after `close`",
            "9.6",
            &format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n{good}"),
            &[200],
        ),
        case("more after HTTP/1.0", "9.3", &format!("GET / HTTP/1.0\r\n\r\n{good}"), &[200]),
        cut("nothing", "", Waits, &[]),
        cut("nothing, and the end", "", Closes, &[]),
        cut("empty lines for ever", "\r\n\r\n\r\n", Waits, &[]),
        cut("half a line", "GET / HT", Waits, &[408]),
        cut("half a line, and the end", "GET / HT", Closes, &[]),
        cut("half a head", "GET / HTTP/1.1\r\nHost: a\r\n", Waits, &[408]),
        cut("half a head, and the end", "GET / HTTP/1.1\r\nHost: a\r\n\r", Closes, &[]),
        cut("half a body", length, Waits, &[408]),
        cut("half a body, and the end", length, Closes, &[]),
        cut("half a chunk", chunked, Waits, &[408]),
        cut("half a chunk, and the end", chunked, Closes, &[]),
        cut("half a second request", &format!("{good}GET / HT"), Waits, &[200, 408]),
        cut("a request, and the end", good, Closes, &[200]),
    ]
}

/// Answers honest requests, and remembers their paths.
fn echo(seen: Arc<Mutex<Vec<String>>>) -> impl Fn(Request) -> std::future::Ready<Response> + Send + Sync + 'static {
    move |request| {
        seen.lock().unwrap().push(request.uri().path().to_owned());
        let known = [Method::GET, Method::POST].contains(request.method());
        let status = if known { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED };
        std::future::ready(reply(status, "text/plain", request.into_body()))
    }
}

/// Sends the pieces one by one, and gives all answers. The server must close in the end: this waits for it.
async fn exchange(address: SocketAddr, pieces: Chunks<'_, u8>, then: Then) -> Vec<Message> {
    let mut peer = Peer::connect(address).await;
    for piece in pieces {
        if peer.try_send(piece).await.is_err() {
            break;
        }
        runtime::yield_now().await;
    }
    if let Closes = then {
        peer.stream.shutdown(Shutdown::Write).unwrap();
    }
    peer.messages().await
}

#[test]
fn hostile_input_gets_its_status_or_a_clean_close() {
    let cases: Vec<Case> = [first_lines(), header_fields(), lengths(), connections()].concat();
    assert!(cases.len() > 100, "{} cases", cases.len());
    run(async || {
        let seen = Arc::default();
        let address = serve(limits(), echo(Arc::clone(&seen)));
        let mut wrong = Vec::new();
        for (name, section, bytes, then, answers) in &cases {
            // All at once; and byte by byte, for the server to put together.
            for step in [bytes.len().max(1), 1] {
                if step == 1 && bytes.len() > 5000 {
                    continue;
                }
                let got = exchange(address, bytes.as_bytes().chunks(step), *then).await;
                let statuses: Vec<u16> = got.iter().map(|message| message.status).collect();
                let refused = got.last().is_some_and(|last| last.status >= 400 && last.status != 405);
                let closing = !refused || got.last().unwrap().head.contains("connection: close\r\n");
                if statuses != *answers || !closing {
                    wrong.push(format!("{name} (RFC {section}), {step} bytes at a time: not {answers:?} but {got:#?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        assert!(seen.lock().unwrap().iter().all(|path| !path.contains("smuggled")), "a smuggled request came through");
    });
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    std::fs::create_dir(&root).unwrap();
    for (file, text) in [("site/index.html", "home"), ("site/.env", "secret"), ("secret.txt", "secret")] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let outside = folder.path().join("secret.txt");
    let absolute = outside.to_str().unwrap();
    let paths = [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/..%2Fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E/secret.txt",
        "/.%2e/secret.txt",
        "/%2e./secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/..%252fsecret.txt",
        "/..%c0%afsecret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/x/../../secret.txt",
        "/index.html/../../secret.txt",
        "/./../secret.txt",
        "/...//../secret.txt",
        "//../secret.txt",
        "/%00/../secret.txt",
        "/index.html%00.png",
        "/..;/secret.txt",
        "/.env",
        "/%2eenv",
        absolute,
        &format!("/{absolute}"),
        &format!("/{}", absolute.replace('/', "%2f")),
        &format!("http://a/..{absolute}"),
        "/index.html/",
        "/secret.txt",
    ];
    run(async || {
        let files = StaticFiles::new(&root);
        let address = serve(limits(), move |request| {
            let files = files.clone();
            async move { files.respond(&request).await }
        });
        let get = async |path: &str| {
            let mut peer = Peer::connect(address).await;
            peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
            peer.messages().await.remove(0)
        };
        for path in paths {
            let answer = get(path).await;
            assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
            assert!(!answer.body.contains("secret"), "{path}: {answer:?}");
        }
        assert_eq!(get("/").await.body, "home");
        assert_eq!(get("/index.html?/../../secret.txt").await.body, "home");
    });
}
