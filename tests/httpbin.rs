//! The local test server does what `GET /` says that it does, and refuses what it cannot.

use examples::httpbin::TestServer;
use netio::http::{Method, StatusCode, client::Client};
use runtime::{Runtime, time::Instant};
use serde_json::{Value, json};

/// One exchange: the status, the fields, the body.
async fn ask(server: &TestServer, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Client::new().request(Method::from_bytes(method.as_bytes()).unwrap(), server.url() + path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let response =
        request.redirects(0).body(body.to_owned()).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

struct Answer {
    status: StatusCode,
    headers: netio::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a document")
    }

    fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn with_server(test: impl AsyncFnOnce(&TestServer)) {
    Runtime::simulated(1).block_on(async {
        let server = TestServer::start().await;
        test(&server).await;
    });
}

/// What there is, and how it answers.
const EVERY: &[(&str, &str, u16)] = &[
    ("GET", "/get", 200),
    ("POST", "/post", 200),
    ("PUT", "/put", 200),
    ("PATCH", "/patch", 200),
    ("DELETE", "/delete", 200),
    ("BREW", "/anything", 200),
    ("BREW", "/anything/goes/here", 200),
    ("GET", "/headers", 200),
    ("GET", "/user-agent", 200),
    ("GET", "/json", 200),
    ("GET", "/null", 200),
    ("GET", "/not-json", 200),
    ("GET", "/cookies", 200),
    ("GET", "/cookies/set?name=value", 302),
    ("GET", "/cookies/delete?name", 302),
    ("GET", "/delay/0.5", 200),
    ("GET", "/status/418", 418),
    ("GET", "/bytes/3", 200),
    ("GET", "/image/3.jpg", 200),
    ("GET", "/stream/3", 200),
    ("GET", "/drip", 200),
    ("POST", "/count", 200),
    ("GET", "/redirect/3", 302),
    ("GET", "/absolute-redirect/3", 302),
    ("GET", "/redirect-to?url=/get&status=308", 308),
    ("GET", "/flaky/1", 503),
    ("GET", "/basic-auth", 401),
    ("GET", "/bearer", 401),
    ("GET", "/etag/a", 200),
    ("GET", "/gzip", 200),
    ("GET", "/deflate", 200),
];

/// They do not answer as servers should: see `it_fails_as_it_is_asked_to`.
const BROKEN: [&str; 4] = ["/hang", "/reset", "/bad-chunk", "/short/"];

#[test]
fn every_path_of_the_index_is_there() {
    with_server(async |server| {
        for (method, path, status) in EVERY {
            assert_eq!(ask(server, method, path, &[], "").await.status, *status, "{method} {path}");
        }
        let index = String::from_utf8(ask(server, "GET", "/", &[], "").await.body).unwrap();
        for path in index.split_whitespace().filter(|word| word.starts_with('/')) {
            let start = path.split(['{', '?', ',', ';']).next().unwrap();
            let there = EVERY.iter().any(|(_, path, _)| path.starts_with(start)) || BROKEN.contains(&start);
            assert!(there, "{path} is not tested");
        }
    });
}

#[test]
fn what_is_out_of_range_is_a_400_and_never_a_panic() {
    with_server(async |server| {
        for path in [
            "/status/abc",
            "/status/99",
            "/status/600",
            "/status/100",
            "/delay/-1",
            "/delay/1e9",
            "/delay/NaN",
            "/delay/inf",
            "/bytes/-1",
            "/bytes/10485761",
            "/bytes/18446744073709551616",
            "/stream/1001",
            "/redirect/0",
            "/redirect/21",
            "/absolute-redirect/x",
            "/flaky/-1",
            "/flaky/1?after=61",
            "/drip?bytes=0",
            "/drip?seconds=NaN",
            "/drip?speed=1",
            "/short/1",
            "/redirect-to",
            "/redirect-to?url=/get&status=200",
            "/image/x.jpg",
        ] {
            assert_eq!(ask(server, "GET", path, &[], "").await.status, 400, "{path}");
        }
        for path in ["/nope", "/delay", "/delay/", "/delay/1/2", "/status/"] {
            assert_eq!(ask(server, "GET", path, &[], "").await.status, 404, "{path}");
        }
        let answer = ask(server, "POST", "/get", &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.field("allow")), (405, "GET, HEAD, OPTIONS"));
        assert_eq!(ask(server, "POST", "/post", &[], &"x".repeat(1024 * 1024 + 1)).await.status, 413);
    });
}

#[test]
fn a_request_is_shown_as_it_came() {
    with_server(async |server| {
        let form = [("content-type", "application/x-www-form-urlencoded"), ("x-mine", "1")];
        let shown = ask(server, "PUT", "/anything/here?a=1&b=%E5%BC%A0", &form, "c=d+e").await.json();
        assert_eq!(shown["method"], "PUT");
        assert_eq!(shown["args"], json!({ "a": "1", "b": "张" }));
        assert_eq!((&shown["data"], &shown["form"]), (&json!("c=d+e"), &json!({ "c": "d e" })));
        assert_eq!(shown["headers"]["x-mine"], "1");
        assert_eq!(shown["url"], format!("{}/anything/here?a=1&b=%E5%BC%A0", server.url()));
        assert_eq!(shown["origin"], "127.0.0.1");
        assert_eq!(ask(server, "POST", "/post", &[], "[1, 2]").await.json()["json"], json!([1, 2]));
        assert_eq!(ask(server, "POST", "/count", &[], "12345").await.json()["bytes"], 5);
    });
}

#[test]
fn who_may_and_who_has_it_already() {
    with_server(async |server| {
        for (path, fields, status) in [
            ("/basic-auth", ("authorization", "Basic dXNlcjpwYXNzd2Q="), 200),
            ("/basic-auth", ("authorization", "Basic dXNlcjpwYXNzd29yZA=="), 401),
            ("/bearer", ("authorization", "Bearer abc"), 200),
            ("/bearer", ("authorization", "bearer abc"), 401),
            ("/etag/a", ("if-none-match", "\"b\""), 200),
            ("/etag/a", ("if-none-match", "\"b\", \"a\""), 304),
            ("/etag/a", ("if-match", "\"b\""), 412),
            ("/etag/a", ("if-match", "*"), 200),
        ] {
            assert_eq!(ask(server, "GET", path, &[fields], "").await.status, status, "{path} {fields:?}");
        }
        assert_eq!(ask(server, "GET", "/etag/a", &[], "").await.field("etag"), "\"a\"");
        assert_eq!(ask(server, "GET", "/cookies", &[("cookie", "a=1; b=2")], "").await.json()["cookies"]["b"], "2");
    });
}

#[test]
fn it_fails_as_it_is_asked_to() {
    with_server(async |server| {
        for status in [503, 503, 200, 503] {
            assert_eq!(ask(server, "GET", "/flaky/2", &[], "").await.status, status);
        }
        assert_eq!(ask(server, "GET", "/flaky/1?after=2", &[], "").await.field("retry-after"), "2");
        let start = Instant::now();
        assert_eq!(ask(server, "GET", "/drip?bytes=4&seconds=2", &[], "").await.body, b"****");
        assert_eq!(start.elapsed().as_secs(), 2);
        for path in ["/bad-chunk", "/short/10"] {
            let mut response = Client::new().get(server.url() + path).await.unwrap();
            assert!(response.chunk().await.unwrap().is_some(), "{path}: the first half");
            assert!(response.chunk().await.is_err(), "{path}: and no second");
        }
        assert!(Client::new().get(server.url() + "/reset").await.is_err());
        let second = std::time::Duration::from_secs(1);
        let hanging = Client::builder().timeout(second).build().get(server.url() + "/hang").await;
        assert!(matches!(hanging, Err(netio::http::client::Error::Timeout { .. })));
    });
}

#[test]
fn it_knows_what_it_has_seen() {
    with_server(async |server| {
        let client = Client::new();
        let slow = || async { client.get(server.url() + "/delay/1").await.unwrap().bytes().await.unwrap() };
        runtime::future::join_all([slow(), slow(), slow()]).await;
        slow().await;
        let seen = server.seen();
        assert_eq!((seen.requests, seen.most_at_once, seen.connections), (4, 3, 3));
        assert!(seen.arrivals[3] - seen.arrivals[0] >= std::time::Duration::from_secs(1));
        server.forget();
        assert_eq!(server.seen().requests, 0);
    });
}
