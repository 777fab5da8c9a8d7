//! What the answers look like: RFC 9112, 6; RFC 9110, 6.4, 6.6.1, 8.6 and 15.

use super::case::{Case, line, raw};
use netio::http::{Body, HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, reply};

/// The answers of the handler, by path; elsewhere it says what it was asked.
pub(super) fn answer(path: &str, asked: String) -> Response {
    let plain = |status| reply(status, "text/plain", "not to be seen");
    match path {
        "/204" => plain(StatusCode::NO_CONTENT),
        "/205" => reply(StatusCode::RESET_CONTENT, "text/plain", ""),
        "/304" => plain(StatusCode::NOT_MODIFIED),
        "/100" => plain(StatusCode::CONTINUE),
        "/101" => plain(StatusCode::SWITCHING_PROTOCOLS),
        "/404" => reply(StatusCode::NOT_FOUND, "text/plain", "no such page"),
        "/599" => reply(StatusCode::from_u16(599).unwrap(), "text/plain", ""),
        "/stream" => Response::new(Body::writer(async |mut body| {
            body.write("str").await?;
            body.write("eamed").await
        })),
        "/trailers" => Response::new(with_trailer(Body::writer(async |mut body| body.write("streamed").await))),
        "/counted-trailers" => {
            let body = Body::writer(async |mut body| body.write("counted").await).with_length(7);
            Response::new(with_trailer(body))
        }
        "/whole-trailers" => Response::new(with_trailer("whole".into())),
        "/empty-stream" => Response::new(Body::writer(async |_| Ok(()))),
        "/counted" => Response::new(Body::writer(async |mut body| body.write("counted").await).with_length(7)),
        "/close" => with(header::CONNECTION, "Close"),
        "/stay" => with(header::CONNECTION, "keep-alive"),
        "/length" => with(header::CONTENT_LENGTH, "99"),
        "/coding" => with(header::TRANSFER_ENCODING, "chunked"),
        "/date" => with(header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
        "/large" => Response::new("x".repeat(20_000).into()),
        _ => Response::new(asked.into()),
    }
}

fn with(name: header::HeaderName, value: &'static str) -> Response {
    let mut response = reply(StatusCode::OK, "text/plain", "hello");
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

fn with_trailer(body: Body) -> Body {
    let name = HeaderName::from_static("x-sum");
    body.with_trailers([name.clone()], || HeaderMap::from_iter([(name, HeaderValue::from_static("7"))]))
}

pub(super) fn cases() -> Vec<Case> {
    let get = |name: &str, section, path: &str| {
        line(name, section, &format!("GET {path} HTTP/1.1")).serves([&*format!("GET {path} a")])
    };
    let head = |name: &str, path: &str| {
        line(name, "9110 9.3.2", &format!("HEAD {path} HTTP/1.1")).serves([&*format!("HEAD {path} a")])
    };
    let old = |name: &str, section, path: &str| {
        raw(name, section, format!("GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
            .serves([&*format!("GET {path} -")])
    };
    let trailers = |name: &str, section, path: &str, te: &str| {
        line(name, section, &format!("GET {path} HTTP/1.1\r\nConnection: TE\r\n{te}"))
            .serves([&*format!("GET {path} a")])
            .says_not("x-sum: 7")
    };
    vec![
        trailers("trailers are announced to whoever takes them", "9110 6.6.2", "/trailers", "TE: trailers")
            .says("\r\ntrailer: x-sum\r\n"),
        trailers("trailers among codings", "9110 10.1.4", "/trailers", "TE: deflate;q=0.5, Trailers")
            .says("\r\ntrailer: x-sum\r\n"),
        trailers("trailers in the second field", "9110 10.1.4", "/trailers", "TE: deflate\r\nTE: trailers")
            .says("\r\ntrailer: x-sum\r\n"),
        trailers("no trailers for whoever takes none", "9110 6.5.1", "/trailers", "TE: deflate").says_not("x-sum"),
        trailers("no trailers for an empty TE", "9110 10.1.4", "/trailers", "TE:").says_not("x-sum"),
        trailers("trailers behind a stream of known length", "9112 6.5", "/counted-trailers", "TE: trailers")
            .says("content-length: 7")
            .says_not("x-sum"),
        trailers("trailers behind a body that is there", "9112 6.5", "/whole-trailers", "TE: trailers")
            .says("content-length: 5")
            .says_not("x-sum"),
        line("no trailers in the answer to a HEAD", "9110 9.3.2", "HEAD /trailers HTTP/1.1\r\nTE: trailers")
            .serves(["HEAD /trailers a"])
            .says_not("x-sum"),
        raw("no trailers for HTTP/1.0", "9112 7.1", "GET /trailers HTTP/1.0\r\nTE: trailers\r\n\r\n")
            .serves(["GET /trailers -"])
            .closes()
            .says_not("x-sum"),
        get("early hints", "8297 2", "/interim/103").answers([103, 200]).says("link: </style.css>; rel=preload"),
        get("processing, twice, and then hints", "9110 15.2", "/interim/102/102/103").answers([102, 102, 103, 200]),
        get("an interim status that nobody knows", "9110 15.2", "/interim/199").answers([199, 200]),
        raw("hints while the body is still to come", "9110 15.2", "POST /interim/103 HTTP/1.1\r\nHost: a\r\n")
            .sends("Content-Length: 2\r\n\r\nhi")
            .serves(["POST /interim/103 a hi"])
            .answers([103, 200]),
        line("hints before the answer to a HEAD", "9110 15.2", "HEAD /interim/103 HTTP/1.1")
            .serves(["HEAD /interim/103 a"])
            .answers([103, 200]),
        old("no interim status in HTTP/1.0", "9110 15.2", "/interim/103").says_not("103"),
        raw("hints, each before its own answer", "9112 9.3.2", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .sends("GET /interim/103 HTTP/1.1\r\nHost: a\r\n\r\nGET /404 HTTP/1.1\r\nHost: a\r\n\r\n")
            .serves(["GET / a", "GET /interim/103 a", "GET /404 a"])
            .answers([200, 103, 200, 404]),
        get("a body has its length", "9112 6.2", "/").says("content-length: 8"),
        get("the version is ours, not the asker's", "9110 6.2", "/").says("http/1.1 200 ok"),
        old("an answer to HTTP/1.0 is one in HTTP/1.1", "9110 6.2", "/").says("http/1.1 200 ok"),
        get("an answer bears its date", "9110 6.6.1", "/").says("date: sun, 09 sep 2001 "),
        get("a date of the handler's is left alone", "9110 6.6.1", "/date").says("sun, 06 nov 1994"),
        get("a stream goes out in chunks", "9112 7.1", "/stream")
            .says("transfer-encoding: chunked")
            .says_not("content-length"),
        get("an empty stream has its last chunk", "9112 7.1", "/empty-stream").says("transfer-encoding: chunked"),
        get("a stream of known length is not cut in chunks", "9112 6.2", "/counted")
            .says("content-length: 7")
            .says_not("chunked"),
        get("a large body", "9112 6.2", "/large").says("content-length: 20000"),
        old("a stream to HTTP/1.0 ends with the connection", "9112 6.1", "/stream")
            .closes()
            .says_not("chunked")
            .says_not("content-length"),
        old("a stream of known length to HTTP/1.0 does not", "9112 6.2", "/counted").says("content-length: 7"),
        get("204 has no body and no length", "9110 15.3.5", "/204").answers([204]).says_not("content-length"),
        get("205 has an empty body", "9110 15.3.6", "/205").answers([205]).says("content-length: 0"),
        get("304 has no body", "9110 15.4.5", "/304").answers([304]),
        get("any status of three digits", "9110 15", "/599").answers([599]),
        get("a refusal by the handler keeps the connection", "9110 15.5", "/404").answers([404]),
        get("the handler closes", "9112 9.6", "/close").closes(),
        get("the handler need not say that it stays", "9112 9.3", "/stay"),
        get("a length of the handler's is not believed", "9112 6.3", "/length").says("content-length: 5"),
        get("a coding of the handler's is not believed", "9112 6.1", "/coding")
            .says("content-length: 5")
            .says_not("chunked"),
        line("a handler that gives an interim status", "9110 15.2", "GET /100 HTTP/1.1")
            .serves(["GET /100 a"])
            .answers([])
            .refused(500),
        line("a handler that would switch without having been asked", "9110 15.2.2", "GET /101 HTTP/1.1")
            .serves(["GET /101 a"])
            .answers([])
            .refused(500),
        head("HEAD gets the head of GET", "/").says("content-length: 9"),
        head("HEAD of a large body", "/large").says("content-length: 20000"),
        head("HEAD of a stream", "/stream").says_not("content-length"),
        head("HEAD of a stream of known length", "/counted").says("content-length: 7"),
        head("HEAD of nothing", "/204").answers([204]),
        head("HEAD of what has not changed", "/304").answers([304]),
        head("HEAD of what is not there", "/404").answers([404]).says("content-length: 12"),
        raw("HEAD to HTTP/1.0", "9110 9.3.2", "HEAD /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .serves(["HEAD /stream -"]),
    ]
}
