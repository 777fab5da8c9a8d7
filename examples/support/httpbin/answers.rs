//! What the test server answers. A number that is none, or is out of its range, is a 400; nothing here panics.

use bytes::Bytes;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use netio::http::{
    Body, HeaderMap, HeaderValue, Request, Response, StatusCode, header, reply,
    server::{BodyRejection, Cookies, Disconnect, Form, FromRequest, IntoResponse, Path, Query, State},
};
use runtime::time::sleep;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    future::pending,
    io::{self, Write},
    ops::RangeInclusive,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

const MOST_BYTES: usize = 10 * 1024 * 1024;
const LONGEST: f64 = 60.0;

/// The names and values of a query.
type Pairs = Query<BTreeMap<String, String>>;

/// An answer, or what is wrong with the question.
type Answer<T = Response> = Result<T, OutOfRange>;

pub(super) struct OutOfRange;

impl IntoResponse for OutOfRange {
    fn into_response(self) -> Response {
        text(StatusCode::BAD_REQUEST, "the path asks for too much or too little; see GET /\n")
    }
}

/// A number within its range: no `NaN`, no sign where there is none, nothing that overflows.
fn number<T: FromStr + PartialOrd>(text: &str, range: RangeInclusive<T>) -> Answer<T> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or(OutOfRange)
}

fn text(status: StatusCode, body: impl Into<Body>) -> Response {
    reply(status, "text/plain; charset=utf-8", body)
}

pub(super) fn document(value: &Value) -> Response {
    reply(StatusCode::OK, "application/json", format!("{value:#}\n"))
}

pub(super) fn slides() -> Value {
    json!({ "slideshow": {
        "title": "How a thread waits for many things",
        "slides": [{ "title": "Ask the kernel", "items": ["register", "wait", "wake"] }, { "title": "Poll" }],
    }})
}

fn field(headers: &HeaderMap, name: impl header::AsHeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

pub(super) fn fields(headers: &HeaderMap) -> Value {
    headers.keys().map(|name| (name.to_string(), Value::from(field(headers, name)))).collect::<Map<_, _>>().into()
}

/// The request as the server saw it.
pub(super) async fn mirror(Query(arguments): Pairs, mut request: Request) -> Response {
    let data = match request.body_mut().bytes().await {
        Ok(data) => data,
        Err(error) => return BodyRejection::from(error).into_response(),
    };
    let form = Form::<BTreeMap<String, String>>::from_request(&mut request).await;
    let mut mirror = json!({
        "method": request.method().as_str(),
        "url": format!("http://{}{}", field(request.headers(), header::HOST), request.uri()),
        "args": arguments,
        "headers": fields(request.headers()),
        "origin": request.peer().map(|peer| peer.ip().to_string()),
    });
    if !data.is_empty() {
        mirror["data"] = String::from_utf8_lossy(&data).into();
        mirror["json"] = serde_json::from_slice(&data).unwrap_or_default();
        mirror["form"] = form.map(|Form(form)| json!(form)).unwrap_or_default();
    }
    document(&mirror)
}

pub(super) async fn user_agent(headers: HeaderMap) -> Response {
    document(&json!({ "user-agent": field(&headers, header::USER_AGENT) }))
}

pub(super) async fn cookies(cookies: Cookies) -> Response {
    let cookies: Map<_, _> = cookies.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    document(&json!({ "cookies": cookies }))
}

pub(super) async fn set_cookies(Query(cookies): Pairs) -> Response {
    back_to_cookies(cookies.iter().map(|(name, value)| format!("{name}={value}; Path=/")))
}

pub(super) async fn delete_cookies(Query(cookies): Pairs) -> Response {
    back_to_cookies(cookies.keys().map(|name| format!("{name}=; Path=/; Max-Age=0")))
}

/// What cannot be a cookie is left out.
fn back_to_cookies(cookies: impl Iterator<Item = String>) -> Response {
    let mut response = to(StatusCode::FOUND, "/cookies".to_owned()).into_response();
    for cookie in cookies.filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn delay(Path(seconds): Path<String>, pairs: Pairs, request: Request) -> Answer {
    sleep(Duration::from_secs_f64(number(&seconds, 0.0..=LONGEST)?)).await;
    Ok(mirror(pairs, request).await)
}

pub(super) async fn status(Path(code): Path<String>) -> Answer {
    let status = StatusCode::from_u16(number(&code, 200..=599)?).map_err(|_| OutOfRange)?;
    Ok(text(status, format!("{status}\n")))
}

/// The same bytes every time; any part of them tells where it is from.
pub(super) async fn bytes(Path(count): Path<String>) -> Answer<Vec<u8>> {
    Ok((0..number(&count, 0..=MOST_BYTES)?).map(|n| (n % 251) as u8).collect())
}

pub(super) async fn stream(Path(lines): Path<String>) -> Answer {
    let lines: u32 = number(&lines, 0..=1000)?;
    let body = Body::writer(move |mut body| async move {
        for id in 0..lines {
            body.write(format!("{}\n", json!({ "id": id }))).await?;
        }
        Ok(())
    });
    Ok(reply(StatusCode::OK, "application/x-ndjson", body))
}

pub(super) async fn drip(Query(asked): Pairs) -> Answer {
    let (mut count, mut seconds) = (10, 2.0);
    for (name, value) in &asked {
        match name.as_str() {
            "bytes" => count = number(value, 1..=MOST_BYTES)?,
            "seconds" => seconds = number(value, 0.0..=LONGEST)?,
            _ => return Err(OutOfRange),
        }
    }
    let pause = Duration::from_secs_f64(seconds / count as f64);
    let body = Body::writer(move |mut body| async move {
        for _ in 0..count {
            sleep(pause).await;
            body.write(Bytes::from_static(b"*")).await?;
        }
        Ok(())
    });
    Ok(text(StatusCode::OK, body.with_length(count as u64)))
}

/// Counts as it comes, and keeps nothing.
pub(super) async fn count(mut body: Body) -> Result<Response, BodyRejection> {
    body.set_limit(u64::MAX);
    let (mut bytes, mut chunks) = (0, 0);
    while let Some(chunk) = body.chunk().await? {
        (bytes, chunks) = (bytes + chunk.len(), chunks + 1);
    }
    Ok(document(&json!({ "bytes": bytes, "chunks": chunks })))
}

fn to(status: StatusCode, location: String) -> (StatusCode, [(&'static str, String); 1], String) {
    (status, [("location", location.clone())], format!("it is at {location}\n"))
}

fn next_redirect(path: &str, count: &str) -> Answer<String> {
    Ok(match number(count, 1..=20)? {
        1 => "/get".to_owned(),
        count => format!("/{path}/{}", count - 1),
    })
}

pub(super) async fn redirect(Path(count): Path<String>) -> Answer<impl IntoResponse> {
    Ok(to(StatusCode::FOUND, next_redirect("redirect", &count)?))
}

pub(super) async fn absolute_redirect(headers: HeaderMap, Path(count): Path<String>) -> Answer<impl IntoResponse> {
    let next = next_redirect("absolute-redirect", &count)?;
    Ok(to(StatusCode::FOUND, format!("http://{}{next}", field(&headers, header::HOST))))
}

pub(super) async fn redirect_to(Query(asked): Pairs) -> Answer<impl IntoResponse> {
    let url = asked.get("url").ok_or(OutOfRange)?;
    let status = number(asked.get("status").map_or("302", String::as_str), 300..=308)?;
    Ok(to(StatusCode::from_u16(status).map_err(|_| OutOfRange)?, url.clone()))
}

/// How often each URL has failed in a row.
pub(super) type Failures = Arc<Mutex<HashMap<String, u32>>>;

pub(super) async fn flaky(
    State(failures): State<Failures>,
    Path(times): Path<String>,
    Query(asked): Pairs,
    request: Request,
) -> Answer {
    let times: u32 = number(&times, 0..=1000)?;
    let failures = &mut *failures.lock().unwrap();
    // A client that asks for ever new paths may not fill the memory: forget them all, now and then.
    if failures.len() > 1000 {
        failures.clear();
    }
    let failed = failures.entry(request.uri().to_string()).or_default();
    if *failed == times {
        *failed = 0;
        return Ok(document(&json!({ "failures": times })));
    }
    *failed += 1;
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, format!("failure {failed} of {times}\n"));
    if let Some(after) = asked.get("after") {
        let after = HeaderValue::from(number::<u16>(after, 0..=60)?);
        response.headers_mut().insert(header::RETRY_AFTER, after);
    }
    Ok(response)
}

/// The name and password `user:passwd` in base64.
pub(super) async fn basic_auth(headers: HeaderMap) -> Response {
    if field(&headers, header::AUTHORIZATION) == "Basic dXNlcjpwYXNzd2Q=" {
        return document(&json!({ "authenticated": true, "user": "user" }));
    }
    who_are_you("Basic realm=\"httpbin\"")
}

pub(super) async fn bearer(headers: HeaderMap) -> Response {
    match field(&headers, header::AUTHORIZATION).strip_prefix("Bearer ") {
        Some(token) => document(&json!({ "authenticated": true, "token": token })),
        None => who_are_you("Bearer"),
    }
}

fn who_are_you(challenge: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)], "who are you?\n").into_response()
}

pub(super) async fn etag(headers: HeaderMap, Path(tag): Path<String>) -> Response {
    let tag = format!("\"{tag}\"");
    let names = |name| {
        let field = field(&headers, name);
        (!field.is_empty()).then(|| field.split(',').any(|one| one.trim() == "*" || one.trim() == tag))
    };
    let status = match (names(header::IF_MATCH), names(header::IF_NONE_MATCH)) {
        (Some(false), _) => StatusCode::PRECONDITION_FAILED,
        (_, Some(true)) => StatusCode::NOT_MODIFIED,
        _ => StatusCode::OK,
    };
    let document = if status == StatusCode::OK { document(&slides()) } else { Response::default() };
    (status, [("etag", tag)], document).into_response()
}

pub(super) async fn gzip() -> Response {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(format!("{:#}\n", slides()).as_bytes()).expect("a vector takes every byte");
    encoded("gzip", encoder.finish().expect("the same"))
}

pub(super) async fn deflate() -> Response {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(format!("{:#}\n", slides()).as_bytes()).expect("a vector takes every byte");
    encoded("deflate", encoder.finish().expect("the same"))
}

fn encoded(coding: &'static str, bytes: Vec<u8>) -> Response {
    ([("content-encoding", coding), ("content-type", "application/json")], bytes).into_response()
}

pub(super) async fn hang() -> Response {
    pending().await
}

pub(super) async fn reset() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Disconnect);
    response
}

pub(super) async fn bad_chunk() -> Body {
    Body::writer(|mut body| async move {
        body.write("the first half, and then").await?;
        Err(io::Error::other("as asked"))
    })
}

pub(super) async fn short(Path(count): Path<String>) -> Answer<Body> {
    let count = number(&count, 2..=MOST_BYTES)?;
    let body = Body::writer(move |mut body| async move { body.write(vec![b'*'; count / 2]).await });
    Ok(body.with_length(count as u64))
}
