//! Redirects: RFC 9110, 10.2.2 and 15.4.

use super::{SECOND, empty, field, serve, serve_seen};
use netio::http::{
    Body, HeaderValue, Method, Request, Response, StatusCode,
    client::{Client, ClientRequest, Error, Phase, RedirectFailure},
    header, reply,
};
use runtime::{time::Instant, world};
use std::sync::Mutex;
use tests::wire::{in_worlds, run};

/// A server: at `/start` it redirects as it is told, elsewhere it tells in one line what it saw: the method, the URI, the body,
/// and a letter for each field that came.
fn mirror(status: u16, location: Vec<u8>) -> String {
    serve(move |mut request| {
        let location = location.clone();
        async move {
            let body = request.body_mut().bytes().await.unwrap();
            if request.uri().path().ends_with("/start") {
                let mut response = empty(status, &[]);
                response.headers_mut().insert(header::LOCATION, HeaderValue::from_bytes(&location).unwrap());
                return response;
            }
            let mut response = Response::default();
            let text = format!("{} {} {}", request.method(), request.uri(), String::from_utf8_lossy(&body));
            response.headers_mut().insert("x-seen", format!("{text}|{}", letters(&request)).try_into().unwrap());
            response
        }
    })
}

fn letters(request: &Request) -> String {
    let fields = [
        ("authorization", 'A'),
        ("cookie", 'C'),
        ("proxy-authorization", 'P'),
        ("x-key", 'K'),
        ("x-plain", 'x'),
        ("content-type", 't'),
        ("content-language", 'l'),
        ("referer", 'R'),
    ];
    fields.iter().filter(|(name, _)| request.headers().contains_key(*name)).map(|(_, letter)| letter).collect()
}

/// A request with every field that is worth a thought.
fn request(method: &Method, url: &str, body: impl Into<Body>) -> ClientRequest {
    let body = body.into();
    let mut request = http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", "Basic eDp5")
        .header("cookie", "a=1")
        .header("proxy-authorization", "Basic eDp5")
        .header("x-plain", "1");
    let mut key = HeaderValue::from_static("secret");
    key.set_sensitive(true);
    request = request.header("x-key", key);
    if body.length() != Some(0) {
        request = request.header("content-type", "text/plain").header("content-language", "en");
    }
    request.body(body).unwrap()
}

fn seen(response: &netio::http::client::ClientResponse) -> &str {
    response.headers()["x-seen"].to_str().unwrap()
}

/// Thirty cases: six methods, five statuses. RFC 9110, 15.4.2 to 15.4.4, 15.4.8 and 15.4.9; for what becomes of a POST after a
/// 301 or 302, the notes there.
#[test]
fn the_method_and_the_body_are_as_the_status_says() {
    const TABLE: [(u16, [&str; 6]); 5] = [
        (301, ["GET", "HEAD", "GET", "PUT body", "DELETE", "PATCH body"]),
        (302, ["GET", "HEAD", "GET", "PUT body", "DELETE", "PATCH body"]),
        (303, ["GET", "HEAD", "GET", "GET", "GET", "GET"]),
        (307, ["GET", "HEAD", "POST body", "PUT body", "DELETE", "PATCH body"]),
        (308, ["GET", "HEAD", "POST body", "PUT body", "DELETE", "PATCH body"]),
    ];
    const METHODS: [(Method, &str); 6] = [
        (Method::GET, ""),
        (Method::HEAD, ""),
        (Method::POST, "body"),
        (Method::PUT, "body"),
        (Method::DELETE, ""),
        (Method::PATCH, "body"),
    ];
    run(async || {
        for (status, expected) in TABLE {
            let url = mirror(status, b"/there".to_vec());
            for ((method, body), expected) in METHODS.iter().zip(expected) {
                let request = request(method, &format!("{url}/start"), *body);
                let response = Client::new().execute(request).await.unwrap();
                let (name, sent) = expected.split_once(' ').unwrap_or((expected, ""));
                let fields = if sent.is_empty() { "ACKx" } else { "ACKxtl" };
                assert_eq!(seen(&response), format!("{name} /there {sent}|{fields}"), "{method} {status}");
                let [hop] = response.history() else { panic!("one redirect") };
                assert_eq!((&hop.method, hop.status.as_u16()), (method, status));
                assert_eq!((hop.url.path(), &hop.headers[header::LOCATION]), ("/start", &"/there".parse().unwrap()));
            }
        }
    });
}

/// RFC 9110, 10.2.2, and RFC 3986, 5. Where it goes, and with which fields: `{there}` is another port, so another origin.
#[test]
fn a_location_is_a_reference() {
    const ALL: &str = "ACKx";
    const TABLE: &[(&str, &str, &str)] = &[
        ("/to", "GET /to ", ALL),
        ("to", "GET /a/to ", ALL),
        ("./to", "GET /a/to ", ALL),
        ("../to", "GET /to ", ALL),
        ("../../to", "GET /to ", ALL),
        ("/a/./b/../c", "GET /a/c ", ALL),
        ("to?x=1&y=2", "GET /a/to?x=1&y=2 ", ALL),
        ("/to/?q", "GET /to/?q ", ALL),
        ("{here}/to", "GET /to ", ALL),
        ("{here}", "GET / ", ALL),
        ("{HERE}/to", "GET /to ", ALL),
        ("{here:no-scheme}/to", "GET /to ", ALL),
        ("  /to  ", "GET /to ", ALL),
        ("/a b", "GET /a%20b ", ALL),
        ("/\u{e9}?\u{e9}", "GET /%C3%A9?%C3%A9 ", ALL),
        ("/%C3%A9%2f", "GET /%C3%A9%2f ", ALL),
        ("\\to", "GET /to ", ALL),
        ("/to#part", "GET /to ", ALL),
        ("{there}/to", "GET /to ", "x"),
        ("{there:no-scheme}/to?q", "GET /to?q ", "x"),
        // Whoever is named there is not us.
        ("{here:user}/to", "GET /to ", ALL),
        ("{there:user}/to", "GET /to ", "x"),
    ];
    run(async || {
        let there = mirror(200, Vec::new());
        for (location, expected, fields) in TABLE {
            // The server has to know where it is before it can say so.
            let listener = netio::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let here = format!("http://{}", listener.local_addr().unwrap());
            drop(listener);
            let mut location = (*location).to_owned();
            for (name, url) in [("here", &here), ("there", &there)] {
                let host = url.strip_prefix("http:").unwrap();
                location = location.replace(&format!("{{{name}:no-scheme}}"), host);
                location = location.replace(&format!("{{{name}:user}}"), &url.replace("//", "//eve:x@"));
                location = location.replace(&format!("{{{}}}", name.to_uppercase()), &url.to_uppercase());
                location = location.replace(&format!("{{{name}}}"), url);
            }
            let start = mirror_at(&here, location.clone().into_bytes());
            let response = Client::new().execute(request(&Method::GET, &start, "")).await.unwrap();
            assert_eq!(seen(&response), format!("{expected}|{fields}"), "{location}");
        }
    });
}

/// [`mirror`] at an address that is known before.
fn mirror_at(here: &str, location: Vec<u8>) -> String {
    let address = here.strip_prefix("http://").unwrap();
    let server = netio::http::server::Server::bind(address).unwrap();
    let handler = move |request: Request| {
        let location = location.clone();
        async move {
            if request.uri().path() == "/a/start" {
                let mut response = empty(302, &[]);
                response.headers_mut().insert(header::LOCATION, HeaderValue::from_bytes(&location).unwrap());
                return response;
            }
            let mut response = Response::default();
            let text = format!("{} {} |{}", request.method(), request.uri(), letters(&request));
            response.headers_mut().insert("x-seen", text.try_into().unwrap());
            response
        }
    };
    drop(runtime::spawn(server.serve(handler)));
    format!("{here}/a/start")
}

/// RFC 9110, 10.2.2: a fragment is inherited, unless there is a new one. It is never sent.
#[test]
fn a_fragment_is_inherited() {
    run(async || {
        for (start, location, expected) in [
            ("/start", "/to", None),
            ("/start#one", "/to", Some("one")),
            ("/start#one", "/to#two", Some("two")),
            ("/start", "/to#two", Some("two")),
            ("/start#one", "/to#", Some("")),
        ] {
            let url = mirror(302, location.as_bytes().to_vec());
            let response = Client::new().get(format!("{url}{start}")).await.unwrap();
            assert_eq!(response.fragment(), expected, "{start} {location}");
            assert_eq!(response.url().to_string(), format!("{url}/to"));
            assert_eq!(seen(&response), "GET /to |");
        }
    });
}

/// RFC 9110, 15.4: these are not for us to follow.
#[test]
fn what_is_no_redirect_is_the_response() {
    run(async || {
        for status in [200, 201, 202, 300, 304, 305, 306, 399, 400, 404, 500] {
            let url = mirror(status, b"/there".to_vec());
            let response = Client::new().get(format!("{url}/start")).await.unwrap();
            assert_eq!((response.status().as_u16(), response.history().len()), (status, 0));
        }
        let (url, seen) = serve_seen(|_| empty(302, &[]));
        assert_eq!(Client::new().get(&url).await.unwrap().status(), 302, "there is no Location");
        assert_eq!(seen.count(), 1);
        let url = mirror(302, b"/there".to_vec());
        for off in [
            Client::builder().redirects(0).build().get(format!("{url}/start")),
            Client::new().get(format!("{url}/start")).redirects(0),
        ] {
            assert_eq!(off.await.unwrap().status(), 302);
        }
    });
}

#[test]
fn a_location_that_is_not_one_url_is_an_error() {
    run(async || {
        for (locations, to) in [
            (&["http://"][..], "http://"),
            (&["http://a b/"], "http://a b/"),
            (&["http://u:secret@host:x/"], "http://host:x/"),
            (&["mailto:user@host"], "mailto:user@host"),
            (&["javascript:alert(1)"], "javascript:alert(1)"),
            (&["/a", "/b"], "/a"),
            (&["/\u{ff}"], "/\u{ff}"),
        ] {
            let latin = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
            let url = serve(move |_| async move {
                let mut response = empty(301, &[]);
                for location in locations {
                    response.headers_mut().append(header::LOCATION, HeaderValue::from_bytes(&latin(location)).unwrap());
                }
                response
            });
            let error = Client::new().get(&url).await.unwrap_err();
            let Error::Redirect { location, reason: RedirectFailure::Location, .. } = &error else {
                panic!("{locations:?}: {error}")
            };
            assert_eq!(*location, to.replace('\u{ff}', "\u{fffd}"), "{locations:?}");
            let expected = format!("{url}/: cannot follow the redirect to {location}: that is not one URL");
            assert_eq!(error.to_string(), expected);
            assert_eq!((error.url(), error.phase()), (&*format!("{url}/"), None));
        }
        // One Location twice is one.
        let (url, _) = serve_seen(|request| match request.uri().path() {
            "/" => empty(301, &[("location", "/a"), ("location", "/a")]),
            _ => Response::new("there".into()),
        });
        assert_eq!(Client::new().get(url).await.unwrap().text().await.unwrap(), "there");
        // A URL that we cannot fetch is an error of its own, about that URL.
        for (to, reason) in [("https://host/x", "the scheme is not http"), ("ftp://host/", "the scheme is not http")] {
            let url = mirror(302, to.as_bytes().to_vec());
            let error = Client::new().get(format!("{url}/start")).await.unwrap_err();
            assert_eq!(error.to_string(), format!("{to}: not a URL to fetch: {reason}"));
        }
    });
}

#[test]
fn a_loop_ends_at_the_limit_and_the_error_tells_the_way() {
    run(async || {
        let (url, seen) = serve_seen(|request| match request.uri().path() {
            "/a" => empty(302, &[("location", "b")]),
            _ => empty(307, &[("location", "a")]),
        });
        for (most, client) in [(10, Client::new()), (3, Client::builder().redirects(3).build())] {
            let error = client.get(format!("{url}/a")).await.unwrap_err();
            let Error::Redirect { url: last, location, reason, history } = &error else { panic!("{error}") };
            assert_eq!(*reason, RedirectFailure::TooMany(most));
            assert_eq!((history.len(), seen.take().len()), (most as usize, most as usize + 1));
            let way: Vec<_> = history.iter().take(3).map(|hop| (hop.url.path(), hop.status.as_u16())).collect();
            assert_eq!(way, [("/a", 302), ("/b", 307), ("/a", 302)]);
            let (at, to) = if most == 10 { ("a", "b") } else { ("b", "a") };
            assert_eq!((&**last, &**location), (&*format!("{url}/{at}"), to));
        }
        // Exactly as many as are allowed are.
        let url = mirror(302, b"/there".to_vec());
        let response = Client::builder().redirects(1).build().get(format!("{url}/start")).await.unwrap();
        assert_eq!(response.history().len(), 1);
    });
}

/// RFC 9110, 15.4.8: the body is sent again, and a stream is used up.
#[test]
fn a_stream_is_not_sent_twice() {
    run(async || {
        let stream = || Body::stream(futures_lite::stream::iter([Ok("body".into())]));
        for status in [307, 308] {
            let url = mirror(status, b"/there".to_vec());
            let error = Client::new().post(format!("{url}/start")).body(stream()).await.unwrap_err();
            assert!(matches!(error, Error::Redirect { reason: RedirectFailure::Body, .. }), "{error}");
            let whole = Client::new().post(format!("{url}/start")).body("body").await.unwrap();
            assert_eq!(seen(&whole), "POST /there body|");
        }
        for status in [301, 302, 303] {
            let url = mirror(status, b"/there".to_vec());
            let response = Client::new().post(format!("{url}/start")).body(stream()).await.unwrap();
            assert_eq!(seen(&response), "GET /there |");
        }
    });
}

/// What one server may know, the next may not, though the way leads back: RFC 9110, 15.4 and 17.
#[test]
fn secrets_do_not_come_back() {
    run(async || {
        let elsewhere = std::sync::Arc::new(Mutex::new(String::new()));
        let to = elsewhere.clone();
        let (here, seen_here) = serve_seen(move |request| match request.uri().path() {
            "/start" => empty(302, &[("location", &to.lock().unwrap())]),
            _ => Response::new("home".into()),
        });
        let back = format!("{here}/home");
        let (there, seen_there) = serve_seen(move |_| empty(302, &[("location", &back)]));
        *elsewhere.lock().unwrap() = there.clone();
        let mut request = request(&Method::GET, &format!("{here}/start"), "");
        request.headers_mut().insert(header::HOST, "virtual.example".parse().unwrap());
        let response = Client::new().execute(request).await.unwrap();
        assert_eq!(response.history().len(), 2);
        let first_and_last: Vec<_> = seen_here.take().iter().map(|r| (letters(r), field(r, "host"))).collect();
        let host = here.strip_prefix("http://").unwrap().to_owned();
        assert_eq!(first_and_last, [("ACKx".into(), "virtual.example".into()), ("x".into(), host)]);
        let other = seen_there.last();
        assert_eq!((letters(&other), field(&other, "host")), ("x".into(), there.replace("http://", "")));
    });
}

/// With a base URL, all default fields are for one server.
#[test]
fn the_fields_of_a_base_url_are_for_its_origin() {
    run(async || {
        let (there, seen_there) = serve_seen(|_| Response::new("there".into()));
        let to = there.clone();
        let (here, seen_here) = serve_seen(move |_| empty(302, &[("location", &to)]));
        let headers = [("x-api-key", "k"), ("x-many", "1")].map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()));
        let builder = || Client::builder().default_headers(headers.clone().into_iter().collect());
        let based = builder().base_url(&here).unwrap().build();
        let name = concat!("handloom/", env!("CARGO_PKG_VERSION"));
        for url in ["/start", &there] {
            based.get(url).await.unwrap();
            let other = seen_there.last();
            assert_eq!((field(&other, "x-api-key"), field(&other, "user-agent")), (String::new(), name.into()));
        }
        assert_eq!(seen_here.last_field("x-api-key"), "k");
        // Without one, they go where the request goes, and on the way of any other field.
        builder().build().get(&there).await.unwrap();
        assert_eq!(seen_there.last_field("x-api-key"), "k");
    });
}

/// One connection carries all of it, if the servers are one, and the redirect's own body is small.
#[test]
fn the_connection_of_a_redirect_is_used_again() {
    run(async || {
        for (length, same) in [(0, true), (1000, true), (1_000_000, false)] {
            let (url, seen) = serve_seen(move |request| match request.uri().path() {
                "/" => {
                    let mut response = reply(StatusCode::FOUND, "text/plain", vec![b'x'; length]);
                    response.headers_mut().insert(header::LOCATION, "/to".parse().unwrap());
                    response
                }
                _ => Response::new("there".into()),
            });
            let text = Client::builder().decompress(false).build().get(&url).await.unwrap().text().await.unwrap();
            assert_eq!(text, "there");
            let peers: Vec<_> = seen.take().iter().map(|request| request.peer().unwrap()).collect();
            assert_eq!(peers[0] == peers[1], same, "{length} bytes");
        }
    });
}

/// A server that never ends the body of its redirect does not keep us.
#[test]
fn a_redirect_is_followed_before_its_body_is_over() {
    run(async || {
        let (url, _) = serve_seen(|request| match request.uri().path() {
            "/" => {
                let mut response = Response::new(Body::stream(futures_lite::stream::pending()));
                *response.status_mut() = StatusCode::FOUND;
                response.headers_mut().insert(header::LOCATION, "/to".parse().unwrap());
                response
            }
            _ => Response::new("there".into()),
        });
        let start = Instant::now();
        assert_eq!(Client::new().get(&url).await.unwrap().text().await.unwrap(), "there");
        assert!(start.elapsed() < SECOND);
    });
}

#[test]
fn one_deadline_covers_the_whole_way() {
    run(async || {
        let url = serve(|request: Request| async move {
            runtime::time::sleep(2 * SECOND).await;
            let step: u32 = request.uri().path()[1..].parse().unwrap();
            empty(302, &[("location", &format!("/{}", step + 1))])
        });
        let start = Instant::now();
        let client = Client::builder().timeout(5 * SECOND).build();
        let error = client.get(format!("{url}/0")).await.unwrap_err();
        assert_eq!(start.elapsed(), 5 * SECOND);
        assert_eq!((error.url(), error.phase()), (&*format!("{url}/2"), Some(Phase::Head)));
        assert!(matches!(error, Error::Timeout { limit, .. } if limit == 5 * SECOND), "{error}");

        let start = Instant::now();
        let error = client.get(format!("{url}/0")).timeout(3 * SECOND).await.unwrap_err();
        assert_eq!(start.elapsed(), 3 * SECOND);
        assert!(matches!(error, Error::Timeout { limit, .. } if limit == 3 * SECOND), "{error}");
    });
}

/// By names: what differs in scheme, host or port is another origin, and nothing else is.
#[test]
fn an_origin_is_scheme_host_and_port() {
    in_worlds(async || {
        let world = world::current().unwrap();
        for (name, address) in [("a.example", "192.0.2.1"), ("b.a.example", "192.0.2.1")] {
            world.set_name(name, [address.parse().unwrap()]);
        }
        for (location, fields) in [
            ("http://a.example/to", "ACKx"),
            ("http://a.example:80/to", "ACKx"),
            ("http://A.EXAMPLE/to", "ACKx"),
            ("http://a.example:8080/to", "x"),
            ("http://b.a.example/to", "x"),
            ("http://a.example./to", "x"),
            ("http://192.0.2.1/to", "x"),
        ] {
            world.set_name("a.example.", ["192.0.2.1".parse().unwrap()]);
            let handler = |location: &'static str| {
                move |request: Request| async move {
                    if request.uri().path() == "/start" {
                        return empty(302, &[("location", location)]);
                    }
                    Response::new(letters(&request).into())
                }
            };
            let servers: Vec<_> = [80, 8080]
                .map(|port| netio::http::server::Server::bind(format!("192.0.2.1:{port}")).unwrap())
                .map(|server| runtime::spawn(server.serve(handler(location))))
                .into();
            let request = request(&Method::GET, "http://a.example/start", "");
            let text = Client::new().execute(request).await.unwrap().text().await.unwrap();
            assert_eq!(text, fields, "{location}");
            for server in servers {
                server.abort();
                let _ = server.await;
            }
        }
    });
}
