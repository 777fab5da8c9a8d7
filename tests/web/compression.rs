//! What the layers `compress` and `decompress` do: two tables, with sections of RFC 9110.

use super::{ask, body_of, field, request};
use netio::http::{
    Body, Method, Request, StatusCode,
    coding::{Coding, applied, decode, encode},
    files::StaticFiles,
    server::{
        IntoResponse, Path, Router, Server,
        middleware::{Compression, compress, decompress},
    },
};
use std::fs;
use tests::wire::{Peer, in_worlds, run_outside};

/// A page of so many bytes, and of a status and a type; its other fields are those that the request names.
async fn page(Path((status, kind, length)): Path<(u16, String, usize)>, request: Request) -> impl IntoResponse {
    let mut response = "0123456789abcdef".repeat(length / 16).into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().remove("content-type");
    if kind != "-" {
        response.headers_mut().insert("content-type", kind.parse().unwrap());
    }
    for (name, value) in request.headers() {
        if let Some(name) = name.as_str().strip_prefix("give-") {
            response.headers_mut().append(name.parse::<netio::http::HeaderName>().unwrap(), value.clone());
        }
    }
    response
}

fn router() -> Router {
    let streamed = || async {
        let body = Body::writer(|mut body| async move { body.write("short").await });
        ([("content-type", "text/plain")], body)
    };
    Router::new()
        .any("/{status}/{kind}/{length}", page)
        .get("/streamed", streamed)
        .layer(compress(Compression::default()))
}

struct Case {
    section: &'static str,
    path: &'static str,
    fields: &'static str,
    coding: &'static str,
    vary: &'static str,
}

const fn case(
    section: &'static str,
    path: &'static str,
    fields: &'static str,
    coding: &'static str,
    vary: &'static str,
) -> Case {
    Case { section, path, fields, coding, vary }
}

const PAGE: &str = "/200/text%2Fplain/4096";
const VARY: &str = "accept-encoding";

const COMPRESS: &[Case] = &[
    case("12.5.3", PAGE, "", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: ", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: gzip", "gzip", VARY),
    case("8.4.1.3", PAGE, "accept-encoding: x-gzip", "gzip", VARY),
    case("8.4.1", PAGE, "accept-encoding: GZip", "gzip", VARY),
    case("12.5.3", PAGE, "accept-encoding: deflate", "deflate", VARY),
    case("12.5.3", PAGE, "accept-encoding: br", "br", VARY),
    case("12.5.3", PAGE, "accept-encoding: zstd", "zstd", VARY),
    case("12.5.3", PAGE, "accept-encoding: gzip, deflate, br, zstd", "zstd", VARY),
    case("12.5.3", PAGE, "accept-encoding: gzip\naccept-encoding: br", "br", VARY),
    case("12.4.2", PAGE, "accept-encoding: gzip;q=0.8, br;q=0.5", "gzip", VARY),
    case("12.4.2", PAGE, "accept-encoding: gzip;q=0", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: *", "zstd", VARY),
    case("12.5.3", PAGE, "accept-encoding: *;q=0", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: *, zstd;q=0, br;q=0", "gzip", VARY),
    case("12.5.3", PAGE, "accept-encoding: identity", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: identity;q=0.5, gzip", "gzip", VARY),
    case("12.5.3", PAGE, "accept-encoding: identity, gzip;q=0.5", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: identity;q=0", "-", VARY),
    case("12.5.3", PAGE, "accept-encoding: compress", "-", VARY),
    // Types.
    case("8.3", "/200/text%2Fhtml;%20charset=utf-8/4096", "accept-encoding: gzip", "gzip", VARY),
    case("8.3", "/200/TEXT%2FHTML/4096", "accept-encoding: gzip", "gzip", VARY),
    case("8.3", "/200/application%2Fjson/4096", "accept-encoding: gzip", "gzip", VARY),
    case("8.3", "/200/application%2Fproblem+json/4096", "accept-encoding: gzip", "gzip", VARY),
    case("8.3", "/200/image%2Fsvg+xml/4096", "accept-encoding: gzip", "gzip", VARY),
    case("8.3", "/200/image%2Fpng/4096", "accept-encoding: gzip", "-", "-"),
    case("8.3", "/200/video%2Fmp4/4096", "accept-encoding: gzip", "-", "-"),
    case("8.3", "/200/application%2Fzip/4096", "accept-encoding: gzip", "-", "-"),
    case("8.3", "/200/application%2Foctet-stream/4096", "accept-encoding: gzip", "-", "-"),
    case("8.3", "/200/-/4096", "accept-encoding: gzip", "-", "-"),
    // Sizes.
    case("8.4", "/200/text%2Fplain/1024", "accept-encoding: gzip", "gzip", VARY),
    case("8.4", "/200/text%2Fplain/1008", "accept-encoding: gzip", "-", "-"),
    case("8.4", "/200/text%2Fplain/0", "accept-encoding: gzip", "-", "-"),
    case("8.4", "/streamed", "accept-encoding: gzip", "gzip", VARY),
    // Statuses.
    case("15.3.2", "/201/text%2Fplain/4096", "accept-encoding: gzip", "gzip", VARY),
    case("15.5.5", "/404/text%2Fplain/4096", "accept-encoding: gzip", "gzip", VARY),
    case("15.6.1", "/500/text%2Fplain/4096", "accept-encoding: gzip", "gzip", VARY),
    case("15.3.5", "/204/text%2Fplain/4096", "accept-encoding: gzip", "-", "-"),
    case("15.3.6", "/205/text%2Fplain/4096", "accept-encoding: gzip", "-", "-"),
    case("15.3.7", "/206/text%2Fplain/4096", "accept-encoding: gzip\ngive-content-range: bytes 0-4095/9999", "-", "-"),
    case("15.4.5", "/304/text%2Fplain/0", "accept-encoding: gzip", "-", VARY),
    // What must not be changed.
    case("8.4", PAGE, "accept-encoding: gzip\ngive-content-encoding: br", "br", "-"),
    case("8.4", PAGE, "accept-encoding: gzip\ngive-content-encoding: identity", "identity", "-"),
    case("9111 5.2.2.6", PAGE, "accept-encoding: gzip\ngive-cache-control: public, No-Transform", "-", "-"),
    case("9111 5.2.2", PAGE, "accept-encoding: gzip\ngive-cache-control: public", "gzip", VARY),
    case("9530 2", PAGE, "accept-encoding: gzip\ngive-content-digest: sha-256=:AA==:", "-", "-"),
    // Vary.
    case("12.5.5", PAGE, "accept-encoding: gzip\ngive-vary: origin", "gzip", "origin | accept-encoding"),
    case(
        "12.5.5",
        PAGE,
        "accept-encoding: gzip\ngive-vary: Origin, Accept-Encoding",
        "gzip",
        "Origin, Accept-Encoding",
    ),
    case("12.5.5", PAGE, "accept-encoding: gzip\ngive-vary: *", "gzip", "*"),
];

#[test]
fn a_response_is_compressed_if_it_may_be_and_the_client_would_have_it() {
    assert!(COMPRESS.len() >= 40, "{} cases", COMPRESS.len());
    run_outside(async {
        let router = router();
        for Case { section, path, fields, coding, vary } in COMPRESS {
            let mut plain = ask(&router, request(Method::GET, path, "", "")).await;
            let plain = plain.body_mut().bytes().await.unwrap();
            for method in [Method::GET, Method::HEAD, Method::POST] {
                if method == Method::POST && *path == "/streamed" {
                    continue;
                }
                let response = ask(&router, request(method.clone(), path, fields, "")).await;
                let case = format!("{section}: {method} {path} with {fields:?}: {response:?}");
                assert_eq!(field(&response, "content-encoding"), *coding, "{case}");
                assert_eq!(field(&response, "vary"), *vary, "{case}");
                let is_ours = *coding != "-" && !fields.contains("give-content-encoding");
                assert_eq!(response.body().length().is_some(), !is_ours, "{case}");
                let codings = if is_ours { applied(response.headers(), 1).unwrap() } else { Vec::new() };
                let coded = body_of(response).await;
                assert!(!is_ours || plain.len() < 100 || coded.len() < plain.len() / 10, "{case}");
                assert_eq!(decode(coded.into(), &codings, 10_000).bytes().await.unwrap(), plain, "{case}");
            }
        }
    });
}

#[test]
fn what_is_compressed_has_a_weak_tag_and_no_ranges() {
    let give = "give-etag: \"v1\"\ngive-accept-ranges: bytes\ngive-content-length: 4096";
    run_outside(async {
        let router = router();
        let response = ask(&router, request(Method::GET, PAGE, give, "")).await;
        assert_eq!((field(&response, "etag"), field(&response, "accept-ranges")), ("\"v1\"".into(), "bytes".into()));
        let fields = format!("accept-encoding: gzip\n{give}");
        let response = ask(&router, request(Method::GET, PAGE, &fields, "")).await;
        assert_eq!((field(&response, "etag"), field(&response, "accept-ranges")), ("W/\"v1\"".into(), "-".into()));
        assert_eq!(field(&response, "content-length"), "-");
        let fields = "accept-encoding: gzip\ngive-etag: W/\"v1\"";
        let response = ask(&router, request(Method::GET, PAGE, fields, "")).await;
        assert_eq!(field(&response, "etag"), "W/\"v1\"");
        // RFC 9111, 4.3.4: a 304 names the response that the client has, whether that was compressed or not.
        for (known, tag) in [
            ("if-none-match: \"v1\"", "\"v1\""),
            ("if-none-match: W/\"v1\"", "W/\"v1\""),
            ("if-none-match: \"v0\", W/\"v1\"", "W/\"v1\""),
            ("if-none-match: W/\"v1\", \"v1\"", "\"v1\""),
            ("", "\"v1\""),
        ] {
            let fields = format!("accept-encoding: gzip\ngive-etag: \"v1\"\n{known}");
            let response = ask(&router, request(Method::GET, "/304/text%2Fplain/0", &fields, "")).await;
            assert_eq!(field(&response, "etag"), tag, "{known}");
        }
    });
}

#[test]
fn a_file_that_was_compressed_is_found_unchanged_and_gives_no_parts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "hello ".repeat(1000)).unwrap();
    fs::write(folder.path().join("a.png"), [7; 5000]).unwrap();
    let router = Router::new().files("/", StaticFiles::new(folder.path())).layer(compress(Compression::default()));
    run_outside(async {
        let get = async |path: &str, fields: &str| {
            let fields = format!("accept-encoding: gzip\n{fields}");
            ask(&router, request(Method::GET, path, &fields, "")).await
        };
        let first = get("/a.txt", "").await;
        let tag = field(&first, "etag");
        assert!(tag.starts_with("W/") && field(&first, "accept-ranges") == "-", "{first:?}");
        let known = get("/a.txt", &format!("if-none-match: {tag}")).await;
        assert_eq!((known.status().as_u16(), field(&known, "etag")), (304, tag.clone()));
        // The parts of two bodies do not fit together: the rest of what was compressed is the whole, not compressed before.
        let rest = get("/a.txt", &format!("if-range: {tag}\nrange: bytes=100-")).await;
        assert_eq!((rest.status().as_u16(), field(&rest, "content-encoding").as_str()), (200, "gzip"));
        let part = get("/a.txt", "range: bytes=0-5").await;
        assert_eq!((part.status().as_u16(), field(&part, "content-encoding").as_str()), (206, "-"));
        assert_eq!(body_of(part).await, "hello ");
        let image = get("/a.png", "").await;
        assert_eq!((field(&image, "accept-ranges"), field(&image, "vary")), ("bytes".into(), "-".into()));
    });
}

#[test]
fn the_program_chooses_what_is_compressed_and_how() {
    let compression =
        Compression { codings: vec![Coding::Gzip], least_bytes: 10_000, types: |kind| kind == "image/png" };
    let router = Router::new().any("/{status}/{kind}/{length}", page).layer(compress(compression));
    run_outside(async {
        for (path, expected) in
            [("/200/text%2Fplain/16384", "-"), ("/200/image%2Fpng/4096", "-"), ("/200/image%2Fpng/16384", "gzip")]
        {
            let response = ask(&router, request(Method::GET, path, "accept-encoding: zstd, gzip;q=0.1", "")).await;
            assert_eq!(field(&response, "content-encoding"), expected, "{path}");
        }
    });
}

#[test]
fn a_compressed_answer_stands_on_the_wire_in_chunks_and_leaves_the_connection_usable() {
    in_worlds(async || {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr();
        drop(runtime::spawn(server.serve(router())));
        let mut peer = Peer::connect(address).await;
        let fields = "Host: a\r\nAccept-Encoding: gzip\r\n";
        for line in [format!("HEAD {PAGE} HTTP/1.1"), format!("HEAD {PAGE} HTTP/1.1")] {
            peer.send(format!("{line}\r\n{fields}\r\n")).await;
            let head = peer.read_until("\r\n\r\n").await;
            assert!(head.contains("content-encoding: gzip\r\n") && !head.contains("content-length"), "{head}");
        }
        peer.send(format!("GET {PAGE} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n")).await;
        let head = peer.read_until("\r\n\r\n").await;
        assert!(head.contains("transfer-encoding: chunked\r\n") && !head.contains("content-length"), "{head}");
        let rest = peer.rest().await.unwrap();
        assert!(rest.ends_with(b"\r\n0\r\n\r\n") && rest.len() < 400, "{} bytes", rest.len());
    });
}

struct Upload {
    section: &'static str,
    /// The codings applied, in order.
    codings: &'static [Coding],
    /// The field that says so.
    said: &'static str,
    status: u16,
    body: &'static str,
}

const fn upload(
    section: &'static str,
    codings: &'static [Coding],
    said: &'static str,
    status: u16,
    body: &'static str,
) -> Upload {
    Upload { section, codings, said, status, body }
}

use Coding::{Brotli, Deflate, Gzip, Zstd};

const UPLOADS: &[Upload] = &[
    upload("8.4", &[], "", 200, "hello"),
    upload("8.4", &[], "content-encoding: identity", 200, "hello"),
    upload("8.4.1", &[Gzip], "content-encoding: gzip", 200, "hello"),
    upload("8.4.1", &[Gzip], "content-encoding: X-GZip", 200, "hello"),
    upload("8.4.1", &[Deflate], "content-encoding: deflate", 200, "hello"),
    upload("7932", &[Brotli], "content-encoding: br", 200, "hello"),
    upload("8878", &[Zstd], "content-encoding: zstd", 200, "hello"),
    upload("8.4", &[Gzip, Brotli], "content-encoding: gzip, br", 200, "hello"),
    upload("8.4", &[Gzip, Brotli], "content-encoding: gzip\ncontent-encoding: br", 200, "hello"),
    upload("8.4", &[Gzip, Gzip], "content-encoding: gzip, gzip", 200, "hello"),
    upload("8.4", &[Gzip, Brotli], "content-encoding: br, gzip", 400, "the body is no valid gzip"),
    upload("8.4", &[], "content-encoding: gzip", 400, "the body is no valid gzip"),
    upload("8.4", &[Gzip], "content-encoding: br", 400, "the body is no valid br"),
    upload("8.4", &[Gzip], "content-encoding: zstd", 400, "the body is no valid zstd"),
    upload("15.5.16", &[], "content-encoding: compress", 415, "the body is coded as `compress`"),
    upload("15.5.16", &[], "content-encoding: gzip, aes", 415, "the body is coded as `aes`"),
    upload("15.5.16", &[Gzip, Gzip, Gzip], "content-encoding: gzip, gzip, gzip", 415, "more than 2 times"),
];

#[test]
fn a_compressed_upload_is_seen_as_it_was_before() {
    let router = Router::new()
        .post("/", async |request: Request| {
            let left = ["content-encoding", "content-length"].map(|name| request.headers().contains_key(name));
            assert!(left == [false, false] || request.headers()["content-encoding"] == "identity");
            let mut body = request.into_body();
            body.bytes().await.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
        })
        .post("/text", async |text: String| text)
        .layer(decompress(1000));
    run_outside(async {
        for Upload { section, codings, said, status, body } in UPLOADS {
            for path in ["/", "/text"] {
                let coded = codings.iter().fold(Body::from("hello"), |body, coding| encode(body, *coding));
                let response = ask(&router, request(Method::POST, path, said, coded)).await;
                let case = format!("{section}: {said:?} at {path}: {response:?}");
                assert_eq!(response.status(), *status, "{case}");
                let accept = if *status == 415 { "zstd, br, gzip, deflate" } else { "-" };
                assert_eq!(field(&response, "accept-encoding"), accept, "{case}");
                let text = body_of(response).await;
                assert!(String::from_utf8_lossy(&text).contains(body), "{case}: {text:?}");
            }
        }
    });
}

#[test]
fn an_upload_that_is_cut_off_or_grows_too_large_is_refused() {
    let router = Router::new().post("/", async |text: String| text.len().to_string()).layer(decompress(100_000));
    run_outside(async {
        for coding in Coding::ALL {
            let said = format!("content-encoding: {coding}");
            let coded = async |length: usize| encode(Body::from("x".repeat(length)), coding).bytes().await.unwrap();
            let post = async |body: bytes::Bytes| {
                let response = ask(&router, request(Method::POST, "/", &said, body)).await;
                (response.status().as_u16(), String::from_utf8(body_of(response).await.to_vec()).unwrap())
            };
            assert_eq!(post(coded(100_000).await).await, (200, "100000".into()));
            let (status, reason) = post(coded(100_001).await).await;
            assert_eq!((status, reason.contains("more than 100000 bytes")), (413, true), "{coding}: {reason}");
            let bomb = coded(20_000_000).await;
            assert!(bomb.len() < 30_000);
            assert_eq!(post(bomb).await.0, 413, "{coding}");
            let whole = coded(1000).await;
            let (status, reason) = post(whole.slice(..whole.len() - 1)).await;
            assert_eq!((status, reason.contains("ends in the midst")), (400, true), "{coding}: {reason}");
            let (status, _) = post([&whole[..], b"more"].concat().into()).await;
            assert_eq!(status, 400, "{coding}");
            assert_eq!(post(bytes::Bytes::new()).await, (200, "0".into()), "{coding}");
        }
    });
}
