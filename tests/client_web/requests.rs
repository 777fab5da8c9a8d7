//! Requests that are put together, and what a client says with each.

use super::{SECOND, field, serve_seen};
use netio::http::{
    Body, HeaderMap, HeaderValue, Method, Request, Response,
    client::{Client, Error},
    multipart::{Form, FormPart},
};
use runtime::time::Instant;
use serde::Serialize;
use serde_json::json;
use tests::wire::run;

#[test]
fn each_method_has_its_name() {
    run(async || {
        let (url, seen) = serve_seen(|_| Response::default());
        let client = Client::new();
        for (request, method) in [
            (client.get(&url), "GET"),
            (client.post(&url), "POST"),
            (client.put(&url), "PUT"),
            (client.patch(&url), "PATCH"),
            (client.delete(&url), "DELETE"),
            (client.head(&url), "HEAD"),
            (client.options(&url), "OPTIONS"),
            (client.request("PROPFIND".parse::<Method>().unwrap(), &url), "PROPFIND"),
        ] {
            request.await.unwrap();
            assert_eq!(seen.last().method(), method);
        }
    });
}

#[derive(Serialize)]
struct Search {
    q: &'static str,
    tags: Vec<u8>,
    page: Option<u32>,
    exact: bool,
}

/// RFC 3986, 3.4, and the form encoding of the URL standard, 5.2.
#[test]
fn a_query_is_appended_and_encoded() {
    let search = Search { q: "a&b=c #\u{e9}+", tags: vec![1, 2], page: None, exact: true };
    let struct_text = "q=a%26b%3Dc+%23%C3%A9%2B&tags=1&tags=2&exact=true";
    let build =
        |url: &str, add: &dyn Fn(netio::http::client::RequestBuilder) -> netio::http::client::RequestBuilder| {
            add(Client::new().get(url)).build().unwrap().uri().to_string()
        };
    assert_eq!(build("http://h/", &|r| r.query(&search)), format!("http://h/?{struct_text}"));
    assert_eq!(build("http://h/?x=1", &|r| r.query(&search)), format!("http://h/?x=1&{struct_text}"));
    assert_eq!(build("http://h/?x=1#f", &|r| r.query(&[("y", "2")]).query(&[("y", "3")])), "http://h/?x=1&y=2&y=3");
    assert_eq!(build("http://h?", &|r| r.query(&[("y", 2)])), "http://h/?y=2");
    assert_eq!(build("http://h/", &|r| r.query(&[("", ""); 0])), "http://h/");
    let error = Client::new().get("http://u:p@h/").query(&7).build().unwrap_err();
    assert!(matches!(error, Error::Request { .. }) && error.to_string().starts_with("http://h/: no request to send: "));
}

#[test]
fn a_body_says_what_it_is() {
    run(async || {
        let (url, seen) = serve_seen(|_| Response::default());
        let client = Client::new();
        let post = || client.post(&url);
        for (request, kind, text) in [
            (post().json(&json!({ "a": [1, null] })), "application/json", "{\"a\":[1,null]}"),
            (
                post().form(&[("a", "1 & 2"), ("b", "\u{e9}")]),
                "application/x-www-form-urlencoded",
                "a=1+%26+2&b=%C3%A9",
            ),
            (post().header("content-type", "application/vnd.x+json").json(&1), "application/vnd.x+json", "1"),
            (post().body("text"), "", "text"),
            (post().body(Body::stream(futures_lite::stream::iter([Ok("a".into()), Ok("b".into())]))), "", "ab"),
        ] {
            let mut request = request.build().unwrap();
            let sent = request.body_mut().bytes().await.unwrap();
            client.execute(request).await.unwrap();
            assert_eq!((seen.last_field("content-type").as_str(), &sent[..]), (kind, text.as_bytes()));
        }
        let form = Form::with_boundary("xyz").text("a", "1").part("f", FormPart::new("data").file_name("f.txt"));
        let mut request = client.post(&url).multipart(form).build().unwrap();
        assert_eq!(request.headers()["content-type"], "multipart/form-data; boundary=\"xyz\"");
        let body = String::from_utf8(request.body_mut().bytes().await.unwrap().to_vec()).unwrap();
        assert!(
            body.starts_with("--xyz\r\n") && body.contains("filename=\"f.txt\"") && body.ends_with("--xyz--\r\n"),
            "{body}"
        );
        struct Never;
        impl Serialize for Never {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        let error = client.post(&url).json(&Never).header("a", "1").await.unwrap_err();
        assert_eq!(error.to_string(), format!("{url}/: no request to send: not today"));
    });
}

#[test]
fn the_first_mistake_counts_and_nothing_is_sent() {
    run(async || {
        let (url, seen) = serve_seen(|_| Response::default());
        let get = || Client::new().get(&url);
        for (request, reason) in [
            (get().header("a b", "1"), "invalid HTTP header name"),
            (get().header("a", "1\r\nx: y").header("b c", "1"), "failed to parse header value"),
            (get().basic_auth("us:er", "x"), "a user's name for basic authentication has no colon"),
            (get().bearer_auth(""), "a bearer token is visible characters without spaces"),
        ] {
            let error = request.await.unwrap_err();
            assert_eq!(error.to_string(), format!("{url}/: no request to send: {reason}"));
        }
        let error = Client::new().get("/x").header("a b", "1").await.unwrap_err();
        assert!(matches!(error, Error::Url { .. }), "{error}");
        assert_eq!(seen.count(), 0);
    });
}

/// RFC 7617 and RFC 6750; of several words on who we are, the one that was said first hand counts.
#[test]
fn who_asks_is_said_once() {
    run(async || {
        let (url, seen) = serve_seen(|_| Response::default());
        let with_user = url.replace("http://", "http://in:url@");
        let headers =
            HeaderMap::from_iter([("authorization".parse().unwrap(), HeaderValue::from_static("Basic default"))]);
        let client = Client::builder().default_headers(headers).build();
        for (request, expected) in [
            (client.get(&url), "Basic default"),
            (client.get(&with_user), "Basic aW46dXJs"),
            (client.get(&with_user).basic_auth("a", "b"), "Basic YTpi"),
            (client.get(&url).bearer_auth("t0k.en"), "Bearer t0k.en"),
            (client.get(&url).basic_auth("a", "b").bearer_auth("t"), "Bearer t"),
        ] {
            assert!(!format!("{request:?}").contains("url@"));
            request.await.unwrap();
            assert_eq!(seen.last_field("authorization"), expected);
        }
        // A request from elsewhere may name a user, too.
        client.execute(http::Request::get(&with_user).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(seen.last_field("authorization"), "Basic aW46dXJs");
    });
}

#[test]
fn a_client_has_fields_and_a_base() {
    run(async || {
        let (url, seen) = serve_seen(|_| Response::default());
        let many =
            [("x-a", "1"), ("x-a", "2"), ("x-b", "3")].map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v)));
        let client = Client::builder()
            .base_url(format!("{url}/v1/"))
            .unwrap()
            .default_headers(HeaderMap::from_iter(many))
            .user_agent(HeaderValue::from_static("program/7"))
            .build();
        for (reference, target) in [
            ("users", "/v1/users"),
            ("/users", "/users"),
            ("../users", "/users"),
            ("?page=2", "/v1/?page=2"),
            ("", "/v1/"),
        ] {
            client.get(reference).header("x-b", "own").await.unwrap();
            let request: Request = seen.last();
            assert_eq!(request.uri(), target, "{reference:?}");
            let fields = ["x-a", "x-b", "user-agent"].map(|name| field(&request, name));
            assert_eq!(fields, ["1, 2".to_owned(), "own".to_owned(), "program/7".to_owned()]);
        }
        assert!(matches!(Client::builder().base_url("no url").unwrap_err(), Error::Url { .. }));
    });
}

#[test]
fn a_request_has_its_own_time() {
    run(async || {
        let url = super::serve(|_| async { std::future::pending().await });
        let start = Instant::now();
        let error = Client::builder().timeout(20 * SECOND).build().get(&url).timeout(2 * SECOND).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        assert_eq!(start.elapsed(), 2 * SECOND);
    });
}
